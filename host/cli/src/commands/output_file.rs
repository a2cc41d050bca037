//! A file that a command writes: complete or absent.

use super::CliError;
use super::paths::absolute;
use crate::report::shown;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::{
    Finished, NameClaim, PublishError, Trust, hash_file, irreplaceable, part_path, publish,
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
    let mut output = Output::create(path)?;
    output.file.write_all(bytes).map_err(|error| CliError::path(path, error))?;
    output.publish(is_forced)
}

/// An output that is being written beside its place. Dropping it removes what was written.
#[derive(Debug)]
pub(super) struct Output {
    /// As it was named.
    path: PathBuf,
    full: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl Output {
    /// Begins an output.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub(super) fn create(path: &Path) -> Result<Self, CliError> {
        let full = absolute(path)?;
        let temporary = part_path(&full, &random_hex(), 1, 0);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| CliError::path(path, error))?;
        Ok(Self { path: path.to_owned(), full, temporary, file })
    }

    /// Where its bytes go.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// When others made a file of that name meanwhile and it is not to be replaced, or the disk fails.
    pub(super) fn publish(self, is_forced: bool) -> Result<(), CliError> {
        let failed = |error| CliError::path(&self.path, error);
        self.file.sync_all().map_err(failed)?;
        let file = Finished {
            temporary: self.temporary.clone(),
            path: self.full.clone(),
            takes: if is_forced { NameClaim::Any } else { NameClaim::Free },
            size_bytes: self.file.metadata().map_err(failed)?.len(),
            blake3: hash_file(&self.temporary).map_err(failed)?,
        };
        match publish(&file, Trust::Size) {
            Ok(_) => Ok(()),
            Err(PublishError::Taken { .. }) if !is_forced => Err(exists(&self.path)),
            Err(error) => Err(CliError::failed(error.to_string())),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It is gone where it got its name.
        let _ = fs::remove_file(&self.temporary);
    }
}
