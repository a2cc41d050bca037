//! What commands can no longer do once they look into files, and what a killed run leaves.

use super::{Lab, code, stderr, stdout};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};
use wavemill_platform::{ConfinementLevel, confinement_here};

/// Longest wait for anything: far beyond what a loaded machine needs.
const WAIT_MAX: Duration = Duration::from_mins(1);

const SPEC: WavSpec = WavSpec {
    channels: 1,
    sample_rate: 8_000,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

/// A pipeline whose output lies in a folder that the source's name names.
const BY_NAME: &str = "version = 1\n[pipeline]\nname = \"by-name\"\n[[export]]\nformat = \"wav\"\n\
                       path = \"out/{stem}/x.wav\"\n";

/// A pipeline that brings files towards one that lies beside it.
const LIKE_REFERENCE: &str = "version = 1\n[pipeline]\nname = \"like\"\n[[watch]]\npath = \"in\"\n\
                              ready = { stable_for = \"50ms\" }\n[[step]]\nuse = \"match\"\n\
                              with = { reference = \"reference.wav\" }\n[[export]]\n\
                              format = \"wav\"\npath = \"out/{stem}.wav\"\n";

/// Whether this machine can confine at all; if not, says so.
#[expect(clippy::print_stderr, reason = "tests say what they skip")]
fn can_confine() -> bool {
    let here = confinement_here();
    if here.level != ConfinementLevel::Full {
        eprintln!("skipped: nothing can be confined here ({here})");
    }
    here.level == ConfinementLevel::Full
}

/// A second of sound.
fn wave() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, SPEC).unwrap();
    (0..8_000i16).for_each(|index| writer.write_sample(index % 100 * 50).unwrap());
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// A place where processes are confined, or not.
fn lab(confine: bool) -> Lab {
    let lab = Lab::new();
    lab.write(".config/wavemill/config.toml", &format!("workers = 1\nconfine = {confine}\n"));
    lab
}

