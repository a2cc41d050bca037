//! What holds of the store whatever happens.

mod calls;
mod history;
mod memory;
mod notices;
mod power;
mod upgrade;

use super::*;
use crate::{
    Blame, Capacity, Claim, End, EndReason, JobQueue, JobState, Lease, NextTry, Publication,
};
use std::collections::{BTreeMap, HashSet};
use wavemill_pipelines::execution::OutputKind;
use wavemill_pipelines::model::{Duplicates, Grouping, OnConflict};
use wavemill_pipelines::publishing::{FileIdentity, NameClaim};
use wavemill_watch::{Change, KnownFile};

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn context() -> Arc<IntakeContext> {
    Arc::new(IntakeContext {
        pipeline: "podcast".to_owned(),
        root: "/in".into(),
        plan: CurrentPlan { plan: "plan 1".to_owned(), output_root: "/".into(), priority: 0 },
        duplicates: Duplicates::Process,
    })
}

fn file(name: &str, content: &str, modified_ns: i64) -> KnownFile {
    KnownFile {
        relative: name.into(),
        size_bytes: 10,
        modified_ns,
        inode: 7,
        hash: Some(blake3::hash(content.as_bytes())),
    }
}

/// The hash of a job for a file with this content.
fn hash_of(content: &str) -> String {
    blake3::hash(content.as_bytes()).to_string()
}

fn settle(store: &Store, name: &str, content: &str, modified_ns: i64) -> Vec<IntakeResult> {
    store.intake(&context(), vec![Change::Settled(file(name, content, modified_ns))]).unwrap()
}

fn claim_now(store: &Store, count_max: usize) -> Vec<JobRecord> {
    store.claim(claim_of(count_max, u64::MAX, HashSet::new())).unwrap()
}

fn claim_of(count_max: usize, now_ms: u64, busy: HashSet<FileKey>) -> Claim {
    let capacity = Capacity {
        free: 99,
        plan: "plan 2".to_owned(),
        output_root: "/out".into(),
        submitted_only: false,
    };
    let pipelines = BTreeMap::from([("podcast".to_owned(), capacity)]);
    Claim {
        boot_id: "boot".to_owned(),
        now_ms,
        count_max,
        pipelines,
        busy,
        contents: HashSet::new(),
    }
}

fn count(store: &Store, state: JobState) -> u64 {
    store.counts().unwrap()[&state]
}

fn output(path: &str, progress: OutputProgress) -> OutputRecord {
    OutputRecord {
        attempt: 1,
        kind: OutputKind::Export,
        temporary: "/out/.part".into(),
        path: path.into(),
        on_conflict: OnConflict::Error,
        takes: NameClaim::Free,
        progress,
        facts: OutputFacts::default(),
    }
}

fn published(path: &str) -> Publication {
    let progress = OutputProgress::Published { size_bytes: 3, blake3: hash_of("made") };
    let identity = FileIdentity { size_bytes: 3, modified_ns: 1, inode: 1 };
    Publication {
        outputs: vec![output(path, progress)],
        identities: vec![(path.into(), identity)],
        ending: Ending::Done,
        source: SourceRecord::Kept,
        now_ms: 5,
    }
}

fn finish(store: &Store, job: &JobRecord) -> JobRecord {
    let lease = Lease::of(job);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    store.publish(&lease, published("/out/a.wav")).unwrap()
}

#[test]
fn new_file_makes_one_job_and_reporting_it_again_while_it_waits_no_other() {
    let (_folder, store) = open();
    assert_eq!(settle(&store, "a.wav", "h1", 1).len(), 1);
    settle(&store, "a.wav", "h1", 1);
    assert_eq!(count(&store, JobState::Ready), 1);
}

#[test]
fn known_files_come_back_after_the_store_is_opened_again() {
    let (folder, store) = open();
    let known = file("sub/a.wav", "h1", 5);
    store.intake(&context(), vec![Change::Settled(known.clone())]).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.known_files("podcast", Path::new("/in")).unwrap(), [known]);
    assert!(store.known_files("podcast", Path::new("/i")).unwrap().is_empty());
    assert!(store.known_files("pod", Path::new("/in")).unwrap().is_empty());
}

