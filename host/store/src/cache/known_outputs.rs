//! What is remembered of outputs, so that `run` replaces what it or the daemon made, and the daemon what `run` made.

use crate::cache::{Key, ResultCache};
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::{KnownOutput, Memory};

/// Bytes of all that is remembered: about 50,000 outputs.
const BYTES_MAX: u64 = 32 << 20;

/// Outputs by their names, one small file each. What is forgotten counts as somebody else's file.
#[derive(Debug)]
pub struct Outputs {
    kept: ResultCache,
    /// Those that were made since this value was.
    new: Mutex<BTreeSet<PathBuf>>,
}

impl Outputs {
    /// Those of a state folder.
    pub fn of_state(state: &Path) -> Self {
        Self { kept: ResultCache::of_state(state, "outputs", BYTES_MAX), new: Mutex::default() }
    }

    /// Where they are kept.
    pub fn folder(&self) -> &Path {
        self.kept.folder()
    }

    fn made_now(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.new.lock()
    }
}

impl Memory for Outputs {
    fn recall(&self, path: &Path) -> Option<KnownOutput> {
        let mut made: KnownOutput = self.kept.get(&Key::of(path.as_os_str().as_bytes()))?;
        if self.made_now().contains(path) {
            // Two files of one run are two, whatever is in them.
            made.input_blake3.clear();
        }
        Some(made)
    }

    fn remember(&self, path: &Path, made: &KnownOutput) {
        self.kept.put(&Key::of(path.as_os_str().as_bytes()), made);
        self.made_now().insert(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_pipelines::publishing::{FileIdentity, Source};

    #[test]
    fn files_of_one_run_are_two_even_with_one_content() {
        let folder = tempfile::tempdir().unwrap();
        let identity = FileIdentity { size_bytes: 1, modified_ns: 2, inode: 3 };
        let (blake3, input) = ("0".repeat(64), PathBuf::from("/a/x.wav"));
        let pipeline = "p".to_owned();
        let made = KnownOutput { pipeline, input, input_blake3: blake3.clone(), identity, blake3 };
        let (outputs, path) = (Outputs::of_state(folder.path()), Path::new("/out/x.wav"));
        outputs.remember(path, &made);
        let is_of = |outputs: &Outputs, input: &str| {
            let source =
                Source { pipeline: "p", input: Path::new(input), blake3: &made.input_blake3 };
            outputs.recall(path).unwrap().is_of(source)
        };
        assert!(is_of(&outputs, "/a/x.wav") && !is_of(&outputs, "/b/x.wav"));
        let later = Outputs::of_state(folder.path());
        assert!(is_of(&later, "/a/x.wav") && is_of(&later, "/b/x.wav"));
        assert_eq!(later.recall(Path::new("/out/y.wav")), None);
    }
}
