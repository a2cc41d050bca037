//! Compiled code on disk.
//!
//! The engine loads a bit-flipped artifact without complaint, and an artifact is machine code: so the
//! folder is the user's alone, and every entry carries its own hash.

mod entry;

pub(crate) use entry::Entry;

use crate::limits;
use crate::rewrite;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use wasmtime::Engine;

/// How names of entries end.
const EXTENSION: &str = "fxcode";

/// What unfinished entries begin with.
const UNFINISHED: &str = ".unfinished-";

/// An unfinished entry that is older was left by a process that died.
const UNFINISHED_TIME_MAX: Duration = Duration::from_hours(1);

/// A folder of entries for one engine configuration; others may share it.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    engine: [u8; 32],
    bytes_max: u64,
}

/// Why a folder is not used.
#[derive(Debug, Error)]
pub(crate) enum CacheError {
    #[error("compiled effects are not cached: {}: {error}", folder.display())]
    Io { folder: PathBuf, error: io::Error },
    #[error(
        "compiled effects are not cached: {} is writable by others; `chmod 700` it",
        folder.display()
    )]
    Writable { folder: PathBuf },
    #[error("compiled effects are not cached: {} belongs to another user", folder.display())]
    NotOurs { folder: PathBuf },
    #[error("compiled effects are not cached: {} is not a folder", folder.display())]
    NoFolder { folder: PathBuf },
}

impl Cache {
    /// Uses the folder, or makes it.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> Result<Self, CacheError> {
        let io = |error| CacheError::Io { folder: folder.to_owned(), error };
        make(folder).map_err(io)?;
        verify(folder, &fs::metadata(folder).map_err(io)?)?;
        Ok(Self {
            folder: folder.to_owned(),
            engine: engine_key(engine),
            bytes_max: limits::CACHE_BYTES_MAX,
        })
    }

    /// The entry of a module, if it is there and whole. One that is not is removed.
    pub(crate) fn get(&self, module: &[u8; 32]) -> Option<Entry> {
        let path = self.path(module);
        let bytes = fs::read(&path).ok()?;
        let entry = Entry::read(bytes, &self.engine, module);
        match &entry {
            // The time of the last use decides what is dropped first.
            Some(_) => drop(touch(&path)),
            None => drop(fs::remove_file(&path)),
        }
        entry
    }

    /// Keeps an entry, and drops the least recently used ones beyond the limit.
    ///
    /// Not synced: an entry that a power cut tore does not have its hash.
    pub(crate) fn put(&self, module: &[u8; 32], entry: &Entry) -> io::Result<()> {
        let bytes = entry.bytes(&self.engine, module);
        let size = bytes.len() as u64;
        if size > self.bytes_max {
            return Ok(());
        }
        self.make_room(size)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder)?;
        file.write_all(&bytes)?;
        file.persist(self.path(module)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Drops entries until `size` more bytes are within the limit.
    fn make_room(&self, size: u64) -> io::Result<()> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(UNFINISHED) {
                if used.elapsed().is_ok_and(|age| age > UNFINISHED_TIME_MAX) {
                    let _ = fs::remove_file(&path);
                }
            } else if path.extension().is_some_and(|extension| extension == EXTENSION) {
                entries.push((used, metadata.len(), path));
            }
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in entries {
            if total + size <= self.bytes_max {
                break;
            }
            // Another process may have been faster.
            let _ = fs::remove_file(path);
            total -= bytes;
        }
        Ok(())
    }

    fn path(&self, module: &[u8; 32]) -> PathBuf {
        let mut name = String::new();
        for byte in module.iter().chain(&self.engine[..8]) {
            name.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            name.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        }
        self.folder.join(format!("{name}.{EXTENSION}"))
    }
}

fn touch(path: &Path) -> io::Result<()> {
    File::options().append(true).open(path)?.set_modified(SystemTime::now())
}

/// Makes the folder, for this user only.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses a folder in which others could put code for us to run.
fn verify(folder: &Path, metadata: &fs::Metadata) -> Result<(), CacheError> {
    let folder = folder.to_owned();
    if !metadata.is_dir() {
        return Err(CacheError::NoFolder { folder });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(CacheError::NotOurs { folder });
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(CacheError::Writable { folder });
        }
    }
    Ok(())
}

/// Everything that compiled code depends on but the module: the engine's version, its settings, the
/// processor, the system, and what is done to modules before.
fn engine_key(engine: &Engine) -> [u8; 32] {
    let mut hasher = Blake3(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    std::env::consts::ARCH.hash(&mut hasher);
    std::env::consts::OS.hash(&mut hasher);
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    rewrite::VERSION.hash(&mut hasher);
    hasher.0.finalize().into()
}

/// The engine's hash is given to a [`Hasher`]; the standard one may differ from release to release.
struct Blake3(blake3::Hasher);

impl Hasher for Blake3 {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &tempfile::TempDir) -> Cache {
        Cache::open(folder.path(), &Engine::default()).unwrap()
    }

    fn is_there(cache: &Cache, module: u8) -> bool {
        cache.path(&[module; 32]).exists()
    }

    /// Puts an entry of about 1,000 bytes, used this many seconds ago.
    fn put(cache: &Cache, module: u8, age_s: u64) {
        cache.put(&[module; 32], &Entry::with_code(b"{}", &[0; 1000])).unwrap();
        let file = File::options().append(true).open(cache.path(&[module; 32])).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
    }

    #[test]
    fn cache_keeps_at_most_512_mib() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(cache(&folder).bytes_max, 536_870_912);
    }

    #[test]
    fn least_recently_used_entries_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { bytes_max: 3600, ..cache(&folder) };
        put(&cache, 1, 300);
        put(&cache, 2, 200);
        put(&cache, 3, 100);
        // The first is used again, so the second is the oldest.
        assert_eq!(cache.get(&[1; 32]).unwrap().description, b"{}");
        put(&cache, 4, 0);
        assert_eq!([1, 2, 3, 4].map(|module| is_there(&cache, module)), [true, false, true, true]);
    }

    #[test]
    fn entry_larger_than_the_cache_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { bytes_max: 1500, ..cache(&folder) };
        put(&cache, 1, 0);
        cache.put(&[2; 32], &Entry::with_code(b"{}", &[0; 1500])).unwrap();
        assert!(is_there(&cache, 1) && !is_there(&cache, 2));
    }

    #[test]
    fn old_unfinished_entries_are_removed_and_other_files_left() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age: Duration| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        make(".unfinished-old", 2 * UNFINISHED_TIME_MAX);
        make(".unfinished-new", Duration::ZERO);
        make("other", 2 * UNFINISHED_TIME_MAX);
        put(&cache(&folder), 1, 0);
        let exists = |name: &str| folder.path().join(name).exists();
        assert!(!exists(".unfinished-old") && exists(".unfinished-new") && exists("other"));
    }
}
