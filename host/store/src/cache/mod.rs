//! What was computed of files before and is not computed again. Best effort: whatever is wrong with it, it is
//! computed anew.
//!
//! An entry is one small file with its own hash in its first line, put in place by a rename, so that
//! any number of processes share the folder without a lock. `host/decisions/0004` says why it is not
//! in the store.

mod effects;
mod group;
mod known_outputs;

pub use effects::{cache_folder, effects_with, folder_of};
pub use group::{Candidate, GroupMeasurements, Pieces};
pub use known_outputs::Outputs;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that entries are spread over, by the first two digits of their keys: only one is looked through
/// when an entry is added.
const SHARD_COUNT: u64 = 256;

/// A folder of entries.
#[derive(Clone, Debug)]
pub struct ResultCache {
    folder: PathBuf,
    /// Bytes of a shard, and of its largest entry.
    shard_bytes_max: u64,
}

/// What an entry depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Of bytes that say all of it.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(blake3::hash(bytes.as_ref()).to_hex().to_string())
    }
}

impl ResultCache {
    /// The entries of a kind in a state folder, `bytes_max` in all; nothing is made before something is
    /// kept.
    pub fn of_state(state: &Path, kind: &str, bytes_max: u64) -> Self {
        let folder = state.join("cache").join(kind);
        Self { folder, shard_bytes_max: bytes_max / SHARD_COUNT }
    }

    /// What is kept; `None` where nothing is, or nothing that is whole.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let path = self.path(key);
        let metadata = fs::metadata(&path).ok().filter(|it| it.len() <= self.shard_bytes_max)?;
        let entry = parse(&fs::read(&path).ok()?)?;
        // The time of the last use decides what is dropped first; a day is exact enough.
        let is_old = metadata.modified().ok()?.elapsed().is_ok_and(|age| age.as_secs() > 86_400);
        if is_old && let Ok(file) = fs::File::options().write(true).open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(entry)
    }

    /// Keeps something. Not synced: an entry that a power cut tore does not have its hash.
    pub fn put(&self, key: &Key, entry: &impl Serialize) {
        if let Err(error) = self.try_put(key, entry) {
            tracing::debug!(folder = %self.folder.display(), %error, "Results not cached.");
        }
    }

    fn try_put(&self, key: &Key, entry: &impl Serialize) -> io::Result<()> {
        let path = self.path(key);
        let Some(folder) = path.parent() else { return Ok(()) };
        let body = serde_json::to_vec(entry)?;
        let mut bytes = blake3::hash(&body).to_hex().as_bytes().to_vec();
        bytes.push(b'\n');
        bytes.extend(body);
        if bytes.len() as u64 > self.shard_bytes_max {
            return Ok(());
        }
        make_private(folder)?;
        make_room(folder, self.shard_bytes_max.saturating_sub(bytes.len() as u64))?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.0[..2]).join(&key.0[2..])
    }

    /// Where the entries are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What an entry says, if it has the hash it begins with.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (hash, body) = bytes.split_at_checked(64)?;
    let body = body.strip_prefix(b"\n")?;
    let is_whole = blake3::hash(body).to_hex().as_bytes() == hash;
    is_whole.then(|| serde_json::from_slice(body).ok())?
}

/// Names of files are nobody else's business, nor are their hashes.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Drops the entries that were not used for longest until the others fit.
fn make_room(folder: &Path, bytes_max: u64) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else { continue };
        let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        entries.push((used, metadata.len(), entry.path()));
    }
    let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
    if total <= bytes_max {
        return Ok(());
    }
    entries.sort();
    for (_, bytes, path) in entries {
        if total <= bytes_max {
            break;
        }
        // Another process may have been faster.
        let _ = fs::remove_file(path);
        total -= bytes;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_entries_make_room() {
        let folder = tempfile::tempdir().unwrap();
        for (name, day) in [("new", 3), ("old", 1), ("middle", 2)] {
            let mut file = fs::File::create(folder.path().join(name)).unwrap();
            file.write_all(&[0; 100]).unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(24 * day);
            file.set_modified(time).unwrap();
        }
        make_room(folder.path(), 250).unwrap();
        let left = |name: &str| folder.path().join(name).exists();
        assert_eq!((left("old"), left("middle"), left("new")), (false, true, true));
    }
}
