//! `low-pass`: removes what lies above a frequency.

use super::biquad::{self, Biquad};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::StepProcessor;
use wavemill_audio::StreamSpec;

const NAME: &str = "low-pass";

/// `low-pass{cutoff_hz}`
pub const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Removes hiss and harshness above a frequency.",
    manual: "A Butterworth filter of second order: 3 dB less at the cutoff, 12 dB per octave above \
             it. It shifts the phase near the cutoff and delays nothing. Its decay after the \
             file's end is not rendered, so that the length stays.",
    params: &[ParamDescriptor {
        key: "cutoff_hz",
        summary: "Frequency at which the level is 3 dB lower; below 0.49 of the sample rate.",
        kind: ParamKind::Number { unit: "Hz", min: 20.0, max: 200_000.0 },
        default: ParamDefault::Required { example: "16000.0" },
    }],
    peaks: Peaks::Raises,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let cutoff_hz = biquad::cutoff_hz(NAME, params, spec)?;
    let filter = Biquad::low_pass(cutoff_hz, spec.sample_rate, spec.channel_count());
    Ok(StepProcessor::streaming(filter))
}
