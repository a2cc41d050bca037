//! What the daemon's threads share.

use super::event::DaemonEvent;
use super::plans::Plans;
use super::reservations::Reservations;
use super::space::Space;
use super::turns::Turns;
use super::watchdog::Bounds;
use crate::hooks::{Hook, Notifiers};
use crate::worker::Workers;
use crossbeam_channel::Sender;
use parking_lot::{Mutex, MutexGuard};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wavemill_api::StopSignal;
use wavemill_api::live::Live;
use wavemill_store::JobQueue;
use wavemill_store::{JobRecord, Store};

/// What the daemon's threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Arc<Store>,
    pub(super) live: Arc<Live>,
    pub(super) plans: Plans,
    pub(super) names: Reservations,
    pub(super) workers: Workers,
    /// Free space that jobs need to begin.
    pub(super) space: Space,
    pub(super) bounds: Bounds,
    /// Fresh at every start, so that what an earlier start held is known as such.
    pub(super) boot_id: String,
    /// Base of relative folders that sources are moved to.
    pub(super) root: PathBuf,
    /// Base of relative output paths.
    pub(super) output_root: PathBuf,
    pub(super) spool: PathBuf,
    /// How long finished jobs are remembered.
    pub(super) history: Duration,
    /// Most finished jobs that are remembered.
    pub(super) history_jobs: u64,
    /// Groups whose files are being measured.
    pub(super) turns: Turns,
    /// Where the store is, and what was measured of files.
    pub(super) state: PathBuf,
    /// Where compiled effects are kept: written by the daemon, read by workers.
    pub(super) effect_cache: PathBuf,
    pub(super) events: Sender<DaemonEvent>,
    /// The threads that notify hooks.
    pub(super) notifiers: Mutex<Option<Notifiers>>,
    pub(super) stop: StopSignal,
}

impl Shared {
    /// The store as those who run jobs may see it.
    pub(super) fn queue(&self) -> &dyn JobQueue {
        self.store.as_ref()
    }

    /// Sends an event to whoever listens.
    pub(super) fn emit(&self, event: DaemonEvent) {
        self.live.emit(|| serde_json::to_string(&event).ok());
        if matches!(event, DaemonEvent::JobFailed { retry_in: Some(_), .. }) {
            self.live.count(|tally| tally.retries += 1);
        }
        // Whatever it is: a hook may be about it, and looking costs nothing.
        if !matches!(event, DaemonEvent::Progress { .. })
            && let Some(notifiers) = &*self.notifiers()
        {
            notifiers.wake();
        }
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    /// Notifies others from now on, if they differ.
    pub(super) fn set_hooks(&self, hooks: Vec<Hook>) {
        if let Some(notifiers) = &mut *self.notifiers() {
            notifiers.replace(hooks);
        }
    }

    /// The threads that notify hooks.
    pub(super) fn notifiers(&self) -> MutexGuard<'_, Option<Notifiers>> {
        self.notifiers.lock()
    }

    /// Reports that an attempt failed; without `retry_in` for good.
    pub(super) fn emit_failed(&self, job: &JobRecord, retry_in: Option<Duration>) {
        let reason = job.reason.clone().unwrap_or_default();
        tracing::info!(job = %job.id, input = %job.input.display(), %reason, "Job failed.");
        self.emit(DaemonEvent::JobFailed {
            job: job.id.clone(),
            pipeline: job.file.pipeline.clone(),
            input: job.input.clone(),
            reason,
            retry_in,
        });
    }

    /// Reports that a job no longer has to run.
    pub(super) fn emit_canceled(&self, job: &JobRecord) {
        let reason = job.reason.clone().unwrap_or_default();
        tracing::info!(job = %job.id, input = %job.input.display(), %reason, "Job canceled.");
        self.emit(DaemonEvent::JobCanceled {
            job: job.id.clone(),
            pipeline: job.file.pipeline.clone(),
            input: job.input.clone(),
            reason,
        });
    }

    /// Reports that nothing was made.
    pub(super) fn emit_skipped(&self, job: &JobRecord) {
        let reason = job.reason.clone().unwrap_or_default();
        tracing::info!(job = %job.id, input = %job.input.display(), %reason, "Job skipped.");
        self.emit(DaemonEvent::JobSkipped {
            job: job.id.clone(),
            pipeline: job.file.pipeline.clone(),
            input: job.input.clone(),
            reason,
        });
    }
}
