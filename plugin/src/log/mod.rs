//! A log of the program: a line each second of it, for as long as the log is on.
//!
//! The audio thread sends seconds; a thread of the log's own writes them, since a disk may stall. Each line is written
//! at once, so that a crash leaves whole lines.

mod second;
mod writer;

pub(crate) use second::{Second, SecondCollector};

use crate::capture::WriterThread;
use crossbeam_queue::ArrayQueue;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Seconds on their way to the disk: more than an hour.
const ON_THEIR_WAY_MAX: usize = 4096;

/// How long the end of an instance waits: its code may be unloaded.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The switch, and what became of the log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    shared: Arc<LogShared>,
    thread: Mutex<Option<WriterThread>>,
}

/// What all threads see.
#[derive(Debug, Default)]
struct LogShared {
    is_on: AtomicBool,
    /// Made when it is turned on for the first time.
    ring: OnceLock<ArrayQueue<Second>>,
    /// Seconds that found no room on their way.
    lost: AtomicU64,
    state: Mutex<LogState>,
}

/// What the window shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LogState {
    /// The latest file.
    pub(crate) path: Option<PathBuf>,
    /// One line: why nothing is written.
    pub(crate) error: Option<String>,
}

impl Log {
    /// Whether seconds are wanted. Real-time.
    pub(crate) fn is_on(&self) -> bool {
        self.shared.is_on.load(Ordering::Relaxed)
    }

    /// Real-time.
    pub(crate) fn send(&self, second: Second) {
        let is_sent = self.shared.ring.get().is_some_and(|ring| ring.push(second).is_ok());
        if !is_sent {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Turns it on or off. `file` is the path of a new file without its end, asked for when it is turned on. After an
    /// error it stays off until it is turned off and on. Not real-time.
    pub(crate) fn turn(&self, is_wanted: bool, file: impl FnOnce() -> PathBuf) {
        let mut thread = self.thread.lock();
        if !is_wanted {
            self.shared.is_on.store(false, Ordering::Relaxed);
            self.shared.state.lock().error = None;
            return;
        }
        let has_failed = self.shared.state.lock().error.is_some();
        if self.is_on() || has_failed || thread.as_ref().is_some_and(|thread| !thread.is_over()) {
            return;
        }
        self.shared.ring.get_or_init(|| ArrayQueue::new(ON_THEIR_WAY_MAX));
        self.shared.is_on.store(true, Ordering::Relaxed);
        let (shared, file) = (Arc::clone(&self.shared), file());
        match WriterThread::start(move || writer::run(&shared, &file)) {
            Ok(started) => *thread = Some(started),
            Err(error) => self.shared.fail(format!("cannot start the log: {error}")),
        }
    }

    /// What became of it.
    pub(crate) fn state(&self) -> LogState {
        let mut state = self.shared.state.lock().clone();
        let lost = self.shared.lost.load(Ordering::Relaxed);
        if lost > 0 {
            state.error.get_or_insert(format!("{lost} s missing in the log"));
        }
        state
    }

    /// Ends it and waits until it is written.
    pub(crate) fn end(&self) {
        self.shared.is_on.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.lock().take() {
            thread.wait(Instant::now() + WAIT_MAX);
        }
    }
}

impl LogShared {
    fn fail(&self, error: String) {
        self.is_on.store(false, Ordering::Relaxed);
        self.state.lock().error = Some(error);
    }
}
