//! Results of before, by content. Best effort: whatever is wrong with it, files are measured anew.
//!
//! An entry is one small file with its own hash in its first line, put in place by a rename, so that
//! any number of processes share the folder without a lock. `host/decisions/0004` says why it is not
//! in the store.

use super::{AnalyzeError, Input, Record};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use wavemill_core::analysis;

/// Bytes of all entries. An entry has some kilobytes, so this is some ten thousand files.
const BYTES_MAX: u64 = 64 << 20;

/// Folders that entries are spread over, by their first two digits: only one is looked through when an
/// entry is added.
const SHARD_COUNT: u64 = 256;

/// Largest entry read or written.
const ENTRY_BYTES_MAX: u64 = BYTES_MAX / SHARD_COUNT;

/// Where results are kept.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    shard_bytes_max: u64,
}

/// What results depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    /// Hashes an input's content together with what else its results depend on: the version of the
    /// analyzer, the program's (for its decoders), and the extension that helps to read tags.
    pub(super) fn of(input: &Input) -> Result<Self, AnalyzeError> {
        let mut hasher = blake3::Hasher::new();
        let version = env!("CARGO_PKG_VERSION");
        let extension = input.extension().unwrap_or_default().to_lowercase();
        let content = &input.content()?.blake3;
        let text = format!("{content}\0{}\0{version}\0{extension}", analysis::VERSION);
        hasher.update(text.as_bytes());
        if input.is_raw() {
            hasher.update(b"\0raw");
        }
        Ok(Self(hasher.finalize().to_hex().to_string()))
    }
}

impl Cache {
    /// The cache of a state folder; nothing is made before something is kept.
    pub fn of_state(state: &Path) -> Self {
        let folder = state.join("cache").join("analysis");
        Self { folder, shard_bytes_max: BYTES_MAX / SHARD_COUNT }
    }

    /// What is known; `None` where nothing is, or nothing that is whole.
    pub(super) fn get(&self, key: &Key) -> Option<Record> {
        let path = self.path(key);
        let metadata = fs::metadata(&path).ok().filter(|data| data.len() <= ENTRY_BYTES_MAX)?;
        let record = parse(&fs::read(&path).ok()?)?;
        // The time of the last use decides what is dropped first; a day is exact enough.
        let is_old = metadata.modified().ok()?.elapsed().is_ok_and(|age| age.as_secs() > 86_400);
        if is_old && let Ok(file) = fs::File::options().write(true).open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(record)
    }

    /// Keeps what is known. Not synced: an entry that a power cut tore does not have its hash.
    pub(super) fn put(&self, key: &Key, record: &Record) {
        if let Err(error) = self.try_put(key, record) {
            tracing::debug!(folder = %self.folder.display(), %error, "Results are not kept.");
        }
    }

