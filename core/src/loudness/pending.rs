//! Frames of a step that is not complete yet.

use crate::audio::Block;

/// The beginning of a step, kept until a block brings its end.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    samples: Vec<f32>,
    frames_max: usize,
    frame_count: usize,
}

impl Pending {
    /// Room for steps of up to `frames_max` frames.
    pub(super) fn new(channel_count: usize, frames_max: usize) -> Self {
        Self { samples: vec![0.0; channel_count * frames_max], frames_max, frame_count: 0 }
    }

    /// How many of the block's frames from `start` on complete the step; `None` when there are too
    /// few, which are kept then.
    pub(super) fn fill(
        &mut self,
        block: &Block,
        start: usize,
        step_frames: usize,
    ) -> Option<usize> {
        let available = block.frame_count() - start;
        let missing = step_frames - self.frame_count;
        let is_complete = available >= missing;
        if self.frame_count > 0 || !is_complete {
            let count = missing.min(available);
            for (plane, kept) in block.planes().zip(self.samples.chunks_mut(self.frames_max)) {
                kept[self.frame_count..][..count].copy_from_slice(&plane[start..start + count]);
            }
            self.frame_count += count;
        }
        is_complete.then_some(missing)
    }

    /// A channel's samples of the step that [`Self::fill`] completed: in the block itself where all of
    /// them are there.
    pub(super) fn step<'b>(
        &'b self,
        block: &'b Block,
        start: usize,
        channel: usize,
        step_frames: usize,
    ) -> &'b [f32] {
        if self.frame_count == 0 {
            return &block.plane(channel)[start..start + step_frames];
        }
        &self.samples[channel * self.frames_max..][..step_frames]
    }

    /// Begins the next step.
    pub(super) fn clear(&mut self) {
        self.frame_count = 0;
    }
}
