//! The scheduler: waits for changes, finished jobs, requests and the clock, and hands out jobs.

use super::admission::Admission;
use super::event::DaemonEvent;
use super::plans::Plan;
use super::retention::Retention;
use super::settings::{Reload, Summary};
use super::shared::Shared;
use super::slot::{SlotHandle, SlotReport};
use super::watches::ActiveWatch;
use crossbeam_channel::{Receiver, after, never, select};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_api::StopLevel;
use wavemill_api::live::Hold;
use wavemill_platform::service_manager;
use wavemill_store::{BatchRecord, JobRecord, StoreError};
use wavemill_store::{Capacity, Claim, Clock, JobState};
use wavemill_watch::{Change, ChangeSender};

/// Batches of changes taken before jobs are handed out again.
const BATCHES_MAX: usize = 64;

/// Longest time between two rounds of the scheduler: room or an allowed hour comes by itself.
const BEAT_INTERVAL: Duration = Duration::from_secs(5);

/// Longest time without looking at the queue: the clock may have been set.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// What the scheduler waits for.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) changes: Receiver<(usize, Vec<Change>)>,
    pub(super) reports: Receiver<SlotReport>,
    pub(super) requests: Receiver<()>,
    pub(super) stopped: Receiver<()>,
    pub(super) reloads: Receiver<Result<Reload, String>>,
}

/// The scheduler.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) shared: Arc<Shared>,
    pub(super) inputs: Inputs,
    /// `None` in the place of one that has ended: changes name places.
    pub(super) watches: Vec<Option<ActiveWatch>>,
    /// What new watches send changes to.
    pub(super) changes: ChangeSender,
    pub(super) slots: Vec<SlotHandle>,
    pub(super) until_idle: bool,
    idle_slots: Vec<usize>,
    /// Time of the last look at the queue: a job that became due since is still to be found.
    looked_at_ms: u64,
    retention: Retention,
    running: HashMap<String, JobRecord>,
    summary: Summary,
    is_idle: bool,
    /// Pipelines of which it was reported that there is no room for their jobs.
    short: BTreeSet<String>,
    emitted_stop: StopLevel,
}

impl Engine {
    pub(super) fn new(
        shared: Arc<Shared>,
        inputs: Inputs,
        watches: Vec<ActiveWatch>,
        changes: ChangeSender,
        slots: Vec<SlotHandle>,
        until_idle: bool,
    ) -> Self {
        let idle_slots = (0..slots.len()).rev().collect();
        Self {
            shared,
            inputs,
            watches: watches.into_iter().map(Some).collect(),
            changes,
            slots,
            until_idle,
            idle_slots,
            looked_at_ms: 0,
            retention: Retention::default(),
            running: HashMap::new(),
            summary: Summary::default(),
            is_idle: false,
            short: BTreeSet::new(),
            emitted_stop: StopLevel::Run,
        }
    }

    /// Runs until stopped or, if asked, until nothing is left to do.
    pub(super) fn run(mut self) -> Result<Summary, StoreError> {
        let result = self.run_until_stopped();
        if result.is_err() {
            // The store is gone: nothing that runs can be recorded any more.
            self.shared.stop.fail();
        }
        result
    }

    fn run_until_stopped(&mut self) -> Result<Summary, StoreError> {
        loop {
            let level = self.shared.stop.level();
            self.emit_stop(level);
            self.emit_batches()?;
            self.beat();
            self.retention.look(&self.shared)?;
            if level == StopLevel::Run {
                self.hand_out()?;
            } else if self.running.is_empty() {
                break;
            }
            if level == StopLevel::Run && self.rest()? && self.until_idle {
                break;
            }
            self.wait()?;
        }
        if self.shared.stop.level() != StopLevel::Now {
            self.retention.finish();
        }
        self.summary.incomplete = self.shared.live.incomplete_count() as u64;
        self.summary.unreadable = self.shared.live.unreadable_count() as u64;
        Ok(self.summary)
    }

