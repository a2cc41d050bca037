//! What the cross-crate tests share: signals, independent encoders, decoders and meters, and a daemon
//! to torment.
//!
//! A test that this machine cannot run prints one line that begins with `skipped: ` and returns; the
//! gate sums those lines. [`external::Tool::find`] does so for programs that are not installed.

#![expect(clippy::missing_panics_doc, reason = "helpers of tests fail by panicking")]

use sha2::{Digest as _, Sha256};

pub mod audit;
pub mod compilers;
pub mod external;
pub mod faults;
pub mod fuzzing;
pub mod lab;
pub mod oracle;
pub mod processes;
pub mod record;
pub mod signal;
pub mod usage;
pub mod wav;

/// SHA-256 of these bytes as 64 hex digits: a hash that everybody has a tool for.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
