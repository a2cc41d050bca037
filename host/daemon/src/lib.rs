//! The daemon: watches folders, hands jobs to workers, publishes what they make.

mod admission;
mod attempt;
mod crash;
mod decision;
mod domain;
mod engine;
mod event;
pub mod hooks;
mod names;
mod plans;
mod publishing;
mod recovery;
mod reload;
mod reservations;
mod retention;
mod settings;
mod shared;
mod slot;
mod sources;
mod space;
#[cfg(test)]
mod tests;
mod turns;
mod watchdog;
mod watches;
pub mod worker;

pub use event::{DaemonEvent, StartedWatch};
pub use settings::{DaemonError, DaemonSettings, PipelineSource, Reload, Summary};

use crate::hooks::Notifiers;
use crate::worker::Workers;
use crossbeam_channel::{Receiver, bounded, unbounded};
use engine::{Engine, Inputs};
use parking_lot::Mutex;
use plans::Plans;
use shared::Shared;
use slot::SlotHandle;
use space::Space;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use turns::Turns;
use watches::ActiveWatch;
use wavemill_api::live::Live;
use wavemill_api::types::WatchView;
use wavemill_api::{Server, Service, Terms, socket_path};
use wavemill_http::HttpServer;
use wavemill_pipelines::publishing::create_dirs;
use wavemill_platform::{
    Confinement, ConfinementLevel, LockFile, confinement_here, random_hex, service_manager,
    with_socket_path,
};
use wavemill_store::cache::cache_folder;
use wavemill_store::{JobRecord, Store, StoreError, is_full};

/// Time the workers of a daemon that was killed have to die; the kernel kills them with it.
const WORKERS_DIE_WITHIN: Duration = Duration::from_secs(30);

/// Time that commands which open the store themselves may take with it.
const STORE_FREE_WITHIN: Duration = Duration::from_secs(10);

/// Time that a daemon has to answer whoever would be the second one.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Batches of changes that wait at most; more slow the watchers down.
const CHANGES_MAX: usize = 256;

/// Runs until stopped, or until nothing is left to do if that was asked.
///
/// # Errors
/// When it cannot start, or when the store can no longer be written: whatever was under way then is
/// resumed by the next start.
#[expect(clippy::needless_pass_by_value, reason = "the sender of events shall end with the run")]
pub fn run(settings: DaemonSettings) -> Result<Summary, DaemonError> {
    let plans = Plans::load(&settings)?;
    run_with(&settings, plans)
}

fn run_with(settings: &DaemonSettings, plans: Plans) -> Result<Summary, DaemonError> {
    let mut watches = Vec::new();
    for plan in plans.current().values() {
        watches.extend(ActiveWatch::of_plan(plan, &settings.root, &settings.output_root)?);
    }
    watches::warn_of_contention(&watches);
    let (shared, requests) =
        open(settings, plans, watches.iter().map(ActiveWatch::view).collect())?;
    run_opened(settings, &shared, watches, requests).map_err(|error| match error {
        // Whatever it stopped at: what follows a change that had no room fails too.
        DaemonError::Store { reason, .. } | DaemonError::Start { reason }
            if shared.store.ran_full() =>
        {
            DaemonError::Full { folder: settings.state_dir.clone(), reason }
        }
        other => other,
    })
}

