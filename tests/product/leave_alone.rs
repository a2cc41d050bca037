//! A host that one can leave alone: what its workers gave up, and what `doctor` sees.

use serde_json::Value;
use std::path::Path;
use wavemill_tests::lab::{Ended, Lab, put};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const PIPELINE: &str = r#"
version = 1

[pipeline]
name = "alone"

[[watch]]
path = "in"
ready = { stable_for = "50ms" }

[[step]]
effect = "compressor"

[[export]]
format = "flac"
path = "out/{stem}.{ext}"

[source]
on_success = "move:done"
"#;

/// The lines of `status` of each thread of a process that begin so.
fn of_threads(pid: i32, begin: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives");
    let line = |thread: &Path| {
        let status = std::fs::read_to_string(thread.join("status")).unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix(begin))
            .map(|value| value.trim().to_owned())
    };
    threads.filter_map(|thread| line(&thread.ok()?.path())).collect()
}

/// What is asked of each thread of a worker.
const GIVEN_UP: [(&str, &str); 2] = [("Seccomp:", "2"), ("NoNewPrivs:", "1")];

#[test]
fn every_thread_of_a_worker_is_confined() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("alone", PIPELINE);
    // Its job lasts as long as it takes to look at its worker.
    let minutes = signal::sine(48_000, 2, 180 * 48_000, 440.0, 0.3);
    wav::write(&lab.path("in/a.wav"), &minutes, Stored::Int(16));
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_for("progress", |event| event["event"] == "progress");
    let workers = lab.processes().into_iter().filter(|it| it.command.ends_with(" worker"));
    let found: Vec<Vec<_>> =
        workers.map(|it| GIVEN_UP.map(|(begin, _)| of_threads(it.pid, begin)).to_vec()).collect();
    let status = lab.run(["status", "--json"]).json();
    let confinement = &status["daemon"]["confinement"];
    if confinement["level"] != "full" {
        eprintln!("skipped: workers cannot be confined here ({confinement})");
        return;
    }
    assert_eq!(found.len(), 1);
    for (threads, (begin, value)) in found[0].iter().zip(GIVEN_UP) {
        // One reads requests, one works, and the effects have a clock.
        assert!(threads.len() >= 3 && threads.iter().all(|it| it == value), "{begin} {threads:?}");
    }
    // The daemon itself is not: it publishes, moves sources and starts workers.
    let own = of_threads(daemon.pid().as_raw_nonzero().get(), "Seccomp:");
    assert!(own.iter().all(|it| it == "0"), "{own:?}");
    daemon.wait_for("the job", |event| event["event"] == "job-done");
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn unconfined_daemon_says_so() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("alone", PIPELINE);
    let config = lab.root().join("config.toml");
    put(&config, b"confine = false\nlog = \"warn\"\n");
    let config = config.to_str().expect("a path of the lab is text");
    let pipeline = pipeline.to_str().expect("a path of the lab is text");
    let ended = lab.run(["watch", "--until-idle", "--config", config, pipeline]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("off: `confine = false`"), "{ended:?}");
}

/// The same without its step: a module that is compiled is kept in the state folder.
fn without_step() -> String {
    PIPELINE.replace("[[step]]\neffect = \"compressor\"\n", "")
}

/// The verdict on each thing of this name, with what was found.
fn checks(ended: &Ended, name: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = ended.json()["checks"].as_array().expect("a list").clone();
    let named = all.iter().filter(|check| check["check"] == name);
    named.map(|check| (text(&check["verdict"]), text(&check["found"]))).collect()
}

#[test]
fn doctor_finds_what_keeps_a_pipeline_from_running() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("alone", &without_step());
    let pipeline = pipeline.to_str().expect("a path of the lab is text");
    let ended = lab.run(["doctor", "--json", pipeline]);
    for name in ["store", "confinement", "state", "watched", "output", "inotify", "clock"] {
        let found = checks(&ended, name);
        assert!(found.len() == 1 && found[0].0 != "fail", "{name}: {ended:?}");
    }
    // Nothing was made by looking.
    assert!(!lab.state().exists() && !lab.root().join("out").exists());
    put(&lab.path("out"), b"a file where a folder should be");
    let ended = lab.run(["doctor", "--json", pipeline]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let output = checks(&ended, "output");
    assert!(output[0].0 == "fail" && output[0].1.ends_with("is not a folder"), "{output:?}");
    assert_eq!(ended.json()["is_healthy"], false);
    let lines = lab.run(["doctor", pipeline]);
    assert!(lines.stdout.lines().any(|line| line.trim().starts_with("fail  output")), "{lines:?}");
}

#[test]
fn doctor_asks_the_daemon_that_runs() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("alone", PIPELINE);
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    let ended = lab.run(["doctor", "--json"]);
    let found = checks(&ended, "daemon");
    assert!(found[0].0 == "ok" && found[0].1.contains("process"), "{ended:?}");
    // It shows which folders are watched.
    assert!(checks(&ended, "watched")[0].1.ends_with("/in"), "{ended:?}");
    assert_eq!(daemon.terminate(), Some(0));
}
