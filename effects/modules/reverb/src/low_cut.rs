//! A high pass of first order.

use crate::{ROW, Row, TILE};
use wavemill_effect::lanes::F32x4;
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
    input: [f32; TILE + ROW],
    /// The last four low passed samples, then room for a row.
    low: [f32; TILE + ROW],
}

impl LowCut {
    pub(crate) fn new(cutoff_hz: f64, rate_hz: f64) -> Self {
        let zeros = [0.0; TILE + ROW];
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

    /// Where the next row of input goes.
    pub(crate) fn input(&mut self) -> &mut [f32] {
        &mut self.input[TILE..]
    }

    /// Filters the first `frames` frames of [`Self::input`] into a row.
    pub(crate) fn process(&mut self, row: &mut Row, frames: usize) {
        let [a, b, c, d] = self.taps.map(F32x4::splat);
        let back = F32x4::splat(self.back);
        let (input, low) = (&self.input, &mut self.low);
        let mut past = load(low, 0);
        for (at, out) in (0..frames).step_by(TILE).zip(row.as_chunks_mut::<TILE>().0) {
            let x = load(input, at + 4);
            let recent = a * x + b * load(input, at + 3);
            let sum = recent + (c * load(input, at + 2) + d * load(input, at + 1));
            past = sum + back * past;
            low[at + TILE..at + 2 * TILE].copy_from_slice(&past.to_array());
            *out = (x - past).to_array();
        }
        for past in [&mut self.input, &mut self.low] {
            let last = load(past, frames).to_array();
            past[..TILE].copy_from_slice(&last);
        }
    }

    /// Forgets the signal.
    pub(crate) fn clear(&mut self) {
        self.input = [0.0; TILE + ROW];
        self.low = [0.0; TILE + ROW];
    }
}

#[inline]
fn load(samples: &[f32; TILE + ROW], from: usize) -> F32x4 {
    let mut lanes = [0.0; TILE];
    lanes.copy_from_slice(&samples[from..from + TILE]);
    F32x4::new(lanes)
}
