//! The store as a queue: claiming jobs and recording how far they are.

use super::jobs::attempt_key;
use super::records::{
    AttemptRecord, Ending, JobRecord, LedgerRecord, OutputProgress, OutputRecord, SourceRecord,
};
use super::tables::{self, ReadAccess, Scan, Tx};
use super::{CatalogRecord, Store, StoreError};
use crate::{Blame, Claim, End, EndReason, JobQueue, JobState, Lease, NextTry, Publication};
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use wavemill_pipelines::publishing::FileIdentity;

/// Bytes of a queue key before the id: priority and earliest start.
const READY_PREFIX_BYTES: usize = 12;

impl JobQueue for Store {
    fn claim(&self, claim: Claim) -> Result<Vec<JobRecord>, StoreError> {
        self.write(move |tx| {
            let ids = choose(tx, &claim)?;
            ids.iter().map(|id| take(tx, &claim, id)).collect()
        })
    }

    fn submit(&self, jobs: Vec<JobRecord>) -> Result<(), StoreError> {
        self.write(move |tx| jobs.iter().try_for_each(|job| tx.insert_job(job)))
    }

    fn cancel(&self, job: &str, now_ms: u64) -> Result<JobRecord, StoreError> {
        let id = job.to_owned();
        self.write(move |tx| {
            let job = tx.job(&id)?;
            let after = match job.state {
                JobState::Running => JobRecord { is_cancel_asked: true, ..job.clone() },
                state if state.waits() => job.canceled(now_ms),
                state => {
                    let reason = format!("it is {state}");
                    return Err(StoreError::Lease { job: id.clone(), wanted: "canceled", reason });
                }
            };
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn next_due_ms(&self, now_ms: u64) -> Result<Option<u64>, StoreError> {
        let mut next: Option<u64> = None;
        let look = self.read()?;
        for_each_priority(&look, &mut |_, run_at_ms, _| {
            if run_at_ms <= now_ms {
                return Ok(Next::Entry);
            }
            next = Some(next.map_or(run_at_ms, |next| next.min(run_at_ms)));
            Ok(Next::Priority)
        })?;
        Ok(next)
    }

    fn identify(
        &self,
        lease: &Lease,
        hash: String,
        identity: FileIdentity,
    ) -> Result<JobRecord, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let job = tx.leased(&lease, "identified", &[JobState::Running])?;
            let after = JobRecord { hash: hash.clone(), identity, ..job.clone() };
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn plan_outputs(&self, lease: &Lease, outputs: Vec<OutputRecord>) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            tx.leased(&lease, "planned", &[JobState::Running])?;
            tx.put_outputs(&lease.job, &outputs)
        })
    }

