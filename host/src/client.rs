//! Talking to the daemon, or to its store while no daemon runs.

mod http;

pub use http::{Client, ClientError};

use crate::cli::CliError;
use crate::control;
use crate::control::types::{JobFilter, JobList, JobView, ReprocessRequest, RetryRequest, Status};
use http::encoded;
use std::path::Path;

/// Whoever knows the jobs of a state folder.
#[derive(Debug)]
pub enum Backend {
    /// A daemon, over its socket.
    Daemon(Client),
}

impl Backend {
    /// Finds the daemon of a state folder.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn open(state: &Path) -> Result<Self, CliError> {
        Ok(Self::Daemon(Client::connect(&control::socket_path(state))?))
    }

    /// Whether a daemon runs.
    pub fn is_daemon(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn status(&self) -> Result<Status, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get("/v1/status")?),
        }
    }

    /// Jobs, the newest first.
    ///
    /// # Errors
    /// When they cannot be asked for.
    pub fn jobs(&self, filter: &JobFilter) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/jobs{}", query(filter)))?),
        }
    }

    /// One job, by its id or a unique part of it.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn job(&self, id: &str) -> Result<JobView, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.get(&format!("/v1/jobs/{}", encoded(id)))?),
        }
    }

    /// Makes new jobs of failed ones; returns the new ones.
    ///
    /// # Errors
    /// When one cannot be repeated.
    pub fn retry(&self, request: &RetryRequest) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/retry", request)?),
        }
    }

    /// Makes new jobs of known files; returns them.
    ///
    /// # Errors
    /// When a file is not known.
    pub fn reprocess(&self, request: &ReprocessRequest) -> Result<JobList, CliError> {
        match self {
            Self::Daemon(client) => Ok(client.post("/v1/jobs/reprocess", request)?),
        }
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
            state: Some(crate::jobs::JobState::Failed),
            pipeline: Some("a b".to_owned()),
            limit: Some(7),
        };
        assert_eq!(query(&filter), "?state=failed&pipeline=a%20b&limit=7");
    }
}
