//! Files: replacing them, the trash, locks.

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wavemill_pipelines::publishing::sync_dir;

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
    /// hold it after `wait_max`.
    pub fn exclusive(path: &Path, wait_max: Duration) -> io::Result<Option<Self>> {
        Self::lock(path, FlockOperation::NonBlockingLockExclusive, wait_max)
    }

    /// Locks the file together with others who share it.
    pub fn shared(path: &Path, wait_max: Duration) -> io::Result<Option<Self>> {
        Self::lock(path, FlockOperation::NonBlockingLockShared, wait_max)
    }

    fn lock(path: &Path, how: FlockOperation, wait_max: Duration) -> io::Result<Option<Self>> {
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let deadline = Instant::now() + wait_max;
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
}
