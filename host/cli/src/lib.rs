//! The program `wavemill`: its command line, configuration, reports and `analyze`.

pub mod analysis;
pub mod commands;
pub mod config;
pub mod diagnostics;
mod exit;
pub mod report;
