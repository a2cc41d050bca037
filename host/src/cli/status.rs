//! `wavemill status`: how the daemon is.

use super::jobs::{moment, tone_of};
use super::{CliError, Context, Exit, Run, outcome};
use crate::client::Backend;
use crate::control::types::{Status, WatchState, WatchView, WorkerView};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone, counted, duration, one_line, size};
use serde_json::{Value, json};
use std::path::Path;

/// Show how the daemon is: folders, workers, jobs by state
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {}

impl Run for StatusArgs {
    const NAME: &'static str = "status";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let backend = Backend::open(&context.settings.state)?;
        let status = backend.status()?;
        if context.is_json() {
            context.document(&document(&status, backend.is_daemon())?)?;
        } else {
            context.lines(lines(&status, backend.is_daemon(), context))?;
        }
        Ok(Exit::Done)
    }
}

fn document(status: &Status, is_running: bool) -> Result<Value, CliError> {
    let fields =
        serde_json::to_value(status).map_err(|error| CliError::failed(error.to_string()))?;
    let mut object = json!({ "version": JSON_VERSION, "is_running": is_running });
    object["daemon"] = if is_running { fields.clone() } else { Value::Null };
    object["jobs"] = fields["jobs"].clone();
    Ok(object)
}

fn lines(status: &Status, is_running: bool, context: &Context) -> Vec<String> {
    let paint = context.report.paint();
    let mut lines = vec![headline(status, is_running, paint)];
    let jobs: Vec<_> = status
        .jobs
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| paint.tone(tone_of(*state), format!("{count} {state}")))
        .collect();
    lines.push(if jobs.is_empty() { "no jobs".to_owned() } else { jobs.join(", ") });
    if !status.watches.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Folders")]);
        lines.extend(folders(&status.watches, context).lines(paint));
        lines.extend(status.watches.iter().flat_map(|watch| incomplete(watch, context)));
    }
    if !status.workers.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Workers")]);
        lines.extend(workers(&status.workers).lines(paint));
    }
    lines
}

fn headline(status: &Status, is_running: bool, paint: Paint) -> String {
    if !is_running {
        return "no daemon runs".to_owned();
    }
    let state = if status.is_draining {
        paint.tone(Tone::Doubt, "finishing its running jobs")
    } else {
        paint.tone(Tone::Good, "running")
    };
    let Status { version, pid, uptime_s, .. } = status;
    format!("wavemill {version} is {state}, process {pid}, up {}", duration(*uptime_s))
}

fn folders(watches: &[WatchView], context: &Context) -> Table {
    let mut table = Table::new(&[("", Align::Left); 5]);
    for watch in watches {
        let (state, tone) = match (watch.state, &watch.reason) {
            (WatchState::Starting, _) => ("first walk under way".to_owned(), Tone::Doubt),
            (WatchState::Online, _) => (counted_files(watch.files), Tone::Good),
            (WatchState::Offline, Some(reason)) => {
                (format!("offline: {}", one_line(reason)), Tone::Bad)
            }
            (WatchState::Offline, None) => ("offline".to_owned(), Tone::Bad),
        };
        let seen = watch.last_scan.as_deref().map(|time| format!("seen {}", moment(time)));
        table.toned([
            (String::new(), None),
            (one_line(&watch.pipeline), Some(Tone::Name)),
            (outcome::below(Path::new(&watch.path), context), None),
            (state, Some(tone)),
            (seen.unwrap_or_default(), Some(Tone::Faint)),
        ]);
    }
    table
}

fn counted_files(count: u64) -> String {
    usize::try_from(count).map_or_else(|_| format!("{count} files"), |count| counted(count, "file"))
}

fn incomplete(watch: &WatchView, context: &Context) -> Vec<String> {
    let line = |(path, reason): (&String, &String)| {
        let path = outcome::below(Path::new(path), context);
        format!("    incomplete: {path} {}", one_line(reason))
    };
    watch.incomplete.iter().map(line).collect()
}

fn workers(workers: &[WorkerView]) -> Table {
    let mut table = Table::new(&[("", Align::Left); 5]);
    for worker in workers {
        let pid =
            worker.pid.map_or_else(|| "not started".to_owned(), |pid| format!("process {pid}"));
        let job =
            worker.job.as_deref().map_or_else(|| "idle".to_owned(), |job| format!("job {job}"));
        let memory = worker.rss_bytes.map(size).unwrap_or_default();
        table.row([String::new(), pid, job, memory, format!("{} done", worker.jobs_done)]);
    }
    table
}
