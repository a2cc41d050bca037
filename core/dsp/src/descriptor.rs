//! What a step is called, takes and means: the source of the pipeline loader, `wavemill steps` and
//! the reference manual.

use crate::processor::StepProcessor;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;
use wavemill_audio::StreamSpec;

/// Builds a step for a stream.
pub(crate) type BuildStep = fn(&Params, &StreamSpec) -> Result<StepProcessor, BuildError>;

/// A processing step that pipelines can name.
#[derive(Debug)]
pub struct StepDescriptor {
    /// Name in a pipeline, `kebab-case`.
    pub name: &'static str,
    /// One sentence: what it does.
    pub summary: &'static str,
    /// Further sentences of the manual: limits, sources, what happens to silence and edge cases.
    pub manual: &'static str,
    /// Its keys under `with`, in the order of the manual.
    pub params: &'static [ParamDescriptor],
    /// What it does to peaks.
    pub peaks: Peaks,
    /// Builds the step for a stream. The parameters were checked against `params` and completed
    /// with the defaults.
    pub build: BuildStep,
}

/// What a step does to the peaks of its input. A ceiling that a step before it promised still holds behind it only where
/// it keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peaks {
    /// It raises none, or hardly.
    Keeps,
    /// It converts the rate, which raises some; whether it did is measured.
    Converts,
    /// It may raise any.
    Raises,
    /// No true peak exceeds the value of this key, dBTP.
    BoundsTruePeak(&'static str),
    /// No sample exceeds the value of this key, dBFS.
    BoundsSamplePeak(&'static str),
}

/// A key of a step.
#[derive(Debug)]
pub struct ParamDescriptor {
    /// Key with its unit, `snake_case`.
    pub key: &'static str,
    /// What it sets, as a sentence.
    pub summary: &'static str,
    /// Type and range.
    pub kind: ParamKind,
    /// What holds when the key is absent.
    pub default: ParamDefault,
}

/// Type and range of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// A finite number within `min..=max`.
    Number {
        /// `dB`, `s`, `Hz`...; empty when it is a bare number.
        unit: &'static str,
        /// Smallest value accepted.
        min: f64,
        /// Largest value accepted.
        max: f64,
    },
    /// A whole number within `min..=max`.
    Integer {
        /// As for numbers.
        unit: &'static str,
        /// Smallest value accepted.
        min: i64,
        /// Largest value accepted.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The path of an audio file. Whoever runs the step measures the file and hands it what it found; see
    /// [`WholeFile::set_reference`](crate::processor::WholeFile::set_reference).
    AudioFile,
}

/// What holds when a key is absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamDefault {
    /// The key must be given.
    Required {
        /// A usual value, as TOML: manuals show it, and it can be copied safely.
        example: &'static str,
    },
    /// The key may be absent and has no value then.
    Absent,
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// One of the choices.
    Choice(&'static str),
}

/// A value of a key, checked against its kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A word, or a path.
    Choice(String),
}

/// Checked parameters of a step, completed with its defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Params(BTreeMap<String, ParamValue>);

impl Params {
    /// Sets a key.
    pub fn set(&mut self, key: impl Into<String>, value: ParamValue) {
        self.0.insert(key.into(), value);
    }

    /// A key's value, if it has one.
    pub fn get(&self, key: &str) -> Option<&ParamValue> {
        self.0.get(key)
    }

    /// A number.
    ///
    /// # Errors
    /// [`BuildError::NotSet`], as all that follow, where the key has no value of this type.
    pub(crate) fn number(&self, key: &'static str) -> Result<f64, BuildError> {
        self.optional_number(key).ok_or(BuildError::NotSet { param: key, expected: "a number" })
    }

