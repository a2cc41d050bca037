//! The temporary files of runs without a daemon. No store knows them after a kill, so each is locked
//! while its run lives: what nobody holds locked was left behind, and the next run into that folder removes it.

use super::names::part_path;
use crate::execution::{DirectAccess, FileAccess};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The attempt in the names of these files. Those of a daemon begin with 1, and a store knows them.
const ATTEMPT: u32 = 0;

/// Characters of a job id of the host.
const ID_LENGTH: usize = 13;

/// Makes and removes the temporary files of one process's runs.
#[derive(Debug, Default)]
pub struct LocalParts {
    /// Those that are there, locked.
    held: Mutex<BTreeMap<PathBuf, File>>,
    /// Folders that were looked through.
    swept: Mutex<BTreeSet<PathBuf>>,
}

impl LocalParts {
    /// The temporary name of an output of a job without a daemon.
    pub(super) fn path(path: &Path, job: &str, index: usize) -> PathBuf {
        part_path(path, job, ATTEMPT, index)
    }

    /// Removes what killed runs left in a folder, once a process.
    pub(super) fn sweep(&self, folder: &Path) {
        if cfg!(unix) && locked(&self.swept).insert(folder.to_owned()) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_str().is_some_and(is_local_part) {
                    // What cannot be removed is in nobody's way: names differ from run to run.
                    let _ = remove_if_left(&entry.path());
                }
            }
        }
    }

    /// Lets go of a file that was published or removed.
    pub(super) fn release(&self, path: &Path) {
        locked(&self.held).remove(path);
    }
}

impl FileAccess for LocalParts {
    fn open(&self, path: &Path) -> io::Result<File> {
        DirectAccess.open(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        loop {
            let file = DirectAccess.create(path).map_err(|error| explained(error, path))?;
            // Elsewhere than on Unix a lock would keep the file from being verified.
            if cfg!(not(unix)) || file.lock().is_err() {
                return Ok(file);
            }
            // Before it was locked, a run that sweeps may have taken it for left behind.
            if fs::exists(path)? {
                locked(&self.held).insert(path.to_owned(), file.try_clone()?);
                return Ok(file);
            }
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = DirectAccess.remove(path);
        self.release(path);
        removed
    }
}

/// Says what may be meant where permission is denied behind a link: a process that has confined itself can write
/// below the folders it was given, and not where links inside of them lead.
fn explained(error: io::Error, path: &Path) -> io::Error {
    let folder = path.parent().unwrap_or(path);
    let is_linked = fs::canonicalize(folder).is_ok_and(|real| real != folder);
    if error.kind() != io::ErrorKind::PermissionDenied || !is_linked {
        return error;
    }
    let text = "permission denied behind a link in its path; name the link's target in `path`, or \
        set `confine = false` in the configuration file";
    io::Error::new(error.kind(), text)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Whether a name is one of [`LocalParts::path`]: `.NAME.JOB.0.INDEX.part`.
fn is_local_part(name: &str) -> bool {
    let Some(inner) = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".part")) else {
        return false;
    };
    let mut words = inner.rsplitn(4, '.');
    let index = words.next().is_some_and(|it| !it.is_empty() && it.bytes().all(is_digit));
    let attempt = words.next().is_some_and(|it| it == ATTEMPT.to_string());
    let job = words.next().is_some_and(|it| it.len() == ID_LENGTH && it.bytes().all(is_of_id));
    index && attempt && job && words.next().is_some()
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_lowercase()
}

/// Removes a file that nobody holds locked. A file system without locks refuses this one too, and the
/// file stays.
fn remove_if_left(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(());
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    file.try_lock().map_err(io::Error::from)?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: &str = ".a.wav.0123456789abc.0.1.part";

    #[test]
    fn only_temporary_files_of_runs_without_a_daemon_are_known() {
        assert!(is_local_part(LEFT));
        let made = LocalParts::path(Path::new("/out/a.wav"), "0123456789abc", 3);
        assert!(is_local_part(made.file_name().unwrap().to_str().unwrap()));
        for other in [
            ".a.wav.0123456789abc.1.0.part",
            ".a.wav.0123456789abcdef.0.0.part",
            ".a.wav.0123456789abc.0.part",
            "a.wav.0123456789abc.0.0.part",
            ".a.wav.0123456789abc.0.x.part",
            ".0123456789abc.0.0.part",
            "a.wav",
        ] {
            assert!(!is_local_part(other), "{other}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn permission_denied_behind_a_link_says_what_would_help() {
        let folder = tempfile::tempdir().unwrap();
        let (there, link) = (folder.path().join("there"), folder.path().join("link"));
        fs::create_dir(&there).unwrap();
        std::os::unix::fs::symlink(&there, &link).unwrap();
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let real = fs::canonicalize(&there).unwrap();
        assert!(explained(denied(), &link.join("a")).to_string().contains("confine = false"));
        assert_eq!(explained(denied(), &real.join("a")).to_string(), denied().to_string());
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(explained(full, &link.join("a")).kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    #[cfg(unix)]
    fn what_a_killed_run_left_is_removed_and_what_is_held_stays() {
        let folder = tempfile::tempdir().unwrap();
        let alive = folder.path().join(".b.wav.0123456789abc.0.0.part");
        let other = LocalParts::default();
        other.create(&alive).unwrap();
        let parts = LocalParts::default();
        for name in [LEFT, ".c.wav.0123456789abc.1.0.part", "d.part"] {
            File::create(folder.path().join(name)).unwrap();
        }
        parts.sweep(folder.path());
        let names = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        let kept = [".b.wav.0123456789abc.0.0.part", ".c.wav.0123456789abc.1.0.part", "d.part"];
        assert_eq!(names, kept);
        drop(other);
        LocalParts::default().sweep(folder.path());
        assert!(!alive.exists());
    }

    #[test]
    fn removed_file_is_made_again_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LEFT);
        let parts = LocalParts::default();
        parts.create(&path).unwrap();
        parts.remove(&path).unwrap();
        parts.create(&path).unwrap();
        assert!(parts.create(&path).is_err(), "a name that is taken is not touched");
    }
}
