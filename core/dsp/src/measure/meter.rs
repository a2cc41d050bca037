//! What every group of measures is to the analyzer.

use super::spectrum::Shapes;
use super::stft::FrameBatch;
use crate::loudness::MonoMode;
use crate::music::RhythmOptions;
use wavemill_audio::{Block, PcmFormat, StreamSpec};

/// How a signal is to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// How its samples are stored, which says what full scale is.
    pub(crate) format: PcmFormat,
    /// How a mono file's loudness counts.
    pub(crate) mono: MonoMode,
    /// What is known of its tempo beforehand.
    pub(crate) rhythm: RhythmOptions,
}

/// What a meter takes besides samples; each level holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// Nothing.
    Samples,
    /// Short-time spectra, which all meters share.
    Spectra,
    /// What the spectra add up to, at the end.
    Shapes,
}

/// Measures a group of numbers, block by block. Results do not depend on how the signal was cut into
/// blocks. Samples are finite.
pub(crate) trait Meter: Sized {
    /// What it measures.
    type Report;

    /// What it takes besides samples.
    const NEEDS: Needs;

    /// Whether it measures where nobody says what to measure.
    const IS_USUAL: bool = true;

    /// A meter for a stream.
    fn new(spec: &StreamSpec, setup: Setup) -> Self;

    /// Takes further short-time spectra, before the block that completed them.
    fn push_spectra(&mut self, _frames: FrameBatch<'_>) {}

    /// Takes further frames of samples.
    fn push(&mut self, _block: &Block) {}

    /// Takes the spectra that reach beyond the end.
    fn push_last_spectra(&mut self, frames: FrameBatch<'_>) {
        self.push_spectra(frames);
    }

    /// What was measured.
    fn finish(self, shapes: &Shapes) -> Self::Report;
}
