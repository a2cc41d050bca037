//! Which delivery targets there are: those that come with Wavemill, and a user's own files.

mod edit;
mod file;
mod text;

pub use edit::{EditError, put, remove};

use crate::diagnostic::Diagnostic;
use file::read_targets;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use thiserror::Error;
use wavemill_core::delivery::Target;
use wavemill_core::suggestion::did_you_mean_one_of;

/// Largest file of targets read.
const BYTES_MAX: u64 = 1 << 20;

/// The targets that come with Wavemill, in the order of their file.
pub fn shipped() -> &'static [Target] {
    static SHIPPED: LazyLock<Vec<Target>> = LazyLock::new(|| {
        read_targets(include_str!("../../delivery/targets.toml")).expect("a test reads this file")
    });
    &SHIPPED
}

/// Why there is no such target; one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Nobody knows the name.
    #[error("there is no target `{name}`; {help}")]
    Unknown {
        /// As it was written.
        name: String,
        /// What may have been meant.
        help: String,
    },
    /// A file of targets cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file of targets has mistakes.
    #[error("{}:{}:{}: {}", path.display(), first.line, first.column, first.message)]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
        /// The first mistake.
        first: Box<Diagnostic>,
        /// All of them.
        all: Vec<Diagnostic>,
    },
    /// A file has several targets and one was meant.
    #[error("{} has {count} targets; name one, such as {example}", path.display())]
    Several {
        /// The file.
        path: PathBuf,
        /// How many.
        count: usize,
        /// How it would be written.
        example: String,
    },
}

/// The targets that `name` means: one that comes with Wavemill, or `FILE.toml` with all of its own, or
/// `FILE.toml#ID` with one of them. Relative paths are below `folder`.
///
/// # Errors
/// When there is none.
pub fn find(name: &str, folder: &Path) -> Result<Vec<Target>, TargetError> {
    let (path, id) = match name.split_once('#') {
        Some((path, id)) => (path, Some(id)),
        None => (name, None),
    };
    if !is_path(path) {
        return known(name, shipped()).map(|target| vec![target.clone()]);
    }
    let targets = read_file(&folder.join(path))?;
    match id {
        Some(id) => known(id, &targets).map(|target| vec![target.clone()]),
        None => Ok(targets),
    }
}

/// As [`find`], where one target is meant.
///
/// # Errors
/// When there is none, or a file has several.
pub fn find_one(name: &str, folder: &Path) -> Result<Target, TargetError> {
    let mut targets = find(name, folder)?;
    match (targets.len(), targets.pop()) {
        (1, Some(target)) => Ok(target),
        (count, last) => Err(TargetError::Several {
            path: folder.join(name),
            count,
            example: format!("{name}#{}", last.map(|target| target.id).unwrap_or_default()),
        }),
    }
}

/// Whether a name is that of a file.
fn is_path(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

fn known<'t>(id: &str, targets: &'t [Target]) -> Result<&'t Target, TargetError> {
    targets.iter().find(|target| target.id == id).ok_or_else(|| TargetError::Unknown {
        name: id.to_owned(),
        help: did_you_mean_one_of(
            id,
            "targets are",
            targets.iter().map(|target| target.id.as_str()),
        ),
    })
}

fn read_file(path: &Path) -> Result<Vec<Target>, TargetError> {
    let text = read_text(path)
        .map_err(|error| TargetError::Unreadable { path: path.to_owned(), error })?;
    read_targets(&text).map_err(|all| {
        let first = all.first().cloned().expect("a file that is refused has a mistake");
        TargetError::Mistakes { path: path.to_owned(), text, first: Box::new(first), all }
    })
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => io::Error::other("is not valid UTF-8"),
        _ => error,
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_targets_are_complete_and_sourced() {
        for target in shipped() {
            let id = &target.id;
            assert!(!target.purpose.is_empty(), "{id}");
            assert!(target.integrated_lufs.is_some(), "{id}");
            assert!(target.true_peak_max_dbtp.is_some(), "{id}");
            let source = &target.source;
            assert!(!source.document.is_empty() && source.checked.len() == 10, "{id}");
            assert!(source.url.as_ref().is_some_and(|url| url.starts_with("https://")), "{id}");
        }
        assert!(shipped().len() >= 16);
    }

    #[test]
    fn unknown_target_suggests_the_nearest() {
        let error = find("spotfy", Path::new("")).unwrap_err();
        assert_eq!(error.to_string(), "there is no target `spotfy`; did you mean `spotify`?");
        let error = find("apple-podcasts", Path::new("")).unwrap_err().to_string();
        assert!(
            error.ends_with("did you mean `podcast`, `apple-music` or `podcast-mono`?"),
            "{error}"
        );
        let error = find("aple-music", Path::new("")).unwrap_err().to_string();
        assert!(error.ends_with("did you mean `apple-music`?"), "{error}");
    }
}
