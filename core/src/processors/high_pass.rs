//! `high-pass`: removes what lies below a frequency.

use crate::audio::{Block, StreamSpec};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, StepDescriptor,
};
use crate::processor::{Processor, Status};
use crate::units::SampleRate;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

const NAME: &str = "high-pass";

/// Highest cutoff as a share of the sample rate: at half of it, the Nyquist frequency, the filter
/// would pass nothing, and just below it nearly nothing.
const CUTOFF_SHARE_MAX: f64 = 0.49;

/// `high-pass{cutoff_hz}`
pub const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Removes rumble and DC offset below a frequency.",
    manual: "A Butterworth filter of second order: 3 dB less at the cutoff, 12 dB per octave below \
             it. It shifts the phase near the cutoff and delays nothing. Its decay after the \
             file's end is not rendered, so that the length stays.",
    params: &[ParamDescriptor {
        key: "cutoff_hz",
        summary: "Frequency at which the level is 3 dB lower; below 0.49 of the sample rate.",
        kind: ParamKind::Number { unit: "Hz", min: 1.0, max: 20_000.0 },
        default: ParamDefault::Number(80.0),
    }],
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<Box<dyn Processor>, BuildError> {
    let cutoff_hz = params.number("cutoff_hz").unwrap_or_default();
    let cutoff_hz_max = f64::from(spec.sample_rate.0) * CUTOFF_SHARE_MAX;
    if cutoff_hz > cutoff_hz_max {
        let rate = spec.sample_rate;
        let reason = format!(
            "`cutoff_hz` is {cutoff_hz} Hz; at a sample rate of {rate} it must be at most \
             {cutoff_hz_max:.0} Hz"
        );
        return Err(BuildError::Unsuitable { step: NAME, reason });
    }
    Ok(Box::new(HighPass::new(cutoff_hz, spec.sample_rate, spec.channel_count())))
}

/// A Butterworth filter of second order.
#[derive(Clone, Debug)]
pub struct HighPass {
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

impl HighPass {
    /// A filter with a cutoff below half the rate.
    pub fn new(cutoff_hz: f64, rate: SampleRate, channel_count: usize) -> Self {
        let coefficients = Coefficients::high_pass(cutoff_hz, rate);
        Self { coefficients, states: vec![State::default(); channel_count] }
    }
}

impl Coefficients {
    /// Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients",
    /// HPF, with the Q of a Butterworth filter.
    fn high_pass(cutoff_hz: f64, rate: SampleRate) -> Self {
        let w0 = TAU * cutoff_hz / f64::from(rate.0);
        let alpha = w0.sin() / (2.0 * FRAC_1_SQRT_2);
        let cos = w0.cos();
        let a0 = 1.0 + alpha;
        let b0 = f64::midpoint(1.0, cos) / a0;
        Self { b0, b1: -2.0 * b0, b2: b0, a1: -2.0 * cos / a0, a2: (1.0 - alpha) / a0 }
    }
}

impl Processor for HighPass {
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
