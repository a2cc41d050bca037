//! Finding who answers for a state folder: its daemon, or its store.

use super::client::{Client, ClientError, Server, failed};
use super::operations::router;
use super::service::{Service, Terms};
use super::{finish_orders, socket_path};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_store::{Store, StoreError};

/// How long a daemon may hold the store without listening: it starts, or ends.
const BUSY_TIME_MAX: Duration = Duration::from_secs(3);

/// Pause between two looks whether it listens now or has let go.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

impl Client {
    /// Finds the daemon of a state folder, or opens its store. Where there is no store yet, requests are answered as by an
    /// empty one, and nothing is made.
    ///
    /// # Errors
    /// [`ClientError::Busy`] when a process holds the store and does not answer.
    pub fn open(terms: Terms) -> Result<Self, ClientError> {
        if terms.state_dir.exists() {
            return Self::open_or_make(terms);
        }
        let store = Store::in_memory().map_err(|error| failed(&error))?;
        Self::of(Server::Nothing(router(Service::over_store(Arc::new(store), terms))))
    }

    /// As [`Client::open`]; makes the store where there is none.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn open_or_make(terms: Terms) -> Result<Self, ClientError> {
        let socket = socket_path(&terms.state_dir);
        let deadline = Instant::now() + BUSY_TIME_MAX;
        loop {
            match Self::connect(&socket) {
                Err(ClientError::Absent { .. }) => {}
                connected => return connected,
            }
            match Store::open(&terms.state_dir) {
                Ok(store) => {
                    finish_orders(&store).map_err(|error| failed(&error))?;
                    let service = Service::over_store(Arc::new(store), terms);
                    return Self::of(Server::Store(router(service)));
                }
                Err(StoreError::Busy { .. }) if Instant::now() < deadline => {
                    std::thread::park_timeout(BUSY_PAUSE);
                }
                Err(error @ StoreError::Busy { .. }) => {
                    return Err(ClientError::Busy { reason: error.to_string() });
                }
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}
