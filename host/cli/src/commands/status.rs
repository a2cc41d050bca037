//! `wavemill status`: how the daemon is.

use super::answers::{moment, tone_of};
use super::jobs::paused_text;
use super::low_space::shortage;
use super::{CliError, Context, Exit, Run, outcome};
use crate::report::{Align, JSON_VERSION, Paint, Table, Tone, counted, duration, one_line, size};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use wavemill_api::types::{HookView, Status, WatchState, WatchView, WorkerView};
use wavemill_platform::ConfinementLevel;
use wavemill_store::JobState;

/// Show the status of the daemon: folders, workers, jobs by state
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Exit with code 10 unless a daemon is running and responds, for monitoring
    #[arg(long)]
    running: bool,
}

impl Run for StatusArgs {
    const NAME: &'static str = "status";

    const IS_LENIENT: bool = true;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        let client = context.settings.client()?;
        let daemon = client.daemon_status()?;
        let jobs = match &daemon {
            Some(daemon) => daemon.jobs.clone(),
            None => client.status()?.jobs,
        };
        if context.is_json() {
            context.document(&json!({
                "version": JSON_VERSION,
                "state": context.settings.state.to_string_lossy(),
                "is_running": daemon.is_some(),
                "jobs": jobs,
                "daemon": daemon,
            }))?;
        } else {
            context.lines(lines(daemon.as_ref(), &jobs, context))?;
        }
        let is_missed = self.running && daemon.is_none();
        Ok(if is_missed { Exit::Unreachable } else { Exit::Done })
    }
}

fn lines(
    daemon: Option<&Status>,
    jobs: &BTreeMap<JobState, u64>,
    context: &Context,
) -> Vec<String> {
    let paint = context.report.paint();
    let mut lines = vec![headline(daemon, paint), job_counts(jobs, paint)];
    let Some(status) = daemon else {
        let log = context.settings.log_file.as_ref().and_then(|file| file.path.parent());
        let folders = std::iter::once(context.settings.state.as_path()).chain(log);
        let shortage = folders.into_iter().find_map(shortage);
        lines.extend(shortage.map(|reason| paint.tone(Tone::Bad, reason)));
        return lines;
    };
    lines.extend(paused_text(&status.paused).map(|text| paint.tone(Tone::Doubt, text)));
    lines.extend(status.reload_refused.as_ref().map(|reason| {
        let line = format!("not reloaded: {}; the old pipelines stay in force", one_line(reason));
        paint.tone(Tone::Bad, line)
    }));
    let unwatched = status.unwatched.iter();
    lines.extend(unwatched.map(|(pipeline, jobs)| super::events::unwatched(pipeline, *jobs)));
    lines.extend(status.shortages.iter().map(|(pipeline, reason)| {
        paint.tone(Tone::Bad, super::events::short(pipeline, reason, None))
    }));
    lines.extend(status.login_link.iter().map(|link| format!("HTTP is served at {link}")));
    if !status.watches.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Folders")]);
        let folders = folders(&status.watches, context).lines(paint);
        for (folder, watch) in folders.into_iter().zip(&status.watches) {
            lines.push(folder);
            lines.extend(not_taken(watch, context));
        }
    }
    if !status.workers.is_empty() {
        lines.push(String::new());
        lines.push(at_work(status, paint));
        lines.extend(workers(&status.workers).lines(paint));
    }
    if !status.hooks.is_empty() {
        lines.extend([String::new(), paint.tone(Tone::Strong, "Hooks")]);
        lines.extend(hooks(&status.hooks).lines(paint));
    }
    lines
}

fn job_counts(jobs: &BTreeMap<JobState, u64>, paint: Paint) -> String {
    let parts: Vec<_> = jobs
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| paint.tone(tone_of(*state), format!("{count} {state}")))
        .collect();
    if parts.is_empty() { "no jobs".to_owned() } else { parts.join(", ") }
}

fn headline(daemon: Option<&Status>, paint: Paint) -> String {
    let Some(status) = daemon else { return "no daemon is running".to_owned() };
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
            (WatchState::Starting, _) => ("first scan in progress".to_owned(), Tone::Doubt),
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

fn not_taken(watch: &WatchView, context: &Context) -> Vec<String> {
    let line = |word: &str, path: &str, reason: &str| {
        let path = outcome::below(Path::new(path), context);
        format!("      {word}: {path} {}", one_line(reason))
    };
    let incomplete = watch.incomplete.iter();
    let incomplete = incomplete.map(|(path, reason)| line("incomplete", path, reason));
    let refused = watch.refused.iter();
    let refused = refused.map(|(path, view)| line("not taken", path, &view.reason));
    let contended = watch.is_contended.then(|| {
        "      another daemon watches it too, so files are processed twice; run `wavemill doctor`"
            .to_owned()
    });
    contended.into_iter().chain(incomplete).chain(refused).collect()
}

/// How many places for jobs are taken, and what holds for what runs there.
fn at_work(status: &Status, paint: Paint) -> String {
    let busy = status.workers.iter().filter(|worker| worker.job.is_some()).count();
    let done: u64 = status.workers.iter().map(|worker| worker.jobs_done).sum();
    let text = format!(
        "{}  {busy} of {} busy, {done} jobs done since the start",
        paint.tone(Tone::Strong, "Workers"),
        status.workers.len(),
    );
    let Some(confinement) = &status.confinement else { return text };
    let is_full = confinement.level == ConfinementLevel::Full;
    let tone = if is_full { Tone::Good } else { Tone::Doubt };
    let confinement = one_line(&confinement.to_string());
    format!("{text}; {}", paint.tone(tone, format!("confinement {confinement}")))
}

fn workers(workers: &[WorkerView]) -> Table {
    let mut table = Table::new(&[("", Align::Left); 4]);
    for worker in workers {
        let Some(job) = &worker.job else { continue };
        let process =
            worker.pid.map_or_else(|| "starts".to_owned(), |pid| format!("process {pid}"));
        let memory = worker.rss_bytes.map(size).unwrap_or_default();
        table.row([String::new(), format!("job {job}"), process, memory]);
    }
    table
}

/// Who is notified, of what, and what was not sent yet.
pub(super) fn hooks(hooks: &[HookView]) -> Table {
    let mut table = Table::new(&[("", Align::Left); 5]);
    for hook in hooks {
        let on: Vec<_> = hook.on.iter().map(|occasion| occasion.name()).collect();
        let of = match hook.pipelines.len() {
            0 => "all pipelines".to_owned(),
            _ => one_line(&hook.pipelines.join(", ")),
        };
        let (waiting, tone) = match (hook.waiting, &hook.reason) {
            (0, _) => ("nothing waits".to_owned(), Tone::Good),
            (count, None) => (format!("{count} to send"), Tone::Doubt),
            (count, Some(reason)) => (format!("{count} to send: {}", one_line(reason)), Tone::Bad),
        };
        table.toned([
            (String::new(), None),
            (one_line(&hook.name), Some(Tone::Name)),
            (on.join(", "), None),
            (of, None),
            (waiting, Some(tone)),
        ]);
    }
    table
}
