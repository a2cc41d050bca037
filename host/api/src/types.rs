//! What the control socket and `--json` say. Version 1 of these shapes: fields are only added.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use wavemill_platform::Confinement;
use wavemill_store::JobState;
use wavemill_store::Occasion;
use wavemill_watch::Refusal;

/// A running daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = BTreeMap<String, u64>)]
    pub jobs: BTreeMap<JobState, u64>,
    /// Which jobs are held back by request.
    #[serde(default)]
    pub paused: PauseView,
    /// Jobs that wait for pipelines which this daemon does not run, by pipeline.
    #[serde(default)]
    pub unwatched: BTreeMap<String, u64>,
    /// Why jobs wait for room on a disk, by pipeline.
    #[serde(default)]
    pub shortages: BTreeMap<String, String>,
    /// Why the last reload was refused, so that everything goes on as before.
    #[serde(default)]
    pub reload_refused: Option<String>,
    /// Watched folders.
    pub watches: Vec<WatchView>,
    /// Folders that outputs of the watched pipelines go to, as far as they are the same for all files.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Worker processes.
    pub workers: Vec<WorkerView>,
    /// How far workers are confined; absent where an older daemon answers.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub confinement: Option<Confinement>,
    /// Who is notified of the ends of jobs and batches.
    #[serde(default)]
    pub hooks: Vec<HookView>,
    /// The link that lets one browser in, where HTTP is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_link: Option<String>,
}

/// Who is notified of the ends of jobs and batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookView {
    /// Its name.
    pub name: String,
    /// What it is notified of.
    #[schema(value_type = Vec<String>)]
    pub on: Vec<Occasion>,
    /// Of which pipelines; empty is all.
    pub pipelines: Vec<String>,
    /// What it was not notified of yet.
    pub waiting: u64,
    /// Why notifying it failed last.
    pub reason: Option<String>,
}

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WatchView {
    /// Its pipeline.
    pub pipeline: String,
    /// The folder.
    pub path: String,
    /// Whether its files are moved or deleted when they are done, or when they fail.
    #[serde(default)]
    pub is_emptied: bool,
    /// Whether another daemon watches it with a pipeline of the same name.
    #[serde(default)]
    pub is_contended: bool,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedView {
    /// What stands against it.
    #[schema(value_type = String)]
    pub refusal: Refusal,
    /// One line, to be read after its name.
    pub reason: String,
}

/// Whether a watched folder can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The source.
    pub input: String,
    /// Where it is in its life.
    #[schema(value_type = String)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutputView {
    /// Its final name.
    pub path: String,
    /// Export, chapters, page or report.
    #[schema(value_type = String)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JobFilter {
    /// Only jobs in this state.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    #[param(value_type = Option<String>)]
    pub state: Option<JobState>,
    /// Only jobs of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// Only jobs of this batch.
    #[serde(default)]
    pub batch: Option<String>,
    /// At most so many; [`JobFilter::LIMIT_DEFAULT`] if absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

impl JobFilter {
    /// Jobs listed when no limit is given.
    pub const LIMIT_DEFAULT: usize = 100;
}

/// A list of jobs: the answer of `GET /v1/jobs`, of retry, reprocess and cancel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobList {
    /// The jobs; after retry and reprocess: the new ones.
    pub jobs: Vec<JobView>,
    /// After retry and cancel: why others that were named are not among them, a line each. Where none is, the answer is
    /// a problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
}

/// Which jobs to repeat: `{"ids": [..]}` or `{"all": true}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReprocessRequest {
    /// Absolute paths of files; with a pipeline only as that pipeline's files.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Without paths: every file of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
}

/// Which jobs to cancel: `{"ids": [..]}`, `{"batch": ".."}` or `{"waiting": true}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// These jobs, by id or unique part of an id.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Every job of this batch that has not ended.
    #[serde(default)]
    pub batch: Option<String>,
    /// Every job that waits.
    #[serde(default)]
    pub waiting: bool,
    /// With `waiting`: only of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
}

