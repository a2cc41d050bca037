//! A parameter: a number within its range, and the ways a user may write it.

use super::DescriptionError;
use super::json::{Json, quoted};
use super::object::{self, Object, Words};
use crate::limits;
use serde::Serialize;
use wavemill_core::descriptor::{ParamError, ParamMistake, ParamValue};

/// A parameter of an effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Param {
    /// What `fx_set_param` gets.
    pub id: u32,
    /// Name in pipelines, with its unit: `release_ms`.
    pub key: String,
    /// What people call it; the key where the module gives no name.
    pub name: String,
    /// One sentence: what it sets; may be empty.
    pub summary: String,
    /// `dB`, `ms`, `Hz`...; may be empty.
    pub unit: String,
    /// Smallest value, in `unit`.
    pub min: f64,
    /// Largest value, in `unit`.
    pub max: f64,
    /// The value where a user gives none, in `unit`.
    pub default: f64,
    /// How a control moves.
    pub scale: Scale,
    /// Number of equal steps from `min` to `max`; `None` means continuous.
    pub steps: Option<u32>,
    /// Words for the whole numbers from `min` to `max`; empty where there are none.
    pub labels: Vec<String>,
    /// Whether it may change while audio runs.
    pub is_automatable: bool,
    /// Whether it is only set before `fx_create`.
    pub needs_restart: bool,
}

/// How a control moves between the smallest and the largest value. Values are never converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Scale {
    /// Evenly in the value.
    #[serde(rename = "lin")]
    Linear,
    /// Evenly in its logarithm.
    #[serde(rename = "log")]
    Logarithmic,
    /// In decibels.
    #[serde(rename = "db")]
    Decibels,
}

/// What was written, for a message.
pub(super) fn shown(value: &ParamValue) -> String {
    match value {
        ParamValue::Number(number) => number.to_string(),
        ParamValue::Integer(integer) => integer.to_string(),
        ParamValue::Choice(word) => quoted(word),
        ParamValue::Bool(value) => value.to_string(),
    }
}

/// Most labels listed in a message.
const LISTED_MAX: usize = 12;

/// Significant digits of a shown number: more than a control resolves, fewer than make `0.1` ugly.
const SHOWN_DIGITS: i32 = 6;

impl Param {
    /// The value for what a user wrote: within the range, on the nearest step.
    ///
    /// # Errors
    /// When it is outside of the range, or a word that means nothing here.
    pub fn value_of(&self, given: &ParamValue) -> Result<f64, ParamError> {
        let mistake = match given {
            ParamValue::Number(number) => return self.value_of_number(*number),
            #[expect(clippy::cast_precision_loss, reason = "no range reaches 2^53")]
            ParamValue::Integer(integer) => return self.value_of_number(*integer as f64),
            ParamValue::Choice(label) if !self.labels.is_empty() => {
                if let Some(value) = self.value_of_label(label) {
                    return Ok(value);
                }
                let choices = self.labels.clone();
                ParamMistake::UnknownChoice { word: label.clone(), choices }
            }
            ParamValue::Bool(value) if self.is_switch() => {
                return Ok(if *value { self.max } else { self.min });
            }
            ParamValue::Choice(_) | ParamValue::Bool(_) => ParamMistake::WrongType,
        };
        Err(self.error(shown(given), mistake))
    }

    fn value_of_number(&self, number: f64) -> Result<f64, ParamError> {
        if (self.min..=self.max).contains(&number) {
            return Ok(self.nearest(number));
        }
        let (min, max, unit) = (self.min, self.max, self.unit.clone());
        Err(self.error(number.to_string(), ParamMistake::OutOfRange { min, max, unit }))
    }

    fn error(&self, found: String, mistake: ParamMistake) -> ParamError {
        ParamError { key: self.key.clone(), found, expected: self.expected(), mistake }
    }

    /// A value as people read it: its label, or the number with its unit.
    pub fn shown(&self, value: f64) -> String {
        if let Some(label) = self.label_of(value) {
            return label.to_owned();
        }
        let number = number(value);
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }

