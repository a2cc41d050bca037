//! Jobs that were submitted together, and pipelines whose jobs are held back.

use super::notices::NoticeRecord;
use super::records::{BatchRecord, FileKey, JobRecord, PlanRecord};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{CurrentPlan, Store, StoreError};
use crate::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use wavemill_pipelines::publishing::FileIdentity;

/// The pipeline that a pause of all names.
const ALL_PIPELINES: &[u8] = b"";

/// Files to process together.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What its maker calls it.
    pub name: Option<String>,
    /// What its jobs run with.
    pub plan: CurrentPlan,
    /// The pipeline, unless the store keeps it already.
    pub keeps: Option<PlanRecord>,
    /// The files as they look now.
    pub files: Vec<(FileKey, FileIdentity)>,
}

/// A batch that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedBatch {
    /// The batch.
    pub batch: BatchRecord,
    /// Its jobs.
    pub jobs: Vec<JobRecord>,
    /// Files that have none, because a job of theirs has not ended.
    pub busy: Vec<(PathBuf, String)>,
}

/// Which jobs are not handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PauseState {
    /// None at all.
    pub all: bool,
    /// None of these pipelines.
    pub pipelines: BTreeSet<String>,
}

impl PauseState {
    /// Whether jobs of a pipeline are held back.
    pub fn holds(&self, pipeline: &str) -> bool {
        self.all || self.pipelines.contains(pipeline)
    }
}

impl Store {
    /// Makes a batch of files, each with a job of its own, in one transaction.
    ///
    /// # Errors
    /// When the store fails.
    pub fn submit_batch(
        &self,
        pipeline: &str,
        submission: Submission,
    ) -> Result<CreatedBatch, StoreError> {
        let (id, pipeline) = (self.next_id(), pipeline.to_owned());
        let ids: Vec<_> = submission.files.iter().map(|_| self.next_id()).collect();
        self.write(move |tx| {
            let batch = BatchRecord {
                id: id.clone(),
                name: submission.name.clone(),
                pipeline: pipeline.clone(),
                plan: submission.plan.plan.clone(),
                created_ms: Clock::now_ms(),
                open: 0,
                finished_ms: None,
            };
            if let Some(plan) = &submission.keeps {
                tx.put(tables::PLANS, submission.plan.plan.as_bytes(), plan)?;
            }
            tx.put(tables::BATCHES, id.as_bytes(), &batch)?;
            let (mut jobs, mut busy) = (Vec::new(), Vec::new());
            for ((file, identity), job_id) in submission.files.iter().zip(&ids) {
                if let Some(other) = tx.latest_job(file)?.filter(|job| !job.state.is_final()) {
                    busy.push((file.path(), other.id));
                    continue;
                }
                let job = submission.job(job_id, &id, file, *identity);
                tx.insert_job(&job)?;
                jobs.push(job);
            }
            let batch = tx.batch(&id)?;
            if jobs.is_empty() {
                tx.remove(tables::BATCHES, id.as_bytes())?;
            } else {
                tx.add(tables::PLAN_USES, batch.plan.as_bytes(), 1)?;
            }
            Ok(CreatedBatch { batch, jobs, busy })
        })
    }

