//! The daemon's events for people and programs.

use super::flags::in_flags;
use super::outcome::Outcome;
use super::pipeline_files::PipelineFile;
use super::progress::Bars;
use super::{CliError, Context, batches, reload};
use crate::report::{Align, JSON_VERSION, Table, Tone, counted, one_line, shown};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use wavemill_daemon::{DaemonEvent, StartedWatch, Summary};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::report::Report;

/// Shows events as they come.
pub(super) struct EventView<'a> {
    context: &'a Context,
    files: &'a [PipelineFile],
    until_idle: bool,
    bars: Bars,
}

impl<'a> EventView<'a> {
    pub(super) fn new(context: &'a Context, files: &'a [PipelineFile], until_idle: bool) -> Self {
        Self { context, files, until_idle, bars: Bars::new(context) }
    }

    /// Shows one event.
    pub(super) fn show(&mut self, event: &DaemonEvent) -> Result<(), CliError> {
        if self.context.is_json() {
            let value =
                serde_json::to_value(event).map_err(|error| CliError::failed(error.to_string()))?;
            return self.context.event(&with_version(value));
        }
        match event {
            DaemonEvent::Started { watches, link } => self.started(watches, link.as_deref()),
            DaemonEvent::JobStarted { job, input, .. } => self.bars.begin(job, &name_of(input)),
            DaemonEvent::Progress { job, share } => self.bars.set(job, *share),
            DaemonEvent::JobDone { job, input, outputs, report, .. } => {
                self.bars.end(job);
                let paths = outputs.iter().filter(|output| output.skipped.is_none());
                let (outputs, nothing) = (paths.map(Into::into).collect(), Report::default());
                let report = report.as_deref().unwrap_or(&nothing);
                let outcome = Outcome { input, report, outputs };
                return self.lines(&outcome.lines(self.context));
            }
            DaemonEvent::JobFailed { job, input, reason, retry_in, .. } => {
                self.bars.end(job);
                let is_of_flags = self.files.iter().any(|file| file.is_of_flags);
                let reason = if is_of_flags { &in_flags(reason, None) } else { reason };
                self.failed(input, reason, *retry_in);
            }
            DaemonEvent::JobRejected { job, input, reason, outputs, .. } => {
                self.bars.end(job);
                self.error(&format!("{}: rejected: {}", self.below(input), one_line(reason)));
                let paths = outputs.iter().map(|output| self.below(Path::new(&output.path)));
                for path in paths {
                    self.note(&format!("  {path}"));
                }
            }
            DaemonEvent::JobSkipped { job, input, reason, .. } => {
                self.bars.end(job);
                self.note(&format!("{}: skipped: {}", self.below(input), one_line(reason)));
            }
            DaemonEvent::JobCanceled { job, input, reason, .. } => {
                self.bars.end(job);
                self.note(&format!("{}: canceled: {}", self.below(input), one_line(reason)));
            }
            DaemonEvent::BatchOver { batch, name, jobs, .. } => {
                let name = one_line(name.as_deref().unwrap_or(batch));
                self.note(&format!("batch {name} is done: {}", batches::counts(jobs)));
            }
            other => self.surroundings(other),
        }
        Ok(())
    }

    /// Whether a person looks at a terminal.
    pub(super) fn is_watched(&self) -> bool {
        self.context.report.shows_progress()
    }

    /// Says what is about to be done with a file.
    pub(super) fn announce(&self, path: &Path, facts: &str, stages: &[String]) {
        let paint = self.context.report.note_paint();
        let arrow = format!(" {} ", paint.arrow());
        let line = format!("{}: {facts}{arrow}{}", self.below(path), stages.join(&arrow));
        self.note(&paint.tone(Tone::Faint, line));
    }

    /// What happened to files and folders that are no jobs.
    fn surroundings(&self, event: &DaemonEvent) {
        match event {
            DaemonEvent::PipelineUnwatched { pipeline, jobs } => {
                self.warning(&unwatched(pipeline, *jobs));
            }
            DaemonEvent::FileIncomplete { path, reason, .. } => self.warning(&format!(
                "{} {}; it stays in its folder until the rest arrives",
                self.below(path),
                one_line(reason)
            )),
            DaemonEvent::FileRefused { path, reason, .. } => {
                self.warning(&format!("{} {}", self.below(path), one_line(reason)));
            }
            DaemonEvent::RootOffline { path, reason, .. } => self.warning(&format!(
                "{} is offline: {}; Wavemill keeps checking for it",
                self.below(path),
                one_line(reason)
            )),
            DaemonEvent::RootOnline { path, .. } => {
                self.note(&format!("{} is back online", self.below(path)));
            }
            DaemonEvent::SpaceShort { pipeline, reason, jobs } => {
                self.warning(&short(pipeline, reason, Some(*jobs)));
            }
            DaemonEvent::SpaceFound { pipeline } => {
                self.note(&format!(
                    "pipeline `{}` continues: enough free space",
                    one_line(pipeline)
                ));
            }
            DaemonEvent::Reloaded { begun, changed, ended } => {
                self.note(&reload::summary(begun, changed, ended));
            }
            DaemonEvent::Expired { pipeline, files } => self.note(&format!(
                "{} of `{}` deleted: older than its `keep_for`",
                counted(usize::try_from(*files).unwrap_or(usize::MAX), "file"),
                one_line(pipeline)
            )),
            DaemonEvent::ReloadRefused { reason } => {
                self.error(&format!(
                    "not reloaded: {}; the old pipelines stay in force",
                    one_line(reason)
                ));
            }
            DaemonEvent::Stopping { now: false, running } => self.note(&format!(
                "finishing {}, then exiting (Ctrl-C again to exit now)",
                counted(*running, "running job")
            )),
            DaemonEvent::Stopping { now: true, running } => self.note(&format!(
                "exiting now; {} will run again after the next start",
                counted(*running, "running job")
            )),
            _ => {}
        }
    }

