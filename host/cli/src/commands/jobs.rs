//! `wavemill jobs`: what was, is and will be done, and doing it again.

use super::answers::{moment, tone_of, value_of, with_version};
use super::batches::{self, Submit};
use super::paths::absolute_text;
use super::{CliError, Context, Exit, Run};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone, counted, one_line, size};
use serde_json::json;
use std::path::{Path, PathBuf};
use wavemill_api::Client;
use wavemill_api::types::{
    BatchFilter, CancelRequest, JobFilter, JobList, JobView, OutputView, PauseRequest, PauseView,
    ReprocessRequest, RetryRequest, StopRequest,
};
use wavemill_store::JobState;

/// List and control jobs
#[derive(Debug, clap::Args)]
pub(super) struct Jobs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List jobs, newest first
    List {
        /// Only jobs in this state: ready, running, retry, done, failed, rejected, ...
        #[arg(long, value_name = "STATE")]
        only: Option<JobState>,
        /// Only jobs of this pipeline
        #[arg(long, value_name = "NAME")]
        pipeline: Option<String>,
        /// Only jobs of this batch: its name, or its id or a unique part of it
        #[arg(long, value_name = "BATCH")]
        batch: Option<String>,
        /// Maximum number of entries
        #[arg(long, default_value_t = JobFilter::LIMIT_DEFAULT)]
        limit: usize,
    },
    /// Show everything about a job
    Show {
        /// Its id, or a unique part of it
        id: String,
    },
    /// Run jobs again that have ended
    Retry {
        /// Their ids, or unique parts of them
        #[arg(required_unless_present = "failed", value_name = "ID")]
        ids: Vec<String>,
        /// Every failed or rejected job whose file has no later job
        #[arg(long, conflicts_with = "ids")]
        failed: bool,
        /// With --failed: only of this pipeline
        #[arg(long, value_name = "NAME", requires = "failed")]
        pipeline: Option<String>,
    },
    /// Process finished files again, for example after editing a pipeline
    Reprocess {
        /// Files in watched folders, or moved by jobs, by their old or new name
        #[arg(required_unless_present = "pipeline", value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Every file of this pipeline; with files: only those, by this pipeline
        #[arg(long, value_name = "NAME")]
        pipeline: Option<String>,
    },
    /// Cancel waiting or running jobs and remove their unfinished outputs
    Cancel {
        /// Their ids, or unique parts of them
        #[arg(required_unless_present_any = ["batch", "waiting"], value_name = "ID")]
        ids: Vec<String>,
        /// Every unfinished job of this batch
        #[arg(long, value_name = "BATCH")]
        batch: Option<String>,
        /// Every waiting job
        #[arg(long)]
        waiting: bool,
        /// With --waiting: only of this pipeline
        #[arg(long, value_name = "NAME", requires = "waiting")]
        pipeline: Option<String>,
    },
    /// Start no more jobs until `resume`, even after a restart; running jobs finish
    Pause {
        /// Only of this pipeline
        #[arg(long, value_name = "NAME")]
        pipeline: Option<String>,
    },
    /// Resume paused jobs
    Resume {
        /// Only of this pipeline [default: all]
        #[arg(long, value_name = "NAME")]
        pipeline: Option<String>,
    },
    /// Let the daemon finish its running jobs, then exit; waiting jobs stay for the next one
    Drain,
    /// Submit files to the daemon as a batch; they stay where they are
    Submit(Submit),
    /// List batches, newest first
    Batches {
        /// Maximum number of entries
        #[arg(long, default_value_t = JobFilter::LIMIT_DEFAULT)]
        limit: usize,
    },
    /// Show the progress and failures of a batch
    Batch {
        /// Its name, or its id or a unique part of it
        batch: String,
    },
    /// Follow a batch until it is done
    Watch {
        /// Its name, or its id or a unique part of it [default: the newest batch]
        batch: Option<String>,
    },
}

