//! `trim-silence`: removes silence before the first and after the last sound.

use super::span::Span;
use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{
    Finding, OutputSpan, ProcessError, Processor, Properties, Status, StepProcessor, StepReport,
    WholeFile,
};
use wavemill_audio::limits::STEP_TIME_MAX;
use wavemill_audio::units::{Decibels, Frames, SampleRate, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// `trim-silence{threshold_dbfs, min_length_s, pad_s}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "trim-silence",
    summary: "Removes silence at the beginning and the end.",
    manual: "Audio is silent where no channel exceeds the threshold; pauses within the audio stay. \
        An entirely silent file is left as it is, and the report says so. The time reference of a \
        Broadcast Wave file moves by what is removed at its beginning.",
    params: &[
        ParamDescriptor {
            key: "threshold_dbfs",
            summary: "Level up to which a sample is silent.",
            kind: ParamKind::Number { unit: "dBFS", min: -144.0, max: 0.0 },
            default: ParamDefault::Number(-60.0),
        },
        ParamDescriptor {
            key: "min_length_s",
            summary: "Minimum length of silence to remove; shorter silence stays.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: STEP_TIME_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamDescriptor {
            key: "pad_s",
            summary: "How much silence to keep next to the audio.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: STEP_TIME_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
    ],
    peaks: Peaks::Keeps,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let frames = |key| Ok(Seconds(params.number(key)?).to_frames(spec.sample_rate));
    let threshold = Decibels(params.number("threshold_dbfs")?);
    Ok(StepProcessor::of_whole_file(TrimSilence {
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        threshold: threshold.to_amplitude() as f32,
        min_length: frames("min_length_s")?,
        pad: frames("pad_s")?,
        rate: spec.sample_rate,
        observed: 0,
        sound: None,
        kept: None,
        position: 0,
    }))
}

/// Drops what lies outside the sound it observed.
#[derive(Clone, Debug)]
struct TrimSilence {
    /// Largest amplitude that is silent.
    threshold: f32,
    min_length: Frames,
    pad: Frames,
    rate: SampleRate,
    /// Frames observed.
    observed: u64,
    /// From the first to the last sound; `None` while there was none.
    sound: Option<Span>,
    /// What stays; `None` before `begin`, or when everything stays.
    kept: Option<Span>,
    /// Next frame of the input.
    position: u64,
}

impl TrimSilence {
    /// What stays of `length` frames.
    fn kept_of(&self, length: u64) -> Option<Span> {
        let sound = self.sound?;
        let trimmed = |silence: u64| {
            if silence < self.min_length.0 { 0 } else { silence.saturating_sub(self.pad.0) }
        };
        Some(Span { start: trimmed(sound.start), end: length - trimmed(length - sound.end) })
    }
}

impl Processor for TrimSilence {
    fn process(&mut self, block: &mut Block) -> Status {
        let start = self.position;
        self.position = start + block.frame_count() as u64;
        if let Some(kept) = self.kept {
            kept.cut(block, start);
        }
        Status::Continue
    }

    fn reset(&mut self) {
        self.position = 0;
    }

    fn span(&self, input: Frames) -> OutputSpan {
        OutputSpan {
            first_frame: i64::try_from(self.kept.map_or(0, |kept| kept.start)).ok(),
            length: self.kept.map_or(input, |kept| Frames(kept.end - kept.start)),
        }
    }

    fn properties(&self) -> Properties {
        // It only drops frames.
        Properties { is_transparent: true, ..Properties::default() }
    }

    fn begin(&mut self, length: Option<Frames>) -> Result<(), ProcessError> {
        if length.is_some_and(|length| length.0 != self.observed) {
            let reason = format!(
                "{} frames were observed of {}; both passes must be the same signal",
                self.observed,
                length.unwrap_or_default()
            );
            return Err(ProcessError { reason });
        }
        self.kept = self.kept_of(self.observed);
        Ok(())
    }

    fn report(&self) -> StepReport {
        let Some(kept) = self.kept else {
            return vec![Finding::text("left_alone", "silent throughout")].into();
        };
        let seconds = |frames: u64| Frames(frames).duration(self.rate).0;
        StepReport::from(vec![
            Finding::number("removed_start_s", seconds(kept.start)),
            Finding::number("removed_end_s", seconds(self.observed - kept.end)),
        ])
    }
}

impl WholeFile for TrimSilence {
    fn needs_samples(&self) -> bool {
        true
    }

    fn observe(&mut self, block: &Block) {
        let is_sound = |sample: &f32| sample.abs() > self.threshold;
        let first = block.planes().filter_map(|plane| plane.iter().position(is_sound)).min();
        let last = block.planes().filter_map(|plane| plane.iter().rposition(is_sound)).max();
        if let (Some(first), Some(last)) = (first, last) {
            let start = self.sound.map_or(self.observed + first as u64, |sound| sound.start);
            self.sound = Some(Span { start, end: self.observed + last as u64 + 1 });
        }
        self.observed += block.frame_count() as u64;
    }
}
