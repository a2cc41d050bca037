//! `cargo xtask bundle`: the plugin as DAWs want it.

use crate::root;
use anyhow::{Context, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the plugin is called in a DAW's folder.
const NAME: &str = "Wavemill";

/// The profile it is built with: as for release, without symbols, which are ten times its size.
const PROFILE: &str = "plugin";

/// Builds the plugin for release and lays it out as CLAP and as VST3.
pub(crate) fn run() -> anyhow::Result<()> {
    let status = Command::new(crate::cargo())
        .args(["build", "--profile", PROFILE, "--locked", "--package", "wavemill-plugin", "--lib"])
        .current_dir(root())
        .status()?;
    ensure!(status.success(), "the plugin does not build");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let library = target.join(PROFILE).join(library_name());
    let bundled = target.join("bundled");
    for place in [clap_place(&bundled), vst3_place(&bundled)] {
        put(&library, &place)?;
        println!("{}", place.display());
    }
    Ok(())
}

fn library_name() -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    format!("{DLL_PREFIX}wavemill_plugin{DLL_SUFFIX}")
}

/// A CLAP is the library itself; a bundle on macOS.
fn clap_place(bundled: &Path) -> PathBuf {
    let clap = bundled.join(format!("{NAME}.clap"));
    if cfg!(target_os = "macos") { clap.join("Contents/MacOS").join(NAME) } else { clap }
}

/// A VST3 is a folder. Source: VST 3 Developer Portal, "Plug-in Format Structure".
fn vst3_place(bundled: &Path) -> PathBuf {
    let contents = bundled.join(format!("{NAME}.vst3")).join("Contents");
    if cfg!(target_os = "macos") {
        contents.join("MacOS").join(NAME)
    } else if cfg!(target_os = "windows") {
        contents.join(format!("{}-win", std::env::consts::ARCH)).join(format!("{NAME}.vst3"))
    } else {
        let arch = std::env::consts::ARCH;
        contents.join(format!("{arch}-{}", std::env::consts::OS)).join(format!("{NAME}.so"))
    }
}

fn put(library: &Path, place: &Path) -> anyhow::Result<()> {
    let folder = place.parent().context("a bundle has a folder")?;
    fs::create_dir_all(folder)?;
    fs::copy(library, place).with_context(|| format!("cannot copy to {}", place.display()))?;
    Ok(())
}
