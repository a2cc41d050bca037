//! A place for one running job: a thread with its own worker process.

use super::attempt;
use super::shared::Shared;
use crate::platform::Domain;
use crate::store::{JobRecord, StoreError};
use crate::worker::{Death, WorkerProcess};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Jobs after which a worker is replaced: bounds what a leak in a decoder can add up to.
const JOBS_MAX: u64 = 1_000;

/// A place's worker.
#[derive(Debug)]
pub(super) struct Slot {
    index: usize,
    worker: Option<WorkerProcess>,
    jobs_by_worker: u64,
}

/// What a place tells the scheduler: the job as it is after the attempt, or that the store failed.
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
    let mut slot = Slot::new(index);
    let stopped = shared.stop.subscribe();
    for job in jobs {
        shared.live.update_worker(index, |view| view.job = Some(job.id.clone()));
        let run = AssertUnwindSafe(|| attempt::run(shared, &mut slot, &stopped, &job));
        let report = catch_unwind(run).unwrap_or_else(|_| {
            Err(StoreError::Io { reason: format!("the thread of job {} panicked", job.id) })
        });
        slot.jobs_by_worker += 1;
        if slot.jobs_by_worker >= JOBS_MAX {
            slot.kill();
        }
        let pid = slot.running().map(|worker| worker.pid());
        shared.live.update_worker(index, |view| {
            view.pid = pid;
            view.job = None;
            view.jobs_done += 1;
        });
        if reports.send((index, report)).is_err() {
            return;
        }
    }
}

impl Slot {
    /// Place number `index`, without a worker.
    pub(super) fn new(index: usize) -> Self {
        Self { index, worker: None, jobs_by_worker: 0 }
    }

    /// Its worker, started if there is none, or none for a job that needs this domain and bound of open files: a
    /// process that gave something up does not get it back.
    pub(super) fn worker(
        &mut self,
        shared: &Shared,
        domain: &Domain,
        open_files_max: Option<u64>,
    ) -> io::Result<&mut WorkerProcess> {
        if self.worker.as_mut().is_some_and(|worker| !worker.suits(domain, open_files_max)) {
            self.kill();
        }
        if self.worker.is_none() {
            let worker = shared.workers.start(domain, open_files_max)?;
            shared.live.set_confinement(worker.confinement());
            let pid = worker.pid();
            self.jobs_by_worker = 0;
            shared.live.update_worker(self.index, |view| view.pid = Some(pid));
            self.worker = Some(worker);
        }
        self.running().ok_or_else(|| io::Error::other("the worker is gone"))
    }

    /// Its worker, if there is one.
    pub(super) fn running(&mut self) -> Option<&mut WorkerProcess> {
        self.worker.as_mut()
    }

    /// Ends its worker, which died, and says how.
    pub(super) fn bury(&mut self) -> Option<Death> {
        self.worker.take().map(|mut worker| worker.end())
    }

    /// Kills its worker.
    pub(super) fn kill(&mut self) {
        self.worker = None;
    }
}
