//! Whatever dies, and whenever: each input has one complete set of outputs afterwards.

use super::super::publishing::{PublishResult, publish_job};
use super::super::{attempt, recovery};
use super::*;
use std::collections::{BTreeMap, HashSet};
use std::process::{Child, Command, Stdio};
use wavemill_pipelines::execution::OutputKind;
use wavemill_pipelines::model::{OnConflict, SourceAction};
use wavemill_pipelines::publishing::{NameClaim, Trust, crash_tests, hash_file, identity};
use wavemill_pipelines::template::Template;
use wavemill_store::OutputFacts;
use wavemill_store::{Capacity, Claim, Clock, JobQueue, JobState, Lease};
use wavemill_store::{
    CurrentPlan, Ending, IntakeContext, OutputProgress, OutputRecord, StoreError,
};
use wavemill_watch::{Change, KnownFile};

const DAEMON_VARIABLE: &str = "WAVEMILL_TEST_DAEMON";

fn moving_plan() -> Plan {
    let mut plan = plan("a b");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("moved").unwrap());
    plan
}

/// Opens the state as a daemon does, lets it find `in/one.wav` and claims its job.
fn claim_one(lab: &Lab, plan: &Plan) -> (Arc<Shared>, JobRecord) {
    let (settings, _events) = settings(lab.folder.path(), true);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan.clone()))).unwrap();
    let (shared, _requests) = open(&settings, plans, Vec::new()).unwrap();
    let path = lab.path("in/one.wav");
    let found = identity(&path).unwrap().unwrap();
    let file = KnownFile {
        relative: "one.wav".into(),
        size_bytes: found.size_bytes,
        modified_ns: found.modified_ns,
        inode: found.inode,
        hash: hash_file(&path).unwrap().parse().ok(),
    };
    let current = CurrentPlan {
        plan: plan.pipeline.hash.clone(),
        output_root: lab.folder.path().into(),
        priority: 0,
    };
    let context = Arc::new(IntakeContext {
        pipeline: "test".to_owned(),
        root: lab.path("in"),
        plan: current.clone(),
        duplicates: Duplicates::Process,
    });
    shared.store.intake(&context, vec![Change::Settled(file)]).unwrap();
    let capacity = Capacity {
        free: 1,
        plan: current.plan,
        output_root: current.output_root,
        submitted_only: false,
    };
    let claim = Claim {
        boot_id: shared.boot_id.clone(),
        now_ms: Clock::now_ms(),
        count_max: 1,
        pipelines: BTreeMap::from([("test".to_owned(), capacity)]),
        busy: HashSet::new(),
        contents: HashSet::new(),
    };
    let job = shared.store.claim(claim).unwrap().remove(0);
    (shared, job)
}

/// Runs an attempt on this thread, which crashes at the point with this number. Returns the points
/// passed, and whether it crashed.
fn attempt_until(lab: &Lab, plan: &Plan, crash_at: usize) -> (Vec<&'static str>, bool) {
    let (shared, job) = claim_one(lab, plan);
    let stopped = shared.stop.subscribe();
    crash_tests::arm(crash_at);
    let result = attempt::run(&shared, 0, &stopped, &job);
    let passed = crash_tests::passed();
    crash_tests::arm(usize::MAX);
    match result {
        Ok(job) => {
            assert_eq!(job.state, JobState::Done);
            (passed, false)
        }
        Err(StoreError::Io { reason }) if reason == crash_tests::MESSAGE => (passed, true),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn crash_between_any_two_steps_of_a_job_leaves_one_complete_set() {
    let plan = moving_plan();
    let mut crashes = 0;
    loop {
        let lab = Lab::new();
        lab.write("in/one.wav", "sound");
        let (passed, is_crashed) = attempt_until(&lab, &plan, crashes);
        let (summary, _) = lab.run(&plan);
        let point = format!("crash {crashes} at {:?}", passed.last());
        assert_eq!(lab.names("out"), ["one.a", "one.b", "one.json"], "{point}");
        for output in lab.names("out") {
            assert!(lab.read(&format!("out/{output}")).ends_with("\nsound"), "{point}");
        }
        assert_eq!(lab.names("moved"), ["one.wav"], "{point}");
        assert!(lab.names("in").is_empty(), "{point}");
        let jobs = lab.jobs();
        assert_eq!(jobs.len(), 1, "{point}");
        assert_eq!((jobs[0].state, jobs[0].tries), (JobState::Done, 0), "{point}");
        if !is_crashed {
            assert_eq!(summary, Summary::default());
            let expected = ["after plan", "before prepared", "after rename", "before ledger"];
            assert!(expected.iter().all(|point| passed.contains(point)), "{passed:?}");
            assert!(crashes >= 15, "{passed:?}");
            return;
        }
        crashes += 1;
    }
}

/// A job that was `Prepared` when the daemon died, with one output on disk as `fabricate` makes it.
fn recover_prepared(fabricate: impl FnOnce(&Lab, &mut OutputRecord)) -> (Lab, JobRecord) {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let plan = plan("a");
    let (shared, job) = claim_one(&lab, &plan);
    let mut output = OutputRecord {
        attempt: job.attempt,
        kind: OutputKind::Export,
        temporary: lab.path("out/.one.a.part"),
        path: lab.path("out/one.a"),
        on_conflict: OnConflict::Error,
        takes: NameClaim::Free,
        progress: OutputProgress::Prepared {
            size_bytes: 4,
            blake3: blake3::hash(b"made").to_hex().to_string(),
        },
        facts: OutputFacts::default(),
    };
    fabricate(&lab, &mut output);
    shared.store.prepare(&Lease::of(&job), vec![output], Ending::Done, None).unwrap();
    drop(shared);
    let (settings, _events) = settings(lab.folder.path(), true);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan))).unwrap();
    let (shared, _requests) = open(&settings, plans, Vec::new()).unwrap();
    recovery::recover(&shared).unwrap();
    let job = shared.store.job(&job.id).unwrap();
    drop(shared);
    (lab, job)
}

