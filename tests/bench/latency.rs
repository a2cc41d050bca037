//! Time from a file's last byte to the start of its job, in a large tree.

use crate::record::{Record, median};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use wavemill_tests::lab::{self, Lab, is_about};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const FILES: usize = 100_000;
const PER_FOLDER: usize = 500;
const ROUNDS: usize = 20;

const PIPELINE: &str = r#"
version = 1
[pipeline]
name = "latency"
[[watch]]
path = "in"
include = ["*.wav"]
[[export]]
format = "wav"
path = "out/{stem}.wav"
"#;

pub(crate) fn run(_arguments: &[String]) -> Record {
    let lab = Lab::new();
    fill(&lab);
    let source = lab.aside("tone.wav");
    wav::write(&source, &signal::sine(48_000, 2, 4800, 440.0, 0.5), Stored::Int(16));
    let bytes = std::fs::read(&source).expect("it was just written");
    let pipeline = lab.pipeline("latency", PIPELINE);
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    let mut delays = Vec::new();
    for round in 0..ROUNDS {
        let name = format!("in/{}/new-{round}.wav", round * 7 % (FILES / PER_FOLDER));
        let path = lab.root().join(&name);
        let mut file = File::create(&path).expect("the folder is there");
        file.write_all(&bytes).expect("the disk has room");
        let written = Instant::now();
        drop(file);
        daemon.wait_for("a job's start", |event| is_about(event, "job-started", &name));
        delays.push(written.elapsed().as_secs_f64());
    }
    let worst = delays.iter().fold(0.0f64, |worst, delay| worst.max(*delay));
    Record {
        findings: vec![format!(
            "last byte to job start with {FILES} files in the tree: median {:.3} s, worst {worst:.3} s of {ROUNDS} (promised: stable_for, 2 s, + 0.1 s)",
            median(&delays)
        )],
        columns: vec!["round", "delay_s"],
        rows: delays
            .iter()
            .enumerate()
            .map(|(round, delay)| vec![round.to_string(), delay.to_string()])
            .collect(),
    }
}

/// Files the pipeline does not take but the watcher must walk past.
fn fill(lab: &Lab) {
    for folder in 0..FILES / PER_FOLDER {
        let folder = lab.path(&format!("in/{folder}/x"));
        let folder: &Path = folder.parent().expect("it is below in");
        for file in 0..PER_FOLDER {
            lab::put(&folder.join(format!("{file}.txt")), b"not audio");
        }
    }
}
