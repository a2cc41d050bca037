//! A high pass of first order.

use crate::{ROW, Row};
use wavemill_effect::math;

/// `y = x - l`, `l = (1 - p) x + p l`, written so that a frame waits for the fourth before it, not for the last:
/// `l[n] = (1 - p) (x[n] + p x[n-1] + p^2 x[n-2] + p^3 x[n-3]) + p^4 l[n-4]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LowCut {
    /// `(1 - p) p^k`.
    taps: [f32; 4],
    /// `p^4`.
    back: f32,
    /// The last three inputs, then room for a row.
    input: [f32; PAST + ROW],
    /// The last four low passed samples, then room for a row.
    low: [f32; PAST + ROW],
}

/// Frames kept of the past.
const PAST: usize = 4;

impl LowCut {
    pub(crate) fn new(cutoff_hz: f64, rate_hz: f64) -> Self {
        let zeros = [0.0; PAST + ROW];
        let mut filter = Self { taps: [0.0; 4], back: 0.0, input: zeros, low: zeros };
        filter.set(cutoff_hz, rate_hz);
        filter
    }

    /// Another cutoff in Hz.
    #[expect(clippy::cast_possible_truncation, reason = "coefficients of samples")]
    pub(crate) fn set(&mut self, cutoff_hz: f64, rate_hz: f64) {
        let p = math::exp(-core::f64::consts::TAU * cutoff_hz / rate_hz);
        let square = p * p;
        self.taps = [1.0, p, square, square * p].map(|power| ((1.0 - p) * power) as f32);
        self.back = (square * square) as f32;
    }

    /// Filters the first `frames` frames of a row.
    pub(crate) fn process(&mut self, row: &mut Row, frames: usize) {
        self.input[PAST..].copy_from_slice(row);
        let [a, b, c, d] = self.taps;
        for at in 0..ROW {
            let x = &self.input[at + 1..at + 1 + PAST];
            let newest = (a * x[3] + b * x[2]) + (c * x[1] + d * x[0]);
            self.low[PAST + at] = newest;
        }
        // Four frames at a time: the four before are complete.
        for at in (0..frames).step_by(PAST) {
            for lane in 0..PAST {
                self.low[PAST + at + lane] += self.back * self.low[at + lane];
            }
        }
        let (input, low) = (&self.input[PAST..], &self.low[PAST..]);
        for (out, (x, low)) in row.iter_mut().zip(input.iter().zip(low)) {
            *out = x - low;
        }
        self.input.copy_within(frames..frames + PAST, 0);
        self.low.copy_within(frames..frames + PAST, 0);
    }

    /// Forgets the signal.
    pub(crate) fn clear(&mut self) {
        self.input = [0.0; PAST + ROW];
        self.low = [0.0; PAST + ROW];
    }
}
