//! What a module says of itself: the JSON of `fx_describe`, checked whole before anything is believed.
//!
//! The text comes from strangers. Every rule of `effects/ABI.md`, "Description", is checked here, and a
//! mistake is one line that names the key.

pub(crate) mod json;
mod meter;
mod object;
mod param;
mod preset;

pub use meter::Meter;
pub use param::{Param, Scale};
pub use preset::Preset;

use crate::limits;
use json::Json;
use object::{Object, Words};
use serde::Serialize;
use thiserror::Error;

/// A checked description. Texts hold no control characters (the manual may hold line feeds and tabs).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Identity, for ever: `com.example.reverb`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Version of the effect, `1.2.3`.
    pub version: String,
    /// Minor version of the contract it was written for.
    pub abi_minor: u32,
    /// Fewest and most channels it takes. `(1, 1)` means one instance a channel.
    pub channels: (u32, u32),
    /// Sample rates in Hz it takes; empty means every one.
    pub sample_rates: Vec<u32>,
    /// One sentence: what it does; may be empty.
    pub summary: String,
    /// Limits, source of the algorithm; may be empty.
    pub manual: String,
    /// Whether files keep their length, and its tail is cut where they end.
    pub keep_length: bool,
    /// Its parameters, in the order a user should see.
    pub params: Vec<Param>,
    /// Its meters, in the order of their numbers; none for a module without `fx_meter`.
    pub meters: Vec<Meter>,
    /// Its presets, in the module's order.
    pub presets: Vec<Preset>,
    /// For people; may be empty.
    pub license: String,
    /// For people; may be empty.
    pub homepage: String,
}

/// What is wrong with a description.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DescriptionError {
    /// More bytes than allowed.
    #[error("the description has {bytes} bytes; at most {max} are allowed")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Bytes that are no text.
    #[error("the description is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Text that is no JSON, or JSON that is too deep or has a key twice.
    #[error("the description cannot be read as JSON: {reason}")]
    NotJson {
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A key that must be there.
    #[error("`{key}` is missing; it must be {expected}")]
    Missing {
        /// The key with its place: `params[2].max`.
        key: String,
        /// What would be right.
        expected: String,
    },
    /// A value that must be another.
    #[error("`{key}` is {found}; it must be {expected}")]
    Wrong {
        /// The key with its place.
        key: String,
        /// The value.
        found: String,
        /// What would be right.
        expected: String,
    },
}

impl Description {
    /// Reads and checks the bytes before the final zero byte.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn parse(json: &[u8]) -> Result<Self, DescriptionError> {
        if json.len() > limits::DESCRIPTION_BYTES_MAX {
            let max = limits::DESCRIPTION_BYTES_MAX;
            return Err(DescriptionError::TooLong { bytes: json.len(), max });
        }
        let text = std::str::from_utf8(json)
            .map_err(|error| DescriptionError::NotUtf8 { at: error.valid_up_to() })?;
        let document = Json::read(text)?;
        let object = Object::of(&document, String::new())?;
        let (params, presets) = (params(&object)?, object.get("presets"));
        let presets = presets.map_or(Ok(Vec::new()), |presets| preset::read(presets, &params))?;
        Ok(Self {
            id: object.needed_words("id", &ID)?,
            name: object.needed_words("name", &NAME)?,
            version: object.needed_words("version", &VERSION)?,
            abi_minor: abi_minor(&object)?,
            channels: channels(&object)?,
            sample_rates: sample_rates(&object)?,
            summary: object.words("summary", &Words::LINE)?.unwrap_or_default(),
            manual: object.words("manual", &Words::PARAGRAPHS)?.unwrap_or_default(),
            keep_length: object.truth("keep_length")?.unwrap_or(true),
            params,
            meters: meter::read(&object)?,
            presets,
            license: object.words("license", &Words::LINE)?.unwrap_or_default(),
            homepage: object.words("homepage", &Words::LINE)?.unwrap_or_default(),
        })
    }

    /// The parameter with this key.
    pub fn param(&self, key: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.key == key)
    }

    /// The preset of this name.
    pub fn preset(&self, name: &str) -> Option<&Preset> {
        self.presets.iter().find(|preset| preset.name == name)
    }
}

