//! A chord that sounds for a time.

use super::quality::Quality;
use serde::{Deserialize, Serialize};

/// Roots as they are written, from C on.
const ROOTS: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// A chord of a recording.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chord {
    /// When it begins, in seconds.
    pub start_s: f64,
    /// When it ends.
    pub end_s: f64,
    /// Root and quality, such as `A:min7`, or `N` where there is no chord.
    ///
    /// Source: C. Harte et al., "Symbolic representation of musical chords", ISMIR 2005.
    pub label: String,
}

/// A root and a quality; where there is none, no chord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Harmony {
    /// Its root, semitones above C.
    pub root: usize,
    /// Its kind.
    pub quality: Quality,
}

impl Harmony {
    /// Its label.
    pub(crate) fn label(self) -> String {
        format!("{}:{}", ROOTS[self.root % ROOTS.len()], self.quality.shorthand())
    }
}

/// A harmony that sounds for some frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    /// First frame, and the first no longer in it.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// None where there is no chord.
    pub(crate) harmony: Option<Harmony>,
}

impl Span {
    /// Frames in it.
    pub(crate) fn length(&self) -> usize {
        self.end - self.start
    }
}
