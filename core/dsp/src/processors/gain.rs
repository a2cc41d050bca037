//! `gain`: a fixed gain.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{Processor, Properties, Status, StepProcessor};
use wavemill_audio::units::Decibels;
use wavemill_audio::{Block, StreamSpec};

/// Largest gain or attenuation accepted. 96 dB spans 16 bits, so more is surely a typing error.
const GAIN_DB_MAX: f64 = 96.0;

/// `gain{gain_db}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "gain",
    summary: "Makes the audio louder or quieter by a fixed gain.",
    manual: "Samples may exceed full scale within the pipeline; they clip only in exports with an \
        integer format.",
    params: &[ParamDescriptor {
        key: "gain_db",
        summary: "The gain; negative values make the audio quieter.",
        kind: ParamKind::Number { unit: "dB", min: -GAIN_DB_MAX, max: GAIN_DB_MAX },
        default: ParamDefault::Required { example: "-3.0" },
    }],
    peaks: Peaks::Raises,
    build,
};

fn build(params: &Params, _spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let gain_db = params.number("gain_db")?;
    Ok(StepProcessor::streaming(Gain::new(Decibels(gain_db))))
}

/// Multiplies every sample with one factor.
#[derive(Clone, Debug)]
pub(crate) struct Gain {
    amplitude: f32,
}

impl Gain {
    /// A gain, rounded to 0.001 dB.
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    pub(crate) fn new(gain: Decibels) -> Self {
        Self { amplitude: gain.rounded().to_amplitude() as f32 }
    }
}

impl Processor for Gain {
    fn process(&mut self, block: &mut Block) -> Status {
        for plane in block.planes_mut() {
            for sample in plane {
                *sample *= self.amplitude;
            }
        }
        Status::Continue
    }

    fn reset(&mut self) {}

    fn properties(&self) -> Properties {
        // 0 dB is exactly this, and nothing else that is left after rounding to 0.001 dB.
        let is_transparent = self.amplitude.to_bits() == 1.0_f32.to_bits();
        Properties { is_transparent, ..Properties::default() }
    }
}
