//! What becomes of a source after its job: kept, moved, deleted. Decided and on disk before it is
//! done, so that a crash at any point can be finished.

use crate::SourceRecord;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_pipelines::execution::RunError;
#[cfg(test)]
use wavemill_pipelines::publishing::crash_tests;
use wavemill_pipelines::publishing::{
    FileIdentity, crash_point, create_dirs, hash_file, identity, part_path, refusal,
    rename_noreplace, suffixed, sync_dir,
};
use wavemill_platform::trash_for;

/// The source as its job read it.
#[derive(Clone, Debug)]
pub struct SourceContext<'a> {
    /// The job.
    pub job: &'a str,
    /// Where the source is.
    pub input: &'a Path,
    /// Where it was found, before any job moved it.
    pub found: &'a Path,
    /// Whether an earlier job failed and moved it there, so that its reason lies beside it.
    pub has_reason: bool,
    /// What it looked like.
    pub identity: FileIdentity,
    /// What it held.
    pub hash: &'a str,
}

/// A move to be planned.
#[derive(Clone, Debug)]
pub enum PlannedMove<'a> {
    /// Into this folder; the text goes beside it as `<name>.reason.txt`.
    Into(&'a Path, Option<String>),
    /// Into the trash folder of its file system.
    Trash,
}

/// Chooses the name that a source gets that was found as `name`: this name with a number if needed; one
/// that it has there already stays.
///
/// # Errors
/// When the file system of the source has no trash folder.
pub fn plan_move(input: &Path, name: &OsStr, planned: PlannedMove<'_>) -> io::Result<SourceRecord> {
    let (folder, reason, is_trash) = match planned {
        PlannedMove::Into(folder, reason) => (folder.to_path_buf(), reason, false),
        PlannedMove::Trash => (trash_for(input)?.join("files"), None, true),
    };
    let to = free_name(&folder.join(name), input, is_trash);
    Ok(SourceRecord::Moving { to, reason, is_trash })
}

fn is_free(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err()
}

/// `path` or one with a number that is free, in a trash folder with its note, or is `own` already.
fn free_name(path: &Path, own: &Path, is_trash: bool) -> PathBuf {
    let mut names = (1..=u32::MAX).map(|number| match number {
        1 => path.to_path_buf(),
        number => suffixed(path, number),
    });
    let has_note = |path: &Path| is_trash && trash_note(path).is_some_and(|note| !is_free(&note));
    let is_ours = |path: &PathBuf| path == own || (is_free(path) && !has_note(path));
    names.find(is_ours).unwrap_or_else(|| path.to_path_buf())
}

/// Does what a record says and returns what became of it: again pending (another name) when the
/// chosen name was taken meanwhile, `Left` when the source must not or cannot be touched. What may have
/// passed a moment later, as an I/O error or a full disk, is tried again.
///
/// # Errors
/// Only crashes made by tests; what the file system refuses is `Left`.
pub fn carry_out(source: &SourceContext<'_>, record: &SourceRecord) -> io::Result<SourceRecord> {
    let attempt = || match record {
        SourceRecord::Moving { to, reason, is_trash } => {
            carry_out_move(source, to, reason.as_deref(), *is_trash)
        }
        SourceRecord::Deleting => delete(source),
        other => Ok(other.clone()),
    };
    let mut result = attempt();
    for tries in 1..TRIES_MAX {
        match &result {
            #[cfg(test)]
            Err(error) if error.to_string() == crash_tests::MESSAGE => break,
            Err(error) if may_pass(source.input, error) => {
                // The end of the daemon waits for its jobs, and so for this.
                std::thread::park_timeout(AGAIN_AFTER * tries);
                result = attempt();
            }
            _ => break,
        }
    }
    match result {
        #[cfg(test)]
        Err(error) if error.to_string() == crash_tests::MESSAGE => Err(error),
        Err(error) => {
            let reason = format!("{}: {error}", source.input.display());
            tracing::warn!(job = source.job, %reason, "Source left in place.");
            Ok(SourceRecord::Left { reason })
        }
        Ok(record) => Ok(record),
    }
}

/// Times that a source is tried to be moved or deleted.
const TRIES_MAX: u32 = 3;

/// Wait after the first failure, longer by as much after each further one. Short, as a place for jobs is
/// held meanwhile.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

fn may_pass(input: &Path, error: &io::Error) -> bool {
    matches!(refusal(input, error), RunError::Transient { .. })
}

