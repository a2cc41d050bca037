//! What a store takes through 300,000 jobs while it forgets all but the last 50,000.

use crate::record::{Record, median};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use wavemill_store::{
    Capacity, Claim, CurrentPlan, Ending, FileKey, History, IntakeContext, JobQueue, JobRecord,
    Lease, OutputFacts, OutputProgress, OutputRecord, Publication, SourceRecord, Store, Submission,
};
use wavemill_watch::{Change, KnownFile};

/// Jobs of the run whose sources leave their folder.
const JOBS: usize = 300_000;

/// Jobs of the run whose sources stay.
const KNOWN_JOBS: usize = 50_000;

/// Finished jobs that the store keeps.
const KEPT_JOBS: u64 = 50_000;

/// Finished jobs that it keeps in the run whose sources stay.
const KEPT_KNOWN_JOBS: u64 = 5_000;

/// Jobs between two measurements.
const STEP_JOBS: usize = 50_000;

/// Jobs between two prunes: a daemon prunes once an hour.
const PRUNE_JOBS: usize = 2_000;

/// Threads that finish jobs: changes at the same time share a commit.
const THREADS: usize = 32;

/// Look-ups of one kind a measurement.
const LOOKUPS: usize = 50;

const PIPELINE: &str = "bench";

pub(crate) fn run(_arguments: &[String]) -> Record {
    let columns =
        vec!["sources", "jobs", "file_mib", "used_mib", "find_us", "claim_ms", "submit_ms"];
    let mut record = Record { columns, ..Record::default() };
    let gone = lives(JOBS, STEP_JOBS, KEPT_JOBS, false, &mut record);
    // The first two points are of a store that was not full yet.
    let (early, last) = (&gone[2], &gone[gone.len() - 1]);
    record.findings.push(format!(
        "from {} to {JOBS} jobs, of which {KEPT_JOBS} are kept: the file from {:.0} to {:.0} MiB, find_job from {:.0} \
         to {:.0} µs, claim from {:.1} to {:.1} ms, submit from {:.1} to {:.1} ms",
        3 * STEP_JOBS, early.file_mib, last.file_mib, early.find_us, last.find_us, early.claim_ms, last.claim_ms,
        early.submit_ms, last.submit_ms
    ));
    let job_bytes = last.used_mib * 1_048_576.0 / KEPT_JOBS as f64;
    record.findings.push(format!("a finished job takes {job_bytes:.0} bytes"));
    let step = KNOWN_JOBS / 5;
    let known = lives(KNOWN_JOBS, step, KEPT_KNOWN_JOBS, true, &mut record);
    let (early, last) = (&known[1], &known[known.len() - 1]);
    let file_bytes = (last.used_mib - early.used_mib) * 1_048_576.0 / (3 * step) as f64;
    record.findings.push(format!(
        "a file that stays in its folder takes {file_bytes:.0} bytes once its job is forgotten"
    ));
    record
}

/// What is measured after so many jobs, each the middle of many times.
struct Point {
    file_mib: f64,
    used_mib: f64,
    find_us: f64,
    claim_ms: f64,
    submit_ms: f64,
}

/// Runs jobs through a new store, measuring every `step` of them.
fn lives(count: usize, step: usize, jobs_max: u64, stays: bool, record: &mut Record) -> Vec<Point> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = Arc::new(Store::open(folder.path()).expect("the folder is empty"));
    let history = History { jobs_max, ..History::default() };
    let mut points = Vec::new();
    for first in (0..count).step_by(PRUNE_JOBS) {
        work(&store, first..first + PRUNE_JOBS, stays);
        store.prune(&history, &|| false).expect("the store works");
        let done = first + PRUNE_JOBS;
        if done.is_multiple_of(step) {
            let point = measure(&store, folder.path(), done);
            let sources = if stays { "stay" } else { "leave" };
            record.rows.push(point.row(sources, done));
            println!("{}", record.rows[record.rows.len() - 1].join(","));
            points.push(point);
        }
    }
    points
}

/// Takes files from being found to being delivered, and prunes nothing.
fn work(store: &Arc<Store>, numbers: std::ops::Range<usize>, stays: bool) {
    let context = Arc::new(IntakeContext {
        pipeline: PIPELINE.to_owned(),
        root: "/srv/audio/in".into(),
        plan: plan(),
        duplicates: wavemill_pipelines::model::Duplicates::Process,
    });
    let settled = numbers.clone().map(|number| Change::Settled(file(number))).collect();
    store.intake(&context, settled).expect("the store works");
    let jobs = store.claim(claim(numbers.len())).expect("the store works");
    assert_eq!(jobs.len(), numbers.len());
    thread::scope(|scope| {
        for jobs in jobs.chunks(jobs.len().div_ceil(THREADS)) {
            scope.spawn(move || jobs.iter().for_each(|job| deliver(store, job)));
        }
    });
    if !stays {
        let vanished = numbers.map(|number| Change::Vanished { relative: file(number).relative });
        store.intake(&context, vanished.collect()).expect("the store works");
    }
}

