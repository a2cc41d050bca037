//! The daemon with real workers, a real store and real folders; only the audio is made up.

mod acts;
mod api;
mod asked;
mod bounds;
mod confined;
mod crashes;
mod fake;
mod life;
mod retention;
mod waiting;

use super::plans::{Plan, Plans};
use super::*;
use crossbeam_channel::Receiver;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;
use wavemill_api::{StopLevel, StopSignal};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::model::{Defaults, Duplicates, Watch, WatchMode};
use wavemill_pipelines::template::Template;
use wavemill_store::JobRecord;

/// Longest wait for anything: far beyond what a loaded machine needs.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// A place where a daemon runs: `state`, the watched folder `in`, and `out`.
struct Lab {
    folder: tempfile::TempDir,
}

/// A running daemon.
struct Running {
    stop: StopSignal,
    events: Receiver<DaemonEvent>,
    thread: std::thread::JoinHandle<Result<Summary, DaemonError>>,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["in", "out"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn write(&self, relative: &str, text: &str) {
        write_file(&self.path(relative), text);
    }

    fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative))
            .unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Names in a folder, sorted.
    fn names(&self, relative: &str) -> Vec<String> {
        names(&self.path(relative))
    }

    /// Runs a daemon until nothing is left to do.
    fn run(&self, plan: &Plan) -> (Summary, Vec<DaemonEvent>) {
        let running = self.start(plan, true);
        let summary = running.thread.join().unwrap().unwrap();
        (summary, running.events.try_iter().collect())
    }

    fn start(&self, plan: &Plan, until_idle: bool) -> Running {
        let (settings, events) = settings(self.folder.path(), until_idle);
        let stop = settings.stop.clone();
        let plans = Plans::of(std::iter::once(("test.toml".into(), plan.clone()))).unwrap();
        let thread = std::thread::spawn(move || run_with(&settings, plans));
        Running { stop, events, thread }
    }

    fn store(&self) -> Store {
        open_store(&self.path("state")).unwrap()
    }

    fn jobs(&self) -> Vec<JobRecord> {
        self.store().jobs(&wavemill_store::JobQuery::default()).unwrap()
    }
}

impl Running {
    /// Waits for an event.
    fn wait_for(&self, is_it: impl Fn(&DaemonEvent) -> bool) -> DaemonEvent {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match self.events.recv_deadline(deadline) {
                Ok(event) if is_it(&event) => return event,
                Ok(_) => {}
                Err(error) => panic!("the event did not come: {error}"),
            }
        }
    }
}

pub(super) fn settings(folder: &Path, until_idle: bool) -> (DaemonSettings, Receiver<DaemonEvent>) {
    let (events, received) = unbounded();
    let settings = DaemonSettings {
        hooks: Vec::new(),
        state_dir: folder.join("state"),
        root: folder.to_path_buf(),
        output_root: folder.to_path_buf(),
        pipelines: Vec::new(),
        defaults: Defaults::default(),
        workers: 2,
        worker_command: fake::worker_command(),
        worker_rss_bytes_max: DaemonSettings::WORKER_RSS_BYTES_MAX,
        free_bytes_min: 0,
        worker_stall: DaemonSettings::WORKER_STALL,
        confine: true,
        history: DaemonSettings::HISTORY,
        history_jobs: DaemonSettings::HISTORY_JOBS,
        http: None,
        until_idle,
        events,
        stop: StopSignal::new(),
        set_log_level: |_| Ok(()),
        ask_reload: crossbeam_channel::bounded(1).0,
        reloads: crossbeam_channel::never(),
    };
    (settings, received)
}

/// A pipeline that watches `in`; `text` says which outputs the fake engine makes.
pub(super) fn plan(text: &str) -> Plan {
    let mut pipeline = Pipeline::named("test");
    pipeline.hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    pipeline.retry.backoff_min = Duration::from_millis(10);
    // By which the daemon knows where the fake engine writes.
    pipeline.report = Some(Template::parse("out/{stem}.json").unwrap());
    pipeline.watches.push(Watch {
        path: "in".into(),
        include: vec!["*.wav".to_owned()],
        ignore: Vec::new(),
        mode: WatchMode::Auto,
        rescan: Some(Duration::from_secs(1)),
        stable_for: Some(Duration::from_millis(50)),
        marker: None,
        duplicates: Duplicates::Process,
    });
    let (text, defaults) = (text.to_owned(), Defaults::default());
    Plan { pipeline, text, defaults, folder: PathBuf::new() }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn write_file(path: &Path, text: &str) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}
