//! Ten thousand files dropped at once, three levels deep in new folders: all found, none twice.

use crate::record::Record;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wavemill_tests::lab::{self, Daemon, Lab};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const FILES: usize = 10_000;

const PIPELINE: &str = r#"
version = 1
[pipeline]
name = "burst"
[[watch]]
path = "in"
[[export]]
format = "wav"
path = "out/{reldir}/{stem}.wav"
"#;

pub(crate) fn run(_arguments: &[String]) -> Record {
    let lab = Lab::new();
    let source = lab.aside("tone.wav");
    wav::write(&source, &signal::sine(8000, 1, 80, 440.0, 0.5), Stored::Int(16));
    let bytes = std::fs::read(&source).expect("it was just written");
    let pipeline = lab.pipeline("burst", PIPELINE);
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    let begin = Instant::now();
    for index in 0..FILES {
        let path = lab.path(&format!(
            "in/{}/{}/{}/{index}.wav",
            index / 500,
            index / 50 % 10,
            index / 5 % 10
        ));
        lab::put(&path, &bytes);
    }
    let dropped_s = begin.elapsed().as_secs_f64();
    wait_for_all(&mut daemon);
    let total_s = begin.elapsed().as_secs_f64();
    daemon.terminate();
    let mut inputs: BTreeMap<String, usize> = BTreeMap::new();
    for job in lab.jobs() {
        *inputs.entry(job["input"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let twice = inputs.values().filter(|count| **count > 1).count();
    Record {
        findings: vec![
            format!(
                "{FILES} files dropped within {dropped_s:.1} s: {} found, {twice} twice",
                inputs.len()
            ),
            format!(
                "all done after {total_s:.1} s: {:.1} ms a job",
                1000.0 * total_s / FILES as f64
            ),
        ],
        columns: vec!["files", "found", "twice", "dropped_s", "total_s"],
        rows: vec![vec![
            FILES.to_string(),
            inputs.len().to_string(),
            twice.to_string(),
            dropped_s.to_string(),
            total_s.to_string(),
        ]],
    }
}

/// Waits until every file's job is done; panics when a minute brings no further one.
fn wait_for_all(daemon: &mut Daemon) {
    let done = |daemon: &Daemon| {
        daemon.events().iter().filter(|event| event["event"] == "job-done").count()
    };
    let mut before = 0;
    let mut deadline = Instant::now() + lab::WAIT_MAX;
    while before < FILES {
        daemon.observe(Duration::from_secs(1));
        let now = done(daemon);
        if now > before {
            deadline = Instant::now() + lab::WAIT_MAX;
        }
        assert!(Instant::now() < deadline, "{now} of {FILES} are done and no further one comes");
        before = now;
    }
}
