//! Effects as steps: what a pipeline may write, and what becomes of a file.

#![cfg(feature = "effects")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../execution/lab.rs"]
#[expect(dead_code, reason = "shared with the tests of execution")]
mod lab;
mod loading;
mod module;
mod running;
