//! `cargo xtask bundle`: the plugin as DAWs want it, and as a program of its own.

use crate::{module_info, root};
use anyhow::{Context, ensure};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the plugin is called in a DAW's folder.
const NAME: &str = "Wavemill";

/// The profile it is built with: as for release, without symbols, which are ten times its size.
const PROFILE: &str = "plugin";

/// The program of its own, as cargo names it.
const STANDALONE: &str = "wavemill-meters";

/// Keeps one of functions that are equal, a fifth of the library; nothing here compares their addresses.
/// Linkers of other systems do it unasked; here only lld can, with which Rust links on this one.
const FOLD_CODE: &[&str] = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    &["-Clink-arg=-Wl,--icf=all"]
} else {
    &[]
};

/// What the program links on Linux, by the names of pkg-config.
const SOUND_LIBRARIES: &[&str] = &["alsa", "jack"];

/// Builds the plugin for release and lays it out as CLAP and as VST3; beside them the program.
pub(crate) fn run() -> anyhow::Result<()> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let bundled = target.join("bundled");
    build(&["--lib"])?;
    let library = target.join(PROFILE).join(library_name());
    let places = [clap_place(&bundled), vst3_place(&bundled)];
    places.iter().try_for_each(|place| put(&library, place))?;
    write_module_info(&places[1])?;
    if cfg!(target_os = "macos") {
        places.iter().try_for_each(|place| describe_bundle(place))?;
    }
    if let Some(reason) = standalone_obstacle() {
        println!("skipped: {STANDALONE}, because {reason}");
        return Ok(());
    }
    build(&["--bin", STANDALONE, "--features", "standalone"])?;
    let program = format!("{STANDALONE}{}", std::env::consts::EXE_SUFFIX);
    put(&target.join(PROFILE).join(&program), &bundled.join(&program))
}

fn build(what: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(crate::cargo())
        .args(["rustc", "--profile", PROFILE, "--locked", "--package", "wavemill-plugin"])
        .args(what)
        .arg("--")
        .args(FOLD_CODE)
        .current_dir(root())
        .status()?;
    ensure!(status.success(), "the plugin does not build");
    Ok(())
}

/// Why the program cannot be built here.
pub(crate) fn standalone_obstacle() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let found = Command::new("pkg-config").arg("--exists").args(SOUND_LIBRARIES).status();
    match found {
        Ok(status) if status.success() => None,
        Ok(_) => Some(
            "the headers of ALSA or JACK are missing (libasound2-dev, libjack-jackd2-dev)".into(),
        ),
        Err(_) => Some("pkg-config is missing".into()),
    }
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

/// Puts beside a VST3's library what it says of itself.
fn write_module_info(library: &Path) -> anyhow::Result<()> {
    let contents = library.parent().and_then(Path::parent).context("a library in a bundle")?;
    let resources = contents.join("Resources");
    fs::create_dir_all(&resources)?;
    let place = resources.join("moduleinfo.json");
    let text = module_info::of(library, NAME).map_err(anyhow::Error::msg)?;
    fs::File::create(&place)?.write_all(text.as_bytes())?;
    println!("{}", place.display());
    Ok(())
}

/// Puts what macOS loads a bundle by beside the folder of a library, and signs it for this machine.
///
/// Source: Apple, "Bundle Programming Guide", "The Information Property List File".
fn describe_bundle(library: &Path) -> anyhow::Result<()> {
    let contents = library.parent().and_then(Path::parent).context("a library in a bundle")?;
    let bundle = contents.parent().context("contents of a bundle")?;
    let write =
        |name, text: &str| fs::File::create(contents.join(name))?.write_all(text.as_bytes());
    write("Info.plist", &info_plist(env!("CARGO_PKG_VERSION")))?;
    write("PkgInfo", "BNDL????")?;
    let signed = Command::new("codesign").args(["--force", "--sign", "-"]).arg(bundle).status()?;
    ensure!(signed.success(), "{} cannot be signed", bundle.display());
    Ok(())
}

fn info_plist(version: &str) -> String {
    let entries = [
        ("CFBundleExecutable", NAME),
        ("CFBundleIdentifier", "org.wavemill.meters"),
        ("CFBundleInfoDictionaryVersion", "6.0"),
        ("CFBundleName", NAME),
        ("CFBundlePackageType", "BNDL"),
        ("CFBundleShortVersionString", version),
        ("CFBundleVersion", version),
    ];
    let entries = entries
        .map(|(key, value)| format!("  <key>{key}</key>\n  <string>{value}</string>\n"))
        .concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n{entries}</dict>\n</plist>\n"
    )
}

fn put(built: &Path, place: &Path) -> anyhow::Result<()> {
    let folder = place.parent().context("a bundle has a folder")?;
    fs::create_dir_all(folder)?;
    fs::copy(built, place).with_context(|| format!("cannot copy to {}", place.display()))?;
    println!("{}", place.display());
    Ok(())
}
