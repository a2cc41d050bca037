//! A slowly turning pair of signals.

use crate::ROW;
use crate::ramp::Line;
use wavemill_effect::lanes::F32x4;
use wavemill_effect::math;

/// An angle that grows evenly, as cosine and sine. Between the ends of a row both move in straight lines: the
/// chord is shorter than the arc by less than a hundred thousandth at 48 kHz, so the pair never gains energy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotor {
    /// Cosine and sine in the row.
    now: [Line; 2],
    next: [f64; 2],
    step: [f64; 2],
}

impl Rotor {
    /// At angle 0, turning `rate_hz` times a second at a sample rate in Hz.
    pub(crate) fn new(rate_hz: f64, sample_rate_hz: f64) -> Self {
        let mut rotor = Self {
            now: [Line::new(1.0, 1.0), Line::new(0.0, 0.0)],
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
        let line = |from: f64, to: f64| Line::new(from as f32, to as f32);
        self.now = [line(c, self.next[0]), line(s, self.next[1])];
    }

    /// Cosine and sine at these [`frames`](crate::ramp::frames).
    #[inline]
    pub(crate) fn at(&self, frames: F32x4) -> [F32x4; 2] {
        let [c, s] = &self.now;
        [c.at(frames), s.at(frames)]
    }
}
