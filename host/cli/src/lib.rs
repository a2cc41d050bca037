//! The program `wavemill`: its command line, configuration, reports and `analyze`.

mod analysis;
mod commands;
mod config;
mod diagnostics;
mod exit;
mod report;

pub use commands::main;
