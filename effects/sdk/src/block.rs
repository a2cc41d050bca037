//! The samples an effect works on.

/// Planar samples, `[channel][frame]`, full scale +-1.0, worked on in place.
#[derive(Debug)]
pub struct Block<'a> {
    samples: &'a mut [f32],
    stride: usize,
    frames: usize,
}

impl<'a> Block<'a> {
    /// The first `frames` frames of planes that begin every `stride` samples.
    ///
    /// # Panics
    /// When `stride` is 0, smaller than `frames`, or does not divide the samples.
    pub fn new(samples: &'a mut [f32], stride: usize, frames: usize) -> Self {
        assert!(stride > 0 && frames <= stride && samples.len().is_multiple_of(stride));
        Self { samples, stride, frames }
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.samples.len() / self.stride
    }

    /// Frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// One channel's samples.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn plane(&self, channel: usize) -> &[f32] {
        &self.samples[channel * self.stride..][..self.frames]
    }

    /// One channel's samples, to change.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn plane_mut(&mut self, channel: usize) -> &mut [f32] {
        &mut self.samples[channel * self.stride..][..self.frames]
    }

    /// The first two channels, to change.
    ///
    /// # Panics
    /// When there are fewer than two.
    pub fn pair_mut(&mut self) -> (&mut [f32], &mut [f32]) {
        let (left, right) = self.samples.split_at_mut(self.stride);
        (&mut left[..self.frames], &mut right[..self.frames])
    }

    /// All channels in order, to change.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let frames = self.frames;
        self.samples.chunks_exact_mut(self.stride).map(move |plane| &mut plane[..frames])
    }
}
