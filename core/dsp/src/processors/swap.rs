//! `swap`: exchanges left and right.

use crate::descriptor::{BuildError, Params, Peaks, StepDescriptor};
use crate::processor::{Processor, Properties, Status, StepProcessor};
use wavemill_audio::{Block, ChannelLayout, ChannelPosition, StreamSpec};

const NAME: &str = "swap";

/// `swap`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Swaps left and right.",
    manual: "Swaps each left channel with its right counterpart: front, side, back and height. \
        Other channels stay.",
    params: &[],
    peaks: Peaks::Keeps,
    build,
};

use ChannelPosition as P;

/// Channels that face each other.
const SIDES: &[(ChannelPosition, ChannelPosition)] = &[
    (P::FrontLeft, P::FrontRight),
    (P::BackLeft, P::BackRight),
    (P::FrontLeftOfCenter, P::FrontRightOfCenter),
    (P::SideLeft, P::SideRight),
    (P::TopFrontLeft, P::TopFrontRight),
    (P::TopBackLeft, P::TopBackRight),
];

fn build(_params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let pairs = pairs(&spec.layout);
    if pairs.is_empty() {
        let reason = format!("the audio ({}) has no left and right channels", spec.layout);
        return Err(BuildError::Unsuitable { step: NAME, reason });
    }
    Ok(StepProcessor::streaming(Swap { pairs }))
}

fn pairs(layout: &ChannelLayout) -> Vec<(usize, usize)> {
    let pair = |&(left, right)| Some((layout.index_of(left)?, layout.index_of(right)?));
    SIDES.iter().filter_map(pair).collect()
}

/// Exchanges channels.
#[derive(Clone, Debug)]
struct Swap {
    pairs: Vec<(usize, usize)>,
}

impl Processor for Swap {
    fn process(&mut self, block: &mut Block) -> Status {
        for &(left, right) in &self.pairs {
            block.swap_planes(left, right);
        }
        Status::Continue
    }

    fn reset(&mut self) {}

    fn properties(&self) -> Properties {
        // It only moves samples.
        Properties { is_transparent: true, ..Properties::default() }
    }
}
