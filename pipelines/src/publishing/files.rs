//! Files: what distinguishes their states, renames that replace nothing, folders that survive a power
//! cut.

use super::os;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

/// What distinguishes one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Size.
    pub size_bytes: u64,
    /// Time of the last write, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Inode number; 0 on systems without.
    pub inode: u64,
}

/// The identity of the regular file at `path`; `None` when there is none. Links are not followed.
pub fn identity(path: &Path) -> io::Result<Option<FileIdentity>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file().then(|| {
            let (modified_ns, inode) = os::facts(&metadata);
            FileIdentity { size_bytes: metadata.len(), modified_ns, inode }
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Renames without replacing: fails with `AlreadyExists` when `to` is taken.
///
/// File systems without such a rename get a hard link and an unlink; those without hard links (FAT)
/// get a check and a rename, where a name taken within microseconds would be replaced.
pub fn rename_noreplace(from: &Path, to: &Path) -> io::Result<()> {
    os::rename_noreplace(from, to)
}

/// Makes what was renamed or created in a folder survive a power cut.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    os::sync_dir(folder)
}

/// Creates a folder and what is missing above it, each synced into its parent.
pub fn create_dirs(folder: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut current = folder;
    while !current.is_dir() {
        missing.push(current);
        match current.parent() {
            Some(parent) if parent != Path::new("") => current = parent,
            _ => break,
        }
    }
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if !folder.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
            _ => {}
        }
        if let Some(parent) = folder.parent().filter(|parent| *parent != Path::new("")) {
            sync_dir(parent)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    fn write(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn rename_noreplace_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        write(&to, "old");
        let error = rename_noreplace(&from, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        assert!(from.exists());
    }

    #[test]
    fn rename_noreplace_moves_to_a_free_name() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        rename_noreplace(&from, &to).unwrap();
        assert!(!from.exists());
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }

    #[test]
    fn rename_noreplace_does_not_follow_a_dangling_link() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, "new");
        std::os::unix::fs::symlink("nowhere", &to).unwrap();
        let error = rename_noreplace(&from, &to).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn create_dirs_makes_the_whole_chain_and_accepts_what_exists() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_dirs(&deep).unwrap();
        create_dirs(&deep).unwrap();
        assert!(deep.is_dir());
        write(&folder.path().join("file"), "");
        assert!(create_dirs(&folder.path().join("file/d")).is_err());
    }

    #[test]
    fn identity_of_links_and_folders_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, "12345");
        std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
        assert_eq!(identity(&file).unwrap().unwrap().size_bytes, 5);
        assert_eq!(identity(&folder.path().join("link")).unwrap(), None);
        assert_eq!(identity(folder.path()).unwrap(), None);
        assert_eq!(identity(&folder.path().join("missing")).unwrap(), None);
    }
}
