//! `cargo xtask reference`: writes the generated reference manual. The test that compares it with the program
//! does so, since it is built with everything that the manual describes.

use anyhow::{Result, ensure};
use std::process::Command;

pub(crate) fn run() -> Result<()> {
    let status = Command::new(crate::cargo())
        .current_dir(crate::root())
        .args([
            "test",
            "--quiet",
            "--locked",
            "-p",
            "wavemill-tests",
            // The manual describes the default build.
            "--features",
            "wavemill-core/mp3",
            "--test",
            "tidy",
            "reference_",
        ])
        .env("WAVEMILL_WRITE_REFERENCE", "1")
        .status()?;
    ensure!(status.success(), "the reference cannot be written");
    println!("pipelines/REFERENCE.md");
    Ok(())
}
