//! How other processes see and steer a running daemon: JSON over a Unix socket.

mod batches;
mod files;
mod guard;
pub(crate) mod live;
mod metrics;
mod routes;
mod server;
mod service;
pub(crate) mod stream;
pub mod types;

pub(crate) use files::{expire, finish_orders};
pub(crate) use routes::openapi;
pub(crate) use server::Server;
pub use service::{Service, Terms};

use std::path::{Path, PathBuf};

/// The control socket of the daemon that runs on a state folder.
///
/// The path may be longer than a socket address can hold; connect through
/// [`crate::platform::with_socket_path`].
pub fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join("control.sock")
}
