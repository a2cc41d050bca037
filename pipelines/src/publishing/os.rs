//! What publishing asks of the operating system beyond std: exact on Unix, the nearest thing
//! elsewhere.

#[cfg(not(unix))]
pub(super) use plain::{facts, is_same_file, rename_noreplace, sync_dir};
#[cfg(unix)]
pub(super) use unix::{facts, is_same_file, rename_noreplace, sync_dir};

/// Time of the last write, nanoseconds since 1970, and inode number.
type Facts = (i64, u64);

#[cfg(unix)]
mod unix {
    use super::Facts;
    use rustix::io::Errno;
    use std::fs::{self, File, Metadata};
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    pub(in super::super) fn facts(metadata: &Metadata) -> Facts {
        let seconds = metadata.mtime().saturating_mul(1_000_000_000);
        (seconds.saturating_add(metadata.mtime_nsec()), metadata.ino())
    }

    /// Whether two paths lead to one file; links are followed.
    pub(in super::super) fn is_same_file(one: &Path, other: &Path) -> bool {
        let place = |path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        place(one).is_some_and(|found| place(other) == Some(found))
    }

    pub(in super::super) fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                other => return other.map_err(io::Error::from),
            }
        }
        super::link_and_remove(from, to, |error| {
            let errno = Errno::from_io_error(error);
            matches!(errno, Some(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS))
        })
    }

    pub(in super::super) fn sync_dir(folder: &Path) -> io::Result<()> {
        match File::open(folder)?.sync_all() {
            // Some network file systems cannot sync folders; there is nothing better to do there.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => Ok(()),
            other => other,
        }
    }
}

/// A rename that replaces nothing where the system has none: a hard link and an unlink, or, without
/// hard links, a check and a rename, where a name taken within microseconds would be replaced.
fn link_and_remove(
    from: &std::path::Path,
    to: &std::path::Path,
    lacks_links: impl FnOnce(&std::io::Error) -> bool,
) -> std::io::Result<()> {
    use std::fs;
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if lacks_links(&error) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(std::io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        Err(error) => Err(error),
    }
}

#[cfg(any(test, not(unix)))]
mod plain {
    use super::Facts;
    use std::fs::{self, Metadata};
    use std::io;
    use std::path::Path;
    use std::time::UNIX_EPOCH;

    /// Without an inode number, size and time distinguish two states of a file.
    pub(in super::super) fn facts(metadata: &Metadata) -> Facts {
        let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        (modified.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)), 0)
    }

    pub(in super::super) fn is_same_file(one: &Path, other: &Path) -> bool {
        fs::canonicalize(one).is_ok_and(|real| fs::canonicalize(other).is_ok_and(|it| it == real))
    }

    pub(in super::super) fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
        super::link_and_remove(from, to, |error| error.kind() != io::ErrorKind::AlreadyExists)
    }

    /// A folder is no file that could be synced.
    pub(in super::super) fn sync_dir(folder: &Path) -> io::Result<()> {
        fs::metadata(folder).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::path::Path;

    fn write(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn plain_rename_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        write(&to, "old");
        let error = plain::rename_noreplace(&from, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        fs::remove_file(&to).unwrap();
        plain::rename_noreplace(&from, &to).unwrap();
        assert!(!from.exists());
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }

    #[test]
    fn file_system_without_links_gets_a_check_and_a_rename() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&to, "old");
        // A file that is missing stands for a link that cannot be made.
        let error = link_and_remove(&from, &to, |_| true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
    }

    #[test]
    fn plain_facts_are_those_of_unix_but_for_the_inode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, "text");
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(plain::facts(&metadata), (facts(&metadata).0, 0));
        assert!(plain::is_same_file(&path, &path) && !plain::is_same_file(&path, folder.path()));
        plain::sync_dir(folder.path()).unwrap();
        assert!(plain::sync_dir(&folder.path().join("missing")).is_err());
    }
}
