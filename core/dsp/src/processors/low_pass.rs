//! `low-pass`: removes what lies above a frequency.

use super::biquad::{self, Biquad};
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::StepProcessor;
use wavemill_audio::StreamSpec;

const NAME: &str = "low-pass";

/// `low-pass{cutoff_hz}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Removes hiss and harshness above a cutoff frequency.",
    manual: "A second-order Butterworth filter: -3 dB at the cutoff, 12 dB per octave above it. It \
        shifts the phase near the cutoff and adds no latency. The file keeps its length: the \
        filter's decay after the end is not rendered.",
    params: &[ParamDescriptor {
        key: "cutoff_hz",
        summary: "Frequency at which the response is down 3 dB; must be below 0.49 of the sample \
            rate.",
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