    fn started(&self, watches: &[StartedWatch], link: Option<&str>) {
        let paint = self.context.report.note_paint();
        let mut table = Table::new(&[("", Align::Left); 4]);
        for watch in watches {
            let pipeline = self.pipeline(&watch.pipeline);
            let description = match pipeline.map_or("", |pipeline| &pipeline.description) {
                "" => watch.pipeline.clone(),
                text => format!("{}: {}", watch.pipeline, one_line(text)),
            };
            table.toned([
                (String::new(), None),
                (self.below(&watch.path), Some(Tone::Name)),
                (format!("{} {}", paint.arrow(), destinations(pipeline)), Some(Tone::Name)),
                (description, Some(Tone::Faint)),
            ]);
        }
        if !watches.is_empty() {
            self.note("Drop audio into");
        }
        for line in table.lines(paint) {
            self.note(&line);
        }
        if let Some(link) = link {
            self.note(&format!("HTTP is served at {link}"));
        }
        if !self.until_idle {
            self.note("Ctrl-C finishes the running jobs and exits.");
        }
        self.note("");
    }

    fn pipeline(&self, name: &str) -> Option<&'a Pipeline> {
        let pipelines = self.files.iter().filter_map(|file| file.pipeline.as_ref());
        pipelines.into_iter().find(|pipeline| pipeline.name == name)
    }

    fn failed(&self, input: &Path, reason: &str, retry_in: Option<Duration>) {
        let line = format!("{}: {}", self.below(input), one_line(reason));
        match retry_in {
            Some(wait) => {
                let wait = crate::report::duration(wait.as_secs_f64());
                self.warning(&format!("{line}; retry in {wait}"));
            }
            None => self.error(&line),
        }
    }

    /// Says what was done in all, when it ended by itself.
    pub(super) fn finish(self, summary: &Summary) -> Result<(), CliError> {
        let Summary { done, failed, rejected, skipped, canceled, incomplete, unreadable } =
            *summary;
        if self.context.is_json() {
            return self.context.event(&json!({
                "version": JSON_VERSION, "event": "summary", "done": done, "failed": failed,
                "rejected": rejected, "skipped": skipped, "canceled": canceled,
                "incomplete": incomplete, "unreadable": unreadable,
            }));
        }
        let parts: Vec<_> = [
            (failed, "failed"),
            (rejected, "rejected"),
            (skipped, "skipped"),
            (canceled, "canceled"),
            (incomplete, "incomplete"),
            (unreadable, "unreadable"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!(", {count} {word}"))
        .collect();
        self.note(&format!("{done} done{}", parts.concat()));
        Ok(())
    }

    /// A path below the root without the root: shorter, and what the pipeline says.
    fn below(&self, path: &Path) -> String {
        super::outcome::below(path, self.context)
    }

    fn lines(&self, lines: &[String]) -> Result<(), CliError> {
        let print = |line: &String| self.context.report.wrapped_line(line);
        self.bars.print(|| lines.iter().try_for_each(print)).map_err(CliError::Output)
    }

    fn note(&self, text: &str) {
        self.bars.print(|| self.context.report.note(text));
    }

    fn warning(&self, text: &str) {
        self.bars.print(|| self.context.report.warning(text));
    }

    fn error(&self, text: &str) {
        self.bars.print(|| self.context.report.error(text));
    }
}

/// Says that jobs wait for a pipeline that is not run.
pub(super) fn unwatched(pipeline: &str, jobs: u64) -> String {
    let (jobs, wait) = match jobs {
        1 => ("1 job".to_owned(), "waits"),
        _ => (format!("{jobs} jobs"), "wait"),
    };
    format!(
        "{jobs} of pipeline `{}` {wait} until the pipeline is watched again",
        one_line(pipeline)
    )
}

/// Says that jobs wait for room.
pub(super) fn short(pipeline: &str, reason: &str, jobs: Option<u64>) -> String {
    let (jobs, wait) = match jobs {
        Some(1) => ("1 job".to_owned(), "waits"),
        Some(jobs) => (format!("{jobs} jobs"), "wait"),
        None => ("jobs".to_owned(), "wait"),
    };
    format!("{jobs} of pipeline `{}` {wait}: {}", one_line(pipeline), one_line(reason))
}

/// The folders a pipeline's files go to, as far as they are the same for all.
fn destinations(pipeline: Option<&Pipeline>) -> String {
    let templates = pipeline.into_iter().flat_map(Pipeline::output_paths);
    let mut folders: Vec<_> = templates.map(|template| shown(&template.fixed_folder())).collect();
    folders.sort();
    folders.dedup();
    folders.join(", ")
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| shown(path), |name| shown(Path::new(name)))
}

fn with_version(event: Value) -> Value {
    let mut object = json!({ "version": JSON_VERSION });
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, event) {
        object.extend(fields);
    }
    object
}