    /// A number of a key that may be absent.
    pub fn optional_number(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            ParamValue::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub(crate) fn integer(&self, key: &'static str) -> Result<i64, BuildError> {
        self.optional_integer(key)
            .ok_or(BuildError::NotSet { param: key, expected: "a whole number" })
    }

    /// A whole number of a key that may be absent.
    pub fn optional_integer(&self, key: &str) -> Option<i64> {
        match self.0.get(key)? {
            ParamValue::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// As [`Self::number`].
    pub(crate) fn bool(&self, key: &'static str) -> Result<bool, BuildError> {
        self.optional_bool(key).ok_or(BuildError::NotSet { param: key, expected: "true or false" })
    }

    /// `true` or `false` of a key that may be absent.
    pub fn optional_bool(&self, key: &str) -> Option<bool> {
        match self.0.get(key)? {
            ParamValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// What one of its words stands for.
    ///
    /// # Errors
    /// As [`Self::number`]; also where the word is none of `words`.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, BuildError> {
        let chosen = self.optional_choice(key);
        let found = chosen.and_then(|chosen| words.iter().find(|(word, _)| *word == chosen));
        found
            .map(|(_, value)| *value)
            .ok_or(BuildError::NotSet { param: key, expected: "a known word" })
    }

    /// A word of a key that may be absent.
    pub fn optional_choice(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            ParamValue::Choice(value) => Some(value),
            _ => None,
        }
    }
}

impl StepDescriptor {
    /// Whether it brings a signal to a loudness: it has the key `target_lufs`.
    pub fn aims_at_loudness(&self) -> bool {
        self.params.iter().any(|param| param.key == "target_lufs")
    }

    /// Checks `given` and fills in the defaults.
    ///
    /// # Errors
    /// All mistakes, not the first: unknown keys, wrong types, values out of range, missing keys.
    pub fn complete(&self, given: &Params) -> Result<Params, Vec<BuildError>> {
        let mut params = Params::default();
        let mut errors = Vec::new();
        for key in given.0.keys().filter(|key| self.param(key).is_none()) {
            errors.push(BuildError::UnknownParam { step: self.name, param: key.clone() });
        }
        for param in self.params {
            match (given.get(param.key), param.default) {
                (Some(value), _) => match param.check(value) {
                    Ok(value) => params.set(param.key, value),
                    Err(error) => errors.push(BuildError::Param(error)),
                },
                (None, ParamDefault::Required { .. }) => {
                    errors.push(BuildError::Missing { step: self.name, param: param.key });
                }
                (None, ParamDefault::Absent) => {}
                (None, ParamDefault::Number(value)) => {
                    params.set(param.key, ParamValue::Number(value));
                }
                (None, ParamDefault::Integer(value)) => {
                    params.set(param.key, ParamValue::Integer(value));
                }
                (None, ParamDefault::Bool(value)) => params.set(param.key, ParamValue::Bool(value)),
                (None, ParamDefault::Choice(value)) => {
                    params.set(param.key, ParamValue::Choice(value.to_owned()));
                }
            }
        }
        if errors.is_empty() { Ok(params) } else { Err(errors) }
    }

    /// Its key that names an audio file, if it has one.
    pub fn audio_file(&self) -> Option<&'static str> {
        let is_file = |param: &&ParamDescriptor| param.kind == ParamKind::AudioFile;
        self.params.iter().find(is_file).map(|param| param.key)
    }

    /// The descriptor of a key.
    pub fn param(&self, key: &str) -> Option<&'static ParamDescriptor> {
        self.params.iter().find(|param| param.key == key)
    }
}

impl ParamDescriptor {
    /// The value as this key's type, if it is of that type and in range.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, value: &ParamValue) -> Result<ParamValue, ParamError> {
        let out_of_range = |min: f64, max: f64, unit: &str| {
            (range(min, max, unit), ParamMistake::OutOfRange { min, max, unit: unit.to_owned() })
        };
        let (expected, mistake) = match (self.kind, value) {
            (
                ParamKind::Number { unit, min, max },
                ParamValue::Number(_) | ParamValue::Integer(_),
            ) => {
                let number = match value {
                    ParamValue::Integer(value) => *value as f64,
                    ParamValue::Number(value) => *value,
                    _ => f64::NAN,
                };
                if number >= min && number <= max {
                    return Ok(ParamValue::Number(number));
                }
                out_of_range(min, max, unit)
            }
            (ParamKind::Integer { unit, min, max }, ParamValue::Integer(value)) => {
                if *value >= min && *value <= max {
                    return Ok(ParamValue::Integer(*value));
                }
                out_of_range(min as f64, max as f64, unit)
            }
            (ParamKind::Bool, ParamValue::Bool(_))
            | (ParamKind::AudioFile, ParamValue::Choice(_)) => return Ok(value.clone()),
            (ParamKind::Choice(choices), ParamValue::Choice(word)) => {
                if choices.contains(&word.as_str()) {
                    return Ok(value.clone());
                }
                let accepted = choices.iter().map(ToString::to_string).collect();
                let mistake = ParamMistake::UnknownChoice { word: word.clone(), choices: accepted };
                (format!("one of {}", choices.join(", ")), mistake)
            }
            _ => (self.kind.describe().to_owned(), ParamMistake::WrongType),
        };
        let unit = match &mistake {
            ParamMistake::OutOfRange { unit, .. } => unit,
            _ => "",
        };
        let (key, found) = (self.key.to_owned(), quantity(value, unit));
        Err(ParamError { key, found, expected, mistake })
    }
}

