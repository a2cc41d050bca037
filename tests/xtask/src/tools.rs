//! Programs the gate uses: those it needs, and those that only some tests need.

use crate::stage::Gate;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// A program and the Debian package that brings it.
struct Tool {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
}

/// Without these nothing can be built.
const NEEDED: &[Tool] = &[
    Tool { program: "cc", package: "gcc libc6-dev", purpose: "links every program" },
    Tool { program: "make", package: "make", purpose: "builds encoders written in C" },
];

/// Without these the tests that compare with independent programs are skipped.
const OPTIONAL: &[Tool] = &[
    Tool { program: "ffmpeg", package: "ffmpeg", purpose: "encodes, decodes and measures" },
    Tool { program: "ffprobe", package: "ffmpeg", purpose: "reads tags and durations" },
    Tool { program: "flac", package: "flac", purpose: "encodes and verifies FLAC" },
    Tool { program: "metaflac", package: "flac", purpose: "reads the tags of FLAC" },
    Tool { program: "lame", package: "lame", purpose: "encodes MP3" },
    Tool { program: "oggenc", package: "vorbis-tools", purpose: "encodes and checks Ogg Vorbis" },
    Tool { program: "opusenc", package: "opus-tools", purpose: "encodes and decodes Opus" },
    Tool { program: "sox", package: "sox", purpose: "writes and reads PCM files" },
    Tool { program: "sndfile-info", package: "sndfile-programs", purpose: "reads AIFF and WAV" },
    Tool { program: "mpg123", package: "mpg123", purpose: "decodes MP3" },
    Tool { program: "clang", package: "clang", purpose: "builds effect modules in C" },
    Tool { program: "wasm-ld", package: "lld", purpose: "links effect modules in C" },
    Tool {
        program: "pkg-config",
        package: "pkg-config libasound2-dev libjack-jackd2-dev",
        purpose: "builds the plugin as a program",
    },
    Tool { program: "strace", package: "strace", purpose: "makes single system calls fail" },
];

/// Components of the Rust toolchain.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Prints what is missing.
pub(crate) fn report() {
    for tool in NEEDED.iter().chain(OPTIONAL) {
        let state = if is_installed(tool.program) { "found" } else { "missing" };
        println!("{state:8} {:10} {}", tool.program, tool.purpose);
    }
    let missing: Vec<&Tool> = missing(NEEDED).chain(missing(OPTIONAL)).collect();
    if missing.is_empty() {
        println!("nothing is missing");
    } else {
        println!("get them with: {}", apt_line(&missing));
    }
}

/// Installs what is missing where that is expected (continuous integration, as root, on Debian), names
/// what is still missing.
///
/// # Errors
/// When something is missing that the gate cannot do without.
pub(crate) fn prepare(gate: &mut Gate) -> Result<()> {
    if missing(NEEDED).chain(missing(OPTIONAL)).next().is_some() && may_install() {
        install(gate);
    }
    let needed: Vec<&Tool> = missing(NEEDED).collect();
    if !needed.is_empty() {
        let names: Vec<&str> = needed.iter().map(|tool| tool.program).collect();
        bail!("{} missing; get them with: {}", names.join(" and "), apt_line(&needed));
    }
    for (command, component) in COMPONENTS {
        if !succeeds(Command::new(crate::cargo()).args([command, "--version"])) {
            bail!("{component} is missing; get it with: rustup component add {component}");
        }
    }
    let optional: Vec<&Tool> = missing(OPTIONAL).collect();
    for tool in &optional {
        println!("note: {} is missing: {}", tool.program, tool.purpose);
    }
    if !optional.is_empty() {
        println!("note: their tests are skipped; get them with: {}", apt_line(&optional));
    }
    Ok(())
}

fn missing(tools: &'static [Tool]) -> impl Iterator<Item = &'static Tool> {
    tools.iter().filter(|tool| !is_installed(tool.program))
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn packages(tools: &[&Tool]) -> Vec<&'static str> {
    let mut packages: Vec<&str> =
        tools.iter().flat_map(|tool| tool.package.split_whitespace()).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn apt_line(tools: &[&Tool]) -> String {
    format!("apt-get install --no-install-recommends {}", packages(tools).join(" "))
}

/// Nobody's machine is changed unasked: only one that says it is for continuous integration.
fn may_install() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true") && is_root() && is_installed("apt-get")
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|metadata| metadata.uid() == 0)
}

fn install(gate: &mut Gate) {
    let tools: Vec<&Tool> = missing(NEEDED).chain(missing(OPTIONAL)).collect();
    println!("installing: {}", apt_line(&tools));
    let mut update = apt_get();
    update.arg("update");
    let mut install = apt_get();
    install.args(["install", "--yes", "--no-install-recommends"]).args(packages(&tools));
    // A failing update is no obstacle by itself: the lists may be there already.
    let updated = succeeds(&mut update);
    if !succeeds(&mut install) {
        let step = if updated { "apt-get install" } else { "apt-get update" };
        gate.skip(&format!("installing the optional programs, because {step} failed"));
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    // Bounded, so that a machine without a network loses minutes, not the whole run.
    command.env("DEBIAN_FRONTEND", "noninteractive").args([
        "-qq",
        "-o",
        "Acquire::Retries=1",
        "-o",
        "Acquire::http::Timeout=20",
    ]);
    command
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
