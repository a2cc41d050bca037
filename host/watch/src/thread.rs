//! The thread of a watched folder.

use super::dirt::Dirt;
use super::events::{EventSource, HintReceiver, OpenEvents, WatchError, hint_queue};
use super::filter::Filter;
use super::hash::HashPool;
use super::index::Index;
use super::outbox::{ChannelClosed, Outbox};
use super::root::{Root, RootState};
use super::stat::Identity;
use super::timers::Timers;
use super::walks::Walks;
use super::{Change, ChangeSender, WatchSpec};
use crossbeam_channel::{Receiver, Select, never};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tracing::{info, warn};
use wavemill_pipelines::model::WatchMode;

/// Time between full walks where events are received.
const RESCAN_EVENTS: Duration = Duration::from_mins(1);

/// Time between full walks where they are the only source.
const RESCAN_POLLING: Duration = Duration::from_secs(10);

/// How long a file must stay unchanged where an event says that it was closed.
const STABLE_EVENTS: Duration = Duration::from_secs(2);

/// The same where it is not.
pub(super) const STABLE_POLLING: Duration = Duration::from_secs(30);

/// How often a folder that is away is looked for.
const OFFLINE_CHECK: Duration = Duration::from_secs(2);

/// Longest time spent walking before timers and events are looked at again: a full walk of a
/// large tree must not delay a file that is ready.
const WALK_SLICE: Duration = Duration::from_millis(10);

/// Everything the thread knows.
pub(super) struct Watcher {
    pub(super) spec: WatchSpec,
    pub(super) root: Root,
    pub(super) filter: Filter,
    pub(super) index: Index,
    pub(super) walks: Walks,
    pub(super) timers: Timers,
    pub(super) dirt: Dirt,
    pub(super) pool: HashPool,
    /// Jobs the pool has not answered.
    pub(super) hashing: usize,
    pub(super) outbox: Outbox,
    pub(super) source: Option<Box<dyn EventSource>>,
    pub(super) hints: Option<HintReceiver>,
    /// Folders whose events are received, by their path below the root.
    pub(super) watched: BTreeSet<PathBuf>,
    open_events: OpenEvents,
    pub(super) is_online: bool,
    is_polling: bool,
    scans: Scans,
    next_root_check: Instant,
    is_idle_emitted: bool,
    requests: Receiver<()>,
    stop: Arc<AtomicBool>,
}

/// When everything is walked.
struct Scans {
    next: Instant,
    is_wanted: bool,
    /// Whether there was one since the root came online.
    is_done: bool,
}

/// What the thread is started with, besides the spec.
pub(super) struct Wiring {
    pub(super) index: usize,
    pub(super) sender: ChangeSender,
    pub(super) open_events: OpenEvents,
    pub(super) requests: Receiver<()>,
    pub(super) stop: Arc<AtomicBool>,
}

