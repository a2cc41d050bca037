//! Where sub-blocks begin: every [`SUB_BLOCK`] frames from the start of the stream, however the host cuts it.

/// Frames of a sub-block: 0.7 ms at 48 kHz, so that steps of slow controls stay inaudible; a multiple of every SIMD width.
pub const SUB_BLOCK: usize = 32;

/// A value for every frame of a sub-block.
pub type Row = [f32; SUB_BLOCK];

/// Cuts blocks at the borders of sub-blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grid {
    phase: usize,
}

/// Frames `[from, to)` of a block, all in one sub-block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First frame in the block.
    pub from: usize,
    /// Frame after the last one.
    pub to: usize,
    /// Frames of the sub-block that came before; 0 where it begins.
    pub phase: usize,
}

impl Segment {
    /// Whether a sub-block begins here: the moment for slow controls to move.
    pub fn starts(&self) -> bool {
        self.phase == 0
    }

    /// Frames, 1 to [`SUB_BLOCK`].
    pub fn frames(&self) -> usize {
        self.to - self.from
    }
}

impl Grid {
    /// The start of a stream.
    pub const fn new() -> Self {
        Self { phase: 0 }
    }

    /// The segment that begins at frame `from` of a block of `frames`; `None` at its end.
    pub fn next(&mut self, from: usize, frames: usize) -> Option<Segment> {
        if from >= frames {
            return None;
        }
        let phase = self.phase;
        let count = (SUB_BLOCK - phase).min(frames - from);
        self.phase = (phase + count) % SUB_BLOCK;
        Some(Segment { from, to: from + count, phase })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_blocks_begin_at_the_same_frames_however_blocks_are_cut() {
        for frames in [1, 7, 31, 32, 33, 100] {
            let mut grid = Grid::new();
            let mut position = 0;
            let mut starts = Vec::new();
            while position < 300 {
                let mut at = 0;
                while let Some(segment) = grid.next(at, frames) {
                    assert_eq!(segment.from, at);
                    assert!(segment.phase + segment.frames() <= SUB_BLOCK);
                    if segment.starts() {
                        starts.push(position + at);
                    }
                    at = segment.to;
                }
                position += frames;
            }
            assert!(starts.iter().enumerate().all(|(k, start)| *start == 32 * k), "{starts:?}");
        }
    }
}
