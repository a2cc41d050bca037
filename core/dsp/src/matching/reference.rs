//! The recording that another is brought towards.

use super::grid::OnGrid;
use super::long_term::{LongTermMeter, LongTermSpectrum};
use super::profile::within;
use crate::advice::Profile;
use crate::loudness::{LoudnessMeter, MonoMode};
use std::borrow::Cow;
use wavemill_audio::units::{Decibels, Lufs};
use wavemill_audio::{Block, StreamSpec};

/// What a recording is brought towards.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// Another recording.
    Recording(Box<Recording>),
    /// The ranges of a genre: only what lies outside of them changes, up to their nearer end.
    Profile(Box<Profile>),
}

impl Reference {
    /// The recording that a source is brought towards, of this loudness.
    pub(crate) fn of_source(
        &self,
        source: &LongTermSpectrum,
        loudness: Option<Lufs>,
    ) -> Cow<'_, Recording> {
        match self {
            Self::Recording(recording) => Cow::Borrowed(recording),
            Self::Profile(profile) => Cow::Owned(within(profile, source, loudness)),
        }
    }
}

/// What `match` has to know of a recording: about a kilobyte, whatever its length.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Levels of bands of a sixth of an octave every twelfth, dB of unknown reference; `None` where it has
    /// none.
    pub(super) levels: OnGrid<Option<f64>>,
    /// Integrated loudness; a mono file counts as one channel.
    pub(super) loudness: Lufs,
    /// Level of side over mid; `None` where it is not stereo.
    pub(super) side_to_mid: Option<Decibels>,
}

impl Recording {
    /// Its integrated loudness.
    pub(crate) fn loudness(&self) -> Lufs {
        self.loudness
    }
}

/// Measures a recording that others are brought towards. Results do not depend on how the signal was cut
/// into blocks. Not real-time.
#[derive(Debug)]
pub struct ReferenceMeter {
    spectrum: LongTermMeter,
    loudness: LoudnessMeter,
}

impl ReferenceMeter {
    /// A meter for a stream.
    pub fn new(spec: &StreamSpec) -> Self {
        Self {
            spectrum: LongTermMeter::new(spec),
            loudness: LoudnessMeter::new(spec, MonoMode::Single),
        }
    }

    /// Takes further frames.
    pub fn push(&mut self, block: &Block) {
        self.spectrum.push(block);
        self.loudness.push(block);
    }

    /// What was measured; `None` where it has no loudness: silent, shorter than 400 ms or below -70 LUFS.
    pub fn finish(self) -> Option<Reference> {
        let loudness = self.loudness.finish().integrated_lufs?;
        let spectrum = self.spectrum.finish();
        Some(Reference::Recording(Box::new(Recording {
            levels: spectrum.levels(None, 1.0),
            loudness,
            side_to_mid: spectrum.side_to_mid(None),
        })))
    }
}