fn deliver(store: &Store, job: &JobRecord) {
    let lease = Lease::of(job);
    let path = Path::new("/wavemill-bench/out").join(&job.file.relative);
    let (size_bytes, blake3) = (4_000_000, job.hash.clone());
    let prepared = output(&path, OutputProgress::Prepared { size_bytes, blake3: blake3.clone() });
    store.prepare(&lease, vec![prepared], Ending::Done, Some(60.0)).expect("the lease holds");
    let outputs = vec![output(&path, OutputProgress::Published { size_bytes, blake3 })];
    let identities = vec![(path, job.identity)];
    let now_ms = wavemill_store::Clock::now_ms();
    let source = SourceRecord::Kept;
    let published = Publication { outputs, identities, ending: Ending::Done, source, now_ms };
    store.publish(&lease, published).expect("the lease holds");
}

fn output(path: &Path, progress: OutputProgress) -> OutputRecord {
    OutputRecord {
        attempt: 1,
        kind: wavemill_pipelines::execution::OutputKind::Export,
        temporary: path.with_extension("part"),
        path: path.to_owned(),
        on_conflict: wavemill_pipelines::model::OnConflict::Error,
        takes: wavemill_pipelines::publishing::NameClaim::Free,
        progress,
        facts: OutputFacts {
            duration_s: Some(60.0),
            integrated_lufs: Some(-16.0),
            ..OutputFacts::default()
        },
    }
}

fn measure(store: &Arc<Store>, folder: &Path, done: usize) -> Point {
    let ids: Vec<String> = store
        .jobs(&wavemill_store::JobQuery::default())
        .expect("the store works")
        .into_iter()
        .map(|job| job.id)
        .collect();
    let wanted = ids.iter().step_by((ids.len() / LOOKUPS).max(1)).take(LOOKUPS);
    let find_us = median_of(wanted, |id| drop(store.find_job(&id[4..]).expect("it is remembered")));
    let names = (0..LOOKUPS).map(|number| PathBuf::from(format!("submitted/{done}/{number}.wav")));
    let submit_ms = median_of(names, |relative| submit(store, relative)) / 1e3;
    let mut claimed = Vec::new();
    let claim_ms = median_of(0..LOOKUPS, |_| {
        claimed.extend(store.claim(claim(1)).expect("the store works"));
    }) / 1e3;
    assert_eq!(claimed.len(), LOOKUPS);
    for job in &claimed {
        deliver(store, job);
    }
    store.take_batches_over().expect("the store works");
    let bytes = std::fs::metadata(Store::file_in(folder)).expect("is there").len();
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let used = store.used_bytes().expect("the store works");
    Point { file_mib: mib(bytes), used_mib: mib(used), find_us, claim_ms, submit_ms }
}

impl Point {
    fn row(&self, sources: &str, jobs: usize) -> Vec<String> {
        let values = [self.file_mib, self.used_mib, self.find_us, self.claim_ms, self.submit_ms];
        let values = values.map(|value| format!("{value:.2}"));
        [vec![sources.to_owned(), jobs.to_string()], values.to_vec()].concat()
    }
}

fn submit(store: &Store, relative: PathBuf) {
    let file = FileKey {
        pipeline: PIPELINE.to_owned(),
        root: "/srv/audio/in".into(),
        relative: relative.clone(),
    };
    let known = file_of(relative, 0);
    let identity = wavemill_pipelines::publishing::FileIdentity {
        size_bytes: known.size_bytes,
        modified_ns: known.modified_ns,
        inode: known.inode,
    };
    let files = vec![(file, identity)];
    let submission = Submission { name: None, plan: plan(), keeps: None, files };
    store.submit_batch(PIPELINE, submission).expect("the store works");
}

fn file(number: usize) -> KnownFile {
    let relative = format!("{:02}/{:02}/take {number}.wav", number % 12, number % 31);
    file_of(relative.into(), number)
}

fn file_of(relative: PathBuf, number: usize) -> KnownFile {
    KnownFile {
        relative,
        size_bytes: 10_000_000,
        modified_ns: 1_700_000_000_000_000_000,
        inode: number as u64,
        hash: Some(blake3::hash(&number.to_le_bytes())),
    }
}

fn plan() -> CurrentPlan {
    let plan = blake3::hash(b"plan").to_string();
    CurrentPlan { plan, output_root: "/srv/audio/out".into(), priority: 0 }
}

fn claim(count_max: usize) -> Claim {
    let CurrentPlan { plan, output_root, .. } = plan();
    let capacity = Capacity { free: count_max, plan, output_root, submitted_only: false };
    Claim {
        boot_id: "boot".to_owned(),
        now_ms: u64::MAX,
        count_max,
        pipelines: [(PIPELINE.to_owned(), capacity)].into(),
        ..Claim::default()
    }
}

/// Middle of the times that these take, µs.
fn median_of<T>(items: impl IntoIterator<Item = T>, mut take: impl FnMut(T)) -> f64 {
    let times: Vec<f64> = items
        .into_iter()
        .map(|item| {
            let begin = Instant::now();
            take(item);
            1e6 * begin.elapsed().as_secs_f64()
        })
        .collect();
    median(&times)
}
