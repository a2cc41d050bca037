//! `pad`: adds silence before and after.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{OutputSpan, Processor, Properties, Status, StepProcessor, Tail};
use wavemill_audio::limits::STEP_TIME_MAX;
use wavemill_audio::units::{Frames, Seconds};
use wavemill_audio::{Block, StreamSpec};

/// Most silence at the beginning: so much audio is kept in memory while it waits.
const START_MAX: Seconds = Seconds(60.0);

/// `pad{start_s, end_s}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: "pad",
    summary: "Adds silence at the beginning and the end.",
    manual: "Times are rounded to the nearest frame. The time reference of a Broadcast Wave file \
        moves back by the silence added before it, and is left out if that would be before \
        midnight.",
    params: &[
        ParamDescriptor {
            key: "start_s",
            summary: "Silence before the first frame.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: START_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamDescriptor {
            key: "end_s",
            summary: "Silence after the last frame.",
            kind: ParamKind::Number { unit: "s", min: 0.0, max: STEP_TIME_MAX.0 },
            default: ParamDefault::Number(0.0),
        },
    ],
    peaks: Peaks::Keeps,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let frames = |key| Ok(Seconds(params.number(key)?).to_frames(spec.sample_rate));
    let start = frames("start_s")?;
    let line = vec![0.0; start.as_usize()];
    Ok(StepProcessor::streaming(Pad {
        start,
        end: frames("end_s")?,
        lines: vec![line; spec.channel_count()],
        position: 0,
    }))
}

/// Delays the signal; its tail is what waits, and the silence after it.
#[derive(Clone, Debug)]
struct Pad {
    start: Frames,
    end: Frames,
    /// What waits, one ring a channel.
    lines: Vec<Vec<f32>>,
    /// Where the rings begin.
    position: usize,
}

impl Processor for Pad {
    fn process(&mut self, block: &mut Block) -> Status {
        let length = self.start.as_usize();
        if length == 0 {
            return Status::Continue;
        }
        for (line, plane) in self.lines.iter_mut().zip(block.planes_mut()) {
            let mut position = self.position;
            for sample in plane {
                std::mem::swap(sample, &mut line[position]);
                position += 1;
                if position == length {
                    position = 0;
                }
            }
        }
        self.position = (self.position + block.frame_count()) % length;
        Status::Continue
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(|line| line.fill(0.0));
        self.position = 0;
    }

    fn span(&self, input: Frames) -> OutputSpan {
        let first_frame = i64::try_from(self.start.0).ok().map(i64::wrapping_neg);
        OutputSpan { first_frame, length: input }
    }

    fn properties(&self) -> Properties {
        Properties {
            tail: Tail::Frames(self.start + self.end),
            // It only adds silence.
            is_transparent: true,
            ..Properties::default()
        }
    }
}
