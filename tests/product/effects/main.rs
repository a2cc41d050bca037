//! Effect modules through the real program: the same bytes by every way, and nobody hurt by a bad one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod bench_command;
mod cache;
mod check;
mod command;
mod export_clap;
mod hostile;
mod lock;
mod module;
mod new;
mod play;
mod same_bytes;
mod swap;
