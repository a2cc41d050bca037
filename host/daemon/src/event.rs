//! What a running daemon reports to its terminal.

use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_api::types::OutputView;
use wavemill_pipelines::report::Report;
use wavemill_store::JobState;
use wavemill_watch::Refusal;

/// Something happened. Jobs are named by id; the same events feed `watch --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DaemonEvent {
    /// Everything is set up; the first walks begin.
    Started {
        /// What is watched.
        watches: Vec<StartedWatch>,
        /// The link that lets one browser in, where HTTP is served.
        #[serde(skip)]
        link: Option<String>,
    },
    /// Jobs wait for a pipeline that this daemon does not run.
    PipelineUnwatched {
        /// The pipeline.
        pipeline: String,
        /// How many.
        jobs: u64,
    },
    /// A worker began an attempt.
    JobStarted {
        /// Its id.
        job: String,
        /// Its pipeline.
        pipeline: String,
        /// The source.
        #[serde(serialize_with = "shown")]
        input: PathBuf,
        /// 1 for the first.
        attempt: u32,
    },
    /// A worker got further; at most a few times a second for each job.
    Progress {
        /// The job.
        job: String,
        /// 0 to 1.
        share: f64,
    },
    /// A job was delivered.
    JobDone {
        /// Its id.
        job: String,
        /// Its pipeline.
        pipeline: String,
        /// The source.
        #[serde(serialize_with = "shown")]
        input: PathBuf,
        /// What was published.
        outputs: Vec<OutputView>,
        /// The run's report; `None` when the job was finished by a recovery.
        #[serde(serialize_with = "rounded")]
        report: Option<Box<Report>>,
        /// Time of the attempt, publishing included.
        #[serde(rename = "elapsed_s", serialize_with = "seconds")]
        elapsed: Duration,
    },
    /// An attempt failed.
    JobFailed {
        /// Its id.
        job: String,
        /// Its pipeline.
        pipeline: String,
        /// The source.
        #[serde(serialize_with = "shown")]
        input: PathBuf,
        /// One line.
        reason: String,
        /// Time until the next attempt; absent when this was the last.
        #[serde(rename = "retry_in_s", serialize_with = "optional_seconds")]
        retry_in: Option<Duration>,
    },
    /// A gate refused the file.
    JobRejected {
        /// Its id.
        job: String,
        /// Its pipeline.
        pipeline: String,
        /// The source.
        #[serde(serialize_with = "shown")]
        input: PathBuf,
        /// One line.
        reason: String,
        /// What was published: the report, if the pipeline writes one.
        outputs: Vec<OutputView>,
        /// The run's report; `None` as above.
        #[serde(serialize_with = "rounded")]
        report: Option<Box<Report>>,
    },
    /// Nothing was made: all names were taken, or the file is a duplicate.
    JobSkipped {
        /// Its id.
        job: String,
        /// Its pipeline.
        pipeline: String,
        /// The source.
        #[serde(serialize_with = "shown")]
        input: PathBuf,
        /// One line.
        reason: String,
    },
    /// The job no longer has to run.
    JobCanceled {
        /// Its id.
        job: String,
        /// Its pipeline.
        pipeline: String,
        /// The source.
        #[serde(serialize_with = "shown")]
        input: PathBuf,
        /// One line.
        reason: String,
    },
    /// The last job of a batch has ended.
    BatchOver {
        /// Its id.
        batch: String,
        /// What its maker calls it.
        name: Option<String>,
        /// The pipeline of its jobs.
        pipeline: String,
        /// Its jobs by state.
        jobs: BTreeMap<JobState, u64>,
    },
    /// A file has stopped growing before its header's promise was kept; it is left in place.
    FileIncomplete {
        /// Its pipeline.
        pipeline: String,
        /// The file.
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        /// One line.
        reason: String,
    },
    /// A file or folder is not taken: it cannot be read, or is no regular file.
    FileRefused {
        /// Its pipeline.
        pipeline: String,
        /// The file or folder.
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        /// What stands against it.
        refusal: Refusal,
        /// One line.
        reason: String,
    },
    /// A watched folder cannot be read.
    RootOffline {
        /// Its pipeline.
        pipeline: String,
        /// The folder.
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        /// One line.
        reason: String,
    },
    /// A watched folder can be read again.
    RootOnline {
        /// Its pipeline.
        pipeline: String,
        /// The folder.
        #[serde(serialize_with = "shown")]
        path: PathBuf,
    },
    /// A full walk of a watched folder ended.
    ScanDone {
        /// Its pipeline.
        pipeline: String,
        /// The folder.
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        /// Files that belong to the watch.
        files: u64,
    },
    /// Files were deleted because they are older than their pipeline says.
    Expired {
        /// The pipeline.
        pipeline: String,
        /// How many.
        files: u64,
    },
    /// Pipelines and settings were read anew; what runs goes on with what it began with.
    Reloaded {
        /// Pipelines that are new.
        begun: Vec<String>,
        /// Pipelines with another text.
        changed: Vec<String>,
        /// Pipelines that are not run any more.
        ended: Vec<String>,
    },
    /// What was read anew has mistakes; everything goes on as it was.
    ReloadRefused {
        /// One line.
        reason: String,
    },
    /// Jobs of a pipeline wait: there is too little room where they would write.
    SpaceShort {
        /// The pipeline.
        pipeline: String,
        /// One line.
        reason: String,
        /// How many jobs wait.
        jobs: u64,
    },
    /// There is room again, or the jobs are held back for another reason.
    SpaceFound {
        /// The pipeline.
        pipeline: String,
    },
    /// Nothing is left to do for now.
    Idle,
    /// It was asked to stop: running jobs are finished (`now` false) or ended.
    Stopping {
        /// Whether running jobs are ended.
        now: bool,
        /// Jobs that run.
        running: usize,
    },
}

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StartedWatch {
    /// Its pipeline.
    pub pipeline: String,
    /// The folder.
    #[serde(serialize_with = "shown")]
    pub path: PathBuf,
}

/// A path that is no UTF-8 is shown with replacement characters: JSON cannot hold its bytes.
fn shown<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn rounded<S: serde::Serializer>(
    report: &Option<Box<Report>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    report.as_ref().map(|report| report.to_json()).serialize(serializer)
}

fn seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn optional_seconds<S: serde::Serializer>(
    value: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => seconds(value, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn event_about_a_name_that_is_no_utf_8_can_be_serialized() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9.wav")).to_path_buf();
        let event = DaemonEvent::RootOnline { pipeline: "p".to_owned(), path };
        let json = serde_json::to_value(event).unwrap();
        assert_eq!(json["path"], "caf\u{fffd}.wav");
    }
}
