//! Random lives of jobs, as calls of two queues at once.

use super::memory::{Known, MemoryQueue, SOME_TIME_MS};
use super::{output, published};
use crate::tables::{self, ReadAccess, Scan};
use crate::{
    Blame, Capacity, Claim, End, EndReason, JobQueue, JobState, Lease, NextTry, Publication,
};
use crate::{
    CurrentPlan, Ending, FileKey, FileRecord, JobRecord, OutputProgress, SourceRecord, Store,
    StoreError,
};
use fastrand::Rng;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use wavemill_pipelines::publishing::FileIdentity;

/// A call of a queue.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Submit(Vec<JobRecord>),
    Claim(Claim),
    Cancel(String),
    NextDue(u64),
    Identify(Lease),
    Plan(Lease),
    Prepare(Lease, Ending),
    Replan(Lease),
    Publish(Lease, SourceRecord),
    Settle(String, SourceRecord),
    Retry(Lease, Blame, u64),
    GiveUp(Lease, EndReason, SourceRecord),
    Release(Lease, bool),
    HeldByOthers(String),
}

/// What a queue answered, without what depends on the clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Jobs(Vec<JobRecord>),
    Due(Option<u64>),
    Nothing,
    Refused(&'static str),
    /// The disk is gone.
    Broken,
}

const PIPELINES: [&str; 2] = ["podcast", "music"];

impl Call {
    /// The next one, that may or may not make sense for these jobs.
    pub(super) fn next(random: &mut Rng, known: &Known, count: &mut u64) -> Self {
        if known.jobs.is_empty() || (random.usize(..8) == 0) {
            let jobs = (0..=random.usize(..3)).map(|_| new_job(random, count)).collect();
            return Self::Submit(jobs);
        }
        let ids: Vec<_> = known.jobs.keys().collect();
        let job = &known.jobs[ids[random.usize(..ids.len())]];
        let mut lease = Lease::of(job);
        if random.usize(..12) == 0 {
            lease.attempt += 1;
        }
        if random.usize(..12) == 0 {
            "another start".clone_into(&mut lease.boot_id);
        }
        let source = match random.usize(..4) {
            0 => SourceRecord::Deleting,
            1 => SourceRecord::Deleted,
            _ => SourceRecord::Kept,
        };
        match random.usize(..16) {
            0..=3 => Self::Claim(claim(random)),
            4 => Self::Cancel(job.id.clone()),
            5 => Self::NextDue(random.usize(..60) as u64),
            6 => Self::Identify(lease),
            7 => Self::Plan(lease),
            8 | 9 => Self::Prepare(lease, ending(random)),
            10 => Self::Replan(lease),
            11 | 12 => Self::Publish(lease, source),
            13 => Self::Settle(job.id.clone(), source),
            14 => match random.usize(..3) {
                0 => Self::Release(lease, random.usize(..2) == 0),
                1 => {
                    let why = [EndReason::Failed, EndReason::SourceChanged, EndReason::Asked]
                        [random.usize(..3)];
                    Self::GiveUp(lease, why, source)
                }
                _ => {
                    let blame = [Blame::Machine, Blame::File, Blame::Outside][random.usize(..3)];
                    Self::Retry(lease, blame, random.usize(..50) as u64)
                }
            },
            _ => Self::HeldByOthers(["boot 1", "boot 2"][random.usize(..2)].to_owned()),
        }
    }

    /// Calls a queue.
    pub(super) fn on(&self, queue: &dyn JobQueue) -> Answer {
        match self.clone() {
            Self::Submit(jobs) => Answer::of(queue.submit(jobs), |()| Answer::Nothing),
            Self::Claim(claim) => Answer::of(queue.claim(claim), Answer::jobs),
            Self::Cancel(job) => Answer::of(queue.cancel(&job, 1), Answer::job),
            Self::NextDue(now_ms) => Answer::of(queue.next_due_ms(now_ms), Answer::Due),
            Self::Identify(lease) => {
                let identity = FileIdentity { size_bytes: 3, modified_ns: 2, inode: 1 };
                Answer::of(queue.identify(&lease, "read".to_owned(), identity), Answer::job)
            }
            Self::Plan(lease) => {
                let outputs = vec![output("/out/a", OutputProgress::Planned)];
                Answer::of(queue.plan_outputs(&lease, outputs), |()| Answer::Nothing)
            }
            Self::Prepare(lease, ending) => {
                let (size_bytes, blake3) = (1, "b".to_owned());
                let made = output("/out/a", OutputProgress::Prepared { size_bytes, blake3 });
                let outputs = vec![made.clone(), made];
                Answer::of(queue.prepare(&lease, outputs, ending, Some(2.5)), Answer::job)
            }
            Self::Replan(lease) => {
                let outputs = vec![output("/out/b", OutputProgress::Planned)];
                Answer::of(queue.replan(&lease, outputs), |()| Answer::Nothing)
            }
            Self::Publish(lease, source) => {
                let publication = Publication { source, ..published("/out/a") };
                Answer::of(queue.publish(&lease, publication), Answer::job)
            }
            Self::Settle(job, source) => Answer::of(queue.settle_source(&job, source), Answer::job),
            Self::Retry(lease, blame, run_at_ms) => {
                let again = NextTry { run_at_ms, reason: "later".to_owned(), blame, now_ms: 1 };
                Answer::of(queue.retry(&lease, again), Answer::job)
            }
            Self::GiveUp(lease, why, source) => {
                let reason = "bad".to_owned();
                let end = End { why, reason, source, is_crash: false, now_ms: 1 };
                Answer::of(queue.give_up(&lease, end), Answer::job)
            }
            Self::Release(lease, died) => Answer::of(queue.release(&lease, died), Answer::job),
            Self::HeldByOthers(boot) => Answer::of(queue.held_by_others(&boot), |mut jobs| {
                jobs.sort_by(|a, b| a.id.cmp(&b.id));
                Answer::jobs(jobs)
            }),
        }
    }
}

