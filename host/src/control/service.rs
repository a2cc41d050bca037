//! What can be asked and ordered, over a store alone or over a running daemon's.

use super::live::Live;
use super::types::{
    JobFilter, JobList, JobView, Problem, ReprocessRequest, RetryRequest, Status, StopRequest,
};
use crate::daemon::StopLevel;
use crate::store::{FileKey, JobRecord, Store, StoreError};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Answers the questions of the control socket. The command line uses it directly on the store when
/// no daemon runs.
#[derive(Clone, Debug)]
pub struct Service {
    store: Arc<Store>,
    live: Option<Arc<Live>>,
}

impl Service {
    /// Over a store that no daemon runs on.
    pub fn over_store(store: Arc<Store>) -> Self {
        Self { store, live: None }
    }

    /// Over the store of a running daemon.
    pub(crate) fn over_daemon(store: Arc<Store>, live: Arc<Live>) -> Self {
        Self { store, live: Some(live) }
    }

    /// What the daemon does. Without one: this process, the counts, and nothing else.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn status(&self) -> Result<Status, Problem> {
        let jobs = self.store.counts()?;
        Ok(match &self.live {
            Some(live) => live.status(jobs, self.store.waiting_counts()?),
            None => Status {
                pid: std::process::id(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                uptime_s: 0.0,
                is_draining: false,
                jobs,
                unwatched: BTreeMap::new(),
                watches: Vec::new(),
                workers: Vec::new(),
            },
        })
    }

    /// Jobs, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn jobs(&self, filter: &JobFilter) -> Result<JobList, Problem> {
        self.views(&self.store.jobs(filter)?)
    }

    /// The job with this id, or whose id starts or ends so.
    ///
    /// # Errors
    /// When none or several do.
    pub fn job(&self, part: &str) -> Result<JobView, Problem> {
        self.view(&self.store.find_job(part)?)
    }

    /// Repeats jobs; the answer lists the new ones.
    ///
    /// # Errors
    /// When a named job is not known or a job of its file is under way; those before it in the list
    /// are repeated nevertheless.
    pub fn retry(&self, request: &RetryRequest) -> Result<JobList, Problem> {
        if request.ids.is_empty() && !request.all {
            return Err(Problem::request("name jobs in `ids`, or say `all`"));
        }
        let mut jobs = Vec::new();
        for part in &request.ids {
            jobs.push(self.store.retry_job(&self.store.find_job(part)?.id)?);
        }
        if request.all {
            for id in self.store.failed_jobs(request.pipeline.as_deref())? {
                jobs.push(self.store.retry_job(&id)?);
            }
        }
        self.wake();
        self.views(&jobs)
    }

    /// Processes known files again; the answer lists the new jobs. Files whose job has not ended are
    /// left out.
    ///
    /// # Errors
    /// When a path is not that of a known file.
    pub fn reprocess(&self, request: &ReprocessRequest) -> Result<JobList, Problem> {
        if request.paths.is_empty() && request.pipeline.is_none() {
            return Err(Problem::request("name files in `paths`, or a `pipeline`"));
        }
        let of_pipeline =
            |file: &FileKey| request.pipeline.as_ref().is_none_or(|name| *name == file.pipeline);
        let mut files = Vec::new();
        if request.paths.is_empty() {
            let found = self.store.files_where(&of_pipeline)?;
            files.extend(found.into_iter().map(|(file, _)| file));
        }
        for path in &request.paths {
            let is_it = |file: &FileKey| of_pipeline(file) && file.path() == Path::new(path);
            let found = self.store.files_where(&is_it)?;
            if found.is_empty() {
                let what = format!("{path}: no watched folder knows this file, so it");
                return Err(StoreError::Missing { what }.into());
            }
            files.extend(found.into_iter().map(|(file, _)| file));
        }
        let jobs = self.store.reprocess_files(files)?;
        self.wake();
        self.views(&jobs)
    }

    /// Asks the daemon to stop.
    ///
    /// # Errors
    /// When there is none.
    pub fn stop(&self, request: StopRequest) -> Result<(), Problem> {
        let Some(live) = &self.live else {
            return Err(Problem::request("no daemon runs on this store"));
        };
        live.stop.raise(if request.now { StopLevel::Now } else { StopLevel::Drain });
        Ok(())
    }

    fn wake(&self) {
        if let Some(live) = &self.live {
            live.wake();
        }
    }

    fn views(&self, jobs: &[JobRecord]) -> Result<JobList, Problem> {
        let jobs: Result<_, Problem> = jobs.iter().map(|job| self.view(job)).collect();
        Ok(JobList { jobs: jobs? })
    }

    fn view(&self, job: &JobRecord) -> Result<JobView, Problem> {
        let mut view = self.store.view(job)?;
        if let Some(live) = &self.live {
            view.progress = live.progress(&job.id);
            let pipeline = &job.file.pipeline;
            view.waits = (job.state.waits() && !live.runs(pipeline))
                .then(|| format!("pipeline `{pipeline}` is not watched"));
        }
        Ok(view)
    }
}

impl Problem {
    fn request(detail: &str) -> Self {
        Self { title: "bad request".to_owned(), detail: detail.to_owned(), status: 400 }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (title, status) = match &error {
            StoreError::Missing { .. } => ("not found", 404),
            StoreError::Ambiguous { .. } => ("ambiguous id", 409),
            StoreError::Lease { .. } => ("job under way", 409),
            StoreError::Busy { .. } => ("store in use", 503),
            _ => ("store failed", 500),
        };
        Self { title: title.to_owned(), detail: error.to_string(), status }
    }
}
