//! A file of the index: what is known of it, and how little of that is kept while it rests.

use super::stat::Stat;
use std::time::Instant;

/// A file that the rules let through.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// State in which it was last seen; `None` for a file from the store before it is seen.
    pub(super) stat: Option<Stat>,
    /// What was reported of it as settled or touched, or what the store knew.
    pub(super) known: Option<FileContent>,
    /// Where it stands.
    pub(super) phase: Phase,
    /// Since when it has not changed.
    pub(super) since: Option<Instant>,
    /// When it is to be looked at.
    pub(super) due: Option<Instant>,
    /// The earliest timer that is set for it.
    pub(super) timer: Option<Instant>,
    /// Number of the last listing that saw it.
    pub(super) seen: u64,
    /// Number of the hash job that counts.
    pub(super) token: u64,
    /// Whether a writer wrote and no event of closing it was received.
    pub(super) is_open: bool,
    /// Whether an event of its appearance or renaming was received since it was last reported.
    pub(super) is_redropped: bool,
    /// Whether its header promised more bytes than were there, in this state.
    pub(super) is_incomplete: bool,
    /// The reason reported for not taking it, in this state.
    pub(super) reported: Option<String>,
}

/// A file's content as the engine knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileContent {
    pub(super) size_bytes: u64,
    pub(super) modified_ns: i64,
    pub(super) inode: u64,
    pub(super) hash: blake3::Hash,
}

/// Where a file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Reported, or known and unchanged: nothing to do until it changes.
    #[default]
    Rest,
    /// Waiting to be left alone for long enough.
    Settling,
    /// Waiting for its marker.
    Marker,
    /// Being read.
    Hashing,
}

/// A file as the index keeps it. Nearly all rest at any time, and of those little has to be known.
#[derive(Debug)]
pub(super) enum IndexedFile {
    /// It rests.
    Resting(RestingFile),
    /// Something is to be done or was reported about it.
    Active(Box<File>),
}

/// A file that was reported and has not changed since.
#[derive(Debug)]
pub(super) struct RestingFile {
    known: FileContent,
    /// [`Stat::changed_ns`], if it was seen since the store was read.
    changed_ns: i64,
    /// Number of the last listing that saw it.
    seen: u64,
    is_seen: bool,
}

impl File {
    /// Whether something will be reported about it if it does not change any more.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Settling | Phase::Hashing) && self.reported.is_none()
    }

    /// Whether it was reported to the engine, which then must be notified when it is gone.
    pub(super) fn was_emitted(&self) -> bool {
        self.known.is_some() || self.reported.is_some()
    }
}

impl FileContent {
    /// Whether a file in this state is surely the known one.
    pub(super) fn is(&self, stat: &Stat) -> bool {
        self.size_bytes == stat.size_bytes
            && self.modified_ns == stat.modified_ns
            && self.inode == stat.inode
    }
}

impl IndexedFile {
    /// Packs a file if it rests.
    pub(super) fn new(file: File) -> Self {
        match RestingFile::of(&file) {
            Some(resting) => Self::Resting(resting),
            None => Self::Active(Box::new(file)),
        }
    }

    /// The file in full.
    pub(super) fn file(&self) -> File {
        match self {
            Self::Resting(resting) => resting.file(),
            Self::Active(file) => File::clone(file),
        }
    }

    /// Changes the file and keeps it in the form that then fits.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut File) -> T) -> T {
        match self {
            Self::Resting(resting) => {
                let mut file = resting.file();
                let result = change(&mut file);
                *self = Self::new(file);
                result
            }
            Self::Active(file) => {
                let result = change(file);
                if let Some(resting) = RestingFile::of(file) {
                    *self = Self::Resting(resting);
                }
                result
            }
        }
    }

    /// See [`File::is_busy`].
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Active(file) if file.is_busy())
    }

    /// See [`File::was_emitted`].
    pub(super) fn was_emitted(&self) -> bool {
        match self {
            Self::Resting(_) => true,
            Self::Active(file) => file.was_emitted(),
        }
    }

    /// See [`File::seen`].
    pub(super) fn seen(&self) -> u64 {
        match self {
            Self::Resting(resting) => resting.seen,
            Self::Active(file) => file.seen,
        }
    }

    /// See [`File::phase`].
    pub(super) fn phase(&self) -> Phase {
        match self {
            Self::Resting(_) => Phase::Rest,
            Self::Active(file) => file.phase,
        }
    }
}

impl RestingFile {
    /// What is kept of a file if it rests: times and jobs that concern it no more are not.
    fn of(file: &File) -> Option<Self> {
        let known = file.known?;
        let is_as_known = file.stat.is_none_or(|stat| known.is(&stat));
        let rests = file.phase == Phase::Rest && file.reported.is_none() && is_as_known;
        rests.then(|| Self {
            known,
            changed_ns: file.stat.map_or(0, |stat| stat.changed_ns),
            seen: file.seen,
            is_seen: file.stat.is_some(),
        })
    }

    fn file(&self) -> File {
        let FileContent { size_bytes, modified_ns, inode, .. } = self.known;
        let stat = Stat { size_bytes, modified_ns, changed_ns: self.changed_ns, inode };
        File {
            stat: self.is_seen.then_some(stat),
            known: Some(self.known),
            seen: self.seen,
            ..File::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> FileContent {
        FileContent { size_bytes: 1, modified_ns: -2, inode: 3, hash: blake3::hash(b"a") }
    }

    fn stat() -> Stat {
        Stat { size_bytes: 1, modified_ns: -2, changed_ns: 4, inode: 3 }
    }

    #[test]
    fn file_that_rests_is_packed_and_comes_out_as_it_was() {
        for stat in [None, Some(stat())] {
            let kept =
                IndexedFile::new(File { stat, known: Some(known()), seen: 5, ..File::default() });
            assert!(matches!(kept, IndexedFile::Resting(_)));
            let file = kept.file();
            assert_eq!((file.stat, file.known, file.seen), (stat, Some(known()), 5));
            assert!(kept.was_emitted() && !kept.is_busy());
        }
    }

    #[test]
    fn file_is_unpacked_while_anything_is_to_be_done_or_was_reported() {
        let rests = || File { stat: Some(stat()), known: Some(known()), ..File::default() };
        let other = Stat { inode: 9, ..stat() };
        let active = [
            File { phase: Phase::Settling, ..rests() },
            File { phase: Phase::Marker, ..rests() },
            File { reported: Some("no".to_owned()), ..rests() },
            File { known: None, ..rests() },
            File { stat: Some(other), ..rests() },
        ];
        for file in active {
            let mut kept = IndexedFile::new(file);
            assert!(matches!(kept, IndexedFile::Active(_)), "{kept:?}");
            kept.change(|file| *file = rests());
            assert!(matches!(kept, IndexedFile::Resting(_)), "{kept:?}");
        }
    }

    #[test]
    fn file_that_rests_takes_little_memory() {
        // Its hash, four numbers of a `stat`, the number of a listing, and a word for the rest.
        assert!(
            size_of::<IndexedFile>() <= 32 + 6 * size_of::<u64>(),
            "{}",
            size_of::<IndexedFile>()
        );
    }
}
