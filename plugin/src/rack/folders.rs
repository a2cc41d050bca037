//! Folders of the user's: what the rack keeps beyond projects.

use std::fs;
use std::path::{Path, PathBuf};

/// Most files of a folder that are listed.
const LISTED_MAX: usize = 1000;

/// Compiled modules.
pub(crate) fn cache() -> Option<PathBuf> {
    Some(folder("XDG_CACHE_HOME", ".cache", "Library/Caches")?.join("wavemill/effects"))
}

/// What the user keeps.
pub(crate) fn data() -> Option<PathBuf> {
    let data = folder("XDG_DATA_HOME", ".local/share", "Library/Application Support")?;
    Some(data.join("wavemill"))
}

/// What the user sets up: targets. The program has its configuration there, too.
pub(crate) fn config() -> Option<PathBuf> {
    Some(folder("XDG_CONFIG_HOME", ".config", ".config")?.join("wavemill"))
}

/// Presets of an effect, by its identity.
pub(crate) fn presets(effect: &str) -> Option<PathBuf> {
    Some(data()?.join("presets").join(effect))
}

/// Whole racks, as pipelines.
pub(crate) fn racks() -> Option<PathBuf> {
    Some(data()?.join("racks"))
}

/// The file of this name in a folder.
pub(crate) fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{}.toml", name.strip_suffix(".toml").unwrap_or(name)))
}

/// Names of the TOML files of a folder, sorted; none where there is no folder. Not for the window's thread.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = entries.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    let names = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = names.take(LISTED_MAX).collect();
    names.sort_unstable();
    names
}

/// A folder of the user's, as the system has it.
fn folder(variable: &str, below_home: &str, below_home_macos: &str) -> Option<PathBuf> {
    if let Some(local) = std::env::var_os("LOCALAPPDATA").filter(|_| cfg!(windows)) {
        return Some(PathBuf::from(local));
    }
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    if cfg!(target_os = "macos") {
        return Some(home()?.join(below_home_macos));
    }
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(home()?.join(below_home)))
}
