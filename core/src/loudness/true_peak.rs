//! Peaks between the samples.
//!
//! Samples are looked at in chunks at fixed places of the stream, so that nothing depends on how it
//! was cut into blocks. Most chunks are too soft to hold a new peak and are passed over.

use super::interpolation::{Interpolator, hann_sinc, kaiser_sinc};
use super::vectors::has_wide_vectors;
use crate::units::SampleRate;

/// Frames looked at together: enough to fill vector registers, few enough that a loud sample makes
/// few others be interpolated.
pub(super) const CHUNK_FRAMES: usize = 64;

/// Frames that are finely interpolated together.
const GROUP_FRAMES: usize = 8;

/// Samples around a frame that the longest filter needs, the frame's own included.
const SPAN: usize = PRECISE_TAPS;

/// Samples that a chunk's interpolation needs.
pub(super) const WINDOW: usize = SPAN - 1 + CHUNK_FRAMES;

/// Samples of the window before the first frame that is looked at: the filters are symmetric.
const LEAD: usize = SPAN / 2 - 1;

/// Taps of a phase of the standard measure: 48 in all at 4 times. Source: see [`TruePeak`].
const STANDARD_TAPS_ALL: usize = 48;

/// Interpolation of the precise measure, and taps of each of its phases: the error on sines up to
/// 0.45 of the sample rate stays below 0.03 dB.
const PRECISE_FACTOR: usize = 16;
const PRECISE_TAPS: usize = 64;

/// Shape of the precise filter's window: 100 dB of rejection from 0.55 of the sample rate on.
/// Source: J. F. Kaiser, Nonrecursive digital filter design using the I0-sinh window function, 1974.
const PRECISE_BETA: f64 = 10.06;

/// Factor by which the truth may exceed the largest 4 times interpolated value around it, 1.5 dB:
/// 0.69 dB between values at that distance (1 / cos(pi / 8), for any band-limited signal), 0.43 dB by
/// which the short filter falls short at 0.45 of the sample rate, and some room.
const PRECISE_MARGIN: f32 = 1.1885;

/// Rounding of a sum of products in `f32` stays far below this share.
const ROUNDING_MARGIN: f32 = 1.0001;

/// The peaks of a stream, as amplitudes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Peaks {
    /// Largest absolute sample.
    pub(super) sample: f32,
    /// Largest value of the standard's interpolation.
    pub(super) standard: f32,
    /// Largest value of the fine interpolation.
    pub(super) precise: f32,
}

/// Finds the largest sample and the largest interpolated values of all channels.
///
/// The standard measure oversamples 4 times below 96 kHz, twice below 192 kHz and not at all above,
/// where the samples are close enough; the precise one 16 times at all rates, with a parabola through
/// the largest values.
///
/// Source: ITU-R BS.1770-5, Annex 2; the standard measure's filter (a sinc of 48 taps under a Hann
/// window) is that of `libebur128`, so that values agree with the meters built on it.
#[derive(Clone, Debug)]
pub(super) struct TruePeak {
    standard: Interpolator,
    /// What tells the precise measure where to look: 4 times at all rates.
    coarse: Interpolator,
    precise: Interpolator,
    /// Largest factor by which an interpolated value can exceed the samples it is made of.
    overshoot_max: f32,
    windows: Vec<Window>,
    peaks: Peaks,
    is_wide: bool,
}

/// A channel's latest samples.
#[derive(Clone, Debug)]
struct Window {
    samples: [f32; WINDOW],
    /// Samples of the current chunk that are there.
    filled: usize,
}