fn run_opened(
    settings: &DaemonSettings,
    shared: &Arc<Shared>,
    watches: Vec<ActiveWatch>,
    requests: Receiver<()>,
) -> Result<Summary, DaemonError> {
    let state_dir = &settings.state_dir;
    let failed = |error| store_failed(state_dir, error);
    wavemill_api::finish_orders(&shared.store).map_err(failed)?;
    let recovered = recovery::recover(shared).map_err(failed)?;
    for (pipeline, plan) in shared.store.submitted_pipelines().map_err(failed)? {
        shared.live.run_submitted(&pipeline, &plan);
    }
    let terms = Terms {
        state_dir: state_dir.clone(),
        output_root: settings.output_root.clone(),
        defaults: settings.defaults.clone(),
    };
    let service = Service::over_daemon(Arc::clone(&shared.store), Arc::clone(&shared.live), terms);
    let notifiers =
        Notifiers::start(settings.hooks.clone(), &shared.store, &service, settings.stop.clone())
            .map_err(|error| DaemonError::Start { reason: format!("hooks: {error}") })?;
    *shared.notifiers() = Some(notifiers);
    let _server = Server::start(state_dir, service.clone()).map_err(|error| {
        state_failed(state_dir, format!("control socket in {}", state_dir.display()), &error)
    })?;
    shared.live.set_reloader(settings.ask_reload.clone());
    let start = |http| HttpServer::start(state_dir, service, http);
    let _http = settings
        .http
        .clone()
        .map(start)
        .transpose()
        .map_err(|error| DaemonError::Start { reason: format!("HTTP: {error}") })?;
    let served =
        serve(settings, shared, watches, requests, &recovered).map_err(|error| match error {
            ServeError::Daemon(error) => error,
            ServeError::Store(error) => failed(error),
        });
    // With their last words.
    drop(shared.notifiers().take());
    served
}

/// Takes possession of the state folder. The receiver gets a message when there may be new jobs.
fn open(
    settings: &DaemonSettings,
    plans: Plans,
    watches: Vec<WatchView>,
) -> Result<(Arc<Shared>, Receiver<()>), DaemonError> {
    let state_dir = &settings.state_dir;
    let failed = |error| store_failed(state_dir, error);
    let store = Arc::new(open_store(state_dir).map_err(failed)?);
    let lock = wait_for_old_workers(state_dir)?;
    let spool = fresh_spool(state_dir)?;
    store.keep_plans(plans.records(&settings.output_root)).map_err(failed)?;
    let pipelines = plans.current().keys().cloned().collect();
    let workers = settings.workers.max(1);
    let (live, requests) = Live::new(
        watches,
        pipelines,
        workers,
        confinement(settings),
        settings.stop.clone(),
        settings.set_log_level,
    );
    live.set_outputs(Plans::output_folders(&plans.current(), &settings.output_root));
    let shared = Shared {
        store,
        live: Arc::new(live),
        plans,
        names: reservations::Reservations::default(),
        space: Space::start(settings.free_bytes_min)
            .map_err(|error| DaemonError::Start { reason: error.to_string() })?,
        workers: Workers {
            command: worker_command(settings)?,
            lock,
            is_confined: settings.confine,
        },
        bounds: watchdog::Bounds::of(settings),
        boot_id: random_hex(),
        root: settings.root.clone(),
        output_root: settings.output_root.clone(),
        spool,
        history: settings.history,
        history_jobs: settings.history_jobs,
        turns: Turns::default(),
        state: state_dir.clone(),
        effect_cache: cache_folder(state_dir),
        events: settings.events.clone(),
        notifiers: Mutex::default(),
        stop: settings.stop.clone(),
    };
    Ok((Arc::new(shared), requests))
}

/// What will hold for workers; the log says so.
fn confinement(settings: &DaemonSettings) -> Confinement {
    let confinement = if settings.confine { confinement_here() } else { Confinement::off() };
    if confinement.level == ConfinementLevel::Full {
        tracing::info!(%confinement, "Workers confined.");
    } else {
        tracing::warn!(%confinement, "Workers not fully confined.");
    }
    confinement
}

enum ServeError {
    Daemon(DaemonError),
    Store(StoreError),
}