#[test]
fn recovery_renames_a_part_that_is_intact() {
    let (lab, job) = recover_prepared(|lab, _| lab.write("out/.one.a.part", "made"));
    assert_eq!(job.state, JobState::Done);
    assert_eq!(lab.names("out"), ["one.a"]);
    assert!(lab.store().ledger(&lab.path("out/one.a")).unwrap().is_some());
}

#[test]
fn recovery_accepts_an_output_that_has_its_name_already() {
    let (lab, job) = recover_prepared(|lab, _| lab.write("out/one.a", "made"));
    assert_eq!(job.state, JobState::Done);
    assert_eq!(lab.names("out"), ["one.a"]);
}

#[test]
fn recovery_runs_a_job_again_whose_part_is_damaged_or_gone() {
    let (lab, job) = recover_prepared(|lab, _| lab.write("out/.one.a.part", "half"));
    assert_eq!((job.state, job.tries, job.deaths), (JobState::Ready, 0, 1));
    assert!(lab.names("out").is_empty());
    let (_lab, job) = recover_prepared(|_, _| {});
    assert_eq!(job.state, JobState::Ready);
}

#[test]
fn recovery_never_replaces_a_foreign_file() {
    let (lab, job) = recover_prepared(|lab, _| {
        lab.write("out/.one.a.part", "made");
        lab.write("out/one.a", "foreign");
    });
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(lab.names("out"), ["one.a"]);
    assert_eq!(lab.read("out/one.a"), "foreign");
    let (lab, job) = recover_prepared(|lab, output| {
        output.on_conflict = OnConflict::Suffix;
        lab.write("out/.one.a.part", "made");
        lab.write("out/one.a", "foreign");
    });
    assert_eq!(job.state, JobState::Done);
    assert_eq!(lab.names("out"), ["one-2.a", "one.a"]);
    assert_eq!(lab.read("out/one-2.a"), "made");
}

#[test]
fn job_whose_only_name_is_taken_at_publishing_is_skipped_and_keeps_its_source() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Delete;
    let (shared, job) = claim_one(&lab, &plan);
    let output = OutputRecord {
        attempt: job.attempt,
        kind: OutputKind::Export,
        temporary: lab.path("out/.one.a.part"),
        path: lab.path("out/one.a"),
        on_conflict: OnConflict::Skip,
        takes: NameClaim::Free,
        progress: OutputProgress::Prepared {
            size_bytes: 4,
            blake3: blake3::hash(b"made").to_hex().to_string(),
        },
        facts: OutputFacts::default(),
    };
    lab.write("out/.one.a.part", "made");
    lab.write("out/one.a", "foreign");
    let outputs = vec![output];
    let job = shared.store.prepare(&Lease::of(&job), outputs.clone(), Ending::Done, None).unwrap();
    let published = publish_job(&shared, &job, outputs, Trust::Size).unwrap();
    let PublishResult::Ended(job) = published else { panic!("{published:?}") };
    assert_eq!(job.state, JobState::Skipped);
    assert!(job.reason.unwrap().contains("one.a already exists"));
    assert_eq!(lab.read("in/one.wav"), "sound");
    assert_eq!(lab.names("out"), ["one.a"]);
    assert_eq!(lab.read("out/one.a"), "foreign");
}

