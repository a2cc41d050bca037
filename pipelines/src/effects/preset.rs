//! Presets of users: values of an effect in a file of their own.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use thiserror::Error;
use toml::Value;
use wavemill_core::descriptor::ParamValue;
use wavemill_runtime::{Description, Settings, SettingsError};

/// Largest file read: every parameter an effect may have, many times over.
const BYTES_MAX: u64 = 1 << 18;

/// A preset in a file: the effect it is for, and values.
#[derive(Clone, Debug, PartialEq)]
pub struct PresetFile {
    effect: String,
    values: BTreeMap<String, ParamValue>,
}

/// Why a preset cannot be used.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PresetError {
    /// The file cannot be read.
    #[error("preset \"{name}\" {reason}")]
    Unreadable {
        /// As written.
        name: String,
        /// One line.
        reason: String,
    },
    /// It is of another effect.
    #[error("preset \"{name}\" is of effect `{found}`, not of `{expected}`")]
    OtherEffect {
        /// As written.
        name: String,
        /// The identity in the file.
        found: String,
        /// That of the module.
        expected: String,
    },
    /// Values that the effect does not accept, or no preset of this name.
    #[error("{}", words(.0))]
    Settings(Vec<SettingsError>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<V> {
    effect: String,
    #[serde(default = "BTreeMap::new")]
    with: BTreeMap<String, V>,
}

fn words(errors: &[SettingsError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Whether a preset of this name is a file; else it is one of the module.
pub fn is_preset_file(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// The value of every parameter: what is given over the preset's over the defaults. A preset in a file is relative to
/// `folder`.
///
/// # Errors
/// When there is no such preset, or it does not suit the effect, or a value that is given does not.
pub fn settings(
    description: &Description,
    preset: Option<&str>,
    given: &BTreeMap<String, ParamValue>,
    folder: &Path,
) -> Result<Settings, PresetError> {
    let Some(name) = preset.filter(|name| is_preset_file(name)) else {
        return Settings::of(description, preset, given).map_err(PresetError::Settings);
    };
    let preset = PresetFile::read(&folder.join(name), name)?;
    preset.settings(description, name, given)
}

impl PresetFile {
    /// The values of an effect as they are.
    pub fn new(description: &Description, settings: &Settings) -> Self {
        let values = description.params.iter().filter_map(|param| {
            let value = settings.get(&param.key)?;
            let label = param.label_of(value).map(str::to_owned);
            Some((param.key.clone(), label.map_or(ParamValue::Number(value), ParamValue::Choice)))
        });
        Self { effect: description.id.clone(), values: values.collect() }
    }

    /// Its file.
    ///
    /// # Errors
    /// Never for what [`Self::new`] makes: those of the TOML library.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&Document { effect: self.effect.clone(), with: self.values.clone() })
    }

    fn read(path: &Path, name: &str) -> Result<Self, PresetError> {
        read(path).and_then(|text| Self::parse(&text)).map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "does not exist".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            PresetError::Unreadable { name: name.to_owned(), reason }
        })
    }

    fn parse(text: &str) -> io::Result<Self> {
        let document: Document<Value> = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            let message = error.message().trim().replace('\n', ", ");
            io::Error::other(format!("line {line}: {message}"))
        })?;
        let values = document.with.into_iter().map(|(key, value)| {
            let value = match value {
                Value::Float(number) => ParamValue::Number(number),
                Value::Integer(number) => ParamValue::Integer(number),
                Value::Boolean(is_on) => ParamValue::Bool(is_on),
                Value::String(word) => ParamValue::Choice(word),
                _ => return Err(io::Error::other(format!("`{key}` is not a number or a word"))),
            };
            Ok((key, value))
        });
        Ok(Self { effect: document.effect, values: values.collect::<io::Result<_>>()? })
    }

    fn settings(
        mut self,
        description: &Description,
        name: &str,
        given: &BTreeMap<String, ParamValue>,
    ) -> Result<Settings, PresetError> {
        if self.effect != description.id {
            return Err(PresetError::OtherEffect {
                name: name.to_owned(),
                found: self.effect,
                expected: description.id.clone(),
            });
        }
        self.values.extend(given.clone());
        Settings::of(description, None, &self.values).map_err(PresetError::Settings)
    }
}

fn read(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {BYTES_MAX} bytes")));
    }
    Ok(text)
}
