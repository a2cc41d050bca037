//! The loudness meter against the EBU's test signals, against other meters, at its edges, and live.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]
#![expect(clippy::print_stderr, reason = "skipped tests say so")]

#[path = "../common/mod.rs"]
mod common;

mod conformance;
mod differential;
mod edges;
mod live;
mod programmes;
mod signals;
