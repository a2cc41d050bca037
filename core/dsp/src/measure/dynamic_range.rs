//! The DR value of the "TT Dynamic Range Meter".
//!
//! Source: Pleasurize Music Foundation, TT Dynamic Range Meter, as the open program "DR14 T.meter"
//! computes it: blocks of 3 s (at 44.1 kHz of 132,480 frames, a quirk of the original), the last one
//! shorter; per channel the second-highest block peak over the root mean square of the loudest fifth
//! of the blocks, RMS times the square root of two; mean of the channels, rounded.

use super::totals::Totals;
use wavemill_audio::units::{Decibels, SampleRate};

/// Share of the blocks that counts as loud.
const LOUD_SHARE: f64 = 0.2;

/// Fewest blocks that have a value.
const BLOCK_COUNT_MIN: usize = 3;

/// Energy and peak of one block of one channel.
#[derive(Clone, Copy, Debug)]
struct Piece {
    mean_square: f64,
    peak: f32,
}

/// Frames of a block.
pub(super) fn block_frames(rate: SampleRate) -> usize {
    let rate_hz = rate.0.max(1) as usize;
    if rate_hz == 44_100 { 132_480 } else { 3 * rate_hz }
}

/// One channel's blocks; keeps 16 bytes for each.
#[derive(Clone, Debug, Default)]
pub(super) struct DynamicRange {
    pieces: Vec<Piece>,
}

impl DynamicRange {
    /// Takes the next block.
    pub(super) fn push(&mut self, block: &Totals) {
        let mean_square = block.square_sum() / block.frame_count as f64;
        self.pieces.push(Piece { mean_square, peak: block.peak });
    }
}

/// The value of all channels, or `None` when the file is too short or a channel is silent.
pub(super) fn dr14(channels: Vec<DynamicRange>) -> Option<i32> {
    let channel_count = channels.len();
    let ranges: Option<Vec<Decibels>> =
        channels.into_iter().map(|channel| channel_range(channel.pieces)).collect();
    let sum: f64 = ranges?.iter().map(|range| range.0).sum();
    #[expect(clippy::cast_possible_truncation, reason = "a range of f32 samples is below 2000 dB")]
    let rounded = (sum / channel_count as f64).round() as i32;
    (channel_count > 0).then_some(rounded)
}

fn channel_range(mut pieces: Vec<Piece>) -> Option<Decibels> {
    if pieces.len() < BLOCK_COUNT_MIN {
        return None;
    }
    pieces.sort_unstable_by(|a, b| b.peak.total_cmp(&a.peak));
    let second_peak = f64::from(pieces[1].peak);
    let mut powers: Vec<f64> = pieces.iter().map(|piece| 2.0 * piece.mean_square).collect();
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
