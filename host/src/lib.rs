//! The Wavemill host: watched folders, jobs, the store, workers, outputs and the command line.

pub mod analysis;
pub mod cli;
pub mod client;
pub mod config;
pub mod control;
pub mod daemon;
pub mod diagnostics;
#[cfg(test)]
mod dice;
pub mod effects;
pub mod groups;
pub mod hooks;
pub mod jobs;
mod made;
pub mod platform;
pub mod report;
mod result_cache;
pub mod source;
pub mod store;
pub mod watch;
pub mod worker;
