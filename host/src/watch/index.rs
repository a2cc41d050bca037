//! What is known of the files and folders below a root.

use super::KnownFile;
use super::stat::{Identity, Stat};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Files by folder. Paths are below the root; the root itself is the empty path.
#[derive(Default)]
pub(super) struct Index {
    /// `Path` compares by components, so that what lies below a folder follows it.
    folders: BTreeMap<PathBuf, Folder>,
    file_count: usize,
    busy_count: usize,
}

/// A folder.
#[derive(Default)]
pub(super) struct Folder {
    /// Who it was when it was last listed; `None` before.
    pub(super) identity: Option<Identity>,
    /// The reason told for not listing it.
    pub(super) told: Option<String>,
    /// Its folders, with the number of the last listing that saw them.
    pub(super) folders: HashMap<OsString, u64>,
    files: HashMap<OsString, File>,
}

/// A file that the rules let through.
#[derive(Debug, Default)]
pub(super) struct File {
    /// State in which it was last seen; `None` for a file from the store before it is seen.
    pub(super) stat: Option<Stat>,
    /// What was told of it as settled or touched, or what the store knew.
    pub(super) known: Option<Known>,
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
    /// Whether a writer wrote and was not heard closing it.
    pub(super) is_open: bool,
    /// Whether it was heard appearing or being renamed since it was last told of.
    pub(super) is_redropped: bool,
    /// Whether its header promised more bytes than were there, in this state.
    pub(super) is_incomplete: bool,
    /// The reason told for not taking it, in this state.
    pub(super) told: Option<String>,
}

/// A file's content as the engine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) size_bytes: u64,
    pub(super) modified_ns: i128,
    pub(super) inode: u64,
    pub(super) hash: String,
}

/// Where a file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Told of, or known and unchanged: nothing to do until it changes.
    #[default]
    Rest,
    /// Waiting to be left alone for long enough.
    Settling,
    /// Waiting for its marker.
    Marker,
    /// Being read.
    Hashing,
}

impl File {
    /// Whether something will be told of it if it does not change any more.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Settling | Phase::Hashing) && self.told.is_none()
    }

    /// Whether the engine has heard of it, so that it must hear when it is gone.
    pub(super) fn was_told(&self) -> bool {
        self.known.is_some() || self.told.is_some()
    }
}

impl Folder {
    /// Whether nothing is known to be in it.
    pub(super) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }
}

impl Known {
    /// Whether a file in this state is surely the known one.
    pub(super) fn is(&self, stat: &Stat) -> bool {
        self.size_bytes == stat.size_bytes
            && self.modified_ns == stat.modified_ns
            && self.inode == stat.inode
    }
}

impl Index {
    /// Takes over a file from the store.
    pub(super) fn seed(&mut self, known: KnownFile) {
        let KnownFile { relative, size_bytes, modified_ns, inode, hash, incomplete } = known;
        let content = Known { size_bytes, modified_ns, inode, hash };
        self.update(&relative, |file| {
            if incomplete {
                // Told again at every start: whoever waits for the folder to be idle must hear it.
                file.told = Some(String::new());
            } else {
                file.known = Some(content);
            }
        });
    }

    /// Files in all.
    pub(super) fn file_count(&self) -> usize {
        self.file_count
    }

    /// Files of which something is still to be told.
    pub(super) fn busy_count(&self) -> usize {
        self.busy_count
    }

    /// A file, if it is there.
    pub(super) fn file(&self, relative: &Path) -> Option<&File> {
        self.folders.get(parent_of(relative))?.files.get(relative.file_name()?)
    }

    /// A folder, if it is there.
    pub(super) fn folder(&self, relative: &Path) -> Option<&Folder> {
        self.folders.get(relative)
    }

    /// A folder, made if it is not there, and made known to the folders above it.
    pub(super) fn folder_mut(&mut self, relative: &Path) -> &mut Folder {
        if !self.folders.contains_key(relative) {
            if let Some(name) = relative.file_name() {
                self.folder_mut(parent_of(relative)).folders.entry(name.to_owned()).or_insert(0);
            }
            self.folders.insert(relative.to_owned(), Folder::default());
        }
        self.folders.entry(relative.to_owned()).or_default()
    }

    /// Changes a file, made if it is not there; the only way to do so, since it keeps count.
    pub(super) fn update<T>(&mut self, relative: &Path, change: impl FnOnce(&mut File) -> T) -> T {
        let name = relative.file_name().unwrap_or_default().to_owned();
        let files = &mut self.folder_mut(parent_of(relative)).files;
        let count_before = files.len();
        let file = files.entry(name).or_default();
        let was_busy = file.is_busy();
        let result = change(file);
        let is_busy = file.is_busy();
        let added = files.len() - count_before;
        self.file_count += added;
        self.count(was_busy, is_busy);
        result
    }

