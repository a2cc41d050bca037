//! Paths as they were typed, made fit to be kept and written to.

use super::CliError;
use crate::report::shown;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A path that does not depend on the current folder and leads nowhere up: what stands before a `..` is looked up, as
/// the system does it. Other links stay as they were typed, as the index knows them.
///
/// # Errors
/// When there is no current folder (any more).
pub(super) fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    let full = std::path::absolute(path).map_err(|error| CliError::path(path, error))?;
    let mut plain = PathBuf::new();
    for component in full.components() {
        if component == Component::ParentDir {
            plain = fs::canonicalize(&plain).unwrap_or(plain);
            plain.pop();
        } else {
            plain.push(component);
        }
    }
    Ok(plain)
}

/// The same as text.
///
/// # Errors
/// When it is no UTF-8.
pub(super) fn absolute_text(path: &Path) -> Result<String, CliError> {
    absolute(path)?.into_os_string().into_string().map_err(|path| {
        CliError::failed(format!("{}: its name is not valid UTF-8", shown(Path::new(&path))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_dots_is_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).unwrap();
        let plain = |path: &str| absolute(&root.join(path)).unwrap();
        assert_eq!(plain("a/../x.wav"), root.join("x.wav"));
        assert_eq!(plain("link/../x.wav"), root.join("a/x.wav"));
        assert_eq!(plain("link/x.wav"), root.join("link/x.wav"));
        assert_eq!(plain("gone/../x.wav"), root.join("x.wav"));
        assert_eq!(absolute(Path::new("/../x.wav")).unwrap(), Path::new("/x.wav"));
    }
}
