//! Values that move to their target in straight lines, a row at a time.

use crate::ROW;

/// A value on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    /// At the row's first frame.
    pub(crate) now: f32,
    /// What it moves by each frame of the row.
    pub(crate) slope: f32,
    next: f32,
    target: f32,
    rows_left: u32,
}

impl Ramp {
    /// Resting at `target`.
    pub(crate) fn at(target: f32) -> Self {
        Self { now: target, slope: 0.0, next: target, target, rows_left: 0 }
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

    /// Whether it has yet to arrive.
    pub(crate) fn is_moving(&self) -> bool {
        self.rows_left > 0
    }

    /// A new row begins.
    pub(crate) fn begin_row(&mut self) {
        self.now = self.next;
        self.next = match self.rows_left {
            0 | 1 => self.target,
            rows => self.now + (self.target - self.now) / rows as f32,
        };
        self.rows_left = self.rows_left.saturating_sub(1);
        self.slope = (self.next - self.now) / ROW as f32;
    }

    /// At this frame of the row.
    #[inline]
    pub(crate) fn value(&self, frame: usize) -> f32 {
        self.now + self.slope * frame as f32
    }
}
