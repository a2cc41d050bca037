//! The unprocessed signal, late by what the effect is late.

use wavemill_core::audio::Block;

/// The last frames of every channel, in a ring.
#[derive(Debug)]
pub(super) struct DryLine {
    planes: Vec<Vec<f32>>,
    latency: usize,
    max_frames: usize,
    /// Where the next frame is written.
    at: usize,
}

impl DryLine {
    /// `latency` and `max_frames`, the most frames of one [`Self::write`], in frames.
    pub(super) fn new(channel_count: usize, latency: usize, max_frames: usize) -> Self {
        Self {
            planes: vec![vec![0.0; latency + max_frames]; channel_count],
            latency,
            max_frames,
            at: 0,
        }
    }

    pub(super) fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// Takes frames `[start, start + count)` of a block. Real-time.
    pub(super) fn write(&mut self, block: &Block, start: usize, count: usize) {
        for (ring, plane) in self.planes.iter_mut().zip(block.planes()) {
            let until_end = count.min(ring.len() - self.at);
            let (first, second) = plane[start..start + count].split_at(until_end);
            ring[self.at..self.at + until_end].copy_from_slice(first);
            ring[..second.len()].copy_from_slice(second);
        }
        let length = self.latency + self.max_frames;
        self.at = (self.at + count) % length;
    }

    /// The delayed sample that belongs to frame `index` of the last `count` written ones. Real-time.
    pub(super) fn read(&self, channel: usize, count: usize, index: usize) -> f32 {
        let length = self.latency + self.max_frames;
        let at = self.at + 2 * length - count - self.latency + index;
        self.planes[channel][at % length]
    }

    /// Silence. Real-time.
    pub(super) fn clear(&mut self) {
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
            let mut output = Vec::new();
            for (piece, count) in [(0, 1), (1, 4), (5, 2), (7, 4), (11, 4), (15, 3)] {
                line.write(&Block::from_planes(&[&source]), piece, count);
                output.extend((0..count).map(|index| line.read(0, count, index)));
            }
            let mut expected = vec![0.0; latency];
            expected.extend(&source);
            expected.truncate(output.len());
            assert_eq!(output, expected, "latency {latency}");
        }
    }
}
