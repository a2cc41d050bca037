//! Results of before, by content.

use super::error::AnalyzeError;
use super::input::Input;
use serde_json::{Map, Value};
use std::path::Path;
use wavemill_core::analysis;
use wavemill_core::decode::Damaged;
use wavemill_store::cache::{Key, ResultCache};

/// A file's facts and measures as reports have them: rounded alike, so that both say the same. Groups
/// that were not asked for are absent.
pub(crate) type Record = Map<String, Value>;

/// Bytes of all results. One has some kilobytes, so this is some ten thousand files.
const BYTES_MAX: u64 = 64 << 20;

/// Where results are kept.
#[derive(Clone, Debug)]
pub(crate) struct Cache(ResultCache);

/// Hashes an input's content together with what else its results depend on: the version of the
/// analyzer, the program's (for its decoders), the extension that helps to read tags, and whether damage
/// is repaired.
pub(super) fn key_of(input: &Input) -> Result<Key, AnalyzeError> {
    let version = env!("CARGO_PKG_VERSION");
    let extension = input.extension().unwrap_or_default().to_lowercase();
    let content = &input.content()?.blake3;
    let raw = if input.is_raw() { "\0raw" } else { "" };
    let repaired = if input.damaged() == Damaged::Repair { "\0repaired" } else { "" };
    let version = format!("{}\0{version}", analysis::VERSION);
    Ok(Key::of(format!("{content}\0{version}\0{extension}{raw}{repaired}")))
}

impl Cache {
    /// The cache of a state folder; nothing is made before something is kept.
    pub(crate) fn of_state(state: &Path) -> Self {
        Self(ResultCache::of_state(state, "analysis", BYTES_MAX))
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// What is known; `None` where nothing is, or nothing that is whole.
    pub(super) fn get(&self, key: &Key) -> Option<Record> {
        self.0.get(key)
    }

    /// Keeps what is known.
    pub(super) fn put(&self, key: &Key, record: &Record) {
        self.0.put(key, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Part, analyze};
    use serde_json::json;
    use std::fs;
    use std::io::Write as _;
    use std::path::PathBuf;
    use wavemill_core::analysis::MeasureGroup;
    use wavemill_core::music::{RhythmOptions, TempoPrior};

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
            self.analyze_with(input, parts, RhythmOptions::default())
        }

        fn analyze_with(
            &self,
            input: &Input,
            parts: &[Part],
            rhythm: RhythmOptions,
        ) -> (Record, bool) {
            let mut is_decoded = false;
            let record =
                analyze(input, parts, rhythm, Some(&self.cache), &mut |_| is_decoded = true)
                    .unwrap();
            (record, is_decoded)
        }

        fn entries(&self) -> Vec<PathBuf> {
            let Ok(shards) = fs::read_dir(self.cache.0.folder()) else { return Vec::new() };
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
        let fresh = analyze(
            &lab.file("a.wav", &wave(1)),
            Part::all(),
            RhythmOptions::default(),
            None,
            &mut |_| (),
        );
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
        use wavemill_core::analysis::MeasureGroup;
        let lab = Lab::new();
        let input = lab.file("a.wav", &wave(1));
        let level = [Part::Measures(MeasureGroup::Level)];
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
    fn rhythm_is_kept_for_each_of_its_options() {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wave(1));
        let parts = [Part::Measures(MeasureGroup::Rhythm), Part::Measures(MeasureGroup::Level)];
        let slow = RhythmOptions { tempo_bpm_max: 90.0, ..RhythmOptions::default() };
        let prior = Some(TempoPrior::of_range(80.0, 90.0));
        for rhythm in [slow, RhythmOptions { prior, ..slow }, RhythmOptions::default()] {
            let (first, is_decoded) = lab.analyze_with(&input, &parts, rhythm);
            assert!(is_decoded, "{rhythm:?}");
            let (second, is_decoded) = lab.analyze_with(&input, &parts, rhythm);
            assert!(!is_decoded && first == second, "{rhythm:?}");
        }
        // The other measures are the same for all of them.
        assert!(!lab.analyze_with(&input, &parts[1..], slow).1);
        assert_eq!(lab.analyze(&input, &parts).0.len(), 2);
    }
}
