//! The gate and the maintenance tasks of Wavemill: `cargo xtask`.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on stdout")]
#![expect(clippy::print_stderr, reason = "a command-line tool complains on stderr")]

mod bench;
mod bundle;
mod ci;
mod effects;
mod fuzz;
mod module_info;
mod reference;
mod stage;
mod tools;
mod torture;
mod web;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci      everything a change must pass: format, lints, docs, features, tests
  bundle  the plugin as CLAP and VST3, in target/bundled/
  bench   a measurement against peers or promises, recorded in tests/bench/runs/
  effects [NAME...]     builds effects/modules/ into effects/bundled/
  effects --check       rebuilds them and compares
  wasm-toolchain DIR    a Rust compiler for wasm where rustup cannot add the target
  fuzz NAME [--seconds N] [--seed N]  damages its inputs at random: containers, effects, encoders, tags
  torture [--minutes N] [--seed N]  breaks the host at every system call and by kills at random; recorded
  reference             writes pipelines/REFERENCE.md from the descriptors of the program
  soak [--files N] [--seed N]  10,000 files, some broken, through three pipelines with kills; recorded
  web     builds the page into host/http/page/dist/ (Node.js and npm)
  web --check           builds it and compares with what is checked in
  tools   which optional programs of the tests are missing, and how to get them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["ci"] => ci::run(),
        ["bundle"] => bundle::run(),
        ["bench", ref rest @ ..] => bench::run(rest),
        ["effects", "--check"] => effects::check(),
        ["effects", "--rebuild"] => effects::rebuild().map(drop),
        ["effects", ref names @ ..] => effects::run(names),
        ["wasm-toolchain", folder] => effects::wasm_toolchain(folder),
        ["fuzz", ref rest @ ..] => fuzz::run(rest),
        ["reference"] => reference::run(),
        ["soak", ref rest @ ..] => torture::soak(rest),
        ["torture", ref rest @ ..] => torture::run(rest),
        ["web"] => web::run(),
        ["web", "--check"] => web::check(),
        ["tools"] => {
            tools::report();
            Ok(())
        }
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's top-level folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("xtask lies two folders below the workspace")
        .to_path_buf()
}

/// The cargo that runs this.
fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