fn carry_out_move(
    source: &SourceContext<'_>,
    to: &Path,
    reason: Option<&str>,
    is_trash: bool,
) -> io::Result<SourceRecord> {
    let Some(found) = identity(source.input)? else {
        // Gone: by us before a crash, or by someone else.
        return Ok(match identity(to)? {
            Some(moved) if moved.size_bytes == source.identity.size_bytes => {
                // Whoever moved it may not have come to this.
                sync_dir(folder_of(to))?;
                sync_dir(folder_of(source.input))?;
                SourceRecord::Moved { to: to.to_path_buf() }
            }
            _ => SourceRecord::Left { reason: "it was already gone".to_owned() },
        });
    };
    if found != source.identity && hash_file(source.input)? != source.hash {
        return Ok(left_because_changed());
    }
    // While it is there nobody else's reason has this place.
    if source.has_reason {
        remove_reason(source.input);
    }
    create_dirs(folder_of(to))?;
    if let Some(reason) = reason {
        write_reason(source.job, to, reason)?;
    }
    if to == source.input {
        return Ok(SourceRecord::Moved { to: to.to_path_buf() });
    }
    let another_name = || SourceRecord::Moving {
        to: free_name(to, source.input, is_trash),
        reason: reason.map(str::to_owned),
        is_trash,
    };
    if is_trash && !note_trashed(source.found, to)? {
        return Ok(another_name());
    }
    crash_point("before source move")?;
    match rename_noreplace(source.input, to) {
        Ok(()) => {}
        // Linux says so before it looks whether the name is free.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices && is_free(to) => {
            if !copy_over(source, to, found)? {
                return Ok(left_because_changed());
            }
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::AlreadyExists | io::ErrorKind::CrossesDevices
            ) =>
        {
            if !is_copy(source, to)? {
                return Ok(another_name());
            }
            crash_point("before source removal")?;
            if !remove_source(source.input, found)? {
                return Ok(left_because_changed());
            }
        }
        Err(error) => return Err(error),
    }
    crash_point("after source move")?;
    sync_dir(folder_of(to))?;
    sync_dir(folder_of(source.input))?;
    if source.found != source.input {
        forget_trashed(source.input);
    }
    Ok(SourceRecord::Moved { to: to.to_path_buf() })
}

/// Whether `to` has the source's bytes: an interrupted move across file systems.
fn is_copy(source: &SourceContext<'_>, to: &Path) -> io::Result<bool> {
    let is_size = identity(to)?.is_some_and(|copy| copy.size_bytes == source.identity.size_bytes);
    Ok(is_size && hash_file(to)? == source.hash)
}

/// Moves across file systems: a verified, synced copy first, then the original goes. False when the
/// original is another file by then than the `seen` one, and stays.
fn copy_over(source: &SourceContext<'_>, to: &Path, seen: FileIdentity) -> io::Result<bool> {
    let part = part_path(to, source.job, 0, 0);
    // Of an earlier, interrupted copy.
    let _ = fs::remove_file(&part);
    let copied = copy_synced(source.input, &part).and_then(|()| {
        if hash_file(&part)? != source.hash {
            return Err(io::Error::other("it changed while it was being copied"));
        }
        rename_noreplace(&part, to)
    });
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied?;
    crash_point("after source copy")?;
    sync_dir(folder_of(to))?;
    remove_source(source.input, seen)
}

/// Removes a source that still is the file that was `seen` before its bytes were last judged; false
/// when another file has its name by now. No system call unlinks a name on a condition, so the look
/// directly before is as near as one comes.
fn remove_source(input: &Path, seen: FileIdentity) -> io::Result<bool> {
    match identity(input)? {
        Some(found) if found == seen => fs::remove_file(input).map(|()| true),
        found => Ok(found.is_none() && fs::symlink_metadata(input).is_err()),
    }
}

fn copy_synced(from: &Path, to: &Path) -> io::Result<()> {
    let mut input = File::open(from)?;
    let mut output = OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut input, &mut output)?;
    if let Ok(modified) = input.metadata().and_then(|metadata| metadata.modified()) {
        output.set_modified(modified)?;
    }
    output.sync_all()
}

fn delete(source: &SourceContext<'_>) -> io::Result<SourceRecord> {
    match identity(source.input)? {
        None => Ok(SourceRecord::Deleted),
        Some(found) if found != source.identity && hash_file(source.input)? != source.hash => {
            Ok(left_because_changed())
        }
        Some(found) => {
            if source.has_reason {
                remove_reason(source.input);
            }
            crash_point("before source delete")?;
            if !remove_source(source.input, found)? {
                return Ok(left_because_changed());
            }
            sync_dir(folder_of(source.input))?;
            Ok(SourceRecord::Deleted)
        }
    }
}

