//! `wavemill jobs submit`, `batches`, `batch` and `watch`: files that are processed together.

use super::answers::{moment, tone_of, with_version};
use super::paths::absolute_text;
use super::pipeline_files::{self, PipelineFile};
use super::{CliError, Context, Exit, outcome};
use crate::report::{Align, Paint, Table, Tone, counted, duration, one_line};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use wavemill_api::Client;
use wavemill_api::types::{BatchFilter, BatchList, BatchView, SubmitAnswer, SubmitRequest};
use wavemill_store::JobState;
use wavemill_store::cache::folder_of;

/// Time between two looks at a batch that is followed.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Submit files to the daemon as a batch; they stay where they are
#[derive(Debug, clap::Args)]
pub(super) struct Submit {
    /// Audio files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// A pipeline file, or NAME: a pipeline that the daemon knows, pipelines/NAME.toml, or an included one
    #[arg(long, short, value_name = "PIPELINE")]
    pipeline: PathBuf,

    /// Name of the batch
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Base folder of relative output paths [default: the pipeline's usual one, or the root]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Jobs with a higher priority run first [default: the pipeline's]
    #[arg(long, value_name = "N", allow_hyphen_values = true,
          value_parser = clap::value_parser!(i32).range(-1000..=1000))]
    priority: Option<i32>,
}

impl Submit {
    /// What `run --detach` says.
    pub(super) fn of_run(pipeline: PathBuf, files: Vec<PathBuf>, output: Option<PathBuf>) -> Self {
        Self { files, pipeline, name: None, output, priority: None }
    }

    pub(super) fn run(&self, context: &Context) -> Result<Exit, CliError> {
        if let Some(mistake) = &context.mistake {
            let reason = format!("{mistake}; fix it before submitting files");
            return Err(CliError::BadConfig { reason });
        }
        let client = context.settings.client_or_new()?;
        let answer = client.submit(&self.request(&client, context)?)?;
        show_answer(&answer, &client, context)?;
        Ok(if answer.refused.is_empty() { Exit::Done } else { Exit::SomeFailed })
    }

    fn request(&self, client: &Client, context: &Context) -> Result<SubmitRequest, CliError> {
        let paths = self.files.iter().map(|file| absolute_text(file)).collect::<Result<_, _>>()?;
        let output = self.output.as_deref().map(absolute_text).transpose()?;
        let request = SubmitRequest {
            paths,
            name: self.name.clone(),
            priority: self.priority,
            ..SubmitRequest::default()
        };
        let name = self.pipeline.to_str().filter(|name| !name.contains(['/', '.']));
        if let Some(name) = name.filter(|name| client.pipeline(name).is_ok()) {
            return Ok(SubmitRequest {
                pipeline: Some(name.to_owned()),
                output_root: output,
                ..request
            });
        }
        let path = pipeline_files::find_one(&self.pipeline)?;
        let files = pipeline_files::load_all(&[path], context)?;
        let Some(PipelineFile { path, text, .. }) = files.into_iter().next() else {
            return Err(CliError::failed("no pipeline was loaded"));
        };
        let folder = folder_of(&path).map_err(|error| CliError::path(&path, error))?;
        let usual = || absolute_text(context.settings.output_root());
        Ok(SubmitRequest {
            toml: Some(text),
            folder: Some(absolute_text(&folder)?),
            output_root: Some(output.map_or_else(usual, Ok)?),
            ..request
        })
    }
}

fn show_answer(answer: &SubmitAnswer, client: &Client, context: &Context) -> Result<(), CliError> {
    for file in &answer.refused {
        let path = outcome::below(Path::new(&file.path), context);
        context.report.error(&format!("{path} {}", one_line(&file.reason)));
    }
    if context.is_json() {
        return context.document(&with_version(answer)?);
    }
    let Some(batch) = &answer.batch else {
        return Err(CliError::failed("none of the files could be submitted"));
    };
    let id = context.report.paint().tone(Tone::Name, &batch.id);
    context.lines([format!("batch {id}: {}", counted(count(batch.total), "job"))])?;
    context.report.note(&if client.is_daemon() {
        format!("follow it with `wavemill jobs watch {}`", batch.id)
    } else {
        "no daemon is running; the jobs start with the next `wavemill watch`".to_owned()
    });
    Ok(())
}

fn count(total: u64) -> usize {
    usize::try_from(total).unwrap_or(usize::MAX)
}

/// Jobs by state, in words.
pub(super) fn counts(jobs: &BTreeMap<JobState, u64>) -> String {
    let parts: Vec<_> = jobs.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if parts.is_empty() { "no jobs".to_owned() } else { parts.join(", ") }
}

