//! What is forgotten, and what never is.

use super::super::jobs::backwards;
use super::calls::{Call, known_of};
use super::memory::MemoryQueue;
use super::*;
use fastrand::Rng;
use std::cell::Cell;

/// Forgets every finished job.
const NOTHING: History =
    History { since_ms: 0, jobs_max: 0, skip_duplicates: std::collections::BTreeSet::new() };

fn prune(store: &Store, history: &History) -> PruneCounts {
    store.prune(history, &|| false).unwrap()
}

/// A history that is as old as it likes, of at most so many jobs.
fn of_jobs(jobs_max: u64) -> History {
    History { jobs_max, ..NOTHING }
}

fn deliver(store: &Store, name: &str, content: &str) -> JobRecord {
    settle(store, name, content, 1);
    let job = claim_now(store, 1).remove(0);
    let lease = Lease::of(&job);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    store.publish(&lease, published(&format!("/wavemill-is-not-here/{name}"))).unwrap()
}

fn vanish(store: &Store, name: &str) {
    store.intake(&context(), vec![Change::Vanished { relative: name.into() }]).unwrap();
}

fn size_of(store: &Store, table: tables::Table) -> usize {
    let mut count = 0;
    let look = store.read().unwrap();
    look.scan(table, Scan::forward(&[]), &mut |_, _| {
        count += 1;
        Ok(true)
    })
    .unwrap();
    count
}

fn ids(store: &Store) -> Vec<String> {
    let mut ids: Vec<_> =
        store.jobs(&JobQuery::default()).unwrap().into_iter().map(|job| job.id).collect();
    ids.reverse();
    ids
}

#[test]
fn file_whose_job_was_forgotten_is_not_processed_again() {
    let (folder, store) = open();
    deliver(&store, "a.wav", "h1");
    assert_eq!(prune(&store, &NOTHING).jobs, 1);
    assert!(ids(&store).is_empty());
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    // A rescan compares with this, and reports the same content under another time as touched.
    let known = store.known_files("podcast", Path::new("/in")).unwrap();
    assert_eq!(known, [file("a.wav", "h1", 1)]);
    let touched = Change::Touched(file("a.wav", "h1", 2));
    assert_eq!(store.intake(&context(), vec![touched]).unwrap(), []);
    // Other content is new work.
    let written = Change::Settled(file("a.wav", "h2", 3));
    assert_eq!(store.intake(&context(), vec![written]).unwrap().len(), 1);
}

#[test]
fn job_and_file_that_are_gone_leave_nothing() {
    let (_folder, store) = open();
    store.keep_plans(vec![plan_named("plan 1"), plan_named("plan 2")]).unwrap();
    for (number, is_first_to_vanish) in [(0, true), (1, false)] {
        let name = format!("{number}.wav");
        deliver(&store, &name, &name);
        if is_first_to_vanish {
            vanish(&store, &name);
        }
        prune(&store, &NOTHING);
        vanish(&store, &name);
    }
    prune(&store, &NOTHING);
    let left = [
        tables::META,
        // Of jobs to come.
        tables::CURRENT,
        tables::PLANS,
    ];
    let is_left = |table: &tables::Table| {
        left.iter().any(|left| redb::TableHandle::name(left) == redb::TableHandle::name(table))
    };
    for table in tables::ALL.into_iter().filter(|table| !is_left(table)) {
        assert_eq!(size_of(&store, table), 0, "{}", redb::TableHandle::name(&table));
    }
    assert_eq!(size_of(&store, tables::PLANS), 1);
}

fn plan_named(hash: &str) -> (PlanRecord, CurrentPlan) {
    let record = PlanRecord {
        name: "podcast".to_owned(),
        text: String::new(),
        defaults: wavemill_pipelines::model::Defaults::default(),
        folder: PathBuf::new(),
    };
    let output_root = PathBuf::from("/out");
    (record, CurrentPlan { plan: hash.to_owned(), output_root, priority: 0 })
}

#[test]
fn oldest_jobs_go_by_age_and_by_number() {
    let (_folder, store) = open();
    let mut made = Vec::new();
    for number in 0..6 {
        made.push(deliver(&store, &format!("{number}.wav"), &number.to_string()).id);
    }
    assert_eq!(prune(&store, &of_jobs(6)), PruneCounts::default());
    assert_eq!(prune(&store, &of_jobs(4)).jobs, 2);
    assert_eq!(ids(&store), made[2..]);
    // They ended 5 ms after 1970, as `published` says, so that any age of the clock is old.
    let old = |since_ms| History { since_ms, ..of_jobs(99) };
    assert_eq!(prune(&store, &old(5)).jobs, 0);
    settle(&store, "waits.wav", "waits", 1);
    let since_ms = crate::Clock::now_ms() + 1_000;
    assert_eq!(prune(&store, &old(since_ms)).jobs, 4);
    assert_eq!(count(&store, JobState::Done), 0);
    assert_eq!(count(&store, JobState::Ready), 1);
    assert_eq!(store.jobs(&JobQuery { limit: 9, ..JobQuery::default() }).unwrap().len(), 1);
}

