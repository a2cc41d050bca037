//! Effects as the host uses them: which folder they are relative to, where compiled code is kept.

use std::io;
use std::path::{Path, PathBuf};
use wavemill_pipelines::Effects;

/// Where compiled effects are kept; made for this user alone when the first one is loaded.
pub fn cache_folder(state: &Path) -> PathBuf {
    state.join("cache").join("effects")
}

/// The effects of a process with this state folder.
pub fn effects_with(state: &Path) -> Effects {
    Effects::new(Some(cache_folder(state)))
}

/// The folder that the effects of a pipeline file are relative to; absolute.
///
/// # Errors
/// When there is no current folder (any more).
pub fn folder_of(pipeline: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(pipeline)?;
    Ok(path.parent().unwrap_or(Path::new("/")).to_owned())
}
