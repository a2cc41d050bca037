//! The unprocessed signal, late by what a stage is late.

use wavemill_core::audio::Block;

/// The last frames of every channel, in a ring.
#[derive(Debug)]
pub(crate) struct DryLine {
    planes: Vec<Vec<f32>>,
    latency: usize,
    /// Most frames of one [`Self::write`].
    frames_max: usize,
    /// Where the next frame is written.
    at: usize,
    /// Frames of the last write.
    count: usize,
}

impl DryLine {
    /// `latency` and `frames_max` in frames.
    pub(crate) fn new(channel_count: usize, latency: usize, frames_max: usize) -> Self {
        let planes = vec![vec![0.0; latency + frames_max]; channel_count];
        Self { planes, latency, frames_max, at: 0, count: 0 }
    }

    /// Takes a block. Real-time.
    pub(crate) fn write(&mut self, block: &Block) {
        self.count = block.frame_count().min(self.frames_max);
        if self.latency == 0 {
            // Nothing before is read again, and what was written last is still in the processor's cache.
            self.at = 0;
        }
        for (ring, plane) in self.planes.iter_mut().zip(block.planes()) {
            let until_end = self.count.min(ring.len() - self.at);
            let (first, second) = plane[..self.count].split_at(until_end);
            ring[self.at..self.at + until_end].copy_from_slice(first);
            ring[..second.len()].copy_from_slice(second);
        }
        self.at = (self.at + self.count) % (self.latency + self.frames_max);
    }

    /// The delayed samples that belong to the block written last: two pieces, the earlier one first. Real-time.
    pub(crate) fn read(&self, channel: usize) -> (&[f32], &[f32]) {
        let ring = &self.planes[channel];
        let length = ring.len();
        let start = (self.at + 2 * length - self.count - self.latency) % length;
        let until_end = self.count.min(length - start);
        (&ring[start..start + until_end], &ring[..self.count - until_end])
    }

    /// Silence. Real-time.
    pub(crate) fn clear(&mut self) {
        for plane in &mut self.planes {
            plane.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dry_signal_is_late_by_the_latency_however_it_is_cut() {
        let source: Vec<f32> = (1..=40_u8).map(f32::from).collect();
        for latency in [0, 1, 3, 7] {
            let mut line = DryLine::new(1, latency, 4);
            let mut output: Vec<f32> = Vec::new();
            for (start, count) in [(0, 1), (1, 4), (5, 2), (7, 4), (11, 4), (15, 3), (18, 0)] {
                line.write(&Block::from_planes(&[&source[start..start + count]]));
                let (first, second) = line.read(0);
                output.extend(first.iter().chain(second));
            }
            let mut expected = vec![0.0; latency];
            expected.extend(&source);
            expected.truncate(output.len());
            assert_eq!(output, expected, "latency {latency}");
        }
    }
}