#[test]
fn job_whose_source_is_pending_is_never_forgotten() {
    let (_folder, store) = open();
    settle(&store, "a.wav", "h1", 1);
    let job = claim_now(&store, 1).remove(0);
    let source = SourceRecord::Deleting;
    let (reason, now_ms) = ("bad".to_owned(), 1);
    let end = End { why: EndReason::Failed, reason, source, is_crash: false, now_ms };
    store.give_up(&Lease::of(&job), end).unwrap();
    assert_eq!(prune(&store, &NOTHING).jobs, 0);
    store.settle_source(&job.id, SourceRecord::Deleted).unwrap();
    assert_eq!(prune(&store, &NOTHING).jobs, 1);
}

#[test]
fn job_whose_notice_is_pending_is_never_forgotten() {
    let (_folder, store) = open();
    let hook = HookRecord { on: vec![Occasion::Done], pipelines: Vec::new() };
    store.keep_hooks(vec![("a".to_owned(), hook)]).unwrap();
    deliver(&store, "a.wav", "h1");
    assert_eq!(prune(&store, &NOTHING).jobs, 0);
    let notice = store.notices_due("a", 9, 9).unwrap().0.remove(0);
    store.forget_notice("a", &notice).unwrap();
    assert_eq!(prune(&store, &NOTHING).jobs, 1);
}

#[test]
fn job_that_is_repeated_is_forgotten_after_its_repeat() {
    let (_folder, store) = open();
    let job = deliver(&store, "a.wav", "h1");
    let again = store.retry_job(&job.id).unwrap();
    assert_eq!(prune(&store, &NOTHING).jobs, 0);
    finish(&store, &claim_now(&store, 1)[0]);
    assert_eq!(prune(&store, &NOTHING).jobs, 2);
    for id in [&job.id, &again.id] {
        assert!(matches!(store.find_job(id), Err(StoreError::Forgotten { .. })), "{id}");
    }
}

#[test]
fn group_is_forgotten_when_all_of_it_is_over() {
    let (_folder, store) = open();
    for name in ["a.wav", "b.wav"] {
        settle(&store, name, name, 1);
    }
    let first = claim_now(&store, 1).remove(0);
    let (_, group) = store.group_of(&first.id, Grouping::Folder).unwrap();
    assert_eq!(group.members.len(), 2);
    finish(&store, &first);
    assert_eq!(prune(&store, &NOTHING).jobs, 0);
    finish(&store, &claim_now(&store, 1)[0]);
    assert_eq!(prune(&store, &NOTHING).jobs, 2);
    assert_eq!(size_of(&store, tables::GROUPS), 0);
    // Files whose jobs are forgotten still belong to the folder.
    settle(&store, "c.wav", "c", 1);
    let third = claim_now(&store, 1).remove(0);
    assert_eq!(store.group_of(&third.id, Grouping::Folder).unwrap().1.members.len(), 3);
}

#[test]
fn batch_is_forgotten_when_it_is_over_and_was_reported() {
    let (_folder, store) = open();
    let identity = FileIdentity { size_bytes: 1, modified_ns: 1, inode: 1 };
    let key = |name: &str| FileKey {
        pipeline: "podcast".to_owned(),
        root: "/in".into(),
        relative: name.into(),
    };
    let (record, plan) = plan_named("plan 9");
    let files = ["a.wav", "b.wav"].map(|name| (key(name), identity)).to_vec();
    let submission = Submission { name: None, plan, keeps: Some(record), files };
    store.submit_batch("podcast", submission).unwrap();
    finish(&store, &claim_now(&store, 1)[0]);
    assert_eq!(prune(&store, &NOTHING), PruneCounts::default());
    finish(&store, &claim_now(&store, 1)[0]);
    assert_eq!(prune(&store, &NOTHING), PruneCounts::default());
    assert_eq!(store.take_batches_over().unwrap().len(), 1);
    // With the file that they made, which is not there.
    assert_eq!(prune(&store, &NOTHING).jobs, 2);
    assert_eq!(store.batches(9).unwrap(), []);
    assert_eq!(size_of(&store, tables::PLANS), 0);
}

#[test]
fn duplicate_of_a_forgotten_job_is_still_skipped() {
    let (_folder, store) = open();
    let skipping =
        Arc::new(IntakeContext { duplicates: Duplicates::Skip, ..context().as_ref().clone() });
    let history = History { skip_duplicates: ["podcast".to_owned()].into(), ..NOTHING };
    deliver(&store, "a.wav", "h1");
    vanish(&store, "a.wav");
    assert_eq!(prune(&store, &history).jobs, 1);
    let copy = Change::Settled(file("b.wav", "h1", 1));
    let taken = store.intake(&skipping, vec![copy]).unwrap();
    let [IntakeResult::Skipped(job)] = &taken[..] else { panic!("{taken:?}") };
    assert!(job.reason.as_ref().unwrap().contains("/in/a.wav"), "{job:?}");
}

