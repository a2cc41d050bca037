//! `peak-normalize`: one gain that brings the largest sample to a level.

use super::gain::Gain;
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{
    Finding, ProcessError, Processor, Properties, Status, StepProcessor, StepReport, WholeFile,
};
use wavemill_audio::units::{Dbfs, Decibels, Frames};
use wavemill_audio::{Block, StreamSpec};

/// `peak-normalize{target_dbfs}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "peak-normalize",
    summary: "Applies one gain so that the file's sample peak reaches a target level.",
    manual: "True peaks may be higher; to limit those, use `limit`. The gain is rounded down to \
        0.001 dB. Silence is left alone, and the report says so.",
    params: &[ParamDescriptor {
        key: "target_dbfs",
        summary: "Target sample peak.",
        kind: ParamKind::Number { unit: "dBFS", min: -60.0, max: 0.0 },
        default: ParamDefault::Number(-1.0),
    }],
    peaks: Peaks::BoundsSamplePeak("target_dbfs"),
    build,
};

fn build(params: &Params, _spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let target = Dbfs(params.number("target_dbfs")?);
    Ok(StepProcessor::of_whole_file(PeakNormalize { target, peak: 0.0, gain: None }))
}

/// Applies one gain to the whole file.
#[derive(Clone, Debug)]
struct PeakNormalize {
    target: Dbfs,
    /// Largest absolute sample observed.
    peak: f32,
    /// Known after `begin`; `None` for silence.
    gain: Option<(Decibels, Gain)>,
}

impl Processor for PeakNormalize {
    fn process(&mut self, block: &mut Block) -> Status {
        match &mut self.gain {
            Some((_, gain)) => gain.process(block),
            None => Status::Continue,
        }
    }

    fn reset(&mut self) {}

    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        self.gain = Dbfs::from_amplitude(self.peak.into()).map(|peak| {
            let gain = (self.target - peak).rounded_down();
            (gain, Gain::new(gain))
        });
        Ok(())
    }

    fn properties(&self) -> Properties {
        let is_transparent =
            self.gain.as_ref().is_none_or(|(_, gain)| gain.properties().is_transparent);
        Properties { is_transparent, ..Properties::default() }
    }

    fn report(&self) -> StepReport {
        let Some((gain, _)) = &self.gain else {
            return vec![Finding::text("left_alone", "silent")].into();
        };
        let peak_dbfs = Dbfs::from_amplitude(self.peak.into()).map(|peak| peak.0);
        StepReport::from(vec![
            Finding::number("measured_sample_peak_dbfs", peak_dbfs),
            Finding::number("gain_db", gain.0),
        ])
    }
}

impl WholeFile for PeakNormalize {
    fn needs_samples(&self) -> bool {
        true
    }

    fn observe(&mut self, block: &Block) {
        for plane in block.planes() {
            self.peak = plane.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
        }
    }
}
