//! Every format against independent programs, as a matrix of format, codec, rate, depth and channels:
//! [`inputs`] are made by them and read by us, [`outputs`] are made by us and read by them.
//!
//! A combination that fails does not end the test: it prints how many passed and names those that did
//! not. Programs are started for many files at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inputs;
mod outputs;
mod table;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use wavemill_core::audio::Samples;
use wavemill_core::decode::{self, StreamInfo};

/// What became of the combinations.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    fn add(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(reason) => self.failed.push(format!("{name}: {reason}")),
        }
    }

    /// Prints the counts; fails when a combination did, or when fewer passed than there must be.
    #[expect(clippy::print_stdout, reason = "a matrix says how much of it there is")]
    fn finish(self, what: &str, expected: usize) {
        let failed = self.failed.len();
        println!("{what}: {} passed, {failed} failed", self.passed);
        assert!(self.failed.is_empty(), "{}", self.failed.join("\n"));
        assert!(self.passed >= expected, "only {} combinations", self.passed);
    }
}

/// A file as we read it: its samples interleaved, integers at the top of 32 bits.
struct Decoded {
    info: StreamInfo,
    frames: usize,
    samples: Raw,
}

/// Interleaved samples.
#[derive(Debug)]
enum Raw {
    Ints(Vec<i32>),
    Floats(Vec<f32>),
}

fn decoded(path: &Path) -> Result<Decoded, String> {
    let file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut decoder = decode::open(Box::new(file), None).map_err(|error| error.to_string())?;
    let info = decoder.info().clone();
    let channels = info.spec.channel_count();
    let mut block = Samples::empty(info.format, channels);
    let mut samples = match block {
        Samples::Int { .. } => Raw::Ints(Vec::new()),
        Samples::Float { .. } => Raw::Floats(Vec::new()),
    };
    let mut frames = 0;
    loop {
        let count = decoder.read(&mut block, 1009).map_err(|error| error.to_string())?;
        if count == 0 {
            return Ok(Decoded { info, frames, samples });
        }
        frames += count;
        match (&mut samples, &block) {
            (Raw::Ints(all), Samples::Int { bit_depth, planes }) => {
                let shift = 32 - bit_depth;
                let frame = |at| planes.iter().map(move |plane| plane[at] << shift);
                all.extend((0..count).flat_map(frame));
            }
            (Raw::Floats(all), Samples::Float { planes }) => {
                all.extend((0..count).flat_map(|at| planes.iter().map(move |plane| plane[at])));
            }
            _ => return Err("its samples changed their kind".to_owned()),
        }
    }
}
