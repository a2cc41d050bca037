//! The Wavemill host: watched folders, jobs, the store, workers, outputs and the command line.

pub mod control;
pub mod daemon;
pub mod jobs;
pub mod platform;
pub mod watch;
