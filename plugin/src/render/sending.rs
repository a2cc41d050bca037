//! Sending a capture to a watched folder: a copy that the watcher never sees before it is complete.

use super::journal::Journal;
use super::places::watched_problem;
use super::work::{Failure, is_canceled, job_id};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use wavemill_pipelines::publishing::{
    Finished, NameClaim, PublishError, Trust, part_path, publish, suffixed,
};

/// Bytes copied at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Names tried when others are taken.
const NAMES_MAX: u32 = 9_999;

/// Copies a file into a folder, under its own name or, where that is taken, one with a number. Returns
/// the name. `progress` is called with shares from 0 to 1.
///
/// # Errors
/// When there is no such folder, or the disk fails: nothing of the copy remains.
pub(super) fn send(
    file: &Path,
    folder: &Path,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(f64),
) -> Result<PathBuf, Failure> {
    if let Some(problem) = watched_problem(folder, file.parent().unwrap_or(file)) {
        return Err(Failure::Reason(format!("not sent: {problem}")));
    }
    let path = folder.join(file.file_name().unwrap_or_default());
    let job = job_id();
    let temporary = part_path(&path, &job, 1, 0);
    let mut journal = Journal::begin(file.parent().unwrap_or(Path::new(".")), &job);
    journal.note(&temporary);
    let copied = copy(file, &temporary, cancel, progress);
    let sent = copied.and_then(|copied| name(copied, &temporary, &path));
    if sent.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    sent
}

/// A complete, synced copy.
struct Copied {
    size_bytes: u64,
    blake3: String,
}

fn copy(
    from: &Path,
    to: &Path,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(f64),
) -> Result<Copied, Failure> {
    let unread = |error: io::Error| Failure::about(from, &error);
    let unwritten = |error: io::Error| Failure::about(to, &error);
    let mut source = File::open(from).map_err(unread)?;
    let length = source.metadata().map_err(unread)?.len();
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to).map_err(unwritten)?;
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut size_bytes = 0;
    loop {
        if is_canceled(cancel) {
            return Err(Failure::Canceled);
        }
        let count = source.read(&mut chunk).map_err(unread)?;
        if count == 0 {
            break;
        }
        copy.write_all(&chunk[..count]).map_err(unwritten)?;
        hasher.update(&chunk[..count]);
        size_bytes += count as u64;
        progress((size_bytes as f64 / length.max(1) as f64).min(1.0));
    }
    copy.sync_all().map_err(unwritten)?;
    Ok(Copied { size_bytes, blake3: hasher.finalize().to_hex().to_string() })
}

/// Gives the copy its name, or the next one that is free.
fn name(copied: Copied, temporary: &Path, path: &Path) -> Result<PathBuf, Failure> {
    let mut file = Finished {
        temporary: temporary.to_owned(),
        path: path.to_owned(),
        takes: NameClaim::Free,
        size_bytes: copied.size_bytes,
        blake3: copied.blake3,
    };
    for number in 2..=NAMES_MAX {
        match publish(&file, Trust::Size) {
            Ok(_) => return Ok(file.path),
            Err(PublishError::Taken { .. }) => file.path = suffixed(path, number),
            Err(error) => return Err(Failure::Reason(error.to_string())),
        }
    }
    Err(Failure::Reason(format!(
        "{} and {NAMES_MAX} numbered names after it already exist",
        path.display()
    )))
}
