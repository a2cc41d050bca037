//! When files are to be looked at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::time::Instant;

/// When which file is to be looked at.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, PathBuf)>>,
    /// Number of the last hash job.
    pub(super) token: u64,
}

impl Timers {
    /// The next one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((instant, _))| *instant)
    }

    /// Takes the next one where its time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, PathBuf)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(timer)| timer)
    }

    /// Adds one.
    pub(super) fn add(&mut self, due: Instant, relative: PathBuf) {
        self.heap.push(Reverse((due, relative)));
    }
}
