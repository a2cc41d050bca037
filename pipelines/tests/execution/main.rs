//! Pipelines run over real files, their outputs read by an independent reader.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::print_stderr, reason = "what a machine cannot run is reported")]

mod again;
mod bad_inputs;
mod chain;
mod chapters;
mod gates;
mod lab;
mod limiting;
mod lossy;
mod matching;
mod measures;
#[cfg(feature = "mp3")]
mod mp3;
mod opus;
mod page;
mod passthrough;
mod planning;
mod precision;
mod publishing;
mod repair;
mod resample;
mod shipped;
mod tags;
