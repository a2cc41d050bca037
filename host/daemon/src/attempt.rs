//! One attempt at a job, from its claim to its end.

use super::crash::survive;
use super::decision::decide;
use super::domain;
use super::event::DaemonEvent;
use super::plans::Plan;
use super::publishing::{PublishResult, emit_end, publish_job, remove_parts};
use super::recovery::DEATHS_MAX;
use super::shared::Shared;
use super::sources::{self, SourceState};
use super::turns::Turn;
use super::watchdog::Watchdog;
use crate::worker::{
    Event, Failure, FailureKind, GrantedFiles, Reply, Request, Work, WorkerProcess,
};
use crossbeam_channel::{Receiver, after, select};
use std::path::Path;
use std::time::{Duration, Instant};
use wavemill_api::StopLevel;
use wavemill_pipelines::execution::{Job, Outcome, OutputKind, PreparedOutput, ROUNDS_MAX};
use wavemill_pipelines::model::Grouping;
use wavemill_pipelines::publishing::{Trust, hash_file, identity};
use wavemill_pipelines::report::Report;
use wavemill_store::cache::GroupMeasurements;
use wavemill_store::{Blame, Clock, End, EndReason, JobState, Lease, NextTry};
use wavemill_store::{
    Ending, GroupRecord, JobRecord, OutputFacts, OutputProgress, OutputRecord, SourceRecord,
    StoreError, tag_texts,
};

/// Time between two looks at a worker's memory and at the clock.
const TICK: Duration = Duration::from_millis(250);

/// Deaths of workers after which the file counts as their cause.
const CRASHES_MAX: u32 = 2;

/// Time a worker has to end a job that was canceled.
const CANCEL_WITHIN: Duration = Duration::from_secs(5);

/// Longer wait after each time that a job's worker was killed from outside, and the longest.
const KILLED_WAIT: Duration = Duration::from_millis(500);
const KILLED_WAIT_MAX: Duration = Duration::from_secs(30);

/// How the worker's part of an attempt ended.
enum WorkEnd {
    Prepared(Box<Outcome>),
    Failed(Failure),
    /// The worker died or was killed for its time or memory.
    Crashed(String),
    /// The worker was killed by someone else.
    Killed(String),
    /// The daemon is asked to stop at once.
    Interrupted,
    /// Someone canceled the job.
    Canceled,
}

/// The files that a job gets one gain with.
struct GroupRun<'s> {
    id: String,
    record: GroupRecord,
    /// Held while its worker measures them.
    turn: Option<Turn<'s>>,
    /// The one that is measured or tried.
    measuring: Option<usize>,
    /// How many turns files had.
    turns: usize,
}

impl<'s> GroupRun<'s> {
    /// The group of a job, once nobody else measures it; `None` when everything shall stop.
    fn of(
        shared: &'s Shared,
        job: &JobRecord,
        grouping: Grouping,
    ) -> Result<Option<Self>, StoreError> {
        let (id, record) = shared.store.group_of(&job.id, grouping)?;
        if record.measured.is_some() {
            return Ok(Some(Self { id, record, turn: None, measuring: None, turns: 0 }));
        }
        let Some(turn) = shared.turns.take(&id, &shared.stop) else { return Ok(None) };
        // Whoever had the turn before may have measured it, or left a file out.
        let (id, record) = shared.store.group_of(&job.id, grouping)?;
        let turn = Some(turn).filter(|_| record.measured.is_none());
        Ok(Some(Self { id, record, turn, measuring: None, turns: 0 }))
    }

    /// Notes which file is measured or tried from now on; whether it is the turn of another one. Each has as many
    /// turns as there may be rounds: a worker that was taken over gets no more time by asking for more.
    fn begins(&mut self, member: usize) -> bool {
        let members = self.record.members.len();
        let is_next = self.turn.is_some()
            && member < members
            && self.measuring != Some(member)
            && self.turns < members * (1 + ROUNDS_MAX);
        if is_next {
            self.measuring = Some(member);
            self.turns += 1;
        }
        is_next
    }

    /// Takes what the worker measured: it is on disk before any output depends on it.
    fn settle_group(
        &mut self,
        shared: &Shared,
        group: GroupMeasurements,
    ) -> Result<GroupMeasurements, StoreError> {
        let group = shared.store.keep_measured(&self.id, group)?;
        self.turn = None;
        self.measuring = None;
        Ok(group)
    }

