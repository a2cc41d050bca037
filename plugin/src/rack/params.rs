//! What the DAW automates and saves of a rack.
//!
//! Which effects there will be is not known when the DAW asks for parameters. So there is a fixed bank of them, by slot
//! and position, for ever; what a position means is what stands in the slot. Their values are positions from 0 to 1; the
//! exact values are the model's.

use super::model::{Model, Saved};
use crate::formats::{ParamName, ParamNames};
use nice_plug::params::InternalParamMut;
use nice_plug::params::internals::ParamPtr;
use nice_plug::params::persist::{deserialize_field, serialize_field};
use nice_plug::prelude::*;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use wavemill_rack::{CONTROL_COUNT, Mix, Slots};

/// Parameters before those of the slots.
const HEAD_COUNT: usize = 2;

/// Parameters of a slot before its controls.
const SLOT_HEAD_COUNT: usize = 3;

const PER_SLOT: usize = SLOT_HEAD_COUNT + CONTROL_COUNT;

/// Size of the window of an exported effect, in points.
const EXPORTED_WINDOW: (u32, u32) = (640, 480);

/// Everything that belongs to an instance.
pub(crate) struct RackParams {
    /// All slots pass on what comes.
    pub(crate) bypass: BoolParam,
    /// The output is as loud as the input, to compare by ear; never in an offline render.
    pub(crate) matches: BoolParam,
    pub(crate) slots: Slots<SlotParams>,
    pub(crate) model: Arc<Model>,
    pub(crate) view: RwLock<View>,
    /// Whether there is one effect for ever: its parameters are those of the plugin.
    pub(crate) is_exported: bool,
}

/// The parameters of a slot.
pub(crate) struct SlotParams {
    pub(crate) bypass: BoolParam,
    pub(crate) solo: BoolParam,
    pub(crate) wet: FloatParam,
    /// Positions of its controls.
    pub(crate) controls: Vec<FloatParam>,
}

/// Choices about the window, saved with the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    /// Size in points.
    pub(crate) window: (u32, u32),
    /// 1.0 to 3.0.
    pub(crate) zoom: f32,
    /// Modules of files are saved with the project up to this size each, in KiB.
    pub(crate) modules_kib: u32,
}

impl Default for View {
    fn default() -> Self {
        Self { window: (960, 600), zoom: 1.0, modules_kib: 1024 }
    }
}

impl RackParams {
    pub(crate) fn new(model: Arc<Model>, is_exported: bool) -> Self {
        let mut view = View::default();
        if is_exported {
            view.window = EXPORTED_WINDOW;
        }
        Self {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            matches: BoolParam::new("Match loudness", false),
            slots: std::array::from_fn(|slot| SlotParams::new(slot, &model)),
            model,
            view: RwLock::new(view),
            is_exported,
        }
    }

    /// How each slot is mixed. Real-time.
    pub(crate) fn shares(&self) -> Slots<f32> {
        let mixes = std::array::from_fn(|slot| {
            let SlotParams { bypass, solo, wet, .. } = &self.slots[slot];
            Mix { wet: wet.value(), is_bypassed: bypass.value(), is_soloed: solo.value() }
        });
        Mix::shares(&mixes, self.bypass.value())
    }

    /// Takes the values that the host set since the last block, such as while nothing plays.
    fn follow_bank(&self) {
        for (slot, params) in self.slots.iter().enumerate() {
            for (index, param) in params.controls.iter().enumerate() {
                let Some(control) = self.model.control(slot, index) else { break };
                let position = param.unmodulated_normalized_value();
                self.model.value((slot, index), &control, (position, position));
            }
        }
    }

    /// Brings the bank to the positions of the model's values, after the model changed by itself. One that stands for
    /// the value already stays where it is, so that a state that is saved again is the same.
    pub(crate) fn follow_model(&self) {
        for (slot, params) in self.slots.iter().enumerate() {
            for (control, param) in params.controls.iter().enumerate() {
                let position = self.model.position(slot, control);
                let own = param.unmodulated_normalized_value();
                let is_there = position.to_bits() == own.to_bits();
                if !is_there && !self.model.is_at(slot, control, own) {
                    // SAFETY: what the framework does when a state is loaded; the host is asked to read it again.
                    unsafe { param._internal_set_normalized_value(position) };
                }
            }
        }
    }
}

