//! From the stream's rate to a multiple of it and back.

use crate::half_band::{HalfBand, Stage};
use alloc::vec::Vec;
use effect_common::{Delay, SUB_BLOCK};

/// Pairs of taps of each doubling's filter, and what its window is made for in dB; all reach 97.5 dB: below the rounding of 16
/// bits, and more than is asked of aliases. The first filter decides which part of the band is clean: 0.449 of the rate, 19.8 kHz at 44.1 kHz. The others
/// only have to stop what folds into that part, so they are short.
pub const FILTERS: [(usize, f64); 3] = [(32, 100.0), (7, 105.0), (5, 105.0)];

/// Largest factor.
pub const FACTOR_MAX: usize = 1 << FILTERS.len();

/// A sub-block at the highest rate.
pub type HighRow = [f32; SUB_BLOCK * FACTOR_MAX];

/// Doubles the rate up to three times.
#[derive(Debug)]
pub struct Oversampler {
    filters: Vec<HalfBand>,
    /// `[channel][stage]`.
    stages: Vec<Vec<Stage>>,
    /// What makes the delay a whole number of frames, at the high rate.
    padding: Delay,
    latency: usize,
    /// The signal on its way, and where the next filter writes it.
    rows: [HighRow; 2],
}

impl Oversampler {
    /// For `channels` channels, with `doublings` (0 to 3) of the rate.
    pub fn new(channels: usize, doublings: usize) -> Self {
        let filters: Vec<HalfBand> =
            FILTERS.iter().take(doublings).map(|(half, db)| HalfBand::new(*half, *db)).collect();
        let factor = 1 << filters.len();
        // A delay at the low rate of stage s counts factor / 2^s at the high rate.
        let delays = filters.iter().enumerate();
        let delay: usize = delays.map(|(s, filter)| filter.latency() * (factor >> s)).sum();
        let latency = delay.div_ceil(factor);
        let stages_of_one = || {
            let sized = filters.iter().enumerate();
            sized.map(|(s, filter)| Stage::new(filter, SUB_BLOCK << s)).collect()
        };
        Self {
            stages: (0..channels).map(|_| stages_of_one()).collect(),
            padding: Delay::new(channels, latency * factor - delay),
            filters,
            latency,
            rows: [[0.0; SUB_BLOCK * FACTOR_MAX]; 2],
        }
    }

    /// How many samples a frame has at the high rate.
    pub fn factor(&self) -> usize {
        1 << self.filters.len()
    }

    /// Delay of going up and down, in frames.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// Takes at most a sub-block of one channel up, lets `shape` change it there, and takes it down again.
    pub fn process(&mut self, channel: usize, samples: &mut [f32], shape: impl FnOnce(&mut [f32])) {
        let stages = &mut self.stages[channel];
        let [mut from, mut to] = self.rows.each_mut();
        let mut count = samples.len();
        from[..count].copy_from_slice(samples);
        for (stage, filter) in stages.iter_mut().zip(&self.filters) {
            stage.double(filter, &from[..count], &mut to[..2 * count]);
            core::mem::swap(&mut from, &mut to);
            count *= 2;
        }
        shape(&mut from[..count]);
        self.padding.swap(channel, &mut from[..count]);
        for (stage, filter) in stages.iter_mut().zip(&self.filters).rev() {
            stage.halve(filter, &from[..count], &mut to[..count / 2]);
            core::mem::swap(&mut from, &mut to);
            count /= 2;
        }
        samples.copy_from_slice(&from[..count]);
    }

    /// All channels are `frames` further.
    pub fn advance(&mut self, frames: usize) {
        self.padding.advance(frames * self.factor());
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.stages.iter_mut().flatten().for_each(Stage::reset);
        self.padding.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_whole_and_an_impulse_is_even_around_it() {
        for (doublings, latency) in [(0, 0), (1, 63), (2, 70), (3, 72)] {
            let mut oversampler = Oversampler::new(2, doublings);
            assert_eq!(oversampler.latency(), latency);
            let mut output = vec![0.0; 7 * SUB_BLOCK];
            output[0] = 1.0;
            for row in output.chunks_mut(SUB_BLOCK) {
                oversampler.process(1, row, |_| {});
                oversampler.advance(row.len());
            }
            let peak = output[latency];
            assert!(peak > 0.8 && output.iter().all(|sample| *sample <= peak));
            let is_even = |k: usize| (output[latency - k] - output[latency + k]).abs() < 1e-6;
            assert!((0..=latency).all(is_even), "{doublings} doublings");
        }
    }
}
