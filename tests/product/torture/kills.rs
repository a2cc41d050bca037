//! `kill -9` at any moment, of the daemon, its workers or both, loses nothing, doubles nothing and leaves
//! nothing behind.

use crate::plan::Plan;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wavemill_tests::audit::{self, Expected};
use wavemill_tests::lab::{Daemon, Lab, wait_until};
use wavemill_tests::record::Record;
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

/// Kills in each lab; at its end everything is looked at.
const KILLS: usize = 25;

/// Kills of anything in the gate, and in the long form.
const KILLS_SHORT: usize = 8;
const KILLS_LONG: usize = 1_000;

/// Longest life of a daemon before its kill where that moment is left to chance: start, walk, settling
/// and idling lie within.
const LIFE_MS_MAX: u64 = 900;

/// Most new files per life, after the first.
const DROPS_MAX: u64 = 3;

/// Frames of every input.
const FRAMES: usize = 48_000 * 8;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Victim {
    Daemon,
    DaemonAndWorkers,
    /// The daemon lives on.
    Worker,
}

/// What came of a lab.
#[derive(Debug)]
struct Killed {
    kills: usize,
    /// Kills that interrupted a job.
    interrupted: usize,
    files: usize,
    violations: Vec<String>,
}

/// A lab in which things are killed.
struct Field<'v> {
    lab: Lab,
    pipeline: PathBuf,
    random: Random,
    victims: &'v [Victim],
    inputs: BTreeSet<String>,
    /// Outputs that were found whole; they never change again.
    whole: BTreeSet<PathBuf>,
    work_ms: u64,
    killed: Killed,
}

/// Drops a file as a careful program does: written aside, then renamed.
fn drop_file(lab: &Lab, name: &str, kind: u64) {
    let source = lab.aside(&format!("noise{kind}.wav"));
    if !source.exists() {
        wav::write(&source, &signal::pink(48_000, 2, FRAMES, 0.3, kind), Stored::Int(16));
    }
    let aside = lab.aside("next.wav");
    std::fs::copy(source, &aside).expect("there is room");
    std::fs::rename(aside, lab.path(&format!("in/{name}.wav"))).expect("it can be renamed");
}

