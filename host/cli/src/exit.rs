//! How a command ends.

use crate::report::shown;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use thiserror::Error;
use wavemill_api::ClientError;

/// Exit codes of the binary; other programs rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Everything was done.
    Done = 0,
    /// It did not work; the reason stands on standard error.
    Error = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Some files failed, were rejected, miss a target, or are incomplete or unreadable; the others are
    /// done.
    SomeFailed = 3,
    /// A daemon holds the store but does not answer, or none runs where one was asked for.
    Unreachable = 10,
    /// A pipeline, the configuration file or an environment variable is wrong.
    BadConfig = 78,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early. Each maps to an [`Exit`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    /// It did not work.
    #[error("{reason}")]
    Failed {
        /// One line that names the thing.
        reason: String,
    },
    /// Arguments that clap accepts but that make no sense together.
    #[error("{reason}")]
    Usage {
        /// One line that says what would be right.
        reason: String,
    },
    /// The daemon does not answer.
    #[error("{reason}")]
    Unreachable {
        /// One line that names the socket.
        reason: String,
    },
    /// A setting is wrong.
    #[error("{reason}")]
    BadConfig {
        /// One line that names the setting and its source.
        reason: String,
    },
    /// Mistakes were found and have been shown already.
    #[error("{}: {} {}", shown(path), count, if *count == 1 { "mistake" } else { "mistakes" })]
    Mistakes {
        /// The file, or the first of several.
        path: PathBuf,
        /// How many in all.
        count: usize,
    },
    /// A file or folder of the user cannot be read or made.
    #[error("{}: {error}", shown(path))]
    Path {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Standard output cannot be written (a closed pipe is no error).
    #[error("standard output: {0}")]
    Output(std::io::Error),
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let reason = error.to_string();
        match error {
            ClientError::Unreachable { .. }
            | ClientError::Absent { .. }
            | ClientError::Busy { .. } => Self::Unreachable { reason },
            // What only a daemon can do.
            ClientError::Refused(problem) if problem.status == 503 => Self::Unreachable { reason },
            _ => Self::Failed { reason },
        }
    }
}

impl CliError {
    /// A general failure.
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into() }
    }

    /// A mistake in the command line.
    pub(crate) fn usage(reason: impl Into<String>) -> Self {
        Self::Usage { reason: reason.into() }
    }

    /// A file or folder and what the system says about it.
    pub(crate) fn path(path: &Path, error: std::io::Error) -> Self {
        Self::Path { path: path.to_owned(), error }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Failed { .. } | Self::Path { .. } | Self::Output(_) => Exit::Error,
            Self::Usage { .. } => Exit::Usage,
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::BadConfig { .. } | Self::Mistakes { .. } => Exit::BadConfig,
        }
    }
}