#[test]
fn delivered_file_starts_a_new_job_only_when_dropped_again() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    assert_eq!(finish(&store, &job).state, JobState::Done);
    store.intake(&context(), vec![Change::Touched(file("a.wav", "h1", 1))]).unwrap();
    assert_eq!(count(&store, JobState::Ready), 0);
    // Written again with the same content.
    assert_eq!(settle(&store, "a.wav", "h1", 2).len(), 1);
    // Moved away and back before anyone looked.
    finish(&store, &claim_now(&store, 1)[0]);
    assert_eq!(settle(&store, "a.wav", "h1", 2).len(), 1);
    // Vanished and back.
    let vanished = Change::Vanished { relative: "a.wav".into() };
    finish(&store, &claim_now(&store, 1)[0]);
    store.intake(&context(), vec![vanished]).unwrap();
    assert_eq!(settle(&store, "a.wav", "h1", 2).len(), 1);
    // A copy under a new name.
    assert_eq!(settle(&store, "b.wav", "h1", 2).len(), 1);
    assert_eq!(count(&store, JobState::Ready), 2);
}

#[test]
fn touched_file_that_is_not_known_is_new() {
    let (_folder, store) = open();
    let taken = store.intake(&context(), vec![Change::Touched(file("a.wav", "h1", 1))]).unwrap();
    assert!(matches!(taken[..], [IntakeResult::Queued(_)]));
}

#[test]
fn waiting_job_gives_way_to_newer_content() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let taken = settle(&store, "a.wav", "h2", 2);
    assert!(matches!(&taken[..], [IntakeResult::Canceled(old), IntakeResult::Queued(new)]
        if old.hash == hash_of("h1") && new.hash == hash_of("h2")));
    let jobs = claim_now(&store, 9);
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].hash, hash_of("h2"));
}

#[test]
fn waiting_job_of_a_file_that_was_moved_is_none_of_the_new_file_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let moved = folder.path().join("a.wav");
    std::fs::File::create(&moved).unwrap();
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    let source = SourceRecord::Moving { to: moved.clone(), reason: None, is_trash: false };
    let publication = Publication { source, ..published("/out/a.wav") };
    let job = store.publish(&lease, publication).unwrap();
    store.settle_source(&job.id, SourceRecord::Moved { to: moved.clone() }).unwrap();
    let again = store.retry_job(&job.id).unwrap();
    assert_eq!(again.input, moved);
    for (hash, ns) in [("h1", 2), ("h2", 3)] {
        let taken = settle(&store, "a.wav", hash, ns);
        assert!(
            !taken.iter().any(|it| matches!(it, IntakeResult::Canceled(job) if job.id == again.id))
        );
        assert_eq!(store.job(&again.id).unwrap(), again);
    }
    // One after the other: both are of one name.
    assert_eq!(claim_now(&store, 9).len(), 1);
}

#[test]
fn waiting_job_of_a_file_that_was_moved_takes_it_where_it_is_put_back() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    let moved = tempfile::NamedTempFile::new().unwrap();
    let to = moved.path().to_path_buf();
    let source = SourceRecord::Moving { to: to.clone(), reason: None, is_trash: false };
    let publication = Publication { source, ..published("/out/a.wav") };
    let job = store.publish(&lease, publication).unwrap();
    store.settle_source(&job.id, SourceRecord::Moved { to }).unwrap();
    let again = store.retry_job(&job.id).unwrap();
    // The same inode with the same time.
    let taken = settle(&store, "a.wav", "h1", 1);
    assert!(
        matches!(&taken[..], [IntakeResult::Queued(job)]
        if job.id == again.id && job.input == Path::new("/in/a.wav")),
        "{taken:?}"
    );
}

#[test]
fn waiting_job_is_joined_by_the_same_content() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    settle(&store, "a.wav", "h1", 2);
    let jobs = claim_now(&store, 9);
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].identity.modified_ns, 2);
}

#[test]
fn own_output_in_the_watched_folder_is_not_taken() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    store.publish(&lease, published("/in/out.wav")).unwrap();
    assert!(settle(&store, "out.wav", "made", 1).is_empty());
    // The user's file under that name is no output of ours.
    assert_eq!(settle(&store, "out.wav", "other", 2).len(), 1);
}

