//! Looking things up.

use super::history::forgotten;
use super::jobs::{backwards, job_prefix, state_key};
use super::records::{CurrentPlan, FileKey, JobRecord, LedgerRecord, OutputRecord, PlanRecord};
use super::tables::{self, ReadAccess, Scan};
use super::{Store, StoreError};
use crate::{JobState, is_job_id, made_ms, rfc3339};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Which jobs are looked for.
#[derive(Clone, Debug)]
pub struct JobQuery {
    /// Only jobs in this state.
    pub state: Option<JobState>,
    /// Only jobs of this pipeline.
    pub pipeline: Option<String>,
    /// Only jobs of the batch with this id.
    pub batch: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl Default for JobQuery {
    fn default() -> Self {
        Self { state: None, pipeline: None, batch: None, limit: usize::MAX }
    }
}

impl Store {
    /// The job with this id.
    pub fn job(&self, id: &str) -> Result<JobRecord, StoreError> {
        self.read()?
            .record(tables::JOBS, id.as_bytes())?
            .ok_or_else(|| StoreError::Missing { what: format!("job {id}") })
    }

    /// The one job whose id starts or ends with `part`: ids of one day start alike, so their ends
    /// are handier.
    pub fn find_job(&self, part: &str) -> Result<JobRecord, StoreError> {
        let look = self.read()?;
        let mut ids = BTreeSet::new();
        // Two are too many.
        look.scan(tables::JOBS, Scan::forward(part.as_bytes()), &mut |id, _| {
            ids.insert(id.to_vec());
            Ok(ids.len() < 2)
        })?;
        look.scan(tables::ID_ENDS, Scan::forward(&backwards(part.as_bytes())), &mut |key, _| {
            ids.insert(backwards(key));
            Ok(ids.len() < 2)
        })?;
        if ids.len() > 1 {
            return Err(StoreError::Ambiguous { part: part.to_owned() });
        }
        let job = ids.pop_first().map(|id| look.record(tables::JOBS, &id));
        job.transpose()?.flatten().map_or_else(|| Err(unknown_job(&look, part)?), Ok)
    }

    /// Jobs, the newest first.
    pub fn jobs(&self, query: &JobQuery) -> Result<Vec<JobRecord>, StoreError> {
        let look = self.read()?;
        let limit = query.limit;
        let mut jobs: Vec<JobRecord> = Vec::new();
        let mut add = |job: JobRecord| {
            let is_wanted = query.pipeline.as_ref().is_none_or(|name| *name == job.file.pipeline)
                && query.batch.as_ref().is_none_or(|batch| job.batch.as_ref() == Some(batch));
            if is_wanted {
                jobs.push(job);
            }
            jobs.len() < limit
        };
        if limit == 0 {
            return Ok(Vec::new());
        }
        match query.state {
            None => look.scan(tables::JOBS, Scan::backward(&[]), &mut |_, bytes| {
                Ok(add(tables::decode(bytes)?))
            })?,
            Some(state) => {
                let prefix = state_key(state, "");
                look.scan(tables::STATES, Scan::backward(&prefix), &mut |key, _| {
                    let job: Option<JobRecord> = look.record(tables::JOBS, &key[1..])?;
                    Ok(job.is_none_or(&mut add))
                })?;
            }
        }
        Ok(jobs)
    }

    /// Number of jobs in each state.
    pub fn counts(&self) -> Result<BTreeMap<JobState, u64>, StoreError> {
        let look = self.read()?;
        let count = |state: JobState| -> Result<_, StoreError> {
            Ok((state, look.record::<u64>(tables::COUNTS, &[state.code()])?.unwrap_or(0)))
        };
        JobState::ALL.into_iter().map(count).collect()
    }

    /// Number of jobs that wait, by pipeline.
    pub fn waiting_counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        self.read()?.scan(tables::READY, Scan::forward(&[]), &mut |_, pipeline| {
            *counts.entry(String::from_utf8_lossy(pipeline).into_owned()).or_insert(0) += 1;
            Ok(true)
        })?;
        Ok(counts)
    }

