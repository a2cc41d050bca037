//! A place for one running job: a thread, which starts a worker process for each.

use super::attempt;
use super::shared::Shared;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use wavemill_store::{JobRecord, StoreError};

/// What a place reports to the scheduler: the job as it is after the attempt, or that the store failed.
pub(super) type SlotReport = (usize, Result<JobRecord, StoreError>);

/// A running place. Dropping it waits for its job and ends its worker.
#[derive(Debug)]
pub(super) struct SlotHandle {
    jobs: Option<Sender<JobRecord>>,
    thread: Option<JoinHandle<()>>,
}

impl SlotHandle {
    /// Starts the thread of place number `index`.
    pub(super) fn start(
        shared: Arc<Shared>,
        index: usize,
        reports: Sender<SlotReport>,
    ) -> io::Result<Self> {
        let (jobs, assigned) = bounded(1);
        let thread = std::thread::Builder::new()
            .name(format!("slot {index}"))
            .spawn(move || serve(&shared, index, &assigned, &reports))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Gives it a job; it must be idle.
    pub(super) fn assign(&self, job: JobRecord) {
        if let Some(jobs) = &self.jobs {
            // Its thread ends only after this handle.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for SlotHandle {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(shared: &Shared, index: usize, jobs: &Receiver<JobRecord>, reports: &Sender<SlotReport>) {
    let stopped = shared.stop.subscribe();
    for job in jobs {
        shared.live.update_worker(index, |view| view.job = Some(job.id.clone()));
        let run = AssertUnwindSafe(|| attempt::run(shared, index, &stopped, &job));
        let report = catch_unwind(run).unwrap_or_else(|_| {
            Err(StoreError::Io { reason: format!("the thread of job {} panicked", job.id) })
        });
        shared.live.update_worker(index, |view| {
            view.pid = None;
            view.job = None;
            view.jobs_done += 1;
        });
        if reports.send((index, report)).is_err() {
            return;
        }
    }
}
