//! A value of a part that people can change: its range, and how it is shown.

use crate::part::capitalized;
use std::ops::Deref;
use wavemill_core::descriptor::{ParamDefault, ParamDescriptor, ParamKind};
use wavemill_runtime::Param;
pub use wavemill_runtime::Scale;

/// A value of an effect, or of a built-in step in the words of effects.
#[derive(Clone, Debug, PartialEq)]
pub struct Control(Param);

impl Deref for Control {
    type Target = Param;

    fn deref(&self) -> &Param {
        &self.0
    }
}

impl Control {
    /// That of an effect's parameter.
    pub(crate) fn of_effect(param: &Param) -> Self {
        Self(param.clone())
    }

    /// That of a built-in step's key; `None` for paths, and for keys that may be absent.
    pub(crate) fn of_step(param: &ParamDescriptor) -> Option<Self> {
        let default = default_of(param)?;
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (unit, min, max, steps, labels) = match param.kind {
            ParamKind::Number { unit, min, max } => (unit, min, max, None, Vec::new()),
            ParamKind::Integer { unit, min, max } => {
                let steps = u32::try_from(max - min).ok();
                (unit, min as f64, max as f64, steps, Vec::new())
            }
            ParamKind::Bool => ("", 0.0, 1.0, Some(1), words(&["off", "on"])),
            ParamKind::Choice(choices) => {
                let steps = u32::try_from(choices.len()).ok()?.checked_sub(1)?;
                ("", 0.0, f64::from(steps), Some(steps), words(choices))
            }
            ParamKind::AudioFile => return None,
        };
        let scale = match unit {
            "Hz" if min > 0.0 => Scale::Logarithmic,
            "dB" | "dBTP" | "dBFS" => Scale::Decibels,
            _ => Scale::Linear,
        };
        Some(Self(Param {
            // No step knows numbers.
            id: 0,
            key: param.key.to_owned(),
            name: name_of(param.key, unit),
            summary: param.summary.to_owned(),
            unit: unit.to_owned(),
            min,
            max,
            default,
            scale,
            steps,
            labels,
            is_automatable: false,
            needs_restart: true,
        }))
    }

    /// The number an effect knows it by, where it can change while audio runs. All others mean a fresh instance.
    pub(crate) fn live_id(&self) -> Option<u32> {
        self.is_automatable.then_some(self.id)
    }

    /// The value at a position from 0 to 1. Real-time.
    pub fn value_at(&self, position: f64) -> f64 {
        let position = if position.is_finite() { position.clamp(0.0, 1.0) } else { 0.0 };
        match (self.scale, position) {
            // The ends are exact.
            (_, 0.0) => self.min,
            (_, 1.0) => self.max,
            (Scale::Logarithmic, _) if self.steps.is_none() => {
                self.min * (self.max / self.min).powf(position)
            }
            _ => self.0.nearest(self.min + (self.max - self.min) * position),
        }
    }

    /// The position of a value, from 0 to 1. Real-time.
    pub fn position_of(&self, value: f64) -> f64 {
        let value = self.clamped(value);
        let position = match self.scale {
            Scale::Logarithmic if self.steps.is_none() => {
                (value / self.min).ln() / (self.max / self.min).ln()
            }
            _ => (value - self.min) / (self.max - self.min),
        };
        if position.is_finite() { position.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The allowed value that is nearest to any number, in `unit`; the default for what is no number. Real-time.
    pub fn nearest(&self, value: f64) -> f64 {
        self.0.nearest(self.clamped(value))
    }

    fn clamped(&self, value: f64) -> f64 {
        if value.is_finite() { value.clamp(self.min, self.max) } else { self.default }
    }

    /// A value as people read it: its word, or the number with its unit.
    pub fn shown(&self, value: f64) -> String {
        if let Some(label) = self.label_of(value) {
            return label.to_owned();
        }
        let number = number(value);
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }

    /// The value that somebody typed: a word, or a number with or without the unit.
    pub fn read(&self, typed: &str) -> Option<f64> {
        let typed = typed.trim();
        let is_label = |label: &String| label.eq_ignore_ascii_case(typed);
        if let Some(index) = self.labels.iter().position(is_label) {
            return Some(self.nearest(self.min + index as f64));
        }
        let (number, factor) = split_unit(typed, &self.unit);
        let number: f64 = number.trim().replace(',', ".").parse().ok()?;
        number.is_finite().then(|| self.nearest(number * factor))
    }
}

/// A number and what follows it: nothing, the unit, or a thousand of it (`2k`, `1.5 kHz`).
fn split_unit<'t>(typed: &'t str, unit: &str) -> (&'t str, f64) {
    let lower = typed.to_lowercase();
    let unit = unit.to_lowercase();
    let bare = lower.strip_suffix(&unit).map_or(lower.len(), str::len);
    let bare = lower[..bare].trim_end();
    let (length, factor) = match bare.strip_suffix('k') {
        Some(rest) => (rest.len(), 1000.0),
        None => (bare.len(), 1.0),
    };
    // Lower case may have another length in bytes; such text is no number anyway.
    (typed.get(..length).unwrap_or(typed), factor)
}

/// Three significant digits at least, and no more decimals than that asks for.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{:.decimals$}", value + 0.0);
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    if text == "-0" { "0".to_owned() } else { text }
}