impl TruePeak {
    pub(super) fn new(rate: SampleRate, channel_count: usize) -> Self {
        let factor = match rate.0 {
            ..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        let of = |factor| Interpolator::new(factor, STANDARD_TAPS_ALL / factor, hann_sinc);
        let precise = Interpolator::new(PRECISE_FACTOR, PRECISE_TAPS, |distance, half| {
            kaiser_sinc(distance, half, PRECISE_BETA)
        });
        let (standard, coarse) = (of(factor), of(4));
        let overshoot_max = standard.overshoot_max().max(coarse.overshoot_max() * PRECISE_MARGIN);
        let empty = Window { samples: [0.0; WINDOW], filled: 0 };
        Self {
            standard,
            coarse,
            precise,
            overshoot_max: overshoot_max * ROUNDING_MARGIN,
            windows: vec![empty; channel_count],
            peaks: Peaks::default(),
            is_wide: has_wide_vectors(),
        }
    }

    /// Looks at further samples of one channel.
    pub(super) fn push(&mut self, channel: usize, mut plane: &[f32]) {
        while !plane.is_empty() {
            let window = &mut self.windows[channel];
            let count = (CHUNK_FRAMES - window.filled).min(plane.len());
            let (now, later) = plane.split_at(count);
            window.samples[SPAN - 1 + window.filled..][..count].copy_from_slice(now);
            window.filled += count;
            plane = later;
            if window.filled == CHUNK_FRAMES {
                window.filled = 0;
                self.look_at(channel);
                self.windows[channel].samples.copy_within(CHUNK_FRAMES.., 0);
            }
        }
    }

    fn look_at(&mut self, channel: usize) {
        let samples = &self.windows[channel].samples;
        let largest = largest_of(samples);
        // What the chunk has in common with the next one is counted twice, which changes no maximum.
        let peaks = &mut self.peaks;
        peaks.sample = peaks.sample.max(largest);
        peaks.standard = peaks.standard.max(largest);
        peaks.precise = peaks.precise.max(largest);
        if largest * self.overshoot_max <= peaks.standard.min(peaks.precise) {
            return;
        }
        let largest = self.standard.largest(samples, LEAD, self.is_wide);
        peaks.standard = largest.iter().fold(peaks.standard, |a, &b| a.max(b));
        let bounds = self.coarse.bounds(samples, LEAD, self.is_wide);
        for first in (0..CHUNK_FRAMES).step_by(GROUP_FRAMES) {
            let bound = bounds[first..][..GROUP_FRAMES].iter().fold(0.0f32, |a, &b| a.max(b));
            if bound > peaks.precise {
                let finest = self.precise.peak::<GROUP_FRAMES>(samples, LEAD + first, self.is_wide);
                peaks.precise = peaks.precise.max(finest);
            }
        }
    }

    /// Lets silence follow, so that the last samples pass the whole filter; then the peaks.
    pub(super) fn finish(mut self) -> Peaks {
        for channel in 0..self.windows.len() {
            self.push(channel, &[0.0; WINDOW]);
        }
        self.peaks
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn noise(count: u16) -> Vec<f32> {
        let mut state = 1u32;
        (0..count)
            .map(|frame| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5;
                noise * f32::from(frame % 5000) / 5000.0
            })
            .collect()
    }

    fn peaks_of(rate: u32, plane: &[f32], block_frames: usize) -> Peaks {
        let mut meter = TruePeak::new(SampleRate(rate), 1);
        plane.chunks(block_frames).for_each(|block| meter.push(0, block));
        meter.finish()
    }

    #[test]
    fn skipping_quiet_runs_changes_no_standard_peak() {
        let plane = noise(60_000);
        for rate in [SampleRate(44_100), SampleRate(96_000), SampleRate(192_000)] {
            let mut skipping = TruePeak::new(rate, 1);
            let mut thorough = TruePeak::new(rate, 1);
            thorough.overshoot_max = f32::INFINITY;
            skipping.push(0, &plane);
            thorough.push(0, &plane);
            assert_eq!(skipping.finish(), thorough.finish());
        }
    }

    #[test]
    fn peaks_do_not_depend_on_the_cut() {
        let plane = noise(10_000);
        let whole = peaks_of(48_000, &plane, plane.len());
        for block_frames in [1, 7, 64, 333] {
            assert_eq!(peaks_of(48_000, &plane, block_frames), whole);
        }
    }

    #[test]
    fn vectors_of_any_width_give_the_same_peaks() {
        let plane = noise(10_000);
        let mut narrow = TruePeak::new(SampleRate(48_000), 1);
        narrow.is_wide = false;
        narrow.push(0, &plane);
        assert_eq!(narrow.finish(), peaks_of(48_000, &plane, plane.len()));
    }

    /// EBU Tech 3341 allows a meter +0.2 and -0.4 dB; the precise measure promises 0.03 dB.
    #[test]
    fn precise_peak_of_sines_is_within_0_03_db_at_every_phase_up_to_0_45_of_the_rate() {
        const PRECISE_DB: f64 = 0.03;
        for step in 1..=45 {
            let frequency = f64::from(step) / 100.0;
            for phase in 0..12 {
                let phase = PI * f64::from(phase) / 12.0;
                // Faded in and out: the onset of a sine is no sine.
                let plane: Vec<f32> = (0..1200)
                    .map(|frame| {
                        let frame = f64::from(frame);
                        let fade = (frame / 500.0).min((1200.0 - frame) / 500.0).min(1.0);
                        let window = 0.5 - 0.5 * (PI * fade).cos();
                        let sample = 0.5 * window * (2.0 * PI * frequency * frame + phase).sin();
                        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                        let sample = sample as f32;
                        sample
                    })
                    .collect();
                let peak = peaks_of(48_000, &plane, 64).precise;
                let error_db = 20.0 * (f64::from(peak) / 0.5).ln() / 10f64.ln();
                assert!(error_db.abs() < PRECISE_DB, "{frequency} {phase}: {error_db} dB");
            }
        }
    }
}
