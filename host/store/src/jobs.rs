//! Jobs in the store: one place that keeps record, state index, counts and queue in step.

use super::records::{CurrentPlan, FileKey, FileRecord, JobRecord, OutputRecord};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{Ending, SourceRecord, StoreError};
use crate::{Clock, JobState, Lease};
use wavemill_pipelines::publishing::FileIdentity;

/// Key of a job in the queue: high priorities first, then early starts, then old jobs.
pub(super) fn ready_key(job: &JobRecord) -> Vec<u8> {
    let mut key = priority_prefix(job.priority).to_vec();
    key.extend(job.run_at_ms.to_be_bytes());
    key.extend(job.id.as_bytes());
    key
}

/// Flipping the sign bit makes unsigned order equal to signed order; inverting puts high first.
fn priority_prefix(priority: i32) -> [u8; 4] {
    (!(priority.cast_unsigned() ^ 0x8000_0000)).to_be_bytes()
}

pub(super) fn state_key(state: JobState, id: &str) -> Vec<u8> {
    let mut key = vec![state.code()];
    key.extend(id.as_bytes());
    key
}

pub(super) fn output_key(job: &str, index: usize) -> Vec<u8> {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    tables::key(&[job.as_bytes(), &index.to_be_bytes()])
}

pub(super) fn attempt_key(job: &str, attempt: u32) -> Vec<u8> {
    tables::key(&[job.as_bytes(), &attempt.to_be_bytes()])
}

/// Start of the keys of all records that belong to a job.
pub(super) fn job_prefix(job: &str) -> Vec<u8> {
    tables::key(&[job.as_bytes(), b""])
}

/// An id, or a part of one, as [`tables::ID_ENDS`] has it; and back.
pub(super) fn backwards(id: &[u8]) -> Vec<u8> {
    id.iter().rev().copied().collect()
}

impl Tx<'_> {
    /// Adds a job.
    pub(super) fn insert_job(&self, job: &JobRecord) -> Result<(), StoreError> {
        self.put(tables::JOBS, job.id.as_bytes(), job)?;
        self.put_bytes(tables::LATEST, &job.file.key(), job.id.as_bytes())?;
        self.index_job(job)?;
        if job.state.is_final() {
            self.announce_job(job)?;
        } else {
            self.count_open(job, 1)?;
        }
        self.enter_state(job)
    }

    /// Enters a job where it is found by the end of its id, its plan and its group.
    pub(super) fn index_job(&self, job: &JobRecord) -> Result<(), StoreError> {
        self.put_bytes(tables::ID_ENDS, &backwards(job.id.as_bytes()), b"")?;
        self.add(tables::PLAN_USES, job.plan.as_bytes(), 1)?;
        self.enter_group_of(job)
    }

    /// Replaces the record of a job.
    pub(super) fn change_job(
        &self,
        before: &JobRecord,
        after: &JobRecord,
    ) -> Result<(), StoreError> {
        self.put(tables::JOBS, after.id.as_bytes(), after)?;
        self.remove(tables::STATES, &state_key(before.state, &before.id))?;
        self.count(before.state, -1)?;
        if before.state.waits() {
            self.remove(tables::READY, &ready_key(before))?;
        }
        if before.source.is_pending() && !after.source.is_pending() {
            self.remove(tables::SOURCES, before.id.as_bytes())?;
        }
        if before.plan != after.plan {
            self.add(tables::PLAN_USES, before.plan.as_bytes(), -1)?;
            self.add(tables::PLAN_USES, after.plan.as_bytes(), 1)?;
        }
        if before.group != after.group {
            self.leave_group(before)?;
            self.enter_group_of(after)?;
        }
        if after.state.is_final() && !before.state.is_final() {
            self.announce_job(after)?;
            self.count_open(after, -1)?;
        }
        self.enter_state(after)
    }

    fn enter_state(&self, job: &JobRecord) -> Result<(), StoreError> {
        self.put_bytes(tables::STATES, &state_key(job.state, &job.id), b"")?;
        self.count(job.state, 1)?;
        if job.state.waits() {
            self.put_bytes(tables::READY, &ready_key(job), job.file.pipeline.as_bytes())?;
        }
        if job.source.is_pending() {
            self.put_bytes(tables::SOURCES, job.id.as_bytes(), b"")?;
        }
        Ok(())
    }

    pub(super) fn count(&self, state: JobState, change: i64) -> Result<(), StoreError> {
        self.add(tables::COUNTS, &[state.code()], change)
    }

    /// The job of a lease, if the lease holds and the job is in one of `states`.
    pub(super) fn leased(
        &self,
        lease: &Lease,
        wanted: &'static str,
        states: &[JobState],
    ) -> Result<JobRecord, StoreError> {
        let job = self.job(&lease.job)?;
        let refuse = |reason: String| StoreError::Lease { job: job.id.clone(), wanted, reason };
        if !states.contains(&job.state) {
            return Err(refuse(format!("it is {}", job.state)));
        }
        if job.attempt != lease.attempt || job.boot_id.as_deref() != Some(lease.boot_id.as_str()) {
            return Err(refuse(format!("attempt {} of it is held by another", job.attempt)));
        }
        Ok(job)
    }

    /// The job with this id.
    pub(super) fn job(&self, id: &str) -> Result<JobRecord, StoreError> {
        self.record(tables::JOBS, id.as_bytes())?
            .ok_or_else(|| StoreError::Missing { what: format!("job {id}") })
    }

    /// Replaces the outputs of a job.
    pub(super) fn put_outputs(
        &self,
        job: &str,
        outputs: &[OutputRecord],
    ) -> Result<(), StoreError> {
        let mut stale = Vec::new();
        self.scan(tables::OUTPUTS, Scan::forward(&job_prefix(job)), &mut |key, _| {
            stale.push(key.to_vec());
            Ok(true)
        })?;
        for key in stale.iter().skip(outputs.len()) {
            self.remove(tables::OUTPUTS, key)?;
        }
        for (index, output) in outputs.iter().enumerate() {
            self.put(tables::OUTPUTS, &output_key(job, index), output)?;
        }
        Ok(())
    }

    /// Forgets the file of a job that no longer stands for what lies under its name, so that a file
    /// of the same content counts as new there. Does nothing when a newer job has taken that file, or
    /// newer content was found.
    pub(super) fn forget_file(&self, job: &JobRecord) -> Result<(), StoreError> {
        match self.own_file(job)? {
            Some(_) => self.remove(tables::FILES, &job.file.key()),
            None => Ok(()),
        }
    }

    /// What the file of a job looks like, if it was found once more with the content that the job
    /// stands for: nobody will report it again. Says so once.
    pub(super) fn take_found_again(
        &self,
        job: &JobRecord,
    ) -> Result<Option<FileIdentity>, StoreError> {
        let Some(known) = self.own_file(job)?.filter(|known| known.is_found_again) else {
            return Ok(None);
        };
        let identity = known.identity;
        let taken = FileRecord { is_found_again: false, ..known };
        self.put(tables::FILES, &job.file.key(), &taken)?;
        Ok(Some(identity))
    }

    /// The file of a job, while no newer job has taken it and no other content was found.
    fn own_file(&self, job: &JobRecord) -> Result<Option<FileRecord>, StoreError> {
        let key = job.file.key();
        let latest = self.bytes(tables::LATEST, &key)?;
        let known: Option<FileRecord> = self.record(tables::FILES, &key)?;
        let is_latest = latest.as_deref() == Some(job.id.as_bytes());
        Ok(known.filter(|known| is_latest && known.hash_text() == job.hash))
    }

    /// The latest job of a file.
    pub(super) fn latest_job(&self, file: &FileKey) -> Result<Option<JobRecord>, StoreError> {
        let Some(id) = self.bytes(tables::LATEST, &file.key())? else { return Ok(None) };
        self.record(tables::JOBS, &id)
    }
}

