//! The plugin in a CLAP host.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

#[path = "../common/chain.rs"]
mod chain;
#[path = "../common/ebu.rs"]
mod ebu;
#[path = "../../../pipelines/tests/effects/module.rs"]
#[allow(dead_code, reason = "the tests of pipelines use all of it")]
mod module;
#[path = "../../../core/tests/loudness/signals.rs"]
#[allow(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "core's own tests use all of it, and rounding to f32 is meant"
)]
mod signals;

mod allocator;
mod audio;
mod captures;
mod contract;
#[cfg(target_os = "linux")]
mod editor;
mod exported;
mod host;
mod kill;
mod locks;
mod log;
mod modes;
mod offline;
mod outputs;
mod passing;
#[cfg(target_os = "linux")]
mod pictures;
mod playing;
mod rack;
mod readings;
mod real_time;
mod renders;
mod state;
mod threads;
#[cfg(target_os = "linux")]
mod window;
