//! Short-time power spectra of the low-rate mean.

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Time between frames: 86 a second, as librosa's usual 512 samples at 44.1 kHz.
const HOP_S: f64 = 512.0 / 44_100.0;

/// Length of a frame, before it is rounded to a power of two.
const FRAME_S: f64 = 2048.0 / 44_100.0;

/// Cuts a stream into frames and transforms them: periodic Hann windows, the first centered on the
/// first sample. Keeps the latest frame only.
#[derive(Clone)]
pub(crate) struct Spectra {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    hop: usize,
    rate_hz: f64,
    /// Samples that are still needed.
    samples: Vec<f32>,
    input: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
    powers: Vec<f32>,
    is_empty: bool,
}

impl Spectra {
    pub(crate) fn new(rate_hz: f64) -> Self {
        let length = rounded(FRAME_S * rate_hz / 1.4).max(16).next_power_of_two();
        let fft = RealFftPlanner::new().plan_fft_forward(length);
        let scale = 1.0 / length as f64;
        let hann = |index| scale * (0.5 - 0.5 * (TAU * index as f64 / length as f64).cos());
        #[expect(clippy::cast_possible_truncation, reason = "the transform is of f32")]
        let window = (0..length).map(|index| hann(index) as f32).collect();
        Self {
            window,
            hop: rounded(HOP_S * rate_hz).max(1),
            rate_hz,
            samples: vec![0.0; length / 2],
            input: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            powers: vec![0.0; length / 2 + 1],
            fft,
            is_empty: true,
        }
    }

    /// Time between the centers of frames.
    pub(crate) fn hop_s(&self) -> f64 {
        self.hop as f64 / self.rate_hz
    }

    /// Width of a bin.
    pub(crate) fn bin_hz(&self) -> f64 {
        self.rate_hz / self.window.len() as f64
    }

    /// Bins of a frame.
    pub(crate) fn bin_count(&self) -> usize {
        self.powers.len()
    }

    /// Takes samples away from `samples`; shows the power of each bin of the frames that they complete.
    pub(crate) fn push(&mut self, samples: &mut Vec<f32>, mut look: impl FnMut(&[f32])) {
        self.is_empty &= samples.is_empty();
        self.samples.append(samples);
        let mut start = 0;
        while start + self.window.len() <= self.samples.len() {
            self.transform(start);
            look(&self.powers);
            start += self.hop;
        }
        self.samples.drain(..start);
    }

    /// Ends the stream; shows the frames that reach beyond its end.
    pub(crate) fn finish(&mut self, look: impl FnMut(&[f32])) {
        if !self.is_empty {
            self.push(&mut vec![0.0; self.window.len() / 2], look);
        }
    }

    fn transform(&mut self, start: usize) {
        let samples = self.samples.get(start..).unwrap_or_default();
        for ((input, sample), window) in self.input.iter_mut().zip(samples).zip(&self.window) {
            *input = sample * window;
        }
        // Fails on wrong lengths only, and the buffers are the transform's own.
        let done =
            self.fft.process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch);
        for (power, bin) in self.powers.iter_mut().zip(&self.bins) {
            *power = if done.is_ok() { bin.re * bin.re + bin.im * bin.im } else { 0.0 };
        }
    }
}

impl std::fmt::Debug for Spectra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectra").field("hop", &self.hop).finish_non_exhaustive()
    }
}

/// A length in samples.
fn rounded(length: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let length = length.round().clamp(0.0, 1e9) as usize;
    length
}
