//! What is known of the files and folders below a root.

use super::KnownFile;
use super::file::{File, FileContent, IndexedFile, Phase};
use super::folder::Folder;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files by folder. Paths are below the root; the root itself is the empty path.
#[derive(Default)]
pub(super) struct Index {
    /// `Path` compares by components, so that what lies below a folder follows it.
    folders: BTreeMap<PathBuf, Folder>,
    file_count: usize,
    busy_count: usize,
}

impl Index {
    /// Takes over a file from the store.
    pub(super) fn seed(&mut self, file: &KnownFile) {
        let KnownFile { size_bytes, modified_ns, inode, .. } = *file;
        self.update(&file.relative, |seeded| match file.hash {
            Some(hash) => seeded.known = Some(FileContent { size_bytes, modified_ns, inode, hash }),
            // Reported again at every start: whoever waits for the folder to be idle must be notified.
            None => seeded.reported = Some(String::new()),
        });
    }

    /// Files in all.
    pub(super) fn file_count(&self) -> usize {
        self.file_count
    }

    /// Files about which something is still to be reported.
    pub(super) fn busy_count(&self) -> usize {
        self.busy_count
    }

    /// Whether there is a file.
    pub(super) fn has_file(&self, relative: &Path) -> bool {
        self.kept(relative).is_some()
    }

    /// A file, if it is there.
    pub(super) fn file(&self, relative: &Path) -> Option<File> {
        self.kept(relative).map(IndexedFile::file)
    }

    fn kept(&self, relative: &Path) -> Option<&IndexedFile> {
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
        let name = relative.file_name().unwrap_or_default();
        let files = &mut self.folder_mut(parent_of(relative)).files;
        let count_before = files.len();
        let (was_busy, is_busy, result) = files.change(name, |file| {
            let was_busy = file.is_busy();
            let result = change(file);
            (was_busy, file.is_busy(), result)
        });
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

    /// The folder and those below it, as far as they were reported as not listed.
    pub(super) fn emitted_folders(&self, relative: &Path) -> Vec<PathBuf> {
        let is_emitted =
            |path: &PathBuf| self.folder(path).is_some_and(|folder| folder.reported.is_some());
        self.folders_below(relative).into_iter().filter(is_emitted).collect()
    }

    /// Forgets a folder and everything below it; returns the files that were reported.
    pub(super) fn remove_folder(&mut self, relative: &Path) -> Vec<PathBuf> {
        if let (Some(name), Some(parent)) =
            (relative.file_name(), self.folders.get_mut(parent_of(relative)))
        {
            parent.folders.remove(name);
        }
        let mut reported = Vec::new();
        for path in self.folders_below(relative) {
            let folder = self.folders.remove(&path).unwrap_or_default();
            self.file_count -= folder.files.len();
            self.busy_count -= folder.files.iter().filter(|(_, file)| file.is_busy()).count();
            let files = folder.files.iter().filter(|(_, file)| file.was_emitted());
            reported.extend(files.map(|(name, _)| path.join(name)));
        }
        reported
    }

    /// Files and folders of a folder that the listing with this number has not seen.
    pub(super) fn unseen(&self, relative: &Path, listing: u64) -> Vec<PathBuf> {
        let Some(folder) = self.folders.get(relative) else { return Vec::new() };
        let files = folder.files.iter().filter(|(_, file)| file.seen() < listing);
        let folders = folder.folders.iter().filter(|(_, seen)| **seen < listing);
        let names = files.map(|(name, _)| name).chain(folders.map(|(name, _)| name.as_os_str()));
        names.map(|name| relative.join(name)).collect()
    }

    /// Files of one folder that wait for their marker.
    pub(super) fn waiting_for_marker(&self, folder: &Path) -> Vec<PathBuf> {
        let files = self.folders.get(folder).into_iter().flat_map(|folder| folder.files.iter());
        let waiting = files.filter(|(_, file)| file.phase() == Phase::Marker);
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
        for path in ["a/x.wav", "a/b/y.wav", "a/b/untold.wav", "a-b/z.wav", "ab.wav"] {
            settle(&mut index, path);
        }
        for path in ["a/x.wav", "a/b/y.wav", "a-b/z.wav"] {
            let known =
                FileContent { size_bytes: 1, modified_ns: 1, inode: 1, hash: blake3::hash(b"a") };
            index.update(Path::new(path), |file| file.known = Some(known));
        }
        let mut gone = index.remove_folder(Path::new("a"));
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
        index.update(Path::new("x.wav"), |file| file.reported = Some("no".into()));
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
