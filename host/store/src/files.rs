//! The index of watched files, and the jobs that changes in it ask for.

use super::contents::delivered;
use super::records::{CurrentPlan, FileKey, FileRecord, JobRecord, LedgerRecord};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{Store, StoreError};
use crate::{Clock, JobState};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wavemill_pipelines::model::Duplicates;
use wavemill_pipelines::publishing::FileIdentity;
use wavemill_watch::{Change, KnownFile};

/// The watch that changes come from.
#[derive(Clone, Debug)]
pub struct IntakeContext {
    /// Its pipeline.
    pub pipeline: String,
    /// Its folder.
    pub root: PathBuf,
    /// What new jobs run with.
    pub plan: CurrentPlan,
    /// What happens to a copy under a new name.
    pub duplicates: Duplicates,
}

/// What a change led to.
#[derive(Clone, Debug, PartialEq)]
pub enum IntakeResult {
    /// A job waits.
    Queued(JobRecord),
    /// A job was made and ended at once: a duplicate.
    Skipped(JobRecord),
    /// A waiting job no longer has to run.
    Canceled(JobRecord),
}

impl Store {
    /// Visits the files known of a watch, one after the other: there may be a million.
    ///
    /// # Errors
    /// When the store fails.
    pub fn visit_known_files(
        &self,
        pipeline: &str,
        root: &Path,
        visit: &mut dyn FnMut(KnownFile),
    ) -> Result<(), StoreError> {
        let prefix = tables::key(&[pipeline.as_bytes(), root.as_os_str().as_bytes(), b""]);
        self.read()?.scan(tables::FILES, Scan::forward(&prefix), &mut |key, bytes| {
            let record: FileRecord = tables::decode(bytes)?;
            visit(KnownFile {
                relative: PathBuf::from(OsStr::from_bytes(&key[prefix.len()..])),
                size_bytes: record.identity.size_bytes,
                modified_ns: record.identity.modified_ns,
                inode: record.identity.inode,
                hash: record.hash.filter(|_| record.incomplete.is_none()),
            });
            Ok(true)
        })
    }

    /// Files known of a watch, all at once.
    #[cfg(test)]
    pub(super) fn known_files(
        &self,
        pipeline: &str,
        root: &Path,
    ) -> Result<Vec<KnownFile>, StoreError> {
        let mut known = Vec::new();
        self.visit_known_files(pipeline, root, &mut |file| known.push(file))?;
        Ok(known)
    }

    /// Records changes of a watch and makes the jobs they ask for, all in one transaction.
    pub fn intake(
        &self,
        context: &Arc<IntakeContext>,
        changes: Vec<Change>,
    ) -> Result<Vec<IntakeResult>, StoreError> {
        let is_kept = |change: &Change| {
            matches!(
                change,
                Change::Settled(_)
                    | Change::Touched(_)
                    | Change::Vanished { .. }
                    | Change::Incomplete { .. }
            )
        };
        if !changes.iter().any(is_kept) {
            return Ok(Vec::new());
        }
        let context = Arc::clone(context);
        // Ids are made outside of the transaction, which may be applied twice.
        let ids: Vec<String> = changes.iter().map(|_| self.next_id()).collect();
        self.write(move |tx| {
            let mut taken = Vec::new();
            for (change, id) in changes.iter().zip(&ids) {
                tx.take_change(&context, change, id, &mut taken)?;
            }
            Ok(taken)
        })
    }
}

impl Store {
    /// Why a job that skips duplicates has nothing to do: another file with its content was delivered.
    pub fn duplicate_of(&self, job: &JobRecord) -> Result<Option<String>, StoreError> {
        duplicate_of(&self.read()?, job)
    }
}

