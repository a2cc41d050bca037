//! The Wavemill host: watched folders, jobs, the store, workers, outputs and the command line.

pub mod watch;
