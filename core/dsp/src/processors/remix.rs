//! `remix`: changes the number of channels.

use crate::descriptor::{
    BuildError, ParamDefault, ParamDescriptor, ParamKind, Params, Peaks, StepDescriptor,
};
use crate::processor::{Processor, Status, StepProcessor, StepReport};
use std::f64::consts::FRAC_1_SQRT_2;
use wavemill_audio::limits::CHANNEL_COUNT_MAX;
use wavemill_audio::{Block, ChannelLayout, ChannelPosition, StreamSpec};

const NAME: &str = "remix";

/// Most channels delivered.
#[expect(clippy::cast_possible_wrap, reason = "the limit is small")]
const CHANNELS_MAX: i64 = CHANNEL_COUNT_MAX as i64;

/// Frames mixed at a time: the copy of the input stays in the first-level cache.
const CHUNK_FRAMES: usize = 256;

/// `remix{channels, from}`
pub(crate) const DESCRIPTOR: StepDescriptor = StepDescriptor {
    name: NAME,
    summary: "Mixes to mono or stereo, copies mono to stereo, or takes one channel.",
    manual: "Surround is mixed to stereo by ITU-R BS.775: center and surrounds at 0.7071, a single \
        back channel at 0.5, without LFE and without normalization, so peaks may rise. Stereo to \
        mono is (L+R)/2; surround to mono is mixed to stereo first. Mono is copied to left and \
        right. Audio that already has this number of channels does not change. Height channels and \
        channels without a known position cannot be mixed.",
    params: &[
        ParamDescriptor {
            key: "channels",
            summary: "Number of channels in the result.",
            kind: ParamKind::Integer { unit: "", min: 1, max: CHANNELS_MAX },
            default: ParamDefault::Required { example: "2" },
        },
        ParamDescriptor {
            key: "from",
            summary: "Source of the result: all channels mixed, or only the front left or front \
                right one.",
            kind: ParamKind::Choice(&["mix", "left", "right"]),
            default: ParamDefault::Choice("mix"),
        },
    ],
    peaks: Peaks::Raises,
    build,
};

fn build(params: &Params, spec: &StreamSpec) -> Result<StepProcessor, BuildError> {
    let channel_count = usize::try_from(params.integer("channels")?).unwrap_or_default();
    let sides = [
        ("mix", None),
        ("left", Some(ChannelPosition::FrontLeft)),
        ("right", Some(ChannelPosition::FrontRight)),
    ];
    let side = params.choice("from", &sides)?;
    let matrix = match side {
        Some(side) => one_side(&spec.layout, side, channel_count),
        None if channel_count == spec.channel_count() => Ok(identity(channel_count)),
        None => mix(&spec.layout, channel_count),
    };
    let matrix = matrix.map_err(|reason| BuildError::Unsuitable { step: NAME, reason })?;
    let keeps_layout = side.is_none() && channel_count == spec.channel_count();
    let layout =
        if keeps_layout { spec.layout.clone() } else { ChannelLayout::usual(channel_count) };
    Ok(StepProcessor::streaming(Remix {
        is_identity: keeps_layout,
        input_channel_count: spec.channel_count(),
        matrix,
        layout,
        input: vec![0.0; spec.channel_count() * CHUNK_FRAMES],
        is_out_of_room: false,
    }))
}

/// `[output channel][input channel]`
type Matrix = Vec<Vec<f64>>;

fn identity(channel_count: usize) -> Matrix {
    let row = |output| (0..channel_count).map(|input| f64::from(output == input)).collect();
    (0..channel_count).map(row).collect()
}

fn one_side(
    layout: &ChannelLayout,
    side: ChannelPosition,
    channel_count: usize,
) -> Result<Matrix, String> {
    if channel_count > 2 {
        return Err(format!("one side can fill 1 or 2 channels, not {channel_count}"));
    }
    let source = if layout.channel_count() == 1 { Some(0) } else { layout.index_of(side) };
    let Some(source) = source else {
        return Err(format!("the input ({layout}) has no such channel; use `from = \"mix\"`"));
    };
    let row: Vec<f64> =
        (0..layout.channel_count()).map(|input| f64::from(input == source)).collect();
    Ok(vec![row; channel_count])
}

