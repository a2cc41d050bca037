//! Wavemill over HTTP: what a network address needs that the control socket does not. Who may ask, uploads, the paths
//! of the services that Wavemill replaces, live streams. Work is done by the daemon's jobs; what is answered is their results.

mod analyses;
mod app;
mod batches;
mod body;
mod content;
mod docs;
mod documents;
mod exports;
mod formats;
mod guard;
mod health;
mod logs;
mod measures;
mod metadata;
mod page;
mod places;
mod program;
mod regions;
mod reports;
mod router;
mod server;
mod settings;
mod stream;
mod transfers;
mod uploads;
mod waveform;
mod work;

pub use router::openapi;
pub use server::HttpServer;
pub use settings::HttpSettings;
