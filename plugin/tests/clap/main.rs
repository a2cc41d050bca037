//! The plugin in a CLAP host.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

mod allocator;
mod captures;
#[cfg(target_os = "linux")]
mod editor;
mod host;
mod passing;
mod real_time;
mod state;
