//! Trees: bursts, folders that come and go, lost events.

use super::*;
use crate::events::{EventSource, Hint, HintSender, WatchError};
use std::collections::BTreeSet;

/// Names of all files settled until `count` were, each exactly once.
fn settle_all(bench: &mut Bench, count: usize) -> BTreeSet<PathBuf> {
    let mut names = BTreeSet::new();
    while names.len() < count {
        let file = bench.settled();
        assert!(names.insert(file.relative.clone()), "twice: {}", file.relative.display());
    }
    names
}

#[test]
fn burst_of_2000_files_in_new_folders_is_found_exactly_once() {
    let mut bench = Bench::watched();
    for index in 0..2000 {
        let folder = format!("d{}/a{index}/b", index % 50);
        bench.make_folder(&folder);
        bench.write(format!("{folder}/x.mp3"), format!("{index}").as_bytes());
    }
    settle_all(&mut bench, 2000);
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn folder_moved_in_is_walked() {
    let mut bench = Bench::watched();
    let outside = bench.folder.path().join("album");
    std::fs::create_dir_all(outside.join("cd1")).unwrap();
    write(&outside.join("cd1/a.mp3"), b"a");
    write(&outside.join("b.mp3"), b"b");
    std::fs::rename(&outside, bench.path("album")).unwrap();
    let names = settle_all(&mut bench, 2);
    assert!(
        names.contains(Path::new("album/cd1/a.mp3")) && names.contains(Path::new("album/b.mp3"))
    );
}

#[test]
fn folder_moved_away_takes_its_files_with_it() {
    let mut bench = Bench::new();
    bench.make_folder("album/cd1");
    bench.write("album/cd1/a.mp3", b"a");
    bench.write("album/b.mp3", b"b");
    bench.watch();
    settle_all(&mut bench, 2);
    std::fs::rename(bench.path("album"), bench.folder.path().join("album")).unwrap();
    let mut changes = vec![bench.next_change(), bench.next_change()];
    changes.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(changes, [vanished("album/b.mp3"), vanished("album/cd1/a.mp3")]);
}

#[test]
fn folder_renamed_is_watched_under_its_new_name() {
    let mut bench = Bench::new();
    bench.make_folder("old/deep");
    bench.watch();
    bench.until_idle();
    std::fs::rename(bench.path("old"), bench.path("new")).unwrap();
    bench.write("new/deep/a.mp3", b"a");
    assert_eq!(bench.settled().relative, Path::new("new/deep/a.mp3"));
    bench.write("new/deep/b.mp3", b"b");
    assert_eq!(bench.settled().relative, Path::new("new/deep/b.mp3"));
}

#[test]
fn ignored_hidden_and_output_folders_are_left_alone() {
    let mut bench = Bench::new();
    bench.spec.ignore = vec!["old".into(), "*.draft.mp3".into()];
    bench.spec.excluded = vec![bench.path("out")];
    for folder in ["old/x", ".cache", "out/podcast", "ok"] {
        bench.make_folder(folder);
        bench.write(format!("{folder}/a.mp3"), b"a");
    }
    bench.write("b.draft.mp3", b"b");
    bench.write("notes.txt", b"b");
    bench.watch();
    assert_eq!(bench.settled().relative, Path::new("ok/a.mp3"));
    bench.write("out/podcast/late.mp3", b"a");
    bench.write("old/x/late.mp3", b"a");
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn include_rules_hold_in_any_case() {
    let mut bench = Bench::new();
    bench.spec.include = vec!["*.WAV".into()];
    bench.write("a.mp3", b"a");
    bench.write("b.Wav", &wav(10));
    bench.watch();
    assert_eq!(bench.settled().relative, Path::new("b.Wav"));
    assert_eq!(bench.after_rescan(), []);
}

/// Watches nothing and receives no events.
struct Deaf;

impl EventSource for Deaf {
    fn watch(&mut self, _folder: &Path) -> Result<(), WatchError> {
        Ok(())
    }
}

/// Has no watches to give.
struct Exhausted;

impl EventSource for Exhausted {
    fn watch(&mut self, _folder: &Path) -> Result<(), WatchError> {
        Err(WatchError::LimitReached)
    }
}

#[test]
fn overflow_without_any_path_finds_what_was_missed() {
    let mut bench = Bench::new();
    let (hand_over, senders) = unbounded::<HintSender>();
    bench.watch_with(Box::new(move |hints| {
        hand_over.send(hints).unwrap();
        Ok(Box::new(Deaf))
    }));
    bench.until_idle();
    bench.make_folder("x/y");
    bench.write("x/y/a.mp3", b"a");
    bench.write("b.mp3", b"b");
    senders.recv().unwrap().send(Hint::Everything);
    let names = settle_all(&mut bench, 2);
    assert!(names.contains(Path::new("x/y/a.mp3")));
}

#[test]
fn exhausted_watches_fall_back_to_polling() {
    let mut bench = Bench::new();
    bench.spec.rescan = Some(Duration::from_millis(100));
    bench.watch_with(Box::new(|_| Ok(Box::new(Exhausted))));
    bench.make_folder("x");
    bench.write("x/a.mp3", b"a");
    assert_eq!(bench.settled().relative, Path::new("x/a.mp3"));
}

#[test]
fn system_without_events_falls_back_to_polling() {
    let mut bench = Bench::new();
    bench.spec.rescan = Some(Duration::from_millis(100));
    bench.watch_with(Box::new(|_| Err(WatchError::LimitReached)));
    bench.write("a.mp3", b"a");
    assert_eq!(bench.settled().relative, Path::new("a.mp3"));
}

#[test]
fn events_lost_entirely_are_made_up_for_by_the_next_walk() {
    let mut bench = Bench::new();
    bench.spec.rescan = Some(Duration::from_millis(100));
    let keep_open = parking_lot::Mutex::new(Vec::new());
    bench.watch_with(Box::new(move |hints| {
        keep_open.lock().push(hints);
        Ok(Box::new(Deaf))
    }));
    bench.write("a.mp3", b"a");
    assert_eq!(bench.settled().relative, Path::new("a.mp3"));
    std::fs::remove_file(bench.path("a.mp3")).unwrap();
    assert_eq!(bench.next_change(), vanished("a.mp3"));
}