fn left_because_changed() -> SourceRecord {
    SourceRecord::Left { reason: "it changed in the meantime".to_owned() }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Where it says why a file failed that is at `path`.
fn reason_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".reason.txt");
    path.with_file_name(name)
}

/// Removes what [`write_reason`] wrote beside a file.
pub fn remove_reason(path: &Path) {
    let path = reason_path(path);
    match fs::remove_file(&path) {
        Err(error) if is_free(&path) => tracing::debug!(%error, "There was no reason file."),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "Reason file could not be removed.");
        }
        Ok(()) => {}
    }
}

/// Writes why a file failed beside where it goes, whole or not at all.
fn write_reason(job: &str, to: &Path, reason: &str) -> io::Result<()> {
    let path = reason_path(to);
    let part = part_path(&path, job, 0, 1);
    let written = File::create(&part)
        .and_then(|mut file| {
            file.write_all(format!("{reason}\n").as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&part, &path));
    match written {
        // A name of 255 bytes has no room for the ending; the reason is in `jobs show` too.
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => fs::remove_file(&part),
        Err(error) => {
            // What was not synced is never trusted; it is written anew.
            let _ = fs::remove_file(&part);
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// Writes the note that lets a desktop put a trashed file back; false where another file has one of this name.
///
/// Source: FreeDesktop.org Trash specification 1.0, "The $trash/info directory".
fn note_trashed(input: &Path, to: &Path) -> io::Result<bool> {
    let Some(note) = trash_note(to) else { return Ok(true) };
    create_dirs(folder_of(&note))?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let bytes = input.as_os_str().as_bytes().iter();
    let path: String = bytes
        .map(
            |&byte| {
                if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect();
    let date = jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let head = format!("[Trash Info]\nPath={path}\n");
    let text = format!("{head}DeletionDate={date}\n");
    match File::create_new(&note) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Ours from before a crash, maybe not all of it.
            let there = fs::read_to_string(&note)?;
            let is_ours = there.starts_with(&head) || head.starts_with(&there);
            if is_ours {
                File::create(&note)?.write_all(text.as_bytes())?;
            }
            Ok(is_ours)
        }
        Err(error) => Err(error),
    }
}

/// The note of a file in a trash folder.
fn trash_note(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_owned();
    name.push(".trashinfo");
    Some(path.parent()?.parent()?.join("info").join(name))
}

/// Whether a file lies in a trash folder, with its note.
pub fn is_trashed(path: &Path) -> bool {
    folder_of(path).ends_with("files") && trash_note(path).is_some_and(|note| note.is_file())
}

/// Removes the note of a file that was taken out of a trash folder, if it lay in one.
fn forget_trashed(path: &Path) {
    if let Some(note) = trash_note(path).filter(|_| is_trashed(path))
        && let Err(error) = fs::remove_file(&note)
    {
        tracing::warn!(path = %note.display(), %error, "Note in the trash could not be removed.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        folder: tempfile::TempDir,
        input: PathBuf,
        found: PathBuf,
        has_reason: bool,
        identity: FileIdentity,
        hash: String,
    }

    fn case() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("in.wav");
        File::create(&input).unwrap().write_all(b"sound").unwrap();
        let identity = identity(&input).unwrap().unwrap();
        let hash = hash_file(&input).unwrap();
        let found = input.clone();
        Case { folder, input, found, has_reason: false, identity, hash }
    }

    impl Case {
        fn carry_out(&self, record: &SourceRecord) -> SourceRecord {
            let source = SourceContext {
                job: "0123456789abc",
                input: &self.input,
                found: &self.found,
                has_reason: self.has_reason,
                identity: self.identity,
                hash: &self.hash,
            };
            carry_out(&source, record).unwrap()
        }

        fn failed(&self) -> PathBuf {
            self.folder.path().join("failed")
        }

        fn plan_into(&self, folder: &Path, reason: Option<&str>) -> SourceRecord {
            let planned = PlannedMove::Into(folder, reason.map(str::to_owned));
            plan_move(&self.input, OsStr::new("in.wav"), planned).unwrap()
        }

        fn plan(&self, reason: Option<&str>) -> SourceRecord {
            let failed = self.failed();
            self.plan_into(&failed, reason)
        }
    }

    #[test]
    fn failed_source_is_moved_with_its_reason_beside_it() {
        let case = case();
        let moved = case.carry_out(&case.plan(Some("is no sound")));
        let to = case.failed().join("in.wav");
        assert_eq!(moved, SourceRecord::Moved { to: to.clone() });
        assert_eq!(fs::read_to_string(&to).unwrap(), "sound");
        let reason = fs::read_to_string(case.failed().join("in.wav.reason.txt")).unwrap();
        assert_eq!(reason, "is no sound\n");
        assert!(!case.input.exists());
    }

    #[test]
    fn moved_source_that_fails_again_stays_with_the_new_reason() {
        let mut case = case();
        case.carry_out(&case.plan(Some("is no sound")));
        case.input = case.failed().join("in.wav");
        case.has_reason = true;
        let again = case.plan(Some("is still none"));
        assert_eq!(case.carry_out(&again), SourceRecord::Moved { to: case.input.clone() });
        let reason = fs::read_to_string(case.failed().join("in.wav.reason.txt")).unwrap();
        assert_eq!(reason, "is still none\n");
        assert_eq!(fs::read_dir(case.failed()).unwrap().count(), 2);
    }

    #[test]
    fn moved_source_that_goes_on_gets_its_name_back_and_takes_its_reason_with_it() {
        let mut case = case();
        fs::create_dir(case.failed()).unwrap();
        File::create(case.failed().join("in.wav")).unwrap();
        case.carry_out(&case.plan(Some("is no sound")));
        case.input = case.failed().join("in-2.wav");
        case.has_reason = true;
        let done = case.folder.path().join("done");
        let plan = case.plan_into(&done, None);
        assert_eq!(case.carry_out(&plan), SourceRecord::Moved { to: done.join("in.wav") });
        assert_eq!(fs::read_dir(case.failed()).unwrap().count(), 1, "the foreign file only");
    }

    #[test]
    fn trashed_source_keeps_the_place_it_is_put_back_to() {
        let mut case = case();
        let trash = case.folder.path().join("Trash");
        let to = |name: &str| SourceRecord::Moving {
            to: trash.join("files").join(name),
            reason: None,
            is_trash: true,
        };
        let note = |name: &str| fs::read_to_string(trash.join("info").join(name));
        case.carry_out(&to("in-2.wav"));
        let first = note("in-2.wav.trashinfo").unwrap();
        assert!(first.contains(&format!("Path={}\n", case.found.display())), "{first}");
        // Processed again, it stays, or gets a name that is free by now.
        case.input = trash.join("files/in-2.wav");
        case.carry_out(&to("in-2.wav"));
        assert_eq!(note("in-2.wav.trashinfo").unwrap(), first);
        case.carry_out(&to("in.wav"));
        assert!(note("in.wav.trashinfo").unwrap().contains(&case.found.display().to_string()));
        assert!(note("in-2.wav.trashinfo").is_err());
        // Taken out of the trash.
        case.input = trash.join("files/in.wav");
        case.carry_out(&case.plan(None));
        assert_eq!(fs::read_dir(trash.join("info")).unwrap().count(), 0);
    }

    #[test]
    fn note_of_another_in_the_trash_stays() {
        let case = case();
        let trash = case.folder.path().join("Trash");
        let note = trash.join("info/in.wav.trashinfo");
        create_dirs(&trash.join("info")).unwrap();
        File::create(&note).unwrap().write_all(b"[Trash Info]\nPath=/theirs\n").unwrap();
        let to = trash.join("files/in.wav");
        let another = case.carry_out(&SourceRecord::Moving { to, reason: None, is_trash: true });
        assert!(case.input.exists(), "it is moved under the next name");
        let to = trash.join("files/in-2.wav");
        assert_eq!(another, SourceRecord::Moving { to: to.clone(), reason: None, is_trash: true });
        // As a crash in the middle of it leaves it.
        File::create(trash.join("info/in-2.wav.trashinfo")).unwrap().write_all(b"[Tra").unwrap();
        assert_eq!(case.carry_out(&another), SourceRecord::Moved { to });
        assert!(fs::read_to_string(note).unwrap().contains("/theirs"));
        let own = fs::read_to_string(trash.join("info/in-2.wav.trashinfo")).unwrap();
        assert!(own.contains("DeletionDate="), "{own}");
    }

    #[test]
    fn move_already_made_is_recognized() {
        let case = case();
        let plan = case.plan(None);
        let first = case.carry_out(&plan);
        assert_eq!(case.carry_out(&plan), first);
    }

    #[test]
    fn taken_name_gets_a_number() {
        let case = case();
        let plan = case.plan(None);
        fs::create_dir(case.failed()).unwrap();
        File::create(case.failed().join("in.wav")).unwrap().write_all(b"foreign").unwrap();
        let again = case.carry_out(&plan);
        assert!(again.is_pending());
        let moved = case.carry_out(&again);
        assert_eq!(moved, SourceRecord::Moved { to: case.failed().join("in-2.wav") });
        assert_eq!(fs::read_to_string(case.failed().join("in.wav")).unwrap(), "foreign");
    }

    #[test]
    fn interrupted_copy_across_devices_is_finished() {
        let case = case();
        let plan = case.plan(None);
        fs::create_dir(case.failed()).unwrap();
        fs::copy(&case.input, case.failed().join("in.wav")).unwrap();
        let moved = case.carry_out(&plan);
        assert_eq!(moved, SourceRecord::Moved { to: case.failed().join("in.wav") });
        assert!(!case.input.exists());
    }

    #[test]
    fn move_across_devices_copies_every_byte() {
        let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
            eprintln!("skipped: no second file system at /dev/shm");
            return;
        };
        let case = case();
        let plan = case.plan_into(elsewhere.path(), None);
        let moved = case.carry_out(&plan);
        let to = elsewhere.path().join("in.wav");
        assert_eq!(moved, SourceRecord::Moved { to: to.clone() });
        assert_eq!(fs::read_to_string(to).unwrap(), "sound");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
        assert!(!case.input.exists());
    }

    #[test]
    fn changed_source_is_neither_moved_nor_deleted() {
        let case = case();
        File::create(&case.input).unwrap().write_all(b"other sound").unwrap();
        for record in [case.plan(None), SourceRecord::Deleting] {
            let left = case.carry_out(&record);
            assert!(matches!(left, SourceRecord::Left { .. }), "{left:?}");
            assert!(case.input.exists());
        }
    }

    /// Replaces the source, as a user who saves a new version does, at a crash point.
    fn replace_at(case: &Case, point: &'static str) {
        let (input, new) = (case.input.clone(), case.folder.path().join("new"));
        crash_tests::meanwhile(point, move || {
            File::create(&new)?.write_all(b"newer sound")?;
            fs::rename(&new, &input)
        });
    }

    fn assert_left(case: &Case, left: &SourceRecord) {
        assert_eq!(*left, left_because_changed());
        assert_eq!(fs::read_to_string(&case.input).unwrap(), "newer sound");
    }

    #[test]
    fn source_replaced_just_before_its_deletion_stays() {
        let case = case();
        replace_at(&case, "before source delete");
        assert_left(&case, &case.carry_out(&SourceRecord::Deleting));
    }

    #[test]
    fn source_replaced_while_an_interrupted_copy_is_finished_stays() {
        let case = case();
        let plan = case.plan(None);
        fs::create_dir(case.failed()).unwrap();
        fs::copy(&case.input, case.failed().join("in.wav")).unwrap();
        replace_at(&case, "before source removal");
        assert_left(&case, &case.carry_out(&plan));
    }

    #[test]
    fn source_replaced_during_a_move_across_devices_stays() {
        let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
            eprintln!("skipped: no second file system at /dev/shm");
            return;
        };
        let case = case();
        let plan = case.plan_into(elsewhere.path(), None);
        replace_at(&case, "after source copy");
        let left = case.carry_out(&plan);
        if crash_tests::is_meanwhile_pending() {
            eprintln!("skipped: /dev/shm is on the same file system");
            return;
        }
        assert_left(&case, &left);
        assert_eq!(fs::read_to_string(elsewhere.path().join("in.wav")).unwrap(), "sound");
    }

    #[test]
    fn deleted_source_is_gone_and_stays_so() {
        let case = case();
        assert_eq!(case.carry_out(&SourceRecord::Deleting), SourceRecord::Deleted);
        assert_eq!(case.carry_out(&SourceRecord::Deleting), SourceRecord::Deleted);
        assert!(!case.input.exists());
    }

    #[test]
    fn unwritable_target_leaves_the_source() {
        let case = case();
        File::create(case.failed()).unwrap();
        let left = case.carry_out(&case.plan(None));
        assert!(matches!(left, SourceRecord::Left { .. }), "{left:?}");
        assert!(case.input.exists());
    }
}
