//! Smoothing by one-pole low-passes.

use crate::convert::one_pole_step;

/// Powers smaller than this are zero: -240 dBFS, long before they get denormal.
pub const POWER_MIN: f64 = 1e-24;

/// A one-pole low-pass: what it keeps of its old value, and what it takes of its input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pole {
    keep: f64,
    step: f64,
}

impl Pole {
    /// One that has gone 63.2 % of the way to a new input after `time_ms`.
    pub fn new(time_ms: f64, sample_rate: f64) -> Self {
        let step = one_pole_step(time_ms, sample_rate);
        Self { keep: 1.0 - step, step }
    }

    /// The next value.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the state must stay in registers")]
    pub fn next(self, state: f64, input: f64) -> f64 {
        self.keep * state + self.step * input
    }
}

/// `a` or `b`, whichever is larger; as a comparison, which is the same in every build.
#[inline]
pub fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// `a` or `b`, whichever is smaller.
#[inline]
pub fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pole_after_its_time_has_gone_63_percent() {
        let pole = Pole::new(2.0, 48_000.0);
        let state = (0..96).fold(1.0, |state, _| pole.next(state, 0.0));
        assert!((state - (-1.0_f64).exp()).abs() < 1e-9, "{state}");
    }

    #[test]
    fn pole_at_rest_stays_to_the_bit_at_zero() {
        assert_eq!(Pole::new(7.0, 44_100.0).next(0.0, 0.0), 0.0);
    }
}
