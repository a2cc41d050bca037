//! `wavemill effects describe`: the manual of an effect, from what its module says of itself.

use super::super::steps::wrap;
use super::super::{CliError, Context, Exit, Run};
use super::refused;
use crate::report::{JSON_VERSION, Paint, Tone, one_line, size};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use wavemill_core::audio::StreamSpec;
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::processor::Tail;
use wavemill_core::units::{Frames, SampleRate};
use wavemill_runtime::{Description, Meter, Module, Param, Preset, Settings};

/// Print the manual of an effect: its parameters, presets, latency, hash
#[derive(Debug, clap::Args)]
pub(super) struct Describe {
    /// Name of a bundled effect, or the path of a .wasm file
    #[arg(value_name = "NAME|FILE")]
    effect: String,
}

impl Run for Describe {
    const NAME: &'static str = "describe";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let effects = context.effects.in_folder(Path::new("."));
        let module = effects.load(&self.effect).map_err(|error| refused(&error))?;
        let sheet = Sheet::of(&self.effect, &module)?;
        if context.is_json() {
            context.document(&sheet.document())?;
        } else {
            context.lines(sheet.lines(context.report.paint()))?;
        }
        Ok(Exit::Done)
    }
}

/// Sample rate at which latency and tail are shown, where the effect takes it.
const RATE: SampleRate = SampleRate(48_000);

/// Channels at which they are shown, where the effect takes them.
const CHANNELS: u32 = 2;

/// All that is known of an effect.
struct Sheet<'a> {
    name: &'a str,
    module: &'a Module,
    /// The stream that latency and tail are for.
    spec: StreamSpec,
    latency: Frames,
    tail: Tail,
}

impl<'a> Sheet<'a> {
    fn of(name: &'a str, module: &'a Module) -> Result<Self, CliError> {
        let description = module.description();
        let rates = &description.sample_rates;
        let takes_usual = rates.is_empty() || rates.contains(&RATE.0);
        let rate = if takes_usual { RATE.0 } else { rates.first().copied().unwrap_or(RATE.0) };
        let (min, max) = description.channels;
        let spec = StreamSpec::new(rate, CHANNELS.clamp(min, max) as usize);
        let settings = Settings::defaults(description);
        let effect = module
            .instantiate(&spec, &settings, BLOCK_FRAMES)
            .map_err(|error| CliError::failed(error.to_string()))?;
        Ok(Self { name, module, spec, latency: effect.latency(), tail: effect.tail() })
    }

    fn lines(&self, paint: Paint) -> Vec<String> {
        let description = self.module.description();
        let Description { name, version, summary, manual, .. } = description;
        let title = paint.tone(Tone::Name, name);
        let mut lines = vec![format!("{title} {version}: {summary}"), String::new()];
        lines.extend(example(self.name, description));
        let mut section = |name: &str, rows: Vec<String>| {
            if !rows.is_empty() {
                lines.extend([String::new(), paint.tone(Tone::Strong, name)]);
                lines.extend(rows);
            }
        };
        section("Parameters, under `with`", params(description, paint));
        section(
            "Presets",
            description
                .presets
                .iter()
                .flat_map(|preset| preset_lines(preset, description, paint))
                .collect(),
        );
        section("Meters", meters(description, paint));
        section("Facts", self.facts());
        section("Notes", manual.lines().flat_map(paragraph).collect());
        lines
    }

    fn facts(&self) -> Vec<String> {
        let description = self.module.description();
        let rate = self.spec.sample_rate;
        let row = |name: &str, value: String| format!("  {name:<12} {value}");
        let mut rows = vec![
            row("id", description.id.clone()),
            row("channels", channels(description)),
            row("sample rates", rates(description)),
            row("latency", span(self.latency, rate)),
            row("tail", tail(self.tail, rate, description.keep_length)),
            row("size", size(self.module.size_bytes() as u64)),
            row("sha256", self.module.sha256().to_owned()),
        ];
        for (name, text) in [("license", &description.license), ("homepage", &description.homepage)]
        {
            if !text.is_empty() {
                rows.push(row(name, one_line(text)));
            }
        }
        rows
    }

    fn document(&self) -> Value {
        let tail = match self.tail {
            Tail::Frames(frames) => json!(frames.0),
            Tail::Infinite => Value::Null,
        };
        json!({
            "version": JSON_VERSION,
            "effect": {
                "name": self.name,
                "description": self.module.description(),
                "sha256": self.module.sha256(),
                "size_bytes": self.module.size_bytes(),
                "timing": {
                    "sample_rate_hz": self.spec.sample_rate.0,
                    "channels": self.spec.channel_count(),
                    "latency_frames": self.latency.0,
                    "tail_frames": tail,
                },
            },
        })
    }
}

