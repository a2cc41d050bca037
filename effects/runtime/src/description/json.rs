//! JSON with bounded depth, objects in their order, and no key twice.

use super::DescriptionError;
use crate::limits;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A JSON value. Numbers are finite.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Longest value shown in a message.
const SHOWN_CHARS_MAX: usize = 40;

impl Json {
    /// Reads a whole document.
    pub(super) fn read(text: &str) -> Result<Self, DescriptionError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let document = Level(0).deserialize(&mut deserializer);
        document
            .and_then(|document| deserializer.end().map(|()| document))
            .map_err(|error| DescriptionError::NotJson { reason: error.to_string() })
    }

    /// The number, if it is a whole one in `min..=max`. `1.0` is whole, as in JSON schema.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    pub(super) fn integer(&self, min: u32, max: u32) -> Option<u32> {
        let Self::Number(number) = *self else { return None };
        let is_right = number.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(&number);
        is_right.then_some(number as u32)
    }

    /// The value in a message: on one line, bounded, without control characters.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) if text.is_empty() => "empty".to_owned(),
            Self::Text(text) => quoted(text),
            Self::List(list) if list.is_empty() => "an empty list".to_owned(),
            Self::List(list) if list.iter().all(|value| matches!(value, Self::Number(_))) => {
                let numbers: Vec<_> = list.iter().take(4).map(Self::shown).collect();
                let rest = if list.len() > numbers.len() { ", ..." } else { "" };
                format!("[{}{rest}]", numbers.join(", "))
            }
            Self::List(list) => format!("a list of {}", list.len()),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

/// Somebody's text in a message: quoted, escaped, bounded.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().count() > SHOWN_CHARS_MAX {
        shown.push_str("...");
    }
    format!("\"{shown}\"")
}

/// A value inside this many objects and lists.
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Level {
    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.0 == limits::DESCRIPTION_DEPTH_MAX {
            let max = limits::DESCRIPTION_DEPTH_MAX;
            return Err(E::custom(format!("more than {max} levels of objects and lists")));
        }
        Ok(self.0 + 1)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json, A::Error> {
        let depth = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) = values.next_element_seed(Level(depth))? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let depth = self.deeper()?;
        let mut object: Vec<(String, Json)> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("duplicate key {}", quoted(&key))));
            }
            object.push((key, entries.next_value_seed(Level(depth))?));
        }
        Ok(Json::Object(object))
    }
}
