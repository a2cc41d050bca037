//! Audio that waits to be processed.

use std::collections::VecDeque;

/// Interleaved samples, at most so many frames; the oldest give way.
#[derive(Debug)]
pub(crate) struct Ring {
    samples: VecDeque<f32>,
    channels: usize,
    capacity: usize,
    high_water: usize,
    /// Frames that came.
    received: u64,
    dropped: u64,
}

impl Ring {
    /// `capacity` in frames.
    pub(crate) fn new(channels: usize, capacity: usize) -> Self {
        Self {
            samples: VecDeque::new(),
            channels,
            capacity,
            high_water: 0,
            received: 0,
            dropped: 0,
        }
    }

    /// Takes whole frames; returns how many had to give way.
    pub(crate) fn push(&mut self, samples: impl ExactSizeIterator<Item = f32>) -> u64 {
        let frames = samples.len() / self.channels;
        self.received += frames as u64;
        self.samples.extend(samples);
        let over = self.fill().saturating_sub(self.capacity);
        self.samples.drain(..over * self.channels);
        self.high_water = self.high_water.max(self.fill());
        self.dropped += over as u64;
        over as u64
    }

    /// Appends up to so many of the oldest frames to `out`; returns how many.
    pub(crate) fn take(&mut self, frames: usize, out: &mut Vec<f32>) -> usize {
        let frames = frames.min(self.fill());
        out.extend(self.samples.drain(..frames * self.channels));
        frames
    }

    /// Which frame of the input is the oldest here.
    pub(crate) fn front(&self) -> u64 {
        self.received - self.fill() as u64
    }

    /// Frames that wait.
    pub(crate) fn fill(&self) -> usize {
        self.samples.len() / self.channels
    }

    /// Frames that have room.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Most frames that ever waited.
    pub(crate) fn high_water(&self) -> usize {
        self.high_water
    }

    /// Frames that came.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Frames that gave way.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(range: std::ops::Range<u16>) -> impl ExactSizeIterator<Item = f32> {
        let samples: Vec<f32> = range.flat_map(|at| [f32::from(at), -f32::from(at)]).collect();
        samples.into_iter()
    }

    #[test]
    fn oldest_frames_give_way_and_are_counted() {
        let mut ring = Ring::new(2, 10);
        assert_eq!(ring.push(frames(0..8)), 0);
        assert_eq!(ring.push(frames(8..13)), 3);
        assert_eq!((ring.fill(), ring.front(), ring.high_water()), (10, 3, 10));
        let mut taken = Vec::new();
        assert_eq!(ring.take(4, &mut taken), 4);
        assert_eq!(taken, frames(3..7).collect::<Vec<_>>());
        assert_eq!(ring.push(frames(13..113)), 96);
        assert_eq!((ring.dropped(), ring.front(), ring.received()), (99, 103, 113));
        taken.clear();
        assert_eq!(ring.take(100, &mut taken), 10);
        assert_eq!(taken, frames(103..113).collect::<Vec<_>>());
    }
}
