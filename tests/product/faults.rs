//! System calls that fail, and deaths while the store is made. What a job meets at each of its calls is swept by
//! `torture`; here it is compared with what is reported.

#![expect(clippy::print_stderr, reason = "the gate counts lines that say what was skipped")]

use std::path::{Path, PathBuf};
use wavemill_tests::external::Tool;
use wavemill_tests::lab::{Ended, Lab, wait_until};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const PIPELINE: &str = r#"
version = 1

[pipeline]
name = "fault"
retry = { attempts = 3, backoff = "100ms..1s" }

[[watch]]
path = "in"
ready = { stable_for = "50ms" }

[[export]]
format = "wav"
path = "out/{stem}.{ext}"

[[export]]
format = "flac"
path = "out/{stem}.{ext}"

[report]
json = "out/{stem}.json"
"#;

const FRAMES: usize = 48_000;

/// `strace`; none where it is missing or may not trace.
fn tracer() -> Option<Tool> {
    let strace = Tool::find("strace")?;
    if !strace.command().args(["-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success()) {
        eprintln!("skipped: strace may not trace here");
        return None;
    }
    Some(strace)
}

struct Fault {
    lab: Lab,
    pipeline: PathBuf,
    strace: Tool,
}

impl Fault {
    /// A lab with one input; none without `strace`, or where it may not trace.
    fn new() -> Option<Self> {
        let strace = tracer()?;
        let lab = Lab::new();
        let pipeline = lab.pipeline("fault", PIPELINE);
        // The store is there already, so that the faults meet the work on the file.
        assert_eq!(lab.until_idle(&[&pipeline]).code, Some(0));
        wav::write(
            &lab.path("in/a.wav"),
            &signal::pink(48_000, 2, FRAMES, 0.3, 1),
            Stored::Int(16),
        );
        Some(Self { lab, pipeline, strace })
    }

    /// `watch --until-idle` in which the system calls of the daemon and its workers meet `injection`.
    fn watch_with(&self, injection: &str) -> Ended {
        let mut command = self.strace.command();
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e"]).arg(injection);
        self.lab.run_wrapped(command, &["watch", "--until-idle", "--json"], &self.pipeline)
    }

    /// After whatever happened: a plain run ends well, with exactly one whole set.
    fn assert_recovers(&self, what: &str) {
        wait_until("workers end with their daemon", || self.lab.processes().is_empty());
        let ended = self.lab.until_idle(&[&self.pipeline]);
        assert_eq!(ended.code, Some(0), "{what}: {ended:?}");
        self.assert_complete(what);
        let jobs = self.lab.jobs();
        assert_eq!(jobs.len(), 1, "{what}: {jobs:#?}");
        assert_eq!(jobs[0]["state"], "done", "{what}: {jobs:#?}");
    }

    fn assert_complete(&self, what: &str) {
        assert_eq!(self.lab.files("out"), ["a.flac", "a.json", "a.wav"], "{what}");
        let output = wav::read(&self.lab.root().join("out/a.wav"));
        assert_eq!(output.signal.frame_count(), FRAMES, "{what}");
    }
}

/// One attempt failed and named the output; the next delivered.
fn assert_failed_once(ended: &Ended) {
    let failed = ended.event("job-failed", "in/a.wav").unwrap_or_else(|| panic!("{ended:?}"));
    assert!(failed["reason"].as_str().is_some_and(|reason| reason.contains("out/a.")), "{failed}");
    assert!(ended.event("job-done", "in/a.wav").is_some(), "{ended:?}");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// After a failed sync nothing that was written can be trusted: it is written anew.
#[test]
fn failing_sync_of_an_output_is_tried_anew() {
    let Some(fault) = Fault::new() else { return };
    let folder = fault.lab.root().join("out");
    std::fs::create_dir_all(&folder).unwrap();
    // Only calls on files below `out`; the store's own are left alone.
    let mut command = fault.strace.command();
    let inject = "inject=fsync,fdatasync:error=EIO:when=1";
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none"]);
    command.arg("--trace-path").arg(&folder).args(["-e", inject]);
    let words = ["watch", "--until-idle", "--json"];
    let ended = fault.lab.run_wrapped(command, &words, &fault.pipeline);
    assert_failed_once(&ended);
    fault.assert_recovers("a failing sync");
}

#[test]
fn full_disk_fails_the_attempt_and_leaves_nothing_half() {
    let Some(fault) = Fault::new() else { return };
    let ended = fault.watch_with("inject=rename,renameat,renameat2:error=ENOSPC:when=1");
    assert_failed_once(&ended);
    fault.assert_recovers("a full disk at the first rename of an output");
}

#[test]
fn disk_of_1_mb_that_runs_full_is_reported_in_one_line_and_holds_nothing_half() {
    let Some(unshare) = Tool::find("unshare") else { return };
    let script = "mount -t tmpfs -o size=1m tmpfs out && \"$@\"; code=$?; ls -A out; exit $code";
    let namespace = |command: &str| {
        let mut wrapper = unshare.command();
        wrapper.args(["-Urm", "sh", "-c", command, "sh"]);
        wrapper
    };
    if !namespace("mount -t tmpfs tmpfs /mnt").status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no file system may be mounted in a namespace here");
        return;
    }
    let lab = Lab::new();
    std::fs::create_dir_all(lab.path("out")).expect("a folder");
    let frames = 20 * 48_000;
    let signal = signal::pink(48_000, 2, frames, 0.3, 1);
    wav::write(&lab.path("in.wav"), &signal, Stored::Int(16));
    let output = Path::new("out/in.wav");
    let ended = lab.run_wrapped(namespace(script), &["export", "in.wav"], output);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("No space left on device"), "{ended:?}");
    assert!(ended.stderr.contains("out"), "{ended:?}");
}

/// A store whose making was cut short must not stand in the way of the next start.
#[test]
fn death_at_any_call_that_makes_the_store_leaves_the_state_usable() {
    let Some(strace) = tracer() else { return };
    for call in ["pwrite64", "ftruncate,fallocate", "fsync,fdatasync", "rename,renameat,renameat2"]
    {
        let mut deaths = 0;
        for when in 1.. {
            let lab = Lab::new();
            // Commands open the store themselves where a state folder is and no daemon.
            std::fs::create_dir_all(lab.state()).unwrap();
            let mut command = strace.command();
            let inject = format!("inject={call}:signal=KILL:when={when}");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", &inject]);
            let ended = lab.run_wrapped(command, &["jobs"], Path::new("list"));
            wait_until("the killed command is gone", || lab.processes().is_empty());
            assert_eq!(lab.jobs().len(), 0, "death at {call} {when}");
            if ended.code == Some(0) {
                break;
            }
            assert_eq!(ended.code, None, "{ended:?}");
            deaths += 1;
        }
        assert!(deaths > 0 || call.starts_with("ftruncate"), "{call} never came");
    }
}
