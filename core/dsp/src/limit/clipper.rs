//! Cuts off the tops of peaks, without aliasing.

use super::line::{GROUPS, Line, RUN};
use crate::loudness::interpolation::{GROUP, Interpolator, kaiser_sinc};
use crate::loudness::true_peak::largest_magnitude;
use wavemill_audio::{Block, StreamSpec};

/// Taps of the filter between samples, both ways.
const TAPS: usize = 32;

/// Shape of its window.
const BETA: f64 = 6.0;

/// Frames before and behind a place that the filter reaches.
const HALF: usize = TAPS / 2;

/// What one of four values stands for.
const SHARE: f32 = 0.25;

/// By how much the signal may exceed the samples around it, for a peak to be worth a look here; what lies
/// higher is left to the gain behind.
const BETWEEN_MAX: f32 = 1.4;

/// How far above the ceiling, as a factor, a value is cut off: the gain before leaves less.
const EXCESS_MAX: f32 = 4.0;

/// Subtracts from each channel what its signal, four times interpolated, exceeds the ceiling by: brought
/// back to the sample rate by the same filter, so that it holds no frequency that the samples cannot.
/// What it leaves above the ceiling is little. Where nothing exceeds the ceiling samples stay as they are.
#[derive(Clone, Debug)]
pub(super) struct Clipper {
    ceiling: f32,
    filter: Interpolator<3, TAPS>,
    lines: Vec<Line>,
    /// What is to be subtracted, in step with the samples.
    excess: Vec<Line>,
    fill: usize,
}

impl Clipper {
    /// Frames from the place that is looked at to the latest one.
    const BEHIND: usize = HALF + GROUP;

    /// Frames from a sample that comes in until it leaves.
    pub(super) const LATENCY: usize = Self::BEHIND + HALF + RUN + GROUP;

    pub(super) fn new(spec: &StreamSpec, ceiling: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let ceiling = ceiling as f32;
        let line = || Line::new(Self::LATENCY);
        let count = spec.channel_count();
        Self {
            ceiling,
            filter: Interpolator::new(|distance, half| kaiser_sinc(distance, half, BETA)),
            lines: (0..count).map(|_| line()).collect(),
            excess: (0..count).map(|_| line()).collect(),
            fill: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.lines.iter_mut().chain(&mut self.excess).for_each(Line::clear);
        self.fill = 0;
    }

    /// Works on a block in place, whose frames leave [`Self::LATENCY`] later. Real-time.
    pub(super) fn process(&mut self, block: &mut Block) {
        let mut start = 0;
        while start < block.frame_count() {
            let count = (RUN - self.fill).min(block.frame_count() - start);
            for (channel, plane) in block.planes_mut().enumerate() {
                let plane = &mut plane[start..start + count];
                self.lines[channel].exchange(self.fill, plane);
                let mut excess = [0.0; RUN];
                self.excess[channel].exchange(self.fill, &mut excess[..count]);
                for (sample, excess) in plane.iter_mut().zip(&excess) {
                    *sample -= excess;
                }
            }
            start += count;
            self.fill += count;
            if self.fill == RUN {
                for (line, excess) in self.lines.iter_mut().zip(&mut self.excess) {
                    let (samples, start) = line.samples();
                    let (excess, _) = excess.samples();
                    look(&self.filter, self.ceiling, samples, start - Self::BEHIND, excess);
                }
                self.lines.iter_mut().chain(&mut self.excess).for_each(Line::advance);
                self.fill = 0;
            }
        }
    }
}

/// Adds what the groups of a run exceed the ceiling by to what is to be subtracted.
fn look(
    filter: &Interpolator<3, TAPS>,
    ceiling: f32,
    samples: &[f32],
    first: usize,
    excess: &mut [f32],
) {
    let bound = ceiling / BETWEEN_MAX;
    if largest_magnitude(&samples[first - HALF..first + RUN + HALF]) <= bound {
        return;
    }
    for frame in (0..GROUPS).map(|group| first + group * GROUP) {
        if largest_magnitude(&samples[frame..=frame + GROUP]) <= bound {
            continue;
        }
        // What is much higher, or not a number, is left to the gain behind.
        let over = |value: f32| {
            if value.abs() <= EXCESS_MAX * ceiling {
                value - value.clamp(-ceiling, ceiling)
            } else {
                0.0
            }
        };
        let on: [f32; GROUP] = std::array::from_fn(|lane| over(samples[frame + lane]));
        let between = filter.values::<3>(0, samples, frame).map(|row| row.map(over));
        if on.iter().chain(between.iter().flatten()).all(|&value| value == 0.0) {
            continue;
        }
        for (lane, on) in on.iter().enumerate() {
            excess[frame + lane] += SHARE * on;
        }
        filter.spread(&between, SHARE, excess, frame);
    }
}
