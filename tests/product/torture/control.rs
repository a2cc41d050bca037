//! That the checks can fail: each kind of violation is made and must be seen.

use crate::scenario::{Scenario, Stage};
use crate::sweep;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use wavemill_tests::faults::{self, Fault, Target};
use wavemill_tests::lab::{has_extension, put};

/// A violation: the display name, how it is made below root and state, and what is said of it.
type Violation = (&'static str, fn(&Path, &Path), &'static str);

fn cut_in_half(path: &Path) {
    let file = File::options().write(true).open(path).expect("an output");
    let size = file.metadata().expect("its size").len();
    file.set_len(size / 2).expect("it can be cut");
}

#[rustfmt::skip]
const VIOLATIONS: &[Violation] = &[
    ("missing output", |root, _| fs::remove_file(root.join("out/a.flac")).expect("an output"), "a.flac is missing"),
    ("cut output", |root, _| cut_in_half(&root.join("out/a.wav")), "out/a.wav: "),
    ("other sound", |root, _| drop(fs::copy(root.join("out/a.wav"), root.join("out/a.flac"))), "a.flac has another hash"),
    ("cut report", |root, _| cut_in_half(&root.join("out/a.json")), "out/a.json: "),
    ("second set", |root, _| drop(fs::copy(root.join("out/a.wav"), root.join("out/a-2.wav"))), "a-2.wav is left over"),
    ("part", |root, _| put(&root.join("out/.a.wav.x.1.0.part"), b"half"), ".part is left over"),
    ("spool", |_, state| put(&state.join("spool/spool-1-0.tmp"), b"samples"), "spool-1-0.tmp is left over"),
    ("source lost", |root, _| fs::remove_file(root.join("done/a.wav")).expect("the source"), "done/a.wav is missing"),
    ("source twice", |root, _| drop(fs::copy(root.join("done/a.wav"), root.join("in/a.wav"))), "in/a.wav is left over"),
];

#[test]
fn every_kind_of_violation_is_seen() {
    let stage = Stage::new(Scenario::Moved).expect("it needs nothing");
    let ended = stage.recover();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(stage.settled(), Vec::<String>::new());
    let (root, state, kept) = (stage.lab.root(), stage.lab.state(), stage.lab.aside("kept"));
    let spooled = state.join("spool/spool-1-0.tmp");
    for (name, make, said) in VIOLATIONS {
        // A copy is violated, so that the catalog knows the original again.
        fs::rename(&root, &kept).expect("it can be renamed");
        let copied = Command::new("cp").arg("-a").args([&kept, &root]).status();
        assert!(copied.is_ok_and(|status| status.success()));
        make(&root, &state);
        let seen = stage.settled();
        assert!(seen.iter().any(|line| line.contains(said)), "{name}: {seen:#?}");
        fs::remove_dir_all(&root).expect("a copy");
        fs::rename(&kept, &root).expect("it can be renamed");
        let _ = fs::remove_file(&spooled);
    }
    assert_eq!(stage.settled(), Vec::<String>::new(), "all is repaired");
}

/// A host that does not do what it says: the call that deletes the source is left out.
#[test]
fn host_that_only_claims_to_delete_the_source_is_caught() {
    if !faults::is_possible() {
        return;
    }
    let calls = sweep::calls(Scenario::Deleted);
    let mut last = calls.iter().filter(|call| call.path == "root/in/a.wav");
    let delete = last.rfind(|call| call.name == "unlink").expect("the source is deleted");
    let stage = Stage::new(Scenario::Deleted).expect("it needs nothing");
    let target = Target::at(delete, Fault::Lie);
    let traced = faults::run(&stage.command(), stage.folder(), Some(&target));
    assert!(traced.hit.is_some(), "{traced:?}");
    let seen = stage.settled();
    assert!(seen.iter().any(|line| line.contains("in/a.wav is left over")), "{seen:#?}");
}

/// A program that forgets to write some of an output notices by itself.
#[test]
fn write_that_never_came_to_the_disk_is_noticed_before_anything_is_published() {
    if !faults::is_possible() {
        return;
    }
    let calls = sweep::calls(Scenario::Deleted);
    let is_sound = |call: &&faults::Call| call.name == "write" && has_extension(&call.path, "part");
    let writes: Vec<_> = calls.iter().filter(is_sound).collect();
    let stage = Stage::new(Scenario::Deleted).expect("it needs nothing");
    let target = Target::at(writes[writes.len() / 2], Fault::Lie);
    let traced = faults::run(&stage.command(), stage.folder(), Some(&target));
    assert!(traced.hit.is_some(), "{traced:?}");
    assert_eq!(stage.torn(), Vec::<String>::new(), "{traced:?}");
}
