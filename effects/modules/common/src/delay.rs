//! Audio held back while the detector looks ahead.

use alloc::{vec, vec::Vec};

/// A delay of the same number of frames for every channel.
#[derive(Debug)]
pub struct Delay {
    /// One ring a channel, one after the other.
    rings: Vec<f32>,
    frames: usize,
    position: usize,
}

impl Delay {
    /// Allocates for `channels` delays of `frames`; 0 frames delay nothing.
    pub fn new(channels: usize, frames: usize) -> Self {
        Self { rings: vec![0.0; channels * frames], frames, position: 0 }
    }

    /// The delay in frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Swaps the samples of one channel for those that went in before. Every channel once, then [`Delay::advance`].
    pub fn swap(&mut self, channel: usize, mut samples: &mut [f32]) {
        if self.frames == 0 {
            return;
        }
        let ring = &mut self.rings[channel * self.frames..][..self.frames];
        let mut position = self.position;
        if samples.len() >= self.frames {
            // A ring this short would be gone around many times. Its oldest sample lies at the position.
            ring.rotate_left(position);
            position = (position + samples.len()) % self.frames;
            samples.rotate_right(self.frames);
            samples[..self.frames].swap_with_slice(ring);
            ring.rotate_right(position);
            return;
        }
        while !samples.is_empty() {
            let count = samples.len().min(self.frames - position);
            let (now, later) = samples.split_at_mut(count);
            ring[position..position + count].swap_with_slice(now);
            position = (position + count) % self.frames;
            samples = later;
        }
    }

    /// All channels are `frames` further.
    pub fn advance(&mut self, frames: usize) {
        if self.frames > 0 {
            self.position = (self.position + frames) % self.frames;
        }
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.rings.fill(0.0);
        self.position = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delayed(frames: usize, block: usize) -> Vec<f32> {
        let mut delay = Delay::new(2, frames);
        let mut signal: Vec<f32> = (1..=100_u8).map(f32::from).collect();
        for part in signal.chunks_mut(block) {
            delay.swap(1, part);
            delay.advance(part.len());
        }
        signal
    }

    #[test]
    fn delay_gives_back_what_went_in_that_many_frames_before() {
        for frames in [0, 1, 5, 99, 150] {
            for block in [1, 7, 100] {
                let silent = frames.min(100);
                let out = delayed(frames, block);
                assert!(out[..silent].iter().all(|sample| *sample == 0.0));
                let expected: Vec<f32> = (1..=100_u8).map(f32::from).take(100 - silent).collect();
                assert_eq!(out[silent..], expected);
            }
        }
    }

    #[test]
    fn delay_after_reset_is_silent() {
        let mut delay = Delay::new(1, 3);
        delay.swap(0, &mut [1.0, 2.0]);
        delay.advance(2);
        delay.reset();
        let mut samples = [5.0; 3];
        delay.swap(0, &mut samples);
        assert_eq!(samples, [0.0; 3]);
    }
}