fn default_of(param: &ParamDescriptor) -> Option<f64> {
    match (param.default, param.kind) {
        (ParamDefault::Required { example }, ParamKind::Choice(words)) => {
            index_of(words, example.trim_matches('"'))
        }
        (ParamDefault::Required { example: "true" }, _) => Some(1.0),
        (ParamDefault::Required { example: "false" }, _) => Some(0.0),
        (ParamDefault::Required { example }, _) => example.parse().ok(),
        (ParamDefault::Number(value), _) => Some(value),
        (ParamDefault::Integer(value), _) => Some(value as f64),
        (ParamDefault::Bool(value), _) => Some(f64::from(u8::from(value))),
        (ParamDefault::Choice(word), ParamKind::Choice(words)) => index_of(words, word),
        (ParamDefault::Absent | ParamDefault::Choice(_), _) => None,
    }
}

fn index_of(words: &[&str], word: &str) -> Option<f64> {
    words.iter().position(|known| *known == word).map(|index| index as f64)
}

/// `ceiling_dbtp` is "Ceiling".
fn name_of(key: &str, unit: &str) -> String {
    let words = key.strip_suffix(&format!("_{}", unit.to_lowercase())).unwrap_or(key);
    capitalized(&words.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::processors::{STEPS, step};

    fn control(step_name: &str, key: &str) -> Control {
        let param = step(step_name).and_then(|step| step.param(key)).expect("there is such a key");
        Control::of_step(param).expect("it has a value")
    }

    #[test]
    fn every_value_of_every_step_returns_from_its_position_and_its_text() {
        let params = STEPS.iter().flat_map(|step| step.params);
        for control in params.filter_map(Control::of_step) {
            for percent in 0..=100 {
                let value = control.value_at(f64::from(percent) / 100.0);
                let again = control.value_at(control.position_of(value));
                let width = control.max - control.min;
                assert!((again - value).abs() <= 1e-12 * width, "{} {value}", control.key);
                assert_eq!(control.nearest(value).to_bits(), value.to_bits(), "{}", control.key);
                let shown = control.shown(value);
                let again = control.read(&shown).map(|value| control.shown(value));
                assert_eq!(again.as_ref(), Some(&shown), "{}", control.key);
            }
            assert_eq!(control.nearest(control.default).to_bits(), control.default.to_bits());
        }
    }

    #[test]
    fn names_and_texts_are_those_people_expect() {
        let gain = control("gain", "gain_db");
        assert_eq!((gain.name.as_str(), gain.shown(-3.0).as_str()), ("Gain", "-3 dB"));
        assert_eq!(gain.shown(-0.001), "0 dB");
        assert_eq!(gain.read(" -4,5 dB"), Some(-4.5));
        assert_eq!(gain.read("1e9"), Some(gain.max));
        assert_eq!(gain.read("loud"), None);
        let cutoff = control("high-pass", "cutoff_hz");
        assert_eq!(cutoff.read("2k"), Some(2_000.0));
        assert_eq!(cutoff.read("1.5 kHz"), Some(1_500.0));
        assert_eq!(cutoff.scale, Scale::Logarithmic);
        assert_eq!(cutoff.value_at(f64::NAN).to_bits(), cutoff.min.to_bits());
    }
}
