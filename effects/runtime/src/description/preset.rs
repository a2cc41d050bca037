//! Settings with a name.

use super::json::{Json, quoted};
use super::object::{Object, is_filled_line};
use super::param::shown;
use super::{DescriptionError, Param};
use crate::limits;
use serde::Serialize;
use std::collections::BTreeMap;
use wavemill_core::descriptor::ParamValue;

/// Settings with a name; parameters it does not name keep their defaults.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Parameter key and value, checked and rounded as a user's would be.
    pub values: BTreeMap<String, f64>,
}

/// Reads all presets, whose values must suit `params`.
pub(super) fn read(value: &Json, params: &[Param]) -> Result<Vec<Preset>, DescriptionError> {
    let presets = Object::of(value, "presets".to_owned())?;
    if presets.entries().len() > limits::PRESET_COUNT_MAX {
        let found = format!("an object of {} presets", presets.entries().len());
        let expected = format!("at most {} presets", limits::PRESET_COUNT_MAX);
        return Err(DescriptionError::Wrong { key: "presets".to_owned(), found, expected });
    }
    presets.entries().iter().map(|(name, value)| preset(name, value, params)).collect()
}

fn preset(name: &str, value: &Json, params: &[Param]) -> Result<Preset, DescriptionError> {
    if !is_filled_line(name) || name.chars().count() > limits::NAME_CHARS_MAX {
        let expected =
            format!("1 to {} characters: text without control characters", limits::NAME_CHARS_MAX);
        let (key, found) = ("the name of a preset".to_owned(), quoted(name));
        return Err(DescriptionError::Wrong { key, found, expected });
    }
    let object = Object::of(value, format!("presets.{}", quoted(name)))?;
    let mut values = BTreeMap::new();
    for (key, value) in object.entries() {
        let place = object.place(&quoted(key));
        let Some(param) = params.iter().find(|param| param.key == *key) else {
            let (found, expected) = ("no parameter", "the `key` of one of the `params`");
            let (found, expected) = (found.to_owned(), expected.to_owned());
            return Err(DescriptionError::Wrong { key: place, found, expected });
        };
        let given = given(value).ok_or_else(|| object.wrong(key, value, &param.expected()))?;
        let value = param.value_of(&given);
        let value = value.map_err(|_| DescriptionError::Wrong {
            key: place,
            found: shown(&given),
            expected: param.expected(),
        })?;
        values.insert(key.clone(), value);
    }
    Ok(Preset { name: name.to_owned(), values })
}

fn given(value: &Json) -> Option<ParamValue> {
    match value {
        Json::Bool(value) => Some(ParamValue::Bool(*value)),
        Json::Number(value) => Some(ParamValue::Number(*value)),
        Json::Text(text) => Some(ParamValue::Choice(text.clone())),
        _ => None,
    }
}
