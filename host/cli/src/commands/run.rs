//! `wavemill run`: a pipeline over files, in this process, without store and daemon.

use super::batches::Submit;
use super::confinement::before_run;
use super::dry_run::dry_run;
use super::events::EventView;
use super::flags::damaged;
use super::grouped::{grouped_jobs, job_of};
use super::how::RunOptions;
use super::paths::absolute;
use super::pipeline_files::{self, PipelineFile};
use super::signals;
use super::{CliError, Context, Exit, Run, check};
use crate::analysis;
use crate::report::{duration, shown};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wavemill_api::types::OutputView;
use wavemill_core::decode::Damaged;
use wavemill_daemon::{DaemonEvent, Summary};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{self, Job, Outcome, Places, PreparedOutput, RunError};
use wavemill_pipelines::publishing::{LocalHooks, LocalParts, publish_outcome};
use wavemill_store::JobIds;
use wavemill_store::cache::Outputs;

/// Folder of the state for long signals.
const SPOOL: &str = "spool";

/// Shortest time between two progress events of one file.
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);

/// Run a pipeline on files now; the files stay where they are
#[derive(Debug, clap::Args)]
pub(super) struct RunFiles {
    /// A pipeline file, or NAME for pipelines/NAME.toml or the included one
    pipeline: PathBuf,

    /// Audio files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Base folder of relative output paths [default: the root]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,

    /// What to do with a damaged file: refuse it, or repair it and report the repairs [default: as
    /// `[decode]` says]
    #[arg(long, value_parser = damaged, value_name = "refuse|repair", conflicts_with = "detach")]
    damaged: Option<Damaged>,

    /// Measure the result and list the files that would be written, but write nothing
    #[arg(long)]
    dry_run: bool,

    /// Replace existing files that have the names of outputs
    #[arg(long)]
    force: bool,

    /// Leave the work to the daemon, like `jobs submit`
    #[arg(long, conflicts_with_all = ["dry_run", "force"])]
    detach: bool,
}

impl Run for RunFiles {
    const NAME: &'static str = "run";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        if self.detach {
            return Submit::of_run(self.pipeline, self.files, self.output).run(context);
        }
        let path = pipeline_files::find_one(&self.pipeline)?;
        let pipelines = pipeline_files::load_all(&[path], context)?;
        let pipelines: Vec<_> =
            pipelines.into_iter().map(|file| file.with_damaged(self.damaged)).collect();
        if self.output.is_none() && context.settings.output_dir.is_none() {
            context.settings.check_root()?;
        }
        let output_root = match &self.output {
            Some(path) => absolute(path)?,
            None => context.settings.output_root().to_owned(),
        };
        let memory = Outputs::of_state(&context.settings.state);
        let (is_dry, replaces) = (self.dry_run, self.force);
        let how = RunOptions { is_dry, replaces, memory: Some(memory), advice: ADVICE };
        run_files(context, &pipelines, &self.files, &output_root, &how)
    }
}

/// What to do about a name that is taken.
const ADVICE: &str = "replace it with --force, or write elsewhere with --output";

/// Runs the first of these pipelines over files, one after the other, or says what that would make.
pub(super) fn run_files(
    context: &Context,
    pipelines: &[PipelineFile],
    files: &[PathBuf],
    output_root: &Path,
    how: &RunOptions,
) -> Result<Exit, CliError> {
    let pipeline = first(pipelines)?;
    let spool = spool_folder(context);
    // Before there are further threads, and before a file is looked into.
    let _outputs = before_run(context, pipeline, files, output_root, (&spool, how))?;
    run_confined(context, pipelines, files, output_root, how)
}

/// As [`run_files`], by a process that gave up what this does not need.
pub(super) fn run_confined(
    context: &Context,
    pipelines: &[PipelineFile],
    files: &[PathBuf],
    output_root: &Path,
    how: &RunOptions,
) -> Result<Exit, CliError> {
    let pipeline = first(pipelines)?;
    let spool = context.settings.state.join(SPOOL);
    let cancel = Arc::new(AtomicBool::new(false));
    cancel_on_signals(&cancel)?;
    let parts = Arc::new(LocalParts::default());
    let access = Arc::<LocalParts>::clone(&parts);
    let places = Places { output_root, spool: &spool, cancel: &cancel, access };
    if how.is_dry {
        return dry_run(context, pipeline, files, &places, how);
    }
    let mut runner = Runner {
        pipeline,
        how,
        places,
        parts,
        ids: JobIds::after(None),
        view: EventView::new(context, pipelines, true),
        summary: Summary::default(),
    };
    let mut jobs = grouped_jobs(context, pipeline, files, &runner.places, &runner.ids).into_iter();
    for file in files {
        if cancel.load(Ordering::SeqCst) {
            break;
        }
        let job = jobs.next().unwrap_or_else(|| job_of(file, &runner.ids));
        runner.file(file, job)?;
    }
    let Runner { view, summary, .. } = runner;
    // One file's own line says it all.
    if context.is_json() || files.len() > 1 {
        view.finish(&summary)?;
    }
    Ok(match (cancel.load(Ordering::SeqCst), summary.failed + summary.rejected) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Done,
        (false, _) => Exit::SomeFailed,
    })
}

/// The pipeline that is run.
pub(super) fn first(pipelines: &[PipelineFile]) -> Result<&Pipeline, CliError> {
    let loaded = pipelines.first().and_then(|file| file.pipeline.as_ref());
    loaded.ok_or_else(|| CliError::failed("no pipeline was loaded"))
}

