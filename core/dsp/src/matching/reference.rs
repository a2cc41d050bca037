//! The recording that another is brought towards.

use super::grid::OnGrid;
use super::long_term::LongTermMeter;
use crate::loudness::{LoudnessMeter, MonoMode};
use wavemill_audio::units::{Decibels, Lufs};
use wavemill_audio::{Block, StreamSpec};

/// What `match` has to know of a recording: about a kilobyte, whatever its length.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Levels of bands of a sixth of an octave every twelfth, dB of unknown reference; `None` where it has
    /// none.
    pub(super) levels: OnGrid<Option<f64>>,
    /// Integrated loudness; a mono file counts as one channel.
    loudness: Lufs,
    /// Level of side over mid; `None` where it is not stereo.
    pub(super) side_to_mid: Option<Decibels>,
}

impl Reference {
    /// Its integrated loudness.
    pub fn loudness(&self) -> Lufs {
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
        Some(Reference {
            levels: spectrum.levels(None, 1.0),
            loudness,
            side_to_mid: spectrum.side_to_mid(None),
        })
    }
}
