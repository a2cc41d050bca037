//! Peaks of a spectrum that stand out against their neighborhood.
//!
//! A tone is a narrow peak; a drum stroke or noise raises everything around too. So a peak counts by
//! its magnitude over the mean of the neighborhood, which also makes soft instruments count beside
//! loud ones and the treble beside the bass (spectral whitening).
//!
//! Source of the interpolation: J. O. Smith, X. Serra, "PARSHL", ICMC 1987 (parabola through the
//! logarithms). Source of the whitening: M. Mauch, S. Dixon, "Approximate note transcription for
//! the improved identification of difficult chords", ISMIR 2010.

use super::spectra::SINE_MAGNITUDE;

/// A peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Peak {
    /// Its pitch as a MIDI note number with A4 at 440 Hz: 69 and semitones above.
    pub(super) pitch: f32,
    /// Its magnitude over that of the neighborhood.
    pub(super) ratio: f32,
}

/// Lowest frequency that is looked at: near E1, the lowest string of a bass guitar.
const HZ_MIN: f64 = 39.0;

/// Least ratio to the neighborhood. Peaks of noise seldom reach it.
const RATIO_MIN: f32 = 1.8;

/// A peak below this share of the frame's highest is left out: -55 dB.
const SHARE_MIN: f32 = 0.001_8;

/// Below it there is silence: -115 dB of full scale, so that music 30 dB down has the peaks it had. On rendered music
/// nothing changes from -105 dB on.
const MAGNITUDE_MIN: f32 = 1.8e-6 * SINE_MAGNITUDE;

/// Bins to each side that make the neighborhood, at least, and as a share of the bin's number: two
/// semitones.
const REACH_MIN: usize = 12;
const REACH_SHARE: f32 = 0.12;

/// Finds peaks.
#[derive(Clone, Debug)]
pub(super) struct PeakFinder {
    bin_hz: f64,
    first: usize,
    /// Sums of the magnitudes below each bin.
    sums: Vec<f32>,
    peaks: Vec<Peak>,
}

impl PeakFinder {
    pub(super) fn new(bin_hz: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
        let first = (HZ_MIN / bin_hz).ceil().max(2.0) as usize;
        Self { bin_hz, first, sums: Vec::new(), peaks: Vec::new() }
    }

    /// The peaks of a spectrum, from low to high.
    pub(super) fn find(&mut self, magnitudes: &[f32]) -> &[Peak] {
        self.peaks.clear();
        let highest = magnitudes.iter().skip(self.first).copied().fold(0.0, f32::max);
        let least = (highest * SHARE_MIN).max(MAGNITUDE_MIN);
        if highest < least {
            return &self.peaks;
        }
        self.sum_up(magnitudes);
        for (index, three) in magnitudes.windows(3).enumerate().skip(self.first - 1) {
            let &[before, peak, after] = three else { continue };
            if peak > before && peak >= after && peak >= least {
                self.take(index + 1, [before, peak, after]);
            }
        }
        &self.peaks
    }

    fn sum_up(&mut self, magnitudes: &[f32]) {
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        self.sums.extend(magnitudes.iter().map(|magnitude| {
            sum += magnitude;
            sum
        }));
    }

    /// The mean magnitude around a bin.
    fn neighborhood(&self, bin: usize) -> f32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
        let reach = ((bin as f32 * REACH_SHARE) as usize).max(REACH_MIN);
        let last = self.sums.len() - 1;
        let (start, end) = (bin.saturating_sub(reach), (bin + reach + 1).min(last));
        (self.sums[end] - self.sums[start]) / (end - start).max(1) as f32
    }

    fn take(&mut self, bin: usize, three: [f32; 3]) {
        let ratio = three[1] / self.neighborhood(bin).max(f32::MIN_POSITIVE);
        if ratio < RATIO_MIN {
            return;
        }
        let place = bin as f64 + f64::from(summit(three));
        let semitones = 12.0 * (place * self.bin_hz / 440.0).log2();
        #[expect(clippy::cast_possible_truncation, reason = "below 128")]
        let pitch = (69.0 + semitones) as f32;
        self.peaks.push(Peak { pitch, ratio });
    }
}

/// Where between its neighbors a peak is highest, from -0.5 to 0.5 bins.
fn summit(three: [f32; 3]) -> f32 {
    let [a, b, c] = three.map(|magnitude| magnitude.max(f32::MIN_POSITIVE).ln());
    let curve = a - 2.0 * b + c;
    if curve < 0.0 { (0.5 * (a - c) / curve).clamp(-0.5, 0.5) } else { 0.0 }
}
