//! `high-pass`: removes what lies below a frequency.

use super::biquad::{self, Biquad};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::StepProcessor;
use wavemill_audio::StreamSpec;

const NAME: &str = "high-pass";

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
    peaks: Peaks::Raises,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let cutoff_hz = biquad::cutoff_hz(NAME, params, spec)?;
    let filter = Biquad::high_pass(cutoff_hz, spec.sample_rate, spec.channel_count());
    Ok(StepProcessor::streaming(filter))
}