/// Whose jobs to hold back or to hand out again: `{"pipeline": ".."}`; without it, those of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// The pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
}

/// Which jobs are held back by request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PauseView {
    /// All of them.
    pub all: bool,
    /// Those of these pipelines.
    pub pipelines: Vec<String>,
}

/// A pipeline that files can be submitted to by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PipelineView {
    /// Its name.
    pub name: String,
    /// Hash of what new jobs run with, 64 hex digits.
    pub plan: String,
    /// Whether the daemon watches folders for it.
    pub is_watched: bool,
}

/// Which regions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RegionFilter {
    /// Only those of this track.
    #[serde(default)]
    pub track: Option<String>,
}

/// Regions, by track and start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionList {
    /// The regions.
    pub regions: Vec<RegionView>,
}

/// A part of a file at a time of a track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionView {
    /// Its id.
    pub id: String,
    /// The track.
    pub track_id: String,
    /// The upload, or the absolute path of a file; absent is silence.
    pub file_id: Option<String>,
    /// Start on the track, s.
    pub start_time: f64,
    /// Length, s; absent is the whole file.
    pub duration: Option<f64>,
    /// What its maker calls it.
    pub name: Option<String>,
    /// Gain as a factor.
    pub gain: f64,
    /// Where the file lies.
    pub path: Option<String>,
    /// When it was made, RFC 3339.
    pub created: String,
}

/// A region to add.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRegionRequest {
    /// The track; one that is new begins with it.
    pub track_id: String,
    /// The id of an upload, or the absolute path of a file; silence if absent.
    #[serde(default)]
    pub file_id: Option<String>,
    /// Start on the track, s.
    pub start_time: f64,
    /// Length, s; the whole file if absent.
    #[serde(default)]
    pub duration: Option<f64>,
    /// What to call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Gain as a factor; 1 if absent.
    #[serde(default)]
    pub gain: Option<f64>,
}

/// Which regions to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveRegionsRequest {
    /// Their ids.
    pub ids: Vec<String>,
}

/// The pipelines that run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PipelineList {
    /// By name.
    pub pipelines: Vec<PipelineText>,
}

/// A pipeline with its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PipelineText {
    /// Its name.
    pub name: String,
    /// Hash of what new jobs run with, 64 hex digits.
    pub plan: String,
    /// Whether the daemon watches folders for it.
    pub is_watched: bool,
    /// Its TOML.
    pub text: String,
}

/// A text to check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// The pipeline.
    pub toml: String,
    /// The folder that its effects are relative to; absolute.
    #[serde(default)]
    pub folder: Option<String>,
}

/// What is wrong with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckAnswer {
    /// Hash of what jobs would run with; absent where mistakes keep it from running.
    pub plan: Option<String>,
    /// Mistakes and doubts, in the order of the text.
    pub mistakes: Vec<MistakeView>,
}

/// A mistake, or a doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MistakeView {
    /// The kind, such as `unknown-key`.
    pub code: String,
    /// Whether it keeps the pipeline from running.
    pub is_error: bool,
    /// One line.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
    /// Characters of the text before it.
    pub from: u64,
    /// Characters of the text before its end.
    pub to: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its column in characters, from 1.
    pub column: u64,
}

/// That the daemon was asked to reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadAnswer {
    /// True.
    pub is_asked: bool,
}

/// Files to process, once each: they become a batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// Absolute paths.
    pub paths: Vec<String>,
    /// Name of a pipeline that the daemon runs or has run. Not needed with `toml`.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// The pipeline itself.
    #[serde(default)]
    pub toml: Option<String>,
    /// With `toml`: the folder that its effects are relative to; absolute.
    #[serde(default)]
    pub folder: Option<String>,
    /// Base of relative output paths; absolute. The pipeline's usual one if absent.
    #[serde(default)]
    pub output_root: Option<String>,
    /// What to call the batch.
    #[serde(default)]
    pub name: Option<String>,
    /// Higher runs earlier; the pipeline's own if absent.
    #[serde(default)]
    pub priority: Option<i32>,
}

