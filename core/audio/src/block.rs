//! A planar block of samples that a chain of steps works on in place.

/// Planar `f32` samples, `[channel][frame]`, full scale +-1.0, with fixed capacity.
///
/// All channels live in one allocation made at construction. A step may change the number of frames
/// and of channels within the capacity, so that steps which trim, remix or resample work in place
/// and nothing allocates while audio runs.
#[derive(Clone, Debug)]
pub struct Block {
    data: Vec<f32>,
    channel_capacity: usize,
    frame_capacity: usize,
    channel_count: usize,
    frame_count: usize,
}

impl Block {
    /// An empty block (0 frames) of `channel_count` channels with room for `frame_capacity` frames.
    pub fn new(channel_count: usize, frame_capacity: usize) -> Self {
        Self::with_capacity(channel_count, channel_count, frame_capacity)
    }

    /// An empty block with room for more channels than it starts with.
    ///
    /// # Panics
    /// When `channel_count` exceeds `channel_capacity`.
    pub fn with_capacity(
        channel_count: usize,
        channel_capacity: usize,
        frame_capacity: usize,
    ) -> Self {
        assert!(channel_count <= channel_capacity, "more channels than capacity");
        Self {
            data: vec![0.0; channel_capacity * frame_capacity],
            channel_capacity,
            frame_capacity,
            channel_count,
            frame_count: 0,
        }
    }

    /// A block that holds a copy of `planes`, which must be equally long.
    ///
    /// # Panics
    /// When the planes differ in length.
    pub fn from_planes<P: AsRef<[f32]>>(planes: &[P]) -> Self {
        let frame_count = planes.first().map_or(0, |plane| plane.as_ref().len());
        let mut block = Self::new(planes.len(), frame_count);
        block.set_frame_count(frame_count);
        for (index, plane) in planes.iter().enumerate() {
            block.plane_mut(index).copy_from_slice(plane.as_ref());
        }
        block
    }

    /// Channels in use.
    pub fn channel_count(&self) -> usize {
        self.channel_count
    }

    /// Frames in use.
    pub fn frame_count(&self) -> usize {
        self.frame_count
    }

    /// Room for frames.
    pub fn frame_capacity(&self) -> usize {
        self.frame_capacity
    }

    /// Room for channels.
    pub fn channel_capacity(&self) -> usize {
        self.channel_capacity
    }

    /// Whether there is no frame in it.
    pub fn is_empty(&self) -> bool {
        self.frame_count == 0
    }

    /// Sets the number of frames; frames beyond the former number hold stale samples.
    ///
    /// # Panics
    /// When it exceeds the capacity: that is a bug of the caller.
    pub fn set_frame_count(&mut self, frame_count: usize) {
        assert!(frame_count <= self.frame_capacity, "more frames than capacity");
        self.frame_count = frame_count;
    }

    /// Sets the number of channels; new channels hold stale samples.
    ///
    /// # Panics
    /// When it exceeds the capacity: that is a bug of the caller.
    pub fn set_channel_count(&mut self, channel_count: usize) {
        assert!(channel_count <= self.channel_capacity, "more channels than capacity");
        self.channel_count = channel_count;
    }

    /// The samples of one channel.
    ///
    /// # Panics
    /// When there is no such channel: that is a bug of the caller.
    pub fn plane(&self, channel: usize) -> &[f32] {
        assert!(channel < self.channel_count, "channel out of range");
        let start = channel * self.frame_capacity;
        &self.data[start..start + self.frame_count]
    }

    /// The samples of one channel, to change.
    ///
    /// # Panics
    /// When there is no such channel: that is a bug of the caller.
    pub fn plane_mut(&mut self, channel: usize) -> &mut [f32] {
        assert!(channel < self.channel_count, "channel out of range");
        let start = channel * self.frame_capacity;
        &mut self.data[start..start + self.frame_count]
    }

    /// All channels in order.
    pub fn planes(&self) -> impl Iterator<Item = &[f32]> {
        // A capacity of 0 frames would make a chunk size of 0, which panics.
        self.data
            .chunks(self.frame_capacity.max(1))
            .chain(std::iter::repeat(&[][..]))
            .take(self.channel_count)
            .map(|plane| &plane[..self.frame_count])
    }

    /// All channels in order, to change.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let frame_count = self.frame_count;
        self.data
            .chunks_mut(self.frame_capacity.max(1))
            .take(self.channel_count)
            .map(move |plane| &mut plane[..frame_count])
    }

    /// Exchanges two channels. Real-time.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn swap_planes(&mut self, one: usize, other: usize) {
        assert!(one < self.channel_count() && other < self.channel_count(), "no such channel");
        let capacity = self.frame_capacity;
        let (low, high) = (one.min(other), one.max(other));
        if low < high {
            let (head, tail) = self.data.split_at_mut(high * capacity);
            head[low * capacity..][..self.frame_count]
                .swap_with_slice(&mut tail[..self.frame_count]);
        }
    }

    /// Sets every sample in use to zero.
    pub fn silence(&mut self) {
        for plane in self.planes_mut() {
            plane.fill(0.0);
        }
    }

    /// Drops the first `count` frames (or all of them).
    pub fn drop_front(&mut self, count: usize) {
        let count = count.min(self.frame_count);
        if count == 0 {
            return;
        }
        let frame_count = self.frame_count;
        for plane in self.planes_mut() {
            plane.copy_within(count..frame_count, 0);
        }
        self.frame_count -= count;
    }

    /// Makes this block a copy of frames `[start, start + count)` of `source`, channels included.
    ///
    /// # Panics
    /// When they do not fit the capacity.
    pub fn copy_from(&mut self, source: &Self, start: usize, count: usize) {
        self.set_channel_count(source.channel_count);
        self.set_frame_count(count);
        for channel in 0..source.channel_count {
            self.plane_mut(channel).copy_from_slice(&source.plane(channel)[start..start + count]);
        }
    }

    /// The first frame that holds a NaN or an infinity, if any.
    pub fn first_non_finite(&self) -> Option<usize> {
        // All of them, since a search that stops looks at one sample after the other.
        let has_some =
            |plane: &&[f32]| plane.iter().fold(false, |some, sample| some | !sample.is_finite());
        self.planes()
            .filter(has_some)
            .filter_map(|plane| plane.iter().position(|sample| !sample.is_finite()))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_keeps_planes_apart_when_frames_change() {
        let mut block = Block::from_planes(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        block.drop_front(1);
        assert_eq!(block.plane(0), [2.0, 3.0]);
        assert_eq!(block.plane(1), [5.0, 6.0]);
        block.drop_front(9);
        assert!(block.is_empty());
    }

    #[test]
    fn block_without_frames_still_has_planes() {
        assert_eq!(Block::new(2, 0).planes().count(), 2);
    }

    #[test]
    fn first_non_finite_names_the_earliest_frame_of_any_channel() {
        let block = Block::from_planes(&[[0.0, 0.0, f32::NAN], [0.0, f32::INFINITY, 0.0]]);
        assert_eq!(block.first_non_finite(), Some(1));
    }
}
