//! Links on the way to a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// That no link leads out of a folder on the way to a file: of `folders`, which are as a pipeline names them and may be
/// links themselves, the one that the path lies deepest in. Without such a folder any way is right. Whoever can make links
/// there between this look and the next call gets by it.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] with where the link leads and what to do, or what the system says.
pub fn stays_below(folders: &[PathBuf], path: &Path) -> io::Result<()> {
    let around = folders.iter().filter(|folder| path.starts_with(folder));
    let Some(base) = around.max_by_key(|folder| folder.components().count()) else { return Ok(()) };
    let base = match fs::canonicalize(base) {
        // It is about to be made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        base => base?,
    };
    let Some(there) = nearest(path)? else { return Ok(()) };
    let real = fs::canonicalize(there)?;
    if real.starts_with(&base) {
        return Ok(());
    }
    let text = format!(
        "a link in its path leads to {}; name that folder in the pipeline, or set `confine = \
        false` in the configuration file",
        real.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// The deepest folder above a path that is there; a disk that fails is no answer.
fn nearest(path: &Path) -> io::Result<Option<&Path>> {
    for folder in path.ancestors().skip(1) {
        match folder.symlink_metadata() {
            Ok(_) => return Ok(Some(folder)),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn link_may_stand_for_a_folder_and_stay_in_it_but_not_lead_out() {
        let lab = tempfile::tempdir().unwrap();
        let path = |name: &str| lab.path().join(name);
        for folder in ["real/in/side", "elsewhere/deep"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        symlink(path("real"), path("out")).unwrap();
        symlink(path("real/in"), path("real/near")).unwrap();
        symlink("../elsewhere", path("real/far")).unwrap();
        symlink("nowhere", path("real/dangling")).unwrap();
        let folders = [path("out/"), path("not/made"), path("out/far/deep")];
        let is_right = |name: &str| stays_below(&folders, &path(name)).is_ok();
        for name in
            ["out/a", "out/in/side/a", "out/near/a", "out/new/newer/a", "not/made/a/b", "else/a"]
        {
            assert!(is_right(name), "{name}");
        }
        // Named by the pipeline itself.
        assert!(is_right("out/far/deep/a"));
        for name in ["out/far/a", "out/far/new/a", "out/dangling/a"] {
            assert!(!is_right(name), "{name}");
        }
        let error = stays_below(&folders, &path("out/far/a")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("/elsewhere; name that folder"), "{error}");
        // One that is swapped in later is seen the next time.
        fs::remove_dir(path("real/in/side")).unwrap();
        symlink(path("elsewhere"), path("real/in/side")).unwrap();
        assert!(!is_right("out/in/side/a"));
    }
}
