//! What daemon and worker say to each other.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::PathBuf;
use wavemill_pipelines::execution::{Decision, Job, Outcome, Proposal, RunError};
use wavemill_pipelines::model::Defaults;
use wavemill_platform::{Confinement, Domain};
use wavemill_store::cache::GroupMeasurements;
use wavemill_store::{GroupMember, path_text};

/// From the daemon to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// The first message.
    Hello {
        /// The daemon's process id; the worker ends if that is not its parent (any more).
        parent_pid: u32,
        /// A file that every worker holds locked while it lives: the next daemon waits for it before
        /// it judges the files of this one.
        #[serde(with = "path_text")]
        lock: PathBuf,
        /// Files that it may have open.
        open_files_max: u64,
        /// The files it is left with; without it, it keeps every right of its user.
        domain: Option<Domain>,
    },
    /// Process a file; the only one of this worker.
    Run(Box<Work>),
    /// The answer to [`Reply::Decide`].
    Decided {
        /// One for each proposal, or why the run shall end.
        answer: Result<Vec<Decision>, Failure>,
    },
    /// The answer to [`Reply::Grouped`]: what holds for the group.
    Agreed {
        /// What was measured first.
        group: Box<GroupMeasurements>,
    },
    /// The answer to [`Reply::File`]; an open file comes with it where one was asked for.
    File {
        /// Whether it was done, or why not.
        answer: Result<(), FileError>,
    },
    /// End the run early.
    Cancel,
}

/// A file to process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The file, with all that names and dates depend on.
    pub job: Job,
    /// The pipeline's TOML.
    pub pipeline_text: String,
    /// Its defaults.
    pub defaults: Defaults,
    /// Folder that its effects are relative to.
    #[serde(with = "path_text")]
    pub folder: PathBuf,
    /// Folder for compiled effects.
    #[serde(with = "path_text")]
    pub effect_cache: PathBuf,
    /// Base of relative output paths.
    #[serde(with = "path_text")]
    pub output_root: PathBuf,
    /// Folder for spool files.
    #[serde(with = "path_text")]
    pub spool: PathBuf,
    /// The files that it gets one gain with, where they are still to be measured.
    pub members: Option<Vec<GroupMember>>,
    /// Where what was measured of files is kept.
    #[serde(with = "path_text")]
    pub state: PathBuf,
}

/// From a worker to the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It waits for work.
    Ready {
        /// What is in force.
        confinement: Confinement,
    },
    /// Which names shall the outputs get? Nothing is written before the answer.
    Decide {
        /// The outputs.
        proposals: Vec<Proposal>,
    },
    /// It needs a file of its job, which it may not reach itself.
    File {
        /// What of it.
        wish: FileRequest,
    },
    /// It begins to measure a file of the group.
    Measures {
        /// Which one.
        member: usize,
    },
    /// All of them were measured.
    Grouped {
        /// What was found.
        group: Box<GroupMeasurements>,
    },
    /// How far the run is.
    Progress {
        /// 0 to 1.
        share: f64,
    },
    /// The run ended; its outputs are complete, synced and verified.
    Prepared(Box<Outcome>),
    /// The run failed; nothing that it wrote remains.
    Failed(Failure),
}

/// What a worker may ask for of the files of its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileRequest {
    /// To read a source, or one of its temporary files.
    Open(#[serde(with = "path_text")] PathBuf),
    /// To write a temporary file that is not there yet.
    Create(#[serde(with = "path_text")] PathBuf),
    /// That a temporary file be removed.
    Remove(#[serde(with = "path_text")] PathBuf),
}

/// An [`io::Error`] that can be sent: what became of a wish decides whether a job is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileError {
    /// The system's number, where it was the system.
    os: Option<i32>,
    /// One line.
    reason: String,
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self { os: error.raw_os_error(), reason: error.to_string() }
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        // What the daemon refuses was never this job's.
        let refused = || Self::new(io::ErrorKind::PermissionDenied, error.reason.clone());
        error.os.map_or_else(refused, Self::from_raw_os_error)
    }
}

/// A [`RunError`] that can be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who is at fault.
    pub kind: FailureKind,
    /// One line.
    pub reason: String,
}

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The file.
    Input,
    /// The file, which is shorter than its header says.
    Incomplete,
    /// The pipeline, or a name that is taken.
    Refused,
    /// The machine.
    Transient,
    /// Nobody: it was asked to stop.
    Canceled,
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let kind = match &error {
            RunError::Input { incomplete: false, .. } => FailureKind::Input,
            RunError::Input { incomplete: true, .. } => FailureKind::Incomplete,
            RunError::Transient { .. } => FailureKind::Transient,
            RunError::Canceled => FailureKind::Canceled,
            _ => FailureKind::Refused,
        };
        Self { kind, reason: error.to_string() }
    }
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        let reason = failure.reason;
        match failure.kind {
            FailureKind::Input => Self::Input { reason, incomplete: false },
            FailureKind::Incomplete => Self::Input { reason, incomplete: true },
            FailureKind::Refused => Self::Refused { reason },
            FailureKind::Transient => Self::Transient { reason },
            FailureKind::Canceled => Self::Canceled,
        }
    }
}

/// Writes a message as one line.
pub(super) fn send<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    to.write_all(&line_of(message)?)
}

/// A message as one line.
pub(super) fn line_of<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads a message from its line.
pub(super) fn parse<T: DeserializeOwned>(line: &str) -> io::Result<T> {
    serde_json::from_str(line).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_survive_the_wire() {
        for error in [
            RunError::Input { reason: "a".to_owned(), incomplete: true },
            RunError::Input { reason: "b".to_owned(), incomplete: false },
            RunError::Refused { reason: "c".to_owned() },
            RunError::Transient { reason: "d".to_owned() },
            RunError::Canceled,
        ] {
            let before = format!("{error:?}");
            let mut line = Vec::new();
            send(&mut line, &Reply::Failed(error.into())).unwrap();
            let Reply::Failed(failure) = parse(std::str::from_utf8(&line).unwrap()).unwrap() else {
                panic!("another message");
            };
            assert_eq!(format!("{:?}", RunError::from(failure)), before);
        }
    }
}