const ID: Words = Words {
    is_right: is_id,
    chars_max: limits::ID_CHARS_MAX,
    expected: "letters a-z, digits, `-` and `.`, neither of those two at the ends, as in `com.example.reverb`",
};

const NAME: Words = Words {
    is_right: object::is_filled_line,
    chars_max: limits::NAME_CHARS_MAX,
    expected: "text without control characters",
};

const VERSION: Words = Words {
    is_right: is_version,
    chars_max: limits::VERSION_CHARS_MAX,
    expected: "three numbers as in `1.2.3`, then perhaps `-beta`",
};

fn is_id(text: &str) -> bool {
    let is_inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    let is_outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| is_inner(*byte)) && is_outer(bytes.first()) && is_outer(bytes.last())
}

fn is_version(text: &str) -> bool {
    let (numbers, suffix) = match text.find(['-', '+']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b".+-".contains(&byte);
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && suffix.is_none_or(|suffix| !suffix.is_empty() && suffix.bytes().all(is_word))
}

fn abi_minor(object: &Object<'_>) -> Result<u32, DescriptionError> {
    let Some(abi) = object.get("abi") else { return Ok(0) };
    let abi = Object::of(abi, object.place("abi"))?;
    Ok(abi.integer("minor", 0, u32::MAX)?.unwrap_or(0))
}

fn channels(object: &Object<'_>) -> Result<(u32, u32), DescriptionError> {
    let expected = format!(
        "two whole numbers from 1 to {}, the smaller one first, as in `[1, 2]`",
        limits::CHANNEL_COUNT_MAX
    );
    let Some(value) = object.get("channels") else {
        return Err(object.missing("channels", &expected));
    };
    let count = |value: &Json| value.integer(1, limits::CHANNEL_COUNT_MAX);
    if let Json::List(list) = value
        && let [min, max] = &list[..]
        && let (Some(min), Some(max)) = (count(min), count(max))
        && min <= max
    {
        return Ok((min, max));
    }
    Err(object.wrong("channels", value, &expected))
}

fn sample_rates(object: &Object<'_>) -> Result<Vec<u32>, DescriptionError> {
    let (min, max) = (limits::SAMPLE_RATE_HZ_MIN, limits::SAMPLE_RATE_HZ_MAX);
    let list = object.list("sample_rates", 1, limits::SAMPLE_RATE_COUNT_MAX)?.unwrap_or_default();
    let rate = |(index, value): (usize, &Json)| {
        let key = format!("sample_rates[{index}]");
        let expected = format!("a whole number of Hz from {min} to {max}");
        value.integer(min, max).ok_or_else(|| object.wrong(&key, value, &expected))
    };
    list.iter().enumerate().map(rate).collect()
}

fn params(object: &Object<'_>) -> Result<Vec<Param>, DescriptionError> {
    let list = object.list("params", 0, limits::PARAM_COUNT_MAX)?.unwrap_or_default();
    let mut params: Vec<Param> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let param = Object::of(value, format!("params[{index}]"))?;
        let read = param::read(&param)?;
        if let Some(other) = params.iter().position(|other| other.id == read.id) {
            let expected = format!("unique; params[{other}] has it");
            return Err(param.wrong("id", &Json::Number(f64::from(read.id)), &expected));
        }
        if let Some(other) = params.iter().position(|other| other.key == read.key) {
            let expected = format!("unique; params[{other}] has it");
            return Err(param.wrong("key", &Json::Text(read.key), &expected));
        }
        params.push(read);
    }
    Ok(params)
}

#[cfg(test)]
mod tests;