#[test]
fn duplicate_is_skipped_where_the_watch_says_so() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    finish(&store, &claim_now(&store, 1)[0]);
    let context = IntakeContext { duplicates: Duplicates::Skip, ..(*context()).clone() };
    let change = Change::Settled(file("copy.wav", "h1", 1));
    let taken = store.intake(&Arc::new(context), vec![change]).unwrap();
    let [IntakeResult::Skipped(job)] = &taken[..] else { panic!("{taken:?}") };
    assert!(job.reason.as_ref().unwrap().contains("/in/a.wav"));
    assert!(claim_now(&store, 9).is_empty());
}

#[test]
fn first_attempt_takes_the_plan_of_its_day_and_later_ones_keep_it() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    assert_eq!((job.plan.as_str(), job.attempt), ("plan 2", 1));
    store.release(&Lease::of(&job), true).unwrap();
    let mut claim = claim_of(1, 0, HashSet::new());
    claim.pipelines.get_mut("podcast").unwrap().plan = "plan 3".to_owned();
    let again = store.claim(claim).unwrap().remove(0);
    assert_eq!((again.plan.as_str(), again.attempt, again.deaths), ("plan 2", 2, 1));
    assert_eq!(again.tries, 0);
}

#[test]
fn claims_follow_priority_then_time_then_age() {
    let (_folder, store) = open();
    for (name, priority) in [("low.wav", -5), ("first.wav", 0), ("second.wav", 0), ("high.wav", 9)]
    {
        let mut context = (*context()).clone();
        context.plan.priority = priority;
        let change = Change::Settled(file(name, name, 1));
        store.intake(&Arc::new(context), vec![change]).unwrap();
    }
    let names: Vec<_> = claim_now(&store, 9).iter().map(|job| job.hash.clone()).collect();
    assert_eq!(names, ["high.wav", "first.wav", "second.wav", "low.wav"].map(hash_of));
}

#[test]
fn job_that_waits_for_its_time_lets_lower_priorities_run() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    let again = NextTry {
        run_at_ms: 1_000,
        reason: "disk full".to_owned(),
        blame: Blame::Machine,
        now_ms: 1,
    };
    let job = store.retry(&Lease::of(&job), again).unwrap();
    assert_eq!((job.state, job.tries, job.crashes), (JobState::Retry, 1, 0));
    let mut low = (*context()).clone();
    low.plan.priority = -1;
    store.intake(&Arc::new(low), vec![Change::Settled(file("b.wav", "h2", 1))]).unwrap();
    assert_eq!(store.next_due_ms(999).unwrap(), Some(1_000));
    let jobs = store.claim(claim_of(9, 999, HashSet::new())).unwrap();
    assert_eq!(jobs.iter().map(|job| job.hash.as_str()).collect::<Vec<_>>(), [hash_of("h2")]);
    assert_eq!(store.claim(claim_of(9, 1_000, HashSet::new())).unwrap().len(), 1);
    assert_eq!(store.next_due_ms(1_000).unwrap(), None);
}

#[test]
fn wait_planned_by_a_clock_that_was_ahead_is_as_long_as_meant() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    let reason = "disk full".to_owned();
    let again = NextTry { run_at_ms: 9_100, reason, blame: Blame::Machine, now_ms: 9_000 };
    store.retry(&Lease::of(&job), again).unwrap();
    // By a clock that is right, nothing is to be repaired.
    assert_eq!(store.shorten_waits(9_000).unwrap(), 0);
    assert_eq!(store.next_due_ms(9_000).unwrap(), Some(9_100));
    // It was set back: of the wait of 100 ms it would make 8,100.
    assert_eq!(store.shorten_waits(1_000).unwrap(), 1);
    assert_eq!(store.next_due_ms(1_000).unwrap(), Some(1_100));
    assert_eq!(store.shorten_waits(1_001).unwrap(), 0);
    assert_eq!(store.claim(claim_of(9, 1_100, HashSet::new())).unwrap().len(), 1);
}

