//! House rules that neither rustc nor Clippy can check.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bundled;
mod dependencies;
mod fixtures;
mod folders;
mod licenses;
mod links;
mod metadata;
mod reference;
mod sources;
mod spdx;
mod steps;
