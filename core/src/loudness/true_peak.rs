//! Peaks between the samples.

use crate::units::SampleRate;
use std::f64::consts::PI;

/// Coefficients of the interpolation filter, all phases together.
const TAP_COUNT: usize = 48;

/// Frames looked at together: enough to fill vector registers, few enough that a loud sample makes
/// few others be interpolated.
const CHUNK_FRAMES: usize = 64;

/// Most frames of the past that a phase needs: those of two phases.
const HISTORY_FRAMES_MAX: usize = TAP_COUNT / 2 - 1;

/// Rounding of a sum of 48 products in `f32` stays far below this share.
const ROUNDING_MARGIN: f32 = 1.0001;

/// Finds the largest sample and the largest interpolated value of all channels.
///
/// Oversamples 4 times below 96 kHz, twice below 192 kHz and not at all above, where the samples are
/// close enough. Runs of samples so small that no interpolated value can exceed the largest found so
/// far are not interpolated: the result is the same, at a fraction of the work. It does not depend on
/// how the signal was cut into blocks.
///
/// Source: ITU-R BS.1770-5, Annex 2; the filter (a sinc of 48 taps under a Hann window) is that of
/// `libebur128`, so that values agree with the meters built on it.
#[derive(Clone, Debug)]
pub(super) struct TruePeak {
    /// `[phase][tap]`, the newest sample first; the phase that falls on the samples is left out.
    phases: Vec<Vec<f32>>,
    /// Factor by which an interpolated value can exceed the samples it is made of.
    overshoot_max: f32,
    /// Past samples per channel, the oldest first.
    history: Vec<[f32; HISTORY_FRAMES_MAX]>,
    sample_peak: f32,
    interpolated_peak: f32,
}

impl TruePeak {
    pub(super) fn new(rate: SampleRate, channel_count: usize) -> Self {
        let factor = match rate.0 {
            ..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        let phases: Vec<Vec<f32>> = (1..factor).map(|phase| taps(factor, phase)).collect();
        let sum = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        let overshoot_max = phases.iter().map(sum).fold(1.0, f32::max) * ROUNDING_MARGIN;
        let history = vec![[0.0; HISTORY_FRAMES_MAX]; channel_count];
        Self { phases, overshoot_max, history, sample_peak: 0.0, interpolated_peak: 0.0 }
    }

    /// Looks at further samples of one channel.
    pub(super) fn push(&mut self, channel: usize, plane: &[f32]) {
        for chunk in plane.chunks(CHUNK_FRAMES) {
            // History, then the chunk, then zeros up to a fixed length.
            let mut samples = [0.0; HISTORY_FRAMES_MAX + CHUNK_FRAMES];
            let end = HISTORY_FRAMES_MAX + chunk.len();
            samples[..HISTORY_FRAMES_MAX].copy_from_slice(&self.history[channel]);
            samples[HISTORY_FRAMES_MAX..end].copy_from_slice(chunk);
            self.look_at(&samples, chunk.len());
            self.history[channel].copy_from_slice(&samples[end - HISTORY_FRAMES_MAX..end]);
        }
    }

    fn look_at(&mut self, samples: &[f32; HISTORY_FRAMES_MAX + CHUNK_FRAMES], count: usize) {
        let largest = largest_of(samples);
        // The history was counted when it was new.
        self.sample_peak = self.sample_peak.max(largest);
        self.interpolated_peak = self.interpolated_peak.max(largest);
        if largest * self.overshoot_max <= self.interpolated_peak {
            return;
        }
        for taps in &self.phases {
            let mut sums = [0.0f32; CHUNK_FRAMES];
            for (age, &tap) in taps.iter().enumerate() {
                let start = HISTORY_FRAMES_MAX - age;
                for (sum, sample) in sums.iter_mut().zip(&samples[start..start + CHUNK_FRAMES]) {
                    *sum += tap * sample;
                }
            }
            self.interpolated_peak =
                sums[..count].iter().fold(self.interpolated_peak, |a, b| a.max(b.abs()));
        }
    }

    /// Lets silence follow, so that the last samples pass the whole filter; then the largest sample
    /// and the largest value.
    pub(super) fn finish(mut self) -> (f64, f64) {
        for channel in 0..self.history.len() {
            self.push(channel, &[0.0; HISTORY_FRAMES_MAX]);
        }
        (self.sample_peak.into(), self.interpolated_peak.into())
    }
}

/// The largest magnitude, in lanes so that it vectorizes.
fn largest_of(samples: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut lanes = [0.0f32; LANES];
    let chunks = samples.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, sample) in lanes.iter_mut().zip(chunk) {
            // A comparison, because `f32::max` must look for NaN.
            *lane = if sample.abs() > *lane { sample.abs() } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(0.0, |largest, sample| largest.max(sample.abs()))
}

/// Coefficients of one phase.
fn taps(factor: usize, phase: usize) -> Vec<f32> {
    let tap = |index: usize| {
        let window = 0.5 * (1.0 - (2.0 * PI * index as f64 / TAP_COUNT as f64).cos());
        let distance = (index as f64 - TAP_COUNT as f64 / 2.0) * PI / factor as f64;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let tap = (window * distance.sin() / distance) as f32;
        tap
    };
    (phase..TAP_COUNT).step_by(factor).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_phase_left_out_lies_between_samples() {
        // The phase on the samples is a single 1.0 at the filter's center: all others divide by a
        // distance that is not zero.
        for (factor, count) in [(4, 3), (2, 1)] {
            let phases: Vec<Vec<f32>> = (1..factor).map(|phase| taps(factor, phase)).collect();
            assert_eq!(phases.len(), count);
            assert!(phases.iter().flatten().all(|tap| tap.is_finite()));
            assert!(phases.iter().all(|taps| taps.len() == TAP_COUNT / factor));
        }
    }

    #[test]
    fn every_phase_passes_a_constant() {
        for taps in [taps(4, 1), taps(4, 2), taps(4, 3), taps(2, 1)] {
            let sum: f32 = taps.iter().sum();
            assert!((sum - 1.0).abs() < 0.01, "{sum}");
        }
    }

    #[test]
    fn skipping_quiet_runs_changes_nothing() {
        let mut state = 1u32;
        let plane: Vec<f32> = (0..60_000)
            .map(|frame: u16| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5;
                noise * f32::from(frame % 5000) / 5000.0
            })
            .collect();
        for rate in [SampleRate(44_100), SampleRate(96_000), SampleRate(192_000)] {
            let mut skipping = TruePeak::new(rate, 1);
            let mut thorough = TruePeak::new(rate, 1);
            thorough.overshoot_max = f32::INFINITY;
            skipping.push(0, &plane);
            thorough.push(0, &plane);
            assert_eq!(skipping.finish(), thorough.finish());
        }
    }
}
