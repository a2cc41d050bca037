//! Marker files: "take `a.wav` when `a.wav.done` is there".

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Stands for the file's name in a marker's name.
const PLACEHOLDER: &str = "{name}";

/// The rule by which a marker belongs to a file.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    before: Vec<u8>,
    after: Vec<u8>,
    is_per_file: bool,
}

/// Which files a marker releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MarkedFiles {
    /// The one with this name.
    One(OsString),
    /// All in its folder: the marker's name has no placeholder.
    All,
}

impl Marker {
    /// The rule that a marker's name with `{name}` states.
    pub(super) fn new(name: &str) -> Self {
        let (before, after) = name.split_once(PLACEHOLDER).unwrap_or((name, ""));
        Self {
            before: before.as_bytes().to_vec(),
            after: after.as_bytes().to_vec(),
            is_per_file: name.contains(PLACEHOLDER),
        }
    }

    /// Where the marker of a file must lie.
    pub(super) fn path_for(&self, file: &Path) -> PathBuf {
        let name = file.file_name().unwrap_or_default().as_bytes();
        let mut marker = self.before.clone();
        if self.is_per_file {
            marker.extend_from_slice(name);
            marker.extend_from_slice(&self.after);
        }
        file.with_file_name(OsString::from_vec(marker))
    }

    /// What a file with this name would release; `None` if it is no marker.
    pub(super) fn released_by(&self, name: &OsStr) -> Option<MarkedFiles> {
        if !self.is_per_file {
            return (name.as_bytes() == self.before).then_some(MarkedFiles::All);
        }
        let inner =
            name.as_bytes().strip_prefix(&self.before[..])?.strip_suffix(&self.after[..])?;
        (!inner.is_empty()).then(|| MarkedFiles::One(OsStr::from_bytes(inner).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_with_a_placeholder_releases_one_file() {
        let marker = Marker::new(".{name}.done");
        assert_eq!(marker.path_for(Path::new("a/x.wav")), Path::new("a/.x.wav.done"));
        assert_eq!(
            marker.released_by(OsStr::new(".x.wav.done")),
            Some(MarkedFiles::One("x.wav".into()))
        );
        assert_eq!(marker.released_by(OsStr::new("x.wav")), None);
        assert_eq!(marker.released_by(OsStr::new("..done")), None);
    }

    #[test]
    fn marker_without_a_placeholder_releases_its_folder() {
        let marker = Marker::new("READY");
        assert_eq!(marker.path_for(Path::new("a/x.wav")), Path::new("a/READY"));
        assert_eq!(marker.released_by(OsStr::new("READY")), Some(MarkedFiles::All));
        assert_eq!(marker.released_by(OsStr::new("READY.wav")), None);
    }
}
