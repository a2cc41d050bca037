//! How much of what is over is remembered, and forgetting the rest.
//!
//! The store remembers what lies on disk, what is not over, and the history. Whoever is killed between two of the
//! small changes has a whole store, and the next prune goes on.

use super::jobs::{backwards, job_prefix, state_key};
use super::records::{BatchRecord, CurrentPlan, JobRecord};
use super::tables::{self, META, ReadAccess, Scan, Tx};
use super::{CatalogRecord, Store, StoreError};
use crate::{JobState, made_ms};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most jobs forgotten in one change: some 15 entries each, so that others wait 10 ms for it.
const JOBS_A_CHANGE_MAX: usize = 64;

/// Most files forgotten in one change: four entries each.
const FILES_A_CHANGE_MAX: usize = 256;

/// Most plans forgotten in one change: each may have some KB.
const PLANS_A_CHANGE_MAX: usize = 64;

/// Most jobs looked at before a change, so that no look keeps old pages for long.
const JOBS_A_LOOK_MAX: usize = 4_096;

/// Most files that one prune asks the disk for; the next one goes on.
const FILES_A_PRUNE_MAX: usize = 100_000;

/// Where [`ForgottenRecord`] is kept.
const FORGOTTEN_KEY: &[u8] = b"forgotten";

/// What is remembered of jobs that are over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Jobs that ended before may be forgotten, milliseconds since 1970.
    pub since_ms: u64,
    /// Most finished jobs that are remembered.
    pub jobs_max: u64,
    /// Pipelines that skip duplicates: what they delivered is never forgotten.
    pub skip_duplicates: BTreeSet<String>,
}

/// What a prune has forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneCounts {
    /// Jobs, with all that belongs to them.
    pub jobs: u64,
    /// Files that were made and are gone.
    pub files: u64,
    /// Pipelines that no job has.
    pub plans: u64,
}

/// What is known of forgotten jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ForgottenRecord {
    /// The largest of their ids.
    pub(super) job: String,
    /// When the last of them ended, milliseconds since 1970.
    ended_ms: u64,
}

/// A part of a list, and the key after which the next one begins.
struct Part<T> {
    items: Vec<T>,
    next: Option<Vec<u8>>,
}

