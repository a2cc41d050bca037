//! `range`: keeps a part of the file.

use super::span::Span;
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{
    Finding, OutputSpan, ProcessError, Processor, Properties, Status, StepProcessor, StepReport,
};
use wavemill_audio::limits::DURATION_MAX;
use wavemill_audio::units::{Frames, SampleRate, Seconds};
use wavemill_audio::{Block, StreamSpec};

const NAME: &str = "range";

/// `range{start_s, end_s}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Keeps the audio between two times.",
    manual: "Times are rounded to the nearest frame. `start_s` is the first frame kept and `end_s` \
        the first frame dropped, so adjacent ranges join without a gap. If `end_s` is past the end \
        of the file, the file's end is used, and the report says so; a `start_s` past the end is \
        an error. The time reference of a Broadcast Wave file moves by what is removed at its \
        beginning.",
    params: &[
        ParamDescriptor {
            key: "start_s",
            summary: "Start of the range.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: DURATION_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamDescriptor {
            key: "end_s",
            summary: "End of the range; default: the end of the file.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: DURATION_MAX.0 },
            default: ParamDefault::Absent,
        },
    ],
    peaks: Peaks::Keeps,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let rate = spec.sample_rate;
    let start_s = params.number("start_s")?;
    let start = Seconds(start_s).to_frames(rate).0;
    let end_s = params.optional_number("end_s");
    let end = end_s.map_or(u64::MAX, |end| Seconds(end).to_frames(rate).0);
    if let Some(end_s) = end_s.filter(|_| end <= start) {
        let reason = format!("`end_s` is {end_s} s; it must be after `start_s`, {start_s} s");
        return Err(BuildError::Unsuitable { step: NAME, reason });
    }
    let asked = Span { start, end };
    Ok(StepProcessor::streaming(Range { asked, rate, length: None, position: 0 }))
}

/// Drops what lies outside.
#[derive(Clone, Debug)]
struct Range {
    asked: Span,
    rate: SampleRate,
    /// Frames of the input; known after `begin`.
    length: Option<u64>,
    /// Next frame of the input.
    position: u64,
}

impl Range {
    fn seconds(&self, frames: u64) -> f64 {
        Frames(frames).duration(self.rate).0
    }
}

impl Processor for Range {
    fn process(&mut self, block: &mut Block) -> Status {
        let start = self.position;
        self.position = start + block.frame_count() as u64;
        self.asked.cut(block, start);
        Status::Continue
    }

    fn reset(&mut self) {
        self.position = 0;
    }

    fn span(&self, input: Frames) -> OutputSpan {
        OutputSpan {
            first_frame: i64::try_from(self.asked.start).ok(),
            length: Frames(self.asked.end.min(input.0).saturating_sub(self.asked.start)),
        }
    }

    fn properties(&self) -> Properties {
        // It only drops frames.
        Properties { is_transparent: true, needs_length: true, ..Properties::default() }
    }

    fn begin(&mut self, length: Option<Frames>) -> Result<(), ProcessError> {
        self.length = length.map(|length| length.0);
        match self.length {
            Some(length) if length <= self.asked.start => {
                // Milliseconds are enough for people.
                let shown = |frames| (self.seconds(frames) * 1000.0).round() / 1000.0;
                let (start_s, length_s) = (shown(self.asked.start), shown(length));
                let reason =
                    format!("`start_s` is {start_s} s, but the audio lasts only {length_s} s");
                Err(ProcessError { reason })
            }
            _ => Ok(()),
        }
    }

    fn report(&self) -> StepReport {
        let length = self.length.unwrap_or(u64::MAX);
        let end = self.asked.end.min(length);
        StepReport::from(vec![
            Finding::number("kept_start_s", self.seconds(self.asked.start)),
            Finding::number("kept_end_s", self.seconds(end)),
            Finding::flag("ends_early", self.asked.end != u64::MAX && self.asked.end > length),
        ])
    }
}