impl From<DaemonError> for ServeError {
    fn from(error: DaemonError) -> Self {
        Self::Daemon(error)
    }
}

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn serve(
    settings: &DaemonSettings,
    shared: &Arc<Shared>,
    mut watches: Vec<ActiveWatch>,
    requests: Receiver<()>,
    recovered: &[JobRecord],
) -> Result<Summary, ServeError> {
    let (report, reports) = unbounded();
    let start = |index| SlotHandle::start(Arc::clone(shared), index, report.clone());
    let slots: io::Result<Vec<_>> = (0..settings.workers.max(1)).map(start).collect();
    let slots = slots.map_err(|error| DaemonError::Start { reason: error.to_string() })?;
    let (change, changes) = bounded(CHANGES_MAX);
    let started = watches.iter().map(ActiveWatch::started).collect();
    for (index, watch) in watches.iter_mut().enumerate() {
        watch.start(shared, index, change.clone())?;
    }
    // Not before the folders are there: whoever receives it may use them.
    let link = shared.live.login_link();
    shared.emit(DaemonEvent::Started { watches: started, link });
    service_manager::ready();
    for (pipeline, jobs) in shared.store.waiting_counts()? {
        if !shared.live.runs(&pipeline) {
            shared.emit(DaemonEvent::PipelineUnwatched { pipeline, jobs });
        }
    }
    let (stopped, reloads) = (shared.stop.subscribe(), settings.reloads.clone());
    let inputs = Inputs { changes, reports, requests, stopped, reloads };
    let shared_by_engine = Arc::clone(shared);
    let mut engine =
        Engine::new(shared_by_engine, inputs, watches, change, slots, settings.until_idle);
    for job in recovered {
        engine.count(job);
    }
    Ok(engine.run()?)
}

/// Opens the store, which another command may have for a moment.
fn open_store(state_dir: &Path) -> Result<Store, StoreError> {
    let deadline = Instant::now() + STORE_FREE_WITHIN;
    loop {
        match Store::open(state_dir) {
            Err(StoreError::Busy { .. }) if Instant::now() < deadline && !is_served(state_dir) => {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            other => return other,
        }
    }
}

/// Whether a daemon answers, which keeps its store. One that was killed may still be connected to for a moment.
fn is_served(state_dir: &Path) -> bool {
    let answers = |mut stream: UnixStream| {
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        Ok(stream.read(&mut [0])? > 0)
    };
    let connected = with_socket_path(&socket_path(state_dir), |path| UnixStream::connect(path));
    connected.and_then(answers).unwrap_or(false)
}

/// Waits until no worker of an earlier daemon can write any more; returns the file they lock.
fn wait_for_old_workers(state_dir: &Path) -> Result<std::path::PathBuf, DaemonError> {
    let path = state_dir.join("workers.lock");
    match LockFile::exclusive(&path, WORKERS_DIE_WITHIN) {
        Ok(Some(_)) => Ok(path),
        Ok(None) => Err(DaemonError::Start {
            reason: format!("a worker of an earlier daemon still holds {}", path.display()),
        }),
        Err(error) => Err(state_failed(state_dir, path.display(), &error)),
    }
}

/// An empty folder for spool files; what is in it belongs to workers that are dead.
fn fresh_spool(state_dir: &Path) -> Result<std::path::PathBuf, DaemonError> {
    let path = state_dir.join("spool");
    let removed = match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed
        .and_then(|()| create_dirs(&path))
        .map_err(|error| state_failed(state_dir, path.display(), &error))?;
    Ok(path)
}

fn worker_command(settings: &DaemonSettings) -> Result<Vec<OsString>, DaemonError> {
    if !settings.worker_command.is_empty() {
        return Ok(settings.worker_command.clone());
    }
    let program = std::env::current_exe().map_err(|error| DaemonError::Start {
        reason: format!("the path of this program is unknown: {error}"),
    })?;
    Ok(vec![program.into_os_string(), OsString::from("worker")])
}

/// What is said of something in the state folder that could not be made; `what` names it.
fn state_failed(state_dir: &Path, what: impl Display, error: &io::Error) -> DaemonError {
    let reason = format!("{what}: {error}");
    if is_full(error) {
        DaemonError::Full { folder: state_dir.to_path_buf(), reason }
    } else {
        DaemonError::Start { reason }
    }
}

fn store_failed(state_dir: &Path, error: StoreError) -> DaemonError {
    let state_dir = state_dir.to_path_buf();
    match error {
        StoreError::Busy { pid } => DaemonError::Busy { pid, state_dir },
        StoreError::Full { reason } => DaemonError::Full { folder: state_dir, reason },
        other => DaemonError::Store { state_dir, reason: other.to_string() },
    }
}
