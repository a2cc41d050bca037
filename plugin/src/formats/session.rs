//! What the host says of the session, as the entry points of both formats receive it.

use super::outputs::{Outputs, Readout};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// Shared by an instance and its entry points. Real-time but for names.
#[derive(Default)]
pub(crate) struct Session {
    /// 0 while inactive.
    channel_count: AtomicU32,
    is_offline: AtomicBool,
    names: OnceLock<Arc<dyn ParamNames>>,
    readout: OnceLock<Readout>,
    /// Lets the host read names and values anew; on its main thread only.
    rescan: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Names of parameters that are not fixed, which the framework does not know.
pub(crate) trait ParamNames: Send + Sync {
    /// What a parameter is called now, by its place in the list; `None` where its name is fixed.
    fn param(&self, index: usize) -> Option<ParamName>;
}

/// What a parameter stands for at this moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParamName {
    pub(crate) name: String,
    /// From 0 to 1.
    pub(crate) default: f64,
    /// It stands for nothing.
    pub(crate) is_hidden: bool,
}

thread_local! {
    /// That of the instance which this thread made last.
    static LATEST: RefCell<Weak<Session>> = const { RefCell::new(Weak::new()) };
}

impl Session {
    /// That of an instance which is about to be made by this thread.
    pub(crate) fn begin() -> Arc<Self> {
        let session = Arc::new(Self::default());
        LATEST.set(Arc::downgrade(&session));
        session
    }

    /// That of the instance which this thread made last: the framework makes it, and does not say which.
    pub(super) fn of_latest() -> Arc<Self> {
        LATEST.with_borrow(Weak::upgrade).unwrap_or_default()
    }

    /// The instance has parameters without fixed names.
    pub(crate) fn set_names(&self, names: Arc<dyn ParamNames>) {
        // Set once: an instance has one list.
        let _ = self.names.set(names);
    }

    /// Where names are not fixed.
    pub(super) fn names(&self) -> Option<&dyn ParamNames> {
        self.names.get().map(Arc::as_ref)
    }

    /// The instance has parameters that hosts only read.
    pub(crate) fn set_outputs(&self, outputs: Arc<dyn Outputs>) {
        let _ = self.readout.set(Readout::new(outputs));
    }

    /// Where hosts read something.
    pub(super) fn readout(&self) -> Option<&Readout> {
        self.readout.get()
    }

    /// How the host is asked to read names and values anew.
    pub(super) fn set_rescan(&self, rescan: impl Fn() + Send + Sync + 'static) {
        let _ = self.rescan.set(Box::new(rescan));
    }

    /// Names or values changed by themselves. On the host's main thread only.
    pub(crate) fn rescan(&self) {
        if let Some(rescan) = self.rescan.get() {
            rescan();
        }
    }

    /// The instance is active with so many channels.
    pub(crate) fn activate(&self, channel_count: u32) {
        self.channel_count.store(channel_count, Ordering::Release);
    }

    pub(crate) fn deactivate(&self) {
        self.activate(0);
    }

    /// Channels of the active instance; `None` while it is inactive.
    pub(super) fn channel_count(&self) -> Option<usize> {
        usize::try_from(self.channel_count.load(Ordering::Acquire)).ok().filter(|count| *count > 0)
    }

    /// What the host says of the blocks that follow.
    pub(crate) fn set_offline(&self, is_offline: bool) {
        self.is_offline.store(is_offline, Ordering::Relaxed);
    }

    /// Whether the block at hand belongs to an offline render, which may wait.
    pub(crate) fn is_offline(&self) -> bool {
        self.is_offline.load(Ordering::Relaxed)
    }
}
