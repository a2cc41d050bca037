//! Waits that were planned by a clock that was ahead.

use super::jobs::attempt_key;
use super::records::{AttemptRecord, JobRecord};
use super::tables::{self, ReadAccess, Scan};
use super::{Store, StoreError};
use crate::JobState;

impl Store {
    /// Shortens the waits of jobs whose last attempt ended at a time that is yet to come, to what was meant:
    /// the clock was set back since, and what was to be a minute could be a year. Returns how many.
    pub fn shorten_waits(&self, now_ms: u64) -> Result<usize, StoreError> {
        // Reading is free, a change is a commit.
        if planned_ahead(&self.read()?, now_ms)?.is_empty() {
            return Ok(0);
        }
        self.write(move |tx| {
            let jobs = planned_ahead(tx, now_ms)?;
            for (job, wait_ms) in &jobs {
                let run_at_ms = now_ms.saturating_add(*wait_ms);
                tx.change_job(job, &JobRecord { run_at_ms, ..job.clone() })?;
            }
            Ok(jobs.len())
        })
    }
}

/// Jobs that wait because of an attempt that, by the clock, has not ended yet, each with its wait.
fn planned_ahead(look: &impl ReadAccess, now_ms: u64) -> Result<Vec<(JobRecord, u64)>, StoreError> {
    let mut ids = Vec::new();
    look.scan(tables::STATES, Scan::forward(&[JobState::Retry.code()]), &mut |key, _| {
        ids.push(key[1..].to_vec());
        Ok(true)
    })?;
    let mut jobs = Vec::new();
    for id in ids {
        let Some(job) = look.record::<JobRecord>(tables::JOBS, &id)? else { continue };
        let key = attempt_key(&job.id, job.attempt);
        let attempt: Option<AttemptRecord> = look.record(tables::ATTEMPTS, &key)?;
        let ended_ms = attempt.and_then(|attempt| attempt.ended_ms).filter(|&it| it > now_ms);
        // One that was repaired before is due before that attempt ended.
        let wait_ms = ended_ms.and_then(|ended_ms| job.run_at_ms.checked_sub(ended_ms));
        jobs.extend(wait_ms.map(|wait_ms| (job, wait_ms)));
    }
    Ok(jobs)
}
