//! From a temporary name to the final one, atomically, once, and only if the bytes are right.

use super::conflict::irreplaceable;
use super::crash::{crash_point, mishap_point};
use super::files::{FileIdentity, identity, rename_noreplace, sync_dir};
use super::hash::hash_file;
use super::name_claim::NameClaim;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A complete temporary file and the name it shall get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Where it is.
    pub temporary: PathBuf,
    /// What it will be called.
    pub path: PathBuf,
    /// How it takes that name.
    pub takes: NameClaim,
    /// Its size.
    pub size_bytes: u64,
    /// BLAKE3 of its bytes, 64 hex digits.
    pub blake3: String,
}

/// Whether the bytes of a temporary file are known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// They were verified and synced moments ago.
    Size,
    /// A crash lies between: they are hashed again.
    Nothing,
}

/// Why a file did not get its name.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The name is taken by something that was not there, or was another file, when it was chosen.
    #[error("output {}: another file has taken this name in the meantime", .path.display())]
    Taken {
        /// The name.
        path: PathBuf,
    },
    /// The temporary file is gone or changed.
    #[error("temporary file {} is {how}", .path.display())]
    Lost {
        /// The temporary file.
        path: PathBuf,
        /// `gone` or `damaged`.
        how: &'static str,
    },
    /// The file system failed; what was renamed may not survive a power cut and must be made anew.
    #[error("output {}: {error}", .path.display())]
    Io {
        /// The name.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// Publishing failed, and a name given before could not be taken back.
    #[error("{cause}; output {} could not be removed: {error}", .path.display())]
    Left {
        /// Why publishing failed.
        cause: Box<PublishError>,
        /// The file that stays.
        path: PathBuf,
        /// Why it stays.
        error: io::Error,
    },
}

impl PublishError {
    /// This error, and the file at `path`, which stays for another.
    pub(super) fn and_left(self, path: &Path, error: io::Error) -> Self {
        Self::Left { cause: Box::new(self), path: path.to_owned(), error }
    }
}