    fn try_put(&self, key: &Key, record: &Record) -> io::Result<()> {
        let path = self.path(key);
        let Some(folder) = path.parent() else { return Ok(()) };
        let body = serde_json::to_vec(record)?;
        let mut bytes = blake3::hash(&body).to_hex().as_bytes().to_vec();
        bytes.push(b'\n');
        bytes.extend(body);
        if bytes.len() as u64 > ENTRY_BYTES_MAX {
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
}

/// What an entry says, if it has the hash it begins with.
fn parse(bytes: &[u8]) -> Option<Record> {
    let (hash, body) = bytes.split_at_checked(64)?;
    let body = body.strip_prefix(b"\n")?;
    let is_whole = blake3::hash(body).to_hex().as_bytes() == hash;
    is_whole.then(|| serde_json::from_slice(body).ok())?
}

/// Names of files are nobody else's business, nor are their hashes.
fn make_private(folder: &Path) -> io::Result<()> {
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
    use crate::analysis::{Part, analyze};
    use serde_json::json;

    fn wave(seed: u8) -> Vec<u8> {
        let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(8000u32.to_le_bytes());
        bytes.extend(16000u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data\xff\xff\xff\xff");
        bytes.extend(
            (0..32_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed),
        );
        bytes
    }

    struct Lab {
        folder: tempfile::TempDir,
        cache: Cache,
    }

    impl Lab {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::of_state(folder.path());
            Self { folder, cache }
        }

        fn file(&self, name: &str, bytes: &[u8]) -> Input {
            let path = self.folder.path().join(name);
            fs::File::create(&path).unwrap().write_all(bytes).unwrap();
            Input::file(&path).unwrap()
        }

        /// The record, and whether anything was decoded for it.
        fn analyze(&self, input: &Input, parts: &[Part]) -> (Record, bool) {
            let mut is_decoded = false;
            let record =
                analyze(input, parts, Some(&self.cache), &mut |_| is_decoded = true).unwrap();
            (record, is_decoded)
        }

        fn entries(&self) -> Vec<PathBuf> {
            let Ok(shards) = fs::read_dir(&self.cache.folder) else { return Vec::new() };
            shards
                .flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap())
                .map(|entry| entry.unwrap().path())
                .collect()
        }
    }

    #[test]
    fn unchanged_file_is_not_decoded_again_and_says_the_same() {
        let lab = Lab::new();
        let (first, is_decoded) = lab.analyze(&lab.file("a.wav", &wave(1)), Part::all());
        assert!(is_decoded);
        let (second, is_decoded) = lab.analyze(&lab.file("a.wav", &wave(1)), Part::all());
        assert!(!is_decoded);
        // Compared as text: what is kept must not lose the last digit of a number.
        assert_eq!(json!(second).to_string(), json!(first).to_string());
        let fresh = analyze(&lab.file("a.wav", &wave(1)), Part::all(), None, &mut |_| ());
        assert_eq!(json!(fresh.unwrap()).to_string(), json!(first).to_string());
    }

    #[test]
    fn copy_elsewhere_shares_the_results_but_not_the_path() {
        let lab = Lab::new();
        lab.analyze(&lab.file("a.wav", &wave(1)), Part::all());
        let copy = lab.file("b.wav", &wave(1));
        let (record, is_decoded) = lab.analyze(&copy, Part::all());
        assert!(!is_decoded);
        assert_eq!(record["file"]["path"], copy.name());
    }

    #[test]
    fn changed_file_is_measured_anew() {
        let lab = Lab::new();
        let (first, _) = lab.analyze(&lab.file("a.wav", &wave(1)), Part::all());
        let (second, is_decoded) = lab.analyze(&lab.file("a.wav", &wave(2)), Part::all());
        assert!(is_decoded);
        assert_ne!(first["level"], second["level"]);
    }

    #[test]
    fn only_groups_that_are_not_known_are_measured() {
        use wavemill_core::analysis::Group;
        let lab = Lab::new();
        let input = lab.file("a.wav", &wave(1));
        let level = [Part::Measures(Group::Level)];
        let (record, _) = lab.analyze(&input, &level);
        assert_eq!(record.keys().collect::<Vec<_>>(), ["level"]);
        let (all, is_decoded) = lab.analyze(&input, Part::all());
        assert!(is_decoded);
        assert_eq!(all["level"], record["level"]);
        assert!(!lab.analyze(&input, &level).1);
        assert_eq!(lab.entries().len(), 1);
    }

    #[test]
    fn damaged_entry_is_ignored_and_written_anew() {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wave(1));
        let (first, _) = lab.analyze(&input, Part::all());
        let path = lab.entries().remove(0);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[80] ^= 1;
        for damaged in [&whole[..whole.len() / 2], &flipped, b"", b"x"] {
            fs::File::create(&path).unwrap().write_all(damaged).unwrap();
            let (record, is_decoded) = lab.analyze(&input, Part::all());
            assert!(is_decoded);
            assert_eq!(record, first);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn cache_that_cannot_be_written_changes_nothing() {
        let lab = Lab::new();
        // A file where the folder would be.
        fs::File::create(lab.folder.path().join("cache")).unwrap();
        let (record, is_decoded) = lab.analyze(&lab.file("a.wav", &wave(1)), Part::all());
        assert!(is_decoded && record.contains_key("loudness"));
    }

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
