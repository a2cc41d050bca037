//! `dc-remove`: takes out a constant offset.

use crate::descriptor::{BuildError, Params, Peaks, StepDescriptor};
use crate::processor::{
    Finding, ProcessError, Processor, Properties, Status, StepProcessor, StepReport, WholeFile,
};
use wavemill_audio::units::Frames;
use wavemill_audio::{Block, StreamSpec};

/// Offsets up to this amplitude stay: half a step of 24 bits, below which an integer file has none.
const OFFSET_MIN: f64 = 0.5 / 8_388_608.0;

/// `dc-remove`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "dc-remove",
    summary: "Removes a constant offset (DC) from every channel.",
    manual: "Subtracts the mean of the whole file from each channel. Unlike a high-pass, this does \
        not affect phase or bass. For a drifting offset, use a `high-pass` at a few hertz instead. \
        Offsets of up to half a 24-bit step are left alone.",
    params: &[],
    peaks: Peaks::Raises,
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature of every step's constructor")]
fn build(_params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let count = spec.channel_count();
    let (sums, offsets) = (vec![0.0; count], vec![0.0; count]);
    Ok(StepProcessor::of_whole_file(DcRemove { sums, observed: 0, offsets }))
}

/// Subtracts each channel's mean.
#[derive(Clone, Debug)]
struct DcRemove {
    /// Sums of the samples observed, by channel.
    sums: Vec<f64>,
    /// Frames observed.
    observed: u64,
    /// What is subtracted, by channel; zero before `begin`.
    offsets: Vec<f32>,
}

impl Processor for DcRemove {
    fn process(&mut self, block: &mut Block) -> Status {
        for (offset, plane) in self.offsets.iter().zip(block.planes_mut()) {
            if *offset != 0.0 {
                for sample in plane {
                    *sample -= offset;
                }
            }
        }
        Status::Continue
    }

    fn reset(&mut self) {}

    fn begin(&mut self, _length: Option<Frames>) -> Result<(), ProcessError> {
        let count = self.observed.max(1) as f64;
        for (offset, sum) in self.offsets.iter_mut().zip(&self.sums) {
            let mean = sum / count;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let rounded = mean as f32;
            *offset = if mean.abs() > OFFSET_MIN { rounded } else { 0.0 };
        }
        Ok(())
    }

    fn properties(&self) -> Properties {
        let is_transparent = self.offsets.iter().all(|offset| *offset == 0.0);
        Properties { is_transparent, ..Properties::default() }
    }

    fn report(&self) -> StepReport {
        let largest =
            self.offsets.iter().fold(0.0_f32, |largest, offset| largest.max(offset.abs()));
        vec![Finding::number("dc_offset_max", f64::from(largest))].into()
    }
}

impl WholeFile for DcRemove {
    fn needs_samples(&self) -> bool {
        true
    }

    fn observe(&mut self, block: &Block) {
        for (sum, plane) in self.sums.iter_mut().zip(block.planes()) {
            *sum = plane.iter().fold(*sum, |sum, sample| sum + f64::from(*sample));
        }
        self.observed += block.frame_count() as u64;
    }
}