impl Tx<'_> {
    fn take_change(
        &self,
        context: &IntakeContext,
        change: &Change,
        id: &str,
        taken: &mut Vec<IntakeResult>,
    ) -> Result<(), StoreError> {
        match change {
            Change::Settled(file) => self.settle(context, file, id, taken),
            Change::Touched(file) => self.touch(context, file, id, taken),
            Change::Vanished { relative } => self.forget_vanished(&context.file(relative)),
            Change::Incomplete { relative, reason } => {
                self.note_incomplete(context, relative, reason, id)
            }
            _ => Ok(()),
        }
    }

    /// Forgets a file that is gone; of one whose job was forgotten before, everything.
    fn forget_vanished(&self, file: &FileKey) -> Result<(), StoreError> {
        self.remove(tables::FILES, &file.key())?;
        match self.latest_job(file)? {
            Some(_) => Ok(()),
            None => self.remove(tables::LATEST, &file.key()),
        }
    }

    /// A file that is new, came back or was written again: the watcher, which is seeded with what is
    /// known, does not say so of a file that only stayed.
    fn settle(
        &self,
        context: &IntakeContext,
        file: &KnownFile,
        id: &str,
        taken: &mut Vec<IntakeResult>,
    ) -> Result<(), StoreError> {
        let key = context.file(&file.relative);
        let record = record_of(file);
        self.put(tables::FILES, &key.key(), &record)?;
        if self.is_own_output(&key, &record)? || self.join_waiting(&key, &record, taken)? {
            return Ok(());
        }
        let mut job = JobRecord::new(id.to_owned(), key, &record, &context.plan);
        job.skips_duplicates = context.duplicates == Duplicates::Skip;
        if let Some(reason) = duplicate_of(self, &job)? {
            job.state = JobState::Skipped;
            job.finished_ms = Some(Clock::now_ms());
            job.reason = Some(reason);
            taken.push(IntakeResult::Skipped(job.clone()));
        } else {
            taken.push(IntakeResult::Queued(job.clone()));
        }
        self.insert_job(&job)
    }

    /// A file that stays incomplete gets a job that has failed, once: people and hooks look at jobs. Its rest, when it
    /// comes, is new content.
    fn note_incomplete(
        &self,
        context: &IntakeContext,
        relative: &Path,
        reason: &str,
        id: &str,
    ) -> Result<(), StoreError> {
        let key = context.file(relative);
        let before: Option<FileRecord> = self.record(tables::FILES, &key.key())?;
        if before.is_some_and(|before| before.incomplete.is_some()) {
            return Ok(());
        }
        let record = FileRecord {
            identity: FileIdentity { size_bytes: 0, modified_ns: 0, inode: 0 },
            hash: None,
            incomplete: Some(reason.to_owned()),
            is_found_again: false,
        };
        self.put(tables::FILES, &key.key(), &record)?;
        // A job that waits looks at the file when its turn comes.
        if self.latest_job(&key)?.is_some_and(|latest| !latest.state.is_final()) {
            return Ok(());
        }
        self.insert_job(&JobRecord {
            state: JobState::Failed,
            finished_ms: Some(Clock::now_ms()),
            reason: Some(format!("{reason}; it will be processed when the rest arrives")),
            ..JobRecord::new(id.to_owned(), key, &record, &context.plan)
        })
    }

    /// A file whose content is the known one; a file that is not known is new.
    fn touch(
        &self,
        context: &IntakeContext,
        file: &KnownFile,
        id: &str,
        taken: &mut Vec<IntakeResult>,
    ) -> Result<(), StoreError> {
        let key = context.file(&file.relative);
        let before: Option<FileRecord> = self.record(tables::FILES, &key.key())?;
        if before.is_none_or(|before| before.hash != file.hash) {
            return self.settle(context, file, id, taken);
        }
        let record = FileRecord { is_found_again: true, ..record_of(file) };
        self.put(tables::FILES, &key.key(), &record)?;
        self.refresh_waiting(&key, &record)
    }

    /// Whether the same pipeline made this very file: taking it would never end.
    fn is_own_output(&self, key: &FileKey, record: &FileRecord) -> Result<bool, StoreError> {
        let path = key.path();
        let made: Option<LedgerRecord> =
            self.record(tables::LEDGER, path.as_os_str().as_bytes())?;
        Ok(made.is_some_and(|made| {
            made.file.pipeline == key.pipeline && made.blake3 == record.hash_text()
        }))
    }

    /// Lets a job that waits for this file have the new content: it goes on if the content is the
    /// same (true), and is canceled in favor of a new job if not.
    fn join_waiting(
        &self,
        key: &FileKey,
        record: &FileRecord,
        taken: &mut Vec<IntakeResult>,
    ) -> Result<bool, StoreError> {
        let Some(job) = self.waiting(key, record)? else { return Ok(false) };
        if job.hash == record.hash_text() {
            let again = JobRecord {
                identity: record.identity,
                input: key.path(),
                state: JobState::Ready,
                run_at_ms: 0,
                ..job.clone()
            };
            self.change_job(&job, &again)?;
            taken.push(IntakeResult::Queued(again));
            return Ok(true);
        }
        let canceled = JobRecord {
            state: JobState::Canceled,
            finished_ms: Some(Clock::now_ms()),
            reason: Some("the file was replaced before it was processed".to_owned()),
            ..job.clone()
        };
        self.change_job(&job, &canceled)?;
        taken.push(IntakeResult::Canceled(canceled));
        Ok(false)
    }

    /// Records in a waiting job what its file looks like now.
    fn refresh_waiting(&self, key: &FileKey, record: &FileRecord) -> Result<(), StoreError> {
        match self.waiting(key, record)? {
            Some(job) if job.hash == record.hash_text() => {
                self.change_job(&job, &JobRecord { identity: record.identity, ..job.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The job that waits for the file in the folder. One that waits for a file which was moved away is about another,
    /// unless that was put back: then it is the very same.
    fn waiting(&self, key: &FileKey, record: &FileRecord) -> Result<Option<JobRecord>, StoreError> {
        let is_it = |job: &JobRecord| job.input == key.path() || job.identity == record.identity;
        Ok(self.latest_job(key)?.filter(|job| job.state.waits() && is_it(job)))
    }
}

/// Why a job that skips duplicates has nothing to do any more.
fn duplicate_of(look: &impl ReadAccess, job: &JobRecord) -> Result<Option<String>, StoreError> {
    if !job.skips_duplicates {
        return Ok(None);
    }
    let first = delivered(look, &job.file.pipeline, &job.hash)?;
    Ok(first.filter(|first| first.file != job.file).map(|first| {
        let path = first.file.path();
        format!("has the same content as {}, done by job {}", path.display(), first.job)
    }))
}

impl IntakeContext {
    fn file(&self, relative: &Path) -> FileKey {
        FileKey {
            pipeline: self.pipeline.clone(),
            root: self.root.clone(),
            relative: relative.to_path_buf(),
        }
    }
}

fn record_of(file: &KnownFile) -> FileRecord {
    FileRecord {
        identity: FileIdentity {
            size_bytes: file.size_bytes,
            modified_ns: file.modified_ns,
            inode: file.inode,
        },
        hash: file.hash,
        incomplete: file.hash.is_none().then(|| "is incomplete".to_owned()),
        is_found_again: false,
    }
}