impl Answer {
    fn of<T>(result: Result<T, StoreError>, answer: impl FnOnce(T) -> Self) -> Self {
        match result {
            Ok(value) => answer(value),
            Err(StoreError::Missing { .. }) => Self::Refused("missing"),
            Err(StoreError::Lease { .. }) => Self::Refused("lease"),
            Err(StoreError::Canceled { .. }) => Self::Refused("canceled"),
            Err(_) => Self::Broken,
        }
    }

    fn job(job: JobRecord) -> Self {
        Self::jobs(vec![job])
    }

    fn jobs(jobs: Vec<JobRecord>) -> Self {
        Self::Jobs(jobs.into_iter().map(without_clock).collect())
    }
}

fn without_clock(mut job: JobRecord) -> JobRecord {
    job.finished_ms = job.finished_ms.map(|_| SOME_TIME_MS);
    job
}

fn new_job(random: &mut Rng, count: &mut u64) -> JobRecord {
    *count += 1;
    let pipeline = PIPELINES[random.usize(..2)].to_owned();
    let relative = PathBuf::from(format!("{}.wav", random.usize(..6)));
    let file = FileKey { pipeline, root: "/in".into(), relative };
    let known = FileRecord {
        identity: FileIdentity { size_bytes: 1, modified_ns: 1, inode: 1 },
        hash: Some(blake3::hash(b"h")),
        incomplete: None,
        is_found_again: false,
    };
    let priority = i32::try_from(random.usize(..3)).unwrap() - 1;
    let plan = CurrentPlan { plan: "first".to_owned(), output_root: "/out".into(), priority };
    JobRecord {
        keeps_plan: random.usize(..3) == 0,
        ..JobRecord::new(format!("{count:013}"), file, &known, &plan)
    }
}

fn claim(random: &mut Rng) -> Claim {
    let capacity = |random: &mut Rng| Capacity {
        free: random.usize(..3),
        plan: "second".to_owned(),
        output_root: "/second".into(),
        submitted_only: random.usize(..4) == 0,
    };
    let pipelines: BTreeMap<_, _> =
        PIPELINES.iter().map(|name| ((*name).to_owned(), capacity(random))).collect();
    Claim {
        boot_id: ["boot 1", "boot 2"][random.usize(..2)].to_owned(),
        now_ms: random.usize(..60) as u64,
        count_max: 1 + random.usize(..3),
        pipelines,
        busy: HashSet::new(),
        contents: HashSet::new(),
    }
}

fn ending(random: &mut Rng) -> Ending {
    match random.usize(..3) {
        0 => Ending::Rejected { reason: "too loud".to_owned() },
        1 => Ending::Skipped { reason: "taken".to_owned() },
        _ => Ending::Done,
    }
}

/// Everything the store knows of jobs; panics where its tables contradict each other.
pub(super) fn known_of(store: &Store) -> Known {
    let look = store.read().unwrap();
    let mut known = Known::default();
    let (mut states, mut ready, mut sources) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ends, mut plans) = (Vec::new(), BTreeMap::new());
    let mut counts: BTreeMap<JobState, u64> = JobState::ALL.iter().map(|it| (*it, 0)).collect();
    for (_, job) in look.records::<JobRecord>(tables::JOBS, &[]).unwrap() {
        states.push(super::super::jobs::state_key(job.state, &job.id));
        ends.push(super::super::jobs::backwards(job.id.as_bytes()));
        *plans.entry(job.plan.clone().into_bytes()).or_insert(0u64) += 1;
        if job.state.waits() {
            ready.push(super::super::jobs::ready_key(&job));
        }
        if job.source.is_pending() {
            sources.push(job.id.clone().into_bytes());
        }
        *counts.entry(job.state).or_default() += 1;
        let outputs = store.outputs(&job.id).unwrap();
        if !outputs.is_empty() {
            known.outputs.insert(job.id.clone(), outputs);
        }
        known.jobs.insert(job.id.clone(), without_clock(job));
    }
    let uses = look.records::<u64>(tables::PLAN_USES, &[]).unwrap();
    assert_eq!(uses, plans.into_iter().collect::<Vec<_>>());
    for (table, mut expected) in [
        (tables::STATES, states),
        (tables::READY, ready),
        (tables::SOURCES, sources),
        (tables::ID_ENDS, ends),
    ] {
        let mut found = Vec::new();
        look.scan(table, Scan::forward(&[]), &mut |key, _| {
            found.push(key.to_vec());
            Ok(true)
        })
        .unwrap();
        expected.sort();
        assert_eq!(found, expected, "{}", redb::TableHandle::name(&table));
    }
    assert_eq!(store.counts().unwrap(), counts);
    known
}

#[test]
fn store_answers_random_calls_as_a_queue_in_memory_does() {
    for seed in 1..=60 {
        let store = Store::in_memory().unwrap();
        let model = MemoryQueue::default();
        let (mut random, mut count) = (Rng::with_seed(seed), 0);
        let mut calls = Vec::new();
        for _ in 0..80 {
            let call = Call::next(&mut random, &model.known(), &mut count);
            calls.push(call.clone());
            let (expected, answered) = (call.on(&model), call.on(&store));
            assert_eq!(answered, expected, "seed {seed}, after {calls:#?}");
        }
        assert_eq!(known_of(&store), model.known(), "seed {seed}, after {calls:#?}");
    }
}
