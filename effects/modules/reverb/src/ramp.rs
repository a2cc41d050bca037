//! Values that move to their target in straight lines, a row at a time.

use crate::ROW;

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

/// A straight line over a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// At the row's first frame.
    pub(crate) start: f32,
    /// What it moves by each frame.
    pub(crate) slope: f32,
}

impl Line {
    /// The same all along.
    pub(crate) fn still(value: f32) -> Self {
        Self { start: value, slope: 0.0 }
    }

    /// In the frames from `frame` of the row on.
    #[inline]
    pub(crate) fn values(self, frame: usize) -> impl Iterator<Item = f32> {
        FRAMES[frame..].iter().map(move |frame| self.start + self.slope * frame)
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
        Self { now: Line::still(target), next: target, target, rows_left: 0 }
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

    /// Whether it is zero all along the row.
    pub(crate) fn is_zero(&self) -> bool {
        self.now.start == 0.0 && self.now.slope == 0.0
    }

    /// A new row begins.
    pub(crate) fn begin_row(&mut self) {
        let start = self.next;
        self.next = match self.rows_left {
            0 | 1 => self.target,
            rows => start + (self.target - start) / rows as f32,
        };
        self.rows_left = self.rows_left.saturating_sub(1);
        self.now = Line { start, slope: (self.next - start) / ROW as f32 };
    }
}
