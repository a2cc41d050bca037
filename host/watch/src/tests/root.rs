//! The watched folder itself goes away and comes back.

use super::*;
use crate::events::{EventSource, WatchError};
use crate::stat::Identity;
use crate::thread::{Watcher, Wiring};
use std::ffi::OsStr;
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn quick() -> Bench {
    let mut bench = Bench::new();
    // Bounds the time after which a folder that is away is looked for.
    bench.spec.rescan = Some(Duration::from_millis(200));
    bench
}

#[test]
fn root_renamed_away_is_offline_and_reports_nothing_when_it_is_back() {
    let mut bench = quick();
    bench.make_folder("x");
    bench.write("x/a.mp3", b"a");
    bench.watch();
    bench.settled();
    let away = bench.folder.path().join("away");
    std::fs::rename(&bench.spec.root, &away).unwrap();
    match bench.next_change() {
        Change::RootOffline { reason } => assert!(reason.contains("/in:"), "{reason}"),
        other => panic!("{other:?}"),
    }
    std::fs::rename(&away, &bench.spec.root).unwrap();
    assert_eq!(bench.next_change(), Change::RootOnline);
    assert_eq!(bench.after_rescan(), []);
    bench.write("x/b.mp3", b"b");
    assert_eq!(bench.settled().relative, Path::new("x/b.mp3"));
}

#[test]
fn root_missing_at_start_is_offline_and_its_files_are_kept_in_mind() {
    let mut bench = quick();
    bench.write("a.mp3", b"a");
    bench.watch();
    let file = bench.settled();
    bench.stop(vec![file]);
    let away = bench.folder.path().join("away");
    std::fs::rename(&bench.spec.root, &away).unwrap();
    bench.start();
    assert!(matches!(bench.next(), Change::RootOffline { .. }));
    std::fs::rename(&away, &bench.spec.root).unwrap();
    assert_eq!(bench.next(), Change::RootOnline);
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn root_replaced_by_another_folder_is_compared_by_content() {
    let mut bench = quick();
    bench.write("a.mp3", b"a");
    bench.write("b.mp3", b"b");
    bench.watch();
    let mut files = [bench.settled(), bench.settled()];
    files.sort_by(|a, b| a.relative.cmp(&b.relative));
    let away = bench.folder.path().join("away");
    std::fs::rename(&bench.spec.root, &away).unwrap();
    std::fs::create_dir(&bench.spec.root).unwrap();
    // The same file by another inode number, as after a remount of a network share.
    let modified = std::fs::metadata(away.join("a.mp3")).unwrap().modified().unwrap();
    bench.write("a.mp3", b"a");
    File::options().write(true).open(bench.path("a.mp3")).unwrap().set_modified(modified).unwrap();
    let mut changes = Vec::new();
    while changes.len() < 2 {
        match bench.next_change() {
            Change::RootOffline { .. } | Change::RootOnline => {}
            change => changes.push(change),
        }
    }
    assert!(changes.contains(&vanished("b.mp3")), "{changes:?}");
    let is_a = |change: &Change| match change {
        Change::Touched(file) | Change::Settled(file) => file.hash == files[0].hash,
        _ => false,
    };
    assert!(changes.iter().any(is_a), "{changes:?}");
}

#[test]
fn root_that_is_a_file_is_offline() {
    let mut bench = quick();
    bench.spec.root = bench.folder.path().join("file");
    write(&bench.spec.root, b"no folder");
    bench.start();
    match bench.next() {
        Change::RootOffline { reason } => assert!(reason.contains("not a folder"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

/// Receives no events; renames the folder away that it is asked to watch.
struct Away;

impl EventSource for Away {
    fn watch(&mut self, folder: &Path) -> Result<(), WatchError> {
        std::fs::rename(folder, folder.with_file_name("away")).unwrap();
        Err(WatchError::Gone)
    }
}

#[test]
fn root_that_goes_as_its_first_walk_begins_is_offline_and_not_empty() {
    let mut bench = Bench::new();
    let (sender, receiver) = unbounded();
    let start = bench.remembering();
    bench.handle = Some(start.spawn_with(7, sender, Box::new(|_| Ok(Box::new(Away)))).unwrap());
    bench.changes = Some(receiver);
    match bench.next() {
        Change::RootOffline { reason } => assert!(reason.contains("/in:"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn root_that_was_away_for_a_moment_keeps_its_files() {
    let mut bench = Bench::new();
    bench.write("a.mp3", b"a");
    bench.watch();
    let file = bench.settled();
    bench.stop(vec![file]);
    let (sender, changes) = unbounded();
    let wiring = Wiring {
        index: 7,
        sender,
        open_events: Box::new(|_| Err(WatchError::LimitReached)),
        requests: crossbeam_channel::never(),
        stop: Arc::default(),
    };
    let start = bench.remembering();
    let mut watcher = Watcher::new(start.spec, start.filter, start.index, wiring).unwrap();
    let identity = Identity::of(&std::fs::metadata(&bench.spec.root).unwrap());
    watcher.go_online(identity);
    // As if it had been renamed away and back between a look at it and the next.
    let absence = io::Error::from(io::ErrorKind::NotFound);
    watcher.fail_listing(Path::new(""), &absence);
    assert_eq!(watcher.index.file_count(), 1);
    assert!(watcher.outbox.flush(false, &AtomicBool::new(false)).is_ok());
    assert_eq!(changes.try_iter().count(), 0);
}

/// A file system mounted on a folder for as long as this lives.
struct Mount(PathBuf);

impl Mount {
    fn new(arguments: &[&str], folder: &Path) -> Option<Self> {
        let arguments = arguments.iter().map(OsStr::new).chain([folder.as_os_str()]);
        run("mount", arguments).then(|| Self(folder.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run("umount", [OsStr::new("--lazy"), self.0.as_os_str()]);
    }
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn unmounted_root_is_offline_and_its_files_are_not_dropped_again_after_the_mount() {
    let mut bench = quick();
    let share = bench.folder.path().join("share");
    std::fs::create_dir(&share).unwrap();
    let Some(_share) = Mount::new(&["-t", "tmpfs", "wavemill-test"], &share) else {
        eprintln!("skipped: nothing may be mounted here");
        return;
    };
    write(&share.join("a.mp3"), b"a");
    let bind = ["--bind", share.to_str().unwrap()];
    let mount = Mount::new(&bind, &bench.spec.root).unwrap();
    bench.watch();
    assert_eq!(bench.settled().hash, hash(b"a"));
    drop(mount);
    match bench.next_change() {
        Change::RootOffline { reason } => {
            assert!(reason.contains("is mounted"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    let _mount = Mount::new(&bind, &bench.spec.root).unwrap();
    assert_eq!(bench.next_change(), Change::RootOnline);
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn handle_stops_while_nobody_takes_the_changes() {
    let mut bench = Bench::new();
    bench.write("a.mp3", b"a");
    let (sender, receiver) = crossbeam_channel::bounded(0);
    let handle = bench.remembering().spawn(0, sender).unwrap();
    handle.stop();
    assert!(receiver.recv().is_err());
    bench.watch();
    bench.settled();
}
