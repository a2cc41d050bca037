//! Talking to the daemon, or to its store while no daemon runs.

mod http;

pub use http::{Client, ClientError};

use crate::cli::CliError;
use crate::control::types::{
    JobFilter, JobList, JobView, Problem, ReprocessRequest, RetryRequest, Status,
};
use crate::control::{self, Service};
use crate::jobs::JobState;
use crate::store::{Store, StoreError};
use http::encoded;
use std::collections::BTreeMap;
use std::path::Path;
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
    pub fn open(state: &Path) -> Result<Self, CliError> {
        let deadline = Instant::now() + BUSY_TIME_MAX;
        loop {
            match Client::connect(&control::socket_path(state)) {
                Ok(client) => return Ok(Self::Daemon(client)),
                Err(ClientError::Absent { .. }) if !state.exists() => return Ok(Self::Nothing),
                Err(ClientError::Absent { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            match Store::open(state) {
                Ok(store) => return Ok(Self::Store(Service::over_store(Arc::new(store)))),
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

    /// Jobs, the newest first.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn jobs(&self, filter: &JobFilter) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/jobs{}", query(filter)))?),
            Self::Store(service) => Ok(service.jobs(filter)?),
            Self::Nothing => Ok(JobList { jobs: Vec::new() }),
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

fn query(filter: &JobFilter) -> String {
    let pairs: Vec<_> = [
        filter.state.map(|state| format!("state={}", state.name())),
        filter.pipeline.as_ref().map(|name| format!("pipeline={}", encoded(name))),
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
            limit: Some(7),
        };
        assert_eq!(query(&filter), "?state=failed&pipeline=a%20b&limit=7");
    }
}
