//! A high pass of first order.

use crate::{ROW, Row, TILE, tiles, tiles_mut};
use wavemill_effect::lanes::F32x4;
use wavemill_effect::math;

/// `y = x - l`, `l = (1 - p) x + p l`, written so that a frame waits for the fourth before it, not for the last:
/// `l[n] = (1 - p) (x[n] + p x[n-1] + p^2 x[n-2] + p^3 x[n-3]) + p^4 l[n-4]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LowCut {
    /// `(1 - p) p^k`.
    taps: [f32; TILE],
    /// `p^4`.
    back: f32,
    /// The last four inputs.
    input: [f32; TILE],
    /// The last four low passed samples.
    low: [f32; TILE],
}

impl LowCut {
    pub(crate) fn new(cutoff_hz: f64, rate_hz: f64) -> Self {
        let zeros = [0.0; TILE];
        let mut filter = Self { taps: zeros, back: 0.0, input: zeros, low: zeros };
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

    /// Filters the first `frames` frames of a row into another.
    pub(crate) fn process(&mut self, input: &Row, out: &mut Row, frames: usize) {
        if frames == ROW {
            self.process_row(input, out);
        } else {
            for (x, y) in input[..frames].iter().zip(out) {
                *y = self.step(*x);
            }
        }
    }

    fn process_row(&mut self, input: &Row, out: &mut Row) {
        let [a, b, c, d] = self.taps.map(F32x4::splat);
        let back = F32x4::splat(self.back);
        let (mut before, mut low) = (F32x4::new(self.input), F32x4::new(self.low));
        for (x, y) in tiles(input).iter().zip(tiles_mut(out)) {
            let x = F32x4::new(*x);
            let newest = a * x + b * x.delayed::<1>(before);
            let sum = newest + (c * x.delayed::<2>(before) + d * x.delayed::<3>(before));
            low = sum + back * low;
            before = x;
            *y = (x - low).to_array();
        }
        (self.input, self.low) = (before.to_array(), low.to_array());
    }

    /// One frame, in the same order of operations.
    fn step(&mut self, x: f32) -> f32 {
        let [a, b, c, d] = self.taps;
        let [_, x3, x2, x1] = self.input;
        let [low, low_3, low_2, low_1] = self.low;
        let newest = ((a * x + b * x1) + (c * x2 + d * x3)) + self.back * low;
        self.input = [x3, x2, x1, x];
        self.low = [low_3, low_2, low_1, newest];
        x - newest
    }

    /// Forgets the signal.
    pub(crate) fn clear(&mut self) {
        (self.input, self.low) = ([0.0; TILE], [0.0; TILE]);
    }
}