impl Run for Jobs {
    const NAME: &'static str = "jobs";
    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        if let Action::Submit(submit) = &self.action {
            return submit.run(context);
        }
        let client = context.settings.client()?;
        match self.action {
            Action::List { only, pipeline, batch, limit } => {
                let filter = JobFilter { state: only, pipeline, batch, limit: Some(limit) };
                list(&client.jobs(&filter)?, limit, context)
            }
            Action::Show { id } => show(&client.job(&id)?, context),
            Action::Retry { ids, failed, pipeline } => {
                let made = client.retry(&RetryRequest { ids, all: failed, pipeline })?;
                made_again(&made, &client, context)?;
                return Ok(refused(&made, context));
            }
            Action::Reprocess { files, pipeline } => {
                let paths =
                    files.iter().map(|file| absolute_text(file)).collect::<Result<_, _>>()?;
                let made = client.reprocess(&ReprocessRequest { paths, pipeline })?;
                made_again(&made, &client, context)
            }
            Action::Cancel { ids, batch, waiting, pipeline } => {
                let request = CancelRequest { ids, batch, waiting, pipeline };
                let jobs = client.cancel(&request)?;
                canceled(&jobs, context)?;
                return Ok(refused(&jobs, context));
            }
            Action::Pause { pipeline } => held(&client.pause(&PauseRequest { pipeline })?, context),
            Action::Resume { pipeline } => {
                held(&client.resume(&PauseRequest { pipeline })?, context)
            }
            Action::Drain => {
                client.stop(&StopRequest { now: false })?;
                context.report.note("the daemon finishes its running jobs, then exits");
                Ok(())
            }
            Action::Submit(_) => Ok(()),
            Action::Batches { limit } => {
                batches::list(&client.batches(&BatchFilter { limit: Some(limit) })?, context)
            }
            Action::Batch { batch } => return batches::show(&client.batch(&batch)?, context),
            Action::Watch { batch } => return batches::watch(&client, batch.as_deref(), context),
        }
        .map(|()| Exit::Done)
    }
}

fn list(jobs: &JobList, limit: usize, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(jobs)?);
    }
    if jobs.jobs.is_empty() {
        context.report.note("no jobs");
        return Ok(());
    }
    for line in rows(&jobs.jobs, context.report.columns(), context.report.paint()) {
        context.report.wrapped_line(&line).map_err(CliError::Output)?;
    }
    if jobs.jobs.len() == limit {
        context.report.note(&format!("\nThe newest {limit}; --limit N shows more."));
    }
    Ok(())
}

/// Cells that a file's name keeps however narrow the terminal is.
const NAME_CELLS_MIN: usize = 16;

/// The column of names.
const NAMES: usize = 4;

/// The longest note that stands in the line of its job on a terminal that is too narrow for all.
const SHORT_NOTE: usize = 9;

/// The lines of a list. Where a terminal is too narrow, names are cut and long notes stand below.
fn rows(jobs: &[JobView], columns: Option<usize>, paint: Paint) -> Vec<String> {
    let notes: Vec<_> = jobs.iter().map(note_of).collect();
    let whole = table(jobs, &notes);
    let Some(columns) = columns.filter(|columns| whole.width() > *columns) else {
        return whole.lines(paint);
    };
    let is_short = |note: &str| note.len() <= SHORT_NOTE;
    let shorten = |note: &String| if is_short(note) { note.clone() } else { String::new() };
    let short: Vec<_> = notes.iter().map(shorten).collect();
    let mut table = table(jobs, &short);
    table.fit_middle(NAMES, columns, NAME_CELLS_MIN);
    let mut lines = table.lines(paint).into_iter();
    let mut all: Vec<_> = lines.next().into_iter().collect();
    for (line, note) in lines.zip(notes) {
        all.push(line);
        if !is_short(&note) {
            all.push(paint.tone(Tone::Faint, format!("    {note}")));
        }
    }
    all
}

fn table(jobs: &[JobView], notes: &[String]) -> Table {
    let mut table = Table::new(&[
        ("JOB", Align::Left),
        ("STATE", Align::Left),
        ("PIPELINE", Align::Left),
        ("MADE", Align::Left),
        ("FILE", Align::Left),
        ("", Align::Left),
    ]);
    for (job, note) in jobs.iter().zip(notes) {
        table.toned([
            (job.id.clone(), Some(Tone::Name)),
            (state_text(job), Some(tone_of(job.state))),
            (one_line(&job.pipeline), None),
            (moment(&job.created), Some(Tone::Faint)),
            (file_name(&job.input), None),
            (note.clone(), Some(Tone::Faint)),
        ]);
    }
    table
}

/// The state, with the share done while it runs.
fn state_text(job: &JobView) -> String {
    match job.progress {
        Some(share) if job.state == JobState::Running => {
            format!("{} {:.0} %", job.state, share * 100.0)
        }
        _ => job.state.to_string(),
    }
}

/// What else matters in a list: the reason, or what was made.
fn note_of(job: &JobView) -> String {
    match (&job.waits, &job.reason) {
        (Some(waits), _) => format!("waits: {}", one_line(waits)),
        (None, Some(reason)) => one_line(reason),
        (None, None) if job.state == JobState::Done => {
            let count = job.outputs.iter().filter(|output| output.is_published).count();
            counted(count, "output")
        }
        (None, None) => String::new(),
    }
}

fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy());
    one_line(name.as_deref().unwrap_or(path))
}

fn show(job: &JobView, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&json!({ "version": JSON_VERSION, "job": value_of(job)? }));
    }
    context.lines(everything(job, context.report.paint()))
}

fn everything(job: &JobView, paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, value: Option<String>, tone: Option<Tone>| {
        if let Some(value) = value {
            table.toned([(name.to_owned(), Some(Tone::Faint)), (value, tone)]);
        }
    };
    row("job", Some(job.id.clone()), Some(Tone::Name));
    row("state", Some(state_text(job)), Some(tone_of(job.state)));
    row("waits", job.waits.as_deref().map(one_line), Some(Tone::Doubt));
    row("reason", job.reason.as_deref().map(one_line), None);
    row("pipeline", Some(one_line(&job.pipeline)), None);
    row("file", Some(one_line(&job.input)), None);
    row("moved to", job.source_moved_to.as_deref().map(one_line), None);
    row("attempt", Some(job.attempt.to_string()), None);
    row("made", Some(moment(&job.created)), None);
    row("started", job.started.as_deref().map(moment), None);
    row("finished", job.finished.as_deref().map(moment), None);
    row("next try", job.retry_at.as_deref().map(moment), None);
    row("repeats", job.retry_of.clone(), None);
    row("batch", job.batch.clone(), None);
    let mut lines = table.lines(paint);
    if !job.outputs.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Outputs")]);
        lines.extend(job.outputs.iter().flat_map(|output| output_lines(job, output, paint)));
    }
    lines
}

fn output_lines(job: &JobView, output: &OutputView, paint: Paint) -> Vec<String> {
    let state = match (&output.skipped, output.is_published) {
        (Some(reason), _) => paint.tone(Tone::Doubt, format!("left out: {}", one_line(reason))),
        (None, true) => paint.tone(Tone::Good, "published"),
        (None, false) if job.state.is_final() => paint.tone(Tone::Faint, "not published"),
        (None, false) => paint.tone(Tone::Faint, "not published yet"),
    };
    let size = output.size_bytes.map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
    let mut lines = vec![format!("  {}  ({state}{size})", one_line(&output.path))];
    lines.extend(
        output.blake3.iter().map(|hash| paint.tone(Tone::Faint, format!("    blake3 {hash}"))),
    );
    lines
}

fn canceled(jobs: &JobList, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(jobs)?);
    }
    for job in &jobs.jobs {
        let id = context.report.paint().tone(Tone::Name, &job.id);
        let how = match job.state {
            JobState::Canceled => "canceled",
            _ => "being canceled",
        };
        context.lines([format!("{id}  {how}  {}", one_line(&job.input))])?;
    }
    context.report.note(&match jobs.jobs.len() {
        0 => "nothing to cancel".to_owned(),
        count => counted(count, "job"),
    });
    Ok(())
}

/// Says why jobs that were named are not among those of a list.
fn refused(list: &JobList, context: &Context) -> Exit {
    for reason in &list.refused {
        context.report.error(&one_line(reason));
    }
    if list.refused.is_empty() { Exit::Done } else { Exit::SomeFailed }
}

fn held(paused: &PauseView, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(paused)?);
    }
    context.report.note(&paused_text(paused).unwrap_or_else(|| "nothing is paused".to_owned()));
    Ok(())
}

/// What is paused, in words; `None` when nothing is.
pub(super) fn paused_text(paused: &PauseView) -> Option<String> {
    let names: Vec<_> =
        paused.pipelines.iter().map(|name| format!("`{}`", one_line(name))).collect();
    match (paused.all, names.len()) {
        (true, _) => Some("all pipelines are paused".to_owned()),
        (false, 0) => None,
        (false, 1) => Some(format!("pipeline {} is paused", names[0])),
        (false, _) => Some(format!("pipelines {} are paused", names.join(", "))),
    }
}

fn made_again(made: &JobList, client: &Client, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        context.document(&with_version(made)?)?;
    } else {
        for job in &made.jobs {
            let id = context.report.paint().tone(Tone::Name, &job.id);
            let pipeline = one_line(&job.pipeline);
            context.lines([format!("{id}  {pipeline}  {}", one_line(&job.input))])?;
        }
    }
    let count = counted(made.jobs.len(), "new job");
    context.report.note(&match (made.jobs.is_empty(), client.is_daemon()) {
        (true, _) => "nothing to process again".to_owned(),
        (false, true) => count,
        (false, false) => {
            format!("{count}; no daemon is running; the jobs start with the next `wavemill watch`")
        }
    });
    Ok(())
}