    /// Waits for something to happen and takes it.
    fn wait(&mut self) -> Result<(), StoreError> {
        let due = self.due()?;
        let inputs = &self.inputs;
        let mut reload = None;
        select! {
            recv(inputs.changes) -> batch => if let Ok((index, changes)) = batch {
                self.take_changes(index, changes)?;
            },
            recv(inputs.reports) -> report => if let Ok((slot, job)) = report {
                self.take_report(slot, &job?);
            },
            recv(inputs.requests) -> _ => {},
            recv(inputs.reloads) -> asked => reload = asked.ok(),
            recv(inputs.stopped) -> _ => {},
            recv(due) -> _ => {},
            recv(after(BEAT_INTERVAL)) -> _ => {},
        }
        if let Some(reload) = reload {
            self.take_reload(reload)?;
        }
        // What else is there by now shares the next look at the queue.
        let reports: Vec<_> = self.inputs.reports.try_iter().collect();
        for (slot, job) in reports {
            self.take_report(slot, &job?);
        }
        let batches: Vec<_> = self.inputs.changes.try_iter().take(BATCHES_MAX).collect();
        for (index, changes) in batches {
            self.take_changes(index, changes)?;
        }
        Ok(())
    }

    /// A message when the next job that waits for its time may run.
    fn due(&self) -> Result<Receiver<Instant>, StoreError> {
        if self.idle_slots.is_empty() || self.shared.stop.level() != StopLevel::Run {
            return Ok(never());
        }
        Ok(match self.shared.queue().next_due_ms(self.looked_at_ms)? {
            Some(due_ms) => {
                let wait = Duration::from_millis(due_ms.saturating_sub(Clock::now_ms()) + 1);
                after(wait.min(LOOK_INTERVAL))
            }
            None => never(),
        })
    }

    fn take_changes(&mut self, index: usize, changes: Vec<Change>) -> Result<(), StoreError> {
        match self.watches.get_mut(index) {
            Some(Some(watch)) => watch.take(&self.shared, index, changes),
            // What follows it finds them too.
            Some(None) | None => Ok(()),
        }
    }

    /// Notifies the service manager, and whoever asks, that this loop goes round.
    fn beat(&self) {
        let free_bytes = self.shared.space.known_free_bytes();
        self.shared.live.count(|tally| {
            tally.beat = Instant::now();
            tally.free_bytes = free_bytes;
        });
        service_manager::alive();
    }

    /// Reports batches whose last job has ended.
    fn emit_batches(&self) -> Result<(), StoreError> {
        for batch in self.shared.store.take_batches_over()? {
            let mut jobs = BTreeMap::new();
            for job in self.shared.store.batch_jobs(&batch.id)? {
                *jobs.entry(job.state).or_insert(0) += 1;
            }
            let BatchRecord { id, name, pipeline, .. } = batch;
            self.shared.emit(DaemonEvent::BatchOver { batch: id, name, pipeline, jobs });
        }
        Ok(())
    }

    fn take_report(&mut self, slot: usize, job: &JobRecord) {
        self.running.remove(&job.id);
        self.idle_slots.push(slot);
        self.count(job);
    }

    /// Counts a job that reached its end.
    pub(super) fn count(&mut self, job: &JobRecord) {
        let summary = &mut self.summary;
        match job.state {
            JobState::Done => {
                summary.done += 1;
                self.shared.live.count(|tally| tally.audio_s += job.audio_s.unwrap_or(0.0));
            }
            JobState::Failed => summary.failed += 1,
            JobState::Rejected => summary.rejected += 1,
            JobState::Skipped => summary.skipped += 1,
            JobState::Canceled => summary.canceled += 1,
            _ => {}
        }
    }