    /// Leaves out the file that a worker died of while it measured; false when it was the job's own, or
    /// none.
    fn leave_out(
        &self,
        shared: &Shared,
        job: &JobRecord,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let Some(index) = self.measuring else { return Ok(false) };
        let is_own = self.record.members.get(index).is_none_or(|it| it.path == job.input);
        if !is_own {
            shared.store.leave_out(&self.id, index, reason)?;
        }
        Ok(!is_own)
    }
}

/// Runs a claimed job in the place with this number and records how it ended; returns the job as it is then.
pub(super) fn run(
    shared: &Shared,
    slot: usize,
    stopped: &Receiver<()>,
    job: &JobRecord,
) -> Result<JobRecord, StoreError> {
    let begun = Instant::now();
    tracing::info!(job = %job.id, input = %job.input.display(), "Job begins.");
    shared.emit(DaemonEvent::JobStarted {
        job: job.id.clone(),
        pipeline: job.file.pipeline.clone(),
        input: job.input.clone(),
        attempt: job.attempt,
    });
    let ended = match identified(shared, job)? {
        Ok(known) => {
            Attempt { shared, job: known.as_ref().unwrap_or(job), begun }.run(slot, stopped)
        }
        Err(reason) => Attempt { shared, job, begun }.fail(reason),
    };
    shared.names.free(&job.id);
    shared.live.set_progress(&job.id, None);
    shared.live.forget_canceled(&job.id);
    ended
}

/// Reads the source of a submitted job for the first time; `None` when it was read before.
fn identified(
    shared: &Shared,
    job: &JobRecord,
) -> Result<Result<Option<JobRecord>, String>, StoreError> {
    if !job.hash.is_empty() {
        return Ok(Ok(None));
    }
    let looked = |error: std::io::Error| format!("cannot be read: {error}");
    let read = || {
        let before = identity(&job.input)?;
        let hash = hash_file(&job.input)?;
        Ok(before
            .filter(|before| identity(&job.input).ok().flatten() == Some(*before))
            .zip(Some(hash)))
    };
    Ok(match read().map_err(looked) {
        Ok(Some((identity, hash))) => {
            Ok(Some(shared.queue().identify(&Lease::of(job), hash, identity)?))
        }
        Ok(None) => Err("was deleted or changed while it was being read".to_owned()),
        Err(reason) => Err(reason),
    })
}

struct Attempt<'a> {
    shared: &'a Shared,
    job: &'a JobRecord,
    begun: Instant,
}