impl Store {
    /// Forgets what `history` leaves out, the oldest first, in small changes; between two of them it asks whether to
    /// stop. Never a job that is not over, nor one whose source, notice, batch, group or repeat is pending.
    ///
    /// # Errors
    /// When the store fails.
    pub fn prune(
        &self,
        history: &History,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<PruneCounts, StoreError> {
        let mut pruned =
            PruneCounts { jobs: self.prune_jobs(history, is_stopped)?, ..PruneCounts::default() };
        if !is_stopped() {
            pruned.plans = self.prune_plans(is_stopped)?;
            pruned.files = self.prune_files(is_stopped)?;
        }
        Ok(pruned)
    }

    fn prune_jobs(
        &self,
        history: &History,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<u64, StoreError> {
        let (mut count, mut after) = (0, Vec::new());
        while !is_stopped() {
            let Part { items: ids, next } = old_jobs(&self.read()?, history, &after)?;
            if !ids.is_empty() {
                let kept = history.skip_duplicates.clone();
                count += self.write(move |tx| tx.forget_jobs(&ids, &kept))?;
            }
            let Some(next) = next else { break };
            after = next;
        }
        Ok(count)
    }

    fn prune_plans(&self, is_stopped: &dyn Fn() -> bool) -> Result<u64, StoreError> {
        let mut count = 0;
        while !is_stopped() && !unused_plans(&self.read()?)?.is_empty() {
            count += self.write(|tx| {
                let unused = unused_plans(tx)?;
                unused.iter().try_for_each(|plan| tx.remove(tables::PLANS, plan))?;
                Ok(unused.len() as u64)
            })?;
        }
        Ok(count)
    }

    /// Forgets files whose job is forgotten and that are gone.
    fn prune_files(&self, is_stopped: &dyn Fn() -> bool) -> Result<u64, StoreError> {
        let (mut count, mut looked_at) = (0, 0);
        let mut after = self.files_looked_at.lock();
        while !is_stopped() && looked_at < FILES_A_PRUNE_MAX {
            let Part { items, next } = old_files(&self.read()?, &after)?;
            looked_at += FILES_A_CHANGE_MAX;
            // Nobody waits for the disk with the store open: a file system may hang.
            let gone: Vec<_> = items.into_iter().filter(|(path, _)| is_gone(path)).collect();
            if !gone.is_empty() {
                count += self.write(move |tx| tx.forget_files(&gone))?;
            }
            *after = next.unwrap_or_default();
            if after.is_empty() {
                break;
            }
        }
        Ok(count)
    }
}

/// What is known of forgotten jobs, if there are any.
pub(super) fn forgotten(look: &impl ReadAccess) -> Result<Option<ForgottenRecord>, StoreError> {
    look.record(META, FORGOTTEN_KEY)
}

/// Ids of jobs that are over and too old or too many.
fn old_jobs(
    look: &impl ReadAccess,
    history: &History,
    after: &[u8],
) -> Result<Part<String>, StoreError> {
    let mut finished = 0;
    for state in JobState::ALL.into_iter().filter(|state| state.is_final()) {
        finished += look.record::<u64>(tables::COUNTS, &[state.code()])?.unwrap_or(0);
    }
    let surplus = finished.saturating_sub(history.jobs_max);
    let mut part = Part { items: Vec::new(), next: None };
    let (mut looked_at, from) = (0, behind(after));
    let scan = Scan { prefix: &[], from: &from, backward: false };
    look.scan(tables::JOBS, scan, &mut |key, bytes| {
        let is_surplus = (part.items.len() as u64) < surplus;
        let made_ms = std::str::from_utf8(key).ok().and_then(made_ms).unwrap_or(0);
        if !is_surplus && made_ms >= history.since_ms {
            return Ok(false);
        }
        let job: JobRecord = tables::decode(bytes)?;
        if job.state.is_final() && (is_surplus || ended_ms(look, &job)? < history.since_ms) {
            part.items.push(job.id);
        }
        looked_at += 1;
        let is_full = part.items.len() == JOBS_A_CHANGE_MAX || looked_at == JOBS_A_LOOK_MAX;
        part.next = is_full.then(|| key.to_vec());
        Ok(!is_full)
    })?;
    Ok(part)
}

/// When a job was over, with its batch.
fn ended_ms(look: &impl ReadAccess, job: &JobRecord) -> Result<u64, StoreError> {
    let own_ms = job.finished_ms.or_else(|| made_ms(&job.id)).unwrap_or(0);
    let Some(batch) = &job.batch else { return Ok(own_ms) };
    let batch: Option<BatchRecord> = look.record(tables::BATCHES, batch.as_bytes())?;
    Ok(batch.and_then(|batch| batch.finished_ms).map_or(own_ms, |ms| ms.max(own_ms)))
}

/// Hashes of pipelines that no job or batch has, nor new ones would get.
fn unused_plans(look: &impl ReadAccess) -> Result<Vec<Vec<u8>>, StoreError> {
    let current = look.records::<CurrentPlan>(tables::CURRENT, &[])?;
    let current: BTreeSet<String> = current.into_iter().map(|(_, current)| current.plan).collect();
    let mut unused = Vec::new();
    look.scan(tables::PLANS, Scan::forward(&[]), &mut |plan, _| {
        let is_used = look.bytes(tables::PLAN_USES, plan)?.is_some();
        if !is_used && !current.iter().any(|current| current.as_bytes() == plan) {
            unused.push(plan.to_vec());
        }
        Ok(unused.len() < PLANS_A_CHANGE_MAX)
    })?;
    Ok(unused)
}

/// Cataloged files of the time of forgotten jobs, and whose own job is forgotten.
fn old_files(
    look: &impl ReadAccess,
    after: &[u8],
) -> Result<Part<(PathBuf, CatalogRecord)>, StoreError> {
    let mut part = Part { items: Vec::new(), next: None };
    let Some(forgotten) = forgotten(look)? else { return Ok(part) };
    let (mut looked_at, from) = (0, behind(after));
    let scan = Scan { prefix: &[], from: &from, backward: false };
    look.scan(tables::CATALOG_DATES, scan, &mut |key, _| {
        let Some((made_ms, path)) = super::catalog::split_date(key) else { return Ok(true) };
        if made_ms > forgotten.ended_ms {
            return Ok(false);
        }
        if let Some(record) = look.record::<CatalogRecord>(tables::CATALOG, path)?
            && !is_job_known(look, &record)?
        {
            part.items.push((OsStr::from_bytes(path).into(), record));
        }
        looked_at += 1;
        let is_full = looked_at == FILES_A_CHANGE_MAX;
        part.next = is_full.then(|| key.to_vec());
        Ok(!is_full)
    })?;
    Ok(part)
}

fn is_job_known(look: &impl ReadAccess, record: &CatalogRecord) -> Result<bool, StoreError> {
    let Some(job) = &record.job else { return Ok(false) };
    Ok(look.bytes(tables::JOBS, job.as_bytes())?.is_some())
}

/// The smallest key above one.
fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// Whether a file is not there. Where nothing else is there either, its disk may be missing.
fn is_gone(path: &Path) -> bool {
    let is_missing = |path: &Path| matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound);
    let mut folders = path.ancestors().skip(1);
    let has_entries = |folder: &Path| fs::read_dir(folder).is_ok_and(|mut it| it.next().is_some());
    is_missing(path) && folders.find(|folder| !is_missing(folder)).is_some_and(has_entries)
}

impl Tx<'_> {
    /// Forgets those of these jobs that nothing needs any more.
    fn forget_jobs(&self, ids: &[String], kept: &BTreeSet<String>) -> Result<u64, StoreError> {
        let (mut count, mut groups_over) = (0, HashMap::new());
        let mut mark = forgotten(self)?.unwrap_or_default();
        for id in ids {
            let Some(job) = self.record::<JobRecord>(tables::JOBS, id.as_bytes())? else {
                continue;
            };
            if !self.is_settled(&job)? || !self.is_group_settled(&job, &mut groups_over)? {
                continue;
            }
            self.forget_job(&job, kept)?;
            mark.ended_ms = mark.ended_ms.max(job.finished_ms.unwrap_or(0));
            mark.job = mark.job.max(job.id);
            count += 1;
        }
        if count > 0 {
            self.put(META, FORGOTTEN_KEY, &mark)?;
        }
        Ok(count)
    }

