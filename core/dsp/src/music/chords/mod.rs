//! Chords: which, from when to when.
//!
//! Every frame's pitch class profiles speak for each chord by a [model] of one weight for each
//! pitch class above the root, in the bass and in the treble, trained on rendered music and the same
//! for every root. The most likely [path] through all frames, with changes costing something,
//! is the chords.

mod chord;
mod emission;
mod lab;
mod meter;
mod model;
mod path;
mod quality;

pub use chord::Chord;
pub(crate) use chord::Span;
pub use lab::write_lab;
pub(crate) use meter::ChordMeter;
pub(crate) use path::spans;
pub(crate) use quality::Quality;
