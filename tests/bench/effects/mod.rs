//! Effects in the sandbox against the same effects linked natively, and what the sandbox costs besides.

mod costs;
mod ratio;

pub(crate) use ratio::EIGHT_BANDS;

use crate::record::Record;
use std::path::{Path, PathBuf};
use wavemill_tests::lab;

/// A module's bytes from a folder.
fn module(folder: &Path, name: &str) -> Vec<u8> {
    let file = folder.join(format!("{name}.wasm"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(crate) fn run(arguments: &[String]) -> Record {
    let bundled = lab::repository().join("effects/bundled");
    let folder = arguments.first().map_or(bundled, PathBuf::from);
    let mut record = Record {
        columns: vec!["what", "block_frames", "native_ns", "wasm_ns", "ratio"],
        ..Record::default()
    };
    ratio::run(&folder, &mut record);
    costs::run(&folder, &mut record);
    record
}
