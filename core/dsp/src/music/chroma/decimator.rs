//! A signal at a lower rate.
//!
//! Two low-pass filters, each followed by leaving out samples. What lies above half of the new rate
//! comes back mirrored; the filters only keep it out of what is looked at, up to [`KEPT_HZ`], which
//! lets them be short.
//!
//! Source of the window: F. J. Harris, "On the use of windows for harmonic analysis with the
//! discrete Fourier transform", Proc. IEEE 66 (1), 1978 (Blackman).

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use std::f64::consts::PI;
use wavemill_audio::Vectors;

/// The lowest rate a signal is brought to; it may be half as high again at low rates.
pub(crate) const ANALYSIS_RATE_HZ: f64 = 5_300.0;

/// Highest frequency that is looked at: the third harmonic of a high singing voice.
pub(super) const KEPT_HZ: f64 = 2_000.0;

/// Numbers added side by side, so that a machine can use its vectors.
const SUMS: usize = 8;

/// Both steps.
#[derive(Clone, Debug)]
pub(super) struct Decimator {
    first: Step,
    second: Step,
    between: Vec<f32>,
    rate_hz: f64,
}

impl Decimator {
    pub(super) fn new(rate_hz: f64) -> Self {
        let factor = (rate_hz / (2.0 * ANALYSIS_RATE_HZ)).floor().max(1.0);
        let second = (rate_hz / factor / ANALYSIS_RATE_HZ).floor().max(1.0);
        Self {
            first: Step::new(rate_hz, factor),
            second: Step::new(rate_hz / factor, second),
            between: Vec::new(),
            rate_hz: rate_hz / factor / second,
        }
    }

    /// Samples per second that come out.
    pub(super) fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Takes further samples; appends those of the lower rate to `output`.
    pub(super) fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) {
        self.between.clear();
        self.first.push(samples, &mut self.between);
        self.second.push(&self.between, output);
    }
}

/// One filter, and every how manieth of its samples is kept.
#[derive(Clone, Debug)]
struct Step {
    taps: Vec<[f32; SUMS]>,
    factor: usize,
    is_wide: bool,
    /// What later results need yet.
    pending: Vec<f32>,
}

impl Step {
    fn new(rate_hz: f64, factor: f64) -> Self {
        let taps = low_pass(rate_hz, factor);
        // The first result is centered on the first sample.
        let pending = vec![0.0; taps.len() * SUMS / 2];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2^32")]
        let factor = factor as usize;
        Self { taps, factor, is_wide: Vectors::of_machine().are_wide(), pending }
    }

    fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) {
        if self.factor == 1 {
            output.extend_from_slice(samples);
            return;
        }
        self.pending.extend_from_slice(samples);
        let start = self.filter(output);
        let rest = self.pending.len().saturating_sub(start);
        let start = start.min(self.pending.len());
        self.pending.copy_within(start.., 0);
        self.pending.truncate(rest);
    }

    /// Appends the results that what is pending suffices for. Where the next one begins. The result
    /// is the same with any width of vectors.
    fn filter(&self, output: &mut Vec<f32>) -> usize {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide {
            // SAFETY: `is_wide` says that this machine has AVX2.
            return unsafe { self.filter_avx2(output) };
        }
        self.filter_plainly(output)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn filter_avx2(&self, output: &mut Vec<f32>) -> usize {
        self.filter_plainly(output)
    }

    #[inline(always)]
    fn filter_plainly(&self, output: &mut Vec<f32>) -> usize {
        let length = self.taps.len() * SUMS;
        let mut start = 0;
        while let Some(part) = self.pending.get(start..start + length) {
            output.push(filtered(&self.taps, part));
            start += self.factor;
        }
        start
    }
}

/// The sum of products. In `f32`: some dozen products lose nothing that a peak would miss.
#[inline(always)]
fn filtered(taps: &[[f32; SUMS]], samples: &[f32]) -> f32 {
    let mut sums = [0.0; SUMS];
    for (taps, samples) in taps.iter().zip(samples.chunks_exact(SUMS)) {
        for ((sum, tap), sample) in sums.iter_mut().zip(taps).zip(samples) {
            *sum += tap * sample;
        }
    }
    // In pairs, which do not wait for one another.
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// A windowed sinc that lets [`KEPT_HZ`] pass and stops what would be mirrored onto it.
fn low_pass(rate_hz: f64, factor: f64) -> Vec<[f32; SUMS]> {
    let stop_hz = rate_hz / factor - KEPT_HZ;
    let cutoff = KEPT_HZ.midpoint(stop_hz) / rate_hz;
    // A Blackman window's transition is 5.5 bins wide, from one end to the other.
    let length = 5.5 / ((stop_hz - KEPT_HZ).max(500.0) / rate_hz);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let rows = (length / SUMS as f64).ceil().clamp(1.0, 512.0) as usize;
    let count = (rows * SUMS) as f64;
    let tap = |index: usize| {
        let place = index as f64 + 0.5;
        let x = place - count / 2.0;
        let sinc = (2.0 * PI * cutoff * x).sin() / (PI * x);
        let angle = 2.0 * PI * place / count;
        sinc * (0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos())
    };
    let sum: f64 = (0..rows * SUMS).map(tap).sum();
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    let scaled = |index: usize| (tap(index) / sum) as f32;
    (0..rows).map(|row| std::array::from_fn(|sum| scaled(row * SUMS + sum))).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "short signals")]

    use super::*;

    /// Root mean square of a sine of amplitude one, once decimated.
    fn level(rate_hz: f64, hz: f64) -> f64 {
        let mut decimator = Decimator::new(rate_hz);
        let sine = |n: usize| (2.0 * PI * hz * n as f64 / rate_hz).sin() as f32;
        let samples: Vec<f32> = (0..rate_hz as usize).map(sine).collect();
        let mut output = Vec::new();
        decimator.push(&samples, &mut output);
        let middle = &output[200..output.len() - 200];
        let sum: f64 = middle.iter().map(|&x| f64::from(x).powi(2)).sum();
        (sum / middle.len() as f64).sqrt()
    }

    #[test]
    fn kept_tones_pass_and_mirrored_ones_do_not() {
        for rate_hz in [44_100.0, 48_000.0, 96_000.0, 192_000.0, 22_050.0] {
            assert!(level(rate_hz, 440.0) > 0.69, "{rate_hz} Hz");
            assert!(level(rate_hz, 1_900.0) > 0.5, "{rate_hz} Hz");
            let mirrored_hz = Decimator::new(rate_hz).rate_hz() - 1_000.0;
            assert!(level(rate_hz, mirrored_hz) < 0.003, "{rate_hz} Hz: {mirrored_hz} Hz");
        }
    }

    #[test]
    fn result_does_not_depend_on_the_block_size() {
        let samples: Vec<f32> = (0..10_000).map(|n| ((n * n) as f32 * 1e-3).sin()).collect();
        let mut whole = Vec::new();
        Decimator::new(44_100.0).push(&samples, &mut whole);
        for size in [1, 7, 4_096] {
            let (mut decimator, mut output) = (Decimator::new(44_100.0), Vec::new());
            samples.chunks(size).for_each(|block| decimator.push(block, &mut output));
            assert_eq!(output, whole);
        }
    }
}
