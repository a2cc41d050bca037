//! Tempo, beats and downbeats.
//!
//! The channels' mean goes to a low rate ([`downsample`]), its short-time spectra ([`spectra`]) to powers
//! of bands and tones ([`bands`]), and, when a stretch is whole, on to how much begins when
//! ([`onset_strength`]), the period that repeats ([`pulse`]), the beats of that pulse ([`beat_tracker`],
//! [`grid`]), all tempi that are simple multiples of it ([`candidate`]), each with what begins where on
//! its beats ([`lattice`], [`harmony`]), where the bar begins ([`bar_position`]), which of them
//! musicians would write ([`level`]), and whether there is a pulse at all ([`clarity`]).

mod analysis;
mod bands;
mod bar_position;
mod beat_tracker;
mod candidate;
mod clarity;
mod downsample;
mod grid;
mod harmony;
mod lattice;
mod level;
mod meter;
mod number;
mod onset_strength;
mod options;
mod pulse;
mod report;
mod spectra;
mod steadiness;
mod stretch;
mod templates;
mod trees;

pub(crate) use meter::RhythmMeter;
pub use options::{RhythmOptions, TempoPrior};
pub use report::{RhythmReport, TempoAlternative};

#[cfg(test)]
mod features;
#[cfg(test)]
mod tests;
