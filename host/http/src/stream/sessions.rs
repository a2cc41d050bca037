//! The sessions of a server, and `/api/audio/buffers`.

use super::hello::Hello;
use super::limits::{BUILDERS, SESSIONS_MAX, SOCKETS_MAX};
use super::message::Refusal;
use super::pool::Pool;
use super::session::Session;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;
use uuid::Uuid;
use wavemill_pipelines::Effects;
use wavemill_store::cache::cache_folder;

/// Live streams of a server.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// Modules, compiled for live use.
    pub(super) effects: Effects,
    /// Places for sockets, with a session or without.
    pub(super) sockets: Arc<Semaphore>,
    places: Arc<Semaphore>,
    builders: Arc<Semaphore>,
    pool: Pool,
    open: Mutex<BTreeMap<String, Arc<Session>>>,
}

/// A session while its socket is open.
pub(super) struct OpenSession {
    pub(super) session: Arc<Session>,
    app: App,
    _place: OwnedSemaphorePermit,
}

/// What waits in a session.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct BufferView {
    /// Its id.
    pub(super) id: String,
    /// Seconds since it began.
    pub(super) age_s: f64,
    /// Sample rate of its input and output, Hz.
    pub(super) sample_rate: u32,
    /// Its channels.
    pub(super) channels: usize,
    /// Frames that wait to be processed.
    pub(super) fill_frames: usize,
    /// Frames that have room; beyond, the oldest are dropped.
    pub(super) capacity_frames: usize,
    /// Most frames that ever waited.
    pub(super) high_water_frames: usize,
    /// Frames that were dropped.
    pub(super) dropped_frames: u64,
    /// Frames of the input that were processed.
    pub(super) processed_frames: u64,
}

/// The live streams of the server.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct BuffersAnswer {
    /// One a session.
    sessions: Vec<BufferView>,
    /// How many there are.
    count: usize,
}

/// How full the buffers of live streams are
#[utoipa::path(get, path = "/api/audio/buffers", responses((status = 200, body = BuffersAnswer)))]
pub(crate) async fn buffers(State(app): State<App>) -> Json<BuffersAnswer> {
    let sessions: Vec<_> = app.streams.open.lock().values().map(|session| session.view()).collect();
    Json(BuffersAnswer { count: sessions.len(), sessions })
}

impl Sessions {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self {
            effects: Effects::live(Some(cache_folder(state_dir))),
            sockets: Arc::new(Semaphore::new(SOCKETS_MAX)),
            places: Arc::new(Semaphore::new(SESSIONS_MAX)),
            builders: Arc::new(Semaphore::new(BUILDERS)),
            pool: Pool::new(),
            open: Mutex::default(),
        }
    }
}

impl App {
    /// Builds what a hello asks for.
    ///
    /// # Errors
    /// One line: why there is no such session.
    pub(super) async fn open_session(&self, hello: Hello) -> Result<OpenSession, Refusal> {
        let place = Arc::clone(&self.streams.places).try_acquire_owned().map_err(|_| {
            let detail = format!("{SESSIONS_MAX} sessions are open; try again when one has ended");
            Refusal::new("too many sessions", detail)
        })?;
        let session = self.built(hello).await?;
        self.streams.open.lock().insert(session.id.clone(), Arc::clone(&session));
        Ok(OpenSession { session, app: self.clone(), _place: place })
    }

    /// Builds away from the runtime's threads and from those that play.
    async fn built(&self, hello: Hello) -> Result<Arc<Session>, Refusal> {
        let broken = || Refusal::new("internal error", "the chain was not built");
        let builders = Arc::clone(&self.streams.builders);
        let place = builders.acquire_owned().await.map_err(|_| broken())?;
        let (app, runtime) = (self.clone(), Handle::current());
        let built = tokio::task::spawn_blocking(move || {
            let chain = app.chain(&hello)?;
            let (turns, builders) = (app.streams.pool.turns(), Arc::clone(&app.streams.builders));
            let id = Uuid::new_v4().to_string();
            drop(place);
            Session::new(id, hello, chain, turns, builders, runtime).map(Arc::new)
        });
        built.await.map_err(|_| broken())?
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.app.streams.open.lock().remove(&self.session.id);
        self.session.fail(Refusal::new("closed", "the socket was closed"));
    }
}
