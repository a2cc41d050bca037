//! A second job queue, in memory and without indexes: what the store is held against.

use crate::{Blame, Claim, End, EndReason, JobQueue, JobState, Lease, NextTry, Publication};
use crate::{Ending, JobRecord, OutputRecord, SourceRecord, Store, StoreError};
use parking_lot::{Mutex, MutexGuard};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use wavemill_pipelines::publishing::FileIdentity;

/// When something ended, as far as this queue knows: it reads no clock.
pub(super) const SOME_TIME_MS: u64 = 0;

/// What it knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    pub(super) jobs: BTreeMap<String, JobRecord>,
    pub(super) outputs: BTreeMap<String, Vec<OutputRecord>>,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct MemoryQueue {
    known: Mutex<Known>,
}

type Answer<T> = Result<T, StoreError>;

impl MemoryQueue {
    pub(super) fn of(known: Known) -> Self {
        Self { known: Mutex::new(known) }
    }

    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    /// Forgets the jobs that are over, as far as `store` says that no later job of the same file is not, and returns how
    /// many.
    pub(super) fn prune(&self, store: &Store) -> u64 {
        let mut known = self.lock();
        let ids: Vec<_> = known.jobs.keys().cloned().collect();
        let mut count = 0;
        for id in ids {
            let Known { jobs, outputs } = &mut *known;
            let job = &jobs[&id];
            let latest = store.latest_job(&job.file).unwrap();
            let is_repeated = latest.is_some_and(|latest| !latest.state.is_final());
            if job.state.is_final() && !job.source.is_pending() && !is_repeated {
                jobs.remove(&id);
                outputs.remove(&id);
                count += 1;
            }
        }
        count
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }

    fn held(
        &self,
        lease: &Lease,
        states: &[JobState],
        change: impl FnOnce(&mut JobRecord) -> Answer<()>,
    ) -> Answer<JobRecord> {
        let mut known = self.lock();
        let job = known.jobs.get_mut(&lease.job).ok_or_else(|| missing(&lease.job))?;
        if !states.contains(&job.state) || Lease::of(job) != *lease {
            return Err(refused(&job.id));
        }
        let mut after = job.clone();
        change(&mut after)?;
        *job = after.clone();
        Ok(after)
    }

    fn put_outputs(&self, lease: &Lease, outputs: &[OutputRecord]) {
        self.lock().outputs.insert(lease.job.clone(), outputs.to_vec());
    }
}

fn missing(job: &str) -> StoreError {
    StoreError::Missing { what: job.to_owned() }
}

fn refused(job: &str) -> StoreError {
    StoreError::Lease { job: job.to_owned(), wanted: "changed", reason: "no".to_owned() }
}

fn cancel(job: &mut JobRecord) {
    job.state = JobState::Canceled;
    job.reason = Some("was canceled".to_owned());
    job.boot_id = None;
    job.finished_ms = Some(SOME_TIME_MS);
}

fn finish(job: &mut JobRecord) {
    (job.state, job.reason) = match job.ending.clone() {
        Ending::Done => (JobState::Done, None),
        Ending::Skipped { reason } => (JobState::Skipped, Some(reason)),
        Ending::Rejected { reason } => (JobState::Rejected, Some(reason)),
    };
    job.boot_id = None;
    job.finished_ms = Some(SOME_TIME_MS);
}

const HELD: [JobState; 2] = [JobState::Running, JobState::Prepared];

impl JobQueue for MemoryQueue {
    fn claim(&self, mut claim: Claim) -> Answer<Vec<JobRecord>> {
        let mut known = self.lock();
        let mut waiting: Vec<_> = known
            .jobs
            .values_mut()
            .filter(|job| job.state.waits() && job.run_at_ms <= claim.now_ms)
            .collect();
        waiting.sort_by_key(|job| (Reverse(job.priority), job.run_at_ms, job.id.clone()));
        let mut claimed = Vec::new();
        for job in waiting {
            let Some(room) = claim.pipelines.get_mut(&job.file.pipeline) else { continue };
            let is_barred = room.submitted_only && !job.keeps_plan;
            if claimed.len() == claim.count_max || room.free == 0 || is_barred {
                continue;
            }
            if !claim.busy.insert(job.file.clone()) {
                continue;
            }
            room.free -= 1;
            if job.attempt == 0 && !job.keeps_plan {
                (job.plan, job.output_root) = (room.plan.clone(), room.output_root.clone());
            }
            job.state = JobState::Running;
            job.attempt += 1;
            job.boot_id = Some(claim.boot_id.clone());
            job.started_ms = Some(claim.now_ms);
            claimed.push(job.clone());
        }
        Ok(claimed)
    }

    fn submit(&self, jobs: Vec<JobRecord>) -> Answer<()> {
        self.lock().jobs.extend(jobs.into_iter().map(|job| (job.id.clone(), job)));
        Ok(())
    }