    /// Batches, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn batches(&self, limit: usize) -> Result<Vec<BatchRecord>, StoreError> {
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        self.read()?.scan(tables::BATCHES, Scan::backward(&[]), &mut |_, bytes| {
            found.push(tables::decode(bytes)?);
            Ok(found.len() < limit)
        })?;
        Ok(found)
    }

    /// The one batch of this name, or whose id starts or ends so; the latest of several of one name.
    ///
    /// # Errors
    /// When there is none, or several ids fit.
    pub fn find_batch(&self, part: &str) -> Result<BatchRecord, StoreError> {
        let all = self.batches(usize::MAX)?;
        if let Some(named) = all.iter().find(|batch| batch.name.as_deref() == Some(part)) {
            return Ok(named.clone());
        }
        let fits = |batch: &&BatchRecord| batch.id.starts_with(part) || batch.id.ends_with(part);
        let mut found = all.iter().filter(fits);
        match (found.next(), found.count()) {
            (Some(batch), 0) => Ok(batch.clone()),
            (Some(_), _) => Err(StoreError::Ambiguous { part: part.to_owned() }),
            (None, _) => Err(StoreError::Missing { what: format!("batch {part}") }),
        }
    }

    /// The jobs of a batch, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn batch_jobs(&self, batch: &str) -> Result<Vec<JobRecord>, StoreError> {
        let prefix = tables::key(&[batch.as_bytes(), b""]);
        let (look, mut jobs) = (self.read()?, Vec::new());
        look.scan(tables::BATCH_JOBS, Scan::forward(&prefix), &mut |key, _| {
            jobs.extend(look.record::<JobRecord>(tables::JOBS, &key[prefix.len()..])?);
            Ok(true)
        })?;
        Ok(jobs)
    }

    /// Hashes of the pipelines of batches that are not over, by name; that of the newest batch.
    ///
    /// # Errors
    /// When the store fails.
    pub fn submitted_pipelines(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let look = self.read()?;
        let mut found = BTreeMap::new();
        look.scan(tables::BATCHES_OPEN, Scan::forward(&[]), &mut |id, _| {
            let batch = look.record::<BatchRecord>(tables::BATCHES, id)?;
            found.extend(batch.map(|batch| (batch.pipeline, batch.plan)));
            Ok(true)
        })?;
        Ok(found)
    }

    /// Number of batches that are not over.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open_batches(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        self.read()?.scan(tables::BATCHES_OPEN, Scan::forward(&[]), &mut |_, _| {
            count += 1;
            Ok(true)
        })?;
        Ok(count)
    }

    /// Batches that are over and were not reported yet. They count as reported with that.
    ///
    /// # Errors
    /// When the store fails.
    pub fn take_batches_over(&self) -> Result<Vec<BatchRecord>, StoreError> {
        let mut any = false;
        self.read()?.scan(tables::BATCHES_OVER, Scan::forward(&[]), &mut |_, _| {
            any = true;
            Ok(false)
        })?;
        if !any {
            return Ok(Vec::new());
        }
        self.write(|tx| {
            let mut ids = Vec::new();
            tx.scan(tables::BATCHES_OVER, Scan::forward(&[]), &mut |key, _| {
                ids.push(key.to_vec());
                Ok(true)
            })?;
            let mut over = Vec::new();
            for id in ids {
                tx.remove(tables::BATCHES_OVER, &id)?;
                over.extend(tx.record::<BatchRecord>(tables::BATCHES, &id)?);
            }
            Ok(over)
        })
    }

    /// Which jobs are held back.
    ///
    /// # Errors
    /// When the store fails.
    pub fn paused(&self) -> Result<PauseState, StoreError> {
        let mut paused = PauseState::default();
        self.read()?.scan(tables::PAUSED, Scan::forward(&[]), &mut |pipeline, _| {
            if pipeline == ALL_PIPELINES {
                paused.all = true;
            } else {
                paused.pipelines.insert(String::from_utf8_lossy(pipeline).into_owned());
            }
            Ok(true)
        })?;
        Ok(paused)
    }

    /// Holds back the jobs of a pipeline, or of all, until [`Store::resume`].
    ///
    /// # Errors
    /// When the store fails.
    pub fn pause(&self, pipeline: Option<&str>) -> Result<(), StoreError> {
        let key = pipeline.map_or(ALL_PIPELINES, str::as_bytes).to_owned();
        self.write(move |tx| tx.put(tables::PAUSED, &key, &Clock::now_ms()))
    }

    /// Hands out the jobs of a pipeline again; without one, those of all, whoever was held back.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resume(&self, pipeline: Option<&str>) -> Result<(), StoreError> {
        let key = pipeline.map(|name| name.as_bytes().to_owned());
        self.write(move |tx| {
            if let Some(key) = &key {
                return tx.remove(tables::PAUSED, key);
            }
            let mut keys = Vec::new();
            tx.scan(tables::PAUSED, Scan::forward(&[]), &mut |key, _| {
                keys.push(key.to_vec());
                Ok(true)
            })?;
            keys.iter().try_for_each(|key| tx.remove(tables::PAUSED, key))
        })
    }
}