/// A batch that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubmitAnswer {
    /// The batch; absent when no file could be taken.
    pub batch: Option<BatchView>,
    /// Files that were not taken, and why.
    pub refused: Vec<RefusedFile>,
}

/// A file that has no job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedFile {
    /// The file.
    pub path: String,
    /// One line, to be read after its name.
    pub reason: String,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BatchView {
    /// Its id.
    pub id: String,
    /// What its maker calls it.
    pub name: Option<String>,
    /// The pipeline of its jobs.
    pub pipeline: String,
    /// Its jobs.
    pub total: u64,
    /// Its jobs by state; states without jobs are left out.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub jobs: BTreeMap<JobState, u64>,
    /// Whether every job has ended.
    pub is_over: bool,
    /// Share of the work that is done, 0 to 100: every file counts by its size.
    pub progress_percent: f64,
    /// Audio of the jobs that have ended, s, as far as it could be read.
    pub audio_done_s: f64,
    /// Seconds until it is over, at the pace so far; absent before anything is done, while nothing runs
    /// and at the end.
    pub eta_s: Option<f64>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When its first job began, RFC 3339.
    pub started: Option<String>,
    /// When its last job ended, RFC 3339.
    pub finished: Option<String>,
    /// Its jobs that failed or were rejected, with their reasons; at most [`BatchView::FAILURES_MAX`].
    pub failures: Vec<BatchFailure>,
}

impl BatchView {
    /// Failures that are named.
    pub(crate) const FAILURES_MAX: usize = 1_000;
}

/// A job of a batch that did not deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchFailure {
    /// Its id.
    pub job: String,
    /// The source.
    pub input: String,
    /// One line.
    pub reason: String,
}

/// Which batches to list; the newest come first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams,
)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BatchFilter {
    /// At most so many; [`JobFilter::LIMIT_DEFAULT`] if absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// Batches, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BatchList {
    /// The batches.
    pub batches: Vec<BatchView>,
}

/// Which files of the catalog to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FileFilter {
    /// Only the file with this absolute path.
    #[serde(default)]
    pub path: Option<String>,
    /// Made at this moment or later, milliseconds since 1970.
    #[serde(default)]
    pub since_ms: Option<u64>,
    /// Made before this moment, milliseconds since 1970.
    #[serde(default)]
    pub until_ms: Option<u64>,
    /// Only files of this extension, without case and dot.
    #[serde(default)]
    pub ext: Option<String>,
    /// Only files of this pipeline.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// Only files whose tag has this text, without case: `artist=Ada`.
    #[serde(default)]
    pub tag: Option<String>,
    /// At least so loud, LUFS.
    #[serde(default)]
    pub min_lufs: Option<f64>,
    /// At most so loud, LUFS.
    #[serde(default)]
    pub max_lufs: Option<f64>,
    /// `date` (the newest first; default), `name`, `size` (the largest first) or `loudness` (the loudest
    /// first).
    #[serde(default)]
    pub sort: Option<String>,
    /// At most so many; [`JobFilter::LIMIT_DEFAULT`] if absent.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A file of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// Where it is.
    pub path: String,
    /// `present`, `changed` (not the bytes that were made), or `missing`.
    pub state: String,
    /// When it was published, or last changed before it was adopted, RFC 3339.
    pub made: String,
    /// Its size when it was made.
    pub size_bytes: u64,
    /// BLAKE3 of its bytes when it was made, 64 hex digits.
    pub blake3: String,
    /// The job that made it.
    pub job: Option<String>,
    /// The pipeline that made it; absent of an adopted file.
    pub pipeline: Option<String>,
    /// Its length.
    pub duration_s: Option<f64>,
    /// Its loudness.
    pub integrated_lufs: Option<f64>,
    /// Its true peak.
    pub true_peak_dbtp: Option<f64>,
    /// Its tags that are texts or numbers.
    pub tags: BTreeMap<String, String>,
}

/// Files of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileList {
    /// The files.
    pub files: Vec<FileView>,
}