    /// Gives idle places jobs.
    fn hand_out(&mut self) -> Result<(), StoreError> {
        if self.idle_slots.is_empty() {
            return Ok(());
        }
        let now_ms = Clock::now_ms();
        if now_ms < self.looked_at_ms {
            // The clock was set back.
            self.shared.store.shorten_waits(now_ms)?;
        }
        self.looked_at_ms = now_ms;
        let claim = Claim {
            boot_id: self.shared.boot_id.clone(),
            now_ms: self.looked_at_ms,
            count_max: self.idle_slots.len(),
            pipelines: self.capacities()?,
            busy: self.running.values().map(|job| job.file.clone()).collect(),
            contents: self.running.values().map(JobRecord::content).collect(),
        };
        if !self.shared.store.has_claimable(&claim)? {
            return Ok(());
        }
        for job in self.shared.queue().claim(claim)? {
            let Some(slot) = self.idle_slots.pop() else { break };
            self.is_idle = false;
            self.running.insert(job.id.clone(), job.clone());
            self.slots[slot].assign(job);
        }
        Ok(())
    }

    /// Room for jobs of each pipeline; jobs that are held back have none.
    fn capacities(&mut self) -> Result<BTreeMap<String, Capacity>, StoreError> {
        let admission = Admission::look(&self.shared)?;
        let mut holds = BTreeMap::new();
        let mut capacities = BTreeMap::new();
        let current = self.shared.plans.current();
        let mut submitted = self.shared.live.submitted();
        submitted.retain(|name, _| !current.contains_key(name));
        for (name, hash) in &submitted {
            let plan = self.shared.plans.get(&self.shared.store, name, hash)?;
            let Some(plan) = plan else { continue };
            capacities
                .insert(name.clone(), self.capacity(name, &plan, &admission, true, &mut holds));
        }
        for (name, plan) in current.iter() {
            capacities
                .insert(name.clone(), self.capacity(name, plan, &admission, false, &mut holds));
        }
        self.emit_shortages(&holds)?;
        self.shared.live.set_holds(holds);
        Ok(capacities)
    }

    /// Reports pipelines whose jobs wait for room, once each, and when there is room again.
    fn emit_shortages(&mut self, holds: &BTreeMap<String, Hold>) -> Result<(), StoreError> {
        let is_short = |name: &String| matches!(holds.get(name), Some(Hold::Shortage(_)));
        let over: Vec<_> = self.short.iter().filter(|name| !is_short(name)).cloned().collect();
        for pipeline in over {
            self.short.remove(&pipeline);
            self.shared.emit(DaemonEvent::SpaceFound { pipeline });
        }
        let new = holds.iter().filter_map(|(name, hold)| match hold {
            Hold::Shortage(reason) if !self.short.contains(name) => Some((name, reason)),
            _ => None,
        });
        let new: Vec<_> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        let waiting = self.shared.store.waiting_counts()?;
        for (pipeline, reason) in new {
            if let Some(&jobs) = waiting.get(pipeline).filter(|jobs| **jobs > 0) {
                let (pipeline, reason) = (pipeline.clone(), reason.clone());
                self.short.insert(pipeline.clone());
                self.shared.emit(DaemonEvent::SpaceShort { pipeline, reason, jobs });
            }
        }
        Ok(())
    }

    fn capacity(
        &self,
        name: &str,
        plan: &Plan,
        admission: &Admission<'_>,
        submitted_only: bool,
        holds: &mut BTreeMap<String, Hold>,
    ) -> Capacity {
        let running = self.running.values().filter(|job| job.file.pipeline == *name).count();
        let output_root = &self.shared.output_root;
        let at_rest =
            || self.incomplete(name, plan).then(|| "its folder is not at rest".to_owned());
        let hold = admission.hold(plan).or_else(at_rest).map(Hold::Asked);
        let hold = hold.or_else(|| admission.shortage(plan, output_root).map(Hold::Shortage));
        let free = plan.pipeline.concurrency.saturating_sub(running);
        let capacity = Capacity {
            free: if hold.is_none() { free } else { 0 },
            plan: plan.pipeline.hash.clone(),
            output_root: self.shared.output_root.clone(),
            submitted_only,
        };
        holds.extend(hold.map(|hold| (name.to_owned(), hold)));
        capacity
    }

    /// Whether files of a pipeline that get one gain together may still be about to come.
    fn incomplete(&self, name: &str, plan: &Plan) -> bool {
        let mut watches = self.watches.iter().flatten().filter(|watch| watch.pipeline() == name);
        plan.pipeline.grouped_step().is_some() && !watches.all(ActiveWatch::is_at_rest)
    }

