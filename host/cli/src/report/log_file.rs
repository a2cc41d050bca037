//! The daemon's log in a file: a JSON object a line, in files that are replaced by the next when they are full.

use parking_lot::Mutex;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where a log goes, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFile {
    /// The file that is written; full ones have `.1`, `.2` and so on behind it, the newest first.
    pub path: PathBuf,
    /// Size at which it is full.
    pub bytes_max: u64,
    /// Files that are kept, the one that is written included; at least 1.
    pub files: u32,
}

/// The file, once a daemon asked for it.
static FILE: Mutex<Option<RotatingFile>> = Mutex::new(None);

/// Begins to write to a file; the one before, if any, is left as it is.
///
/// # Errors
/// When it cannot be written.
pub(super) fn begin(file: LogFile) -> io::Result<()> {
    let rotating = RotatingFile::open(file)?;
    *FILE.lock() = Some(rotating);
    Ok(())
}

/// Writes lines to the file, if there is one. Never fails: a full disk must not end the work.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FileWriter;

impl Write for FileWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut *FILE.lock() {
            file.line(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct RotatingFile {
    to: LogFile,
    /// `None` after it could not be opened; the next line tries again.
    file: Option<File>,
    size_bytes: u64,
}

impl RotatingFile {
    fn open(to: LogFile) -> io::Result<Self> {
        let file = appended(&to.path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Self { to, file: Some(file), size_bytes })
    }

    fn line(&mut self, line: &[u8]) {
        let bytes = line.len() as u64;
        if self.size_bytes > 0 && self.size_bytes + bytes > self.to.bytes_max {
            self.file = None;
            self.shift();
        }
        if self.file.is_none() {
            self.file = appended(&self.to.path).ok();
            let size = |file: &File| file.metadata().map_or(0, |metadata| metadata.len());
            self.size_bytes = self.file.as_ref().map_or(0, size);
        }
        if let Some(file) = &mut self.file {
            // What a full disk takes is lost; what comes after is not.
            let _ = file.write_all(line);
            self.size_bytes += bytes;
        }
    }

    /// Gives each file the name of the next older one; the oldest goes.
    fn shift(&self) {
        let name = |number: u32| numbered(&self.to.path, number);
        for number in (0..self.to.files.saturating_sub(1)).rev() {
            // It may not be there yet.
            let _ = fs::rename(name(number), name(number + 1));
        }
        if self.to.files <= 1 {
            let _ = fs::remove_file(&self.to.path);
        }
    }
}

fn appended(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if number > 0 {
        name.push(format!(".{number}"));
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_in(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn log(folder: &Path, files: u32) -> LogFile {
        LogFile { path: folder.join("a.log"), bytes_max: 30, files }
    }

    #[test]
    fn full_file_is_kept_under_the_next_number_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(log(folder.path(), 3)).unwrap();
        // Three lines of ten bytes fill a file.
        (0..10).for_each(|number| file.line(format!("line    {number}\n").as_bytes()));
        let path = folder.path().join("a.log");
        assert_eq!(lines_in(&path), ["line    9"]);
        assert_eq!(lines_in(&numbered(&path, 1)), ["line    6", "line    7", "line    8"]);
        assert_eq!(lines_in(&numbered(&path, 2)), ["line    3", "line    4", "line    5"]);
        assert!(!numbered(&path, 3).exists());
    }

    #[test]
    fn file_of_before_is_continued_to_the_same_size() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let mut file = RotatingFile::open(log(folder.path(), 2)).unwrap();
            (0..2).for_each(|number| file.line(format!("line    {number}\n").as_bytes()));
        }
        let path = folder.path().join("a.log");
        assert_eq!(lines_in(&numbered(&path, 1)).len(), 3);
        assert_eq!(lines_in(&path).len(), 1);
    }

    #[test]
    fn only_file_begins_anew_when_it_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(log(folder.path(), 1)).unwrap();
        (0..4).for_each(|number| file.line(format!("line    {number}\n").as_bytes()));
        assert_eq!(lines_in(&folder.path().join("a.log")), ["line    3"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn line_longer_than_a_file_has_one_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(log(folder.path(), 2)).unwrap();
        file.line(&[b'x'; 100]);
        file.line(b"short\n");
        assert_eq!(lines_in(&folder.path().join("a.log")), ["short"]);
    }

    #[test]
    fn file_that_cannot_be_opened_loses_lines_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        let mut file = RotatingFile::open(log(&below, 1)).unwrap();
        file.line(&[b'x'; 30]);
        fs::remove_dir_all(&below).unwrap();
        file.line(b"lost\n");
        fs::create_dir(&below).unwrap();
        file.line(b"found\n");
        assert_eq!(lines_in(&below.join("a.log")), ["found"]);
    }
}