    /// Whether it is off or on, and may be written `false` or `true`.
    pub fn is_switch(&self) -> bool {
        self.labels == ["off", "on"]
    }

    /// What a user may write: completes "it must be".
    pub fn expected(&self) -> String {
        if self.is_switch() {
            return "true or false".to_owned();
        }
        let unit = if self.unit.is_empty() { "" } else { " " };
        let range = format!("{} to {}{unit}{}", number(self.min), number(self.max), self.unit);
        if self.labels.is_empty() {
            return format!("a number from {range}");
        }
        let words: Vec<_> =
            self.labels.iter().take(LISTED_MAX).map(|label| quoted(label)).collect();
        let rest = if self.labels.len() > words.len() { ", ..." } else { "" };
        format!("{}{rest}, or a number from {range}", words.join(", "))
    }

    /// The allowed value that is nearest to one within the range, in `unit`. Real-time.
    pub fn nearest(&self, value: f64) -> f64 {
        let Some(steps) = self.steps else { return value };
        let (width, steps) = (self.max - self.min, f64::from(steps));
        let step = ((value - self.min) / width * steps).round();
        // Multiplied before divided: decimal ranges then give the decimals one expects.
        if step >= steps { self.max } else { self.min + step * width / steps }
    }

    fn value_of_label(&self, label: &str) -> Option<f64> {
        let index = self.labels.iter().position(|known| known == label)?;
        Some(self.min + index as f64)
    }

    /// The word of a value, where it has words.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub fn label_of(&self, value: f64) -> Option<&str> {
        let index = (value - self.min).round();
        (index >= 0.0).then(|| self.labels.get(index as usize).map(String::as_str)).flatten()
    }
}

/// A number with at most [`SHOWN_DIGITS`] significant digits and no trailing zeros.
fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    // The exponent of `{:e}` is the decimal magnitude, without a logarithm.
    let scientific = format!("{:.*e}", SHOWN_DIGITS.unsigned_abs() as usize - 1, value);
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok());
    let exponent: i32 = exponent.unwrap_or(0);
    if !(-6..15).contains(&exponent) {
        return format!("{value:e}");
    }
    let decimals = usize::try_from(SHOWN_DIGITS - 1 - exponent).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

pub(super) const KEY: Words = Words {
    is_right: is_key,
    chars_max: limits::KEY_CHARS_MAX,
    expected: "letters a-z, digits and `_`, a letter first, with its unit, as in `release_ms`",
};

const NAME: Words = Words {
    is_right: object::is_filled_line,
    chars_max: limits::NAME_CHARS_MAX,
    expected: "text without control characters",
};

pub(super) const UNIT: Words = Words {
    is_right: object::is_line,
    chars_max: limits::UNIT_CHARS_MAX,
    expected: "text without control characters",
};

const LABEL: Words = Words {
    is_right: object::is_filled_line,
    chars_max: limits::LABEL_CHARS_MAX,
    expected: "text without control characters",
};

const SCALES: &[(&str, Scale)] =
    &[("lin", Scale::Linear), ("log", Scale::Logarithmic), ("db", Scale::Decibels)];

/// How far from a step a default may lie, as a share of the range: decimals are not exact in binary.
const STEP_TOLERANCE: f64 = 1e-9;

fn is_key(text: &str) -> bool {
    let is_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_word)
}

