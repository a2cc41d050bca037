//! Frames from one to another.

use wavemill_audio::Block;
use wavemill_audio::units::Frames;

/// Frames `[start, end)` of a signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    /// Drops what lies outside of a block whose first frame is `position`.
    pub(super) fn cut(self, block: &mut Block, position: u64) {
        let block_end = position + block.frame_count() as u64;
        let start = self.start.clamp(position, block_end);
        let end = self.end.clamp(start, block_end);
        block.drop_front(Frames(start - position).as_usize());
        block.set_frame_count(Frames(end - start).as_usize());
    }
}