impl ParamKind {
    /// The type in a user's words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Number { .. } => "a number",
            Self::Integer { .. } => "a whole number",
            Self::Bool => "true or false",
            Self::Choice(_) | Self::AudioFile => "a string",
        }
    }
}

/// A value that a parameter of a step or an effect does not accept.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("`{key}` is {found}; it must be {expected}")]
pub struct ParamError {
    /// The parameter.
    pub key: String,
    /// What was written, as messages show it.
    pub found: String,
    /// What would be right.
    pub expected: String,
    /// What is wrong.
    pub mistake: ParamMistake,
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Choice(word) => write!(f, "{word:?}"),
        }
    }
}

/// What is wrong with the value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamMistake {
    /// It is of another type.
    WrongType,
    /// A number outside of the range, or none at all (NaN).
    OutOfRange {
        /// Smallest value accepted, in `unit`.
        min: f64,
        /// Largest value accepted, in `unit`.
        max: f64,
        /// May be empty.
        unit: String,
    },
    /// A word that is not one of the choices.
    UnknownChoice {
        /// As written.
        word: String,
        /// The words accepted.
        choices: Vec<String>,
    },
}

/// Why a step cannot be built.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum BuildError {
    /// A key the step does not have.
    #[error("step `{step}` has no key `{param}`")]
    UnknownParam {
        /// The step.
        step: &'static str,
        /// The key as typed.
        param: String,
    },
    /// A key that must be given.
    #[error("step `{step}` needs the key `{param}`")]
    Missing {
        /// The step.
        step: &'static str,
        /// The key.
        param: &'static str,
    },
    /// A key that a step reads and its descriptor does not give it.
    #[error("`{param}` has no value; it must be {expected}")]
    NotSet {
        /// The key.
        param: &'static str,
        /// The type in words.
        expected: &'static str,
    },
    /// A value that its parameter does not accept.
    #[error(transparent)]
    Param(ParamError),
    /// Parameters that are fine alone but not for this stream.
    #[error("step `{step}` cannot run here: {reason}")]
    Unsuitable {
        /// The step.
        step: &'static str,
        /// What does not fit, and what would.
        reason: String,
    },
}

/// A number with its unit, or alone when it has none.
fn quantity(value: impl fmt::Display, unit: &str) -> String {
    if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") }
}

/// What a message says of a number outside its range: `it must be from -70 to 0 LUFS`.
pub fn must_be_from(min: impl fmt::Display, max: impl fmt::Display, unit: &str) -> String {
    format!("it must be {}", range(min, max, unit))
}

fn range(min: impl fmt::Display, max: impl fmt::Display, unit: &str) -> String {
    format!("from {min} to {}", quantity(max, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out_of_range(unit: &'static str) -> String {
        let kind = ParamKind::Number { unit, min: 1.0, max: 6.0 };
        let default = ParamDefault::Absent;
        let param = ParamDescriptor { key: "x", summary: "", kind, default };
        param.check(&ParamValue::Number(7.5)).unwrap_err().to_string()
    }

    #[test]
    fn number_out_of_range_is_shown_with_its_unit() {
        assert_eq!(out_of_range("dB"), "`x` is 7.5 dB; it must be from 1 to 6 dB");
    }

    #[test]
    fn number_out_of_range_without_unit_leaves_no_space() {
        assert_eq!(out_of_range(""), "`x` is 7.5; it must be from 1 to 6");
    }
}
