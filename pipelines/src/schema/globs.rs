//! Globs of watched folders. Their automata take more of a program than all of the schema, so that one
//! that never watches, as a plugin, is built without them: then globs are read and not looked at.

pub(super) use checked::{matches_any, problem};

/// Whether globs are looked at.
pub(super) const AVAILABLE: bool = cfg!(feature = "globs");

#[cfg(feature = "globs")]
mod checked {
    use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
    use std::path::Path;

    /// Why a text is no glob.
    pub(in super::super) fn problem(glob: &str) -> Option<String> {
        GlobBuilder::new(glob).build().err().map(|error| error.kind().to_string())
    }

    /// Whether one of the globs matches the path or the file's name.
    pub(in super::super) fn matches_any(globs: &[String], path: &Path) -> bool {
        let set = glob_set(globs);
        set.is_match(path) || path.file_name().is_some_and(|name| set.is_match(name))
    }

    /// Globs without case; those that are none were noted already.
    fn glob_set(globs: &[String]) -> GlobSet {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            if let Ok(glob) = GlobBuilder::new(glob).case_insensitive(true).build() {
                set.add(glob);
            }
        }
        set.build().unwrap_or_default()
    }
}

#[cfg(not(feature = "globs"))]
mod checked {
    use std::path::Path;

    pub(in super::super) fn problem(_glob: &str) -> Option<String> {
        None
    }

    pub(in super::super) fn matches_any(_globs: &[String], _path: &Path) -> bool {
        false
    }
}
