//! The tables of keys: the one source of what a pipeline file may say.
//!
//! The walker ([`super::values`]) and the JSON schema ([`json_schema`](mod@super::json_schema)) both
//! read them.

use std::time::Duration;
use wavemill_core::limits;

/// [`limits::CHANNEL_COUNT_MAX`] as TOML counts.
#[expect(clippy::cast_possible_wrap, reason = "a count of channels is tiny")]
pub(super) const CHANNEL_COUNT_MAX: i64 = limits::CHANNEL_COUNT_MAX as i64;

/// A key of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// As it is written.
    pub(super) name: &'static str,
    /// What it sets; shown by editors.
    pub(super) summary: &'static str,
    /// What it takes.
    pub(super) kind: Kind,
    /// Whether it must be there.
    pub(super) required: bool,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number.
    Integer { min: i64, max: i64 },
    /// One or several whole numbers.
    Integers { min: i64, max: i64 },
    /// A finite number.
    Number { unit: &'static str, min: f64, max: f64 },
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
    Duration { min: Duration, max: Duration },
    /// One duration, or two with `..` between.
    DurationRange { min: Duration, max: Duration },
    /// `{ min, max }` of durations.
    DurationBounds { min: Duration, max: Duration },
    /// `{ min, max }` or `{ target, tolerance }` of numbers.
    Bounds { unit: &'static str, min: f64, max: f64 },
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
    pub(super) const fn required(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { name, summary, kind, required: true }
    }

    pub(super) const fn optional(name: &'static str, kind: Kind, summary: &'static str) -> Self {
        Self { name, summary, kind, required: false }
    }
}

/// The names of a section's keys.
pub(super) fn names(keys: &'static [Key]) -> impl Iterator<Item = &'static str> + Clone {
    keys.iter().map(|key| key.name)
}
