//! References: tracks that others are compared with.

use super::tables::{self, ReadAccess, Scan};
use super::{Store, StoreError};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wavemill_core::features::{FEATURE_VERSION, FeatureIndex, Features};
use wavemill_pipelines::profiles::plain_name;

/// A track that others are compared with; its features stand in a table of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRecord {
    /// Who plays.
    pub artist: Option<String>,
    /// What kind of music it is.
    pub genre: Option<String>,
    /// When it was published.
    pub year: Option<i32>,
    /// Where its file was.
    pub path: String,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub blake3: String,
    /// When it was added, milliseconds since 1970.
    pub added_ms: u64,
    /// Version of its features.
    pub feature_version: u32,
    /// What advice needs of its analysis.
    pub measures: Value,
}

/// All references whose features are of this version, ready to be searched. They keep the order of their names.
#[derive(Debug, Default)]
pub struct ReferenceIndex {
    /// Their features.
    pub features: FeatureIndex,
    /// Their names.
    pub names: Vec<String>,
    /// Their genres as they are compared; empty for none.
    pub genres: Vec<String>,
    /// How many more there are, whose features another version made.
    pub outdated: u64,
}

/// The index, as long as nothing changes.
#[derive(Debug, Default)]
pub(super) struct KnownReferences {
    /// Grows with every change.
    changes: AtomicU64,
    index: Mutex<Option<(u64, Arc<ReferenceIndex>)>>,
}

impl Store {
    /// Enters a reference. The same file under the same name is entered anew; returns false where another file has
    /// the name, and changes nothing then.
    ///
    /// # Errors
    /// When the store fails.
    pub fn add_reference(
        &self,
        name: &str,
        record: ReferenceRecord,
        features: &Features,
    ) -> Result<bool, StoreError> {
        let name = name.as_bytes().to_vec();
        let genre = plain_name(record.genre.as_deref().unwrap_or_default());
        let mut bytes = record.feature_version.to_le_bytes().to_vec();
        bytes.extend(features.to_bytes());
        bytes.extend(genre.as_bytes());
        let is_entered = self.write(move |tx| {
            let before = tx.record::<ReferenceRecord>(tables::REFERENCES, &name)?;
            if before.is_some_and(|before| before.blake3 != record.blake3) {
                return Ok(false);
            }
            tx.put(tables::REFERENCES, &name, &record)?;
            tx.put_bytes(tables::REFERENCE_FEATURES, &name, &bytes)?;
            Ok(true)
        })?;
        self.references.changes.fetch_add(1, Ordering::SeqCst);
        Ok(is_entered)
    }

    /// A reference and its features.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reference(&self, name: &str) -> Result<Option<(ReferenceRecord, Features)>, StoreError> {
        let look = self.read()?;
        let record = look.record::<ReferenceRecord>(tables::REFERENCES, name.as_bytes())?;
        let bytes = look.bytes(tables::REFERENCE_FEATURES, name.as_bytes())?;
        let Some((record, bytes)) = record.zip(bytes) else { return Ok(None) };
        Ok(Some((record, stored(&bytes)?.features)))
    }

    /// Visits the references by name until `visit` returns false.
    ///
    /// # Errors
    /// When the store fails.
    pub fn visit_references(
        &self,
        visit: &mut dyn FnMut(&str, ReferenceRecord) -> bool,
    ) -> Result<(), StoreError> {
        self.read()?.scan(tables::REFERENCES, Scan::forward(&[]), &mut |key, bytes| {
            Ok(visit(&String::from_utf8_lossy(key), tables::decode(bytes)?))
        })
    }

    /// Forgets a reference; returns what it was.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remove_reference(&self, name: &str) -> Result<Option<ReferenceRecord>, StoreError> {
        let name = name.as_bytes().to_vec();
        let removed = self.write(move |tx| {
            let record = tx.record::<ReferenceRecord>(tables::REFERENCES, &name)?;
            tx.remove(tables::REFERENCES, &name)?;
            tx.remove(tables::REFERENCE_FEATURES, &name)?;
            Ok(record)
        })?;
        self.references.changes.fetch_add(1, Ordering::SeqCst);
        Ok(removed)
    }

    /// All references, ready to be searched. Read once and kept until one is added or removed: 600 bytes each.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reference_index(&self) -> Result<Arc<ReferenceIndex>, StoreError> {
        // Before reading: a change that comes meanwhile makes what was read old.
        let changes = self.references.changes.load(Ordering::SeqCst);
        let mut known = self.references.index.lock();
        if let Some((_, index)) = known.as_ref().filter(|(at, _)| *at == changes) {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(self.read_references()?);
        *known = Some((changes, Arc::clone(&index)));
        Ok(index)
    }

    fn read_references(&self) -> Result<ReferenceIndex, StoreError> {
        let mut index = ReferenceIndex::default();
        self.read()?.scan(tables::REFERENCE_FEATURES, Scan::forward(&[]), &mut |key, bytes| {
            let stored = stored(bytes)?;
            if stored.version == FEATURE_VERSION {
                index.features.push(&stored.features);
                index.names.push(String::from_utf8_lossy(key).into_owned());
                index.genres.push(stored.genre);
            } else {
                index.outdated += 1;
            }
            Ok(true)
        })?;
        Ok(index)
    }
}

