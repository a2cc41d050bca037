//! HTTP as clients use it: the services' paths, who may ask, live streams; the real daemon on a loopback address.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod described;
mod guard;
#[path = "../effects/module.rs"]
#[allow(dead_code, reason = "the tests of effects use all of it")]
mod module;
mod server;
mod services;
mod stream;
mod stream_faults;

pub(crate) use server::Server;
