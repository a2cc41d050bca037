//! How other processes see and control a daemon: types, operations, the server, the client. JSON over a Unix socket,
//! or over the store alone while no daemon is running.

mod batches;
mod client;
mod files;
pub mod live;
mod metrics;
mod opening;
mod operations;
mod pipelines;
pub mod references;
mod regions;
mod server;
mod service;
mod stop;
mod stream;
pub mod types;
mod views;

pub use client::{Client, ClientError};
pub use files::{expire, finish_orders};
pub use live::SetLogLevel;
pub use operations::{background, complete, described, openapi, operations};
pub use server::Server;
pub use service::{Service, Terms};
pub use stop::{StopLevel, StopSignal};
pub use views::output_view;

use std::path::{Path, PathBuf};

/// The control socket of the daemon that runs on a state folder.
///
/// The path may be longer than a socket address can hold; connect through
/// [`wavemill_platform::with_socket_path`].
pub fn socket_path(state_dir: &Path) -> PathBuf {
    state_dir.join("control.sock")
}
