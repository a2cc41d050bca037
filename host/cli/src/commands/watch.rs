//! `wavemill watch`: the daemon, and what it shows on the terminal.

use super::events::EventView;
use super::http::{HttpFlags, HttpRequest};
use super::low_space::hold;
use super::pipeline_files::{self, PipelineFile};
use super::reload::{self, Reloader};
use super::signals::{self, Stop};
use super::{CliError, Context, Exit, Run};
use crate::config::WORKERS_MAX;
use crate::report;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use wavemill_api::{StopLevel, StopSignal};
use wavemill_daemon::{DaemonError, DaemonEvent, DaemonSettings, Summary};
use wavemill_http::HttpSettings;
use wavemill_pipelines::publishing::create_dirs;
use wavemill_platform::share_heap;
use wavemill_store::is_full;

/// Watch folders and process every file dropped into them
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Pipeline files or folders; missing watch folders are created
    #[arg(required_unless_present = "http", value_name = "PIPELINE|DIR")]
    pipelines: Vec<PathBuf>,

    /// Exit when all jobs are done
    #[arg(long)]
    until_idle: bool,

    /// Jobs at once [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=WORKERS_MAX))]
    workers: Option<u16>,

    /// Run workers without confinement, with all rights of this user
    #[arg(long)]
    unconfined: bool,

    #[command(flatten)]
    http: HttpFlags,
}

impl Run for Watch {
    const NAME: &'static str = "watch";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        share_heap();
        let files = pipeline_files::load_all(&self.pipelines, context)?;
        let is_watched =
            |file: &PipelineFile| file.pipeline.as_ref().is_some_and(|p| !p.watches.is_empty());
        let http = self.http.resolve(context)?;
        if http.is_none() && !files.iter().any(is_watched) {
            let reason = "none of these pipelines watches a folder; use `wavemill run` instead";
            return Err(CliError::usage(reason));
        }
        context.settings.check_root()?;
        let stop = StopSignal::new();
        let is_interrupted = Arc::new(AtomicBool::new(false));
        escalate_on_signals(stop.clone(), Arc::clone(&is_interrupted))?;
        let (ask_reload, hangups) = hangups(&stop)?;
        if let Err(error) = log_to_file(http.as_ref(), context) {
            return self.end(error, &stop, &is_interrupted, context);
        }
        let (events, received) = unbounded();
        let (reload, reloads) = unbounded();
        let settings = DaemonSettings {
            state_dir: context.settings.state.clone(),
            root: context.settings.root.clone(),
            output_root: context.settings.output_root().to_owned(),
            pipelines: reload::sources(&files),
            defaults: context.settings.defaults.clone(),
            hooks: context.settings.hooks.clone(),
            workers: self.worker_count(context),
            worker_command: Vec::new(),
            worker_rss_bytes_max: DaemonSettings::WORKER_RSS_BYTES_MAX,
            free_bytes_min: context.settings.free_bytes_min,
            worker_stall: DaemonSettings::WORKER_STALL,
            confine: context.settings.confine && !self.unconfined,
            history: context.settings.history,
            history_jobs: context.settings.history_jobs,
            http: http.map(|http| with_log(http, context)),
            until_idle: self.until_idle,
            events,
            stop: stop.clone(),
            set_log_level: crate::report::set_log_level,
            ask_reload,
            reloads,
        };
        let reloader = Reloader { context, arguments: &self.pipelines, to: reload };
        let view = EventView::new(context, &files, self.until_idle);
        let ended = run_and_show(settings, view, &received, (&reloader, &hangups))?;
        let summary = match ended {
            Ok(summary) => summary,
            Err(error) => return self.end(error, &stop, &is_interrupted, context),
        };
        let is_stopped = stop.level() == StopLevel::Now
            || is_interrupted.load(Ordering::SeqCst)
            || (self.until_idle && stop.level() != StopLevel::Run);
        let Summary { failed, rejected, incomplete, unreadable, .. } = summary;
        Ok(match (is_stopped, failed + rejected + incomplete + unreadable) {
            (true, _) => Exit::Interrupted,
            (false, 0) => Exit::Done,
            (false, _) => Exit::SomeFailed,
        })
    }
}

impl Watch {
    /// Ends for an error, or holds until there is room.
    fn end(
        &self,
        error: DaemonError,
        stop: &StopSignal,
        is_interrupted: &AtomicBool,
        context: &Context,
    ) -> Result<Exit, CliError> {
        // Whoever waits for the end is notified instead.
        let may_hold = !self.until_idle && stop.asked() == StopLevel::Run;
        match &error {
            DaemonError::Full { folder, .. } if may_hold => hold(&error, folder, stop, context)?,
            _ => return Err(daemon_error(error, context)),
        }
        let is_interrupted = is_interrupted.load(Ordering::SeqCst);
        Ok(if is_interrupted { Exit::Interrupted } else { Exit::Done })
    }

    fn worker_count(&self, context: &Context) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        self.workers.map(usize::from).or(context.settings.workers).unwrap_or_else(processors)
    }
}

/// How HTTP is served, which shows what is logged of a job.
fn with_log(http: HttpRequest, context: &Context) -> HttpSettings {
    let usual = || context.settings.log_file.as_ref().map(|file| file.path.clone());
    let log_file = http.log_file.or_else(usual);
    HttpSettings { log_file, ..http.settings }
}

