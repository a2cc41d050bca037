//! A delay of whole frames, worked on row by row.

use crate::{ROW, Row};
use alloc::vec;
use alloc::vec::Vec;

/// As many frames as the delay is long, and a row: what is read as a row lies in one piece.
#[derive(Debug)]
pub(crate) struct Ring {
    memory: Vec<f32>,
    length: usize,
    at: usize,
}

impl Ring {
    /// A delay of `length` frames. Rows must not be longer than it.
    pub(crate) fn new(length: usize) -> Self {
        Self { memory: vec![0.0; length + ROW], length, at: 0 }
    }

    /// Frames of delay.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The next row: on entry what was written `length` frames ago; what the caller leaves in its first `frames`
    /// frames at [`Ring::advance`] comes back after as many.
    #[inline]
    pub(crate) fn row(&mut self, frames: usize) -> &mut Row {
        let end = self.at + frames;
        if end > self.length {
            self.memory.copy_within(0..end - self.length, self.length);
        }
        self.row_again()
    }

    /// The same row again, before [`Ring::advance`].
    #[inline]
    pub(crate) fn row_again(&mut self) -> &mut Row {
        let row = &mut self.memory[self.at..self.at + ROW];
        row.try_into().expect("a slice of a row's length is a row")
    }

    /// `frames` frames of the row were replaced.
    #[inline]
    pub(crate) fn advance(&mut self, frames: usize) {
        let end = self.at + frames;
        if end >= self.length {
            self.memory.copy_within(self.length..end, 0);
            self.at = end - self.length;
        } else {
            self.at = end;
        }
    }

    /// Silence.
    pub(crate) fn clear(&mut self) {
        self.memory.fill(0.0);
        self.at = 0;
    }
}
