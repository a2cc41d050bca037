//! Files, texts and requests damaged at random, read; tags and samples made at random, written: see
//! [`wavemill_tests::fuzzing`]. `cargo xtask fuzz NAME` runs one for as long as one likes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod containers;
mod decoding;
mod encoders;
mod forms;
mod making;
mod pipelines;
mod streams;
mod tags;
mod templates;
mod texts;

use wavemill_tests::fuzzing::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;