#[test]
fn recovery_of_a_running_job_removes_only_its_own_parts() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let (shared, job) = claim_one(&lab, &plan("a"));
    let output = OutputRecord {
        attempt: job.attempt,
        kind: OutputKind::Export,
        temporary: lab.path("out/.one.a.part"),
        path: lab.path("out/one.a"),
        on_conflict: OnConflict::Error,
        takes: NameClaim::Free,
        progress: OutputProgress::Planned,
        facts: OutputFacts::default(),
    };
    shared.store.plan_outputs(&Lease::of(&job), vec![output]).unwrap();
    lab.write("out/.one.a.part", "half");
    lab.write("out/.someone-elses.part", "half");
    drop(shared);
    lab.run(&plan("a"));
    assert_eq!(lab.names("out"), [".someone-elses.part", "one.a", "one.json"]);
    assert_eq!(lab.jobs()[0].deaths, 1);
}

#[test]
fn job_that_always_takes_the_daemon_along_fails_in_the_end() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let (shared, mut job) = claim_one(&lab, &plan("a"));
    for _ in 0..recovery::DEATHS_MAX - 1 {
        shared.store.release(&Lease::of(&job), true).unwrap();
        let mut claim = Claim { count_max: 1, boot_id: "earlier".to_owned(), ..Claim::default() };
        claim.pipelines.insert("test".to_owned(), Capacity { free: 1, ..Capacity::default() });
        job = shared.store.claim(claim).unwrap().remove(0);
    }
    recovery::recover(&shared).unwrap();
    let job = shared.store.job(&job.id).unwrap();
    assert_eq!(job.state, JobState::Failed);
    assert!(job.reason.unwrap().contains("100"));
}

/// Not a test: the body of the daemon process that is killed. Run as a test it has nothing to do.
#[test]
fn daemon_process() {
    let Some(folder) = std::env::var_os(DAEMON_VARIABLE) else { return };
    let (settings, _events) = settings(Path::new(&folder), false);
    let plans = Plans::of(std::iter::once(("test.toml".into(), moving_plan()))).unwrap();
    run_with(&settings, plans).unwrap();
}

pub(super) fn start_daemon(lab: &Lab) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["tests::crashes::daemon_process", "--exact", "--nocapture"])
        .env(DAEMON_VARIABLE, lab.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn daemon_killed_again_and_again_delivers_each_file_once() {
    /// Kills; the full sweep is a test of the whole program.
    const KILLS: u64 = 12;
    /// Files dropped before each kill.
    const FILES: u64 = 6;
    let lab = Lab::new();
    let moments = crossbeam_channel::never::<()>();
    for kill in 0..KILLS {
        let mut daemon = start_daemon(&lab);
        for file in 0..FILES {
            lab.write(&format!("in/{kill}-{file}.wav"), &format!("sound {kill} {file}"));
        }
        // From before its first look to well into the jobs: 30 to 690 ms, in no order.
        let moment = Duration::from_millis(30 + 60 * (kill * 5 % KILLS));
        let _ = moments.recv_timeout(moment);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
    lab.run(&moving_plan());
    let mut expected = Vec::new();
    for (kill, file) in (0..KILLS).flat_map(|kill| (0..FILES).map(move |file| (kill, file))) {
        for ending in ["a", "b", "json"] {
            let name = format!("{kill}-{file}.{ending}");
            assert!(lab.read(&format!("out/{name}")).ends_with(&format!("\nsound {kill} {file}")));
            expected.push(name);
        }
    }
    expected.sort();
    assert_eq!(lab.names("out"), expected);
    assert!(lab.names("in").is_empty());
    assert_eq!(lab.names("moved").len() as u64, KILLS * FILES);
    let store = lab.store();
    let counts = store.counts().unwrap();
    assert_eq!(counts[&JobState::Done], KILLS * FILES);
    assert_eq!(counts.values().sum::<u64>(), KILLS * FILES, "{counts:?}");
    drop(store);
    let lock = LockFile::exclusive(&lab.path("state/workers.lock"), Duration::ZERO).unwrap();
    assert!(lock.is_some(), "a worker lives");
}
