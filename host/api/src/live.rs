//! What a running daemon is doing, for `status`.

use super::stop::{StopLevel, StopSignal};
use super::stream::{Line, WAITING_MAX};
use super::types::{PauseView, RefusedView, Status, WatchView, WorkerView};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::broadcast;
use wavemill_pipelines::model::Defaults;
use wavemill_platform::{Confinement, resident_bytes};
use wavemill_store::JobState;
use wavemill_watch::Refusal;

/// Changes what this process logs; one line says why it cannot.
pub type SetLogLevel = fn(&str) -> Result<(), String>;

/// Shared between the daemon's threads and the control socket. Nothing here is worth keeping.
#[derive(Debug)]
pub struct Live {
    started: Instant,
    progress: Mutex<HashMap<String, f64>>,
    /// `None` in the place of one that has ended.
    watches: Mutex<Vec<Option<WatchView>>>,
    workers: Mutex<Vec<WorkerView>>,
    /// Pipelines that folders are watched for.
    watched: Mutex<BTreeSet<String>>,
    /// Folders of their outputs.
    outputs: Mutex<BTreeSet<PathBuf>>,
    /// Why the last reload was refused.
    reload_refused: Mutex<Option<String>>,
    /// What pipelines are read with since the last reload.
    defaults: Mutex<Option<Defaults>>,
    /// Hashes of the pipelines that jobs were submitted with, by name.
    submitted: Mutex<BTreeMap<String, String>>,
    /// Why jobs of a pipeline are not handed out.
    holds: Mutex<BTreeMap<String, Hold>>,
    /// Running jobs that someone canceled.
    canceled: Mutex<BTreeSet<String>>,
    /// What holds for workers: what this system has, then what the last one that started said.
    confinement: Mutex<Confinement>,
    waker: Sender<()>,
    pub(crate) stop: StopSignal,
    pub(super) set_log_level: SetLogLevel,
    events: broadcast::Sender<Line>,
    tally: Mutex<Tally>,
    login: Mutex<Option<Login>>,
    reload: Mutex<Option<Sender<()>>>,
}

/// Makes the link that lets one browser in.
struct Login(Arc<dyn Fn() -> String + Send + Sync>);

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

/// Why jobs of a pipeline are not handed out; one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Somebody wants it so: a pause, hours, a folder that is not at rest.
    Asked(String),
    /// There is no room for what they write.
    Shortage(String),
}

/// What was counted since the start.
#[derive(Clone, Debug)]
pub struct Tally {
    /// When the scheduler went round last.
    pub beat: Instant,
    /// Attempts that were put off.
    pub retries: u64,
    /// Audio of delivered sources, s.
    pub audio_s: f64,
    /// Free space by folder, as last looked at.
    pub free_bytes: BTreeMap<PathBuf, u64>,
}

impl Live {
    /// With places for `workers` that run the jobs of `watched` pipelines; the receiver gets a message when
    /// there may be new jobs.
    pub fn new(
        watches: Vec<WatchView>,
        watched: BTreeSet<String>,
        workers: usize,
        confinement: Confinement,
        stop: StopSignal,
        set_log_level: SetLogLevel,
    ) -> (Self, Receiver<()>) {
        let (waker, woken) = bounded(1);
        let idle = WorkerView { pid: None, job: None, rss_bytes: None, jobs_done: 0 };
        let live = Self {
            started: Instant::now(),
            progress: Mutex::default(),
            watches: Mutex::new(watches.into_iter().map(Some).collect()),
            workers: Mutex::new(vec![idle; workers]),
            watched: Mutex::new(watched),
            outputs: Mutex::default(),
            reload_refused: Mutex::default(),
            defaults: Mutex::default(),
            submitted: Mutex::default(),
            holds: Mutex::default(),
            canceled: Mutex::default(),
            confinement: Mutex::new(confinement),
            waker,
            stop,
            set_log_level,
            events: broadcast::Sender::new(WAITING_MAX),
            tally: Mutex::new(Tally {
                beat: Instant::now(),
                retries: 0,
                audio_s: 0.0,
                free_bytes: BTreeMap::new(),
            }),
            login: Mutex::default(),
            reload: Mutex::default(),
        };
        (live, woken)
    }

