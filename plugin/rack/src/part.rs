//! What a slot holds: an effect or a built-in step with the values of its controls.

use crate::control::Control;
use crate::stage::Stage;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use wavemill_core::audio::StreamSpec;
use wavemill_core::descriptor::{ParamKind, ParamValue, Params, StepDescriptor};
use wavemill_core::limits::SAMPLE_RATE_HZ_MAX;
use wavemill_core::processor::{OutputSpan, StepProcessor};
use wavemill_core::processors;
use wavemill_core::units::Frames;
use wavemill_pipelines::effects::{self, EffectStep};
use wavemill_pipelines::model::Task;
use wavemill_runtime::{Module, Settings};

/// An effect or a built-in step with a value for every control. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Part {
    task: Arc<Task>,
    controls: Arc<[Control]>,
    /// One a control.
    values: Vec<f64>,
}

/// The same module or step with the same values.
impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        let bits =
            |part: &Self| part.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        self.name() == other.name() && self.is_built_as(other) && bits(self) == bits(other)
    }
}

/// Why a part cannot be played.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{name}: {reason}")]
pub struct PartError {
    /// What the user calls the part.
    pub name: String,
    /// One line.
    pub reason: String,
}

impl Part {
    /// That of a pipeline's step.
    pub fn new(task: Task) -> Self {
        let (controls, values): (Vec<_>, Vec<_>) = match &task {
            Task::BuiltIn { descriptor, params } => {
                let controls = descriptor.params.iter().filter_map(Control::of_step);
                controls.map(|control| (control.clone(), value_in(params, &control))).unzip()
            }
            Task::Effect(effect) => {
                let controls = effect.module.description().params.iter().map(Control::of_effect);
                let value = |control: &Control| {
                    effect.settings.get(&control.key).unwrap_or(control.default)
                };
                controls.map(|control| (control.clone(), value(&control))).unzip()
            }
        };
        Self { task: Arc::new(task), controls: controls.into(), values }
    }

    /// A built-in step with its usual values.
    pub fn step(descriptor: &'static StepDescriptor) -> Self {
        let mut params = Params::default();
        for param in descriptor.params {
            if let Some(control) = Control::of_step(param) {
                params.set(param.key, param_value(param.kind, &control, control.default));
            }
        }
        Self::new(Task::BuiltIn { descriptor, params })
    }

    /// An effect with its defaults, or with the values of a preset: one of its own, or the path of a file with one.
    /// `name` is what pipelines call it.
    ///
    /// # Errors
    /// When it has no such preset, or the file cannot be used.
    pub fn effect(name: &str, module: Module, preset: Option<&str>) -> Result<Self, PartError> {
        Self::effect_with(name, module, preset, &BTreeMap::new())
    }

    /// The same with values that override those of the preset.
    ///
    /// # Errors
    /// As [`Self::effect`], and when it does not accept a value.
    pub fn effect_with(
        name: &str,
        module: Module,
        preset: Option<&str>,
        with: &BTreeMap<String, ParamValue>,
    ) -> Result<Self, PartError> {
        let settings = effects::settings(module.description(), preset, with, Path::new(""));
        let settings = settings
            .map_err(|error| PartError { name: name.to_owned(), reason: error.to_string() })?;
        Ok(Self::new(Task::Effect(EffectStep {
            name: name.to_owned(),
            keep_length: module.description().keep_length,
            module,
            preset: preset.map(str::to_owned),
            settings,
            is_pinned: false,
        })))
    }

    /// What pipelines call it: the name of a step or a bundled effect, or the path of a module.
    pub fn name(&self) -> &str {
        match &*self.task {
            Task::BuiltIn { descriptor, .. } => descriptor.name,
            Task::Effect(effect) => &effect.name,
        }
    }

    /// What people call it.
    pub fn title(&self) -> String {
        match &*self.task {
            Task::BuiltIn { descriptor, .. } => capitalized(descriptor.name),
            Task::Effect(effect) => effect.module.description().name.clone(),
        }
    }

    /// One sentence: what it does.
    pub fn summary(&self) -> &str {
        match &*self.task {
            Task::BuiltIn { descriptor, .. } => descriptor.summary,
            Task::Effect(effect) => &effect.module.description().summary,
        }
    }

    /// The module, where it is an effect.
    pub fn module(&self) -> Option<&Module> {
        match &*self.task {
            Task::BuiltIn { .. } => None,
            Task::Effect(effect) => Some(&effect.module),
        }
    }

    /// Whether files keep their length: its tail is cut where the signal ends.
    pub(crate) fn keeps_length(&self) -> bool {
        match &*self.task {
            Task::BuiltIn { .. } => false,
            Task::Effect(effect) => effect.keep_length,
        }
    }

    /// Its controls, in the order a user should see.
    pub fn controls(&self) -> &Arc<[Control]> {
        &self.controls
    }

    /// The value of each control.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Sets a control to the allowed value that is nearest; a control it does not have changes nothing.
    pub fn set(&mut self, control: usize, value: f64) {
        if let (Some(control), Some(own)) =
            (self.controls.get(control), self.values.get_mut(control))
        {
            *own = control.nearest(value);
        }
    }

