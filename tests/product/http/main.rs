//! HTTP: the services' paths as their clients use them, and who may ask.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod described;
mod guard;
mod server;
