//! `cargo xtask web`: builds the page that `watch --http` serves. The built files are checked in, so that nobody needs
//! Node.js who builds or runs the program.

use crate::root;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// Builds `host/http/page/dist/` with the toolchain that the lock file names.
///
/// # Errors
/// When npm is not at hand, or the page has mistakes.
pub(crate) fn run() -> Result<()> {
    // No package of ours needs to run anything when it is installed.
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    npm(&["run", "--silent", "check"])?;
    npm(&["run", "--silent", "build"])?;
    for (name, bytes) in built()? {
        println!("host/http/page/dist/{} ({} bytes)", name.display(), bytes.len());
    }
    Ok(())
}

/// Builds the page and compares: whoever changes a source has to check in what comes of it.
///
/// # Errors
/// When the built files are not those that were there.
pub(crate) fn check() -> Result<()> {
    let before = built()?;
    run()?;
    let after = built()?;
    let names = before.keys().chain(after.keys());
    let mut changed: Vec<_> = names.filter(|name| before.get(*name) != after.get(*name)).collect();
    changed.sort();
    changed.dedup();
    if !changed.is_empty() {
        bail!("built anew, these differ; check them in: {changed:?}");
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("host/http/page")
}

/// The built files, by their names.
fn built() -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let folder = folder().join("dist");
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
    {
        let entry = entry?;
        files.insert(PathBuf::from(entry.file_name()), std::fs::read(entry.path())?);
    }
    Ok(files)
}

fn npm(arguments: &[&str]) -> Result<()> {
    let npm = std::env::var_os("NPM").unwrap_or_else(|| OsString::from("npm"));
    let status = Command::new(npm)
        .current_dir(folder())
        .args(arguments)
        .status()
        .context("npm is not at hand (Node.js 20 or later has it; NPM names another one)")?;
    ensure!(status.success(), "`npm {}` failed", arguments.join(" "));
    Ok(())
}
