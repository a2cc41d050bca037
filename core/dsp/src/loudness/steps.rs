//! The step of samples that is being collected, and what came just before it.

use super::true_peak::{LOOK_AHEAD, LOOK_BACK};
use wavemill_audio::Block;
use wavemill_audio::limits::SAMPLE_MAGNITUDE_MAX;

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
    invalid_samples: u64,
}

impl Steps {
    /// Room for steps of up to `frames_max` frames; silence came before.
    pub(super) fn new(channel_count: usize, frames_max: usize) -> Self {
        let stride = HISTORY + frames_max.max(TAIL);
        Self {
            samples: vec![0.0; channel_count * stride],
            stride,
            frame_count: 0,
            invalid_samples: 0,
        }
    }

    /// Silence before, and an empty step.
    pub(super) fn clear(&mut self) {
        self.samples.fill(0.0);
        self.frame_count = 0;
        self.invalid_samples = 0;
    }

    /// Takes frames of the block from `start` on, until the step has `step_frames` of them; returns
    /// how many it took. Samples that are not finite or beyond [`SAMPLE_MAGNITUDE_MAX`] become silence: one
    /// of them would be all that the meter shows for the rest of the signal.
    pub(super) fn fill(&mut self, block: &Block, start: usize, step_frames: usize) -> usize {
        let count = (step_frames - self.frame_count).min(block.frame_count() - start);
        let first = HISTORY + self.frame_count;
        for (plane, kept) in block.planes().zip(self.samples.chunks_exact_mut(self.stride)) {
            let taken = &mut kept[first..first + count];
            taken.copy_from_slice(&plane[start..start + count]);
            if has_invalid(taken) {
                self.invalid_samples += silence_invalid(taken);
            }
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

    /// Samples so far that became silence.
    pub(super) fn invalid_samples(&self) -> u64 {
        self.invalid_samples
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

/// Whether a sample is within what the meter believes; no NaN is.
fn is_valid(sample: f32) -> bool {
    sample.abs() <= SAMPLE_MAGNITUDE_MAX
}

/// Without a branch for each sample, so that it takes hardly longer than the copy.
fn has_invalid(samples: &[f32]) -> bool {
    samples.iter().fold(false, |found, &sample| found | !is_valid(sample))
}

/// Returns how many there were.
#[cold]
fn silence_invalid(samples: &mut [f32]) -> u64 {
    let invalid = samples.iter_mut().filter(|sample| !is_valid(**sample));
    invalid.map(|sample| *sample = 0.0).count() as u64
}