#[test]
fn claim_respects_capacity_and_busy_files() {
    let (_folder, store) = open();
    for name in ["a.wav", "b.wav", "c.wav"] {
        settle(&store, name, name, 1);
    }
    let mut claim = claim_of(9, 0, HashSet::new());
    claim.pipelines.get_mut("podcast").unwrap().free = 1;
    let first = store.claim(claim).unwrap();
    assert_eq!(first.len(), 1);
    let busy =
        FileKey { pipeline: "podcast".to_owned(), root: "/in".into(), relative: "b.wav".into() };
    let second = store.claim(claim_of(9, 0, HashSet::from([busy]))).unwrap();
    assert_eq!(second.iter().map(|job| job.hash.as_str()).collect::<Vec<_>>(), [hash_of("c.wav")]);
    assert!(store.claim(Claim { count_max: 9, ..Claim::default() }).unwrap().is_empty());
}

#[test]
fn lease_of_an_earlier_attempt_is_fenced_off() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let old = Lease::of(&claim_now(&store, 1)[0]);
    store.release(&old, true).unwrap();
    let job = claim_now(&store, 1).remove(0);
    for lease in [old.clone(), Lease { boot_id: "other".to_owned(), ..Lease::of(&job) }] {
        let error = store.plan_outputs(&lease, Vec::new()).unwrap_err();
        assert!(matches!(error, StoreError::Lease { .. }), "{error}");
    }
    store.plan_outputs(&Lease::of(&job), Vec::new()).unwrap();
}

#[test]
fn job_cannot_be_published_before_it_is_prepared() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    assert!(store.publish(&lease, published("/out/a.wav")).is_err());
    assert!(store.ledger(Path::new("/out/a.wav")).unwrap().is_none());
}

#[test]
fn counts_agree_with_the_jobs_after_any_life() {
    let (folder, store) = open();
    for number in 0..12 {
        settle(&store, &format!("{number}.wav"), &format!("h{number}"), 1);
    }
    let jobs = claim_now(&store, 8);
    finish(&store, &jobs[0]);
    store.release(&Lease::of(&jobs[1]), false).unwrap();
    let again = NextTry { run_at_ms: 9, reason: "x".to_owned(), blame: Blame::File, now_ms: 1 };
    store.retry(&Lease::of(&jobs[2]), again).unwrap();
    let end = End {
        why: EndReason::Failed,
        reason: "bad".to_owned(),
        source: SourceRecord::Deleting,
        is_crash: false,
        now_ms: 1,
    };
    store.give_up(&Lease::of(&jobs[3]), end.clone()).unwrap();
    store.give_up(&Lease::of(&jobs[4]), End { why: EndReason::SourceChanged, ..end }).unwrap();
    store.prepare(&Lease::of(&jobs[5]), Vec::new(), Ending::Done, None).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    for (state, count) in store.counts().unwrap() {
        let query = JobQuery { state: Some(state), ..JobQuery::default() };
        assert_eq!(store.jobs(&query).unwrap().len() as u64, count, "{state}");
    }
    assert_eq!(store.waiting_counts().unwrap(), BTreeMap::from([("podcast".to_owned(), 6)]));
    let held = store.held_by_others("next boot").unwrap();
    let held: HashSet<_> = held.into_iter().map(|job| job.id).collect();
    let expected: HashSet<_> = jobs[3..].iter().map(|job| job.id.clone()).collect();
    assert_eq!(held, expected, "running, prepared, and those whose source waits");
}

#[test]
fn source_is_settled_once_and_ends_the_job() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    store
        .prepare(&lease, Vec::new(), Ending::Rejected { reason: "too loud".to_owned() }, None)
        .unwrap();
    let publication = Publication {
        ending: Ending::Rejected { reason: "too loud".to_owned() },
        source: SourceRecord::Deleting,
        ..published("/out/a.json")
    };
    let job = store.publish(&lease, publication).unwrap();
    assert_eq!(job.state, JobState::Published);
    let job = store.settle_source(&job.id, SourceRecord::Deleted).unwrap();
    assert_eq!((job.state, job.reason.as_deref()), (JobState::Rejected, Some("too loud")));
    assert!(store.held_by_others("next boot").unwrap().is_empty());
}

fn canceled() -> End {
    End {
        why: EndReason::SourceChanged,
        reason: "changed".to_owned(),
        source: SourceRecord::Kept,
        is_crash: false,
        now_ms: 1,
    }
}

