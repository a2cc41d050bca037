//! Whether a file holds the bytes its header promises.

use std::fs::File;
use std::io;
use wavemill_core::decode::{Completeness, DecodeError, completeness};

/// What is missing from a file of this size, to be read after its name; `None` if nothing is, or
/// if only decoding can tell.
pub(super) fn missing(file: &mut File, size_bytes: u64) -> io::Result<Option<String>> {
    if size_bytes == 0 {
        return Ok(Some(DecodeError::Empty.to_string()));
    }
    match completeness(file) {
        Ok(Completeness::Incomplete { promised, actual }) => {
            Ok(Some(DecodeError::Truncated { promised, actual }.to_string()))
        }
        Ok(Completeness::Complete | Completeness::Unknown) => Ok(None),
        Err(DecodeError::Io(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}
