//! The DR value of the "TT Dynamic Range Meter".
//!
//! Source: Pleasurize Music Foundation, TT Dynamic Range Meter, as the open program "DR14 T.meter"
//! computes it: blocks of 3 s (at 44.1 kHz of 132,480 frames, a quirk of the original), the last one
//! shorter; per channel the second-highest block peak over the root mean square of the loudest fifth
//! of the blocks, RMS times the square root of two; mean of the channels, rounded.

use crate::audio::{Block, StreamSpec};
use crate::units::Decibels;

/// Share of the blocks that counts as loud.
const LOUD_SHARE: f64 = 0.2;

/// Fewest blocks that have a value.
const BLOCK_COUNT_MIN: usize = 3;

/// Energy and peak of one block of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    square_sum: f64,
    frame_count: usize,
    peak: f32,
}

/// Collects blocks; keeps 24 bytes a channel for every 3 s.
#[derive(Debug)]
pub(super) struct DynamicRange {
    block_frames: usize,
    /// `[channel][block]`; the last one is being filled.
    pieces: Vec<Vec<Piece>>,
}

impl DynamicRange {
    pub(super) fn new(spec: &StreamSpec) -> Self {
        let rate_hz = spec.sample_rate.0.max(1) as usize;
        let block_frames = if rate_hz == 44_100 { 132_480 } else { 3 * rate_hz };
        Self { block_frames, pieces: vec![Vec::new(); spec.channel_count()] }
    }

    pub(super) fn push(&mut self, block: &Block) {
        for (pieces, mut plane) in self.pieces.iter_mut().zip(block.planes()) {
            while !plane.is_empty() {
                if pieces.last().is_none_or(|piece| piece.frame_count == self.block_frames) {
                    pieces.push(Piece::default());
                }
                let piece = pieces.last_mut().expect("one was pushed if there was none");
                let count = plane.len().min(self.block_frames - piece.frame_count);
                let (now, later) = plane.split_at(count);
                for &sample in now {
                    piece.square_sum += f64::from(sample) * f64::from(sample);
                    piece.peak = piece.peak.max(sample.abs());
                }
                piece.frame_count += count;
                plane = later;
            }
        }
    }

    /// The value, or `None` when the file is too short or a channel is silent.
    pub(super) fn finish(self) -> Option<i32> {
        let channel_count = self.pieces.len();
        let ranges: Option<Vec<Decibels>> = self.pieces.into_iter().map(channel_range).collect();
        let sum: f64 = ranges?.iter().map(|range| range.0).sum();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a range of f32 samples is below 2000 dB"
        )]
        let rounded = (sum / channel_count as f64).round() as i32;
        (channel_count > 0).then_some(rounded)
    }
}

fn channel_range(mut pieces: Vec<Piece>) -> Option<Decibels> {
    if pieces.len() < BLOCK_COUNT_MIN {
        return None;
    }
    pieces.sort_unstable_by(|a, b| b.peak.total_cmp(&a.peak));
    let second_peak = f64::from(pieces[1].peak);
    let mut powers: Vec<f64> =
        pieces.iter().map(|piece| 2.0 * piece.square_sum / piece.frame_count as f64).collect();
    powers.sort_unstable_by(|a, b| b.total_cmp(a));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count is a count"
    )]
    let loud_count = ((powers.len() as f64 * LOUD_SHARE).floor() as usize).max(1);
    let loud_power = powers[..loud_count].iter().sum::<f64>() / loud_count as f64;
    Decibels::from_amplitude(second_peak / loud_power.sqrt())
}
