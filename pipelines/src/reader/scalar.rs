//! Values of keys: a TOML value against the type its key takes.

use super::duration;
use super::sink::Sink;
use crate::model::Bounds;
use std::fmt;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;
use wavemill_core::descriptor::{ParamError, ParamMistake, ParamValue, must_be_from};
use wavemill_core::suggestion::did_you_mean;

/// Notes that a value is of another type.
pub(crate) fn wrong_type(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    expected: &str,
) {
    let is = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    sink.error("wrong-type", value.span(), format!("`{name}` is {is}"))
        .help(format!("it must be {expected}"));
}

/// The whole number of a TOML integer, if it fits.
pub(crate) fn as_integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The number of a TOML float or integer; `None` for NaN, infinities and everything else.
pub(crate) fn as_number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Float(float) => float.as_str().parse().ok()?,
        DeValue::Integer(_) => as_integer(value)? as f64,
        _ => return None,
    };
    f64::is_finite(number).then_some(number)
}

pub(crate) fn integer(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    min: i64,
    max: i64,
) -> Option<i64> {
    if value.get_ref().as_integer().is_none() {
        wrong_type(sink, name, value, "a whole number");
        return None;
    }
    let number = as_integer(value.get_ref()).filter(|number| *number >= min && *number <= max);
    if number.is_none() {
        outside(sink, name, value, (min, max), "");
    }
    number
}

pub(crate) fn number(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    unit: &str,
    min: f64,
    max: f64,
) -> Option<f64> {
    if !matches!(value.get_ref(), DeValue::Float(_) | DeValue::Integer(_)) {
        wrong_type(sink, name, value, &format!("a number ({unit})"));
        return None;
    }
    let number = as_number(value.get_ref()).filter(|number| *number >= min && *number <= max);
    if number.is_none() {
        outside(sink, name, value, (min, max), unit);
    }
    number
}

/// Notes that a number, as it was written, is not from `min` to `max`.
pub(crate) fn outside(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    (min, max): (impl fmt::Display, impl fmt::Display),
    unit: &str,
) {
    let message = format!("`{name}` is {} {unit}", sink.text(value.span()));
    sink.error("out-of-range", value.span(), message.trim_end()).help(must_be_from(min, max, unit));
}

/// A value of a step's or an effect's key; `check` says what is wrong with it, `expected` what would be right.
pub(crate) fn param(
    sink: &mut Sink<'_>,
    (name, expected): (&str, &str),
    value: &Spanned<DeValue<'_>>,
    check: impl FnOnce(&ParamValue) -> Result<ParamValue, ParamError>,
) -> Option<ParamValue> {
    let Some(given) = param_value(value.get_ref()) else {
        wrong_type(sink, name, value, expected);
        return None;
    };
    let error = match check(&given) {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    match error.mistake {
        ParamMistake::WrongType => wrong_type(sink, name, value, expected),
        ParamMistake::OutOfRange { min, max, unit } => {
            outside(sink, name, value, (min, max), &unit);
        }
        ParamMistake::UnknownChoice { word, choices } => {
            sink.error("unknown-choice", value.span(), format!("`{name}` cannot be \"{word}\""))
                .help(did_you_mean(&word, "possible", choices.iter().map(String::as_str)));
        }
    }
    None
}

/// `None` for what is no scalar of TOML that parameters take.
fn param_value(value: &DeValue<'_>) -> Option<ParamValue> {
    match value {
        DeValue::String(text) => Some(ParamValue::Choice(text.to_string())),
        DeValue::Boolean(truth) => Some(ParamValue::Bool(*truth)),
        DeValue::Integer(_) => as_integer(value).map(ParamValue::Integer),
        DeValue::Float(_) => as_number(value).map(ParamValue::Number),
        _ => None,
    }
}

pub(crate) fn boolean(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) -> Option<bool> {
    let found = value.get_ref().as_bool();
    if found.is_none() {
        wrong_type(sink, name, value, "true or false");
    }
    found
}

pub(crate) fn text(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) -> Option<String> {
    let Some(text) = value.get_ref().as_str() else {
        wrong_type(sink, name, value, "a string");
        return None;
    };
    if text.trim().is_empty() {
        sink.error("empty-text", value.span(), format!("`{name}` is empty"))
            .help("write a value, or remove the key");
        return None;
    }
    Some(text.to_owned())
}

pub(crate) fn word(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    words: &'static [&'static str],
) -> Option<&'static str> {
    let Some(text) = value.get_ref().as_str() else {
        wrong_type(sink, name, value, &format!("one of {}", words.join(", ")));
        return None;
    };
    let known = words.iter().find(|word| **word == text).copied();
    if known.is_none() {
        sink.error("unknown-choice", value.span(), format!("`{name}` cannot be \"{text}\""))
            .help(did_you_mean(text, "possible", words.iter().copied()));
    }
    known
}

/// A list of items, or one item alone.
pub(crate) fn list<'t, T>(
    sink: &mut Sink<'_>,
    name: &str,
    value: &'t Spanned<DeValue<'t>>,
    mut item: impl FnMut(&mut Sink<'_>, &'t Spanned<DeValue<'t>>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(array) = value.get_ref().as_array() else {
        return item(sink, value).map(|one| vec![one]);
    };
    if array.is_empty() {
        sink.error("empty-list", value.span(), format!("`{name}` is empty"))
            .help("add at least one item, or remove the key");
        return None;
    }
    Some(array.iter().filter_map(|one| item(sink, one)).collect())
}

