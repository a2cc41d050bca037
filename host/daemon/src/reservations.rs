//! Final names that running jobs hold.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::HashMap;
use std::path::PathBuf;

/// Final names that running jobs are about to use.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    held: Mutex<HeldNames>,
    /// Notified when names are free again.
    pub(super) freed: Condvar,
}

/// Who holds which name.
pub(super) type HeldNames = HashMap<PathBuf, Holder>;

/// The job that holds a name.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) job: String,
    pub(super) pipeline: String,
    pub(super) input: PathBuf,
}

impl Reservations {
    /// What is held now.
    pub(super) fn lock(&self) -> MutexGuard<'_, HeldNames> {
        self.held.lock()
    }

    /// Ends a job's reservations.
    pub(super) fn free(&self, job: &str) {
        self.lock().retain(|_, holder| holder.job != job);
        self.freed.notify_all();
    }
}
