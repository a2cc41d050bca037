//! When a file is taken.

use super::*;
use std::fs::OpenOptions;

#[test]
fn dropped_file_settles_with_its_hash() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let file = bench.settled();
    assert_eq!(file.relative, Path::new("a.mp3"));
    assert_eq!((file.size_bytes, file.hash), (5, hash(b"music")));
}

#[test]
fn file_that_was_there_settles_at_start() {
    let mut bench = Bench::new();
    bench.write("a.mp3", b"music");
    let changes = bench.watch();
    assert!(matches!(changes[..], [Change::ScanDone { files: 1, settling: 1, .. }]), "{changes:?}");
    assert_eq!(bench.settled().hash, hash(b"music"));
    assert!(matches!(bench.next(), Change::Idle { files: 1 }));
}

#[test]
fn file_renamed_into_place_settles_once() {
    let mut bench = Bench::watched();
    let outside = bench.folder.path().join("a.mp3");
    write(&outside, b"music");
    std::fs::rename(&outside, bench.path("a.mp3")).unwrap();
    assert_eq!(bench.settled().hash, hash(b"music"));
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn temporary_name_is_ignored_until_it_is_renamed() {
    let mut bench = Bench::watched();
    bench.write("a.mp3.part", b"music");
    assert_eq!(bench.after_rescan(), []);
    std::fs::rename(bench.path("a.mp3.part"), bench.path("a.mp3")).unwrap();
    assert_eq!(bench.settled().relative, Path::new("a.mp3"));
}

#[test]
fn file_kept_open_waits_for_its_writer() {
    let mut bench = Bench::watched();
    let mut writer = File::create(bench.path("a.mp3")).unwrap();
    for _ in 0..4 {
        writer.write_all(b"some ").unwrap();
        // The other file is dropped later and settles earlier: the first one is still open.
        bench.write("b.mp3", b"done");
        assert_eq!(bench.settled().relative, Path::new("b.mp3"));
        std::fs::remove_file(bench.path("b.mp3")).unwrap();
        assert_eq!(bench.next_change(), vanished("b.mp3"));
    }
    drop(writer);
    assert_eq!(bench.settled().hash, hash(b"some some some some "));
}

#[test]
fn truncated_wav_is_reported_once_and_taken_when_it_is_complete() {
    let mut bench = Bench::watched();
    let whole = wav(4000);
    bench.write("a.wav", &whole[..2000]);
    match bench.next_change() {
        Change::Incomplete { relative, reason } => {
            assert_eq!(relative, Path::new("a.wav"));
            assert!(reason.contains("states"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.after_rescan(), []);
    let mut rest = OpenOptions::new().append(true).open(bench.path("a.wav")).unwrap();
    rest.write_all(&whole[2000..]).unwrap();
    drop(rest);
    assert_eq!(bench.settled().hash, hash(&whole));
}

#[test]
fn truncated_wav_is_taken_as_it_is_where_its_pipeline_repairs() {
    let mut bench = Bench::new();
    bench.spec.takes_incomplete = true;
    bench.watch();
    let cut = &wav(4000)[..2000];
    bench.write("a.wav", cut);
    assert_eq!(bench.settled().hash, hash(cut));
    bench.write("b.wav", b"");
    assert!(matches!(bench.next_change(), Change::Incomplete { .. }));
}

#[test]
fn empty_file_is_incomplete() {
    let mut bench = Bench::watched();
    bench.write("a.flac", b"");
    let reason = "is empty (0 bytes)".to_owned();
    assert_eq!(bench.next_change(), Change::Incomplete { relative: "a.flac".into(), reason });
}

#[test]
fn incomplete_file_is_reported_again_at_the_next_start() {
    let mut bench = Bench::new();
    bench.write("a.flac", b"");
    bench.known = vec![KnownFile {
        relative: "a.flac".into(),
        size_bytes: 0,
        modified_ns: 0,
        inode: 0,
        hash: None,
    }];
    bench.watch();
    assert!(matches!(bench.next_change(), Change::Incomplete { .. }));
    assert!(matches!(bench.next(), Change::Idle { files: 1 }));
}

#[test]
fn file_waits_for_its_marker() {
    let mut bench = Bench::new();
    bench.spec.marker = Some("{name}.done".into());
    bench.write("a.mp3", b"music");
    bench.write("b.mp3", b"other");
    bench.write("b.mp3.done", b"");
    bench.watch();
    assert_eq!(bench.settled().relative, Path::new("b.mp3"));
    assert_eq!(bench.after_rescan(), []);
    bench.write("a.mp3.done", b"");
    assert_eq!(bench.settled().relative, Path::new("a.mp3"));
}

#[test]
fn known_file_is_not_reported_again_after_a_restart() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let file = bench.settled();
    bench.stop(vec![file]);
    assert!(matches!(bench.watch()[..], [Change::ScanDone { files: 1, settling: 0, .. }]));
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn known_file_with_another_inode_is_only_touched() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let file = bench.settled();
    bench.stop(vec![KnownFile { inode: file.inode + 1, ..file.clone() }]);
    bench.watch();
    assert_eq!(bench.next_change(), Change::Touched(file));
}

#[test]
fn known_file_with_other_content_settles() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let file = bench.settled();
    bench.stop(vec![KnownFile { inode: file.inode + 1, hash: hash(b"former"), ..file.clone() }]);
    bench.watch();
    assert_eq!(bench.settled(), file);
}

#[test]
fn changed_permissions_are_only_touched() {
    use std::os::unix::fs::PermissionsExt;
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let file = bench.settled();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(bench.path("a.mp3"), mode).unwrap();
    assert_eq!(bench.next_change(), Change::Touched(file));
}

#[test]
fn rewritten_file_with_the_same_content_settles_again() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let first = bench.settled();
    bench.write("a.mp3", b"music");
    let second = bench.settled();
    assert_eq!((first.hash, first.inode), (second.hash, second.inode));
}

#[test]
fn file_replaced_by_rename_settles_again_even_with_the_same_time() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    let first = bench.settled();
    let modified = std::fs::metadata(bench.path("a.mp3")).unwrap().modified().unwrap();
    let outside = bench.folder.path().join("new");
    write(&outside, b"music");
    File::options().write(true).open(&outside).unwrap().set_modified(modified).unwrap();
    std::fs::rename(&outside, bench.path("a.mp3")).unwrap();
    let second = bench.settled();
    assert_eq!((first.hash, first.modified_ns), (second.hash, second.modified_ns));
    assert_ne!(first.inode, second.inode);
}