#[test]
fn file_that_is_there_stays_in_the_catalog_until_it_is_gone() {
    let (folder, store) = open();
    let made = folder.path().join("made.wav");
    fs::File::create(&made).unwrap();
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    store.publish(&lease, published(made.to_str().unwrap())).unwrap();
    assert_eq!(prune(&store, &NOTHING), PruneCounts { jobs: 1, files: 0, plans: 0 });
    assert!(store.cataloged(&made).unwrap().is_some());
    fs::remove_file(&made).unwrap();
    assert_eq!(prune(&store, &NOTHING), PruneCounts { jobs: 0, files: 1, plans: 0 });
    assert!(store.cataloged(&made).unwrap().is_none());
    assert!(store.ledger(&made).unwrap().is_none());
}

#[test]
fn file_whose_disk_may_be_missing_stays_in_the_catalog() {
    let (folder, store) = open();
    let mount = folder.path().join("mount");
    fs::create_dir(&mount).unwrap();
    let made = mount.join("2026/made.wav");
    settle(&store, "a.wav", "h1", 1);
    let lease = Lease::of(&claim_now(&store, 1)[0]);
    store.prepare(&lease, Vec::new(), Ending::Done, None).unwrap();
    store.publish(&lease, published(made.to_str().unwrap())).unwrap();
    assert_eq!(prune(&store, &NOTHING).files, 0);
    fs::File::create(mount.join("other")).unwrap();
    assert_eq!(prune(&store, &NOTHING).files, 1);
}

#[test]
fn prune_that_is_stopped_between_changes_leaves_a_store_that_agrees_with_itself() {
    let (folder, mut store) = open();
    let changes: Vec<_> = (0..200)
        .map(|number| Change::Settled(file(&format!("{number}.wav"), &number.to_string(), 1)))
        .collect();
    store.intake(&context(), changes).unwrap();
    for _ in 0..3 {
        for job in claim_now(&store, 99) {
            finish(&store, &job);
        }
    }
    assert_eq!(count(&store, JobState::Done), 200);
    let mut left = 200;
    while left > 0 {
        let asked = Cell::new(0);
        let is_stopped = || asked.replace(asked.get() + 1) == 1;
        let pruned = store.prune(&NOTHING, &is_stopped).unwrap().jobs;
        assert!((1..=64).contains(&pruned), "{pruned}");
        left -= pruned;
        drop(store);
        store = Store::open(folder.path()).unwrap();
        known_of(&store);
        assert_eq!(count(&store, JobState::Done), left);
        assert_eq!(store.known_files("podcast", Path::new("/in")).unwrap().len(), 200);
    }
}

/// What [`Store::find_job`] found before there was an index.
fn found_by_scan(ids: &[&String], part: &str) -> Option<String> {
    let mut found = ids.iter().filter(|id| id.starts_with(part) || id.ends_with(part));
    match (found.next(), found.next()) {
        (Some(id), None) => Some((*id).clone()),
        _ => None,
    }
}

#[test]
fn index_finds_what_a_scan_would_through_random_lives() {
    for seed in 1..=40 {
        let store = Store::in_memory().unwrap();
        let model = MemoryQueue::default();
        let (mut random, mut count) = (Rng::with_seed(seed), 0);
        for _ in 0..60 {
            let call = Call::next(&mut random, &model.known(), &mut count);
            assert_eq!(call.on(&store), call.on(&model), "seed {seed}");
            if random.usize(..10) == 0 {
                let expected = model.prune(&store);
                assert_eq!(prune(&store, &NOTHING).jobs, expected, "seed {seed}");
            }
        }
        let known = known_of(&store);
        assert_eq!(known, model.known(), "seed {seed}");
        let ids: Vec<_> = known.jobs.keys().collect();
        let parts = ids.iter().flat_map(|id| [&id[..2], &id[7..], &id[12..], id.as_str()]);
        for part in parts.chain(["~"]) {
            let found = store.find_job(part).ok().map(|job| job.id);
            assert_eq!(found, found_by_scan(&ids, part), "seed {seed}: {part}");
        }
    }
}

#[test]
fn job_is_found_without_reading_others() {
    let (_folder, store) = open();
    let changes: Vec<_> = (0..500)
        .map(|number| Change::Settled(file(&format!("{number}.wav"), &number.to_string(), 1)))
        .collect();
    store.intake(&context(), changes).unwrap();
    let id = ids(&store).remove(250);
    tables::DECODED.set(0);
    assert_eq!(store.find_job(&id[6..]).unwrap().id, id);
    assert_eq!(tables::DECODED.get(), 1);
    assert_eq!(backwards(&backwards(id.as_bytes())), id.as_bytes());
}

#[test]
fn ids_stay_larger_than_those_of_forgotten_jobs() {
    let (folder, store) = open();
    let job = deliver(&store, "a.wav", "h1");
    prune(&store, &NOTHING);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert!(store.next_id() > job.id);
    let error = store.find_job(&job.id).unwrap_err().to_string();
    assert!(error.contains("`history`") && !error.contains('\n'), "{error}");
    assert!(matches!(store.retry_job(&job.id), Err(StoreError::Missing { .. })));
}
