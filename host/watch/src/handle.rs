//! Starting and stopping the thread of a watched folder.

use super::events::{OpenEvents, open_system_events};
use super::filter::Filter;
use super::index::Index;
use super::thread::{Watcher, Wiring};
use super::{ChangeSender, KnownFile, WatchSpec};
use crossbeam_channel::{Sender, bounded};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A watched folder that is about to be watched, and what the store remembers of it.
pub struct WatchStart {
    pub(super) spec: WatchSpec,
    pub(super) filter: Filter,
    pub(super) index: Index,
}

/// A running watcher. Dropping it stops it.
#[derive(Debug)]
pub struct WatchHandle {
    requests: Sender<()>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WatchStart {
    /// Nothing is remembered yet.
    ///
    /// # Errors
    /// A glob that cannot be parsed ([`io::ErrorKind::InvalidInput`]).
    pub fn new(spec: WatchSpec) -> io::Result<Self> {
        let filter = Filter::new(&spec)?;
        Ok(Self { spec, filter, index: Index::default() })
    }

    /// Takes over a file from the store. One after the other, so that there is no second list of all.
    pub fn remember(&mut self, file: &KnownFile) {
        let is_taken = self.filter.takes_file(&file.relative);
        if is_taken && self.filter.reaches(&file.relative) {
            self.index.seed(file);
        }
    }

    /// Whether no file of the folder is known.
    pub fn remembers_nothing(&self) -> bool {
        self.index.file_count() == 0
    }

    /// Starts to watch; `index` comes back with every batch of changes.
    ///
    /// A batch is meant for one transaction. A bounded channel slows the watcher down and loses
    /// nothing. A folder that is not there is no error: it is reported as offline and looked for.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn spawn(self, index: usize, sender: ChangeSender) -> io::Result<WatchHandle> {
        self.spawn_with(index, sender, Box::new(open_system_events))
    }

    /// As [`Self::spawn`], with events from elsewhere.
    pub(super) fn spawn_with(
        self,
        index: usize,
        sender: ChangeSender,
        open_events: OpenEvents,
    ) -> io::Result<WatchHandle> {
        let (request, requests) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let name = format!("watch {}", self.spec.pipeline);
        let wiring = Wiring { index, sender, open_events, requests, stop: Arc::clone(&stop) };
        let watcher = Watcher::new(self.spec, self.filter, self.index, wiring)?;
        let thread = std::thread::Builder::new().name(name).spawn(move || watcher.run())?;
        Ok(WatchHandle { requests: request, stop, thread: Some(thread) })
    }
}

impl WatchHandle {
    /// Asks for a full walk; its end is reported by [`super::Change::ScanDone`].
    pub fn rescan(&self) {
        // Full means that one is asked for already.
        let _ = self.requests.try_send(());
    }

    /// Stops and waits until the thread has ended. Changes not yet taken are lost; the next start
    /// finds them again.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.requests.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
