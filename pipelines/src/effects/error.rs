//! Why a module cannot be used.

use thiserror::Error;

/// Why a module cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EffectError {
    /// No bundled effect has this name.
    #[error("unknown effect `{name}`")]
    Unknown {
        /// As written.
        name: String,
        /// The bundled effects, or the one that was meant.
        help: String,
    },
    /// The file cannot be read.
    #[error("effect `{name}` {reason}")]
    Unreadable {
        /// As written.
        name: String,
        /// One line.
        reason: String,
    },
    /// It is no effect, or asks for more than it may.
    #[error("effect `{name}` cannot be used: {reason}")]
    Refused {
        /// As written.
        name: String,
        /// One line.
        reason: String,
    },
    /// It is not the module that the lock file names.
    #[error("effect `{name}` does not match effects.lock: expected {expected}, actual {actual}")]
    NotPinned {
        /// As written.
        name: String,
        /// SHA-256 in the lock file.
        expected: String,
        /// SHA-256 of the module.
        actual: String,
    },
    /// The lock file cannot be used.
    #[error("{reason}")]
    Lock {
        /// One line that names the file.
        reason: String,
    },
    /// This machine cannot run effects.
    #[error("effects cannot run here: {reason}")]
    Sandbox {
        /// One line.
        reason: String,
    },
}

impl EffectError {
    /// The code of its diagnostic.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-effect",
            Self::Unreadable { .. } => "unreadable-effect",
            Self::Refused { .. } => "bad-effect",
            Self::NotPinned { .. } => "not-pinned",
            Self::Lock { .. } => "bad-lock",
            Self::Sandbox { .. } => "no-effects",
        }
    }

    /// What would be right, if that can be said.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Unknown { help, .. } => help,
            Self::Unreadable { .. } => "module paths are relative to the pipeline's folder",
            Self::Refused { .. } => "for details, run `wavemill effects check`",
            Self::NotPinned { .. } | Self::Lock { .. } => {
                "if the change is intended, run `wavemill effects lock` on the pipeline"
            }
            Self::Sandbox { .. } => return None,
        };
        Some(help.to_owned())
    }
}
