//! One job at a time measures the files of a group: the others would measure the same ones.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::HashSet;
use std::time::Duration;
use wavemill_api::{StopLevel, StopSignal};

/// Longest wait before it is asked again whether to stop.
const WAIT: Duration = Duration::from_millis(250);

/// Groups whose files are being measured.
#[derive(Debug, Default)]
pub(super) struct Turns {
    busy: Mutex<HashSet<String>>,
    freed: Condvar,
}

/// The right to measure a group; ends with the value.
#[derive(Debug)]
pub(super) struct Turn<'t> {
    turns: &'t Turns,
    group: String,
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.busy.lock()
    }

    /// Waits until nobody else measures a group; `None` when everything shall stop at once.
    pub(super) fn take(&self, group: &str, stop: &StopSignal) -> Option<Turn<'_>> {
        let mut busy = self.lock();
        while !busy.insert(group.to_owned()) {
            if stop.level() == StopLevel::Now {
                return None;
            }
            self.freed.wait_for(&mut busy, WAIT);
        }
        Some(Turn { turns: self, group: group.to_owned() })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.group);
        self.turns.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_comes_when_the_one_before_ends_and_not_when_all_stops() {
        let (turns, stop) = (Turns::default(), StopSignal::new());
        let first = turns.take("a", &stop).unwrap();
        assert!(turns.take("b", &stop).is_some());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| turns.take("a", &stop).is_some());
            drop(first);
            assert!(second.join().unwrap());
        });
        let _held = turns.take("a", &stop).unwrap();
        stop.raise(StopLevel::Now);
        assert!(turns.take("a", &stop).is_none());
    }
}
