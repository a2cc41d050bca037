//! What the control socket and `--json` say. Version 1 of these shapes: fields are only added.

use crate::jobs::JobState;
use crate::watch::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A running daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Process id.
    pub pid: u32,
    /// Version of the program.
    pub version: String,
    /// Seconds since it started.
    pub uptime_s: f64,
    /// Whether it finishes what runs and then ends.
    pub is_draining: bool,
    /// Jobs by state; every state is present.
    pub jobs: BTreeMap<JobState, u64>,
    /// Jobs that wait for pipelines which this daemon does not run, by pipeline.
    #[serde(default)]
    pub unwatched: BTreeMap<String, u64>,
    /// Watched folders.
    pub watches: Vec<WatchView>,
    /// Worker processes.
    pub workers: Vec<WorkerView>,
}

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchView {
    /// Its pipeline.
    pub pipeline: String,
    /// The folder.
    pub path: String,
    /// Whether it can be read.
    pub state: WatchState,
    /// Why it is offline.
    pub reason: Option<String>,
    /// Files in it when it was last at rest or fully walked.
    pub files: u64,
    /// When the last full walk ended, RFC 3339.
    pub last_scan: Option<String>,
    /// Files that were still incomplete after their settle time, with the reason, by path.
    pub incomplete: BTreeMap<String, String>,
    /// Files and folders that are not taken, by path.
    #[serde(default)]
    pub refused: BTreeMap<String, RefusedView>,
}

/// A file or folder that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedView {
    /// What stands against it.
    pub refusal: Refusal,
    /// One line, to be read after its name.
    pub reason: String,
}

/// Whether a watched folder can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WatchState {
    /// Its first walk is under way.
    Starting,
    /// It is watched.
    Online,
    /// It vanished or cannot be read; nothing in it counts as deleted.
    Offline,
}

/// A worker process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Process id; absent while none is running in this place.
    pub pid: Option<u32>,
    /// The job it has.
    pub job: Option<String>,
    /// Its resident memory.
    pub rss_bytes: Option<u64>,
    /// Jobs it has finished.
    pub jobs_done: u64,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The source.
    pub input: String,
    /// Where it is in its life.
    pub state: JobState,
    /// Attempts made, the running one included.
    pub attempt: u32,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When its last attempt began, RFC 3339.
    pub started: Option<String>,
    /// When it reached a final state, RFC 3339.
    pub finished: Option<String>,
    /// When the next attempt may begin, RFC 3339; only in state `retry`.
    pub retry_at: Option<String>,
    /// One line: why it failed, was rejected, skipped or canceled, or why the last attempt did.
    pub reason: Option<String>,
    /// One line: why it does not run though its time has come.
    #[serde(default)]
    pub waits: Option<String>,
    /// Share of the running attempt that is done, 0 to 1.
    pub progress: Option<f64>,
    /// What it made or makes.
    pub outputs: Vec<OutputView>,
    /// Where the source was moved.
    pub source_moved_to: Option<String>,
    /// The job that this one repeats.
    pub retry_of: Option<String>,
    /// The batch it belongs to.
    pub batch: Option<String>,
}

/// A file that a job makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputView {
    /// Its final name.
    pub path: String,
    /// Export or report.
    pub kind: wavemill_pipelines::execution::OutputKind,
    /// Its size; absent before it is complete.
    pub size_bytes: Option<u64>,
    /// BLAKE3 of its bytes, 64 hex digits; absent before it is complete.
    pub blake3: Option<String>,
    /// Whether it has its final name.
    pub is_published: bool,
    /// Why it was left out.
    pub skipped: Option<String>,
}

/// Which jobs to list; the newest come first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobFilter {
    /// Only jobs in this state.
    #[serde(default)]
    pub state: Option<JobState>,
    /// Only jobs of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// At most so many; [`JobFilter::LIMIT_DEFAULT`] if absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

impl JobFilter {
    /// Jobs listed when no limit is given.
    pub const LIMIT_DEFAULT: usize = 100;
}

/// A list of jobs: the answer of `GET /v1/jobs`, of retry and of reprocess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobList {
    /// The jobs; after retry and reprocess: the new ones.
    pub jobs: Vec<JobView>,
}

/// Which jobs to repeat: `{"ids": [..]}` or `{"all": true}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RetryRequest {
    /// These jobs, by id or unique part of an id.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Every failed or rejected job whose file has had no later job.
    #[serde(default)]
    pub all: bool,
    /// With `all`: only of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
}

/// Which known files to process again: `{"paths": [..]}` or `{"pipeline": ".."}`, or both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReprocessRequest {
    /// Absolute paths of files; with a pipeline only as that pipeline's files.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Without paths: every file of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
}

/// How to stop: `{"now": bool}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopRequest {
    /// `false` finishes what runs; `true` ends it at once, to be done again at the next start.
    #[serde(default)]
    pub now: bool,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind of problem, the same for all of a kind.
    pub title: String,
    /// One line about this one.
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
}
