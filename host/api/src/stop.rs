//! How a daemon is asked to stop.

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// How urgent a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Go on.
    Run,
    /// Begin nothing new, finish what runs.
    Drain,
    /// End what runs; it is done again at the next start.
    Now,
}

/// A request to stop that only becomes more urgent. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    level: AtomicU8,
    has_failed: AtomicBool,
    wakers: Mutex<Vec<Sender<()>>>,
}

impl StopSignal {
    /// A signal that says: go on.
    pub fn new() -> Self {
        Self::default()
    }

    /// How urgent the stop is by now; as urgent as can be once the daemon failed.
    pub fn level(&self) -> StopLevel {
        if self.shared.has_failed.load(Ordering::SeqCst) { StopLevel::Now } else { self.asked() }
    }

    /// How urgent a stop was asked for.
    pub fn asked(&self) -> StopLevel {
        match self.shared.level.load(Ordering::SeqCst) {
            0 => StopLevel::Run,
            1 => StopLevel::Drain,
            _ => StopLevel::Now,
        }
    }

    /// One step more urgent: what SIGTERM and SIGINT do. Not for a signal handler itself: it locks.
    pub fn escalate(&self) {
        let next = match self.asked() {
            StopLevel::Run => StopLevel::Drain,
            StopLevel::Drain | StopLevel::Now => StopLevel::Now,
        };
        self.raise(next);
    }

    /// At least as urgent as `level`.
    pub fn raise(&self, level: StopLevel) {
        self.shared.level.fetch_max(level as u8, Ordering::SeqCst);
        self.wake();
    }

    /// Ends everything because nothing can be recorded any more; nobody asked for it.
    pub fn fail(&self) {
        self.shared.has_failed.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        let wakers = self.shared.wakers.lock();
        for waker in wakers.iter() {
            // A full channel has a wake-up waiting already.
            let _ = waker.try_send(());
        }
    }

    /// Receives a message after each change.
    pub fn subscribe(&self) -> Receiver<()> {
        let (waker, receiver) = bounded(1);
        self.shared.wakers.lock().push(waker);
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_escalates_and_never_goes_back() {
        let stop = StopSignal::new();
        assert_eq!(stop.level(), StopLevel::Run);
        stop.escalate();
        assert_eq!(stop.level(), StopLevel::Drain);
        stop.escalate();
        stop.raise(StopLevel::Drain);
        assert_eq!(stop.level(), StopLevel::Now);
    }

    #[test]
    fn failure_stops_everything_and_was_not_asked_for() {
        let stop = StopSignal::new();
        stop.fail();
        assert_eq!((stop.level(), stop.asked()), (StopLevel::Now, StopLevel::Run));
        stop.escalate();
        assert_eq!(stop.asked(), StopLevel::Drain);
    }

    #[test]
    fn stop_wakes_its_subscribers() {
        let stop = StopSignal::new();
        let waker = stop.subscribe();
        stop.escalate();
        assert!(waker.recv_timeout(std::time::Duration::from_secs(5)).is_ok());
    }
}