pub(crate) fn duration_value(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    min: Duration,
    max: Duration,
) -> Option<Duration> {
    let Some(found) = value.get_ref().as_str().map(duration::parse) else {
        wrong_type(sink, name, value, "a string with a unit");
        return None;
    };
    let Some(found) = found else {
        let written = sink.text(value.span()).to_owned();
        sink.error(
            "not-a-duration",
            value.span(),
            format!("`{name}` is {written}, which is not a duration"),
        )
        .help(duration::EXAMPLES);
        return None;
    };
    in_range(sink, name, value.span(), found, min, max).then_some(found)
}

pub(crate) fn duration_range(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    min: Duration,
    max: Duration,
) -> Option<(Duration, Duration)> {
    let Some((from, to)) = value.get_ref().as_str().and_then(duration::parse_range) else {
        let written = sink.text(value.span()).to_owned();
        sink.error(
            "not-a-duration",
            value.span(),
            format!("`{name}` is {written}, which is not a range of durations"),
        )
        .help("write the first and the longest wait, such as \"30s..10m\"");
        return None;
    };
    if from > to {
        sink.error(
            "out-of-range",
            value.span(),
            format!("the second duration of `{name}` is shorter than the first"),
        )
        .help("write the shorter duration first");
        return None;
    }
    let fits = in_range(sink, name, value.span(), from, min, max)
        && in_range(sink, name, value.span(), to, min, max);
    fits.then_some((from, to))
}

fn in_range(
    sink: &mut Sink<'_>,
    name: &str,
    span: Range<usize>,
    found: Duration,
    min: Duration,
    max: Duration,
) -> bool {
    let fits = found >= min && found <= max;
    if !fits {
        let (found, min, max) =
            (duration::display(found), duration::display(min), duration::display(max));
        sink.error("out-of-range", span, format!("`{name}` is {found}"))
            .help(must_be_from(min, max, ""));
    }
    fits
}

/// The entries of an inline table that may only have these keys.
fn members<'t>(
    sink: &mut Sink<'_>,
    name: &str,
    value: &'t Spanned<DeValue<'t>>,
    known: &[&'static str],
    example: &str,
) -> Option<Vec<(&'static str, &'t Spanned<DeValue<'t>>)>> {
    let Some(table) = value.get_ref().as_table() else {
        wrong_type(sink, name, value, &format!("written as {example}"));
        return None;
    };
    let mut found = Vec::new();
    for (key, value) in table {
        if let Some(known) = known.iter().find(|known| **known == key.get_ref().as_ref()) {
            found.push((*known, value));
        } else {
            let written = key.get_ref();
            sink.error("unknown-key", key.span(), format!("unknown key `{written}` in `{name}`"))
                .help(did_you_mean(written, "known keys", known.iter().copied()));
        }
    }
    if table.is_empty() {
        sink.error("missing-key", value.span(), format!("`{name}` is an empty table"))
            .help(format!("write {example}"));
        return None;
    }
    Some(found)
}

pub(crate) fn bounds_of_durations(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    min: Duration,
    max: Duration,
) -> Option<Bounds> {
    let mut bounds = Bounds::default();
    for (key, value) in members(sink, name, value, &["min", "max"], "{ min = \"1s\" }")? {
        let seconds = duration_value(sink, key, value, min, max).map(|found| found.as_secs_f64());
        match key {
            "min" => bounds.min = seconds,
            _ => bounds.max = seconds,
        }
    }
    ordered(sink, name, value.span(), bounds)
}

pub(crate) fn bounds(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
    unit: &str,
    min: f64,
    max: f64,
) -> Option<Bounds> {
    const KNOWN: [&str; 4] = ["min", "max", "target", "tolerance"];
    const EXAMPLE: &str = "{ min = .., max = .. } or { target = .., tolerance = .. }";
    let mut found = [None; 4];
    let members = members(sink, name, value, &KNOWN, EXAMPLE)?;
    let mut is_right = value.get_ref().as_table().is_some_and(|all| all.len() == members.len());
    for (key, value) in members {
        let index = KNOWN.iter().position(|known| *known == key).unwrap_or_default();
        let (min, max) = if key == "tolerance" { (0.0, max - min) } else { (min, max) };
        found[index] = number(sink, key, value, unit, min, max);
        is_right &= found[index].is_some();
    }
    if !is_right {
        // What is wrong was said; that the rest is incomplete would be the same mistake twice.
        return None;
    }
    match found {
        [None, None, Some(target), Some(tolerance)] => {
            Some(Bounds { min: Some(target - tolerance), max: Some(target + tolerance) })
        }
        [min, max, None, None] => ordered(sink, name, value.span(), Bounds { min, max }),
        _ => {
            sink.error(
                "contradiction",
                value.span(),
                format!("`{name}` needs `min` and `max`, or `target` and `tolerance`"),
            )
            .help(format!("write {EXAMPLE}"));
            None
        }
    }
}

fn ordered(sink: &mut Sink<'_>, name: &str, span: Range<usize>, bounds: Bounds) -> Option<Bounds> {
    match (bounds.min, bounds.max) {
        (None, None) => None,
        (Some(min), Some(max)) if min > max => {
            sink.error("contradiction", span, format!("no value can satisfy `{name}`"))
                .help("`min` must not exceed `max`");
            None
        }
        _ => Some(bounds),
    }
}

pub(crate) fn text_map(
    sink: &mut Sink<'_>,
    name: &str,
    value: &Spanned<DeValue<'_>>,
) -> Option<Vec<(String, String)>> {
    let Some(table) = value.get_ref().as_table() else {
        wrong_type(sink, name, value, "a table of strings");
        return None;
    };
    let pairs = table.iter().filter_map(|(key, value)| {
        text(sink, key.get_ref(), value).map(|text| (key.get_ref().to_string(), text))
    });
    Some(pairs.collect())
}