    /// Forgets a file and returns what was known of it.
    pub(super) fn remove(&mut self, relative: &Path) -> Option<File> {
        let folder = self.folders.get_mut(parent_of(relative))?;
        let file = folder.files.remove(relative.file_name()?)?;
        self.file_count -= 1;
        self.count(file.is_busy(), false);
        Some(file)
    }

    /// The folder and those below it, as far as they were told as not listed.
    pub(super) fn told_folders(&self, relative: &Path) -> Vec<PathBuf> {
        let is_told =
            |path: &PathBuf| self.folder(path).is_some_and(|folder| folder.told.is_some());
        self.folders_below(relative).into_iter().filter(is_told).collect()
    }

    /// Forgets a folder and everything below it; returns the files.
    pub(super) fn remove_folder(&mut self, relative: &Path) -> Vec<(PathBuf, File)> {
        if let (Some(name), Some(parent)) =
            (relative.file_name(), self.folders.get_mut(parent_of(relative)))
        {
            parent.folders.remove(name);
        }
        let mut files = Vec::new();
        for path in self.folders_below(relative) {
            let folder = self.folders.remove(&path).unwrap_or_default();
            files.extend(folder.files.into_iter().map(|(name, file)| (path.join(name), file)));
        }
        self.file_count -= files.len();
        self.busy_count -= files.iter().filter(|(_, file)| file.is_busy()).count();
        files
    }

    /// Files and folders of a folder that the listing with this number has not seen.
    pub(super) fn unseen(&self, relative: &Path, listing: u64) -> Vec<PathBuf> {
        let Some(folder) = self.folders.get(relative) else { return Vec::new() };
        let files = folder.files.iter().filter(|(_, file)| file.seen < listing);
        let folders = folder.folders.iter().filter(|(_, seen)| **seen < listing);
        let names = files.map(|(name, _)| name).chain(folders.map(|(name, _)| name));
        names.map(|name| relative.join(name)).collect()
    }

    /// Files of one folder that wait for their marker.
    pub(super) fn waiting_for_marker(&self, folder: &Path) -> Vec<PathBuf> {
        let files = self.folders.get(folder).into_iter().flat_map(|folder| &folder.files);
        let waiting = files.filter(|(_, file)| file.phase == Phase::Marker);
        waiting.map(|(name, _)| folder.join(name)).collect()
    }

    /// The folder and all folders below it, from the top.
    fn folders_below(&self, relative: &Path) -> Vec<PathBuf> {
        let folders = self.folders.range(relative.to_owned()..).map(|(path, _)| path);
        folders.take_while(|path| path.starts_with(relative)).cloned().collect()
    }

    fn count(&mut self, was_busy: bool, is_busy: bool) {
        self.busy_count += usize::from(is_busy);
        self.busy_count -= usize::from(was_busy);
    }
}

/// The folder of a path below the root.
pub(super) fn parent_of(relative: &Path) -> &Path {
    relative.parent().unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(index: &mut Index, path: &str) {
        index.update(Path::new(path), |file| file.phase = Phase::Settling);
    }

    #[test]
    fn folder_forgotten_takes_everything_below_and_nothing_beside() {
        let mut index = Index::default();
        for path in ["a/x.wav", "a/b/y.wav", "a-b/z.wav", "ab.wav"] {
            settle(&mut index, path);
        }
        let mut gone: Vec<_> =
            index.remove_folder(Path::new("a")).into_iter().map(|f| f.0).collect();
        gone.sort();
        assert_eq!(gone, [Path::new("a/b/y.wav"), Path::new("a/x.wav")]);
        assert_eq!((index.file_count(), index.busy_count()), (2, 2));
        assert!(index.unseen(Path::new(""), 1).iter().all(|path| path != Path::new("a")));
    }

    #[test]
    fn busy_files_are_counted_as_they_change() {
        let mut index = Index::default();
        settle(&mut index, "x.wav");
        settle(&mut index, "x.wav");
        assert_eq!(index.busy_count(), 1);
        index.update(Path::new("x.wav"), |file| file.told = Some("no".into()));
        assert_eq!(index.busy_count(), 0);
        index.remove(Path::new("x.wav"));
        assert_eq!((index.file_count(), index.busy_count()), (0, 0));
    }

    #[test]
    fn unseen_names_files_and_folders_of_one_folder_only() {
        let mut index = Index::default();
        for path in ["old.wav", "new.wav", "sub/deep.wav"] {
            settle(&mut index, path);
        }
        index.update(Path::new("new.wav"), |file| file.seen = 7);
        let mut unseen = index.unseen(Path::new(""), 7);
        unseen.sort();
        assert_eq!(unseen, [Path::new("old.wav"), Path::new("sub")]);
    }
}
