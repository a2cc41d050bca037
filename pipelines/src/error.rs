//! Why a run fails: from what went wrong below to what the caller may do about it.

use std::io::{self, ErrorKind};
use std::path::Path;
use thiserror::Error;
use wavemill_core::decode::DecodeError;
use wavemill_core::encode::EncodeError;

/// Why a run failed; nothing it wrote remains.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file is at fault: another attempt would fail the same way.
    #[error("{reason}")]
    Input {
        /// One line that names what is wrong with the file; without its path.
        reason: String,
        /// Whether more bytes may still come (the file is shorter than its header says).
        incomplete: bool,
    },
    /// The pipeline cannot run on this file, or an output's name is taken.
    #[error("{reason}")]
    Refused {
        /// One line that names the step, key or path.
        reason: String,
    },
    /// The machine is at fault (disk full, I/O error): another attempt may succeed.
    #[error("{reason}")]
    Transient {
        /// One line that names the path.
        reason: String,
    },
    /// It was asked to stop.
    #[error("canceled")]
    Canceled,
}

/// An error of decoding the source.
pub(crate) fn input(error: DecodeError) -> RunError {
    match error {
        DecodeError::Io(error) => input_io(&error),
        DecodeError::Truncated { .. } => {
            RunError::Input { reason: error.to_string(), incomplete: true }
        }
        other => RunError::Input { reason: other.to_string(), incomplete: false },
    }
}

/// An error of opening or reading the source. What lies in the file or its place is its own fault;
/// a failing disk or a lost share is the machine's.
pub(crate) fn input_io(error: &io::Error) -> RunError {
    let at_fault = |reason: String| RunError::Input { reason, incomplete: false };
    match error.kind() {
        ErrorKind::NotFound => at_fault("does not exist".to_owned()),
        ErrorKind::PermissionDenied => at_fault("cannot be read: permission denied".to_owned()),
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => {
            at_fault(format!("cannot be read: {error}"))
        }
        ErrorKind::IsADirectory => at_fault("is a folder, not a file".to_owned()),
        ErrorKind::NotADirectory => {
            at_fault("does not exist: part of its path is not a folder".to_owned())
        }
        // A loop of symbolic links has no stable kind of its own.
        _ if error.raw_os_error() == Some(ELOOP) => {
            at_fault("is a symbolic link that leads to itself".to_owned())
        }
        _ => RunError::Transient { reason: format!("the source cannot be read: {error}") },
    }
}

/// `ELOOP` on Linux.
const ELOOP: i32 = 40;

/// An error of writing to `path`. What another attempt would meet again is refused; a full disk or
/// an I/O error may be gone by then.
pub(crate) fn output_io(error: &io::Error, path: &Path) -> RunError {
    let reason = format!("`{}` cannot be written: {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidFilename
        | ErrorKind::FileTooLarge
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidInput
        | ErrorKind::Unsupported => RunError::Refused { reason },
        _ => RunError::Transient { reason },
    }
}

/// An error of encoding to `path`.
pub(crate) fn output(error: EncodeError, path: &Path) -> RunError {
    match error {
        EncodeError::Io(error) => output_io(&error, path),
        other => RunError::Refused { reason: format!("`{}`: {other}", path.display()) },
    }
}

/// The pipeline cannot run on this file.
pub(crate) fn refused(reason: impl Into<String>) -> RunError {
    RunError::Refused { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_may_be_tried_again_and_a_forbidden_folder_not() {
        let path = Path::new("/out/a.wav");
        let full = output_io(&io::Error::from(ErrorKind::StorageFull), path);
        assert!(matches!(&full, RunError::Transient { reason } if reason.contains("/out/a.wav")));
        let forbidden = output_io(&io::Error::from(ErrorKind::PermissionDenied), path);
        assert!(matches!(forbidden, RunError::Refused { .. }));
    }

    #[test]
    fn truncated_source_may_still_grow() {
        let error = DecodeError::Truncated { promised: "2 s".into(), actual: "1 s".into() };
        assert!(matches!(input(error), RunError::Input { incomplete: true, .. }));
    }

    #[test]
    fn failing_disk_under_the_source_is_the_machines_fault() {
        let error = DecodeError::Io(io::Error::other("input/output error"));
        assert!(matches!(input(error), RunError::Transient { .. }));
    }
}