/// Logs to the file that was asked for.
fn log_to_file(http: Option<&HttpRequest>, context: &Context) -> Result<(), DaemonError> {
    let Some(mut file) = context.settings.log_file.clone() else { return Ok(()) };
    let (path, level) = http.map_or((&None, &None), |http| (&http.log_file, &http.log_level));
    if let Some(path) = path {
        file.path.clone_from(path);
    }
    let filter = level.as_ref().unwrap_or(&context.settings.log);
    let folder = file.path.parent().unwrap_or(Path::new("/")).to_owned();
    let made = create_dirs(&folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())));
    let begun = made.and_then(|()| report::log_to(file, filter));
    begun.map_err(|error| {
        let reason = error.to_string();
        if is_full(&error) {
            DaemonError::Full { folder, reason }
        } else {
            DaemonError::Start { reason }
        }
    })
}

/// The first signal drains, the second ends what runs. The daemon reports it itself.
fn escalate_on_signals(stop: StopSignal, is_interrupted: Arc<AtomicBool>) -> Result<(), CliError> {
    let on_signal = move |signal| {
        if signal == Stop::Interrupt {
            is_interrupted.store(true, Ordering::SeqCst);
        }
        stop.escalate();
    };
    signals::on_stop(on_signal).map_err(|error| CliError::failed(format!("signals: {error}")))
}

/// Asks to read configuration and pipelines again, and gets a message when somebody does: SIGHUP too. One that says that the
/// terminal has gone ends the daemon instead, as that of any program in it.
fn hangups(stop: &StopSignal) -> Result<(Sender<()>, Receiver<()>), CliError> {
    let (ask, asked) = crossbeam_channel::bounded(1);
    let asks = ask.clone();
    let (stop, had_terminal) = (stop.clone(), io::stderr().is_terminal());
    let on_signal = move || {
        if had_terminal && !io::stderr().is_terminal() {
            stop.escalate();
        } else {
            // Full means that one is asked for already.
            let _ = ask.try_send(());
        }
    };
    signals::on_hangup(on_signal).map_err(|error| CliError::failed(format!("signals: {error}")))?;
    Ok((asks, asked))
}

/// Runs the daemon on this thread and shows its events on another.
fn run_and_show(
    settings: DaemonSettings,
    mut view: EventView<'_>,
    events: &Receiver<DaemonEvent>,
    (reloader, asked): (&Reloader<'_>, &Receiver<()>),
) -> Result<Result<Summary, DaemonError>, CliError> {
    let (ended, end) = crossbeam_channel::bounded::<()>(0);
    let (result, shown) = thread::scope(|scope| {
        let over = end.clone();
        scope.spawn(move || reloader.serve(asked, &over));
        let display = scope.spawn(move || (show_all(events, &end, |event| view.show(event)), view));
        let result = wavemill_daemon::run(settings);
        drop(ended);
        (result, display.join())
    });
    let (shown, view) = shown.map_err(|_| CliError::failed("the display thread panicked"))?;
    if let Ok(summary) = &result {
        shown?;
        view.finish(summary)?;
    }
    Ok(result)
}

/// Shows every event until `end` is closed, those that wait then included. An event that cannot be
/// shown keeps no other from being shown; the first error is returned.
fn show_all(
    events: &Receiver<DaemonEvent>,
    end: &Receiver<()>,
    mut show: impl FnMut(&DaemonEvent) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut shown = Ok(());
    // Not until all senders are gone: a thread of the daemon may outlive it.
    loop {
        crossbeam_channel::select! {
            recv(events) -> event => match event {
                Ok(event) => shown = shown.and(show(&event)),
                Err(_) => break,
            },
            recv(end) -> _ => break,
        }
    }
    events.try_iter().fold(shown, |shown, event| shown.and(show(&event)))
}

fn daemon_error(error: DaemonError, context: &Context) -> CliError {
    match error {
        DaemonError::Pipeline { path, text, diagnostics } => {
            let paint = context.report.note_paint();
            context.report.raw_error(&crate::diagnostics::draw(&path, &text, &diagnostics, paint));
            CliError::Mistakes { path, count: diagnostics.len() }
        }
        DaemonError::Conflict { reason } => CliError::BadConfig { reason },
        other => CliError::failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    #[test]
    fn event_that_cannot_be_shown_keeps_no_other_from_being_shown() {
        // In the first round the end is closed already, so that all events wait for it; in the second
        // it is not, so that they come before it.
        for is_ended in [true, false] {
            let (sender, events) = unbounded();
            for running in 0..5 {
                sender.send(DaemonEvent::Stopping { now: false, running }).unwrap();
            }
            let (ended, end) = bounded::<()>(0);
            if is_ended {
                drop(ended);
            } else {
                drop(sender);
            }
            let mut seen = Vec::new();
            let shown = show_all(&events, &end, |event| {
                let DaemonEvent::Stopping { running, .. } = event else { panic!("{event:?}") };
                seen.push(*running);
                if running % 2 == 1 { Err(CliError::failed(running.to_string())) } else { Ok(()) }
            });
            assert_eq!(seen, [0, 1, 2, 3, 4]);
            assert_eq!(shown.unwrap_err().to_string(), "1");
        }
    }
}