    fn cancel(&self, job: &str, _now_ms: u64) -> Answer<JobRecord> {
        let mut known = self.lock();
        let job = known.jobs.get_mut(job).ok_or_else(|| missing(job))?;
        match job.state {
            JobState::Ready | JobState::Retry => cancel(job),
            JobState::Running => job.is_cancel_asked = true,
            _ => return Err(refused(&job.id)),
        }
        Ok(job.clone())
    }

    fn next_due_ms(&self, now_ms: u64) -> Answer<Option<u64>> {
        let known = self.lock();
        let waiting = known.jobs.values().filter(|job| job.state.waits());
        Ok(waiting.map(|job| job.run_at_ms).filter(|&due_ms| due_ms > now_ms).min())
    }

    fn identify(&self, lease: &Lease, hash: String, identity: FileIdentity) -> Answer<JobRecord> {
        self.held(lease, &[JobState::Running], |job| {
            (job.hash, job.identity) = (hash, identity);
            Ok(())
        })
    }

    fn plan_outputs(&self, lease: &Lease, outputs: Vec<OutputRecord>) -> Answer<()> {
        self.held(lease, &[JobState::Running], |_| Ok(()))?;
        self.put_outputs(lease, &outputs);
        Ok(())
    }

    fn prepare(
        &self,
        lease: &Lease,
        outputs: Vec<OutputRecord>,
        ending: Ending,
        audio_s: Option<f64>,
    ) -> Answer<JobRecord> {
        let job = self.held(lease, &[JobState::Running], |job| {
            if job.is_cancel_asked {
                return Err(StoreError::Canceled { job: job.id.clone() });
            }
            (job.state, job.ending, job.audio_s) = (JobState::Prepared, ending, audio_s);
            Ok(())
        })?;
        self.put_outputs(lease, &outputs);
        Ok(job)
    }

    fn replan(&self, lease: &Lease, outputs: Vec<OutputRecord>) -> Answer<()> {
        self.held(lease, &[JobState::Prepared], |_| Ok(()))?;
        self.put_outputs(lease, &outputs);
        Ok(())
    }

    fn publish(&self, lease: &Lease, published: Publication) -> Answer<JobRecord> {
        let job = self.held(lease, &[JobState::Prepared], |job| {
            job.state = JobState::Published;
            (job.ending, job.source) = (published.ending.clone(), published.source.clone());
            job.reason = None;
            if !job.source.is_pending() {
                finish(job);
            }
            Ok(())
        })?;
        self.put_outputs(lease, &published.outputs);
        Ok(job)
    }

    fn settle_source(&self, job: &str, source: SourceRecord) -> Answer<JobRecord> {
        let mut known = self.lock();
        let job = known.jobs.get_mut(job).ok_or_else(|| missing(job))?;
        job.source = source;
        if job.state == JobState::Published && !job.source.is_pending() {
            finish(job);
        }
        Ok(job.clone())
    }

    fn retry(&self, lease: &Lease, again: NextTry) -> Answer<JobRecord> {
        self.held(lease, &HELD, |job| {
            if job.is_cancel_asked {
                cancel(job);
                return Ok(());
            }
            match again.blame {
                Blame::Machine => job.tries += 1,
                Blame::File => job.crashes += 1,
                Blame::Outside => job.deaths += 1,
            }
            (job.state, job.run_at_ms) = (JobState::Retry, again.run_at_ms);
            (job.reason, job.boot_id) = (Some(again.reason), None);
            Ok(())
        })
    }

    fn give_up(&self, lease: &Lease, end: End) -> Answer<JobRecord> {
        self.held(lease, &HELD, |job| {
            if job.is_cancel_asked || end.why == EndReason::Asked {
                cancel(job);
                return Ok(());
            }
            job.state =
                if end.why == EndReason::Failed { JobState::Failed } else { JobState::Canceled };
            (job.reason, job.source) = (Some(end.reason), end.source);
            (job.boot_id, job.finished_ms) = (None, Some(SOME_TIME_MS));
            job.crashes += u32::from(end.is_crash);
            Ok(())
        })
    }

    fn release(&self, lease: &Lease, daemon_died: bool) -> Answer<JobRecord> {
        self.held(lease, &HELD, |job| {
            if job.is_cancel_asked {
                cancel(job);
                return Ok(());
            }
            (job.state, job.boot_id, job.run_at_ms) = (JobState::Ready, None, 0);
            job.deaths += u32::from(daemon_died);
            Ok(())
        })
    }

    fn held_by_others(&self, boot_id: &str) -> Answer<Vec<JobRecord>> {
        let known = self.lock();
        let is_left = |job: &&JobRecord| {
            (job.state.is_held() || job.source.is_pending())
                && job.boot_id.as_deref() != Some(boot_id)
        };
        Ok(known.jobs.values().filter(is_left).cloned().collect())
    }
}