    /// Whether nothing is left to do, reported once each time it becomes so.
    fn rest(&mut self) -> Result<bool, StoreError> {
        let is_calm = self.running.is_empty()
            && self.watches.iter().flatten().all(ActiveWatch::is_at_rest)
            && self.inputs.changes.is_empty();
        if !is_calm {
            self.is_idle = false;
            return Ok(false);
        }
        let was_idle = self.is_idle;
        // Jobs of other pipelines wait for a daemon that runs those, paused ones for somebody.
        let paused = self.shared.store.paused()?;
        let current = self.shared.plans.current();
        let waiting = self.shared.store.waiting_counts()?;
        let submitted = self.shared.store.submitted_pipelines()?;
        let mut ours =
            waiting.keys().filter(|name| current.contains_key(*name)).chain(submitted.keys());
        self.is_idle = ours.all(|pipeline| paused.holds(pipeline));
        if self.is_idle && !was_idle {
            self.shared.emit(DaemonEvent::Idle);
        }
        Ok(self.is_idle)
    }

    fn emit_stop(&mut self, level: StopLevel) {
        if level > self.emitted_stop {
            self.emitted_stop = level;
            let (now, running) = (level == StopLevel::Now, self.running.len());
            tracing::info!(now, running, "Daemon stops.");
            service_manager::stopping();
            self.shared.emit(DaemonEvent::Stopping { now, running });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::super::plans::Plans;
    use super::super::tests::{plan, settings};
    use super::*;
    use wavemill_pipelines::model::Duplicates;
    use wavemill_store::{Blame, Lease, NextTry};
    use wavemill_store::{CurrentPlan, IntakeContext};
    use wavemill_watch::KnownFile;

    /// A scheduler without watches whose queue holds one job that may run at `run_at_ms`.
    fn engine_with_a_job_due_at(folder: &std::path::Path, run_at_ms: u64) -> Engine {
        let (settings, _) = settings(folder, true);
        let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
        let (shared, requests) = open(&settings, plans, Vec::new()).unwrap();
        let plan = CurrentPlan { plan: "plan".to_owned(), output_root: "/out".into(), priority: 0 };
        let context = IntakeContext {
            pipeline: "test".to_owned(),
            root: "/in".into(),
            plan,
            duplicates: Duplicates::Process,
        };
        let file = KnownFile {
            relative: "a.wav".into(),
            size_bytes: 1,
            modified_ns: 1,
            inode: 1,
            hash: Some(blake3::hash(b"h")),
        };
        shared.store.intake(&Arc::new(context), vec![Change::Settled(file)]).unwrap();
        let inputs = Inputs {
            changes: never(),
            reports: never(),
            requests,
            stopped: never(),
            reloads: never(),
        };
        let mut engine = Engine::new(
            shared,
            inputs,
            Vec::new(),
            crossbeam_channel::bounded(1).0,
            Vec::new(),
            true,
        );
        let claim =
            Claim { count_max: 1, pipelines: engine.capacities().unwrap(), ..Claim::default() };
        let job = engine.shared.queue().claim(claim).unwrap().remove(0);
        let reason = "disk full".to_owned();
        let again = NextTry { run_at_ms, reason, blame: Blame::Machine, now_ms: 1 };
        engine.shared.queue().retry(&Lease::of(&job), again).unwrap();
        engine.idle_slots.push(0);
        engine
    }

    #[test]
    fn job_that_became_due_after_the_last_look_wakes_the_scheduler() {
        let folder = tempfile::tempdir().unwrap();
        // Long past by now, but not when the queue was looked at.
        let mut engine = engine_with_a_job_due_at(folder.path(), 1_000);
        engine.looked_at_ms = 999;
        let due = engine.due().unwrap();
        assert!(due.recv_timeout(Duration::from_secs(10)).is_ok());
        // One that the last look could see has a place already, or waits for one.
        engine.looked_at_ms = 1_000;
        assert!(engine.due().unwrap().recv_timeout(Duration::ZERO).is_err());
    }
}
