//! What a job costs besides its sound, and what two at once make of two cores.

use crate::record::{Record, median};
use crate::usage;
use std::fs::File;
use std::io::Write;
use std::time::Instant;
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// Files of a tenth of a second, whose sound costs next to nothing.
const SHORT_FILES: usize = 100;

/// Files of a minute, of which little but their sound costs.
const LONG_FILES: usize = 12;

const LONG_S: usize = 60;

/// Outputs a job.
const OUTPUTS: [usize; 4] = [1, 2, 3, 4];

/// Times that the disk is asked to keep 4 KiB.
const SYNCS: usize = 200;

/// What jobs took together.
struct Taken {
    /// From the start of the first to the end of the last one.
    wall_s: f64,
    /// Of the daemon and its workers, user and system.
    cpu_s: f64,
}

pub(crate) fn run(_arguments: &[String]) -> Record {
    let mut record =
        Record { columns: vec!["what", "jobs", "wall_s", "cpu_s"], ..Record::default() };
    let sync_ms = sync_ms();
    record.findings.push(format!("the disk keeps 4 KiB (fsync) in {sync_ms:.2} ms"));
    for at_once in [1, 2] {
        for outputs in OUTPUTS {
            let what = format!("{outputs} outputs, {at_once} at once");
            let taken = jobs(SHORT_FILES, 4800, &short(outputs, at_once));
            let job_ms = 1000.0 * taken.wall_s / SHORT_FILES as f64;
            record.findings.push(format!("{what}: {job_ms:.1} ms a job of 0.1 s"));
            record.rows.push(row(&what, SHORT_FILES, &taken));
        }
    }
    let walls = [1, 2].map(|at_once| {
        let what = format!("{LONG_S} s each, {at_once} at once");
        let taken = jobs(LONG_FILES, LONG_S * 48_000, &long(at_once));
        let share = 100.0 * taken.cpu_s / (taken.wall_s * at_once as f64);
        record.findings.push(format!("{what}: {share:.0} % of {at_once} cores"));
        record.rows.push(row(&what, LONG_FILES, &taken));
        taken.wall_s
    });
    record.findings.push(format!("two at once: {:.2} times as fast as one", walls[0] / walls[1]));
    record
}

fn row(what: &str, count: usize, taken: &Taken) -> Vec<String> {
    let seconds = [taken.wall_s, taken.cpu_s].map(|it| format!("{it:.3}"));
    [vec![what.to_owned(), count.to_string()], seconds.to_vec()].concat()
}

/// A pipeline that only copies.
fn short(outputs: usize, at_once: usize) -> String {
    let exports = (0..outputs).map(|index| {
        format!("[[export]]\nformat = \"wav\"\npath = \"out/{index}/{{stem}}.wav\"\n")
    });
    head(at_once) + &exports.collect::<String>()
}

/// A pipeline that works.
fn long(at_once: usize) -> String {
    let steps =
        "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -16.0, ceiling_dbtp = -1.0 }\n";
    head(at_once) + steps + "[[export]]\nformat = \"flac\"\npath = \"out/{stem}.flac\"\n"
}

fn head(at_once: usize) -> String {
    format!(
        "version = 1\n[pipeline]\nname = \"jobs\"\nconcurrency = {at_once}\n\
         [[watch]]\npath = \"in\"\nready = {{ stable_for = \"100ms\" }}\n"
    )
}

/// Runs a pipeline over so many files of so many frames.
fn jobs(count: usize, frame_count: usize, pipeline: &str) -> Taken {
    let lab = Lab::new();
    let pipeline = lab.pipeline("jobs", pipeline);
    let source = lab.aside("source.wav");
    for index in 0..count {
        // No two are the same, so that none is a copy of another.
        let level = 0.2 + 0.5 * index as f64 / count as f64;
        let planes = signal::sine(48_000, 2, frame_count, 440.0, level);
        wav::write(&source, &planes, Stored::Int(24));
        lab::put(&lab.path(&format!("in/{index}.wav")), &std::fs::read(&source).expect("is there"));
    }
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_for("a job's start", |event| event["event"] == "job-started");
    let (begin, before) = (Instant::now(), cpu_s(&lab));
    let mut done = 0;
    while done < count {
        daemon.wait_for_next("the end of a job", |event| event["event"] == "job-done");
        done += 1;
    }
    let wall_s = begin.elapsed().as_secs_f64();
    let cpu_s = cpu_s(&lab) - before;
    daemon.terminate();
    Taken { wall_s, cpu_s }
}

/// What the daemon and its workers, which outlive their jobs, have taken so far.
fn cpu_s(lab: &Lab) -> f64 {
    let pids = lab.processes().into_iter().map(|process| process.pid.unsigned_abs());
    pids.filter_map(usage::cpu_s).sum()
}

/// How long the disk takes to keep 4 KiB, in the middle of many times.
fn sync_ms() -> f64 {
    let lab = Lab::new();
    let mut file = File::create(lab.aside("sync")).expect("the folder is there");
    let times: Vec<f64> = (0..SYNCS)
        .map(|_| {
            let begin = Instant::now();
            file.write_all(&[7; 4096]).expect("the disk has room");
            file.sync_data().expect("the disk keeps it");
            1000.0 * begin.elapsed().as_secs_f64()
        })
        .collect();
    median(&times)
}
