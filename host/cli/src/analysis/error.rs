//! Why a file cannot be analyzed.

use super::raw::RawError;
use std::io;
use thiserror::Error;
use wavemill_core::decode::DecodeError;

/// Why a file cannot be analyzed; reads on after the file's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum AnalyzeError {
    /// It is a folder, a pipe or the like.
    #[error("is {what}, not a file")]
    NotAFile {
        /// What it is, with article.
        what: &'static str,
    },
    /// It cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Raw samples from a stream do not fit their description.
    #[error(transparent)]
    Raw(#[from] RawError),
}

impl From<io::Error> for AnalyzeError {
    fn from(error: io::Error) -> Self {
        Self::Decode(DecodeError::Io(error))
    }
}
