//! `kill -9` at any moment loses nothing, doubles nothing and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_tests::lab::{Daemon, Lab, has_extension, wait_until};
use wavemill_tests::signal::{self, Random};
use wavemill_tests::wav::{self, Stored};

/// Two exports and a report, so that a set of outputs can be torn.
const PIPELINE: &str = r#"
version = 1

[pipeline]
name = "torn"
concurrency = 2

[[watch]]
path = "in"
rescan = "1s"
ready = { stable_for = "50ms" }

[[step]]
use = "loudness"
with = { target_lufs = -20.0, ceiling_dbtp = -1.0 }

[[export]]
format = "wav"
path = "out/{reldir}/{stem}.{ext}"

[[export]]
format = "flac"
path = "out/{reldir}/{stem}.{ext}"

[report]
json = "out/{reldir}/{stem}.json"
"#;

/// Kills in each of the two ways; 50 in all.
const KILLS: usize = 25;

/// Longest life of a daemon before its kill where that moment is left to chance: start, walk, settling
/// and idling lie within.
const LIFE_MS_MAX: u64 = 900;

/// Most new files per life, after the first.
const DROPS_MAX: u64 = 3;

/// Frames of every input.
const FRAMES: usize = 48_000 * 8;

#[derive(Clone, Copy, PartialEq)]
enum Victim {
    Daemon,
    DaemonAndWorkers,
}

/// Drops a file as a careful program does: written aside, then renamed.
fn drop_file(lab: &Lab, name: &str, kind: u64) {
    let source = lab.aside(&format!("noise{kind}.wav"));
    if !source.exists() {
        wav::write(&source, &signal::pink(48_000, 2, FRAMES, 0.3, kind), Stored::Int(16));
    }
    let aside = lab.aside("next.wav");
    std::fs::copy(source, &aside).unwrap();
    std::fs::rename(aside, lab.path(&format!("in/{name}.wav"))).unwrap();
}

/// How long one job takes here, from its start to its end: decoding, writing, syncing and publishing.
fn work_ms() -> u64 {
    let lab = Lab::new();
    let pipeline = lab.pipeline("torn", PIPELINE);
    drop_file(&lab, "one", 0);
    let ended = lab.until_idle(&[&pipeline]);
    let done = ended.event("job-done", "in/one.wav").unwrap_or_else(|| panic!("{ended:?}"));
    let work = Duration::from_secs_f64(done["elapsed_s"].as_f64().unwrap());
    u64::try_from(work.as_millis()).unwrap().max(1)
}

/// Lets a daemon live until a random moment, while it works or whenever; whether it was at work then.
fn live(daemon: &mut Daemon, random: &mut Random, work_ms: u64) -> bool {
    if random.below(3) == 0 {
        daemon.observe(Duration::from_millis(random.below(LIFE_MS_MAX)));
    } else {
        daemon.wait_for("a job", |event| event["event"] == "job-started");
        daemon.observe(Duration::from_millis(random.below(work_ms)));
    }
    let count = |name| daemon.events().iter().filter(|event| event["event"] == name).count();
    count("job-started") > count("job-done")
}

fn kill_under_load(victim: Victim, seed: u64) {
    let lab = Lab::new();
    let pipeline = lab.pipeline("torn", PIPELINE);
    let mut random = Random::new(seed);
    let work_ms = work_ms();
    let mut inputs = BTreeSet::new();
    let mut interrupted = 0;
    lab.path("in/x");
    for round in 0..KILLS {
        let mut daemon = lab.watch(&[&pipeline]);
        for drop in 0..=random.below(DROPS_MAX) {
            let name = format!("d{}/f{round}-{drop}", random.below(3));
            drop_file(&lab, &name, random.below(4));
            inputs.insert(name);
        }
        interrupted += usize::from(live(&mut daemon, &mut random, work_ms));
        match victim {
            Victim::Daemon => daemon.kill_alone(),
            Victim::DaemonAndWorkers => daemon.kill_with_workers(),
        }
        // Every other time the next daemon starts while workers of the last may still be ending.
        if round % 2 == 0 {
            wait_until("workers end with their daemon", || lab.processes().is_empty());
        }
        assert_no_torn_output(&lab, &inputs);
    }
    // Otherwise the kills hit idle daemons and prove nothing.
    assert!(interrupted >= KILLS / 3, "only {interrupted} of {KILLS} kills interrupted a job");
    let ended = lab.until_idle(&[&pipeline]);
    assert_eq!(ended.code, Some(0), "seed {seed}: {ended:?}");
    wait_until("workers end with their daemon", || lab.processes().is_empty());
    assert_complete(&lab, &inputs);
    assert_store_agrees(&lab, &inputs);
}

/// The names that the inputs' outputs have.
fn expected(inputs: &BTreeSet<String>) -> BTreeSet<String> {
    let endings = ["flac", "json", "wav"];
    inputs.iter().flat_map(|name| endings.map(|ending| format!("{name}.{ending}"))).collect()
}

/// At every moment: what has a final name is whole.
fn assert_no_torn_output(lab: &Lab, inputs: &BTreeSet<String>) {
    let expected = expected(inputs);
    for file in lab.files("out") {
        let path = lab.root().join("out").join(&file);
        if !expected.contains(&file) {
            assert!(
                has_extension(&file, "part"),
                "{file} is neither an output nor marked as unfinished"
            );
        } else if has_extension(&file, "json") {
            assert!(
                serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).is_ok(),
                "{file}"
            );
        } else if has_extension(&file, "wav") {
            assert_eq!(wav::read(&path).signal.frame_count(), FRAMES, "{file}");
        }
    }
}

/// At the end: exactly one set for each input and nothing else.
fn assert_complete(lab: &Lab, inputs: &BTreeSet<String>) {
    let found: BTreeSet<String> = lab.files("out").into_iter().collect();
    assert_eq!(found, expected(inputs));
    assert_no_torn_output(lab, inputs);
}

/// The store tells of one finished job for each input, whose outputs are on the disk, byte for byte.
fn assert_store_agrees(lab: &Lab, inputs: &BTreeSet<String>) {
    let mut jobs: BTreeMap<PathBuf, Vec<Value>> = BTreeMap::new();
    for job in lab.jobs() {
        let input = PathBuf::from(job["input"].as_str().unwrap());
        jobs.entry(input).or_default().push(job);
    }
    let wanted: BTreeSet<PathBuf> =
        inputs.iter().map(|name| lab.root().join(format!("in/{name}.wav"))).collect();
    assert_eq!(jobs.keys().cloned().collect::<BTreeSet<_>>(), wanted);
    for (input, jobs) in &jobs {
        assert_eq!(jobs.len(), 1, "{}: {jobs:#?}", input.display());
        assert_eq!(jobs[0]["state"], "done", "{jobs:#?}");
        let outputs = jobs[0]["outputs"].as_array().unwrap();
        assert_eq!(outputs.len(), 3, "{jobs:#?}");
        for output in outputs {
            let bytes = std::fs::read(Path::new(output["path"].as_str().unwrap())).unwrap();
            assert_eq!(output["blake3"], blake3::hash(&bytes).to_hex().as_str(), "{output}");
            assert_eq!(output["is_published"], true, "{output}");
        }
    }
}

#[test]
fn daemon_killed_alone_under_load_keeps_every_promise() {
    kill_under_load(Victim::Daemon, 1);
}

#[test]
fn daemon_killed_with_its_workers_under_load_keeps_every_promise() {
    kill_under_load(Victim::DaemonAndWorkers, 2);
}
