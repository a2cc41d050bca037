//! A second-order filter that may be retuned while it runs.
//!
//! The state-variable filter with trapezoidal integrators. Source: Zavalishin, "The Art of VA Filter Design",
//! rev. 2.1.2, 2018, ch. 4; the form that solves the loop first is Simper, "Solving the continuous SVF equations using
//! trapezoidal integration and equivalent currents", 2013.

use crate::convert::narrow;
use crate::grid::{Row, SUB_BLOCK};
use core::f64::consts::{PI, SQRT_2};
use wavemill_effect::lanes::F64x2;
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
    /// What the next states take of the two states and of the sample.
    first: [f64; 3],
    second: [f64; 3],
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

/// What the filter remembers of two channels, each in a lane.
#[derive(Clone, Copy, Debug)]
pub struct SvfPair {
    first: F64x2,
    second: F64x2,
}

impl SvfPair {
    /// Of two channels.
    #[inline]
    pub fn of(a: SvfState, b: SvfState) -> Self {
        Self { first: F64x2::new([a.first, b.first]), second: F64x2::new([a.second, b.second]) }
    }

    /// The two channels.
    #[inline]
    pub fn split(self) -> [SvfState; 2] {
        let ([a, b], [c, d]) = (self.first.to_array(), self.second.to_array());
        [SvfState { first: a, second: c }, SvfState { first: b, second: d }]
    }
}

/// What comes out for one sample of two channels: low-pass, band-pass, high-pass as in [`SvfOutputs`].
#[derive(Clone, Copy, Debug)]
pub struct SvfPairOutputs {
    /// Low-pass.
    pub low: F64x2,
    /// Band-pass, not normalized.
    pub band: F64x2,
    /// High-pass.
    pub high: F64x2,
}

impl SvfPairOutputs {
    /// As [`SvfOutputs::all_pass`].
    #[inline]
    pub fn all_pass(self) -> F64x2 {
        self.low + self.high - F64x2::splat(SQRT_2) * self.band
    }
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
        let a3 = g * a2;
        Self {
            a1,
            a2,
            a3,
            first: [2.0 * a1 - 1.0, -2.0 * a2, 2.0 * a2],
            second: [2.0 * a2, 1.0 - 2.0 * a3, 2.0 * a3],
        }
    }

    /// Filters a sample.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the state must stay in registers")]
    pub fn next(&self, state: &mut SvfState, x: f64) -> SvfOutputs {
        let SvfState { first, second } = *state;
        let v3 = x - second;
        let band = self.a1 * first + self.a2 * v3;
        let low = second + self.a2 * first + self.a3 * v3;
        // These are 2 band - first and 2 low - second, multiplied out: three operations from state to
        // state instead of five, and nothing else holds the next sample up.
        state.first = self.first[0] * first + (self.first[1] * second + self.first[2] * x);
        state.second = self.second[0] * first + (self.second[1] * second + self.second[2] * x);
        SvfOutputs { low, band, high: x - SQRT_2 * band - low }
    }

    /// Filters a sample of two channels; the same bits as [`Svf::next`] for each.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the states must stay in registers")]
    pub fn next_pair(&self, state: &mut SvfPair, x: F64x2) -> SvfPairOutputs {
        let all = F64x2::splat;
        let SvfPair { first, second } = *state;
        let v3 = x - second;
        let band = all(self.a1) * first + all(self.a2) * v3;
        let low = second + all(self.a2) * first + all(self.a3) * v3;
        let [[a, b, c], [d, e, f]] = [self.first.map(all), self.second.map(all)];
        state.first = a * first + (b * second + c * x);
        state.second = d * first + (e * second + f * x);
        SvfPairOutputs { low, band, high: x - all(SQRT_2) * band - low }
    }

    /// High-passes the first `frames` values of the rows, one a channel.
    pub fn high_pass(&self, states: &mut [SvfState], rows: &mut [Row], frames: usize) {
        self.run(states, rows, frames, |outputs| outputs.high, |outputs| outputs.high);
    }

    /// Low-passes the first `frames` values of the rows, one a channel.
    pub fn low_pass(&self, states: &mut [SvfState], rows: &mut [Row], frames: usize) {
        self.run(states, rows, frames, |outputs| outputs.low, |outputs| outputs.low);
    }

    /// Two channels at a time: each one's next sample must wait for its last, the other's need not.
    fn run(
        &self,
        states: &mut [SvfState],
        rows: &mut [Row],
        frames: usize,
        pick: impl Fn(SvfOutputs) -> f64,
        pick_pair: impl Fn(SvfPairOutputs) -> F64x2,
    ) {
        let frames = frames.min(SUB_BLOCK);
        for (states, rows) in states.chunks_mut(2).zip(rows.chunks_mut(2)) {
            if let ([one, two], [first, second]) = (&mut *states, &mut *rows) {
                let mut pair = SvfPair::of(*one, *two);
                for (a, b) in first[..frames].iter_mut().zip(&mut second[..frames]) {
                    let x = F64x2::new([f64::from(*a), f64::from(*b)]);
                    let [left, right] = pick_pair(self.next_pair(&mut pair, x)).to_array();
                    (*a, *b) = (narrow(left), narrow(right));
                }
                [*one, *two] = pair.split();
            } else {
                let mut state = states[0];
                for sample in &mut rows[0][..frames] {
                    *sample = narrow(pick(self.next(&mut state, f64::from(*sample))));
                }
                states[0] = state;
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
                assert_eq!(*sample, narrow(expected));
            }
        }
    }
}