impl Attempt<'_> {
    fn run(&self, slot: usize, stopped: &Receiver<()>) -> Result<JobRecord, StoreError> {
        let (shared, job) = (self.shared, self.job);
        match sources::state_of(job) {
            SourceState::Same => {}
            SourceState::Gone => {
                return self.fail("was deleted before it could be read".to_owned());
            }
            SourceState::Changed => return self.source_changed(),
        }
        if let Some(reason) = shared.store.duplicate_of(job)? {
            return self.skip(reason);
        }
        let Some(plan) = shared.plans.get(&shared.store, &job.file.pipeline, &job.plan)? else {
            return self.fail(format!("pipeline `{}` no longer exists", job.file.pipeline));
        };
        let mut together = match plan.pipeline.grouped_step() {
            Some((_, grouping)) => match GroupRun::of(shared, job, grouping)? {
                Some(together) => Some(together),
                None => return self.release(),
            },
            None => None,
        };
        let worked = self.work(slot, stopped, &plan, together.as_mut())?;
        if let (WorkEnd::Crashed(reason), Some(together)) = (&worked, &together)
            && together.leave_out(shared, job, reason)?
        {
            self.remove_parts()?;
            return self.retry(reason.clone(), Duration::ZERO, Blame::Outside);
        }
        drop(together);
        if let WorkEnd::Prepared(outcome) = worked {
            return self.publish(&outcome, &plan);
        }
        self.remove_parts()?;
        match worked {
            WorkEnd::Failed(failure) => self.conclude(failure, &plan),
            WorkEnd::Crashed(reason) if job.crashes + 1 < CRASHES_MAX => {
                self.retry(reason, Duration::ZERO, Blame::File)
            }
            WorkEnd::Killed(reason) if job.deaths + 1 < DEATHS_MAX => {
                // At once, then more and more slowly: the killer may be a machine out of memory.
                let wait = KILLED_WAIT.saturating_mul(job.deaths).min(KILLED_WAIT_MAX);
                self.retry(reason, wait, Blame::Outside)
            }
            WorkEnd::Crashed(reason) | WorkEnd::Killed(reason) => self.give_up(reason, true),
            WorkEnd::Canceled => self.canceled(),
            WorkEnd::Prepared(_) | WorkEnd::Interrupted => self.release(),
        }
    }

    /// Lets a worker do its part; it has ended when this returns.
    fn work(
        &self,
        slot: usize,
        stopped: &Receiver<()>,
        plan: &Plan,
        mut together: Option<&mut GroupRun<'_>>,
    ) -> Result<WorkEnd, StoreError> {
        let mut worker = match self.worker(slot, plan) {
            Ok(worker) => worker,
            Err(failure) => return Ok(WorkEnd::Failed(failure)),
        };
        let work = self.request(plan, together.as_deref());
        let is_confined = self.shared.workers.is_confined;
        let outputs = is_confined.then(|| plan.pipeline.output_folders(&self.job.output_root));
        let outputs = outputs.unwrap_or_default();
        let companions = plan.pipeline.companion_paths(&work.job);
        let mut granted = GrantedFiles::of(&work, outputs.clone()).with_companions(companions);
        if worker.send(&Request::Run(Box::new(work))).is_err() {
            return Ok(buried(worker));
        }
        let mut canceled: Option<Instant> = None;
        let mut watchdog = Watchdog::of(plan, self.shared.bounds);
        loop {
            if let Some(ended) = self.ended(&mut worker, &mut canceled, &mut watchdog) {
                return Ok(ended);
            }
            let event = select! {
                recv(worker.events()) -> event => event.unwrap_or(Event::Gone),
                recv(stopped) -> _ => continue,
                recv(after(TICK)) -> _ => continue,
            };
            match event {
                Event::Gone => return Ok(buried(worker)),
                Event::Reply(Reply::Ready { .. }) => {}
                Event::Reply(Reply::Progress { share }) => self.progress(&mut watchdog, share),
                Event::Reply(Reply::File { wish }) => {
                    if worker.hand(granted.fulfil(&wish)).is_err() {
                        return Ok(buried(worker));
                    }
                }
                Event::Reply(Reply::Measures { member }) => {
                    if together.as_deref_mut().is_some_and(|together| together.begins(member)) {
                        watchdog.restart();
                    }
                }
                Event::Reply(Reply::Grouped { group }) => {
                    let group = match &mut together {
                        Some(together) => {
                            if together.turn.is_some() {
                                watchdog.restart();
                            }
                            together.settle_group(self.shared, *group)?
                        }
                        None => *group,
                    };
                    if worker.send(&Request::Agreed { group: Box::new(group) }).is_err() {
                        return Ok(buried(worker));
                    }
                }
                Event::Reply(Reply::Prepared(outcome)) => return Ok(WorkEnd::Prepared(outcome)),
                Event::Reply(Reply::Failed(_)) if canceled.is_some() => {
                    return Ok(WorkEnd::Canceled);
                }
                Event::Reply(Reply::Failed(failure)) => return Ok(WorkEnd::Failed(failure)),
                Event::Reply(Reply::Decide { proposals }) => {
                    let asked = Instant::now();
                    let answer = decide(self.shared, self.job, &outputs, &proposals)?;
                    // Waiting for another job is not the worker's time.
                    watchdog.extend(asked.elapsed());
                    granted.decided(answer.as_deref().unwrap_or_default());
                    let answer = answer.map_err(Failure::from);
                    if worker.send(&Request::Decided { answer }).is_err() {
                        return Ok(buried(worker));
                    }
                }
            }
        }
    }

    /// Starts a worker that is left with what this job needs.
    fn worker(&self, slot: usize, plan: &Plan) -> Result<WorkerProcess, Failure> {
        self.shared.plans.compile_effects(plan);
        let domain = domain::of_job(self.shared, plan)?;
        let worker = self.shared.workers.start(&domain, plan.pipeline.open_files_max)?;
        self.shared.live.set_confinement(worker.confinement());
        self.shared.live.update_worker(slot, |view| view.pid = Some(worker.pid()));
        Ok(worker)
    }

    /// Whether the worker must be ended now: someone canceled the job some time ago, everything stops, or it took
    /// more than it may.
    fn ended(
        &self,
        worker: &mut WorkerProcess,
        canceled: &mut Option<Instant>,
        watchdog: &mut Watchdog,
    ) -> Option<WorkEnd> {
        if canceled.is_none() && self.shared.live.is_canceled(&self.job.id) {
            *canceled = Some(Instant::now());
            // One that is dead already is noticed by its silence.
            let _ = worker.send(&Request::Cancel);
        }
        if canceled.is_some_and(|since| since.elapsed() >= CANCEL_WITHIN) {
            return Some(WorkEnd::Canceled);
        }
        if self.shared.stop.level() == StopLevel::Now {
            return Some(WorkEnd::Interrupted);
        }
        watchdog.excess(worker.pid()).map(WorkEnd::Crashed)
    }

    fn request(&self, plan: &Plan, together: Option<&GroupRun<'_>>) -> Work {
        let measured = together.and_then(|together| together.record.measured.as_ref());
        let members = together.filter(|_| measured.is_none());
        let group = measured.map(|group| group.of_file(&self.job.hash));
        Work {
            job: Job { group, ..sources::to_job(self.job) },
            members: members.map(|together| together.record.members.clone()),
            state: self.shared.state.clone(),
            pipeline_text: plan.text.clone(),
            defaults: plan.defaults.clone(),
            folder: plan.folder.clone(),
            effect_cache: self.shared.effect_cache.clone(),
            output_root: self.job.output_root.clone(),
            spool: self.shared.spool.clone(),
        }
    }

    /// Ends the job without making anything.
    fn skip(&self, reason: String) -> Result<JobRecord, StoreError> {
        let (shared, lease) = (self.shared, Lease::of(self.job));
        let prepared = shared.queue().prepare(&lease, Vec::new(), Ending::Skipped { reason }, None);
        let job = match prepared {
            Err(StoreError::Canceled { .. }) => return self.canceled(),
            prepared => prepared?,
        };
        match publish_job(shared, &job, Vec::new(), Trust::Size)? {
            PublishResult::Ended(job) => {
                shared.emit_skipped(&job);
                Ok(*job)
            }
            PublishResult::Lost(reason)
            | PublishResult::Transient(reason)
            | PublishResult::Refused(reason) => self.fail(reason),
        }
    }

    fn progress(&self, watchdog: &mut Watchdog, share: f64) {
        watchdog.progress(share);
        self.shared.live.set_progress(&self.job.id, Some(share));
        self.shared.emit(DaemonEvent::Progress { job: self.job.id.clone(), share });
    }

    /// Every output is complete under its temporary name.
    fn publish(&self, outcome: &Outcome, plan: &Plan) -> Result<JobRecord, StoreError> {
        let (shared, job) = (self.shared, self.job);
        let planned = shared.store.outputs(&job.id)?;
        match sources::state_of(job) {
            SourceState::Same | SourceState::Gone => {}
            SourceState::Changed => {
                remove_parts(&planned);
                return self.source_changed();
            }
        }
        let outputs = match prepared_outputs(&planned, outcome, job.attempt) {
            Ok(outputs) => outputs,
            Err(reason) => {
                remove_parts(&planned);
                return self.give_up(reason, true);
            }
        };
        // What a rejected file made is gone already, unless its worker was not itself any more.
        remove_parts(&unclaimed(&planned, outcome, job.attempt));
        let lease = Lease::of(job);
        survive("before prepared")?;
        let audio_s = outcome.report.input.file.duration_s;
        let ending = ending(&planned, outcome);
        let prepared = shared.queue().prepare(&lease, outputs.clone(), ending, audio_s);
        let job = match prepared {
            Err(StoreError::Canceled { .. }) => {
                remove_parts(&planned);
                return self.canceled();
            }
            prepared => prepared?,
        };
        survive("after prepared")?;
        match publish_job(shared, &job, outputs, Trust::Size)? {
            PublishResult::Ended(job) => {
                emit_end(
                    shared,
                    &job,
                    Some(Box::new(outcome.report.clone())),
                    self.begun.elapsed(),
                )?;
                Ok(*job)
            }
            PublishResult::Lost(reason) | PublishResult::Transient(reason) => {
                self.remove_parts()?;
                self.conclude(Failure { kind: FailureKind::Transient, reason }, plan)
            }
            PublishResult::Refused(reason) => self.fail(reason),
        }
    }

    /// The run failed and left nothing.
    fn conclude(&self, failure: Failure, plan: &Plan) -> Result<JobRecord, StoreError> {
        let job = self.job;
        if matches!(
            failure.kind,
            FailureKind::Input | FailureKind::Incomplete | FailureKind::Transient
        ) {
            match sources::state_of(job) {
                SourceState::Same => {}
                SourceState::Gone => {
                    return self.fail("was deleted while it was being read".to_owned());
                }
                SourceState::Changed => return self.source_changed(),
            }
        }
        let retry = plan.pipeline.retry;
        match failure.kind {
            FailureKind::Canceled => self.release(),
            FailureKind::Transient if job.tries + 1 < retry.attempts => {
                let doubled = 2u32.saturating_pow(job.tries.min(31));
                let wait = retry.backoff_min.saturating_mul(doubled).min(retry.backoff_max);
                self.retry(failure.reason, wait, Blame::Machine)
            }
            FailureKind::Incomplete => self.end(failure.reason, SourceRecord::Kept, false),
            FailureKind::Input | FailureKind::Refused | FailureKind::Transient => {
                self.fail(failure.reason)
            }
        }
    }

    /// The file is not the one that was found. The watcher reports the new one; a file that lies
    /// outside of its watched folder is reported by nobody, so its job fails.
    fn source_changed(&self) -> Result<JobRecord, StoreError> {
        let job = self.job;
        let is_watched = job.input == job.file.path() && !job.is_submitted();
        let (why, reason) = if is_watched {
            (
                EndReason::SourceChanged,
                "changed after it was found; it will be processed when it stops changing",
            )
        } else {
            (EndReason::Failed, "changed after it was submitted or moved; submit it again")
        };
        let end = End {
            why,
            reason: reason.to_owned(),
            source: SourceRecord::Kept,
            is_crash: false,
            now_ms: Clock::now_ms(),
        };
        let job = self.shared.queue().give_up(&Lease::of(job), end)?;
        match job.state {
            JobState::Canceled => self.shared.emit_canceled(&job),
            // It changed back.
            JobState::Ready => self.shared.emit_failed(&job, Some(Duration::ZERO)),
            _ => self.shared.emit_failed(&job, None),
        }
        Ok(job)
    }

    fn retry(&self, reason: String, wait: Duration, blame: Blame) -> Result<JobRecord, StoreError> {
        let now_ms = Clock::now_ms();
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let run_at_ms = now_ms.saturating_add(wait_ms);
        let again = NextTry { run_at_ms, reason, blame, now_ms };
        let job = self.shared.queue().retry(&Lease::of(self.job), again)?;
        if job.state == JobState::Canceled {
            return Ok(self.emit_if_canceled(job));
        }
        self.shared.emit_failed(&job, Some(wait));
        Ok(job)
    }

    /// The attempt ended through no fault of the job.
    fn release(&self) -> Result<JobRecord, StoreError> {
        let job = self.shared.queue().release(&Lease::of(self.job), false)?;
        Ok(self.emit_if_canceled(job))
    }

    /// Someone canceled the job, and nothing of it is left.
    fn canceled(&self) -> Result<JobRecord, StoreError> {
        let end = End {
            why: EndReason::Asked,
            reason: "was canceled".to_owned(),
            source: SourceRecord::Kept,
            is_crash: false,
            now_ms: Clock::now_ms(),
        };
        let job = self.shared.queue().give_up(&Lease::of(self.job), end)?;
        Ok(self.emit_if_canceled(job))
    }

    /// Emits that a job was canceled while something else was to become of it.
    fn emit_if_canceled(&self, job: JobRecord) -> JobRecord {
        if job.state == JobState::Canceled {
            self.shared.emit_canceled(&job);
        }
        job
    }

    fn fail(&self, reason: String) -> Result<JobRecord, StoreError> {
        self.give_up(reason, false)
    }

    fn give_up(&self, reason: String, is_crash: bool) -> Result<JobRecord, StoreError> {
        let source = sources::plan_for_failure(self.shared, self.job, &reason)?;
        self.end(reason, source, is_crash)
    }

    fn end(
        &self,
        reason: String,
        source: SourceRecord,
        is_crash: bool,
    ) -> Result<JobRecord, StoreError> {
        let now_ms = Clock::now_ms();
        let end = End { why: EndReason::Failed, reason, source, is_crash, now_ms };
        let job = self.shared.queue().give_up(&Lease::of(self.job), end)?;
        if job.state == JobState::Canceled {
            return Ok(self.emit_if_canceled(job));
        }
        let job = sources::carry_out(self.shared, job)?;
        self.shared.emit_failed(&job, None);
        Ok(job)
    }

    fn remove_parts(&self) -> Result<(), StoreError> {
        let mut outputs = self.shared.store.outputs(&self.job.id)?;
        outputs.retain(|output| output.attempt == self.job.attempt);
        remove_parts(&outputs);
        Ok(())
    }
}