#[test]
fn file_of_a_canceled_job_is_taken_again_though_its_content_is_the_same() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    store.give_up(&Lease::of(&job), canceled()).unwrap();
    let touched = Change::Touched(file("a.wav", "h1", 2));
    let taken = store.intake(&context(), vec![touched]).unwrap();
    assert!(matches!(&taken[..], [IntakeResult::Queued(next)] if next.id != job.id), "{taken:?}");
}

#[test]
fn file_that_changed_back_while_its_job_ran_is_taken_again_at_once() {
    // As after a copy that keeps times: into the same file, or in its place.
    for inode in [7, 8] {
        let (_folder, store) = open();
        settle(&store, "a.wav", "h1", 1);
        let job = claim_now(&store, 1).remove(0);
        let found = KnownFile { inode, ..file("a.wav", "h1", 1) };
        store.intake(&context(), vec![Change::Touched(found.clone())]).unwrap();
        let again = store.give_up(&Lease::of(&job), canceled()).unwrap();
        assert_eq!((again.state, again.identity.inode), (JobState::Ready, inode));
        assert_eq!(store.known_files("podcast", Path::new("/in")).unwrap(), [found]);
        // A change that nobody has reported ends it.
        let job = claim_now(&store, 1).remove(0);
        assert_eq!(job.attempt, 2);
        let ended = store.give_up(&Lease::of(&job), canceled()).unwrap();
        assert_eq!(ended.state, JobState::Canceled);
        assert!(store.known_files("podcast", Path::new("/in")).unwrap().is_empty());
    }
}

#[test]
fn folder_that_is_no_longer_refused_changes_nothing_in_the_store() {
    let (_folder, store) = open();
    settle(&store, "sub/a.wav", "h1", 1);
    let vanished = Change::Vanished { relative: "sub".into() };
    assert_eq!(store.intake(&context(), vec![vanished]).unwrap(), []);
    assert_eq!(store.known_files("podcast", Path::new("/in")).unwrap().len(), 1);
    assert_eq!(claim_now(&store, 9).len(), 1);
}

#[test]
fn canceled_job_forgets_no_newer_content() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    settle(&store, "a.wav", "h2", 2);
    store.give_up(&Lease::of(&job), canceled()).unwrap();
    let known = store.known_files("podcast", Path::new("/in")).unwrap();
    assert_eq!(known, [file("a.wav", "h2", 2)]);
    // Dropped again while it ran: a newer job has the file although the content is the same.
    let job = claim_now(&store, 1).remove(0);
    settle(&store, "a.wav", "h2", 3);
    store.give_up(&Lease::of(&job), canceled()).unwrap();
    assert_eq!(store.known_files("podcast", Path::new("/in")).unwrap().len(), 1);
}

#[test]
fn file_is_forgotten_once_its_source_is_moved_or_deleted_but_not_when_left() {
    let gone = SourceRecord::Moved { to: "/done/a.wav".into() };
    let left = SourceRecord::Left { reason: "it changed".to_owned() };
    for (settled, known) in [(SourceRecord::Deleted, 0), (gone, 0), (left, 1)] {
        let (_folder, store) = open();
        settle(&store, "a.wav", "h1", 1);
        let lease = Lease::of(&claim_now(&store, 1)[0]);
        store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
        let publication = Publication { source: SourceRecord::Deleting, ..published("/out/a.wav") };
        store.publish(&lease, publication).unwrap();
        store.settle_source(&lease.job, settled.clone()).unwrap();
        let files = store.known_files("podcast", Path::new("/in")).unwrap();
        assert_eq!(files.len(), known, "{settled:?}");
    }
}

