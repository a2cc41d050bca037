//! `invert`: turns the polarity over.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{Processor, Status, StepProcessor};
use wavemill_audio::{Block, StreamSpec};

const NAME: &str = "invert";

/// `invert{channel}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Inverts the polarity.",
    manual: "Negates every sample. The most negative integer has no positive counterpart, so it \
        clips by one step when exported.",
    params: &[ParamDescriptor {
        key: "channel",
        summary: "Which channels to invert: all, or the left or right one of a stereo file.",
        kind: ParamKind::Choice(&["all", "left", "right"]),
        default: ParamDefault::Choice("all"),
    }],
    peaks: Peaks::Keeps,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let only = params.choice("channel", &[("all", None), ("left", Some(0)), ("right", Some(1))])?;
    if only.is_some() && spec.channel_count() != 2 {
        let reason = format!(
            "`channel` names one side, but the audio ({}) is not stereo; use `channel = \"all\"`",
            spec.layout
        );
        return Err(BuildError::Unsuitable { step: NAME, reason });
    }
    Ok(StepProcessor::streaming(Invert { only }))
}

/// Negates samples.
#[derive(Clone, Debug)]
struct Invert {
    /// The only channel; `None` for all.
    only: Option<usize>,
}

impl Processor for Invert {
    fn process(&mut self, block: &mut Block) -> Status {
        for (channel, plane) in block.planes_mut().enumerate() {
            if self.only.is_none_or(|only| only == channel) {
                for sample in plane {
                    *sample = -*sample;
                }
            }
        }
        Status::Continue
    }

    fn reset(&mut self) {}
}
