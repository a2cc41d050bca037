//! Files that are older than their pipeline says.

use super::*;
use wavemill_store::Clock;
use wavemill_store::{CatalogRecord, ClockRecord};

const HOUR_MS: u64 = 3_600_000;

fn plan_that_keeps(hours: u64) -> Plan {
    let mut plan = plan("a b");
    plan.pipeline.keep_for = Some(Duration::from_hours(hours));
    plan
}

impl Lab {
    /// Makes files older in the catalog.
    fn age(&self, names: &[&str], hours: u64) {
        let store = self.store();
        for name in names {
            let path = self.path(name);
            let record = store.cataloged(&path).unwrap().expect(name);
            let made_ms = Clock::now_ms() - hours * HOUR_MS;
            store.catalog_copy(&path, CatalogRecord { made_ms, ..record }).unwrap();
        }
    }
}

fn expired(events: &[DaemonEvent]) -> u64 {
    let files = |event: &DaemonEvent| match event {
        DaemonEvent::Expired { files, .. } => *files,
        _ => 0,
    };
    events.iter().map(files).sum()
}

#[test]
fn old_files_that_nobody_changed_are_deleted_and_others_stay() {
    let lab = Lab::new();
    for name in ["old", "young", "edited"] {
        lab.write(&format!("in/{name}.wav"), "sound");
    }
    lab.run(&plan("a b"));
    lab.age(&["out/old.a", "out/old.b", "out/old.json", "out/edited.a"], 49);
    lab.age(&["out/young.a"], 47);
    lab.write("out/edited.a", "by hand");
    let (summary, events) = lab.run(&plan_that_keeps(48));
    assert_eq!((summary.done, expired(&events)), (0, 3));
    let left = ["edited.a", "edited.b", "edited.json", "young.a", "young.b", "young.json"];
    assert_eq!(lab.names("out"), left);
    assert_eq!(lab.read("out/edited.a"), "by hand");
    let store = lab.store();
    assert!(store.cataloged(&lab.path("out/old.a")).unwrap().is_none());
    // The sources were kept, and are not new because their outputs are gone.
    drop(store);
    assert_eq!(lab.run(&plan("a b")).0, Summary::default());
}

#[test]
fn nothing_is_deleted_by_a_clock_that_jumped() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    lab.run(&plan("a b"));
    lab.age(&["out/one.a"], 49);
    let seen_ms = Clock::now_ms() - 30 * 24 * HOUR_MS;
    lab.store().set_clock(ClockRecord { seen_ms, doubted_until_ms: 0 }).unwrap();
    for _ in 0..2 {
        let (_, events) = lab.run(&plan_that_keeps(48));
        assert_eq!(expired(&events), 0);
    }
    assert!(lab.path("out/one.a").exists());
    // A day later it is believed.
    let clock = ClockRecord { seen_ms: Clock::now_ms(), doubted_until_ms: Clock::now_ms() - 1 };
    lab.store().set_clock(clock).unwrap();
    assert_eq!(expired(&lab.run(&plan_that_keeps(48)).1), 1);
}

#[test]
fn finished_jobs_are_forgotten_and_their_files_are_not_processed_again() {
    let lab = Lab::new();
    for name in ["one", "two"] {
        lab.write(&format!("in/{name}.wav"), name);
    }
    assert_eq!(lab.run(&plan("a")).0.done, 2);
    for _ in 0..2 {
        let (settings, _events) = settings(lab.folder.path(), true);
        let settings = DaemonSettings { history_jobs: 1, ..settings };
        let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
        assert_eq!(run_with(&settings, plans).unwrap(), Summary::default());
        assert_eq!(lab.jobs().len(), 1);
    }
}