    fn prepare(
        &self,
        lease: &Lease,
        outputs: Vec<OutputRecord>,
        ending: Ending,
        audio_s: Option<f64>,
    ) -> Result<JobRecord, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let job = tx.leased(&lease, "prepared", &[JobState::Running])?;
            if job.is_cancel_asked {
                return Err(StoreError::Canceled { job: job.id });
            }
            tx.put_outputs(&lease.job, &outputs)?;
            let after = JobRecord {
                state: JobState::Prepared,
                ending: ending.clone(),
                audio_s,
                ..job.clone()
            };
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn replan(&self, lease: &Lease, outputs: Vec<OutputRecord>) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            tx.leased(&lease, "planned anew", &[JobState::Prepared])?;
            tx.put_outputs(&lease.job, &outputs)
        })
    }

    fn publish(&self, lease: &Lease, published: Publication) -> Result<JobRecord, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let job = tx.leased(&lease, "published", &[JobState::Prepared])?;
            tx.put_outputs(&lease.job, &published.outputs)?;
            tx.enter_ledger(&job, &published)?;
            tx.end_attempt(&job, published.now_ms, None)?;
            let mut after = JobRecord {
                state: JobState::Published,
                ending: published.ending.clone(),
                source: published.source.clone(),
                reason: None,
                ..job.clone()
            };
            if !after.source.is_pending() {
                after.finish(published.now_ms);
            }
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn settle_source(&self, job: &str, source: SourceRecord) -> Result<JobRecord, StoreError> {
        let id = job.to_owned();
        self.write(move |tx| {
            let job = tx.job(&id)?;
            let mut after = JobRecord { source: source.clone(), ..job.clone() };
            if after.state == JobState::Published && !source.is_pending() {
                after.finish(crate::Clock::now_ms());
            }
            if matches!(source, SourceRecord::Moved { .. } | SourceRecord::Deleted) {
                // Whatever comes under that name next is new, be it the same inode moved back.
                tx.forget_file(&job)?;
            }
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn retry(&self, lease: &Lease, again: NextTry) -> Result<JobRecord, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let job = tx.leased(&lease, "retried", &[JobState::Running, JobState::Prepared])?;
            tx.end_attempt(&job, again.now_ms, Some(&again.reason))?;
            if job.is_cancel_asked {
                return tx.cancel_held(&job, again.now_ms);
            }
            let after = JobRecord {
                state: JobState::Retry,
                run_at_ms: again.run_at_ms,
                reason: Some(again.reason.clone()),
                boot_id: None,
                tries: job.tries + u32::from(again.blame == Blame::Machine),
                crashes: job.crashes + u32::from(again.blame == Blame::File),
                deaths: job.deaths + u32::from(again.blame == Blame::Outside),
                ..job.clone()
            };
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn give_up(&self, lease: &Lease, end: End) -> Result<JobRecord, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let job = tx.leased(&lease, "ended", &[JobState::Running, JobState::Prepared])?;
            tx.end_attempt(&job, end.now_ms, Some(&end.reason))?;
            if job.is_cancel_asked || end.why == EndReason::Asked {
                return tx.cancel_held(&job, end.now_ms);
            }
            if end.why == EndReason::SourceChanged {
                if let Some(identity) = tx.take_found_again(&job)? {
                    let after = JobRecord {
                        state: JobState::Ready,
                        identity,
                        run_at_ms: 0,
                        reason: Some(end.reason.clone()),
                        boot_id: None,
                        ..job.clone()
                    };
                    tx.change_job(&job, &after)?;
                    return Ok(after);
                }
                // Else the file would rest if what settles has the content that this job stood for.
                tx.forget_file(&job)?;
            }
            let after = JobRecord {
                state: match end.why {
                    EndReason::Failed => JobState::Failed,
                    EndReason::SourceChanged | EndReason::Asked => JobState::Canceled,
                },
                reason: Some(end.reason.clone()),
                source: end.source.clone(),
                boot_id: None,
                crashes: job.crashes + u32::from(end.is_crash),
                finished_ms: Some(end.now_ms),
                ..job.clone()
            };
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn release(&self, lease: &Lease, daemon_died: bool) -> Result<JobRecord, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let job = tx.leased(&lease, "released", &[JobState::Running, JobState::Prepared])?;
            let now_ms = crate::Clock::now_ms();
            tx.end_attempt(&job, now_ms, Some("interrupted"))?;
            if job.is_cancel_asked {
                return tx.cancel_held(&job, now_ms);
            }
            let after = JobRecord {
                state: JobState::Ready,
                boot_id: None,
                run_at_ms: 0,
                deaths: job.deaths + u32::from(daemon_died),
                ..job.clone()
            };
            tx.change_job(&job, &after)?;
            Ok(after)
        })
    }

    fn held_by_others(&self, boot_id: &str) -> Result<Vec<JobRecord>, StoreError> {
        let look = self.read()?;
        let mut ids = Vec::new();
        for state in JobState::ALL.into_iter().filter(|state| state.is_held()) {
            look.scan(tables::STATES, Scan::forward(&[state.code()]), &mut |key, _| {
                ids.push(key[1..].to_vec());
                Ok(true)
            })?;
        }
        look.scan(tables::SOURCES, Scan::forward(&[]), &mut |key, _| {
            ids.push(key.to_vec());
            Ok(true)
        })?;
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let mut jobs = Vec::new();
        for id in ids {
            let job: Option<JobRecord> = look.record(tables::JOBS, &id)?;
            jobs.extend(job.filter(|job| job.boot_id.as_deref() != Some(boot_id)));
        }
        Ok(jobs)
    }
}

impl Store {
    /// Whether a claim would get anything: reading is free, a claim is a commit.
    pub fn has_claimable(&self, claim: &Claim) -> Result<bool, StoreError> {
        Ok(!choose(&self.read()?, &Claim { count_max: 1, ..claim.clone() })?.is_empty())
    }
}

/// Where to go on in the queue.
enum Next {
    Entry,
    Priority,
    Stop,
}

/// Gets id, earliest start and pipeline of an entry.
type VisitReady<'a> = dyn FnMut(&[u8], u64, &[u8]) -> Result<Next, StoreError> + 'a;

/// Visits the queue in order; `visit` gets id, earliest start and pipeline.
fn for_each_priority(look: &impl ReadAccess, visit: &mut VisitReady<'_>) -> Result<(), StoreError> {
    let mut from: Vec<u8> = Vec::new();
    loop {
        let mut next_priority = None;
        let scan = Scan { prefix: &[], from: &from, backward: false };
        look.scan(tables::READY, scan, &mut |key, pipeline| {
            let (head, id) = key.split_at(READY_PREFIX_BYTES.min(key.len()));
            let run_at_ms = head.get(4..12).and_then(|bytes| bytes.try_into().ok());
            let run_at_ms = run_at_ms.map_or(0, u64::from_be_bytes);
            match visit(id, run_at_ms, pipeline)? {
                Next::Entry => Ok(true),
                Next::Priority => {
                    next_priority = head.get(..4).and_then(|bytes| bytes.try_into().ok());
                    Ok(false)
                }
                Next::Stop => Ok(false),
            }
        })?;
        let after = next_priority.and_then(|bytes| u32::from_be_bytes(bytes).checked_add(1));
        match after {
            Some(after) => from = after.to_be_bytes().to_vec(),
            None => return Ok(()),
        }
    }
}