/// Reads and checks a parameter.
pub(super) fn read(object: &Object<'_>) -> Result<Param, DescriptionError> {
    let whole_id = "a whole number from 0 to 2147483647";
    let id = object.integer("id", 0, i32::MAX.unsigned_abs())?;
    let id = id.ok_or_else(|| object.missing("id", whole_id))?;
    let key = object.needed_words("key", &KEY)?;
    let (min, max, default) = range(object)?;
    let scale = object.choice("scale", SCALES)?.unwrap_or(Scale::Linear);
    if scale == Scale::Logarithmic && min <= 0.0 {
        let expected = "above 0, because `scale` is \"log\"";
        return Err(object.wrong("min", &Json::Number(min), expected));
    }
    let labels = labels(object, min, max)?;
    let (is_automatable, needs_restart) = flags(object)?;
    let mut param = Param {
        id,
        name: object.words("name", &NAME)?.unwrap_or_else(|| key.clone()),
        key,
        summary: object.words("summary", &Words::LINE)?.unwrap_or_default(),
        unit: object.words("unit", &UNIT)?.unwrap_or_default(),
        min,
        max,
        default,
        scale,
        steps: steps(object, labels.len())?,
        labels,
        is_automatable,
        needs_restart,
    };
    param.default = param.nearest(default);
    if (param.default - default).abs() > STEP_TOLERANCE * (max - min) {
        let expected = format!("on a step; the nearest one is {}", number(param.default));
        return Err(object.wrong("default", &Json::Number(default), &expected));
    }
    Ok(param)
}

/// Smallest, largest and default value.
fn range(object: &Object<'_>) -> Result<(f64, f64, f64), DescriptionError> {
    let (min, max) = (object.number("min")?, object.number("max")?);
    let default = object.number("default")?;
    if min >= max {
        let expected = format!("above `min`, which is {min}");
        return Err(object.wrong("max", &Json::Number(max), &expected));
    }
    if !(max - min).is_finite() {
        let expected = "nearer to `min`: their difference is beyond every number";
        return Err(object.wrong("max", &Json::Number(max), expected));
    }
    if !(min..=max).contains(&default) {
        let expected = format!("within `min` and `max`, {min} to {max}");
        return Err(object.wrong("default", &Json::Number(default), &expected));
    }
    Ok((min, max, default))
}

/// Words for the whole numbers from `min` to `max`, one each.
fn labels(object: &Object<'_>, min: f64, max: f64) -> Result<Vec<String>, DescriptionError> {
    let Some(list) = object.list("labels", 2, limits::LABEL_COUNT_MAX)? else {
        return Ok(Vec::new());
    };
    let mut labels: Vec<String> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let key = format!("labels[{index}]");
        let label = object.checked_words(&key, value, &LABEL)?;
        if labels.contains(&label) {
            return Err(object.wrong(&key, value, "another word than the labels before it"));
        }
        labels.push(label);
    }
    let are_whole = min.fract() == 0.0 && max.fract() == 0.0;
    let missing = max - min + 1.0 - labels.len() as f64;
    if !are_whole || missing != 0.0 {
        let found = Json::List(list.to_vec());
        let expected =
            format!("one word for each whole number from `min` to `max`, {min} to {max}");
        return Err(object.wrong("labels", &found, &expected));
    }
    Ok(labels)
}

fn steps(object: &Object<'_>, label_count: usize) -> Result<Option<u32>, DescriptionError> {
    let given = object.integer("steps", 1, limits::STEP_COUNT_MAX)?;
    let Some(implied) = label_count.checked_sub(1).and_then(|steps| u32::try_from(steps).ok())
    else {
        return Ok(given);
    };
    match given {
        Some(given) if given != implied => {
            let expected = format!("{implied}, one less than there are labels, or absent");
            Err(object.wrong("steps", &Json::Number(f64::from(given)), &expected))
        }
        _ => Ok(Some(implied)),
    }
}

/// Whether it is automatable, whether it needs a restart.
fn flags(object: &Object<'_>) -> Result<(bool, bool), DescriptionError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Flag {
        Automatable,
        Restart,
    }
    let words = [("automatable", Flag::Automatable), ("restart", Flag::Restart)];
    let list = object.list("flags", 0, limits::FLAG_COUNT_MAX)?.unwrap_or_default();
    let flag = |(index, value)| object.chosen(&format!("flags[{index}]"), value, &words);
    let flags: Vec<Flag> = list.iter().enumerate().map(flag).collect::<Result<_, _>>()?;
    let has = |flag| flags.contains(&flag);
    if has(Flag::Automatable) && has(Flag::Restart) {
        let found = Json::List(list.to_vec());
        return Err(object.wrong("flags", &found, "\"automatable\" or \"restart\", not both"));
    }
    Ok((has(Flag::Automatable), has(Flag::Restart)))
}
