//! `SHA256SUMS`: what `sha256sum --check` reads.

use anyhow::Result;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// Writes the hashes of all modules of a folder.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some("wasm".as_ref()) {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        let hash = Sha256::digest(std::fs::read(folder.join(&name))?);
        writeln!(text, "{hash:x}  {name}")?;
    }
    #[expect(clippy::disallowed_methods, reason = "a file of the repository, not of a user")]
    std::fs::write(folder.join("SHA256SUMS"), text)?;
    Ok(())
}