fn start(lab: &Lab, args: &[&str]) -> Child {
    let mut command = lab.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Waits until a process has its filter of calls, in every thread: no socket, no program.
fn wait_until_confined(child: &Child) {
    let tasks = format!("/proc/{}/task", child.id());
    wait_until("it is not confined", || {
        let mut statuses = fs::read_dir(&tasks).unwrap().filter_map(|task| {
            // A thread may have ended meanwhile.
            fs::read_to_string(task.unwrap().path().join("status")).ok()
        });
        statuses.all(|status| status.contains("Seccomp:\t2\n"))
    });
}

/// Ends its input with this and waits for its end.
fn feed(mut child: Child, bytes: &[u8]) -> Output {
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// Analyzes a stream and then a file that was put in the place of the one it was given.
fn analyze_replaced(lab: &Lab, is_confined: bool) -> Output {
    put(&lab.path("b.wav"), &wave());
    put(&lab.path("c.wav"), &wave());
    let child = start(lab, &["analyze", "--only", "level", "-", "b.wav"]);
    if is_confined {
        wait_until_confined(&child);
    }
    fs::rename(lab.path("c.wav"), lab.path("b.wav")).unwrap();
    feed(child, &wave())
}

#[test]
fn analysis_reads_the_files_it_was_given_and_no_other() {
    if !can_confine() {
        return;
    }
    let output = analyze_replaced(&lab(true), true);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("b.wav cannot be read: Permission denied"), "{output:?}");
    assert!(stdout(&output).contains("RMS"), "the stream was measured: {output:?}");
    let output = analyze_replaced(&lab(false), false);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// A worker may open only the files of its job; the reference is one of them.
#[test]
fn confined_worker_reads_the_reference_that_its_pipeline_names() {
    if !can_confine() {
        return;
    }
    let lab = lab(true);
    lab.write("p/like.toml", LIKE_REFERENCE);
    put(&lab.path("p/reference.wav"), &wave());
    put(&lab.path("in/a.wav"), &wave());
    let output = lab.run(&["watch", "p", "--until-idle", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("\"reference_integrated_lufs\":-"), "{output:?}");
    assert!(lab.path("out/a.wav").is_file());
}

#[test]
fn every_command_that_looks_into_a_file_is_confined_first() {
    if !can_confine() {
        return;
    }
    let commands: [&[&str]; 7] = [
        &["analyze", "a.wav"],
        &["tags", "a.wav"],
        &["waveform", "a.wav", "-o", "a.json"],
        &["plan", "by-name.toml", "a.wav"],
        &["run", "--dry-run", "by-name.toml", "a.wav"],
        &["run", "by-name.toml", "a.wav"],
        &["export", "a.wav", "exported.flac"],
    ];
    for confine in [true, false] {
        let lab = lab(confine);
        lab.write("by-name.toml", BY_NAME);
        put(&lab.path("a.wav"), &wave());
        for command in commands {
            let output = lab.run(&[command, &["--log", "debug"]].concat());
            assert_eq!(code(&output), 0, "{command:?}: {}", stderr(&output));
            let is_confined = stderr(&output).contains("Process confined.");
            assert_eq!(is_confined, confine, "{command:?}: {}", stderr(&output));
        }
    }
}

#[test]
fn run_writes_below_its_output_folders_only() {
    if !can_confine() {
        return;
    }
    for confine in [true, false] {
        let lab = lab(confine);
        lab.write("by-name.toml", BY_NAME);
        put(&lab.path("sub.wav"), &wave());
        fs::create_dir(lab.path("elsewhere")).unwrap();
        fs::create_dir(lab.path("out")).unwrap();
        std::os::unix::fs::symlink(lab.path("elsewhere"), lab.path("out/sub")).unwrap();
        let output = lab.run(&["run", "by-name.toml", "sub.wav"]);
        let is_made = lab.path("elsewhere/x.wav").exists();
        assert_eq!((code(&output), is_made), if confine { (3, false) } else { (0, true) });
        assert_eq!(stderr(&output).contains("behind a link in its path"), confine, "{output:?}");
        put(&lab.path("other.wav"), &wave());
        let output = lab.run(&["run", "by-name.toml", "other.wav"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert!(lab.path("out/other/x.wav").exists());
    }
}

#[test]
fn watch_follows_no_link_out_of_the_folders_that_its_pipeline_names() {
    let text = "version = 1\n[pipeline]\nname = \"p\"\n[[watch]]\npath = \"in\"\n\
                ready = { stable_for = \"20ms\" }\n[[export]]\nformat = \"wav\"\n\
                path = \"out/{reldir}/{stem}.wav\"\n[source]\non_success = \"move:done/{reldir}\"\n";
    for confine in [true, false] {
        let lab = lab(confine);
        lab.write("p.toml", text);
        for name in ["in/sub/a.wav", "in/moved/b.wav", "in/c.wav"] {
            put(&lab.path(name), &wave());
        }
        for folder in ["elsewhere", "out", "done"] {
            fs::create_dir(lab.path(folder)).unwrap();
        }
        std::os::unix::fs::symlink(lab.path("elsewhere"), lab.path("out/sub")).unwrap();
        std::os::unix::fs::symlink(lab.path("elsewhere"), lab.path("done/moved")).unwrap();
        let output = lab.run(&["watch", "p.toml", "--until-idle"]);
        assert_eq!(code(&output), if confine { 3 } else { 0 }, "{}", stderr(&output));
        let made = fs::read_dir(lab.path("elsewhere")).unwrap().count();
        assert_eq!(made, if confine { 0 } else { 2 });
        assert_eq!(stderr(&output).contains("a link in its path leads to"), confine, "{output:?}");
        // What was made of one that cannot be moved is delivered, and it stays.
        assert!(lab.path("out/moved/b.wav").exists() && lab.path("done/c.wav").exists());
        assert_eq!(lab.path("in/moved/b.wav").exists(), confine);
        assert_eq!(lab.path("in/sub/a.wav").exists(), confine);
    }
}

#[test]
fn export_of_a_stream_writes_the_folder_it_was_given_and_no_other() {
    if !can_confine() {
        return;
    }
    let lab = lab(true);
    let child = start(&lab, &["export", "-", "out/x.wav"]);
    wait_until_confined(&child);
    fs::rename(lab.path("out"), lab.path("out-before")).unwrap();
    fs::create_dir(lab.path("out")).unwrap();
    let output = feed(child, &wave());
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("Permission denied"), "{output:?}");
    assert_eq!(fs::read_dir(lab.path("out")).unwrap().count(), 0);
    let output = feed(start(&lab, &["export", "-", "out/x.wav"]), &wave());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(lab.path("out/x.wav").exists());
}

#[test]
fn failed_run_leaves_no_folder_that_was_made_for_it() {
    let lab = lab(true);
    put(&lab.path("bad.wav"), b"no sound");
    let output = lab.run(&["export", "bad.wav", "some/where/x.wav"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(!lab.path("some").exists());
}

/// What the health check of a container asks.
#[test]
fn status_says_by_its_exit_code_that_no_daemon_runs() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&["status", "--quiet"])), 0);
    assert_eq!(code(&lab.run(&["status", "--quiet", "--running"])), 10);
}

/// Names in a folder; none where it is not there yet.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let lab = lab(true);
    let long = lab.path("long.wav");
    put(&long, &wave());
    // Ten minutes of silence that take no room on the disk: a stream's header does not say its length.
    let mut header = wave()[..44].to_vec();
    header[4..8].fill(0xff);
    header[40..44].fill(0xff);
    put(&long, &header);
    File::options().write(true).open(&long).unwrap().set_len(64 << 20).unwrap();
    let mut child = start(&lab, &["export", "long.wav", "out/x.wav"]);
    let has_part = || !names(&lab.path("out")).is_empty();
    wait_until("nothing is written", has_part);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(&lab.path("out")).len(), 1, "one temporary file is left");
    put(&lab.path("short.wav"), &wave());
    let output = lab.run(&["export", "short.wav", "out/y.wav"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(names(&lab.path("out")), ["y.wav"]);
}
