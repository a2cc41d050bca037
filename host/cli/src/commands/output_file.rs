//! A file that a command writes: complete or absent.

use super::CliError;
use super::paths::absolute;
use crate::report::shown;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::{
    Finished, NameClaim, PublishError, Trust, irreplaceable, part_path, publish,
};
use wavemill_platform::random_hex;

/// Refuses what would be refused after the work.
///
/// # Errors
/// When the output is the input, is there already and not to be replaced, or nothing that may be replaced.
pub(super) fn check(path: &Path, input: &Path, is_forced: bool) -> Result<(), CliError> {
    if let (Ok(output), Ok(input)) = (fs::canonicalize(path), fs::canonicalize(input))
        && output == input
    {
        return Err(CliError::usage(format!("{} is the input file", shown(path))));
    }
    if !is_forced && fs::symlink_metadata(path).is_ok() {
        return Err(exists(path));
    }
    let found = fs::symlink_metadata(path).ok();
    match found.and_then(|found| irreplaceable(&found)) {
        Some(reason) => Err(CliError::usage(format!("{} {reason}", shown(path)))),
        None => Ok(()),
    }
}

fn exists(path: &Path) -> CliError {
    CliError::failed(format!("{} already exists; replace it with --force", shown(path)))
}

/// Writes beside the output, then gives it its name.
///
/// # Errors
/// When it was made by others meanwhile and is not to be replaced, or the disk fails.
pub(super) fn write(path: &Path, bytes: &[u8], is_forced: bool) -> Result<(), CliError> {
    let full = absolute(path)?;
    let temporary = part_path(&full, &random_hex(), 1, 0);
    let published = write_part(&temporary, bytes)
        .map_err(|error| CliError::path(path, error))
        .and_then(|()| give_name(path, full, &temporary, bytes, is_forced));
    if published.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    published
}

fn write_part(temporary: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn give_name(
    path: &Path,
    full: PathBuf,
    temporary: &Path,
    bytes: &[u8],
    is_forced: bool,
) -> Result<(), CliError> {
    let file = Finished {
        temporary: temporary.to_owned(),
        path: full,
        takes: if is_forced { NameClaim::Any } else { NameClaim::Free },
        size_bytes: bytes.len() as u64,
        blake3: blake3::hash(bytes).to_hex().to_string(),
    };
    match publish(&file, Trust::Size) {
        Ok(_) => Ok(()),
        Err(PublishError::Taken { .. }) if !is_forced => Err(exists(path)),
        Err(error) => Err(CliError::failed(error.to_string())),
    }
}