impl Submission {
    fn job(&self, id: &str, batch: &str, file: &FileKey, identity: FileIdentity) -> JobRecord {
        let known = super::FileRecord {
            identity,
            // Read by the first attempt.
            hash: None,
            incomplete: None,
            is_found_again: false,
        };
        JobRecord {
            batch: Some(batch.to_owned()),
            keeps_plan: true,
            is_by_name: self.keeps.is_none(),
            ..JobRecord::new(id.to_owned(), file.clone(), &known, &self.plan)
        }
    }
}

impl Tx<'_> {
    fn batch(&self, id: &str) -> Result<BatchRecord, StoreError> {
        self.record(tables::BATCHES, id.as_bytes())?
            .ok_or_else(|| StoreError::Missing { what: format!("batch {id}") })
    }

    /// Enters a job of a batch, or notes that it ended.
    pub(super) fn count_open(&self, job: &JobRecord, change: i64) -> Result<(), StoreError> {
        let Some(id) = &job.batch else { return Ok(()) };
        if change > 0 {
            let key = tables::key(&[id.as_bytes(), job.id.as_bytes()]);
            self.put_bytes(tables::BATCH_JOBS, &key, b"")?;
            self.put_bytes(tables::BATCHES_OPEN, id.as_bytes(), b"")?;
            self.remove(tables::BATCHES_OVER, id.as_bytes())?;
        }
        let mut batch = self.batch(id)?;
        batch.open = batch.open.saturating_add_signed(change);
        batch.finished_ms = None;
        if batch.open == 0 {
            batch.finished_ms = job.finished_ms;
            self.remove(tables::BATCHES_OPEN, id.as_bytes())?;
            self.put_bytes(tables::BATCHES_OVER, id.as_bytes(), b"")?;
            self.announce(&NoticeRecord::of_batch(&batch))?;
        }
        self.put(tables::BATCHES, id.as_bytes(), &batch)
    }

    /// Gives the place of a job in its batch to the one that repeats it.
    pub(super) fn leave_batch(&self, job: &JobRecord) -> Result<(), StoreError> {
        let Some(id) = &job.batch else { return Ok(()) };
        self.remove(tables::BATCH_JOBS, &tables::key(&[id.as_bytes(), job.id.as_bytes()]))
    }

    /// Whether a batch is over, and everybody who is to know does.
    pub(super) fn is_batch_settled(&self, id: &str) -> Result<bool, StoreError> {
        let batch: Option<BatchRecord> = self.record(tables::BATCHES, id.as_bytes())?;
        let is_over = batch.is_none_or(|batch| batch.open == 0);
        let is_reported = self.bytes(tables::BATCHES_OVER, id.as_bytes())?.is_none();
        Ok(is_over && is_reported && !self.has_notice(id)?)
    }

    /// Forgets a job of a batch, and the batch with its last one.
    pub(super) fn forget_in_batch(&self, job: &JobRecord) -> Result<(), StoreError> {
        let Some(id) = &job.batch else { return Ok(()) };
        self.leave_batch(job)?;
        if self.has_prefix(tables::BATCH_JOBS, &tables::key(&[id.as_bytes(), b""]))? {
            return Ok(());
        }
        if let Some(batch) = self.record::<BatchRecord>(tables::BATCHES, id.as_bytes())? {
            self.remove(tables::BATCHES, id.as_bytes())?;
            self.add(tables::PLAN_USES, batch.plan.as_bytes(), -1)?;
        }
        Ok(())
    }
}