/// Ends a worker that died, and says how.
fn buried(mut worker: WorkerProcess) -> WorkEnd {
    let death = worker.end();
    if death.is_from_outside {
        WorkEnd::Killed(format!("the worker was killed ({})", death.how))
    } else {
        WorkEnd::Crashed(format!("the decoder crashed ({})", death.how))
    }
}

/// The records of what a worker prepared, in the order it is published; those left out come along.
/// An error when the worker did not do what was decided.
fn prepared_outputs(
    planned: &[OutputRecord],
    outcome: &Outcome,
    attempt: u32,
) -> Result<Vec<OutputRecord>, String> {
    let matches = |record: &OutputRecord, output: &PreparedOutput| {
        record.attempt == attempt
            && record.temporary == output.temporary
            && record.path == output.path
            && record.kind == output.kind
    };
    let mut outputs = Vec::new();
    for output in &outcome.outputs {
        let record = planned.iter().find(|record| matches(record, output)).ok_or_else(|| {
            format!("the worker wrote {}, which was not requested", output.path.display())
        })?;
        let (size_bytes, blake3) = (output.size_bytes, output.blake3.clone());
        let progress = OutputProgress::Prepared { size_bytes, blake3 };
        let facts = facts_of(&outcome.report, &output.path);
        outputs.push(OutputRecord { progress, facts, ..record.clone() });
    }
    for record in planned.iter().filter(|record| record.attempt == attempt) {
        if matches!(record.progress, OutputProgress::Skipped { .. }) {
            outputs.push(record.clone());
        } else if must_be_made(record, outcome)
            && !outputs.iter().any(|done| done.path == record.path)
        {
            return Err(format!("the worker did not write {}", record.path.display()));
        }
    }
    Ok(outputs)
}

