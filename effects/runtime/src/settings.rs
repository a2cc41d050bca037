//! The values of all parameters of an effect, from its defaults, a preset and what a user wrote.

use crate::description::json::quoted;
use crate::description::{Description, Param};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use thiserror::Error;
use wavemill_core::descriptor::{ParamError, ParamValue};
use wavemill_core::suggestion::nearest;

/// What is wrong with a user's settings.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SettingsError {
    /// A value that its parameter does not accept.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// A key the effect does not have.
    #[error("there is no parameter {}; {help}", quoted(.key))]
    UnknownParam {
        /// What was written.
        key: String,
        /// The nearest one, or all.
        help: String,
    },
    /// A parameter that cannot change while audio runs.
    #[error("`{key}` is not automatable; it can only be set before audio runs")]
    NotAutomatable {
        /// The parameter.
        key: String,
    },
    /// A preset the effect does not have.
    #[error("there is no preset {}; {help}", quoted(.name))]
    UnknownPreset {
        /// What was written.
        name: String,
        /// The nearest one, or all.
        help: String,
    },
}

/// Every parameter of a description with its value, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    values: Vec<Setting>,
}

#[derive(Clone, Debug, PartialEq)]
struct Setting {
    id: u32,
    key: String,
    value: f64,
}

impl Settings {
    /// The defaults, over them the preset's values, over them what the user gave.
    ///
    /// # Errors
    /// Every mistake, the preset's first, then in the order of the keys.
    pub fn of(
        description: &Description,
        preset: Option<&str>,
        given: &BTreeMap<String, ParamValue>,
    ) -> Result<Self, Vec<SettingsError>> {
        let mut settings = Self::defaults(description);
        let mut errors = Vec::new();
        if let Some(name) = preset {
            match description.preset(name) {
                Some(preset) => {
                    for (key, value) in &preset.values {
                        settings.set(key, *value);
                    }
                }
                None => errors.push(unknown_preset(description, name)),
            }
        }
        for (key, given) in given {
            let value = match description.param(key) {
                Some(param) => param.value_of(given).map_err(Into::into),
                None => Err(unknown_param(description, key)),
            };
            match value {
                Ok(value) => settings.set(key, value),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }

    /// The default of every parameter.
    pub fn defaults(description: &Description) -> Self {
        let setting =
            |param: &Param| Setting { id: param.id, key: param.key.clone(), value: param.default };
        Self { values: description.params.iter().map(setting).collect() }
    }

    /// Id and value of every parameter, in the order of the description.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, f64)> {
        self.values.iter().map(|setting| (setting.id, setting.value))
    }

    /// A parameter's value.
    pub fn get(&self, key: &str) -> Option<f64> {
        self.values.iter().find(|setting| setting.key == key).map(|setting| setting.value)
    }

    fn set(&mut self, key: &str, value: f64) {
        if let Some(setting) = self.values.iter_mut().find(|setting| setting.key == key) {
            setting.value = value;
        }
    }
}

/// As an object: key and value, in the order of the description.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.values.iter().map(|setting| (&setting.key, setting.value)))
    }
}

fn unknown_param(description: &Description, key: &str) -> SettingsError {
    let keys = description.params.iter().map(|param| param.key.as_str()).collect();
    SettingsError::UnknownParam { key: key.to_owned(), help: help(key, "parameter", keys) }
}

fn unknown_preset(description: &Description, name: &str) -> SettingsError {
    let names = description.presets.iter().map(|preset| preset.name.as_str()).collect();
    SettingsError::UnknownPreset { name: name.to_owned(), help: help(name, "preset", names) }
}

/// Most names listed where none is like the one that was typed.
const LISTED_MAX: usize = 16;

fn help(typed: &str, what: &str, names: Vec<&str>) -> String {
    if names.is_empty() {
        return format!("the effect has no {what}s");
    }
    if let Some(name) = nearest(typed, names.iter().copied()) {
        return format!("did you mean `{name}`?");
    }
    let rest = if names.len() > LISTED_MAX { ", ..." } else { "" };
    let listed: Vec<_> = names.into_iter().take(LISTED_MAX).collect();
    format!("the {what}s are {}{rest}", listed.join(", "))
}
