//! When a live call has taken too long: by the ticks that come while it runs, not by those that pass.
//!
//! Ticks pass while a thread waits for a processor, too, and an effect is not to blame for that. So each tick that
//! comes within a call is looked at, and the next look is one tick later, however many passed: all that the thread
//! waited for counts as one. The call ends with its last tick. A call in time mostly has no look, and none reads a clock.

use wasmtime::UpdateDeadline;

/// The ticks of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deadline {
    /// That it may take.
    ticks: u64,
    /// That it took so far.
    taken: u64,
}

impl Deadline {
    /// A call begins that may last so many ticks; returns those until the first look. Real-time.
    pub(crate) fn begin(&mut self, ticks: u64) -> u64 {
        *self = Self { ticks, taken: 0 };
        1
    }

    /// A tick came. Real-time.
    pub(crate) fn look(&mut self) -> UpdateDeadline {
        self.taken += 1;
        if self.taken < self.ticks {
            UpdateDeadline::Continue(1)
        } else {
            UpdateDeadline::Interrupt
        }
    }

    /// Ticks that the call took. Real-time.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ends_with_its_last_tick() {
        let mut deadline = Deadline::default();
        for ticks in [1, 2, 5] {
            assert_eq!((deadline.begin(ticks), deadline.taken()), (1, 0));
            for _ in 1..ticks {
                assert!(matches!(deadline.look(), UpdateDeadline::Continue(1)));
            }
            assert!(matches!(deadline.look(), UpdateDeadline::Interrupt));
            assert_eq!(deadline.taken(), ticks);
        }
    }
}