/// How long one job takes here, from its start to its end: decoding, writing, syncing and publishing.
fn work_ms() -> u64 {
    let lab = Lab::new();
    let pipeline = lab.pipeline("torn", PIPELINE);
    drop_file(&lab, "one", 0);
    let ended = lab.until_idle(&[&pipeline]);
    let done = ended.event("job-done", "in/one.wav").unwrap_or_else(|| panic!("{ended:?}"));
    let work = Duration::from_secs_f64(done["elapsed_s"].as_f64().expect("a number"));
    u64::try_from(work.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl<'v> Field<'v> {
    fn new(victims: &'v [Victim], work_ms: u64, seed: u64) -> Self {
        let lab = Lab::new();
        let pipeline = lab.pipeline("torn", PIPELINE);
        lab.path("in/x");
        let killed = Killed { kills: 0, interrupted: 0, files: 0, violations: Vec::new() };
        let (inputs, whole) = (BTreeSet::new(), BTreeSet::new());
        let random = Random::new(seed);
        Self { lab, pipeline, random, victims, inputs, whole, work_ms, killed }
    }

    /// Kills this often, then lets everything come to its end and looks.
    fn kill(mut self, kills: usize) -> Killed {
        let mut daemon = None;
        for round in 0..kills {
            let running = daemon.take().unwrap_or_else(|| self.lab.watch(&[&self.pipeline]));
            daemon = self.round(round, running);
        }
        drop(daemon);
        wait_until("workers end with their daemon", || self.lab.processes().is_empty());
        let ended = self.lab.until_idle(&[&self.pipeline]);
        let root = self.lab.root();
        let mut wrong = audit::settled(&self.lab, &[&root], &self.expected());
        if ended.code != Some(0) {
            wrong.push(format!("it does not come to its end: {ended:?}"));
        }
        self.killed.violations.append(&mut wrong);
        self.killed.files = self.inputs.len();
        self.killed
    }

    /// Drops files and kills; the daemon, if it lives on.
    fn round(&mut self, round: usize, mut daemon: Daemon) -> Option<Daemon> {
        for drop in 0..=self.random.below(DROPS_MAX) {
            let name = format!("d{}/f{round}-{drop}", self.random.below(3));
            drop_file(&self.lab, &name, self.random.below(4));
            self.inputs.insert(name);
        }
        let victim = *self.random.choice(self.victims);
        self.killed.interrupted += usize::from(self.live(&mut daemon, victim));
        self.killed.kills += 1;
        match victim {
            Victim::Daemon => daemon.kill_alone(),
            Victim::DaemonAndWorkers => daemon.kill_with_workers(),
            Victim::Worker => self.kill_workers(),
        }
        // Every other time the next daemon starts while workers of the last may still be ending.
        if victim != Victim::Worker && round.is_multiple_of(2) {
            wait_until("workers end with their daemon", || self.lab.processes().is_empty());
        }
        let root = self.lab.root();
        let torn = audit::torn(&[&root], &self.expected(), &mut self.whole);
        self.killed.violations.extend(torn);
        (victim == Victim::Worker).then_some(daemon)
    }

    /// Lets a daemon live until a random moment, while it works or whenever; whether it was at work then.
    fn live(&mut self, daemon: &mut Daemon, victim: Victim) -> bool {
        let started = |daemon: &Daemon| count(daemon, "job-started");
        if self.random.below(3) == 0 && victim != Victim::Worker {
            daemon.observe(Duration::from_millis(self.random.below(LIFE_MS_MAX)));
        } else {
            let before = started(daemon);
            if before == ended(daemon) {
                daemon.wait_for_next("a job", |event| event["event"] == "job-started");
            }
            daemon.observe(Duration::from_millis(self.random.below(self.work_ms)));
        }
        started(daemon) > ended(daemon)
    }

    /// Kills the workers, while the daemon lives on.
    fn kill_workers(&self) {
        let workers = self.lab.processes().into_iter().filter(|it| it.command.ends_with(" worker"));
        for worker in workers {
            let pid = rustix::process::Pid::from_raw(worker.pid).expect("an id");
            // One may have ended since.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    fn expected(&self) -> Vec<Expected> {
        let root = self.lab.root();
        let of = |name: &String| {
            let input = root.join(format!("in/{name}.wav"));
            let output = |ending| root.join(format!("out/{name}.{ending}"));
            Expected {
                source: Some(input.clone()),
                input,
                state: "done",
                frames: FRAMES as u64,
                outputs: ["flac", "json", "wav"].map(output).to_vec(),
                reason: None,
            }
        };
        self.inputs.iter().map(of).collect()
    }
}

fn count(daemon: &Daemon, name: &str) -> usize {
    daemon.events().iter().filter(|event| event["event"] == name).count()
}

/// Attempts that ended.
fn ended(daemon: &Daemon) -> usize {
    count(daemon, "job-done") + count(daemon, "job-failed")
}

fn kill_under_load(victims: &[Victim], kills: usize, seed: u64) {
    if Plan::read().time.is_some() {
        // The long form kills them all.
        return;
    }
    let killed = Field::new(victims, work_ms(), seed).kill(kills);
    assert!(killed.violations.is_empty(), "seed {seed}: {killed:#?}");
    // Otherwise the kills hit idle daemons and prove nothing.
    assert!(killed.interrupted >= kills / 3, "{killed:?}");
}

#[test]
fn daemon_killed_alone_under_load_keeps_every_promise() {
    kill_under_load(&[Victim::Daemon], KILLS, 1);
}

#[test]
fn daemon_killed_with_its_workers_under_load_keeps_every_promise() {
    kill_under_load(&[Victim::DaemonAndWorkers], KILLS, 2);
}

/// Anything is killed at random; how many kills, and whether that is recorded, is asked for.
#[test]
fn anything_killed_at_random_under_load_keeps_every_promise() {
    let plan = Plan::read();
    let end = plan.until(1.0 - crate::SWEEP_SHARE);
    let kills = if end.is_some() { KILLS_LONG } else { KILLS_SHORT };
    let (work_ms, begun) = (work_ms(), Instant::now());
    let victims = [Victim::Daemon, Victim::DaemonAndWorkers, Victim::Worker];
    let mut labs: Vec<(u64, Killed)> = Vec::new();
    let is_over =
        |labs: &Vec<_>| labs.len() * KILLS >= kills || end.is_some_and(|end| Instant::now() >= end);
    while !is_over(&labs) {
        let seed = plan.seed + labs.len() as u64;
        let killed = Field::new(&victims, work_ms, seed).kill(KILLS.min(kills));
        for line in &killed.violations {
            println!("violation: seed {seed}: {line}");
        }
        labs.push((seed, killed));
    }
    if end.is_some() {
        record(&labs, plan.seed, begun.elapsed());
    }
    assert!(labs.iter().all(|(_, killed)| killed.violations.is_empty()), "{labs:#?}");
}

fn record(labs: &[(u64, Killed)], seed: u64, time: Duration) {
    let sum = |of: fn(&Killed) -> usize| labs.iter().map(|(_, killed)| of(killed)).sum::<usize>();
    let findings = vec![
        format!(
            "{} kills of the daemon, its workers or both in {} labs within {:.0} min, from seed {seed} on",
            sum(|killed| killed.kills),
            labs.len(),
            time.as_secs_f64() / 60.0,
        ),
        format!(
            "{} of them while a job ran; {} files of 8 s, three outputs each",
            sum(|killed| killed.interrupted),
            sum(|killed| killed.files)
        ),
        format!("{} violations", sum(|killed| killed.violations.len())),
    ];
    let row = |(seed, it): &(u64, Killed)| {
        [*seed, it.kills as u64, it.interrupted as u64, it.files as u64, it.violations.len() as u64]
            .map(|number| number.to_string())
            .to_vec()
    };
    let columns = vec!["seed", "kills", "interrupted", "files", "violations"];
    let record = Record { findings, columns, rows: labs.iter().map(row).collect() };
    let about = "kill -9 at random under load, then a start that brings all to its end";
    record.write("torture-kills", about);
}
