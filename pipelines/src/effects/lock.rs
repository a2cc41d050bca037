//! `effects.lock`: the modules that the pipelines of a folder were written with.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use thiserror::Error;

/// Name of the file, beside the pipelines.
pub const LOCK_FILE: &str = "effects.lock";

/// Version of its shape.
const VERSION: u32 = 1;

/// Largest file read: thousands of modules.
const BYTES_MAX: u64 = 1 << 20;

const HEADER: &str = "\
# The effects that the pipelines of this folder use, pinned by `wavemill effects lock`.
# Any other version of a module is refused. Keep this file under version control.

";

/// What a lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the name of the effect as pipelines write it.
    pub effects: BTreeMap<String, Pin>,
}

/// One module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// SHA-256 of the module, 64 lower-case hex digits.
    pub sha256: String,
    /// Identity of the effect, for people.
    pub id: String,
    /// Version of the effect, for people.
    pub version: String,
}

/// Why a lock file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// It cannot be read.
    #[error("{LOCK_FILE} cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is none.
    #[error("{LOCK_FILE} is damaged: {0}")]
    Syntax(String),
    /// It is of another version.
    #[error("{LOCK_FILE} has version {found}; this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    #[serde(default)]
    effect: BTreeMap<String, Pin>,
}

impl Lock {
    /// Reads the lock file of a folder; `None` when it has none.
    ///
    /// # Errors
    /// When there is one that cannot be used.
    pub fn read(folder: &Path) -> Result<Option<Self>, LockError> {
        let path = folder.join(LOCK_FILE);
        // Opening a pipe would wait for its writer.
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(metadata) if !metadata.is_file() => {
                return Err(io::Error::other("it is not a regular file").into());
            }
            Ok(_) => {}
        }
        let mut text = String::new();
        File::open(&path)?.take(BYTES_MAX).read_to_string(&mut text)?;
        Self::parse(&text).map(Some)
    }

    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// When it is none, or one of a later version.
    pub(crate) fn parse(text: &str) -> Result<Self, LockError> {
        let document: Document = toml::from_str(text)
            .map_err(|error| LockError::Syntax(error.message().trim().replace('\n', ", ")))?;
        if document.version != VERSION {
            return Err(LockError::Version { found: document.version });
        }
        Ok(Self { effects: document.effect })
    }

    /// Its text: sorted, the same for the same pins.
    #[expect(clippy::missing_panics_doc, reason = "texts in tables are always TOML")]
    pub fn to_text(&self) -> String {
        let document = Document { version: VERSION, effect: self.effects.clone() };
        let body = toml::to_string(&document).expect("texts in tables are TOML");
        format!("{HEADER}{body}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let pin = |digit: &str| Pin {
            sha256: digit.repeat(64),
            id: "com.example.x".to_owned(),
            version: "1.0.0".to_owned(),
        };
        let effects = [("reverb", "b"), ("fx/my \"x\".wasm", "a")];
        Lock { effects: effects.map(|(name, digit)| (name.to_owned(), pin(digit))).into() }
    }

    #[test]
    fn lock_survives_its_own_text_and_is_sorted() {
        let text = lock().to_text();
        assert_eq!(Lock::parse(&text).unwrap(), lock());
        assert!(text.starts_with("# "), "{text}");
        assert!(text.find("fx/my").unwrap() < text.find("[effect.reverb]").unwrap(), "{text}");
    }

    #[test]
    fn lock_that_cannot_be_used_says_why_in_one_line() {
        let reason = |text: &str| Lock::parse(text).unwrap_err().to_string();
        assert!(reason("version = 2").contains("version 2"));
        assert!(reason("").contains("version"));
        let damaged = reason("version = 1\n[effect.reverb]\nsha256 = 3\n");
        assert!(damaged.starts_with("effects.lock is damaged") && !damaged.contains('\n'));
    }

    #[test]
    fn folder_without_a_lock_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(folder.path()).unwrap(), None);
        std::fs::create_dir(folder.path().join(LOCK_FILE)).unwrap();
        assert!(Lock::read(folder.path()).is_err());
    }
}