fn mix(layout: &ChannelLayout, channel_count: usize) -> Result<Matrix, String> {
    match (layout.channel_count(), channel_count) {
        (1, 2) => Ok(vec![vec![1.0]; 2]),
        (2.., 2) => Ok(to_stereo(layout)?.into()),
        (2.., 1) => {
            let [left, right] = to_stereo(layout)?;
            Ok(vec![left.iter().zip(&right).map(|(l, r)| 0.5 * (l + r)).collect()])
        }
        (from, to) => Err(format!(
            "cannot convert {from} channels to {to}; mono converts to stereo, other layouts to \
            mono or stereo"
        )),
    }
}

/// Shares of every channel in left and right.
///
/// Source: ITU-R BS.775-3, Annex 4, table 2.
fn to_stereo(layout: &ChannelLayout) -> Result<[Vec<f64>; 2], String> {
    use ChannelPosition as P;
    let shares = |&position: &ChannelPosition| match position {
        P::FrontLeft => Ok((1.0, 0.0)),
        P::FrontRight => Ok((0.0, 1.0)),
        P::FrontCenter => Ok((FRAC_1_SQRT_2, FRAC_1_SQRT_2)),
        P::LowFrequency => Ok((0.0, 0.0)),
        P::BackLeft | P::SideLeft => Ok((FRAC_1_SQRT_2, 0.0)),
        P::BackRight | P::SideRight => Ok((0.0, FRAC_1_SQRT_2)),
        P::BackCenter => Ok((0.5, 0.5)),
        _ => Err(format!(
            "the input has a channel that cannot be mixed ({position:?}); use `from = \"left\"` or \
            `from = \"right\"`"
        )),
    };
    let shares: Vec<(f64, f64)> =
        layout.positions().iter().map(shares).collect::<Result<_, _>>()?;
    Ok([shares.iter().map(|share| share.0).collect(), shares.iter().map(|share| share.1).collect()])
}

/// Multiplies each frame with a matrix.
#[derive(Clone, Debug)]
struct Remix {
    is_identity: bool,
    input_channel_count: usize,
    matrix: Matrix,
    layout: ChannelLayout,
    /// A copy of the input channels of a chunk, `[channel][frame]`.
    input: Vec<f32>,
    /// Whether a block came that had no room for the output's channels.
    is_out_of_room: bool,
}

impl Remix {
    /// Mixes frames `[start, start + count)`.
    fn mix_chunk(&mut self, block: &mut Block, start: usize, count: usize) {
        for (channel, copy) in self.input.chunks_exact_mut(CHUNK_FRAMES).enumerate() {
            copy[..count].copy_from_slice(&block.plane(channel)[start..start + count]);
        }
        for (output, row) in self.matrix.iter().enumerate() {
            let plane = &mut block.plane_mut(output)[start..start + count];
            for (frame, sample) in plane.iter_mut().enumerate() {
                let inputs = self.input.chunks_exact(CHUNK_FRAMES);
                let sum: f64 = row
                    .iter()
                    .zip(inputs)
                    .map(|(share, input)| share * f64::from(input[frame]))
                    .sum();
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let rounded = sum as f32;
                *sample = rounded;
            }
        }
    }
}

impl Processor for Remix {
    fn process(&mut self, block: &mut Block) -> Status {
        if self.is_identity {
            return Status::Continue;
        }
        let widest = self.input_channel_count.max(self.matrix.len());
        if block.channel_capacity() < widest {
            self.is_out_of_room = true;
            return Status::Failed;
        }
        block.set_channel_count(widest);
        let frame_count = block.frame_count();
        for start in (0..frame_count).step_by(CHUNK_FRAMES) {
            self.mix_chunk(block, start, CHUNK_FRAMES.min(frame_count - start));
        }
        block.set_channel_count(self.matrix.len());
        Status::Continue
    }

    fn reset(&mut self) {
        self.is_out_of_room = false;
    }

    fn output_spec(&self, input: &StreamSpec) -> StreamSpec {
        StreamSpec { sample_rate: input.sample_rate, layout: self.layout.clone() }
    }

    fn report(&self) -> StepReport {
        let widest = self.input_channel_count.max(self.matrix.len());
        let failure =
            self.is_out_of_room.then(|| format!("the block has no room for {widest} channels"));
        StepReport { failure, ..StepReport::default() }
    }
}
