//! Parameter changes at exact frames.

/// A value from a frame on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    /// Frame of the input, from the stream's start.
    pub(crate) at: u64,
    pub(crate) id: u32,
    pub(crate) value: f64,
}

/// Changes in the order of their frames; those of one frame in the order they were scheduled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    all: Vec<Change>,
    /// The first one that is not due yet.
    next: usize,
}

impl Changes {
    /// One for a frame that has passed is due at once. May allocate.
    pub(crate) fn add(&mut self, change: Change) {
        let later = &self.all[self.next..];
        let index = self.next + later.partition_point(|other| other.at <= change.at);
        self.all.insert(index, change);
    }

    /// The next change due at `position`. Real-time.
    pub(crate) fn take_due(&mut self, position: u64) -> Option<Change> {
        let change = *self.all.get(self.next).filter(|change| change.at <= position)?;
        self.next += 1;
        Some(change)
    }

    /// Frames from `position` to the next change. Real-time.
    pub(crate) fn frames_until_next(&self, position: u64) -> usize {
        let next = self.all.get(self.next);
        next.map_or(usize::MAX, |change| {
            usize::try_from(change.at.saturating_sub(position)).unwrap_or(usize::MAX)
        })
    }

    /// Whether any was taken.
    pub(crate) fn is_begun(&self) -> bool {
        self.next > 0
    }

    /// From the stream's start again. Real-time.
    pub(crate) fn rewind(&mut self) {
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: u64, value: f64) -> Change {
        Change { at, id: 0, value }
    }

    #[test]
    fn changes_are_taken_in_order_and_again_after_a_rewind() {
        let mut changes = Changes::default();
        for (at, value) in [(9, 1.0), (5, 2.0), (9, 3.0)] {
            changes.add(change(at, value));
        }
        for _ in 0..2 {
            assert_eq!((changes.take_due(4), changes.frames_until_next(4)), (None, 1));
            assert_eq!(changes.take_due(5), Some(change(5, 2.0)));
            assert_eq!((changes.take_due(5), changes.frames_until_next(5)), (None, 4));
            assert_eq!(changes.take_due(9), Some(change(9, 1.0)));
            assert_eq!(changes.take_due(9), Some(change(9, 3.0)));
            assert_eq!(changes.frames_until_next(9), usize::MAX);
            changes.rewind();
        }
    }

    #[test]
    fn late_change_is_due_at_once() {
        let mut changes = Changes::default();
        changes.add(change(5, 1.0));
        assert!(changes.take_due(7).is_some());
        changes.add(change(2, 2.0));
        assert_eq!(changes.frames_until_next(7), 0);
        assert_eq!(changes.take_due(7), Some(change(2, 2.0)));
    }
}
