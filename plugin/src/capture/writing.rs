//! The thread of a capture, as long as someone has to wait for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

/// A thread that can be waited for, but not for ever.
#[derive(Debug)]
pub(crate) struct WriterThread {
    thread: JoinHandle<()>,
    /// Ends with what the thread does.
    over: Receiver<()>,
}

impl WriterThread {
    /// Starts the thread.
    pub(crate) fn start(work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (alive, over) = channel();
        let thread = thread::Builder::new().name("wavemill-capture".into()).spawn(move || {
            work();
            drop(alive);
        })?;
        Ok(Self { thread, over })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until it is over, at most until then; says whether it is.
    pub(crate) fn wait(self, until: Instant) -> bool {
        self.thread.thread().unpark();
        let wait_max: Duration = until.saturating_duration_since(Instant::now());
        // Nothing is ever sent.
        if self.over.recv_timeout(wait_max) == Err(RecvTimeoutError::Timeout) {
            return false;
        }
        drop(self.thread.join());
        true
    }
}