    /// Whether a job is over, and so is all that needs it: its source, its notices, its batch, a job that repeats it.
    fn is_settled(&self, job: &JobRecord) -> Result<bool, StoreError> {
        let is_over = job.state.is_final() && !job.source.is_pending();
        let is_repeated = |latest: JobRecord| !latest.state.is_final();
        if !is_over || self.latest_job(&job.file)?.is_some_and(is_repeated) {
            return Ok(false);
        }
        let is_batch_settled = match &job.batch {
            Some(batch) => self.is_batch_settled(batch)?,
            None => true,
        };
        Ok(is_batch_settled && !self.has_notice(&job.id)?)
    }

    /// Whether every job of the group of a job is over; `known` are groups that were asked for before.
    fn is_group_settled(
        &self,
        job: &JobRecord,
        known: &mut HashMap<String, bool>,
    ) -> Result<bool, StoreError> {
        let Some(group) = &job.group else { return Ok(true) };
        if let Some(is_over) = known.get(group) {
            return Ok(*is_over);
        }
        let is_over = self.is_group_over(group)?;
        known.insert(group.clone(), is_over);
        Ok(is_over)
    }

    /// Forgets a job but for what "once" needs: a file that is there stays known with its content, and so does what a
    /// pipeline that skips duplicates delivered.
    fn forget_job(&self, job: &JobRecord, kept: &BTreeSet<String>) -> Result<(), StoreError> {
        let (id, file) = (job.id.as_bytes(), job.file.key());
        self.remove(tables::JOBS, id)?;
        self.remove(tables::ID_ENDS, &backwards(id))?;
        self.remove(tables::STATES, &state_key(job.state, &job.id))?;
        self.count(job.state, -1)?;
        self.add(tables::PLAN_USES, job.plan.as_bytes(), -1)?;
        self.remove_prefix(tables::ATTEMPTS, &job_prefix(&job.id))?;
        self.remove_prefix(tables::OUTPUTS, &job_prefix(&job.id))?;
        let is_latest = self.bytes(tables::LATEST, &file)?.as_deref() == Some(id);
        if is_latest && self.bytes(tables::FILES, &file)?.is_none() {
            self.remove(tables::LATEST, &file)?;
        }
        if !job.skips_duplicates && !kept.contains(&job.file.pipeline) {
            self.forget_content(job)?;
        }
        self.leave_group(job)?;
        self.forget_in_batch(job)
    }

    /// Forgets files that are gone, unless they were made again or an order is about them.
    fn forget_files(&self, gone: &[(PathBuf, CatalogRecord)]) -> Result<u64, StoreError> {
        let mut count = 0;
        for (path, seen) in gone {
            let key = path.as_os_str().as_bytes();
            let known: Option<CatalogRecord> = self.record(tables::CATALOG, key)?;
            if known.as_ref() == Some(seen) && self.bytes(tables::ORDERS, key)?.is_none() {
                self.forget_cataloged(path, seen)?;
                self.remove(tables::LEDGER, key)?;
                count += 1;
            }
        }
        Ok(count)
    }
}