/// What becomes of its tail in files.
fn tail(tail: Tail, rate: SampleRate, keep_length: bool) -> String {
    match tail {
        Tail::Frames(Frames::ZERO) => "none".to_owned(),
        Tail::Infinite if keep_length => "infinite; cut, files keep their length".to_owned(),
        Tail::Infinite => "infinite; cut".to_owned(),
        Tail::Frames(frames) if keep_length => {
            format!("{}; cut, files keep their length", span(frames, rate))
        }
        Tail::Frames(frames) => format!("{}; lengthens files", span(frames, rate)),
    }
}

/// `480 frames, 0.010 s at 48000 Hz`; `none`.
fn span(frames: Frames, rate: SampleRate) -> String {
    if frames == Frames::ZERO {
        return "none".to_owned();
    }
    format!("{} frames, {} at {rate}", frames.0, frames.duration(rate))
}

fn channels(description: &Description) -> String {
    match description.channels {
        (1, 1) => "any number, each processed separately".to_owned(),
        (min, max) if min == max => min.to_string(),
        (min, max) => format!("{min} to {max}"),
    }
}

fn rates(description: &Description) -> String {
    if description.sample_rates.is_empty() {
        return "every one".to_owned();
    }
    let rates: Vec<_> = description.sample_rates.iter().map(u32::to_string).collect();
    format!("{} Hz", rates.join(", "))
}

/// A line of the manual: a paragraph, or the space between two.
fn paragraph(line: &str) -> Vec<String> {
    if line.trim().is_empty() { vec![String::new()] } else { wrap(line, "  ") }
}

/// Parameters that an example shows: the first ones matter most.
const EXAMPLE_PARAMS_MAX: usize = 3;

/// A step that can be copied into a pipeline. What stands under `with` goes before the preset, so it
/// shows the preset's own values.
fn example(name: &str, description: &Description) -> Vec<String> {
    let preset = description.presets.first();
    let name_of = |preset: &Preset| preset.name.clone();
    let settings = Settings::of(description, preset.map(name_of).as_deref(), &BTreeMap::new())
        .unwrap_or_else(|_| Settings::defaults(description));
    let mut lines = vec!["    [[step]]".to_owned(), format!("    effect = {name:?}")];
    lines.extend(preset.map(|preset| format!("    preset = {:?}", preset.name)));
    let params = description.params.iter().take(EXAMPLE_PARAMS_MAX);
    let pairs: Vec<_> = params
        .filter_map(|param| {
            Some(format!("{} = {}", param.key, written(param, settings.get(&param.key)?)))
        })
        .collect();
    if !pairs.is_empty() {
        lines.push(format!("    with = {{ {} }}", pairs.join(", ")));
    }
    lines
}

/// A value as a pipeline writes it.
fn written(param: &Param, value: f64) -> String {
    if param.is_switch() {
        return (value > param.min).to_string();
    }
    if param.labels.is_empty() { format!("{value:?}") } else { format!("{:?}", param.shown(value)) }
}

fn params(description: &Description, paint: Paint) -> Vec<String> {
    let of = |param: &Param| {
        let key = paint.tone(Tone::Name, &param.key);
        let default = written(param, param.default);
        let mut lines = vec![format!("  {key}  {}, default {default}", param.expected())];
        if param.name != param.key || !param.summary.is_empty() {
            let text = match (param.name == param.key, param.summary.is_empty()) {
                (false, false) => format!("{}: {}", param.name, param.summary),
                (true, _) => param.summary.clone(),
                (false, true) => param.name.clone(),
            };
            lines.extend(wrap(&text, "      "));
        }
        lines
    };
    description.params.iter().flat_map(of).collect()
}

fn meters(description: &Description, paint: Paint) -> Vec<String> {
    let of = |meter: &Meter| {
        let key = paint.tone(Tone::Name, &meter.key);
        let unit = if meter.unit.is_empty() { "" } else { " " };
        let range = format!("  {key}  {} to {}{unit}{}", meter.min, meter.max, meter.unit);
        let text = if meter.summary.is_empty() { &meter.name } else { &meter.summary };
        std::iter::once(range).chain(wrap(text, "      "))
    };
    description.meters.iter().flat_map(of).collect()
}

fn preset_lines(preset: &Preset, description: &Description, paint: Paint) -> Vec<String> {
    let values = description.params.iter().filter_map(|param| {
        let value = preset.values.get(&param.key)?;
        Some(format!("{} = {}", param.key, written(param, *value)))
    });
    let values: Vec<_> = values.collect();
    let mut lines = vec![format!("  {}", paint.tone(Tone::Name, &preset.name))];
    lines.extend(wrap(&values.join(", "), "      "));
    lines
}
