//! What a daemon needs to know, and how it ends.

use super::event::DaemonEvent;
use crate::hooks::Hook;
use crossbeam_channel::{Receiver, Sender};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use wavemill_api::{SetLogLevel, StopSignal};
use wavemill_http::HttpSettings;
use wavemill_pipelines::Diagnostic;
use wavemill_pipelines::model::Defaults;

/// How to run a daemon.
#[derive(Clone, Debug)]
pub struct DaemonSettings {
    /// Folder of the store, the control socket and the spools; made if missing.
    pub state_dir: PathBuf,
    /// Base of relative watch folders; absolute.
    pub root: PathBuf,
    /// Base of relative output paths; absolute.
    pub output_root: PathBuf,
    /// The pipelines.
    pub pipelines: Vec<PipelineSource>,
    /// What holds where a pipeline says nothing.
    pub defaults: Defaults,
    /// Who is notified of the ends of jobs and batches.
    pub hooks: Vec<Hook>,
    /// Worker processes; at least 1.
    pub workers: usize,
    /// How a worker is started; empty means this program with the argument `worker`.
    pub worker_command: Vec<OsString>,
    /// Resident memory at which a worker is ended; [`DaemonSettings::WORKER_RSS_BYTES_MAX`] is usual.
    pub worker_rss_bytes_max: u64,
    /// Free space below which no job begins that would write there.
    pub free_bytes_min: u64,
    /// Processor time that a worker may use without getting anywhere; [`DaemonSettings::WORKER_STALL`]
    /// is usual.
    pub worker_stall: Duration,
    /// Whether workers give up what their jobs do not need.
    pub confine: bool,
    /// How long finished jobs are remembered; [`DaemonSettings::HISTORY`] is usual.
    pub history: Duration,
    /// Most finished jobs that are remembered; [`DaemonSettings::HISTORY_JOBS`] is usual.
    pub history_jobs: u64,
    /// How HTTP is served; not at all if absent.
    pub http: Option<HttpSettings>,
    /// End when nothing is left to do.
    pub until_idle: bool,
    /// Where events go; a receiver that is gone is no error.
    pub events: Sender<DaemonEvent>,
    /// How it is stopped.
    pub stop: StopSignal,
    /// What `POST /v1/log` does.
    pub set_log_level: SetLogLevel,
    /// Asks for [`DaemonSettings::reloads`].
    pub ask_reload: Sender<()>,
    /// What it is to go on with, or why that cannot be read.
    pub reloads: Receiver<Result<Reload, String>>,
}

/// What a running daemon is to go on with.
#[derive(Clone, Debug)]
pub struct Reload {
    /// The pipelines.
    pub pipelines: Vec<PipelineSource>,
    /// What holds where a pipeline says nothing.
    pub defaults: Defaults,
    /// Free space below which no job begins that would write there.
    pub free_bytes_min: u64,
    /// Who is notified of the ends of jobs and batches.
    pub hooks: Vec<Hook>,
}

impl DaemonSettings {
    /// Usual limit of a worker's resident memory: 20 times what the longest file needs, and small
    /// enough that two workers fit a small machine.
    pub const WORKER_RSS_BYTES_MAX: u64 = 2 << 30;

    /// Usual limit of processor time without progress, and without a byte read or written. The longest
    /// that honest work goes without either is the compilation of an effect: seconds.
    pub const WORKER_STALL: Duration = Duration::from_mins(5);

    /// Usual time that finished jobs are remembered: a quarter.
    pub const HISTORY: Duration = Duration::from_hours(90 * 24);

    /// Usual bound on finished jobs: a thousand a day for that time, at some 2.4 KB each (bench `history`).
    pub const HISTORY_JOBS: u64 = 100_000;
}

/// The text of a pipeline file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineSource {
    /// Where it was read.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// What a daemon did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Jobs delivered.
    pub done: u64,
    /// Jobs failed for good.
    pub failed: u64,
    /// Jobs rejected by a gate.
    pub rejected: u64,
    /// Jobs skipped.
    pub skipped: u64,
    /// Jobs canceled.
    pub canceled: u64,
    /// Files that are still incomplete.
    pub incomplete: u64,
    /// Files and folders that still cannot be read.
    pub unreadable: u64,
}

/// Why a daemon could not start or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// A pipeline file has mistakes.
    #[error("{} has {} mistakes; `wavemill check` shows them", .path.display(), .diagnostics.len())]
    Pipeline {
        /// The file.
        path: PathBuf,
        /// Its text, to show them in.
        text: String,
        /// The mistakes.
        diagnostics: Vec<Diagnostic>,
    },
    /// Pipelines that cannot run together: two of one name, outputs in a watched folder.
    #[error("{reason}")]
    Conflict {
        /// One line.
        reason: String,
    },
    /// Another daemon has the store.
    #[error("another wavemill uses this state folder (pid {pid}): {}", .state_dir.display())]
    Busy {
        /// Its process id, or `unknown`.
        pid: String,
        /// The state folder.
        state_dir: PathBuf,
    },
    /// There is no room where the state or the log is. Whatever was under way is resumed by the next start.
    #[error("{} has no room: {reason}", .folder.display())]
    Full {
        /// The folder.
        folder: PathBuf,
        /// One line.
        reason: String,
    },
    /// The store failed.
    #[error("the store in {} failed: {reason}", .state_dir.display())]
    Store {
        /// The state folder.
        state_dir: PathBuf,
        /// One line.
        reason: String,
    },
    /// A folder, the socket or a process could not be made.
    #[error("{reason}")]
    Start {
        /// One line.
        reason: String,
    },
}