#[test]
fn failed_job_is_repeated_as_a_new_one_with_the_plan_of_the_day() {
    let (_folder, store) = open();
    let current = CurrentPlan { plan: "plan 9".to_owned(), output_root: "/o".into(), priority: 3 };
    let plan = PlanRecord {
        name: "podcast".to_owned(),
        text: String::new(),
        defaults: wavemill_pipelines::model::Defaults::default(),
        folder: "/pipelines".into(),
    };
    store.keep_plans(vec![(plan, current)]).unwrap();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    assert!(matches!(store.retry_job(&job.id), Err(StoreError::Lease { .. })));
    let end = End {
        why: EndReason::Failed,
        reason: "bad".to_owned(),
        source: SourceRecord::Kept,
        is_crash: false,
        now_ms: 1,
    };
    store.give_up(&Lease::of(&job), end).unwrap();
    assert_eq!(store.failed_jobs(None).unwrap(), [job.id.as_str()]);
    let again = store.retry_job(&job.id).unwrap();
    assert_eq!(again.retry_of.as_deref(), Some(job.id.as_str()));
    assert_eq!((again.plan.as_str(), again.priority), ("plan 9", 3));
    assert!(again.id > job.id);
    assert!(store.failed_jobs(None).unwrap().is_empty());
}

#[test]
fn moved_file_is_not_repeated_while_a_repeat_of_it_waits_behind_a_newer_one() {
    let (folder, store) = open();
    let moved = folder.path().join("a.wav");
    fs::File::create_new(&moved).unwrap();
    settle(&store, "a.wav", "h1", 1);
    let first = claim_now(&store, 1).remove(0);
    store.prepare(&Lease::of(&first), Vec::new(), Ending::Done, None).unwrap();
    let publication = Publication { source: SourceRecord::Deleting, ..published("/out/a") };
    store.publish(&Lease::of(&first), publication).unwrap();
    store.settle_source(&first.id, SourceRecord::Moved { to: moved.clone() }).unwrap();
    let again = store.retry_job(&first.id).unwrap();
    assert_eq!(again.input, moved);
    // The latest of this name is another one, and over.
    let newer = settle(&store, "a.wav", "h2", 2);
    let [IntakeResult::Queued(newer)] = &newer[..] else { panic!("{newer:?}") };
    store.cancel(&newer.id, 1).unwrap();
    let error = store.retry_job(&first.id).unwrap_err();
    let reason = format!("job {} of the same file is ready", again.id);
    assert!(error.to_string().ends_with(&reason), "{error}");
    // Nor the repeat itself, wherever its file is.
    fs::remove_file(&moved).unwrap();
    let error = store.retry_job(&again.id).unwrap_err();
    assert!(error.to_string().ends_with("cannot be repeated: it is ready"), "{error}");
    // Not so the file that has this name now.
    assert_eq!(store.retry_job(&newer.id).unwrap().input, Path::new("/in/a.wav"));
}

#[test]
fn job_that_cannot_be_repeated_keeps_no_other_from_it() {
    let (_folder, store) = open();
    for name in ["a.wav", "b.wav", "c.wav"] {
        settle(&store, name, name, 1);
    }
    let ids: Vec<_> = claim_now(&store, 3).into_iter().map(|job| job.id).collect();
    for id in [&ids[0], &ids[2]] {
        finish(&store, &store.find_job(id).unwrap());
    }
    let results = store.retry_jobs(&ids).unwrap();
    let originals: Vec<_> = results.iter().map(|it| it.as_ref().map(|job| &job.retry_of)).collect();
    assert_eq!(originals[0].unwrap().as_ref(), Some(&ids[0]));
    assert_eq!(
        originals[1].unwrap_err().to_string(),
        format!("job {} cannot be repeated: it is running", ids[1])
    );
    assert_eq!(originals[2].unwrap().as_ref(), Some(&ids[2]));
}