/// Gives a file its final name and returns what it looks like there. Doing it again after a crash at
/// any point is harmless.
pub fn publish(file: &Finished, trust: Trust) -> Result<FileIdentity, PublishError> {
    let io = |error| PublishError::Io { path: file.path.clone(), error };
    match identity(&file.temporary).map_err(io)? {
        None if holds(file, &file.path).map_err(io)? => sync_folder(&file.path).map_err(io)?,
        None => return Err(PublishError::Lost { path: file.temporary.clone(), how: "gone" }),
        Some(found) => {
            if found.size_bytes != file.size_bytes
                || (trust == Trust::Nothing && !holds(file, &file.temporary).map_err(io)?)
            {
                return Err(PublishError::Lost { path: file.temporary.clone(), how: "damaged" });
            }
            crash_point("before rename").map_err(io)?;
            rename(file)?;
            crash_point("after rename").map_err(io)?;
            if let Err(error) = sync_folder(&file.path) {
                return Err(unname(file, found, io(error)));
            }
        }
    }
    crash_point("after folder sync").map_err(io)?;
    identity(&file.path)
        .map_err(io)?
        .ok_or_else(|| PublishError::Lost { path: file.path.clone(), how: "gone" })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    mishap_point("folder sync")?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

/// Takes back a name that was given a moment ago and may not survive a power cut: no record knows
/// the file under it, so the next attempt would find its own name taken. A file that replaces
/// whatever is there stays: the next attempt replaces it.
fn unname(file: &Finished, renamed: FileIdentity, cause: PublishError) -> PublishError {
    if file.takes == NameClaim::Any
        || !matches!(identity(&file.path), Ok(Some(now)) if now == renamed)
    {
        return cause;
    }
    match remove(&file.path) {
        Ok(()) => cause,
        Err(error) => cause.and_left(&file.path, error),
    }
}

/// Removes a file that was published a moment ago.
fn remove(path: &Path) -> io::Result<()> {
    mishap_point("taking back")?;
    fs::remove_file(path)
}

/// Whether `path` has the file's bytes.
fn holds(file: &Finished, path: &Path) -> io::Result<bool> {
    let is_size = identity(path)?.is_some_and(|found| found.size_bytes == file.size_bytes);
    Ok(is_size && hash_file(path)? == file.blake3)
}

fn rename(file: &Finished) -> Result<(), PublishError> {
    let io = |error| PublishError::Io { path: file.path.clone(), error };
    let taken = || Err(PublishError::Taken { path: file.path.clone() });
    let into_free = || match rename_noreplace(&file.temporary, &file.path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => into_taken(file),
        other => other.map_err(io),
    };
    match file.takes {
        NameClaim::Free => into_free(),
        NameClaim::Own(former) => match identity(&file.path).map_err(io)? {
            Some(found) if found == former => fs::rename(&file.temporary, &file.path).map_err(io),
            Some(_) => taken(),
            None => into_free(),
        },
        NameClaim::Any
            if fs::symlink_metadata(&file.path)
                .is_ok_and(|found| irreplaceable(&found).is_some()) =>
        {
            taken()
        }
        NameClaim::Any => fs::rename(&file.temporary, &file.path).map_err(io),
    }
}

/// The name is taken, perhaps by the file itself: where the file system cannot rename without
/// replacing, a link and an unlink stand in, and a crash may have come between.
fn into_taken(file: &Finished) -> Result<(), PublishError> {
    let io = |error| PublishError::Io { path: file.path.clone(), error };
    let temporary = identity(&file.temporary).map_err(io)?;
    if temporary.is_some() && temporary == identity(&file.path).map_err(io)? {
        return fs::remove_file(&file.temporary).map_err(io);
    }
    Err(PublishError::Taken { path: file.path.clone() })
}

/// Takes a published file back, if it is still the one that was published and replaced nothing.
pub fn withdraw(file: &Finished, published: FileIdentity) -> io::Result<()> {
    if file.takes == NameClaim::Free && identity(&file.path)? == Some(published) {
        remove(&file.path)?;
        sync_dir(file.path.parent().unwrap_or(Path::new("/")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::crash_tests;
    use super::*;
    use std::fs::File;
    use std::io::Write;

    struct Case {
        folder: tempfile::TempDir,
        file: Finished,
    }

    fn write(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// A prepared file `new` that takes `out.wav` as `takes` says.
    fn case(takes: NameClaim) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().join(".out.wav.part");
        write(&temporary, "new");
        let blake3 = hash_file(&temporary).unwrap();
        let path = folder.path().join("out.wav");
        Case { folder, file: Finished { temporary, path, takes, size_bytes: 3, blake3 } }
    }

    impl Case {
        fn holds(&self, text: &str) -> bool {
            fs::read_to_string(&self.file.path).unwrap() == text
        }

        fn names(&self) -> usize {
            fs::read_dir(self.folder.path()).unwrap().count()
        }
    }

    #[test]
    fn file_gets_its_free_name() {
        let case = case(NameClaim::Free);
        let found = publish(&case.file, Trust::Nothing).unwrap();
        assert_eq!(found.size_bytes, 3);
        assert!(case.holds("new"));
        assert_eq!(case.names(), 1);
    }

    #[test]
    fn publishing_again_changes_nothing() {
        let case = case(NameClaim::Free);
        let first = publish(&case.file, Trust::Size).unwrap();
        assert_eq!(publish(&case.file, Trust::Nothing).unwrap(), first);
    }

    #[test]
    fn foreign_file_is_not_replaced() {
        let case = case(NameClaim::Free);
        write(&case.file.path, "foreign");
        let error = publish(&case.file, Trust::Size).unwrap_err();
        assert!(matches!(error, PublishError::Taken { .. }));
        assert!(case.holds("foreign"));
        assert!(case.file.temporary.exists());
    }

    #[test]
    fn own_file_is_replaced_only_while_unchanged() {
        let mut case = case(NameClaim::Free);
        write(&case.file.path, "old");
        case.file.takes = NameClaim::Own(identity(&case.file.path).unwrap().unwrap());
        write(&case.file.path, "edited by the user");
        let error = publish(&case.file, Trust::Size).unwrap_err();
        assert!(matches!(error, PublishError::Taken { .. }));
        assert!(case.holds("edited by the user"));
        case.file.takes = NameClaim::Own(identity(&case.file.path).unwrap().unwrap());
        publish(&case.file, Trust::Size).unwrap();
        assert!(case.holds("new"));
    }

    #[test]
    fn replace_replaces_a_file_but_no_folder_and_no_link() {
        let case = case(NameClaim::Any);
        std::os::unix::fs::symlink("nowhere", &case.file.path).unwrap();
        assert!(matches!(publish(&case.file, Trust::Size), Err(PublishError::Taken { .. })));
        fs::remove_file(&case.file.path).unwrap();
        fs::create_dir(&case.file.path).unwrap();
        assert!(matches!(publish(&case.file, Trust::Size), Err(PublishError::Taken { .. })));
        fs::remove_dir(&case.file.path).unwrap();
        write(&case.file.path, "foreign");
        publish(&case.file, Trust::Size).unwrap();
        assert!(case.holds("new"));
    }

    #[test]
    fn damaged_or_missing_part_is_lost() {
        let case = case(NameClaim::Free);
        write(&case.file.temporary, "bad");
        assert!(matches!(publish(&case.file, Trust::Nothing), Err(PublishError::Lost { .. })));
        write(&case.file.temporary, "too long");
        assert!(matches!(publish(&case.file, Trust::Size), Err(PublishError::Lost { .. })));
        fs::remove_file(&case.file.temporary).unwrap();
        assert!(matches!(publish(&case.file, Trust::Size), Err(PublishError::Lost { .. })));
        assert_eq!(case.names(), 0);
    }

    #[test]
    fn crash_between_link_and_unlink_is_finished() {
        let case = case(NameClaim::Free);
        fs::hard_link(&case.file.temporary, &case.file.path).unwrap();
        publish(&case.file, Trust::Nothing).unwrap();
        assert!(case.holds("new"));
        assert_eq!(case.names(), 1);
    }

    fn fail_folder_sync() {
        crash_tests::meanwhile("folder sync", || Err(io::Error::other("disk failed")));
    }

    #[test]
    fn name_whose_folder_cannot_be_synced_is_free_again() {
        let case = case(NameClaim::Free);
        fail_folder_sync();
        let error = publish(&case.file, Trust::Size).unwrap_err();
        assert!(matches!(error, PublishError::Io { .. }), "{error}");
        assert_eq!(case.names(), 0);
    }

    #[test]
    fn name_given_earlier_stays_when_the_folder_cannot_be_synced() {
        let case = case(NameClaim::Free);
        publish(&case.file, Trust::Size).unwrap();
        fail_folder_sync();
        assert!(publish(&case.file, Trust::Nothing).is_err());
        assert!(case.holds("new"));
    }

    #[test]
    fn withdrawn_file_is_gone_but_a_foreign_one_stays() {
        let case = case(NameClaim::Free);
        let published = publish(&case.file, Trust::Size).unwrap();
        withdraw(&case.file, published).unwrap();
        assert_eq!(case.names(), 0);
        write(&case.file.path, "foreign");
        withdraw(&case.file, published).unwrap();
        assert!(case.holds("foreign"));
    }
}
