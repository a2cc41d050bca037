//! Odd names and things that are no files.

use super::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn links_fifos_and_sockets_are_refused_once_with_a_reason() {
    let mut bench = Bench::new();
    write(&bench.folder.path().join("target.mp3"), b"a");
    symlink(bench.folder.path().join("target.mp3"), bench.path("link.mp3")).unwrap();
    symlink("nowhere", bench.path("dangling.mp3")).unwrap();
    symlink("loop.mp3", bench.path("loop.mp3")).unwrap();
    symlink(".", bench.path("loop")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, bench.path("pipe.wav"), fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket.wav")).unwrap();
    bench.start();
    let changes = bench.until_idle();
    let mut refused: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Refused { relative, refusal: Refusal::NoFile, reason } => {
                Some((relative.to_str().unwrap(), &reason[..]))
            }
            Change::ScanDone { .. } | Change::Idle { .. } => None,
            other => panic!("{other:?}"),
        })
        .collect();
    refused.sort_unstable();
    let names: Vec<_> = refused.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["dangling.mp3", "link.mp3", "loop.mp3", "pipe.wav", "socket.wav"]);
    assert!(refused[0].1.contains("symbolic link") && refused[3].1.contains("fifo"), "{refused:?}");
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn refused_link_that_becomes_a_file_settles() {
    let mut bench = Bench::new();
    symlink("nowhere", bench.path("a.mp3")).unwrap();
    bench.watch();
    std::fs::remove_file(bench.path("a.mp3")).unwrap();
    assert_eq!(bench.next_change(), vanished("a.mp3"));
    bench.write("a.mp3", b"a");
    assert_eq!(bench.settled().hash, hash(b"a"));
}

#[test]
fn file_that_becomes_a_link_vanishes_and_is_refused() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"a");
    bench.settled();
    symlink("nowhere", bench.path("link")).unwrap();
    std::fs::rename(bench.path("link"), bench.path("a.mp3")).unwrap();
    assert_eq!(bench.next_change(), vanished("a.mp3"));
    assert!(matches!(bench.next_change(), Change::Refused { .. }));
}

#[test]
fn file_that_becomes_a_folder_vanishes() {
    let mut bench = Bench::watched();
    bench.write("a.mp3", b"a");
    bench.settled();
    std::fs::remove_file(bench.path("a.mp3")).unwrap();
    bench.make_folder("a.mp3");
    bench.write("a.mp3/b.mp3", b"b");
    let changes = [bench.next_change(), bench.next_change()];
    assert!(changes.contains(&vanished("a.mp3")), "{changes:?}");
    assert!(changes.iter().any(|change| matches!(change, Change::Settled(_))), "{changes:?}");
}

#[test]
fn folder_that_becomes_a_file_takes_its_files_with_it() {
    let mut bench = Bench::new();
    bench.make_folder("a.mp3");
    bench.write("a.mp3/b.mp3", b"b");
    bench.watch();
    bench.settled();
    std::fs::remove_dir_all(bench.path("a.mp3")).unwrap();
    bench.write("a.mp3", b"a");
    let changes = [bench.next_change(), bench.next_change()];
    assert!(changes.contains(&vanished("a.mp3/b.mp3")), "{changes:?}");
    assert!(changes.iter().any(|change| matches!(change, Change::Settled(_))), "{changes:?}");
}

#[test]
fn odd_names_settle() {
    let mut bench = Bench::watched();
    let long = format!("{}.mp3", "x".repeat(251));
    let names = [
        OsStr::new("new\nline.mp3"),
        OsStr::new("\u{1f3b5} song.mp3"),
        OsStr::new(&long),
        OsStr::from_bytes(b"latin-\xe9.mp3"),
        OsStr::new(" .mp3"),
    ];
    for name in names {
        bench.write(name, name.as_bytes());
    }
    for _ in names {
        let file = bench.settled();
        let name = file.relative.file_name().unwrap();
        assert!(names.contains(&name), "{name:?}");
        assert_eq!(file.hash, hash(name.as_bytes()));
    }
}

#[test]
fn longest_name_waits_for_a_marker_that_cannot_exist() {
    let mut bench = Bench::new();
    bench.spec.marker = Some("{name}.done".into());
    bench.write(format!("{}.mp3", "x".repeat(251)), b"a");
    bench.start();
    let changes = bench.until_idle();
    assert!(
        changes
            .iter()
            .all(|change| matches!(change, Change::ScanDone { .. } | Change::Idle { .. }))
    );
}

#[test]
fn unreadable_file_is_refused_once_and_taken_when_it_is_readable() {
    let mut bench = Bench::new();
    bench.write("a.mp3", b"a");
    let set_mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(bench.path("a.mp3"), permissions).unwrap();
    };
    set_mode(0o000);
    if File::open(bench.path("a.mp3")).is_ok() {
        eprintln!("skipped: permissions do not bind this user");
        return;
    }
    let path = bench.path("a.mp3");
    bench.watch();
    match bench.next_change() {
        Change::Refused { refusal, reason, .. } => {
            assert_eq!(refusal, Refusal::Unreadable);
            assert_eq!(reason, "cannot be read: permission denied");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.after_rescan(), []);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(bench.settled().hash, hash(b"a"));
}

/// Takes away the right to list a folder; false where that binds nobody.
fn forbid(folder: &Path) -> bool {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o000)).unwrap();
    let binds = std::fs::read_dir(folder).is_err();
    if !binds {
        eprintln!("skipped: permissions do not bind this user");
    }
    binds
}

fn allow(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn refused_folder(relative: &str) -> Change {
    let reason = "cannot be listed: permission denied".to_owned();
    Change::Refused { relative: relative.into(), refusal: Refusal::Unreadable, reason }
}

#[test]
fn unreadable_folder_is_reported_once_and_taken_back_when_it_can_be_listed() {
    let mut bench = Bench::new();
    bench.make_folder("sub");
    bench.write("sub/a.mp3", b"a");
    if !forbid(&bench.path("sub")) {
        return;
    }
    bench.start();
    assert_eq!(bench.next_change(), refused_folder("sub"));
    bench.until_idle();
    assert_eq!(bench.after_rescan(), []);
    allow(&bench.path("sub"));
    assert_eq!(bench.next_change(), vanished("sub"));
    assert_eq!(bench.settled().relative, Path::new("sub/a.mp3"));
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn unreadable_folder_that_is_removed_is_taken_back() {
    let mut bench = Bench::new();
    bench.make_folder("album/sub");
    if !forbid(&bench.path("album/sub")) {
        return;
    }
    bench.start();
    assert_eq!(bench.next_change(), refused_folder("album/sub"));
    bench.until_idle();
    std::fs::remove_dir(bench.path("album/sub")).unwrap();
    std::fs::remove_dir(bench.path("album")).unwrap();
    assert_eq!(bench.next_change(), vanished("album/sub"));
    assert_eq!(bench.after_rescan(), []);
}

#[test]
fn broken_glob_is_refused_at_start() {
    let mut bench = Bench::new();
    bench.spec.ignore = vec!["a[".into()];
    let error = WatchStart::new(bench.spec.clone()).err().map(|error| error.kind());
    assert_eq!(error, Some(std::io::ErrorKind::InvalidInput));
}
