//! Compilers of effect modules, where this machine has them. What is missing is said, so that the
//! gate counts the test as skipped.

#![expect(clippy::print_stderr, reason = "the gate counts these lines")]

use crate::lab::repository;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";

/// Cargo, able to build for wasm: by rustup's target, or by a folder of `cargo xtask
/// wasm-toolchain` that `WAVEMILL_WASM_TOOLCHAIN` names.
pub fn cargo_for_wasm() -> Option<Command> {
    if has_rustup_target() {
        return Some(cargo());
    }
    let folder = std::env::var_os("WAVEMILL_WASM_TOOLCHAIN").map(PathBuf::from);
    if let Some(folder) = folder.filter(|folder| folder.join("env.sh").exists()) {
        let mut shell = clean("sh");
        shell.args(["-ec", ". \"$0/env.sh\"; exec \"$@\""]).arg(folder).arg(cargo().get_program());
        return Some(shell);
    }
    eprintln!("skipped: no Rust compiler for wasm is at hand");
    None
}

/// Cargo for this machine, without what a cargo around it has set.
pub fn cargo() -> Command {
    clean(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

/// Make with clang for wasm.
pub fn make_with_clang() -> Option<Command> {
    let is_there = runs("make", &["--version"])
        && runs("clang", &["--version"])
        && runs("wasm-ld", &["--version"]);
    if !is_there {
        eprintln!("skipped: make, clang or wasm-ld is missing");
    }
    is_there.then(|| clean("make"))
}

/// Make where Zig is; the Makefiles find it themselves.
pub fn make_with_zig() -> Option<Command> {
    let has_zig = runs("zig", &["version"]) || runs("python3", &["-m", "ziglang", "version"]);
    let is_there = has_zig && runs("make", &["--version"]);
    if !is_there {
        eprintln!("skipped: make or zig is missing");
    }
    is_there.then(|| clean("make"))
}

/// The compiler of `AssemblyScript`.
pub fn asc() -> Option<Command> {
    let below = repository().join("target/assemblyscript/node_modules/.bin/asc");
    if below.exists() {
        return Some(clean(&below.to_string_lossy()));
    }
    let is_there = runs("asc", &["--version"]);
    if !is_there {
        eprintln!("skipped: asc is missing");
    }
    is_there.then(|| clean("asc"))
}

/// Runs it to its end; panics with what it said when it fails.
pub fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
}

/// A command without the variables by which one build controls another that it starts.
fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_of_a_build = text.starts_with("CARGO_")
            && !["CARGO_HOME", "CARGO_HTTP_CAINFO"].contains(&text.as_ref());
        if is_of_a_build || ["RUSTFLAGS", "RUSTC", "MAKEFLAGS", "MAKELEVEL"].contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command
}

fn has_rustup_target() -> bool {
    let output = clean("rustc")
        .current_dir(repository())
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let Ok(output) = output else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    has_core(&folder)
}

/// Whether a folder has compiled libraries.
fn has_core(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
