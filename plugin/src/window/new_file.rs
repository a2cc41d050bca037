//! Files that windows write.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Writes a file that is not there yet; waits for the disk.
///
/// # Errors
/// One line: why it cannot be written, or that there is one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let file = fs::File::options().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{} exists: choose another name.", path.display()),
        _ => format!("{}: {error}", path.display()),
    })
}