impl Watcher {
    /// Prepares the thread.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub(super) fn new(
        spec: WatchSpec,
        filter: Filter,
        index: Index,
        wiring: Wiring,
    ) -> io::Result<Self> {
        Ok(Self {
            root: Root::new(spec.root.clone()),
            pool: HashPool::new(&spec.pipeline)?,
            spec,
            filter,
            index,
            walks: Walks::default(),
            timers: Timers::default(),
            dirt: Dirt::default(),
            hashing: 0,
            outbox: Outbox::new(wiring.index, wiring.sender),
            source: None,
            hints: None,
            watched: BTreeSet::new(),
            open_events: wiring.open_events,
            is_online: false,
            is_polling: true,
            scans: Scans { next: Instant::now(), is_wanted: true, is_done: false },
            next_root_check: Instant::now(),
            is_idle_emitted: false,
            requests: wiring.requests,
            stop: wiring.stop,
        })
    }

    /// Runs until asked to stop or nobody listens.
    pub(super) fn run(mut self) {
        self.start();
        while !self.stop.load(Ordering::Acquire) {
            if self.round().is_err() {
                return;
            }
            self.wait();
        }
    }

    fn start(&mut self) {
        match self.root.check(self.index.file_count()) {
            RootState::Offline(reason) => {
                // As if it had been there before, so that coming back is reported.
                self.is_online = true;
                self.go_offline(reason);
            }
            RootState::New(identity) => self.go_online(identity),
            RootState::Same => {}
        }
    }

    /// One round of everything that does not wait.
    fn round(&mut self) -> Result<(), ChannelClosed> {
        self.take_hints();
        self.take_results();
        if self.requests.try_iter().count() > 0 {
            self.scan_now();
        }
        let now = Instant::now();
        if self.is_online {
            self.flush_dirt(now);
            if (self.scans.is_wanted || now >= self.scans.next) && !self.walks.is_scanning() {
                self.start_scan();
            }
            self.walk(now + WALK_SLICE);
            self.fire_timers();
        } else if now >= self.next_root_check {
            self.look_for_root(now);
        }
        self.emit_idle();
        let is_more_expected = self.hashing > 0 || !self.walks.is_done();
        self.outbox.flush(is_more_expected, &self.stop)
    }

    /// Sleeps until something happens or something is due.
    fn wait(&self) {
        let now = Instant::now();
        let pause = self.next_due().saturating_duration_since(now);
        if pause.is_zero() {
            return;
        }
        let silent = never();
        let hints = self.hints.as_ref().map_or(&silent, |hints| &hints.receiver);
        // Nothing is taken out here: the round does it.
        let mut select = Select::new();
        select.recv(hints);
        select.recv(self.pool.results());
        select.recv(&self.requests);
        let _ = select.ready_timeout(pause);
    }

    fn next_due(&self) -> Instant {
        let own = if self.is_online {
            if self.scans.is_wanted || !self.walks.is_done() {
                return Instant::now();
            }
            let scan = [Some(self.scans.next), self.timers.next(), self.walks.next_again()];
            scan.into_iter().chain([self.dirt.due(self.stable_for())]).flatten().min()
        } else {
            Some(self.next_root_check)
        };
        let due = own.into_iter().chain(self.outbox.deadline()).min();
        due.unwrap_or_else(|| Instant::now() + OFFLINE_CHECK)
    }

    /// How long a file must stay unchanged.
    pub(super) fn stable_for(&self) -> Duration {
        let default = if self.is_polling { STABLE_POLLING } else { STABLE_EVENTS };
        self.spec.stable_for.unwrap_or(default)
    }

    fn rescan(&self) -> Duration {
        let default = if self.is_polling { RESCAN_POLLING } else { RESCAN_EVENTS };
        self.spec.rescan.unwrap_or(default)
    }

    /// Has everything looked at as soon as possible.
    pub(super) fn scan_now(&mut self) {
        self.scans.is_wanted = true;
    }

    /// Notes the end of a full walk.
    pub(super) fn end_scan(&mut self, files: usize, elapsed: Duration) {
        self.scans.next = Instant::now() + self.rescan();
        self.scans.is_done = true;
        let settling = self.index.busy_count();
        self.outbox.push(Change::ScanDone { files, settling, elapsed });
    }

    fn start_scan(&mut self) {
        if self.root_is_there() {
            // Requests that come while it runs start another one.
            self.scans.is_wanted = false;
            self.walks.start_scan();
        }
    }

    /// Whether the root is still the folder that was scanned; if not, what follows from it.
    ///
    /// Asked before anything is reported as vanished.
    pub(super) fn root_is_there(&mut self) -> bool {
        match self.root.check(self.index.file_count()) {
            RootState::Same => return self.is_online,
            RootState::New(identity) => {
                info!(root = %self.spec.root.display(), "Watched folder was replaced.");
                self.go_online(identity);
            }
            RootState::Offline(reason) => self.go_offline(reason),
        }
        false
    }

    fn look_for_root(&mut self, now: Instant) {
        self.next_root_check = now + OFFLINE_CHECK.min(self.rescan());
        match self.root.check(self.index.file_count()) {
            RootState::Offline(_) => return,
            RootState::Same => self.open(),
            RootState::New(identity) => self.go_online(identity),
        }
        info!(root = %self.spec.root.display(), "Watched folder is back online.");
        self.outbox.push(Change::RootOnline);
    }

    pub(super) fn go_online(&mut self, identity: Identity) {
        self.root.accept(identity);
        self.open();
    }

    fn open(&mut self) {
        self.is_online = true;
        self.scans.is_done = false;
        self.close_events();
        self.walks.clear();
        self.is_polling = match self.spec.mode {
            WatchMode::Poll => true,
            WatchMode::Events => false,
            WatchMode::Auto => self.root.is_on_network(),
        };
        if !self.is_polling {
            let (sender, receiver) = hint_queue();
            match (self.open_events)(sender) {
                Ok(source) => (self.source, self.hints) = (Some(source), Some(receiver)),
                Err(WatchError::Other(reason)) => {
                    warn!(reason, "No events from the system; polling the watched folder.");
                    self.is_polling = true;
                }
                Err(_) => self.fall_back_to_polling(),
            }
        }
        self.scan_now();
    }

    pub(super) fn go_offline(&mut self, reason: String) {
        if !self.is_online {
            return;
        }
        info!(reason, "Watched folder is offline; its files are remembered.");
        self.is_online = false;
        self.is_idle_emitted = false;
        self.close_events();
        self.walks.clear();
        self.next_root_check = Instant::now() + OFFLINE_CHECK.min(self.rescan());
        self.outbox.push(Change::RootOffline { reason });
    }

    /// What happens when the system gives no more watches.
    pub(super) fn fall_back_to_polling(&mut self) {
        self.close_events();
        self.is_polling = true;
        // Hints that were not looked at yet are gone.
        self.scan_now();
        warn!(
            root = %self.spec.root.display(),
            "The inotify limit is reached; new files are found by polling, which is slower. Raise \
            fs.inotify.max_user_watches and max_user_instances with sysctl, and restart."
        );
    }

    fn close_events(&mut self) {
        self.source = None;
        self.hints = None;
        self.watched.clear();
        self.dirt = Dirt::default();
    }

    fn emit_idle(&mut self) {
        let is_idle = self.is_online
            && self.scans.is_done
            && !self.scans.is_wanted
            && self.index.busy_count() == 0
            && self.walks.is_done()
            && self.dirt.is_empty();
        if is_idle && !self.is_idle_emitted {
            self.is_idle_emitted = true;
            self.outbox.push(Change::Idle { files: self.index.file_count() });
        } else if self.is_idle_emitted && self.index.busy_count() > 0 {
            self.is_idle_emitted = false;
            self.outbox.push(Change::Busy);
        }
    }
}
