//! What the daemon's threads share.

use super::event::DaemonEvent;
use super::names::Reservations;
use super::plans::Plans;
use super::space::Space;
use super::stop::StopSignal;
use super::turns::Turns;
use super::watchdog::Bounds;
use crate::control::live::Live;
use crate::jobs::JobQueue;
use crate::store::{JobRecord, Store};
use crate::worker::Workers;
use crossbeam_channel::Sender;
use std::path::PathBuf;
use std::sync::Arc;

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
    pub(super) spool: PathBuf,
    /// Groups whose files are being measured.
    pub(super) turns: Turns,
    /// Where the store is, and what was measured of files.
    pub(super) state: PathBuf,
    /// Where workers keep compiled effects.
    pub(super) effect_cache: PathBuf,
    pub(super) events: Sender<DaemonEvent>,
    pub(super) stop: StopSignal,
}

impl Shared {
    /// The store as those who run jobs may see it.
    pub(super) fn queue(&self) -> &dyn JobQueue {
        self.store.as_ref()
    }

    /// Tells whoever listens.
    pub(super) fn tell(&self, event: DaemonEvent) {
        self.live.tell(|| serde_json::to_string(&event).ok());
        if matches!(event, DaemonEvent::JobFailed { retry_in: Some(_), .. }) {
            self.live.count(|tally| tally.retries += 1);
        }
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    /// Tells that an attempt failed; without `retry_in` for good.
    pub(super) fn tell_failed(&self, job: &JobRecord, retry_in: Option<std::time::Duration>) {
        let reason = job.reason.clone().unwrap_or_default();
        tracing::info!(job = %job.id, input = %job.input.display(), %reason, "Job failed.");
        self.tell(DaemonEvent::JobFailed {
            job: job.id.clone(),
            pipeline: job.file.pipeline.clone(),
            input: job.input.clone(),
            reason,
            retry_in,
        });
    }

    /// Tells that a job no longer has to run.
    pub(super) fn tell_canceled(&self, job: &JobRecord) {
        let reason = job.reason.clone().unwrap_or_default();
        tracing::info!(job = %job.id, input = %job.input.display(), %reason, "Job canceled.");
        self.tell(DaemonEvent::JobCanceled {
            job: job.id.clone(),
            pipeline: job.file.pipeline.clone(),
            input: job.input.clone(),
            reason,
        });
    }

    /// Tells that nothing was made.
    pub(super) fn tell_skipped(&self, job: &JobRecord) {
        let reason = job.reason.clone().unwrap_or_default();
        tracing::info!(job = %job.id, input = %job.input.display(), %reason, "Job skipped.");
        self.tell(DaemonEvent::JobSkipped {
            job: job.id.clone(),
            pipeline: job.file.pipeline.clone(),
            input: job.input.clone(),
            reason,
        });
    }
}