impl RackParams {
    /// The parameters of an exported effect, by their keys.
    fn exported_map(&self) -> Vec<(String, ParamPtr, String)> {
        let bypass = ("bypass".to_owned(), self.bypass.as_ptr(), String::new());
        let params = self.slots[0].controls.iter().enumerate();
        let params = params.map_while(|(index, param)| {
            let key = self.model.control(0, index)?.key.clone();
            Some((format!("effect:{key}"), param.as_ptr(), String::new()))
        });
        std::iter::once(bypass).chain(params).collect()
    }
}

impl SlotParams {
    fn new(slot: usize, model: &Arc<Model>) -> Self {
        let number = slot + 1;
        let control = |control: usize| {
            // Known already in an exported file.
            let known = model.control(slot, control);
            let name = known.map_or_else(
                || format!("Slot {number} control {}", control + 1),
                |control| control.name.clone(),
            );
            let range = FloatRange::Linear { min: 0.0, max: 1.0 };
            let (shown, read) = (Arc::clone(model), Arc::clone(model));
            FloatParam::new(name, model.position(slot, control), range)
                .with_value_to_string(Arc::new(move |position| {
                    shown.shown(slot, control, position)
                }))
                .with_string_to_value(Arc::new(move |typed| read.read(slot, control, typed)))
        };
        let range = FloatRange::Linear { min: 0.0, max: 1.0 };
        Self {
            bypass: BoolParam::new(format!("Slot {number} bypass"), false),
            solo: BoolParam::new(format!("Slot {number} solo"), false),
            wet: FloatParam::new(format!("Slot {number} wet"), 1.0, range)
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            controls: (0..CONTROL_COUNT).map(control).collect(),
        }
    }
}

// SAFETY: the pointers are to fields that neither move nor go while this lives: boxed, in an `Arc`.
unsafe impl Params for RackParams {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        if self.is_exported {
            return self.exported_map();
        }
        let mut map = vec![
            ("bypass".to_owned(), self.bypass.as_ptr(), String::new()),
            ("match".to_owned(), self.matches.as_ptr(), String::new()),
        ];
        for (slot, params) in self.slots.iter().enumerate() {
            let number = slot + 1;
            let group = format!("Slot {number}");
            let mut add = |id: String, param: ParamPtr| map.push((id, param, group.clone()));
            add(format!("s{number}bypass"), params.bypass.as_ptr());
            add(format!("s{number}solo"), params.solo.as_ptr());
            add(format!("s{number}wet"), params.wet.as_ptr());
            for (control, param) in params.controls.iter().enumerate() {
                add(format!("s{number}c{}", control + 1), param.as_ptr());
            }
        }
        map
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        self.follow_bank();
        let view = self.view.read().clone();
        let module_bytes_max = usize::try_from(view.modules_kib).unwrap_or(0).saturating_mul(1024);
        let rack = serialize_field(&self.model.saved(module_bytes_max));
        let view = serialize_field(&view);
        let fields = [("rack", rack), ("view", view)].into_iter();
        fields.filter_map(|(key, text)| Some((key.to_owned(), text.ok()?))).collect()
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        if let Some(view) = fields.get("view").and_then(|text| deserialize_field(text).ok()) {
            *self.view.write() = view;
        }
        if let Some(saved) =
            fields.get("rack").and_then(|text| deserialize_field::<Saved>(text).ok())
        {
            match saved.slots.first() {
                Some(Some(slot)) if self.is_exported => {
                    self.model.set_values(0, &slot.values);
                    self.follow_model();
                }
                _ if self.is_exported => {}
                _ => self.model.load(saved),
            }
        }
    }
}

impl ParamNames for RackParams {
    fn param(&self, index: usize) -> Option<ParamName> {
        let index = index.checked_sub(HEAD_COUNT)?;
        let (slot, control) = (index / PER_SLOT, (index % PER_SLOT).checked_sub(SLOT_HEAD_COUNT)?);
        let number = slot + 1;
        Some(match self.model.control(slot, control) {
            Some(control) => ParamName {
                name: format!("{number} {}", control.name),
                default: control.position_of(control.default),
                is_hidden: false,
            },
            None => ParamName {
                name: format!("Slot {number} control {}", control + 1),
                default: 0.0,
                is_hidden: true,
            },
        })
    }
}
