//! Files: renames that replace nothing, folders that survive a power cut, locks.

use rustix::fs::{CWD, FlockOperation, RenameFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Size.
    pub size_bytes: u64,
    /// Time of the last write, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Inode number.
    pub inode: u64,
}

/// The identity of the regular file at `path`; `None` when there is none. Links are not followed.
pub fn identity(path: &Path) -> io::Result<Option<FileIdentity>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file().then(|| FileIdentity {
            size_bytes: metadata.len(),
            modified_ns: metadata
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(metadata.mtime_nsec()),
            inode: metadata.ino(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Renames without replacing: fails with `AlreadyExists` when `to` is taken.
///
/// File systems without such a rename get a hard link and an unlink; those without hard links (FAT)
/// get a check and a rename, where a name taken within microseconds would be replaced.
pub fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        other => return other.map_err(io::Error::from),
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if lacks_links(&error) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        Err(error) => Err(error),
    }
}

fn lacks_links(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS))
}

/// Gives a file these bytes, whether or not it exists: after a crash it has the old ones or the new.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", super::random_hex()));
    let written =
        OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(|file| {
            (&file).write_all(bytes)?;
            file.sync_all()
        });
    let replaced = written.and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    replaced.and_then(|()| sync_dir(folder))
}

/// Makes what was renamed or created in a folder survive a power cut.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network file systems cannot sync folders; there is nothing better to do there.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => Ok(()),
        other => other,
    }
}

/// Creates a folder and what is missing above it, each synced into its parent.
pub fn create_dirs(folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut current = folder;
    while !current.is_dir() {
        missing.push(current);
        match current.parent() {
            Some(parent) if parent != Path::new("") => current = parent,
            _ => break,
        }
    }
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if !folder.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
            _ => {}
        }
        if let Some(parent) = folder.parent().filter(|parent| *parent != Path::new("")) {
            sync_dir(parent)?;
        }
    }
    Ok(())
}

/// The trash folder for a file: the home trash when it is on the same file system, else the one at
/// the top of the file's file system.
///
/// Source: FreeDesktop.org Trash specification 1.0, "Trash directories".
pub fn trash_for(file: &Path) -> io::Result<PathBuf> {
    let device = fs::symlink_metadata(file)?.dev();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home.map(|home| home.join(".local/share")));
    if let Some(data) = data {
        let nearest = data.ancestors().find_map(|folder| fs::metadata(folder).ok());
        if nearest.is_some_and(|metadata| metadata.dev() == device) {
            return Ok(data.join("Trash"));
        }
    }
    let on_device = |folder: &&Path| fs::metadata(folder).is_ok_and(|data| data.dev() == device);
    let top = file.ancestors().skip(1).take_while(on_device).last().unwrap_or(Path::new("/"));
    Ok(top.join(format!(".Trash-{}", rustix::process::getuid().as_raw())))
}

/// A file held locked; the lock ends with the value or the process, however it dies.
#[derive(Debug)]
pub struct LockFile {
    _file: File,
}

impl LockFile {
    /// Locks the file at `path`, made if missing, for this process alone; `None` when others still
    /// hold it after `patience`.
    pub fn exclusive(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        Self::lock(path, FlockOperation::NonBlockingLockExclusive, patience)
    }

    /// Locks the file together with others who share it.
    pub fn shared(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        Self::lock(path, FlockOperation::NonBlockingLockShared, patience)
    }

    fn lock(path: &Path, how: FlockOperation, patience: Duration) -> io::Result<Option<Self>> {
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let deadline = Instant::now() + patience;
        loop {
            match rustix::fs::flock(&file, how) {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return Ok(None),
                // A dying process gives no event to wait for.
                Err(Errno::WOULDBLOCK) => std::thread::park_timeout(Duration::from_millis(10)),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn write(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn rename_noreplace_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        write(&to, "old");
        let error = rename_noreplace(&from, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        assert!(from.exists());
    }

    #[test]
    fn rename_noreplace_moves_to_a_free_name() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        rename_noreplace(&from, &to).unwrap();
        assert!(!from.exists());
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }

    #[test]
    fn rename_noreplace_does_not_follow_a_dangling_link() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        std::os::unix::fs::symlink("nowhere", &to).unwrap();
        let error = rename_noreplace(&from, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn create_dirs_makes_the_whole_chain_and_accepts_what_exists() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_dirs(&deep).unwrap();
        create_dirs(&deep).unwrap();
        assert!(deep.is_dir());
        write(&folder.path().join("file"), "");
        assert!(create_dirs(&folder.path().join("file/d")).is_err());
    }

    #[test]
    fn exclusive_lock_waits_for_shared_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = LockFile::shared(&path, Duration::ZERO).unwrap().unwrap();
        let second = LockFile::shared(&path, Duration::ZERO).unwrap().unwrap();
        assert!(LockFile::exclusive(&path, Duration::ZERO).unwrap().is_none());
        drop((first, second));
        assert!(LockFile::exclusive(&path, Duration::from_secs(5)).unwrap().is_some());
    }

    #[test]
    fn identity_of_links_and_folders_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, "12345");
        std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
        assert_eq!(identity(&file).unwrap().unwrap().size_bytes, 5);
        assert_eq!(identity(&folder.path().join("link")).unwrap(), None);
        assert_eq!(identity(folder.path()).unwrap(), None);
        assert_eq!(identity(&folder.path().join("missing")).unwrap(), None);
    }
}