#[test]
fn group_of_a_batch_or_of_other_content_says_nothing_about_a_watched_file() {
    let (folder, store) = open();
    let elsewhere = folder.path().join("b.wav");
    fs::File::create_new(&elsewhere).unwrap();
    let key = |root: &Path, name: &str| FileKey {
        pipeline: "podcast".to_owned(),
        root: root.into(),
        relative: name.into(),
    };
    let members = |job: &JobRecord| -> Vec<PathBuf> {
        let (_, group) = store.group_of(&job.id, Grouping::Folder).unwrap();
        group.members.into_iter().map(|member| member.path).collect()
    };
    settle(&store, "a.wav", "a", 1);
    finish(&store, &claim_now(&store, 1)[0]);
    let watched = key(Path::new("/in"), "a.wav");
    let submitted = key(folder.path(), "b.wav");
    let identity = FileIdentity { size_bytes: 1, modified_ns: 1, inode: 7 };
    let submission = Submission {
        name: None,
        plan: CurrentPlan { plan: "plan 2".to_owned(), output_root: "/".into(), priority: 0 },
        keeps: None,
        files: vec![(watched.clone(), identity), (submitted, identity)],
    };
    store.submit_batch("podcast", submission).unwrap();
    let jobs = claim_now(&store, 2);
    for (job, content) in jobs.iter().zip(["a", "b"]) {
        store.identify(&Lease::of(job), hash_of(content), identity).unwrap();
    }
    for job in &jobs {
        let (_, group) = store.group_of(&job.id, Grouping::Batch).unwrap();
        assert_eq!(group.members.len(), 2);
        finish(&store, job);
    }
    let again = store.reprocess_files(vec![watched.clone()]).unwrap().remove(0);
    assert!(store.job(again.retry_of.as_ref().unwrap()).unwrap().group.is_some());
    assert_eq!(members(&again), [Path::new("/in/a.wav")]);
    // Of what repeats it with the same content it does.
    finish(&store, &claim_now(&store, 1)[0]);
    for (content, count) in [("a", 2), ("other", 1)] {
        let grouped = JobRecord {
            id: format!("0{content}"),
            hash: hash_of("a"),
            batch: None,
            retry_of: None,
            state: JobState::Canceled,
            ..store.batch_jobs(&store.batches(1).unwrap()[0].id).unwrap().remove(0)
        };
        assert!(grouped.group.is_some());
        let next = JobRecord {
            id: format!("1{content}"),
            hash: hash_of(content),
            group: None,
            state: JobState::Ready,
            retry_of: Some(grouped.id.clone()),
            ..grouped.clone()
        };
        store.submit(vec![grouped, next.clone()]).unwrap();
        assert_eq!(members(&next).len(), count, "{content}");
    }
}

#[test]
fn reprocessing_leaves_out_files_that_wait_already() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    finish(&store, &claim_now(&store, 1)[0]);
    let all = |store: &Store| {
        let (files, _) = store.files_to_reprocess(None, &[]).unwrap();
        store.reprocess_files(files).unwrap().len()
    };
    assert_eq!(all(&store), 1);
    assert_eq!(all(&store), 0);
}

#[test]
fn job_is_found_by_either_end_of_its_id() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let id = store.jobs(&JobQuery::default()).unwrap()[0].id.clone();
    assert_eq!(store.find_job(&id[..3]).unwrap().id, id);
    assert_eq!(store.find_job(&id[9..]).unwrap().id, id);
    assert!(matches!(store.find_job("~"), Err(StoreError::Missing { .. })));
    settle(&store, "b.wav", "h2", 1);
    assert!(matches!(store.find_job(&id[..3]), Err(StoreError::Ambiguous { .. })));
}

#[test]
fn second_opening_names_the_process_that_has_the_store() {
    let (folder, _store) = open();
    let error = Store::open(folder.path()).unwrap_err();
    let message = format!("another wavemill uses this state folder (pid {})", std::process::id());
    assert_eq!(error.to_string(), message);
}

#[test]
fn change_that_fails_in_a_shared_commit_harms_no_other() {
    let (_folder, store) = open();
    let store = Arc::new(store);
    let threads: Vec<_> = (0..32u8)
        .map(|number| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                store.write(move |tx| {
                    tx.put_bytes(tables::META, &[b'x', number], &[number])?;
                    match number % 4 {
                        0 => Err(StoreError::Missing { what: format!("{number}") }),
                        _ => Ok(number),
                    }
                })
            })
        })
        .collect();
    let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let look = store.read().unwrap();
    for (number, result) in (0..32u8).zip(results) {
        let kept = look.bytes(META, &[b'x', number]).unwrap();
        assert_eq!(result.is_ok(), number % 4 != 0);
        assert_eq!(kept.is_some(), number % 4 != 0, "{number}");
    }
}

#[test]
fn store_of_a_later_version_is_refused() {
    let (folder, store) = open();
    store.write(|tx| tx.put(META, SCHEMA_KEY, &(SCHEMA_VERSION + 1))).unwrap();
    drop(store);
    assert!(matches!(Store::open(folder.path()), Err(StoreError::Newer { .. })));
}
