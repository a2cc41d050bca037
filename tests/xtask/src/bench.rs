//! `cargo xtask bench`: builds for release and measures.

use anyhow::{Context, ensure};
use std::process::Command;

/// Runs a measurement by name; without one, lists them.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    // As the bundle is optimized: without it, effects linked natively are several times slower than they can be.
    // With the formats that a program has on request only, which are measured as the others are; both at once, so that
    // what they share is compiled once.
    cargo(&[
        "build",
        "--release",
        "--locked",
        "--workspace",
        "--bin",
        "wavemill",
        "--bin",
        "wavemill-bench",
        "--features",
        "wavemill/fdk-aac",
    ])?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| crate::root().join("target"), std::path::PathBuf::from);
    let programs = target.join("release");
    let status = Command::new(programs.join("wavemill-bench"))
        .args(words)
        .env("WAVEMILL_BIN", programs.join("wavemill"))
        .current_dir(crate::root())
        .status()
        .context("cannot start the measurement")?;
    ensure!(status.success(), "the measurement ended with {status}");
    Ok(())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(crate::cargo());
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "thin")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    let status = command.args(arguments).current_dir(crate::root()).status()?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}