/// The catalog in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileStats {
    /// Files.
    pub count: u64,
    /// Their bytes when they were made.
    pub bytes: u64,
    /// Their audio, s, as far as it is known.
    pub audio_s: f64,
    /// When the oldest was made, RFC 3339.
    pub oldest: Option<String>,
    /// When the newest was made, RFC 3339.
    pub newest: Option<String>,
    /// The same by extension.
    pub by_extension: BTreeMap<String, TypeStats>,
    /// The store's cache of recently used entries.
    #[serde(default)]
    pub cache: CacheView,
}

/// The store's cache of recently used entries, since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CacheView {
    /// Pages that were there.
    pub hits: u64,
    /// Pages that had to be read.
    pub misses: u64,
    /// Pages that made room for others, the least recently used first.
    pub evictions: u64,
    /// Memory that it takes, bytes.
    pub used_bytes: u64,
}

/// Files of an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TypeStats {
    /// Files.
    pub count: u64,
    /// Their bytes when they were made.
    pub bytes: u64,
}

/// Where a file goes: `{"from": "..", "to": ".."}`, both absolute; `to` is the new name, no folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveRequest {
    /// A file of the catalog.
    pub from: String,
    /// Its new name, which must be free.
    pub to: String,
    /// Whether it stays where it is too.
    #[serde(default)]
    pub copy: bool,
}

/// Which files to delete: absolute paths of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    /// The files.
    pub paths: Vec<String>,
    /// Whether folders that become empty go too, up to the output folder.
    #[serde(default)]
    pub empty_folders: bool,
}

/// What became of files that were to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeleteAnswer {
    /// Files that are gone.
    pub deleted: Vec<String>,
    /// Folders that were empty and are gone.
    pub folders: Vec<String>,
    /// Files that stayed, and why.
    pub kept: Vec<RefusedFile>,
}

/// Files that others made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptRequest {
    /// Absolute paths; they are hashed to be known.
    pub paths: Vec<String>,
    /// What is known of these, by path; the daemon itself decodes nothing.
    #[serde(default)]
    pub facts: BTreeMap<String, FileFacts>,
}

/// What was found in a file, as it was when it was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Its size then; what was found is only believed of a file that has this size, time and inode.
    pub size_bytes: u64,
    /// When it was changed last then, ns since 1970.
    pub modified_ns: i64,
    /// Its inode number then.
    pub inode: u64,
    /// Its length, s.
    #[serde(default)]
    pub duration_s: Option<f64>,
    /// Its loudness, LUFS.
    #[serde(default)]
    pub integrated_lufs: Option<f64>,
    /// Its true peak, dBTP.
    #[serde(default)]
    pub true_peak_dbtp: Option<f64>,
    /// Its tags that are texts or numbers.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What became of files that were to be adopted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdoptAnswer {
    /// Files that are new in the catalog.
    pub adopted: u64,
    /// Files that were in it, and of which more is known now.
    #[serde(default)]
    pub completed: u64,
    /// Files that could not be read.
    pub refused: Vec<RefusedFile>,
}

/// How to stop: `{"now": bool}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    /// `false` finishes what runs; `true` ends it at once, to be done again at the next start.
    #[serde(default)]
    pub now: bool,
}

/// Why a request was refused: problem details (RFC 9457), as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What identifies the kind of problem: `urn:wavemill:problem:` and its title with hyphens.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The kind of problem, the same for all of a kind.
    pub title: String,
    /// One line about this one.
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(status: u16, title: &str, detail: impl Into<String>) -> Self {
        let kind = format!("urn:wavemill:problem:{}", title.replace(' ', "-"));
        Self { kind, title: title.to_owned(), detail: detail.into(), status }
    }
}

/// Whether the daemon is well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`; in a refusal: `stalled` or `draining`.
    pub status: String,
    /// Seconds since the scheduler went round last.
    pub scheduler_age_s: f64,
}

/// What is logged: `{"level": "debug"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevel {
    /// A level, or filters such as `wavemill_daemon=debug`.
    pub level: String,
}
