//! What a render has on the disk that is not finished, written down so that the next one can remove it if
//! the DAW is killed: a hidden folder beside the capture, with a list of temporary files. The list is locked
//! as long as its render lives; the system takes the lock of a process that died.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// The folder's name begins with this, the job's name follows. Signals between two passes wait in it: that is
/// on a disk with room.
const PREFIX: &str = ".wavemill-spool-";

/// The list's name in the folder.
const LIST: &str = "temporary-files";

/// Lists are cut off here: 64 KiB are hundreds of paths.
const LIST_BYTES_MAX: u64 = 64 * 1024;

/// How often a journal is begun anew that a sweep of another process took away.
const TRIES_MAX: u32 = 10;

/// Folders that one sweep looks at.
const FOLDERS_MAX: usize = 64;

/// The folder and list of one render.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    job: String,
    /// `None` where nothing can be written beside the capture: a crash leaves what it leaves then.
    list: Option<File>,
}

impl Journal {
    /// Begins the journal of a job, beside its capture.
    pub(super) fn begin(beside: &Path, job: &str) -> Self {
        let folder = beside.join(format!("{PREFIX}{job}"));
        let list = open(&folder).ok();
        Self { folder, job: job.to_owned(), list }
    }

    /// Where signals wait between two passes.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a temporary file down before it is made.
    pub(super) fn note(&mut self, temporary: &Path) {
        debug_assert!(is_of_job(temporary, &self.job), "{}", temporary.display());
        // A path with a line's end would be two.
        let path = temporary.to_str().filter(|path| !path.contains('\n'));
        if let (Some(list), Some(path)) = (&mut self.list, path) {
            let _ = list.write_all(format!("{path}\n").as_bytes());
        }
    }
}

/// Makes the list and takes its lock. Between the two a sweep may take it for one of a dead process.
fn open(folder: &Path) -> io::Result<File> {
    let path = folder.join(LIST);
    let mut tries = 0..TRIES_MAX;
    loop {
        fs::create_dir_all(folder)?;
        let list = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|list| {
            list.lock()?;
            Ok(list)
        });
        match list {
            Ok(list) if path.exists() => return Ok(list),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(error) if tries.next().is_none() => return Err(error),
            _ => {}
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Signals between two passes have no names, so it is empty then.
        let _ = fs::remove_file(self.folder.join(LIST));
        drop(self.list.take());
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Removes what renders of dead processes left of captures in this folder.
pub(super) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let journals = entries.flatten().filter_map(|entry| {
        let job = entry.file_name().to_str()?.strip_prefix(PREFIX)?.to_owned();
        Some((entry.path(), job))
    });
    for (folder, job) in journals.take(FOLDERS_MAX) {
        // Whatever fails is tried again with the next render.
        let _ = sweep_one(&folder, &job);
    }
}

fn sweep_one(folder: &Path, job: &str) -> io::Result<()> {
    let path = folder.join(LIST);
    let list = match File::open(&path) {
        Ok(list) => list,
        // An empty folder: its owner died before it had a list, or makes one, which makes the folder anew.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return fs::remove_dir(folder),
        Err(error) => return Err(error),
    };
    match list.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    for line in BufReader::new((&list).take(LIST_BYTES_MAX)).lines() {
        let temporary = PathBuf::from(line?);
        if temporary.is_absolute() && is_of_job(&temporary, job) {
            let _ = fs::remove_file(temporary);
        }
    }
    // Where the system keeps no files without a name, signals between two passes are here.
    let entries = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    for spool in entries.filter(|path| path.extension() == Some("tmp".as_ref())) {
        let _ = fs::remove_file(spool);
    }
    fs::remove_file(path)?;
    drop(list);
    fs::remove_dir(folder)
}

/// Whether a file has the hidden name of a job's temporary file: nothing else is ever removed, whatever a list
/// says. See `publishing::part_path`.
fn is_of_job(temporary: &Path, job: &str) -> bool {
    let name = temporary.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(rest) = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part")) else {
        return false;
    };
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let mut parts = rest.rsplitn(4, '.');
    let (index, attempt, of) = (parts.next(), parts.next(), parts.next());
    !job.is_empty()
        && [index, attempt].iter().all(|part| part.is_some_and(is_number))
        && of == Some(job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_pipelines::publishing::part_path;

    const JOB: &str = "0123456789abcdef";

    fn hidden(folder: &Path) -> Vec<PathBuf> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.file_name().unwrap().as_encoded_bytes()[0] == b'.').collect()
    }

    /// A journal with a temporary file, and the file.
    fn journal(folder: &Path) -> (Journal, PathBuf) {
        let mut journal = Journal::begin(folder, JOB);
        let temporary = part_path(&folder.join("a.flac"), JOB, 1, 0);
        journal.note(&temporary);
        File::create_new(&temporary).unwrap();
        (journal, temporary)
    }

    /// The same of a process that is gone: the lock is, the files are not.
    fn dead(folder: &Path) -> PathBuf {
        let (mut journal, temporary) = journal(folder);
        drop(journal.list.take());
        std::mem::forget(journal);
        temporary
    }

    #[test]
    fn render_that_ends_leaves_no_journal() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, temporary) = journal(folder.path());
        fs::remove_file(temporary).unwrap();
        assert_eq!(hidden(folder.path()).len(), 1);
        drop(journal);
        assert_eq!(hidden(folder.path()), Vec::<PathBuf>::new());
    }

    #[test]
    fn files_of_a_render_that_lives_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, temporary) = journal(folder.path());
        sweep(folder.path());
        assert!(temporary.exists() && journal.folder().exists());
    }

    #[test]
    fn files_of_a_dead_render_are_removed_wherever_they_are() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut journal = Journal::begin(folder.path(), JOB);
        let temporaries =
            [folder.path(), other.path()].map(|at| part_path(&at.join("a"), JOB, 1, 3));
        for temporary in &temporaries {
            journal.note(temporary);
            File::create_new(temporary).unwrap();
        }
        drop(journal.list.take());
        std::mem::forget(journal);
        sweep(folder.path());
        assert!(temporaries.iter().all(|temporary| !temporary.exists()));
        assert_eq!(hidden(folder.path()), Vec::<PathBuf>::new());
    }

    #[test]
    fn list_that_names_other_files_removes_none_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = dead(folder.path());
        File::create_new(folder.path().join(format!("{PREFIX}{JOB}/spool-7-0.tmp"))).unwrap();
        let precious = ["mix.wav", ".hidden", ".a.flac.fedcba9876543210.1.0.part", ".a.part"];
        let precious = precious.map(|name| folder.path().join(name));
        let list = folder.path().join(format!("{PREFIX}{JOB}")).join(LIST);
        let mut list = OpenOptions::new().append(true).open(list).unwrap();
        for path in &precious {
            File::create_new(path).unwrap();
            writeln!(list, "{}", path.display()).unwrap();
        }
        drop(list);
        sweep(folder.path());
        assert!(!temporary.exists());
        assert!(precious.iter().all(|path| path.exists()));
        assert_eq!(hidden(folder.path()).len(), 3, "the folder is gone");
    }

    #[test]
    fn folder_without_a_list_goes_and_one_with_strange_things_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, strange) =
            (folder.path().join(".wavemill-spool-1"), folder.path().join(".wavemill-spool-2"));
        fs::create_dir(&empty).unwrap();
        fs::create_dir(&strange).unwrap();
        File::create_new(strange.join("mine")).unwrap();
        sweep(folder.path());
        assert!(!empty.exists() && strange.join("mine").exists());
    }
}
