//! Events of the file system, reduced to hints.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Hints waiting to be taken. More are replaced by one [`Hint::Everything`].
const HINTS_MAX: usize = 65_536;

/// What an event suggests. It may be late, doubled or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Something happened at a path.
    At {
        /// Absolute path.
        path: PathBuf,
        /// What.
        trace: Trace,
        /// When the event was received.
        instant: Instant,
    },
    /// Events were lost: anything may have changed.
    Everything,
    /// The system gives no more watches.
    LimitReached,
}

/// What happened at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// It appeared, vanished or was renamed.
    Moved,
    /// Bytes were written; the writer has it open.
    Written,
    /// A writer closed it.
    Closed,
    /// Anything else, such as its permissions.
    Other,
}

/// Where events come from; the seam at which tests put their own.
pub(super) trait EventSource: Send {
    /// Starts to report what happens to the entries of a folder (not of the folders in it).
    fn watch(&mut self, folder: &Path) -> Result<(), WatchError>;
}

/// Why a folder is not watched.
#[derive(Debug)]
pub(super) enum WatchError {
    /// The system gives no more watches.
    LimitReached,
    /// The folder is gone.
    Gone,
    /// Another reason, to be read after the folder's name.
    Other(String),
}

/// Makes the event source of a watched folder; called again whenever the folder comes back.
pub(super) type OpenEvents =
    Box<dyn FnMut(HintSender) -> Result<Box<dyn EventSource>, WatchError> + Send>;

/// The end at which hints are put in. It never blocks.
#[derive(Clone)]
pub(super) struct HintSender {
    sender: Sender<Hint>,
    is_overflowing: Arc<AtomicBool>,
}

/// The end at which hints are taken out.
pub(super) struct HintReceiver {
    pub(super) receiver: Receiver<Hint>,
    is_overflowing: Arc<AtomicBool>,
}

/// A bounded queue of hints.
pub(super) fn hint_queue() -> (HintSender, HintReceiver) {
    let (sender, receiver) = bounded(HINTS_MAX);
    let is_overflowing = Arc::new(AtomicBool::new(false));
    let sender = HintSender { sender, is_overflowing: Arc::clone(&is_overflowing) };
    (sender, HintReceiver { receiver, is_overflowing })
}

impl HintSender {
    /// Puts a hint in, or remembers that one was lost.
    pub(super) fn send(&self, hint: Hint) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(hint) {
            self.is_overflowing.store(true, Ordering::Release);
        }
    }
}

impl HintReceiver {
    /// Whether hints were lost since the last call.
    pub(super) fn take_overflow(&self) -> bool {
        self.is_overflowing.swap(false, Ordering::AcqRel)
    }
}

/// Events from the operating system.
pub(super) struct SystemEvents {
    watcher: RecommendedWatcher,
}

/// Opens the operating system's events.
pub(super) fn open_system_events(hints: HintSender) -> Result<Box<dyn EventSource>, WatchError> {
    let handler = move |event: notify::Result<Event>| {
        for hint in hints_of(event) {
            hints.send(hint);
        }
    };
    let config = Config::default().with_follow_symlinks(false);
    match RecommendedWatcher::new(handler, config) {
        Ok(watcher) => Ok(Box::new(SystemEvents { watcher })),
        Err(error) => Err(WatchError::from(error)),
    }
}

impl EventSource for SystemEvents {
    /// One folder at a time: the walker asks before it lists a folder, so nothing can appear
    /// between the two. The recursive mode of `notify` misses files in folders that appear in a
    /// burst, and gives up at the first folder it cannot read.
    fn watch(&mut self, folder: &Path) -> Result<(), WatchError> {
        self.watcher.watch(folder, RecursiveMode::NonRecursive).map_err(WatchError::from)
    }
}

impl From<notify::Error> for WatchError {
    fn from(error: notify::Error) -> Self {
        match error.kind {
            ErrorKind::MaxFilesWatch => Self::LimitReached,
            ErrorKind::PathNotFound => Self::Gone,
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound => Self::Gone,
            // No further inotify instance.
            ErrorKind::Io(error)
                if [Errno::MFILE, Errno::NFILE]
                    .map(|errno| Some(errno.raw_os_error()))
                    .contains(&error.raw_os_error()) =>
            {
                Self::LimitReached
            }
            kind => Self::Other(notify::Error::new(kind).to_string()),
        }
    }
}

/// What an event of `notify` suggests.
pub(super) fn hints_of(event: notify::Result<Event>) -> Vec<Hint> {
    let event = match event {
        Ok(event) => event,
        Err(error) if matches!(error.kind, ErrorKind::MaxFilesWatch) => {
            return vec![Hint::LimitReached];
        }
        Err(_) => return vec![Hint::Everything],
    };
    // Before the paths are looked at: an overflow is one event without any.
    if event.need_rescan() {
        return vec![Hint::Everything];
    }
    let Some(trace) = trace_of(event.kind) else { return Vec::new() };
    let instant = Instant::now();
    event.paths.into_iter().map(|path| Hint::At { path, trace, instant }).collect()
}

/// `None` for what readers cause, ourselves among them.
fn trace_of(kind: EventKind) -> Option<Trace> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Trace::Closed),
        EventKind::Access(_) => None,
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
            Some(Trace::Moved)
        }
        EventKind::Modify(ModifyKind::Data(_)) => Some(Trace::Written),
        EventKind::Modify(_) | EventKind::Any | EventKind::Other => Some(Trace::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, Flag};

    fn traces(kind: EventKind) -> Vec<Trace> {
        let event = Event::new(kind).add_path("/in/a.wav".into());
        let traces = hints_of(Ok(event)).into_iter().map(|hint| match hint {
            Hint::At { trace, .. } => trace,
            other => panic!("{other:?}"),
        });
        traces.collect()
    }

    #[test]
    fn overflow_event_without_paths_is_everything() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(hints_of(Ok(event)), [Hint::Everything]);
        let event = Event::new(EventKind::Access(AccessKind::Read)).set_flag(Flag::Rescan);
        assert_eq!(hints_of(Ok(event)), [Hint::Everything]);
    }

    #[test]
    fn reads_are_no_hints_but_the_close_of_a_writer_is() {
        assert_eq!(traces(EventKind::Access(AccessKind::Open(AccessMode::Any))), []);
        assert_eq!(traces(EventKind::Access(AccessKind::Close(AccessMode::Read))), []);
        assert_eq!(
            traces(EventKind::Access(AccessKind::Close(AccessMode::Write))),
            [Trace::Closed]
        );
    }

    #[test]
    fn appearing_and_writing_are_distinguished() {
        assert_eq!(traces(EventKind::Create(CreateKind::File)), [Trace::Moved]);
        assert_eq!(traces(EventKind::Modify(ModifyKind::Data(DataChange::Any))), [Trace::Written]);
    }

    #[test]
    fn exhausted_watches_are_reported() {
        let error = notify::Error::new(ErrorKind::MaxFilesWatch);
        assert_eq!(hints_of(Err(error)), [Hint::LimitReached]);
    }

    #[test]
    fn full_queue_remembers_that_hints_were_lost() {
        let (sender, receiver) = hint_queue();
        for _ in 0..=HINTS_MAX {
            sender.send(Hint::Everything);
        }
        assert!(receiver.take_overflow());
        assert!(!receiver.take_overflow());
    }
}
