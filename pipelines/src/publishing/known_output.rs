//! Outputs that were made before, as far as it is remembered: what lets a run replace its own.

use super::files::FileIdentity;
use super::hash::hash_file;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

/// What is remembered of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownOutput {
    /// The pipeline that made it.
    pub pipeline: String,
    /// The source, absolute.
    #[serde(with = "crate::path_text")]
    pub input: PathBuf,
    /// BLAKE3 of the source, 64 hex digits.
    pub input_blake3: String,
    /// The output right after it got its name.
    pub identity: FileIdentity,
    /// BLAKE3 of the output, 64 hex digits.
    pub blake3: String,
}

/// A source that a pipeline makes outputs of.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// Where the file is, absolute.
    pub input: &'a Path,
    /// BLAKE3 of its content, 64 hex digits.
    pub blake3: &'a str,
}

/// Remembers outputs by their names. Best effort: what is forgotten counts as somebody else's.
pub trait Memory: Debug + Send + Sync {
    /// What is remembered of the output with this name.
    fn recall(&self, path: &Path) -> Option<KnownOutput>;
    /// Remembers an output.
    fn remember(&self, path: &Path, made: &KnownOutput);
}

impl KnownOutput {
    /// Whether it was made of this source: the same pipeline, and the same file or the same content.
    pub fn is_of(&self, source: Source<'_>) -> bool {
        self.pipeline == source.pipeline
            && (self.input == source.input || self.input_blake3 == source.blake3)
    }

    /// Whether the file under its name, which looks like `found`, still is what was made.
    pub fn is_unchanged(&self, path: &Path, found: FileIdentity) -> io::Result<bool> {
        if self.identity == found {
            return Ok(true);
        }
        Ok(found.size_bytes == self.identity.size_bytes && hash_file(path)? == self.blake3)
    }

    /// Whether the same pipeline made it of a twin of this source.
    pub fn is_of_twin(&self, source: Source<'_>) -> bool {
        self.pipeline == source.pipeline && are_twins(&self.input, source.input)
    }
}

/// Whether two sources differ in nothing but their extensions, as `ep.wav` and `ep.flac`: a template without
/// the extension gives them the same name.
pub fn are_twins(one: &Path, other: &Path) -> bool {
    one.parent() == other.parent()
        && one.file_stem() == other.file_stem()
        && one.extension() != other.extension()
}

/// The name of an output with the source's extension before its own: `ep.flac.mp3`. `None` where the source has no
/// extension, or the name would be too long.
pub(super) fn twin_name(path: &Path, input: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(path.file_stem()?);
    name.push(".");
    name.push(input.extension()?);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    (name.len() <= super::names::NAME_BYTES_MAX).then(|| path.with_file_name(name))
}
