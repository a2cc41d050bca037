//! Without events: full walks find everything.

use super::*;

fn polled() -> Bench {
    let mut bench = Bench::new();
    bench.spec.mode = WatchMode::Poll;
    bench.spec.rescan = Some(Duration::from_millis(100));
    bench
}

#[test]
fn polled_folder_reports_new_and_vanished_files() {
    let mut bench = polled();
    bench.watch();
    bench.make_folder("x/y");
    bench.write("x/y/a.mp3", b"a");
    assert_eq!(bench.settled().hash, hash(b"a"));
    std::fs::remove_dir_all(bench.path("x")).unwrap();
    assert_eq!(bench.next_change(), vanished("x/y/a.mp3"));
}

#[test]
fn polled_file_that_grows_settles_when_it_stops() {
    let mut bench = polled();
    // Far longer than the walks between the parts take.
    bench.spec.stable_for = Some(Duration::from_secs(2));
    bench.watch();
    let mut writer = File::create(bench.path("a.mp3")).unwrap();
    let mut content = Vec::new();
    for part in 0..4_u8 {
        writer.write_all(&[part; 10]).unwrap();
        content.extend([part; 10]);
        // Between two parts at least one walk sees the file.
        bench.until_scan_done();
    }
    drop(writer);
    assert_eq!(bench.settled().hash, hash(&content));
}

#[test]
fn polled_marker_releases_its_file() {
    let mut bench = polled();
    bench.spec.marker = Some("{name}.done".into());
    bench.write("a.mp3", b"a");
    bench.start();
    bench.until_idle();
    bench.write("a.mp3.done", b"");
    assert_eq!(bench.settled().relative, Path::new("a.mp3"));
}

#[test]
fn polled_file_replaced_with_other_content_settles_again() {
    let mut bench = polled();
    bench.write("a.mp3", b"first");
    bench.watch();
    bench.settled();
    bench.write("new.part", b"second");
    std::fs::rename(bench.path("new.part"), bench.path("a.mp3")).unwrap();
    assert_eq!(bench.settled().hash, hash(b"second"));
}
