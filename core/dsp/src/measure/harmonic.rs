//! Distortion of tones, and what sounds steadily.

use super::meter::{Meter, Needs, Setup};
use super::percussion::Percussion;
use super::spectrum::Shapes;
use super::stft::FrameBatch;
use super::tone::ToneMeter;
use serde::{Deserialize, Serialize};
use wavemill_audio::{Block, StreamSpec};

/// How harmonic a whole file is. Fields are `None` where no value exists.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HarmonicReport {
    /// Total harmonic distortion of a test tone, as a share of its fundamental (`THD_F`): of the
    /// second to the tenth harmonic, those below half of the sample rate. In percent. `None` unless
    /// the file is one steady tone: its fundamental has half of the energy or more, what is no
    /// multiple of it a hundredth at most, and level (0.1 dB) and frequency stay. Of the channels'
    /// mean.
    pub thd_percent: Option<f64>,
    /// Energy of the harmonic part over that of the harmonic and the percussive part, 0 to 1: steady
    /// tones near 1, hits near 0, noise near 0.5. `None` for silence. Of the channels' mean.
    ///
    /// Source: D. Fitzgerald, "Harmonic/percussive separation using median filtering", 13th Conference on
    /// Digital Audio Effects, 2010;
    /// librosa 0.11, `decompose.hpss(stft(y, hop_length=1024), kernel_size=17)`.
    pub harmonic_ratio: Option<f64>,
}

/// Measures what is harmonic. Results do not depend on how the signal was cut into blocks, nor on the
/// machine's vectors.
#[derive(Clone, Debug)]
pub(crate) struct HarmonicMeter {
    tone: ToneMeter,
    percussion: Percussion,
}

impl Meter for HarmonicMeter {
    type Report = HarmonicReport;

    const NEEDS: Needs = Needs::Spectra;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        Self { tone: ToneMeter::new(spec.sample_rate.0), percussion: Percussion::new() }
    }

    fn push(&mut self, block: &Block) {
        self.tone.push(block);
    }

    fn push_spectra(&mut self, frames: FrameBatch<'_>) {
        self.percussion.push(frames);
    }

    fn finish(self, _shapes: &Shapes) -> HarmonicReport {
        HarmonicReport { thd_percent: self.tone.finish(), harmonic_ratio: self.percussion.finish() }
    }
}
