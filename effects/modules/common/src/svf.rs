//! A second-order filter that may be retuned while it runs.
//!
//! The state-variable filter with trapezoidal integrators. Source: Zavalishin, "The Art of VA Filter Design",
//! rev. 2.1.2, 2018, ch. 4; the form that solves the loop first is Simper, "Solving the continuous SVF equations using
//! trapezoidal integration and equivalent currents", 2013.

use crate::grid::{Row, SUB_BLOCK};
use core::f64::consts::{PI, SQRT_2};
use wavemill_effect::math;

/// States smaller than this are zero: -240 dBFS, long before they get denormal.
const STATE_MIN: f64 = 1e-12;

/// Highest cutoff as a part of the sample rate: the tangent ends at 1/2.
const CUTOFF_MAX: f64 = 0.49;

/// Coefficients with the damping of a second-order Butterworth filter: -3.01 dB at the cutoff.
#[derive(Clone, Copy, Debug)]
pub struct Svf {
    a1: f64,
    a2: f64,
    a3: f64,
}

/// What the filter remembers of one channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct SvfState {
    first: f64,
    second: f64,
}

/// What comes out of the filter for one sample.
#[derive(Clone, Copy, Debug)]
pub struct SvfOutputs {
    /// Low-pass.
    pub low: f64,
    /// Band-pass, not normalized.
    pub band: f64,
    /// High-pass.
    pub high: f64,
}

impl SvfOutputs {
    /// The all-pass of the same poles: what a fourth-order Linkwitz-Riley crossover adds up to.
    #[inline]
    pub fn all_pass(self) -> f64 {
        self.low + self.high - SQRT_2 * self.band
    }
}

impl Svf {
    /// Tuned to a cutoff in Hz, at most just below half the sample rate.
    pub fn new(cutoff_hz: f64, sample_rate: f64) -> Self {
        let share = cutoff_hz / sample_rate;
        let share = if share < CUTOFF_MAX { share } else { CUTOFF_MAX };
        let g = math::tan(PI * share);
        let a1 = 1.0 / (1.0 + g * (g + SQRT_2));
        let a2 = g * a1;
        Self { a1, a2, a3: g * a2 }
    }

    /// Filters a sample.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the state must stay in registers")]
    pub fn next(&self, state: &mut SvfState, x: f64) -> SvfOutputs {
        let v3 = x - state.second;
        let band = self.a1 * state.first + self.a2 * v3;
        let low = state.second + self.a2 * state.first + self.a3 * v3;
        state.first = 2.0 * band - state.first;
        state.second = 2.0 * low - state.second;
        SvfOutputs { low, band, high: x - SQRT_2 * band - low }
    }

    /// High-passes the first `frames` values of the rows, one a channel.
    pub fn high_pass(&self, states: &mut [SvfState], rows: &mut [Row], frames: usize) {
        self.run(states, rows, frames, |outputs| outputs.high);
    }

    /// Low-passes the first `frames` values of the rows, one a channel.
    pub fn low_pass(&self, states: &mut [SvfState], rows: &mut [Row], frames: usize) {
        self.run(states, rows, frames, |outputs| outputs.low);
    }

    /// Two channels at a time: each one's next sample must wait for its last, the other's need not.
    fn run(
        &self,
        states: &mut [SvfState],
        rows: &mut [Row],
        frames: usize,
        pick: impl Fn(SvfOutputs) -> f64,
    ) {
        let frames = frames.min(SUB_BLOCK);
        let mut pairs = states.chunks_exact_mut(2);
        let mut row_pairs = rows.chunks_exact_mut(2);
        for (states, rows) in pairs.by_ref().zip(row_pairs.by_ref()) {
            let (mut one, mut two) = (states[0], states[1]);
            let (first, second) = rows.split_at_mut(1);
            for (a, b) in first[0][..frames].iter_mut().zip(&mut second[0][..frames]) {
                *a = crate::convert::narrow(pick(self.next(&mut one, f64::from(*a))));
                *b = crate::convert::narrow(pick(self.next(&mut two, f64::from(*b))));
            }
            (states[0], states[1]) = (one, two);
        }
        for (state, row) in pairs.into_remainder().iter_mut().zip(row_pairs.into_remainder()) {
            for sample in &mut row[..frames] {
                *sample = crate::convert::narrow(pick(self.next(state, f64::from(*sample))));
            }
        }
    }
}

impl SvfState {
    /// Rounds what is left of a faded signal to zero; to be called where a sub-block begins.
    pub fn tidy(&mut self) {
        if self.first.abs() < STATE_MIN && self.second.abs() < STATE_MIN {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 48_000.0;

    /// Gain in dB of one of the outputs at a frequency, measured over whole periods after it settled.
    fn gain_db(cutoff_hz: f64, tone_hz: f64, pick: impl Fn(SvfOutputs) -> f64) -> f64 {
        let filter = Svf::new(cutoff_hz, RATE);
        let mut state = SvfState::default();
        let mut power = 0.0;
        for frame in 0..96_000_u32 {
            let phase = 2.0 * PI * tone_hz / RATE * f64::from(frame);
            let out = pick(filter.next(&mut state, phase.sin()));
            if frame >= 48_000 {
                power += out * out;
            }
        }
        10.0 * (power / 24_000.0).log2() / std::f64::consts::LOG2_10
    }

    #[test]
    fn butterworth_is_3_db_down_at_its_cutoff() {
        assert!((gain_db(1_000.0, 1_000.0, |o| o.high) + 3.0103).abs() < 1e-3);
        assert!((gain_db(1_000.0, 1_000.0, |o| o.low) + 3.0103).abs() < 1e-3);
    }

    #[test]
    fn high_pass_falls_12_db_an_octave() {
        // |H|^2 = w^4 / (1 + w^4) with w = tan(pi f / rate) / tan(pi fc / rate).
        let w = (PI * 100.0 / RATE).tan() / (PI * 1_000.0 / RATE).tan();
        let expected = 10.0 * (w.powi(4) / (1.0 + w.powi(4))).log2() / std::f64::consts::LOG2_10;
        assert!((gain_db(1_000.0, 100.0, |o| o.high) - expected).abs() < 0.01);
    }

    #[test]
    fn all_pass_changes_no_level() {
        for tone_hz in [100.0, 1_000.0, 9_000.0] {
            assert!(gain_db(1_000.0, tone_hz, SvfOutputs::all_pass).abs() < 1e-3);
        }
    }

    #[test]
    fn rows_are_filtered_as_single_samples_are() {
        let filter = Svf::new(300.0, RATE);
        let mut states = [SvfState::default(); 3];
        let mut rows = [[1.0_f32; SUB_BLOCK], [0.5; SUB_BLOCK], [-0.25; SUB_BLOCK]];
        filter.high_pass(&mut states, &mut rows, SUB_BLOCK);
        for (row, input) in rows.iter().zip([1.0_f32, 0.5, -0.25]) {
            let mut state = SvfState::default();
            for sample in row {
                let expected = filter.next(&mut state, f64::from(input)).high;
                assert_eq!(*sample, crate::convert::narrow(expected));
            }
        }
    }
}