impl FileKey {
    pub(super) fn key(&self) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let parts: [&[u8]; 3] = [
            self.pipeline.as_bytes(),
            self.root.as_os_str().as_bytes(),
            self.relative.as_os_str().as_bytes(),
        ];
        tables::key(&parts)
    }
}

impl JobRecord {
    /// A job for a file, ready to run.
    pub(super) fn new(id: String, file: FileKey, known: &FileRecord, plan: &CurrentPlan) -> Self {
        Self {
            id,
            input: file.path(),
            file,
            hash: known.hash_text(),
            identity: known.identity,
            plan: plan.plan.clone(),
            output_root: plan.output_root.clone(),
            priority: plan.priority,
            created: Clock::now_zoned(),
            state: JobState::Ready,
            run_at_ms: 0,
            attempt: 0,
            tries: 0,
            crashes: 0,
            deaths: 0,
            boot_id: None,
            started_ms: None,
            finished_ms: None,
            reason: None,
            ending: Ending::Done,
            source: SourceRecord::Kept,
            retry_of: None,
            batch: None,
            group: None,
            is_cancel_asked: false,
            keeps_plan: false,
            is_by_name: false,
            skips_duplicates: false,
            audio_s: None,
        }
    }

    /// Its pipeline, and the hash of its source.
    pub fn content(&self) -> (String, String) {
        (self.file.pipeline.clone(), self.hash.clone())
    }

    /// Whether someone submitted it, so that no watched folder reports its file.
    pub fn is_submitted(&self) -> bool {
        self.batch.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_priorities_sort_first() {
        let mut priorities = [0, -1, 1, i32::MAX, i32::MIN, 7];
        priorities.sort_by_key(|&priority| priority_prefix(priority));
        assert_eq!(priorities, [i32::MAX, 7, 1, 0, -1, i32::MIN]);
    }
}
