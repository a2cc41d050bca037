//! What users ask for: repeating jobs and processing known files again.

use super::records::{CurrentPlan, FileKey, FileRecord, JobRecord, SourceRecord};
use super::tables::{self, Look, Tx};
use super::{Store, StoreError};
use crate::control::types::JobFilter;
use crate::jobs::JobState;
use std::path::PathBuf;

impl Store {
    /// Makes a new job that repeats a finished one with what its pipeline says now. A job that waits
    /// for another attempt runs at once instead.
    ///
    /// # Errors
    /// [`StoreError::Lease`] while a job of the same file is under way.
    pub fn retry_job(&self, id: &str) -> Result<JobRecord, StoreError> {
        let (id, new_id) = (id.to_owned(), self.next_id());
        self.write(move |tx| {
            let job = tx.job(&id)?;
            if job.state == JobState::Retry {
                let now = JobRecord { state: JobState::Ready, run_at_ms: 0, ..job.clone() };
                tx.change_job(&job, &now)?;
                return Ok(now);
            }
            let latest = tx.latest_job(&job.file)?.filter(|latest| !latest.state.is_final());
            if let Some(latest) = latest {
                return Err(StoreError::Lease {
                    job: id.clone(),
                    wanted: "repeated",
                    reason: format!("job {} of the same file is {}", latest.id, latest.state),
                });
            }
            tx.repeat(&job, &new_id)
        })
    }

    /// Ids of the failed and rejected jobs that no later job of the same file has replaced, oldest
    /// first.
    pub fn failed_jobs(&self, pipeline: Option<&str>) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        for state in [JobState::Failed, JobState::Rejected] {
            let filter = JobFilter {
                state: Some(state),
                pipeline: pipeline.map(str::to_owned),
                batch: None,
                limit: Some(usize::MAX),
            };
            for job in self.jobs(&filter)? {
                if self.latest_job(&job.file)?.is_some_and(|latest| latest.id == job.id) {
                    ids.push(job.id);
                }
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Makes new jobs for known files, leaving out those whose job has not ended.
    pub fn reprocess_files(&self, files: Vec<FileKey>) -> Result<Vec<JobRecord>, StoreError> {
        let files: Vec<_> = files.into_iter().map(|file| (file, self.next_id())).collect();
        self.write(move |tx| {
            let mut jobs = Vec::new();
            for (file, id) in &files {
                jobs.extend(tx.reprocess(file, id)?);
            }
            Ok(jobs)
        })
    }
}

impl Tx<'_> {
    fn repeat(&self, job: &JobRecord, id: &str) -> Result<JobRecord, StoreError> {
        let known: Option<FileRecord> = self.record(tables::FILES, &job.file.key())?;
        let former = FileRecord {
            identity: job.identity,
            hash: job.hash.parse().ok(),
            incomplete: None,
            is_found_again: false,
        };
        let moved_to = moved_source(job).filter(|path| path.exists());
        // A moved source is the old content, whatever has its old name now.
        let known = known.filter(|_| moved_to.is_none()).unwrap_or(former);
        let plan = self.plan_for(job)?;
        let mut again = JobRecord::new(id.to_owned(), job.file.clone(), &known, &plan);
        again.input = moved_to.unwrap_or(again.input);
        again.retry_of = Some(job.id.clone());
        if job.is_submitted() {
            again.batch.clone_from(&job.batch);
            again.keeps_plan = job.keeps_plan;
            // Whatever it is by now: nobody watches it.
            again.hash.clear();
            self.leave_batch(job)?;
        }
        self.insert_job(&again)?;
        Ok(again)
    }

    fn reprocess(&self, file: &FileKey, id: &str) -> Result<Option<JobRecord>, StoreError> {
        let Some(known) = self.record::<FileRecord>(tables::FILES, &file.key())? else {
            return Ok(None);
        };
        let latest = self.latest_job(file)?;
        if latest.as_ref().is_some_and(|latest| !latest.state.is_final()) {
            return Ok(None);
        }
        let plan = match (&latest, self.record(tables::CURRENT, file.pipeline.as_bytes())?) {
            (_, Some(plan)) => plan,
            (Some(latest), None) => self.plan_for(latest)?,
            (None, None) => return Ok(None),
        };
        let mut job = JobRecord::new(id.to_owned(), file.clone(), &known, &plan);
        job.retry_of = latest.map(|latest| latest.id);
        self.insert_job(&job)?;
        Ok(Some(job))
    }

    fn plan_for(&self, job: &JobRecord) -> Result<CurrentPlan, StoreError> {
        let current = if job.keeps_plan {
            None
        } else {
            self.record(tables::CURRENT, job.file.pipeline.as_bytes())?
        };
        Ok(current.unwrap_or_else(|| CurrentPlan {
            plan: job.plan.clone(),
            output_root: job.output_root.clone(),
            priority: job.priority,
        }))
    }
}

/// Where the source of a finished job is, if it was moved.
fn moved_source(job: &JobRecord) -> Option<PathBuf> {
    match &job.source {
        SourceRecord::Moved { to } => Some(to.clone()),
        _ if job.input != job.file.path() => Some(job.input.clone()),
        _ => None,
    }
}
