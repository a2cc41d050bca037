//! Running a pipeline over one file.
//!
//! Everything that could differ between two runs (dates, names, seeds) is frozen in the [`Job`], so
//! the same job gives the same bytes.

mod access;
pub(crate) mod blueprint;
mod ceiling;
mod chapters;
mod companions;
mod correction;
mod fingerprint;
mod format;
mod gates;
mod group;
mod group_correction;
pub(crate) mod member;
pub(crate) mod outputs;
mod page;
mod pass;
mod promise;
pub(crate) mod references;
mod repeat;
mod repeats;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod source;
mod spool;
pub(crate) mod stage;
mod survey;
mod when;
mod writer;

pub(crate) use access::DirectAccess;
pub use access::FileAccess;
pub use group_correction::{ROUNDS_MAX, correct_group, needs_group_correction};
pub use member::{Member, identity, measure};

pub use crate::error::RunError;
pub use crate::job::{Correction, GroupCorrection, Job, JobGroup, OmittedFile};

use crate::model::{OnConflict, Pipeline};
use crate::path_text;
use crate::report::Report;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Where a run may write, and how it is stopped.
#[derive(Clone, Debug)]
pub struct Places<'a> {
    /// Base of relative output paths.
    pub output_root: &'a Path,
    /// Folder for spool files; on a real disk.
    pub spool: &'a Path,
    /// Becomes true when the run shall end early.
    pub cancel: &'a AtomicBool,
    /// Who opens the source and the temporary files.
    pub access: Arc<dyn FileAccess>,
}

/// A file the run is about to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its kind.
    pub kind: OutputKind,
    /// The name the pipeline gives it; absolute.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// What happens when that name is taken.
    pub on_conflict: OnConflict,
}

/// Export, chapters, page or report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// An audio file.
    Export,
    /// The chapters of the exports, as JSON.
    Chapters,
    /// The report for people, as HTML.
    Page,
    /// The JSON report; published last.
    Report,
}

/// What the caller says to a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Write to `temporary`; it will be renamed to `path`.
    Write {
        /// In the destination folder, so that the rename is atomic.
        #[serde(with = "path_text")]
        temporary: PathBuf,
        /// The final name, perhaps another than proposed.
        #[serde(with = "path_text")]
        path: PathBuf,
    },
    /// Leave this output out.
    Skip {
        /// Why, for the report.
        reason: String,
    },
}

/// What the caller of a run is asked and notified of. The daemon's answer to `decide` is on disk before it
/// returns, so that after a crash every temporary file is known.
pub trait Hooks {
    /// Decides about all outputs of the run at once, before any is created.
    ///
    /// # Errors
    /// When a name is taken and the pipeline says that this is an error, or the run shall stop.
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError>;

    /// Called before any work with the outputs that there will be, where their names do not depend on measures, so
    /// that a name that is taken is refused at once. Nothing is promised: [`Self::decide`] is asked all
    /// the same.
    ///
    /// # Errors
    /// As [`Self::decide`].
    fn foresee(&mut self, _proposals: &[Proposal]) -> Result<(), RunError> {
        Ok(())
    }

    /// Progress between 0 and 1; called often, must be cheap.
    fn progress(&mut self, share: f64);
}

/// A complete, synced, verified temporary file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreparedOutput {
    /// Its kind.
    pub kind: OutputKind,
    /// Where it is.
    #[serde(with = "path_text")]
    pub temporary: PathBuf,
    /// What it will be called.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub blake3: String,
}

/// How a run ended when nothing went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `None` when delivered; else why the gates rejected the file (one line). A rejected run
    /// prepares its reports only.
    pub rejected: Option<String>,
    /// Files to publish, in this order: exports, chapters, the page, the report last. Chapters that were decided are left
    /// out where the audio has none in the end.
    pub outputs: Vec<PreparedOutput>,
    /// The report, whether or not the pipeline writes it to a file.
    pub report: Report,
}

/// Processes one file.
///
/// # Errors
/// See [`RunError`]; all temporary files and spools are removed then.
pub fn run(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    hooks: &mut dyn Hooks,
) -> Result<Outcome, RunError> {
    run::run(pipeline, job, places, hooks, false)
}

/// Does what [`run()`] does, and writes nothing but spools: gates, steps and what each export would store are
/// measured, and the outcome's report states them; it has no outputs. What `hooks` decide says which exports
/// are left out; the names are not touched.
///
/// # Errors
/// See [`RunError`].
pub fn rehearse(
    pipeline: &Pipeline,
    job: &Job,
    places: &Places<'_>,
    hooks: &mut dyn Hooks,
) -> Result<Outcome, RunError> {
    run::run(pipeline, job, places, hooks, true)
}
