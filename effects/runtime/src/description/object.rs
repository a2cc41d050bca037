//! The keys of one object, read one by one with their rules.

use super::DescriptionError;
use super::json::{Json, quoted};

/// An object of the description and where it stands.
pub(super) struct Object<'a> {
    /// `params[2]`; empty for the whole document.
    place: String,
    entries: &'a [(String, Json)],
}

/// What a text must look like.
pub(super) struct Words {
    pub(super) is_right: fn(&str) -> bool,
    pub(super) chars_max: usize,
    /// Completes "it must be".
    pub(super) expected: &'static str,
}

impl Words {
    /// Any text on one line.
    pub(super) const LINE: Self = Self {
        is_right: is_line,
        chars_max: usize::MAX,
        expected: "text without line feeds and other control characters",
    };

    /// Any text.
    pub(super) const PARAGRAPHS: Self = Self {
        is_right: are_paragraphs,
        chars_max: usize::MAX,
        expected: "text without control characters other than line feeds and tabs",
    };

    /// Why `text` is not right: completes "it must be".
    fn complaint(&self, text: &str) -> Option<String> {
        if !(self.is_right)(text) {
            return Some(match self.chars_max {
                usize::MAX => self.expected.to_owned(),
                max => format!("1 to {max} characters: {}", self.expected),
            });
        }
        let is_long = text.chars().count() > self.chars_max;
        is_long.then(|| format!("at most {} characters long", self.chars_max))
    }
}

pub(super) fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

pub(super) fn is_filled_line(text: &str) -> bool {
    !text.is_empty() && is_line(text)
}

fn are_paragraphs(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() && !"\n\t".contains(character))
}

impl<'a> Object<'a> {
    /// The object that stands at `place`.
    pub(super) fn of(value: &'a Json, place: String) -> Result<Self, DescriptionError> {
        if let Json::Object(entries) = value {
            return Ok(Self { place, entries });
        }
        let key = if place.is_empty() { "the description".to_owned() } else { place };
        let expected = "an object `{ ... }`".to_owned();
        Err(DescriptionError::Wrong { key, found: value.shown(), expected })
    }

    /// Its entries in their order.
    pub(super) fn entries(&self) -> &'a [(String, Json)] {
        self.entries
    }

    /// Where a key of it stands.
    pub(super) fn place(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// A key's value.
    pub(super) fn get(&self, key: &str) -> Option<&'a Json> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The complaint about a key that is not there.
    pub(super) fn missing(&self, key: &str, expected: &str) -> DescriptionError {
        DescriptionError::Missing { key: self.place(key), expected: expected.to_owned() }
    }

    /// The complaint about a key's value.
    pub(super) fn wrong(&self, key: &str, value: &Json, expected: &str) -> DescriptionError {
        let (key, found) = (self.place(key), value.shown());
        DescriptionError::Wrong { key, found, expected: expected.to_owned() }
    }

    /// A text that may be absent.
    pub(super) fn words(
        &self,
        key: &str,
        words: &Words,
    ) -> Result<Option<String>, DescriptionError> {
        self.get(key).map(|value| self.checked_words(key, value, words)).transpose()
    }

    /// A text at a key's place.
    pub(super) fn checked_words(
        &self,
        key: &str,
        value: &Json,
        words: &Words,
    ) -> Result<String, DescriptionError> {
        let Json::Text(text) = value else { return Err(self.wrong(key, value, words.expected)) };
        match words.complaint(text) {
            Some(expected) => Err(self.wrong(key, value, &expected)),
            None => Ok(text.clone()),
        }
    }

    /// A text that must be there.
    pub(super) fn needed_words(
        &self,
        key: &str,
        words: &Words,
    ) -> Result<String, DescriptionError> {
        self.words(key, words)?.ok_or_else(|| self.missing(key, words.expected))
    }

    /// A whole number that may be absent.
    pub(super) fn integer(
        &self,
        key: &str,
        min: u32,
        max: u32,
    ) -> Result<Option<u32>, DescriptionError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let expected = || format!("a whole number from {min} to {max}");
        value.integer(min, max).map(Some).ok_or_else(|| self.wrong(key, value, &expected()))
    }

    /// A number that must be there.
    pub(super) fn number(&self, key: &str) -> Result<f64, DescriptionError> {
        match self.get(key) {
            None => Err(self.missing(key, "a number")),
            Some(Json::Number(number)) => Ok(*number),
            Some(value) => Err(self.wrong(key, value, "a number")),
        }
    }

    /// A list of `min` to `max` values that may be absent.
    pub(super) fn list(
        &self,
        key: &str,
        min: usize,
        max: usize,
    ) -> Result<Option<&'a [Json]>, DescriptionError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value {
            Json::List(list) if (min..=max).contains(&list.len()) => Ok(Some(list)),
            _ => Err(self.wrong(key, value, &format!("a list of {min} to {max} values"))),
        }
    }

    /// `true` or `false`, which may be absent.
    pub(super) fn truth(&self, key: &str) -> Result<Option<bool>, DescriptionError> {
        match self.get(key) {
            None => Ok(None),
            Some(Json::Bool(truth)) => Ok(Some(*truth)),
            Some(value) => Err(self.wrong(key, value, "true or false")),
        }
    }

    /// One of some words, which may be absent.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, DescriptionError> {
        self.get(key).map(|value| self.chosen(key, value, choices)).transpose()
    }

    /// One of some words, at a key's place.
    pub(super) fn chosen<T: Copy>(
        &self,
        key: &str,
        value: &Json,
        choices: &[(&str, T)],
    ) -> Result<T, DescriptionError> {
        let chosen = match value {
            Json::Text(text) => choices.iter().find(|(word, _)| word == text),
            _ => None,
        };
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| quoted(word)).collect();
            self.wrong(key, value, &words.join(" or "))
        })
    }
}
