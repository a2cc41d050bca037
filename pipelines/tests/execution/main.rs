//! Pipelines run over real files, their outputs read by an independent reader.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bad_inputs;
mod chain;
mod gates;
mod lab;
mod passthrough;
mod planning;
mod publishing;
mod shipped;
