//! The filters of second order behind `high-pass` and `low-pass`.

use crate::descriptor::{BuildError, Params};
use crate::processor::{Processor, Status};
use std::f64::consts::{FRAC_1_SQRT_2, TAU};
use wavemill_audio::units::SampleRate;
use wavemill_audio::{Block, StreamSpec};

/// Highest cutoff as a share of the sample rate: close to half of it, the Nyquist frequency, such a
/// filter passes nothing, or everything.
const CUTOFF_SHARE_MAX: f64 = 0.49;

/// The parameter `cutoff_hz` of a step, if this stream has room for it.
pub(super) fn cutoff_hz(
    step: &'static str,
    params: &Params,
    spec: &StreamSpec,
) -> Result<f64, BuildError> {
    let cutoff_hz = params.number("cutoff_hz")?;
    let cutoff_hz_max = f64::from(spec.sample_rate.0) * CUTOFF_SHARE_MAX;
    if cutoff_hz > cutoff_hz_max {
        let rate = spec.sample_rate;
        let reason = format!(
            "`cutoff_hz` is {cutoff_hz} Hz; at a sample rate of {rate}, it must be at most \
            {cutoff_hz_max:.0} Hz"
        );
        return Err(BuildError::Unsuitable { step, reason });
    }
    Ok(cutoff_hz)
}

/// A filter of second order.
#[derive(Clone, Debug)]
pub(super) struct Biquad {
    coefficients: Coefficients,
    /// One per channel.
    states: Vec<State>,
}

/// Normalized so that a0 is 1.
#[derive(Clone, Copy, Debug)]
struct Coefficients {
    b0: f64,
    b1: f64,
    b2: f64,
    a1: f64,
    a2: f64,
}

/// Memory of the transposed direct form II.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    s1: f64,
    s2: f64,
}

impl Biquad {
    /// A Butterworth high-pass with a cutoff below half the rate.
    ///
    /// Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", HPF.
    pub(super) fn high_pass(cutoff_hz: f64, rate: SampleRate, channel_count: usize) -> Self {
        let cos = (TAU * cutoff_hz / f64::from(rate.0)).cos();
        let b0 = f64::midpoint(1.0, cos);
        Self::butterworth(cutoff_hz, rate, [b0, -2.0 * b0, b0], channel_count)
    }

    /// A Butterworth low-pass with a cutoff below half the rate.
    ///
    /// Source: as above, LPF.
    pub(super) fn low_pass(cutoff_hz: f64, rate: SampleRate, channel_count: usize) -> Self {
        let cos = (TAU * cutoff_hz / f64::from(rate.0)).cos();
        let b0 = (1.0 - cos) / 2.0;
        Self::butterworth(cutoff_hz, rate, [b0, 2.0 * b0, b0], channel_count)
    }

    /// Source: as above; the poles of both, with the Q of a Butterworth filter.
    fn butterworth(
        cutoff_hz: f64,
        rate: SampleRate,
        zeros: [f64; 3],
        channel_count: usize,
    ) -> Self {
        let w0 = TAU * cutoff_hz / f64::from(rate.0);
        let alpha = w0.sin() / (2.0 * FRAC_1_SQRT_2);
        let a0 = 1.0 + alpha;
        let [b0, b1, b2] = zeros.map(|zero| zero / a0);
        let (a1, a2) = (-2.0 * w0.cos() / a0, (1.0 - alpha) / a0);
        let coefficients = Coefficients { b0, b1, b2, a1, a2 };
        Self { coefficients, states: vec![State::default(); channel_count] }
    }
}

impl Processor for Biquad {
    fn process(&mut self, block: &mut Block) -> Status {
        let Coefficients { b0, b1, b2, a1, a2 } = self.coefficients;
        for (state, plane) in self.states.iter_mut().zip(block.planes_mut()) {
            let State { mut s1, mut s2 } = *state;
            for sample in plane {
                let x = f64::from(*sample);
                let y = b0 * x + s1;
                s1 = b1 * x - a1 * y + s2;
                s2 = b2 * x - a2 * y;
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let rounded = y as f32;
                *sample = rounded;
            }
            *state = State { s1, s2 };
        }
        Status::Continue
    }

    fn reset(&mut self) {
        self.states.fill(State::default());
    }
}
