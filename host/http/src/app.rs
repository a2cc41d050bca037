//! What every request can reach.

use crate::guard::Guard;
use crate::settings::HttpSettings;
use crate::stream::sessions::Sessions;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Instant;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use wavemill_api::Service;

/// Commands that answer requests at once: many decode a whole file.
const PROGRAMS_MAX: usize = 2;

/// The state of the server; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Inner>);

/// See [`App`].
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) service: Service,
    pub(crate) settings: HttpSettings,
    pub(crate) guard: Guard,
    /// Folder of results, one folder an upload.
    pub(crate) results_dir: PathBuf,
    pub(crate) started: Instant,
    /// Places for commands that answer requests.
    pub(crate) programs: Semaphore,
    pub(crate) state_dir: PathBuf,
    pub(crate) streams: Sessions,
    /// What the program says of itself, as far as somebody asked.
    pub(crate) documents: Mutex<HashMap<&'static str, Value>>,
    /// Work under way, by what must not run twice at once.
    turns: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl App {
    pub(crate) fn new(
        service: Service,
        settings: HttpSettings,
        guard: Guard,
        state_dir: &Path,
    ) -> Self {
        Self(Arc::new(Inner {
            service,
            settings,
            guard,
            results_dir: state_dir.join("http").join("results"),
            started: Instant::now(),
            programs: Semaphore::new(PROGRAMS_MAX),
            state_dir: state_dir.to_owned(),
            streams: Sessions::new(state_dir),
            documents: Mutex::default(),
            turns: Mutex::default(),
        }))
    }

    /// Waits until nobody else does the work of this name.
    pub(crate) async fn turn(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock();
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = turns.get(name).and_then(Weak::upgrade).unwrap_or_default();
            turns.insert(name.to_owned(), Arc::downgrade(&turn));
            turn
        };
        turn.lock_owned().await
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
