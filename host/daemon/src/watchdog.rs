//! Looks after a worker during an attempt: its time, its memory, and whether it gets anywhere.

use super::plans::Plan;
use super::settings::DaemonSettings;
use std::time::{Duration, Instant};
use wavemill_platform::{Effort, effort, resident_bytes};

/// What bounds an attempt.
#[derive(Debug)]
pub(super) struct Watchdog {
    timeout: Duration,
    deadline: Instant,
    rss_bytes_max: u64,
    stall: Duration,
    /// Share that was reported last.
    share: f64,
    /// What the worker had done when it last got further.
    then: Option<Effort>,
}

/// Bounds where a pipeline sets none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Resident memory.
    pub(super) rss_bytes_max: u64,
    /// Processor time without any progress.
    pub(super) stall: Duration,
}

impl Bounds {
    /// As the settings of the daemon say.
    pub(super) fn of(settings: &DaemonSettings) -> Self {
        Self { rss_bytes_max: settings.worker_rss_bytes_max, stall: settings.worker_stall }
    }
}

impl Watchdog {
    /// For an attempt with this plan that begins now.
    pub(super) fn of(plan: &Plan, bounds: Bounds) -> Self {
        let timeout = plan.pipeline.timeout;
        Self {
            timeout,
            deadline: Instant::now() + timeout,
            rss_bytes_max: plan.pipeline.memory_bytes_max.unwrap_or(bounds.rss_bytes_max),
            stall: bounds.stall,
            share: 0.0,
            then: None,
        }
    }

    /// Begins the time anew: what follows is about another file.
    pub(super) fn restart(&mut self) {
        self.deadline = Instant::now() + self.timeout;
    }

    /// Grants time that was not the worker's.
    pub(super) fn extend(&mut self, time: Duration) {
        self.deadline += time;
    }

    /// Takes what the worker says of its progress.
    pub(super) fn progress(&mut self, share: f64) {
        if share > self.share {
            self.share = share;
            self.then = None;
        }
    }

    /// Why the worker with this process id must be ended, if so.
    pub(super) fn excess(&mut self, pid: u32) -> Option<String> {
        if Instant::now() >= self.deadline {
            let timeout_s = self.timeout.as_secs_f64();
            return Some(format!("exceeded the pipeline's timeout of {timeout_s} s"));
        }
        let bytes_max = self.rss_bytes_max;
        if let Some(bytes) = resident_bytes(pid).filter(|&bytes| bytes > bytes_max) {
            let (mib, mib_max) = (bytes >> 20, bytes_max >> 20);
            return Some(format!("used {mib} MiB of memory; `max_memory_mib` is {mib_max}"));
        }
        self.stalled(effort(pid)?)
    }

    /// Whether it computes without end: processor time goes by, and neither does it report progress nor
    /// is a byte read or written. Waiting, as for a dead network share, costs no processor time.
    fn stalled(&mut self, now: Effort) -> Option<String> {
        let then = self.then.filter(|then| then.bytes == now.bytes);
        let then = then.unwrap_or(now);
        self.then = Some(then);
        let spent = now.processor.saturating_sub(then.processor);
        let stall_s = self.stall.as_secs_f64();
        (spent >= self.stall)
            .then(|| format!("loops: no progress and no I/O in {stall_s} s of processor time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::plan;

    fn watchdog() -> Watchdog {
        let (rss_bytes_max, stall) = (u64::MAX, Duration::from_mins(5));
        Watchdog::of(&plan("a"), Bounds { rss_bytes_max, stall })
    }

    fn at(processor_s: u64, bytes: u64) -> Effort {
        Effort { processor: Duration::from_secs(processor_s), bytes }
    }

    #[test]
    fn worker_stalls_when_it_computes_and_nothing_comes_of_it() {
        let mut dog = watchdog();
        assert_eq!(dog.stalled(at(1000, 5)), None);
        assert_eq!(dog.stalled(at(1299, 5)), None);
        assert!(dog.stalled(at(1300, 5)).unwrap().contains("300 s of processor time"));
    }

    #[test]
    fn reading_and_progress_begin_anew() {
        let mut dog = watchdog();
        assert_eq!(dog.stalled(at(0, 5)), None);
        assert_eq!(dog.stalled(at(299, 6)), None);
        assert_eq!(dog.stalled(at(598, 6)), None);
        dog.progress(0.5);
        assert_eq!(dog.stalled(at(700, 6)), None);
        // The same share again is no progress.
        dog.progress(0.5);
        assert!(dog.stalled(at(1000, 6)).is_some());
    }
}