/// How a published output is shown.
fn published(output: &PreparedOutput) -> OutputView {
    OutputView {
        path: output.path.display().to_string(),
        kind: output.kind,
        size_bytes: Some(output.size_bytes),
        blake3: Some(output.blake3.clone()),
        is_published: true,
        skipped: None,
    }
}

/// Where long signals wait between two passes. Spools are files without names, so processes can
/// share the folder.
pub(super) fn spool_folder(context: &Context) -> PathBuf {
    let spool = context.settings.state.join(SPOOL);
    if let Err(error) = fs::create_dir_all(&spool) {
        // Short files need none; a long one says what is missing.
        tracing::warn!(path = %shown(&spool), %error, "No folder for spool files.");
    }
    spool
}

/// The first signal cancels cleanly; the second does not wait for that.
pub(super) fn cancel_on_signals(cancel: &Arc<AtomicBool>) -> Result<(), CliError> {
    let cancel = Arc::clone(cancel);
    let on_signal = move |_| {
        if cancel.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted as i32);
        }
    };
    signals::on_stop(on_signal).map_err(|error| CliError::failed(format!("signals: {error}")))
}

struct Runner<'a> {
    pipeline: &'a Pipeline,
    how: &'a RunOptions,
    places: Places<'a>,
    parts: Arc<LocalParts>,
    ids: JobIds,
    view: EventView<'a>,
    summary: Summary,
}

/// Why a file was not delivered.
enum Failure {
    /// It was asked to stop.
    Canceled,
    /// One line.
    Reason(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Canceled => Self::Canceled,
            other => Self::Reason(other.to_string()),
        }
    }
}

impl Runner<'_> {
    /// Processes one file. A failure is shown and counted, and is no error here.
    fn file(&mut self, path: &Path, job: Result<Job, String>) -> Result<(), CliError> {
        let started = Instant::now();
        let job = match job {
            Ok(job) => job,
            Err(reason) => {
                self.summary.failed += 1;
                return self.show_failure(String::new(), path, reason);
            }
        };
        self.view.show(&DaemonEvent::JobStarted {
            job: job.id.clone(),
            pipeline: self.pipeline.name.clone(),
            input: job.input.clone(),
            attempt: job.attempt,
        })?;
        self.announce(path);
        match self.execute(&job) {
            Ok(outcome) => self.finished(job, outcome, started.elapsed()),
            Err(Failure::Reason(reason)) => {
                self.summary.failed += 1;
                self.show_failure(job.id, path, reason)
            }
            Err(Failure::Canceled) => {
                self.summary.canceled += 1;
                self.view.show(&DaemonEvent::JobCanceled {
                    job: job.id,
                    pipeline: self.pipeline.name.clone(),
                    input: job.input,
                    reason: "interrupted; nothing was written".to_owned(),
                })
            }
        }
    }

    /// Says what the file is and what will be done with it, to a person who watches.
    fn announce(&self, path: &Path) {
        if !self.view.is_watched() {
            return;
        }
        // A file without a readable header gets its reason from the run itself.
        if let Ok(info) = analysis::header(path) {
            let bits = if info.lossless { format!(", {}", info.format) } else { String::new() };
            let length = info.frame_count.map(|frames| frames.duration(info.spec.sample_rate));
            let length = length.map(|s| format!(", {}", duration(s.0))).unwrap_or_default();
            let (rate, layout) = (info.spec.sample_rate, &info.spec.layout);
            let facts = format!("{}{bits}, {rate}, {layout}{length}", info.container);
            self.view.announce(path, &facts, &check::stages(self.pipeline));
        }
    }

    /// Runs and publishes.
    fn execute(&mut self, job: &Job) -> Result<Outcome, Failure> {
        let view = &mut self.view;
        let mut last = None;
        let progress = |share| {
            let is_due = |last: Instant| last.elapsed() >= PROGRESS_PAUSE;
            if last.is_none_or(is_due) {
                last = Some(Instant::now());
                // Nobody reads any more: the work goes on, and the next line says so.
                let _ = view.show(&DaemonEvent::Progress { job: job.id.clone(), share });
            }
        };
        let mut hooks = LocalHooks::new(job, progress)
            .with_parts(&self.parts)
            .replacing(self.how.replaces)
            .with_memory(&self.pipeline.name, self.how.memory(), self.how.advice);
        let outcome = execution::run(self.pipeline, job, &self.places, &mut hooks)?;
        publish_outcome(&hooks, &outcome).map_err(|error| Failure::Reason(error.to_string()))?;
        Ok(outcome)
    }

    fn finished(&mut self, job: Job, outcome: Outcome, elapsed: Duration) -> Result<(), CliError> {
        let pipeline = self.pipeline.name.clone();
        let Job { id: job, input, .. } = job;
        let Outcome { rejected, outputs, report } = outcome;
        let report = Some(Box::new(report));
        let outputs = outputs.iter().map(published).collect();
        let event = if let Some(reason) = rejected {
            self.summary.rejected += 1;
            DaemonEvent::JobRejected { job, pipeline, input, reason, outputs, report }
        } else {
            self.summary.done += 1;
            DaemonEvent::JobDone { job, pipeline, input, outputs, report, elapsed }
        };
        self.view.show(&event)
    }

    fn show_failure(&mut self, job: String, path: &Path, reason: String) -> Result<(), CliError> {
        self.view.show(&DaemonEvent::JobFailed {
            job,
            pipeline: self.pipeline.name.clone(),
            input: path.to_owned(),
            reason,
            retry_in: None,
        })
    }
}
