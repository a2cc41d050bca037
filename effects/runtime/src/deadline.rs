//! When a live call has taken too long: by the ticks that come while it runs, not by those that pass.
//!
//! Ticks pass while a thread waits for a processor, too, and an effect is not to blame for that. So each tick that
//! comes within a call is looked at, and the next look is one tick later, however many passed: all that the thread
//! waited for counts as one. A thread may be kept waiting several times within a call, so after its last tick the call
//! ends only if the thread worked for that long. That alone would not do either: in a virtual machine a thread's time
//! has what the host took away. A call in time mostly has no look; no other one reads a clock.

use crate::limits;
use std::time::Duration;
use wasmtime::UpdateDeadline;

/// The ticks of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deadline {
    /// That it may take.
    ticks: u64,
    /// That it took so far.
    taken: u64,
    /// What the thread had worked at the first of them, where the system says that.
    worked: Option<Duration>,
}

impl Deadline {
    /// A call begins that may last so many ticks; returns those until the first look. Real-time.
    pub(crate) fn begin(&mut self, ticks: u64) -> u64 {
        *self = Self { ticks, ..Self::default() };
        1
    }

    /// A tick came; `worked` is the time of the calling thread. Real-time but for the clock.
    pub(crate) fn look(&mut self, worked: impl Fn() -> Option<Duration>) -> UpdateDeadline {
        self.taken += 1;
        if self.taken == 1 {
            self.worked = worked();
        }
        if self.taken < self.ticks {
            return UpdateDeadline::Continue(1);
        }
        // The first tick was under way when the call began, and this one may have come early.
        let ticks = u32::try_from(self.ticks).unwrap_or(u32::MAX).saturating_sub(2);
        let least = limits::LIVE_TICK * ticks + limits::LIVE_TICK / 2;
        match self.worked.zip(worked()) {
            Some((before, now)) if now.saturating_sub(before) < least => {
                UpdateDeadline::Continue(1)
            }
            _ => UpdateDeadline::Interrupt,
        }
    }

    /// Ticks that the call took. Real-time.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
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

    /// Whether the call goes on for a tick.
    fn goes_on(deadline: &mut Deadline, worked_us: Option<u64>) -> bool {
        match deadline.look(|| worked_us.map(Duration::from_micros)) {
            UpdateDeadline::Continue(ticks) => ticks == 1,
            _ => false,
        }
    }

    #[test]
    fn thread_that_worked_all_the_time_is_stopped_at_the_last_tick() {
        let mut deadline = Deadline::default();
        assert_eq!(deadline.begin(4), 1);
        for worked_us in [9_000, 9_500, 10_000] {
            assert!(goes_on(&mut deadline, Some(worked_us)));
        }
        assert!(!goes_on(&mut deadline, Some(10_500)));
        assert_eq!(deadline.taken(), 4);
        deadline.begin(3);
        assert!(goes_on(&mut deadline, Some(10_900)));
        assert!(goes_on(&mut deadline, Some(11_400)));
        assert!(!goes_on(&mut deadline, Some(11_900)));
    }

    #[test]
    fn thread_that_waited_at_each_tick_goes_on() {
        let mut deadline = Deadline::default();
        deadline.begin(3);
        for tick in 0..74 {
            assert!(goes_on(&mut deadline, Some(1_000 + 10 * tick)));
        }
        for tick in 74..76 {
            assert_eq!(goes_on(&mut deadline, Some(1_000 + 10 * tick)), tick < 75, "{tick}");
        }
    }

    #[test]
    fn time_that_the_host_took_is_one_tick() {
        let mut deadline = Deadline::default();
        deadline.begin(3);
        assert!(goes_on(&mut deadline, Some(1_000)));
        assert!(goes_on(&mut deadline, Some(13_000)));
    }

    #[test]
    fn without_a_clock_all_ticks_are_granted_and_no_more() {
        let mut deadline = Deadline::default();
        deadline.begin(2);
        assert!(goes_on(&mut deadline, None));
        assert!(!goes_on(&mut deadline, None));
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