#[test]
fn file_that_vanished_and_came_back_settles_again() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"music");
    bench.settled();
    std::fs::rename(bench.path("a.mp3"), bench.folder.path().join("a.mp3")).unwrap();
    assert_eq!(bench.next_change(), vanished("a.mp3"));
    std::fs::rename(bench.folder.path().join("a.mp3"), bench.path("a.mp3")).unwrap();
    assert_eq!(bench.settled().hash, hash(b"music"));
}

#[test]
fn file_deleted_before_it_settled_is_never_reported() {
    let mut bench = Bench::new();
    bench.spec.stable_for = Some(Duration::from_millis(400));
    bench.watch();
    bench.until_idle();
    bench.write("a.mp3", b"music");
    std::fs::remove_file(bench.path("a.mp3")).unwrap();
    bench.write("b.mp3", b"music");
    assert_eq!(bench.settled().relative, Path::new("b.mp3"));
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn file_dated_in_the_future_settles() {
    let mut bench = Bench::watched();
    let file = File::create(bench.path("a.mp3")).unwrap();
    (&file).write_all(b"music").unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_hours(10_000)).unwrap();
    drop(file);
    assert_eq!(bench.settled().hash, hash(b"music"));
}

#[test]
fn idle_is_reported_after_the_last_file() {
    let mut bench = Bench::new();
    for name in ["a.mp3", "b.mp3", "c.mp3"] {
        bench.write(name, name.as_bytes());
    }
    bench.start();
    let changes = bench.until_idle();
    let settled = changes.iter().filter(|change| matches!(change, Change::Settled(_))).count();
    assert_eq!(settled, 3, "{changes:?}");
}