/// What a record of [`tables::REFERENCE_FEATURES`] holds.
struct StoredFeatures {
    version: u32,
    features: Features,
    genre: String,
}

fn stored(bytes: &[u8]) -> Result<StoredFeatures, StoreError> {
    let short = || StoreError::Record { reason: format!("features of {} bytes", bytes.len()) };
    let (version, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
    let (features, genre) = rest.split_at_checked(Features::BYTES).ok_or_else(short)?;
    let features = Features::from_bytes(features)
        .map_err(|error| StoreError::Record { reason: error.to_string() })?;
    let genre = String::from_utf8_lossy(genre).into_owned();
    Ok(StoredFeatures { version: u32::from_le_bytes(*version), features, genre })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(seed: u32) -> Features {
        let number = |index: usize| Some(((index as f32 + 1.0) * (seed as f32 + 0.7)).sin() * 2.0);
        Features::of_standardized(&std::array::from_fn(number))
    }

    fn record(content: &str, genre: &str) -> ReferenceRecord {
        ReferenceRecord {
            blake3: content.to_owned(),
            genre: Some(genre.to_owned()),
            feature_version: FEATURE_VERSION,
            ..ReferenceRecord::default()
        }
    }

    #[test]
    fn reference_is_found_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(store.reference_index().unwrap().names.is_empty());
        for (seed, name) in (1..).zip(["a", "b", "c"]) {
            assert!(store.add_reference(name, record(name, "Deep House"), &track(seed)).unwrap());
        }
        let index = store.reference_index().unwrap();
        assert_eq!(
            (&index.names[1], &index.genres[1]),
            (&"b".to_owned(), &"deep-house".to_owned())
        );
        assert_eq!(index.features.search(&track(2), 1, |_| true)[0].place, 1);
        assert_eq!(store.reference("b").unwrap().unwrap().1, track(2));
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert!(store.remove_reference("b").unwrap().is_some());
        assert!(store.remove_reference("b").unwrap().is_none());
        assert_eq!(store.reference_index().unwrap().names, ["a", "c"]);
        assert!(store.reference("b").unwrap().is_none());
    }

    #[test]
    fn name_of_another_file_is_not_taken() {
        let store = Store::in_memory().unwrap();
        assert!(store.add_reference("a", record("1", "techno"), &track(1)).unwrap());
        assert!(!store.add_reference("a", record("2", "techno"), &track(2)).unwrap());
        assert_eq!(store.reference("a").unwrap().unwrap().1, track(1));
        assert!(store.add_reference("a", record("1", "trance"), &track(1)).unwrap());
        assert_eq!(store.reference_index().unwrap().genres, ["trance"]);
    }

    #[test]
    fn features_of_another_version_are_counted_and_not_searched() {
        let store = Store::in_memory().unwrap();
        let old = ReferenceRecord { feature_version: 0, ..record("1", "") };
        store.add_reference("old", old, &track(1)).unwrap();
        let index = store.reference_index().unwrap();
        assert_eq!((index.features.len(), index.outdated), (0, 1));
    }
}
