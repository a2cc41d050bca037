//! Values that move to their target in straight lines, a row at a time.

use crate::{ROW, TILE};
use wavemill_effect::lanes::F32x4;

/// Frames of a row as numbers, and a few more for who reads four at a time.
const FRAMES: [f32; 2 * ROW] = {
    let mut frames = [0.0; 2 * ROW];
    let mut frame = 0;
    while frame < frames.len() {
        frames[frame] = frame as f32;
        frame += 1;
    }
    frames
};

/// The numbers of four frames of a row, from `first` on.
#[inline]
pub(crate) fn frames(first: usize) -> F32x4 {
    let mut frames = [0.0; TILE];
    frames.copy_from_slice(&FRAMES[first..first + TILE]);
    F32x4::new(frames)
}

/// A straight line over a row; each number four times, as registers want it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// At the row's first frame.
    start: [f32; TILE],
    /// What it moves by each frame.
    slope: [f32; TILE],
}

impl Line {
    /// From the row's first frame to the next row's.
    pub(crate) fn new(from: f32, to: f32) -> Self {
        Self { start: [from; TILE], slope: [(to - from) / ROW as f32; TILE] }
    }

    /// At these [`frames`].
    #[inline]
    pub(crate) fn at(&self, frames: F32x4) -> F32x4 {
        F32x4::new(self.start) + F32x4::new(self.slope) * frames
    }

    /// Whether it is zero all along.
    #[expect(clippy::float_cmp, reason = "not even the smallest signal may come through")]
    pub(crate) fn is_zero(&self) -> bool {
        self.start == [0.0; TILE] && self.slope == [0.0; TILE]
    }
}

/// A value on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    /// In the row.
    pub(crate) now: Line,
    next: f32,
    target: f32,
    rows_left: u32,
}

impl Ramp {
    /// Resting at `target`.
    pub(crate) fn at(target: f32) -> Self {
        Self { now: Line::new(target, target), next: target, target, rows_left: 0 }
    }

    /// Turns to another target, to arrive in `rows` rows.
    pub(crate) fn turn_to(&mut self, target: f32, rows: u32) {
        self.target = target;
        self.rows_left = rows;
    }

    /// Where it is going.
    pub(crate) fn target(&self) -> f32 {
        self.target
    }

    /// A new row begins.
    pub(crate) fn begin_row(&mut self) {
        let start = self.next;
        self.next = match self.rows_left {
            0 | 1 => self.target,
            rows => start + (self.target - start) / rows as f32,
        };
        self.rows_left = self.rows_left.saturating_sub(1);
        self.now = Line::new(start, self.next);
    }
}
