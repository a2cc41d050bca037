//! The step of samples that is being collected, and what came just before it.

use super::true_peak::{LOOK_AHEAD, LOOK_BACK};
use crate::audio::Block;

/// Samples kept from before the step: peaks are looked for [`LOOK_AHEAD`] frames late, and every one
/// of those frames needs those before it.
pub(super) const HISTORY: usize = LOOK_AHEAD + LOOK_BACK;

/// Silence that follows the last frame, so that it passes every filter whole.
pub(super) const TAIL: usize = 2 * LOOK_AHEAD;

/// Every channel's samples of a step behind [`HISTORY`] earlier ones, in one row.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    samples: Vec<f32>,
    stride: usize,
    frame_count: usize,
}

impl Steps {
    /// Room for steps of up to `frames_max` frames; silence came before.
    pub(super) fn new(channel_count: usize, frames_max: usize) -> Self {
        let stride = HISTORY + frames_max.max(TAIL);
        Self { samples: vec![0.0; channel_count * stride], stride, frame_count: 0 }
    }

    /// Silence before, and an empty step.
    pub(super) fn clear(&mut self) {
        self.samples.fill(0.0);
        self.frame_count = 0;
    }

    /// Takes frames of the block from `start` on, until the step has `step_frames` of them; returns
    /// how many it took.
    pub(super) fn fill(&mut self, block: &Block, start: usize, step_frames: usize) -> usize {
        let count = (step_frames - self.frame_count).min(block.frame_count() - start);
        let first = HISTORY + self.frame_count;
        for (plane, kept) in block.planes().zip(self.samples.chunks_exact_mut(self.stride)) {
            kept[first..first + count].copy_from_slice(&plane[start..start + count]);
        }
        self.frame_count += count;
        count
    }

    /// Lets `count` frames of silence begin the step, which must be empty.
    pub(super) fn fill_with_silence(&mut self, count: usize) {
        for kept in self.samples.chunks_exact_mut(self.stride) {
            kept[HISTORY..HISTORY + count].fill(0.0);
        }
        self.frame_count = count;
    }

    /// Frames of the step that are there.
    pub(super) fn frame_count(&self) -> usize {
        self.frame_count
    }

    /// Each channel's [`HISTORY`] samples from before the step and those of the step.
    pub(super) fn planes(&self) -> impl Iterator<Item = &[f32]> + Clone {
        self.samples.chunks_exact(self.stride).map(|kept| &kept[..HISTORY + self.frame_count])
    }

    /// Begins the next step: the present one becomes history.
    pub(super) fn advance(&mut self) {
        let count = std::mem::take(&mut self.frame_count);
        for kept in self.samples.chunks_exact_mut(self.stride) {
            kept.copy_within(count..count + HISTORY, 0);
        }
    }
}