    /// When the job was made that has waited for the longest time, milliseconds since 1970.
    pub fn oldest_ready_ms(&self) -> Result<Option<u64>, StoreError> {
        let prefix = [JobState::Ready.code()];
        let mut oldest = None;
        self.read()?.scan(tables::STATES, Scan::forward(&prefix), &mut |key, _| {
            oldest = std::str::from_utf8(&key[1..]).ok().and_then(made_ms);
            Ok(false)
        })?;
        Ok(oldest)
    }

    /// What a job makes, in the order it is published.
    pub fn outputs(&self, job: &str) -> Result<Vec<OutputRecord>, StoreError> {
        let records = self.read()?.records(tables::OUTPUTS, &job_prefix(job))?;
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    /// What the ledger says of a path.
    pub fn ledger(&self, path: &Path) -> Result<Option<LedgerRecord>, StoreError> {
        self.read()?.record(tables::LEDGER, path.as_os_str().as_bytes())
    }

    /// The latest job of a file.
    pub(crate) fn latest_job(&self, key: &FileKey) -> Result<Option<JobRecord>, StoreError> {
        let look = self.read()?;
        match look.bytes(tables::LATEST, &key.key())? {
            Some(id) => look.record(tables::JOBS, &id),
            None => Ok(None),
        }
    }

    /// A pipeline that jobs began with.
    pub fn plan(&self, hash: &str) -> Result<Option<PlanRecord>, StoreError> {
        self.read()?.record(tables::PLANS, hash.as_bytes())
    }

    /// What new jobs run with, by pipeline.
    ///
    /// # Errors
    /// When the store fails.
    pub fn current_plans(&self) -> Result<Vec<(String, CurrentPlan)>, StoreError> {
        let found = self.read()?.records(tables::CURRENT, &[])?;
        Ok(found
            .into_iter()
            .map(|(name, plan)| (String::from_utf8_lossy(&name).into_owned(), plan))
            .collect())
    }

    /// What new jobs of a pipeline run with.
    pub fn current_plan(&self, pipeline: &str) -> Result<Option<CurrentPlan>, StoreError> {
        self.read()?.record(tables::CURRENT, pipeline.as_bytes())
    }

    /// Whether a pipeline of this name ran here, holds jobs or is paused.
    pub fn knows_pipeline(&self, name: &str) -> Result<bool, StoreError> {
        let is_known =
            self.current_plan(name)?.is_some() || self.paused()?.pipelines.contains(name);
        if is_known {
            return Ok(true);
        }
        // One that jobs were submitted with is kept by its hash only.
        let mut found = false;
        let prefix = tables::key(&[name.as_bytes(), b""]);
        self.read()?.scan(tables::LATEST, Scan::forward(&prefix), &mut |_, _| {
            found = true;
            Ok(false)
        })?;
        Ok(found)
    }

    /// Keeps pipelines, and makes them what new jobs run with.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_plans(&self, plans: Vec<(PlanRecord, CurrentPlan)>) -> Result<(), StoreError> {
        self.write(move |tx| {
            for (plan, current) in &plans {
                tx.put(tables::PLANS, current.plan.as_bytes(), plan)?;
                tx.put(tables::CURRENT, plan.name.as_bytes(), current)?;
            }
            Ok(())
        })
    }
}

/// Why no job has this id, or one that begins or ends so.
fn unknown_job(look: &impl ReadAccess, part: &str) -> Result<StoreError, StoreError> {
    let forgotten = forgotten(look)?.map(|forgotten| forgotten.job);
    // An id says when it was made.
    let until = forgotten.filter(|last| !is_job_id(part) || part <= last.as_str());
    Ok(match until.as_deref().and_then(made_ms) {
        Some(made_ms) => StoreError::Forgotten { part: part.to_owned(), until: rfc3339(made_ms) },
        None => StoreError::Missing { what: format!("job {part}") },
    })
}

impl FileKey {
    pub(super) fn from_key(key: &[u8]) -> Option<Self> {
        use std::ffi::OsStr;
        let mut parts = key.splitn(3, |&byte| byte == 0);
        let pipeline = String::from_utf8(parts.next()?.to_vec()).ok()?;
        let root = OsStr::from_bytes(parts.next()?).into();
        let relative = OsStr::from_bytes(parts.next()?).into();
        Some(Self { pipeline, root, relative })
    }
}
