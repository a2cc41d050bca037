//! Talking to the daemon, or to its store while no daemon runs.

mod http;

pub use http::{Client, ClientError};

use crate::cli::{CliError, Settings};
use crate::control::types::{
    AdoptAnswer, AdoptRequest, BatchList, BatchView, CancelRequest, DeleteAnswer, DeleteRequest,
    FileFilter, FileList, FileStats, FileView, HookView, JobFilter, JobList, JobView, LogLevel,
    MoveRequest, PauseRequest, PauseView, PipelineView, Problem, ReprocessRequest, RetryRequest,
    Status, StopRequest, SubmitAnswer, SubmitRequest,
};
use crate::control::{self, Service, Terms};
use crate::jobs::JobState;
use crate::store::{Store, StoreError};
use http::encoded;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a daemon may hold the store without listening: it starts, or ends.
const BUSY_TIME_MAX: Duration = Duration::from_secs(3);

/// Pause between two looks whether it listens now or has let go.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Whoever knows the jobs of a state folder.
#[derive(Debug)]
pub enum Backend {
    /// A daemon, over its socket.
    Daemon(Client),
    /// The store itself, because no daemon runs.
    Store(Service),
    /// There is no state folder yet, so there are no jobs.
    Nothing,
}

impl Backend {
    /// Finds the daemon of a state folder, or opens its store.
    ///
    /// # Errors
    /// [`CliError::Unreachable`] when a process holds the store and does not answer.
    pub fn open(settings: &Settings) -> Result<Self, CliError> {
        if settings.state.exists() { Self::open_or_make(settings) } else { Ok(Self::Nothing) }
    }

    /// As [`Backend::open`]; makes the store where there is none.
    ///
    /// # Errors
    /// As [`Backend::open`].
    pub fn open_or_make(settings: &Settings) -> Result<Self, CliError> {
        let state = &settings.state;
        let deadline = Instant::now() + BUSY_TIME_MAX;
        loop {
            match Client::connect(&control::socket_path(state)) {
                Ok(client) => return Ok(Self::Daemon(client)),
                Err(ClientError::Absent { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            match Store::open(state) {
                Ok(store) => {
                    control::finish_orders(&store)
                        .map_err(|error| CliError::failed(error.to_string()))?;
                    let terms = Terms {
                        state_dir: state.clone(),
                        output_root: settings.output_root().to_owned(),
                        defaults: settings.defaults.clone(),
                    };
                    return Ok(Self::Store(Service::over_store(Arc::new(store), terms)));
                }
                Err(StoreError::Busy { .. }) if Instant::now() < deadline => {
                    thread::park_timeout(BUSY_PAUSE);
                }
                Err(error @ StoreError::Busy { .. }) => {
                    let reason = format!("{error}, and it does not answer on its socket");
                    return Err(CliError::Unreachable { reason });
                }
                Err(error) => return Err(CliError::failed(error.to_string())),
            }
        }
    }

    /// Whether a daemon runs.
    pub fn is_daemon(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }

    /// How the daemon is; `None` without one.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn daemon_status(&self) -> Result<Option<Status>, CliError> {
        match self {
            Self::Daemon(client) => Ok(Some(client.get("/v1/status")?)),
            Self::Store(_) | Self::Nothing => Ok(None),
        }
    }

    /// Jobs by state.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn counts(&self) -> Result<BTreeMap<JobState, u64>, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get::<Status>("/v1/status")?.jobs),
            Self::Store(service) => Ok(service.status()?.jobs),
            Self::Nothing => Ok(JobState::ALL.into_iter().map(|state| (state, 0)).collect()),
        }
    }

