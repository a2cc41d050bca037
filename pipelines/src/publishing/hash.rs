//! The hash of a file's bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// BLAKE3 of a file, 64 hex digits.
pub fn hash_file(path: &Path) -> io::Result<String> {
    hash_reader(File::open(path)?)
}

/// BLAKE3 of what a reader gives, 64 hex digits.
pub fn hash_reader(reader: impl Read) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(reader)?;
    Ok(hasher.finalize().to_hex().to_string())
}
