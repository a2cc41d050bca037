//! A place through which two threads hand one thing, neither ever waiting for the other.

use parking_lot::Mutex;

/// Holds one thing or nothing. Both sides only ever try, so the audio thread never waits, and the
/// lock has no waiter that it would have to wake.
#[derive(Debug)]
pub(super) struct Slot<T>(Mutex<Option<T>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Slot<T> {
    /// Puts a thing in; returns it when the slot is full or the other side is at it. Real-time.
    pub(super) fn give(&self, thing: T) -> Option<T> {
        match self.0.try_lock() {
            Some(mut slot) if slot.is_none() => slot.replace(thing),
            _ => Some(thing),
        }
    }

    /// Takes the thing; `None` also when the other side is at it. Real-time.
    pub(super) fn take(&self) -> Option<T> {
        self.0.try_lock()?.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_holds_one_thing() {
        let slot = Slot::default();
        assert_eq!(slot.take(), None);
        assert_eq!(slot.give(1), None);
        assert_eq!(slot.give(2), Some(2));
        assert_eq!(slot.take(), Some(1));
        assert_eq!(slot.take(), None);
    }

    #[test]
    fn slot_in_use_returns_the_thing_at_once() {
        let slot = Slot::default();
        let guard = slot.0.lock();
        assert_eq!(slot.give(1), Some(1));
        assert_eq!(slot.take(), None);
        drop(guard);
    }
}