    /// Who is told of the ends of jobs and batches.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn hooks(&self) -> Result<Vec<HookView>, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get::<Status>("/v1/status")?.hooks),
            Self::Store(service) => Ok(service.status()?.hooks),
            Self::Nothing => Ok(Vec::new()),
        }
    }

    /// Jobs, the newest first.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn jobs(&self, filter: &JobFilter) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/jobs{}", query(filter)))?),
            Self::Store(service) => Ok(service.jobs(filter)?),
            Self::Nothing => Ok(JobList::default()),
        }
    }

    /// One job, by its id or a unique part of it.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn job(&self, id: &str) -> Result<JobView, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/jobs/{}", encoded(id)))?),
            Self::Store(service) => Ok(service.job(id)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Makes new jobs of failed ones; returns the new ones.
    ///
    /// # Errors
    /// When one cannot be repeated.
    pub fn retry(&self, request: &RetryRequest) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/retry", request)?),
            Self::Store(service) => Ok(service.retry(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Makes new jobs of known files; returns them.
    ///
    /// # Errors
    /// When a file is not known.
    pub fn reprocess(&self, request: &ReprocessRequest) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/reprocess", request)?),
            Self::Store(service) => Ok(service.reprocess(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Ends jobs; returns them as they are then.
    ///
    /// # Errors
    /// When a named one cannot be canceled.
    pub fn cancel(&self, request: &CancelRequest) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/cancel", request)?),
            Self::Store(service) => Ok(service.cancel(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Holds back jobs; returns which are.
    ///
    /// # Errors
    /// When it cannot be asked for.
    pub fn pause(&self, request: &PauseRequest) -> Result<PauseView, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/pause", request)?),
            Self::Store(service) => Ok(service.pause(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Hands out jobs again; returns which are still held back.
    ///
    /// # Errors
    /// When it cannot be asked for.
    pub fn resume(&self, request: &PauseRequest) -> Result<PauseView, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/resume", request)?),
            Self::Store(service) => Ok(service.resume(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Lets the daemon finish what runs and end.
    ///
    /// # Errors
    /// When none runs.
    pub fn drain(&self) -> Result<(), CliError> {
        match self {
            Self::Daemon(client) => {
                let _: StopRequest = client.post("/v1/stop", &StopRequest { now: false })?;
                Ok(())
            }
            Self::Store(_) | Self::Nothing => {
                Err(CliError::Unreachable { reason: "no daemon runs".to_owned() })
            }
        }
    }

    /// Whether jobs can be submitted by the name of this pipeline.
    pub fn knows(&self, pipeline: &str) -> bool {
        let probe = || -> Result<PipelineView, CliError> {
            match self {
                Self::Daemon(client) => {
                    Ok(client.get(&format!("/v1/pipelines/{}", encoded(pipeline)))?)
                }
                Self::Store(service) => Ok(service.pipeline(pipeline)?),
                Self::Nothing => Err(no_jobs()),
            }
        };
        probe().is_ok()
    }

    /// Files of the catalog.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn files(&self, filter: &FileFilter) -> Result<FileList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/files{}", file_query(filter)))?),
            Self::Store(service) => Ok(service.files(filter)?),
            Self::Nothing => Ok(FileList { files: Vec::new() }),
        }
    }

    /// The files of a job.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn files_of_job(&self, job: &str) -> Result<FileList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/files/of-job/{}", encoded(job)))?),
            Self::Store(service) => Ok(service.files_of_job(job)?),
            Self::Nothing => Ok(FileList { files: Vec::new() }),
        }
    }

    /// The catalog in numbers.
    ///
    /// # Errors
    /// When it cannot be asked for.
    pub fn file_stats(&self) -> Result<FileStats, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get("/v1/files/stats")?),
            Self::Store(service) => Ok(service.file_stats()?),
            Self::Nothing => Ok(FileStats::default()),
        }
    }

    /// Moves or copies a file.
    ///
    /// # Errors
    /// When it cannot be done.
    pub fn move_file(&self, request: &MoveRequest) -> Result<FileView, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/files/move", request)?),
            Self::Store(service) => Ok(service.move_file(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Deletes files.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete_files(&self, request: &DeleteRequest) -> Result<DeleteAnswer, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/files/delete", request)?),
            Self::Store(service) => Ok(service.delete_files(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Enters files that others made.
    ///
    /// # Errors
    /// When the store fails.
    pub fn adopt_files(&self, request: &AdoptRequest) -> Result<AdoptAnswer, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/files/adopt", request)?),
            Self::Store(service) => Ok(service.adopt_files(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Lets the daemon log more or less.
    ///
    /// # Errors
    /// When none runs, or the level is none.
    pub fn set_log_level(&self, level: &LogLevel) -> Result<LogLevel, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/log", level)?),
            Self::Store(_) | Self::Nothing => {
                Err(CliError::Unreachable { reason: "no daemon runs".to_owned() })
            }
        }
    }

    /// Makes a batch.
    ///
    /// # Errors
    /// When its pipeline is not known or has mistakes.
    pub fn submit(&self, request: &SubmitRequest) -> Result<SubmitAnswer, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/batches", request)?),
            Self::Store(service) => Ok(service.submit(request)?),
            Self::Nothing => Err(no_jobs()),
        }
    }

    /// Batches, the newest first.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn batches(&self, limit: usize) -> Result<BatchList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/batches?limit={limit}"))?),
            Self::Store(service) => Ok(service.batches(limit)?),
            Self::Nothing => Ok(BatchList { batches: Vec::new() }),
        }
    }

    /// One batch, by its name, its id or a unique part of it.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn batch(&self, id: &str) -> Result<BatchView, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/batches/{}", encoded(id)))?),
            Self::Store(service) => Ok(service.batch(id)?),
            Self::Nothing => Err(no_jobs()),
        }
    }
}

fn no_jobs() -> CliError {
    CliError::failed("there are no jobs here yet; is it the right --state?")
}

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        Self::failed(problem.detail)
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let reason = error.to_string();
        match error {
            ClientError::Unreachable { .. } | ClientError::Absent { .. } => {
                Self::Unreachable { reason }
            }
            ClientError::Refused(_) | ClientError::Answer { .. } => Self::Failed { reason },
        }
    }
}

fn file_query(filter: &FileFilter) -> String {
    let text = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{name}={}", encoded(value)))
    };
    let pairs: Vec<_> = [
        text("path", &filter.path),
        filter.since_ms.map(|ms| format!("since_ms={ms}")),
        filter.until_ms.map(|ms| format!("until_ms={ms}")),
        text("ext", &filter.ext),
        text("pipeline", &filter.pipeline),
        text("tag", &filter.tag),
        filter.min_lufs.map(|lufs| format!("min_lufs={lufs}")),
        filter.max_lufs.map(|lufs| format!("max_lufs={lufs}")),
        text("sort", &filter.sort),
        filter.limit.map(|limit| format!("limit={limit}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn query(filter: &JobFilter) -> String {
    let pairs: Vec<_> = [
        filter.state.map(|state| format!("state={}", state.name())),
        filter.pipeline.as_ref().map(|name| format!("pipeline={}", encoded(name))),
        filter.batch.as_ref().map(|batch| format!("batch={}", encoded(batch))),
        filter.limit.map(|limit| format!("limit={limit}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_becomes_a_query() {
        assert_eq!(query(&JobFilter::default()), "");
        let filter = JobFilter {
            state: Some(JobState::Failed),
            pipeline: Some("a b".to_owned()),
            batch: None,
            limit: Some(7),
        };
        assert_eq!(query(&filter), "?state=failed&pipeline=a%20b&limit=7");
    }
}
