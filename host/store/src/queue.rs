//! The seam between those who run jobs and the place that remembers them.

use crate::{Ending, FileKey, JobRecord, OutputRecord, SourceRecord, StoreError};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use wavemill_pipelines::publishing::FileIdentity;

/// Hands out jobs and records how far they are.
///
/// What any implementation, also a distributed one, must promise:
///
/// - **Durable before visible**: a call returns when its change survives a power cut. The caller acts
///   (creates, renames, moves files) only afterwards.
/// - **One holder**: between a claim and the next `retry`, `release` or final state, only the
///   [`Lease`] of that claim changes the job. A lease names the attempt and the holder's start, which
///   is fresh at every start of a daemon, so a holder that was thought dead is fenced off: its calls
///   fail with [`StoreError::Lease`] and it must leave the files alone.
/// - **No loss**: a job whose holder is gone is found by [`JobQueue::held_by_others`] and finished or
///   released by recovery; a queue with leases that expire may release jobs in `Running` by itself,
///   never those in `Prepared` or `Published`, whose files only recovery can judge.
/// - **Attempts never repeat**: temporary names hold job and attempt.
/// - **All or nothing**: each call is one atomic change.
pub trait JobQueue: Send + Sync {
    /// Takes jobs that may run now, by priority, then earliest start, then age. They are `Running`
    /// when this returns.
    fn claim(&self, claim: Claim) -> Result<Vec<JobRecord>, StoreError>;

    /// Adds jobs that were made by someone else; all or none.
    fn submit(&self, jobs: Vec<JobRecord>) -> Result<(), StoreError>;

    /// Ends a job that waits: `-> Canceled`. Marks one that is `Running`, which then becomes nothing but
    /// `Canceled`, whatever its holder wants. In other states the job is past it: [`StoreError::Lease`].
    fn cancel(&self, job: &str, now_ms: u64) -> Result<JobRecord, StoreError>;

    /// When the next job that waits for its time may run, milliseconds since 1970.
    fn next_due_ms(&self, now_ms: u64) -> Result<Option<u64>, StoreError>;

    /// Records what the source of a submitted job is, which is read for the first time.
    fn identify(
        &self,
        lease: &Lease,
        hash: String,
        identity: FileIdentity,
    ) -> Result<JobRecord, StoreError>;

    /// Records which files the attempt will write, before it writes them.
    fn plan_outputs(&self, lease: &Lease, outputs: Vec<OutputRecord>) -> Result<(), StoreError>;

    /// Every output is complete under its temporary name: `Running -> Prepared`. `audio_s` is the length of
    /// the source, as far as it is known. Refused with
    /// [`StoreError::Canceled`] when it was canceled meanwhile.
    fn prepare(
        &self,
        lease: &Lease,
        outputs: Vec<OutputRecord>,
        ending: Ending,
        audio_s: Option<f64>,
    ) -> Result<JobRecord, StoreError>;

    /// Changes outputs of a prepared job: another name, because the chosen one was taken meanwhile.
    fn replan(&self, lease: &Lease, outputs: Vec<OutputRecord>) -> Result<(), StoreError>;

    /// Every output has its final name: `Prepared -> Published`, or the job's end if the source
    /// stays. The outputs enter the ledger.
    fn publish(&self, lease: &Lease, published: Publication) -> Result<JobRecord, StoreError>;

    /// The source was dealt with: `Published` becomes the job's end; other states stay. A file that
    /// is gone from its place is forgotten with that.
    fn settle_source(&self, job: &str, source: SourceRecord) -> Result<JobRecord, StoreError>;

    /// The attempt failed for a reason that may pass: `-> Retry`; `Canceled` if that was asked.
    fn retry(&self, lease: &Lease, again: NextTry) -> Result<JobRecord, StoreError>;

    /// The job is over without delivery: `-> Failed` or `Canceled`. The file of a job whose source changed
    /// is forgotten with that, so that it is taken again. If it was found once more with the job's
    /// content, while the job ran, nobody would take it: the job becomes `Ready` instead.
    fn give_up(&self, lease: &Lease, end: End) -> Result<JobRecord, StoreError>;

    /// The attempt ended through no fault of the job: `-> Ready`, or `Canceled` if that was asked; nothing is counted but the daemon's
    /// death, if it was that. Its planned outputs stay on record until the next attempt plans.
    fn release(&self, lease: &Lease, daemon_died: bool) -> Result<JobRecord, StoreError>;

    /// Jobs that are held by another start of the daemon than `boot_id`, and jobs whose source is
    /// still to be dealt with.
    fn held_by_others(&self, boot_id: &str) -> Result<Vec<JobRecord>, StoreError>;
}

/// The right to change a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: String,
    /// The attempt.
    pub attempt: u32,
    /// Start of the daemon that claimed it.
    pub boot_id: String,
}

impl Lease {
    /// The lease under which `job` is held; of recovery too, which takes over what it finds.
    pub fn of(job: &JobRecord) -> Self {
        Self {
            job: job.id.clone(),
            attempt: job.attempt,
            boot_id: job.boot_id.clone().unwrap_or_default(),
        }
    }
}

/// What a daemon can take.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// Its start.
    pub boot_id: String,
    /// Now, milliseconds since 1970.
    pub now_ms: u64,
    /// Most jobs to take.
    pub count_max: usize,
    /// Pipelines that it runs; jobs of others wait.
    pub pipelines: BTreeMap<String, Capacity>,
    /// Files whose jobs are held: a file has one running job at a time.
    pub busy: HashSet<FileKey>,
    /// Pipelines and contents of held jobs: one that skips duplicates waits until it is known how they end.
    pub contents: HashSet<(String, String)>,
}

/// Room for jobs of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Most jobs to take.
    pub free: usize,
    /// Hash of the pipeline that first attempts run with.
    pub plan: String,
    /// Base of relative output paths of first attempts.
    pub output_root: PathBuf,
    /// Whether only jobs are taken that keep the pipeline they were submitted with.
    pub submitted_only: bool,
}

/// A finished publication.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The outputs as they are now.
    pub outputs: Vec<OutputRecord>,
    /// For each of them that was published: what it looks like on disk.
    pub identities: Vec<(PathBuf, FileIdentity)>,
    /// How the job ends: another way than prepared when outputs were left out only now.
    pub ending: Ending,
    /// What becomes of the source.
    pub source: SourceRecord,
    /// Now, milliseconds since 1970.
    pub now_ms: u64,
}

/// When and why to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextTry {
    /// Not before, milliseconds since 1970.
    pub run_at_ms: u64,
    /// One line.
    pub reason: String,
    /// What the failed attempt counts as.
    pub blame: Blame,
    /// Now, milliseconds since 1970.
    pub now_ms: u64,
}

/// Whom an attempt that failed speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The machine: a try of those that the pipeline's `retry` grants.
    Machine,
    /// The file, which probably made the worker crash.
    File,
    /// Someone outside who killed the worker: as a death of the daemon.
    Outside,
}

/// What ends a job without delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It failed.
    Failed,
    /// Its source is not what was found: it no longer has to run.
    SourceChanged,
    /// Someone canceled it.
    Asked,
}

/// How a job ends without delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What ended it.
    pub why: EndReason,
    /// One line.
    pub reason: String,
    /// What becomes of the source.
    pub source: SourceRecord,
    /// Whether the worker died.
    pub is_crash: bool,
    /// Now, milliseconds since 1970.
    pub now_ms: u64,
}