/// Ids of the jobs that a claim gets.
fn choose(look: &impl ReadAccess, claim: &Claim) -> Result<Vec<String>, StoreError> {
    let mut free: std::collections::BTreeMap<&[u8], (usize, bool)> = claim
        .pipelines
        .iter()
        .map(|(name, capacity)| (name.as_bytes(), (capacity.free, capacity.submitted_only)))
        .collect();
    let mut busy = claim.busy.clone();
    let mut contents = claim.contents.clone();
    let mut ids = Vec::new();
    for_each_priority(look, &mut |id, run_at_ms, pipeline| {
        if ids.len() >= claim.count_max || free.values().all(|&(count, _)| count == 0) {
            return Ok(Next::Stop);
        }
        if run_at_ms > claim.now_ms {
            return Ok(Next::Priority);
        }
        let Some((free, submitted_only)) = free.get_mut(pipeline).filter(|(count, _)| *count > 0)
        else {
            return Ok(Next::Entry);
        };
        let Some(job) = look.record::<JobRecord>(tables::JOBS, id)? else { return Ok(Next::Entry) };
        let content = job.content();
        if job.skips_duplicates && contents.contains(&content) {
            return Ok(Next::Entry);
        }
        if (job.keeps_plan || !*submitted_only) && busy.insert(job.file.clone()) {
            contents.insert(content);
            *free -= 1;
            ids.push(job.id);
        }
        Ok(Next::Entry)
    })?;
    Ok(ids)
}

/// Makes a job `Running`.
fn take(tx: &Tx<'_>, claim: &Claim, id: &str) -> Result<JobRecord, StoreError> {
    let job = tx.job(id)?;
    let mut after = JobRecord {
        state: JobState::Running,
        attempt: job.attempt + 1,
        boot_id: Some(claim.boot_id.clone()),
        started_ms: Some(claim.now_ms),
        ..job.clone()
    };
    let takes_today = job.attempt == 0 && !job.keeps_plan;
    if let Some(capacity) = claim.pipelines.get(&job.file.pipeline).filter(|_| takes_today) {
        after.plan.clone_from(&capacity.plan);
        after.output_root.clone_from(&capacity.output_root);
    }
    tx.change_job(&job, &after)?;
    let attempt = AttemptRecord {
        boot_id: claim.boot_id.clone(),
        started_ms: claim.now_ms,
        ended_ms: None,
        reason: None,
    };
    tx.put(tables::ATTEMPTS, &attempt_key(id, after.attempt), &attempt)?;
    Ok(after)
}

impl Tx<'_> {
    /// Ends a held job that someone canceled.
    fn cancel_held(&self, job: &JobRecord, now_ms: u64) -> Result<JobRecord, StoreError> {
        let after = job.canceled(now_ms);
        self.change_job(job, &after)?;
        Ok(after)
    }

    fn end_attempt(
        &self,
        job: &JobRecord,
        now_ms: u64,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let key = attempt_key(&job.id, job.attempt);
        let Some(attempt) = self.record::<AttemptRecord>(tables::ATTEMPTS, &key)? else {
            return Ok(());
        };
        let ended =
            AttemptRecord { ended_ms: Some(now_ms), reason: reason.map(str::to_owned), ..attempt };
        self.put(tables::ATTEMPTS, &key, &ended)
    }

    fn enter_ledger(&self, job: &JobRecord, published: &Publication) -> Result<(), StoreError> {
        for output in &published.outputs {
            let OutputProgress::Published { blake3, .. } = &output.progress else { continue };
            let identity = published.identities.iter().find(|(path, _)| *path == output.path);
            let Some((_, identity)) = identity else { continue };
            let record = LedgerRecord {
                job: job.id.clone(),
                file: job.file.clone(),
                identity: *identity,
                blake3: blake3.clone(),
            };
            self.put(tables::LEDGER, output.path.as_os_str().as_bytes(), &record)?;
            let record = CatalogRecord {
                job: Some(job.id.clone()),
                pipeline: Some(job.file.pipeline.clone()),
                made_ms: published.now_ms,
                identity: *identity,
                blake3: blake3.clone(),
                facts: output.facts.clone(),
            };
            self.catalog(&output.path, &record)?;
        }
        if published.ending == Ending::Done {
            self.enter_content(job)?;
        }
        Ok(())
    }
}

impl JobRecord {
    /// This job, canceled because someone asked for it.
    fn canceled(&self, now_ms: u64) -> Self {
        Self {
            state: JobState::Canceled,
            reason: Some("was canceled".to_owned()),
            boot_id: None,
            finished_ms: Some(now_ms),
            ..self.clone()
        }
    }

    /// Ends a published job as its outcome says.
    fn finish(&mut self, now_ms: u64) {
        self.finished_ms = Some(now_ms);
        self.boot_id = None;
        (self.state, self.reason) = match &self.ending {
            Ending::Done => (JobState::Done, None),
            Ending::Skipped { reason } => (JobState::Skipped, Some(reason.clone())),
            Ending::Rejected { reason } => (JobState::Rejected, Some(reason.clone())),
        };
    }
}