/// Whether a worker may not leave an output out. It learns only at the end whether the steps left any chapters.
fn must_be_made(record: &OutputRecord, outcome: &Outcome) -> bool {
    outcome.rejected.is_none() && record.kind != OutputKind::Chapters
}

/// What was planned and is not to be published.
fn unclaimed(planned: &[OutputRecord], outcome: &Outcome, attempt: u32) -> Vec<OutputRecord> {
    let is_claimed = |record: &OutputRecord| {
        outcome.outputs.iter().any(|output| output.temporary == record.temporary)
    };
    let of_attempt = planned.iter().filter(|record| record.attempt == attempt);
    of_attempt.filter(|record| !is_claimed(record)).cloned().collect()
}

/// What the report says of an output's sound.
fn facts_of(report: &Report, path: &Path) -> OutputFacts {
    let Some(output) = report.written().find(|output| Some(output.path.as_str()) == path.to_str())
    else {
        return OutputFacts::default();
    };
    let loudness = output.loudness.as_ref();
    let tags = output.tags.as_ref().unwrap_or(&report.tags);
    OutputFacts {
        duration_s: Some(output.frames as f64 / f64::from(output.sample_rate_hz)),
        integrated_lufs: loudness.and_then(|it| it.integrated_lufs).map(|lufs| lufs.0),
        true_peak_dbtp: loudness.and_then(|it| it.true_peak_dbtp).map(|peak| peak.0),
        tags: tag_texts(tags),
    }
}

/// How the job ends once its outputs are published.
fn ending(planned: &[OutputRecord], outcome: &Outcome) -> Ending {
    if let Some(reason) = &outcome.rejected {
        return Ending::Rejected { reason: reason.clone() };
    }
    let skipped = planned.iter().find_map(|record| match &record.progress {
        OutputProgress::Skipped { reason } => Some(reason.clone()),
        _ => None,
    });
    let is_export = |output: &PreparedOutput| output.kind == OutputKind::Export;
    match skipped {
        Some(reason) if !outcome.outputs.iter().any(is_export) => Ending::Skipped { reason },
        _ => Ending::Done,
    }
}