pub(super) fn list(batches: &BatchList, context: &Context) -> Result<(), CliError> {
    if context.is_json() {
        return context.document(&with_version(batches)?);
    }
    if batches.batches.is_empty() {
        context.report.note("no batches");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("BATCH", Align::Left),
        ("NAME", Align::Left),
        ("PIPELINE", Align::Left),
        ("MADE", Align::Left),
        ("DONE", Align::Right),
        ("JOBS", Align::Left),
    ]);
    for batch in &batches.batches {
        table.toned([
            (batch.id.clone(), Some(Tone::Name)),
            (batch.name.as_deref().map(one_line).unwrap_or_default(), None),
            (one_line(&batch.pipeline), None),
            (moment(&batch.created), Some(Tone::Faint)),
            (format!("{:.0} %", batch.progress_percent), None),
            (counts(&batch.jobs), Some(tone(batch))),
        ]);
    }
    context.lines(table.lines(context.report.paint()))
}

fn tone(batch: &BatchView) -> Tone {
    match (batch.failures.is_empty(), batch.is_over) {
        (false, _) => Tone::Bad,
        (true, true) => tone_of(JobState::Done),
        (true, false) => tone_of(JobState::Running),
    }
}

pub(super) fn show(batch: &BatchView, context: &Context) -> Result<Exit, CliError> {
    if context.is_json() {
        context.document(&with_version(batch)?)?;
    } else {
        context.lines(everything(batch, context, context.report.paint()))?;
    }
    Ok(exit(batch))
}

fn exit(batch: &BatchView) -> Exit {
    if batch.failures.is_empty() { Exit::Done } else { Exit::SomeFailed }
}

fn everything(batch: &BatchView, context: &Context, paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, value: Option<String>, tone: Option<Tone>| {
        if let Some(value) = value {
            table.toned([(name.to_owned(), Some(Tone::Faint)), (value, tone)]);
        }
    };
    let audio = (batch.audio_done_s > 0.0).then(|| duration(batch.audio_done_s));
    row("batch", Some(batch.id.clone()), Some(Tone::Name));
    row("name", batch.name.as_deref().map(one_line), None);
    row("pipeline", Some(one_line(&batch.pipeline)), None);
    row("jobs", Some(counts(&batch.jobs)), Some(tone(batch)));
    row("progress", Some(format!("{:.1} %", batch.progress_percent)), None);
    row("audio done", audio, None);
    row("time left", batch.eta_s.map(|eta_s| format!("about {}", duration(eta_s))), None);
    row("made", Some(moment(&batch.created)), None);
    row("started", batch.started.as_deref().map(moment), None);
    row("finished", batch.finished.as_deref().map(moment), None);
    let mut lines = table.lines(paint);
    if !batch.failures.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Failed")]);
        lines.extend(batch.failures.iter().map(|failure| {
            let path = outcome::below(Path::new(&failure.input), context);
            let id = paint.tone(Tone::Faint, format!("({})", failure.job));
            format!("  {path}: {} {id}", one_line(&failure.reason))
        }));
    }
    lines
}

/// Follows a batch: a line whenever something changed, then everything about it.
pub(super) fn watch(
    client: &Client,
    part: Option<&str>,
    context: &Context,
) -> Result<Exit, CliError> {
    let newest = || -> Result<String, CliError> {
        let batches = client.batches(&BatchFilter { limit: Some(1) })?.batches;
        let newest = batches.into_iter().next().map(|batch| batch.id);
        newest.ok_or_else(|| CliError::failed("no batches yet"))
    };
    let id = part.map_or_else(newest, |part| Ok(client.batch(part)?.id))?;
    let mut shown = String::new();
    loop {
        let batch = client.batch(&id)?;
        let line = line_of(&batch);
        if line != shown {
            if context.is_json() {
                context.event(&with_version(&batch)?)?;
            } else {
                context.report.note(&line);
            }
            shown = line;
        }
        if batch.is_over {
            return if context.is_json() { Ok(exit(&batch)) } else { show(&batch, context) };
        }
        if !client.is_daemon() {
            let reason =
                "no daemon is running, so the batch does not progress; start `wavemill watch`"
                    .to_owned();
            return Err(CliError::Unreachable { reason });
        }
        thread::park_timeout(LOOK_PAUSE);
    }
}

fn line_of(batch: &BatchView) -> String {
    let eta = batch.eta_s.map(|eta_s| format!(", about {} left", duration(eta_s)));
    format!("{:.0} %: {}{}", batch.progress_percent, counts(&batch.jobs), eta.unwrap_or_default())
}