    /// Who is asked to read configuration and pipelines again.
    pub fn set_reloader(&self, reload: Sender<()>) {
        *locked(&self.reload) = Some(reload);
    }

    /// Asks for configuration and pipelines to be read again.
    pub(crate) fn ask_reload(&self) {
        if let Some(reload) = &*locked(&self.reload) {
            // Full means that one is asked for already.
            let _ = reload.try_send(());
        }
    }

    /// Serves HTTP; `link` makes the link that lets one browser in.
    pub fn set_login(&self, link: Arc<dyn Fn() -> String + Send + Sync>) {
        *locked(&self.login) = Some(Login(link));
    }

    /// The link that lets one browser in, where HTTP is served.
    pub fn login_link(&self) -> Option<String> {
        locked(&self.login).as_ref().map(|login| (login.0)())
    }

    /// All events from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Line> {
        self.events.subscribe()
    }

    /// Sends an event to those who listen; `line` is made only if somebody does.
    pub fn emit(&self, line: impl FnOnce() -> Option<String>) {
        if self.events.receiver_count() > 0
            && let Some(line) = line()
        {
            // The last listener may be gone by now.
            let _ = self.events.send(line.into());
        }
    }

    /// What was counted since the start.
    pub(crate) fn tally(&self) -> Tally {
        locked(&self.tally).clone()
    }

    /// Counts something.
    pub fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut locked(&self.tally));
    }

    pub(crate) fn wake(&self) {
        // A full channel has a wake-up waiting already.
        let _ = self.waker.try_send(());
    }

    /// How far a job is, 0 to 1; `None` once it does not run.
    pub fn set_progress(&self, job: &str, share: Option<f64>) {
        let mut progress = locked(&self.progress);
        match share {
            Some(share) => progress.insert(job.to_owned(), share),
            None => progress.remove(job),
        };
    }

    pub(crate) fn progress(&self, job: &str) -> Option<f64> {
        locked(&self.progress).get(job).copied()
    }

    /// Changes what is shown of a watched folder.
    pub fn update_watch(&self, index: usize, update: impl FnOnce(&mut WatchView)) {
        if let Some(Some(watch)) = locked(&self.watches).get_mut(index) {
            update(watch);
        }
    }

    /// Shows one more watch, in the next place.
    pub fn add_watch(&self, watch: WatchView) {
        locked(&self.watches).push(Some(watch));
    }

    /// Shows a watch no more.
    pub fn remove_watch(&self, index: usize) {
        if let Some(watch) = locked(&self.watches).get_mut(index) {
            *watch = None;
        }
    }

    /// Runs the jobs of these pipelines from now on, besides those that were submitted.
    pub fn set_watched(&self, pipelines: BTreeSet<String>) {
        *locked(&self.watched) = pipelines;
    }

    /// Shows these folders of outputs from now on.
    pub fn set_outputs(&self, outputs: BTreeSet<PathBuf>) {
        *locked(&self.outputs) = outputs;
    }

    /// Notes how the last reload went.
    pub fn set_reload_refused(&self, reason: Option<String>) {
        *locked(&self.reload_refused) = reason;
    }

    /// What pipelines are read with since the last reload, if there was one.
    pub(crate) fn defaults(&self) -> Option<Defaults> {
        locked(&self.defaults).clone()
    }

    /// Reads pipelines with other defaults from now on.
    pub fn set_defaults(&self, defaults: Defaults) {
        *locked(&self.defaults) = Some(defaults);
    }

    /// Changes what is shown of a worker.
    pub fn update_worker(&self, index: usize, update: impl FnOnce(&mut WorkerView)) {
        if let Some(worker) = locked(&self.workers).get_mut(index) {
            update(worker);
        }
    }

    /// Takes what a worker said of itself.
    pub fn set_confinement(&self, confinement: &Confinement) {
        let mut known = locked(&self.confinement);
        if *known != *confinement {
            tracing::warn!(%confinement, "Worker confinement changed.");
            known.clone_from(confinement);
        }
    }

    /// Files that are incomplete in all watches together.
    pub fn incomplete_count(&self) -> usize {
        locked(&self.watches).iter().flatten().map(|watch| watch.incomplete.len()).sum()
    }

    /// Files and folders that cannot be read in all watches together.
    pub fn unreadable_count(&self) -> usize {
        let is_unreadable = |view: &&RefusedView| view.refusal == Refusal::Unreadable;
        let watches = locked(&self.watches);
        watches
            .iter()
            .flatten()
            .flat_map(|watch| watch.refused.values())
            .filter(is_unreadable)
            .count()
    }

    /// Whether jobs of this pipeline are run; those of others wait.
    pub fn runs(&self, pipeline: &str) -> bool {
        self.watches_for(pipeline) || locked(&self.submitted).contains_key(pipeline)
    }

    /// Whether folders are watched for this pipeline.
    pub(crate) fn watches_for(&self, pipeline: &str) -> bool {
        locked(&self.watched).contains(pipeline)
    }

    /// Runs submitted jobs of this pipeline, whose hash is `plan`, from now on.
    pub fn run_submitted(&self, pipeline: &str, plan: &str) {
        locked(&self.submitted).insert(pipeline.to_owned(), plan.to_owned());
    }

    /// Hashes of the pipelines that jobs were submitted with, by name.
    pub fn submitted(&self) -> BTreeMap<String, String> {
        locked(&self.submitted).clone()
    }

    /// The watched folder of a pipeline that a file lies in.
    pub(crate) fn folder_of(&self, pipeline: &str, path: &Path) -> Option<PathBuf> {
        let watches = locked(&self.watches);
        let roots = watches.iter().flatten().filter(|watch| watch.pipeline == pipeline);
        roots.map(|watch| PathBuf::from(&watch.path)).find(|root| path.starts_with(root))
    }

    /// Notes why jobs are not handed out, by pipeline.
    pub fn set_holds(&self, holds: BTreeMap<String, Hold>) {
        *locked(&self.holds) = holds;
    }

    /// Why jobs of a pipeline are not handed out.
    pub(crate) fn hold(&self, pipeline: &str) -> Option<String> {
        let holds = locked(&self.holds);
        let (Hold::Asked(reason) | Hold::Shortage(reason)) = holds.get(pipeline)?;
        Some(reason.clone())
    }

    /// Notes that a running job was canceled; whoever runs it looks here.
    pub(crate) fn cancel(&self, job: &str) {
        locked(&self.canceled).insert(job.to_owned());
    }

    /// Whether someone canceled a running job.
    pub fn is_canceled(&self, job: &str) -> bool {
        locked(&self.canceled).contains(job)
    }

    /// Forgets that a job was canceled: it has ended.
    pub fn forget_canceled(&self, job: &str) {
        locked(&self.canceled).remove(job);
    }

    /// What it does; `waiting` are all jobs that wait, by pipeline.
    pub(crate) fn status(
        &self,
        jobs: BTreeMap<JobState, u64>,
        paused: PauseView,
        mut waiting: BTreeMap<String, u64>,
    ) -> Status {
        let holds = locked(&self.holds).clone();
        let shortages = holds.into_iter().filter_map(|(pipeline, hold)| match hold {
            Hold::Shortage(reason) if waiting.contains_key(&pipeline) => Some((pipeline, reason)),
            _ => None,
        });
        let shortages = shortages.collect();
        waiting.retain(|pipeline, _| !self.runs(pipeline));
        let mut workers = locked(&self.workers).clone();
        for worker in &mut workers {
            worker.rss_bytes = worker.pid.and_then(resident_bytes);
        }
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.started.elapsed().as_secs_f64(),
            is_draining: self.stop.level() != StopLevel::Run,
            jobs,
            paused,
            unwatched: waiting,
            shortages,
            reload_refused: locked(&self.reload_refused).clone(),
            watches: locked(&self.watches).iter().flatten().cloned().collect(),
            outputs: locked(&self.outputs).iter().map(|it| it.display().to_string()).collect(),
            workers,
            confinement: Some(locked(&self.confinement).clone()),
            hooks: Vec::new(),
            login_link: self.login_link(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