    /// Sets all controls that have the keys; others keep their values.
    pub fn set_by_key<'k>(&mut self, values: impl Iterator<Item = (&'k str, f64)>) {
        for (key, value) in values {
            if let Some(index) = self.controls.iter().position(|control| control.key == key) {
                self.set(index, value);
            }
        }
    }

    /// Whether an instance of one can become the other by setting controls that can change while audio runs.
    pub(crate) fn is_built_as(&self, other: &Self) -> bool {
        let is_same = match (&*self.task, &*other.task) {
            (
                Task::BuiltIn { descriptor: one, params },
                Task::BuiltIn { descriptor, params: others },
            ) => one.name == descriptor.name && params == others,
            (Task::Effect(one), Task::Effect(other)) => {
                one.module.sha256() == other.module.sha256()
            }
            _ => false,
        };
        let pairs = self.values.iter().zip(&other.values);
        let mut pairs = self.controls.iter().zip(pairs);
        is_same
            && pairs.all(|(control, (own, other))| {
                control.is_automatable || own.to_bits() == other.to_bits()
            })
    }

    /// The task with the values of now, as a pipeline would have it.
    pub(crate) fn task(&self) -> Task {
        match &*self.task {
            Task::BuiltIn { descriptor, .. } => {
                Task::BuiltIn { descriptor, params: self.params(descriptor) }
            }
            Task::Effect(effect) => Task::Effect(EffectStep {
                settings: self.settings(&effect.module),
                ..effect.clone()
            }),
        }
    }

    fn params(&self, descriptor: &StepDescriptor) -> Params {
        let Task::BuiltIn { params, .. } = &*self.task else { return Params::default() };
        let mut params = params.clone();
        for (control, value) in self.controls.iter().zip(&self.values) {
            if let Some(param) = descriptor.param(&control.key) {
                params.set(param.key, param_value(param.kind, control, *value));
            }
        }
        params
    }

    /// The values, as those of an effect's parameters.
    pub fn settings(&self, module: &Module) -> Settings {
        let keys = self.controls.iter().map(|control| control.key.clone());
        let values = self.values.iter().map(|value| ParamValue::Number(*value));
        // All of them are in their ranges.
        Settings::of(module.description(), None, &keys.zip(values).collect())
            .unwrap_or_else(|_| Settings::defaults(module.description()))
    }

    /// A fresh instance for a stream.
    ///
    /// # Errors
    /// When it cannot be played: it does not take such a stream, or needs more than the stream.
    pub(crate) fn build(&self, spec: &StreamSpec, frames_max: usize) -> Result<Stage, PartError> {
        let error = |reason: String| PartError { name: self.name().to_owned(), reason };
        match self.task() {
            Task::BuiltIn { descriptor, params } => {
                let step = (descriptor.build)(&params, spec);
                let mut step = step.map_err(|reason| error(reason.to_string()))?;
                verify_live(&mut step, spec).map_err(error)?;
                Ok(Stage::Step(step))
            }
            Task::Effect(effect) => {
                let live = effect.module.instantiate(spec, &effect.settings, frames_max);
                let mut live = live.map_err(|reason| error(reason.to_string()))?;
                live.warm_up().map_err(|broken| error(live.explain(broken).to_string()))?;
                Ok(Stage::Effect(Box::new(live)))
            }
        }
    }
}

/// The built-in steps that a stereo rack can play, whatever their values: no value makes them change the length, the
/// rate or the channels.
pub fn steps() -> Vec<&'static StepDescriptor> {
    // At the highest rate every frequency can be had.
    let spec = StreamSpec::new(SAMPLE_RATE_HZ_MAX, 2);
    let can_play = |step: &&'static StepDescriptor| {
        let usual = Part::step(step);
        let ends = usual.controls.iter().enumerate();
        let mut ends =
            ends.flat_map(|(index, control)| [(index, control.min), (index, control.max)]);
        usual.build(&spec, 1).is_ok()
            && ends.all(|(index, value)| {
                let mut part = usual.clone();
                part.set(index, value);
                part.build(&spec, 1).is_ok()
            })
    };
    processors::STEPS.iter().copied().filter(can_play).collect()
}

/// Whether a step can be played: it knows nothing but what comes, and delivers as many frames of the same stream.
fn verify_live(step: &mut StepProcessor, spec: &StreamSpec) -> Result<(), String> {
    /// A file that a step could shorten or lengthen.
    const FILE: Frames = Frames(1_000_000);
    if step.observer().is_some() || step.properties().needs_length {
        return Err("needs the whole file, and a rack plays a stream".to_owned());
    }
    if step.output_spec(spec) != *spec {
        return Err("changes the rate or the number of channels, which a rack keeps".to_owned());
    }
    step.begin(None).map_err(|error| error.reason)?;
    let is_kept = step.span(FILE) == OutputSpan { first_frame: Some(0), length: FILE };
    if !is_kept || step.properties().held_back > Frames::ZERO {
        return Err("changes the length, which a rack keeps".to_owned());
    }
    Ok(())
}

/// `high-pass` is "High-pass".
pub(crate) fn capitalized(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// What a pipeline says of a control, as a number.
fn value_in(params: &Params, control: &Control) -> f64 {
    let key = &control.key;
    let word = params
        .optional_choice(key)
        .or_else(|| params.optional_bool(key).map(|is_on| if is_on { "on" } else { "off" }));
    let label = word.and_then(|word| control.labels.iter().position(|label| label == word));
    let value = label
        .map(|index| index as f64)
        .or_else(|| params.optional_number(key))
        .or_else(|| params.optional_integer(key).map(|value| value as f64));
    value.map_or(control.default, |value| control.nearest(value))
}

/// A control's value as a step's key has it.
fn param_value(kind: ParamKind, control: &Control, value: f64) -> ParamValue {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within the key's range")]
    let whole = value.round() as i64;
    match kind {
        ParamKind::Number { .. } => ParamValue::Number(value),
        ParamKind::Integer { .. } => ParamValue::Integer(whole),
        ParamKind::Bool => ParamValue::Bool(whole != 0),
        ParamKind::Choice(_) | ParamKind::AudioFile => {
            ParamValue::Choice(control.label_of(value).unwrap_or_default().to_owned())
        }
    }
}
