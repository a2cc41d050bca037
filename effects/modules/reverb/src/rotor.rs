//! A slowly turning pair of signals.

use crate::ramp::Line;
use crate::{ROW, TILE};
use wavemill_effect::lanes::F32x4;
use wavemill_effect::math;

/// An angle that grows evenly, as cosine and sine. Between the ends of a row both move in straight lines: the
/// chord is shorter than the arc by less than a hundred thousandth at 48 kHz, so the pair never gains energy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotor {
    /// Cosine and sine in the row's frames, and beyond for who reads four at a time.
    now: [[f32; ROW + TILE]; 2],
    next: [f64; 2],
    step: [f64; 2],
}

impl Rotor {
    /// At angle 0, turning `rate_hz` times a second at a sample rate in Hz.
    pub(crate) fn new(rate_hz: f64, sample_rate_hz: f64) -> Self {
        let mut rotor = Self {
            now: [[1.0; ROW + TILE], [0.0; ROW + TILE]],
            next: [1.0, 0.0],
            step: [1.0, 0.0],
        };
        rotor.set_rate(rate_hz, sample_rate_hz);
        rotor
    }

    /// Turns at another rate from the next row on.
    pub(crate) fn set_rate(&mut self, rate_hz: f64, sample_rate_hz: f64) {
        let angle = core::f64::consts::TAU * rate_hz * ROW as f64 / sample_rate_hz;
        self.step = [math::cos(angle), math::sin(angle)];
    }

    /// A new row begins.
    #[expect(clippy::cast_possible_truncation, reason = "factors of samples")]
    pub(crate) fn begin_row(&mut self) {
        let [c, s] = self.next;
        let [step_c, step_s] = self.step;
        let turned = [c * step_c - s * step_s, s * step_c + c * step_s];
        // One step of Newton's method for the inverse square root keeps the radius at 1.
        let scale = 1.5 - 0.5 * (turned[0] * turned[0] + turned[1] * turned[1]);
        self.next = turned.map(|value| value * scale);
        let ends = [(c, self.next[0]), (s, self.next[1])];
        for (row, (from, to)) in self.now.iter_mut().zip(ends) {
            let line = Line { start: from as f32, slope: ((to - from) / ROW as f64) as f32 };
            for (value, now) in row.iter_mut().zip(line.values(0)) {
                *value = now;
            }
        }
    }

    /// Cosine and sine of four frames of the row.
    #[inline]
    pub(crate) fn at(&self, frame: usize) -> [F32x4; 2] {
        self.now
            .each_ref()
            .map(|row| F32x4::new([row[frame], row[frame + 1], row[frame + 2], row[frame + 3]]))
    }
}
