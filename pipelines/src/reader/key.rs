//! The tables of keys: the one source of what a file may say. The reader and the JSON schema both read them.

use std::time::Duration;
use wavemill_core::limits;

/// [`limits::CHANNEL_COUNT_MAX`] as TOML counts.
#[expect(clippy::cast_possible_wrap, reason = "a count of channels is tiny")]
pub(crate) const CHANNEL_COUNT_MAX: i64 = limits::CHANNEL_COUNT_MAX as i64;

/// A key of a section.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it sets; shown by editors.
    pub summary: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// One or several whole numbers.
    Integers {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A finite number.
    Number {
        /// As it is shown; empty for a bare number.
        unit: &'static str,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// True or false.
    Bool,
    /// Any text but the empty one.
    Text,
    /// One or several texts.
    Texts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One or several of these words.
    Words(&'static [&'static str]),
    /// A duration with its unit.
    Duration {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
    },
    /// One duration, or two with `..` between.
    DurationRange {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
    },
    /// `{ min, max }` of durations.
    DurationBounds {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
    },
    /// `{ min, max }` or `{ target, tolerance }` of numbers.
    Bounds {
        /// As it is shown; empty for a bare number.
        unit: &'static str,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// `{ any = "text" }`.
    TextMap,
    /// A table with keys of its own.
    Table(&'static [Key]),
    /// A list of such tables.
    Tables(&'static [Key]),
    /// The parameters of a step: checked against its descriptor.
    Params,
    /// Bits as a number or as a name.
    BitDepth,
}

impl Key {
    /// A key that must be there; `summary` says what it sets.
    pub const fn required(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { name, summary, kind, required: true }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { name, summary, kind, required: false }
    }
}

/// The format version, first in every document.
pub(crate) const VERSION_KEY: Key = Key::required(
    "version",
    Kind::Integer { min: i64::MIN, max: i64::MAX },
    "the format version: write version = 1 as the first line",
);

/// The names of a section's keys.
pub(crate) fn names(keys: &'static [Key]) -> impl Iterator<Item = &'static str> + Clone {
    keys.iter().map(|key| key.name)
}
