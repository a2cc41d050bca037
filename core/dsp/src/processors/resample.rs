//! `resample`: another sample rate.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{OutputSpan, Processor, Properties, Status, StepProcessor, StepReport};
use crate::resample::{Quality, Resampler};
use wavemill_audio::limits::{SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN};
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{Block, StreamSpec};

const NAME: &str = "resample";

/// `resample{sample_rate_hz, quality}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Converts the sample rate.",
    manual: "Linear phase, without latency; the length is the input's times the ratio of the \
        rates, to the nearest frame. The stopband starts at half the lower rate; the passband \
        reaches 0.913 of that (20.1 kHz at 44.1 kHz; 0.87 with `fast`). Distortion, aliases and \
        images stay below -170 dB with `best` (64-bit), below -130 dB with `high` (32-bit) and \
        below -100 dB with `fast`. One rate may be at most 128 times the other. Resampling changes \
        peaks, so put `loudness` or `peak-normalize` after it. Audio that already has the sample \
        rate passes unchanged.",
    params: &[
        ParamDescriptor {
            key: "sample_rate_hz",
            summary: "Sample rate of the result.",
            kind: ParamKind::Integer {
                unit: "Hz",
                min: SAMPLE_RATE_HZ_MIN as i64,
                max: SAMPLE_RATE_HZ_MAX as i64,
            },
            default: ParamDefault::Required { example: "48000" },
        },
        ParamDescriptor {
            key: "quality",
            summary: "Precision of the conversion.",
            kind: ParamKind::Choice(&["fast", "high", "best"]),
            default: ParamDefault::Choice("best"),
        },
    ],
    peaks: Peaks::Converts,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let rate = SampleRate(u32::try_from(params.integer("sample_rate_hz")?).unwrap_or(u32::MAX));
    let qualities = [("fast", Quality::Fast), ("high", Quality::High), ("best", Quality::Best)];
    let quality = params.choice("quality", &qualities)?;
    let resampler =
        if rate == spec.sample_rate {
            None
        } else {
            let resampler = Resampler::new(spec.sample_rate, rate, spec.channel_count(), quality);
            Some(resampler.map_err(|error| BuildError::Unsuitable {
                step: NAME,
                reason: error.to_string(),
            })?)
        };
    Ok(StepProcessor::streaming(Resample { resampler, rate, missing_frames: 0 }))
}

/// A [`Resampler`] that works in place.
struct Resample {
    /// `None` where the stream has the rate already.
    resampler: Option<Resampler>,
    rate: SampleRate,
    /// Room that the last block lacked.
    missing_frames: usize,
}

impl Processor for Resample {
    fn process(&mut self, block: &mut Block) -> Status {
        let count = block.frame_count();
        let Some(resampler) = self.resampler.as_mut().filter(|_| count > 0) else {
            return Status::Continue;
        };
        let capacity = block.frame_capacity();
        self.missing_frames = room_needed(resampler, count).saturating_sub(capacity);
        if self.missing_frames > 0 {
            return Status::Failed;
        }
        // The input moves to the end of the block's memory: the output, which begins at its start, then
        // never overtakes what was not read yet.
        block.set_frame_count(capacity);
        for plane in block.planes_mut() {
            plane.copy_within(..count, capacity - count);
        }
        let (mut read, mut written) = (capacity - count, 0);
        while read < capacity {
            let pushed = resampler.room().min(capacity - read);
            resampler.push(block.planes().map(|plane| &plane[read..read + pushed]));
            read += pushed;
            let ready = resampler.available();
            resampler.pull(block.planes_mut().map(|plane| &mut plane[written..written + ready]));
            written += ready;
        }
        block.set_frame_count(written);
        Status::Continue
    }

    fn reset(&mut self) {
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
        self.missing_frames = 0;
    }

    fn output_spec(&self, input: &StreamSpec) -> StreamSpec {
        StreamSpec { sample_rate: self.rate, layout: input.layout.clone() }
    }

    fn max_output_frames(&self, input_frames: usize) -> usize {
        self.resampler
            .as_ref()
            .map_or(input_frames, |resampler| room_needed(resampler, input_frames))
    }

    fn span(&self, input: Frames) -> OutputSpan {
        match &self.resampler {
            Some(resampler) => {
                OutputSpan { first_frame: None, length: resampler.output_length(input) }
            }
            None => OutputSpan { first_frame: Some(0), length: input },
        }
    }

    fn properties(&self) -> Properties {
        Properties {
            held_back: self.resampler.as_ref().map_or(Frames::ZERO, Resampler::held_back),
            is_transparent: self.resampler.is_none(),
            ..Properties::default()
        }
    }

    fn report(&self) -> StepReport {
        let failure = (self.missing_frames > 0)
            .then(|| format!("the block has no room for {} further frames", self.missing_frames));
        StepReport { failure, ..StepReport::default() }
    }
}

/// Frames a block needs room for, so that output and unread input fit beside each other.
fn room_needed(resampler: &Resampler, input_frames: usize) -> usize {
    let step = resampler.max_output_frames(0);
    resampler.max_output_frames(input_frames).max(input_frames + step)
}
