//! When a live call has taken too long: by the time that its thread worked, not by what passed.
//!
//! Ticks pass while a thread waits for a processor, too, and an effect is not to blame for that. So the first half of
//! a call's ticks is a first look: the thread's own time is noted. The call ends when the thread has worked for the
//! second half, too. Both looks are rare; a call in time has none, and asks no clock.

use crate::limits;
use std::time::Duration;
use wasmtime::UpdateDeadline;

/// The rest of a call's time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deadline {
    /// Ticks after the first look.
    rest: u64,
    /// Whether there was a first look.
    is_looked: bool,
    /// What the thread had worked then, where the system says that.
    worked: Option<Duration>,
}

impl Deadline {
    /// A call begins that may last so many ticks; returns those until the first look. Real-time.
    pub(crate) fn begin(&mut self, ticks: u64) -> u64 {
        let first = ticks.div_ceil(2);
        *self = Self { rest: (ticks - first).max(1), ..Self::default() };
        first
    }

    /// The ticks that were granted are over; `worked` is the time of the calling thread. Real-time but for the clock.
    pub(crate) fn look(&mut self, worked: Option<Duration>) -> UpdateDeadline {
        if !self.is_looked {
            (self.is_looked, self.worked) = (true, worked);
            return UpdateDeadline::Continue(self.rest);
        }
        // The tick under way counts for nothing.
        let ticks = u32::try_from(self.rest).unwrap_or(u32::MAX).saturating_sub(1);
        let allowed = limits::LIVE_TICK * ticks + limits::LIVE_TICK / 2;
        match worked.zip(self.worked) {
            Some((now, before)) if now.saturating_sub(before) < allowed => {
                UpdateDeadline::Continue(1)
            }
            _ => UpdateDeadline::Interrupt,
        }
    }
}

/// How long the calling thread has worked; `None` where the system does not say.
pub(crate) fn worked() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).ok()
    }
    #[cfg(not(unix))]
    {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks that are granted; `None` is the end.
    fn granted(deadline: &mut Deadline, worked_us: u64) -> Option<u64> {
        match deadline.look(Some(Duration::from_micros(worked_us))) {
            UpdateDeadline::Continue(ticks) => Some(ticks),
            _ => None,
        }
    }

    #[test]
    fn thread_that_worked_all_the_time_is_stopped_and_one_that_waited_is_not() {
        let mut deadline = Deadline::default();
        assert_eq!(deadline.begin(4), 2);
        assert_eq!(granted(&mut deadline, 1_000), Some(2));
        assert_eq!(granted(&mut deadline, 1_010), Some(1), "it waited for a processor");
        assert_eq!(granted(&mut deadline, 1_500), Some(1));
        assert_eq!(granted(&mut deadline, 1_751), None);
        assert_eq!(deadline.begin(2), 1);
        assert_eq!(granted(&mut deadline, 5_000), Some(1), "a call of its own");
        assert_eq!(granted(&mut deadline, 5_400), None);
    }

    #[test]
    fn without_a_clock_all_ticks_are_granted_and_no_more() {
        let mut deadline = Deadline::default();
        assert_eq!(deadline.begin(5), 3);
        assert!(matches!(deadline.look(None), UpdateDeadline::Continue(2)));
        assert!(matches!(deadline.look(None), UpdateDeadline::Interrupt));
    }

    #[test]
    fn time_of_the_thread_grows_with_its_work_alone() {
        let Some(before) = worked() else { return };
        let since = || worked().unwrap().saturating_sub(before);
        std::thread::park_timeout(Duration::from_millis(20));
        let waited = since();
        assert!(waited < Duration::from_millis(10), "{waited:?}");
        while since() < waited + Duration::from_millis(2) {
            std::hint::spin_loop();
        }
    }
}
