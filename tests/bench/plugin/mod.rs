//! What the plugin costs a DAW: CPU, load time, size; and whether it keeps pace.

pub(crate) mod capture;
mod host;

use crate::record::{Record, median};
use crate::usage;
use host::Instance;
use rustix::time::{ClockId, clock_gettime};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use wavemill_tests::{lab, signal};

const RATE_HZ: u32 = 48_000;

/// Audio of one measurement, in seconds; lv2bench gets the same.
const AUDIO_S: usize = 200;

const ROUNDS: usize = 5;

/// Loads that are timed, each in a process of its own.
const LOADS: usize = 21;

/// Instances beside each other, and for how long.
const INSTANCES: usize = 32;
const PACE_S: u64 = 20;
const PACE_FRAMES: usize = 64;

/// The word with which this program measures one load.
pub(crate) const LOAD_ONCE: &str = "plugin-load";

/// The meters of others, by their LV2 names.
const PEERS: &[(&str, &str)] = &[
    ("x42 EBU R128", "http://gareus.org/oss/lv2/meters#EBUr128"),
    ("LSP spectrum analyzer", "http://lsp-plug.in/plugins/lv2/spectrum_analyzer_x2"),
];

/// Arguments: the `.clap`; by default the one of `cargo xtask bundle`.
pub(crate) fn run(arguments: &[String]) -> Record {
    let clap = bundle(arguments);
    let mut record = Record { columns: vec!["what", "unit", "value"], ..Record::default() };
    size(&clap, &mut record);
    load(&clap, &mut record);
    for block_frames in [64, 512] {
        cost(&clap, block_frames, &mut record);
    }
    wakes(&clap, &mut record);
    pace(&clap, &mut record);
    record
}

/// The `.clap` to measure.
fn bundle(arguments: &[String]) -> PathBuf {
    let clap = arguments
        .first()
        .map_or_else(|| lab::repository().join("target/bundled/Wavemill.clap"), PathBuf::from);
    let hint = "make it with `cargo xtask bundle`";
    std::path::absolute(&clap).ok().filter(|clap| clap.is_file()).unwrap_or_else(|| {
        panic!("{} is not there; {hint}", clap.display());
    })
}

fn note(record: &mut Record, what: &str, unit: &str, value: f64) {
    record.rows.push(vec![what.to_owned(), unit.to_owned(), value.to_string()]);
}

fn note_all(record: &mut Record, what: &str, unit: &str, values: &[f64]) {
    for value in values {
        note(record, what, unit, *value);
    }
}

fn size(clap: &Path, record: &mut Record) {
    let bytes = std::fs::metadata(clap).expect("the bundle is there").len();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let mb = bytes as f64 / 1e6;
    record.findings.push(format!("size: {mb:.1} MB (promised: at most 12)"));
    note(record, "size", "MB", mb);
}

/// From nothing to an active instance, each time in a new process.
fn load(clap: &Path, record: &mut Record) {
    let program = std::env::current_exe().expect("this program has a path");
    let times: Vec<f64> = (0..LOADS)
        .map(|_| {
            let output = Command::new(&program).arg(LOAD_ONCE).arg(clap).output();
            let output = output.expect("this program can be started");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim().parse().unwrap_or_else(|_| panic!("a number of ms, not {text:?}"))
        })
        .collect();
    let found = median(&times);
    record.findings.push(format!(
        "load, from the file to an active instance in a new process: {found:.1} ms (promised: at most 50)"
    ));
    note_all(record, "load", "ms", &times);
}

/// One load; prints the milliseconds.
pub(crate) fn load_once(arguments: &[String]) {
    let started = Instant::now();
    let instance = Instance::new(&bundle(arguments), f64::from(RATE_HZ), 512);
    println!("{}", started.elapsed().as_secs_f64() * 1e3);
    drop(instance);
}

/// CPU of this thread so far, in seconds.
fn thread_cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("CPU time is positive").as_secs_f64()
}

/// CPU of the audio thread, as a share of one core, in turns with the peers'.
fn cost(clap: &Path, block_frames: usize, record: &mut Record) {
    let noise = signal::pink(RATE_HZ, 2, RATE_HZ as usize, 0.25, 5);
    let mut ours = Vec::new();
    let mut peers: Vec<Vec<f64>> = PEERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        ours.push(share(clap, block_frames, &noise.planes));
        for (values, (_, uri)) in peers.iter_mut().zip(PEERS) {
            values.extend(peer_share(uri, block_frames));
        }
    }
    let mine = median(&ours);
    record.findings.push(format!(
        "CPU at 48 kHz, blocks of {block_frames}: {mine:.3} % of a core, all meters on, editor \
         closed (promised: at most 0.1)"
    ));
    note_all(record, &format!("cpu {block_frames}"), "%", &ours);
    for (values, (name, _)) in peers.iter().zip(PEERS) {
        if values.is_empty() {
            println!("skipped: {name}, because lv2bench or the plugin is missing");
            continue;
        }
        let theirs = median(values);
        record.findings.push(format!("  {name}: {theirs:.3} %, ours is {:.2}x", mine / theirs));
        note_all(record, &format!("{name} {block_frames}"), "%", values);
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds")]
fn percent(cpu_s: f64) -> f64 {
    cpu_s / AUDIO_S as f64 * 100.0
}

fn share(clap: &Path, block_frames: usize, planes: &[Vec<f32>]) -> f64 {
    let mut instance = Instance::new(clap, f64::from(RATE_HZ), block_frames);
    let blocks = blocks(planes, block_frames);
    let count = AUDIO_S * RATE_HZ as usize / block_frames;
    let started = thread_cpu_s();
    for block in blocks.iter().cycle().take(count) {
        instance.process(*block);
    }
    percent(thread_cpu_s() - started)
}

/// A second of stereo in whole blocks.
fn blocks(planes: &[Vec<f32>], block_frames: usize) -> Vec<[&[f32]; 2]> {
    let [left, right] = planes else { panic!("stereo") };
    left.chunks_exact(block_frames)
        .zip(right.chunks_exact(block_frames))
        .map(|(left, right)| [left, right])
        .collect()
}

/// CPU of a peer: what twice the audio takes more than once, so that finding it does not count.
fn peer_share(uri: &str, block_frames: usize) -> Option<f64> {
    let user_s = |audio_s: usize| {
        let mut command = Command::new("lv2bench");
        command.arg("-b").arg(block_frames.to_string());
        command.arg("-n").arg((audio_s * RATE_HZ as usize).to_string()).arg(uri);
        usage::of(&mut command).user_s
    };
    let is_there =
        Command::new("lv2info").arg(uri).output().is_ok_and(|output| output.status.success());
    is_there.then(|| percent(user_s(2 * AUDIO_S) - user_s(AUDIO_S)))
}

/// Waits until a block is due.
fn wait_until(due: Instant) {
    while let Some(wait) = due.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(wait);
    }
}

/// How often threads of this process but the calling one went to sleep and were woken.
fn wakes_of_others() -> u64 {
    let own = std::fs::read_link("/proc/thread-self").expect("Linux names the thread");
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists its threads");
    let others =
        tasks.flatten().filter(|task| Some(task.file_name().as_os_str()) != own.file_name());
    let count = |task: std::fs::DirEntry| {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    others.map(count).sum()
}

/// One instance at real-time pace with its window closed: what it costs itself, what waiting for each block
/// costs its host, and whether anything of it wakes beside the audio thread.
#[expect(clippy::cast_precision_loss, reason = "seconds")]
fn wakes(clap: &Path, record: &mut Record) {
    let noise = signal::pink(RATE_HZ, 2, RATE_HZ as usize, 0.25, 7);
    let blocks = blocks(&noise.planes, PACE_FRAMES);
    let mut instance = Instance::new(clap, f64::from(RATE_HZ), PACE_FRAMES);
    let period_s = PACE_FRAMES as f64 / f64::from(RATE_HZ);
    let rounds = usize::try_from(PACE_S).expect("seconds") * RATE_HZ as usize / PACE_FRAMES;
    let (woken, cpu_s, begin) = (wakes_of_others(), thread_cpu_s(), Instant::now());
    let mut own_s = 0.0;
    for (round, block) in blocks.iter().cycle().take(rounds).enumerate() {
        wait_until(begin + Duration::from_secs_f64(period_s * round as f64));
        let started = thread_cpu_s();
        instance.process(*block);
        own_s += thread_cpu_s() - started;
    }
    let all_s = thread_cpu_s() - cpu_s;
    let woken = wakes_of_others() - woken;
    let percent = |cpu_s: f64| cpu_s / PACE_S as f64 * 100.0;
    record.findings.push(format!(
        "one instance, blocks of {PACE_FRAMES} at real-time pace for {PACE_S} s: {:.3} % of a core in the plugin, \
         {:.3} % in the host that waits for each block; other threads woke {woken} times",
        percent(own_s),
        percent(all_s - own_s),
    ));
    note(record, "paced, plugin", "%", percent(own_s));
    note(record, "paced, host", "%", percent(all_s - own_s));
    note(record, "paced, wakes of other threads", "", woken as f64);
}

/// Many instances in turn, one round of blocks each time a DAW would ask for one.
#[expect(clippy::cast_precision_loss, reason = "numbers of rounds and seconds")]
fn pace(clap: &Path, record: &mut Record) {
    let noise = signal::pink(RATE_HZ, 2, RATE_HZ as usize, 0.25, 6);
    let blocks = blocks(&noise.planes, PACE_FRAMES);
    let mut instances: Vec<Instance> =
        (0..INSTANCES).map(|_| Instance::new(clap, f64::from(RATE_HZ), PACE_FRAMES)).collect();
    let period_s = PACE_FRAMES as f64 / f64::from(RATE_HZ);
    let rounds = usize::try_from(PACE_S).expect("seconds") * RATE_HZ as usize / PACE_FRAMES;
    let mut busy_s = Vec::with_capacity(rounds);
    let cpu_s = thread_cpu_s();
    let begin = Instant::now();
    for (round, block) in blocks.iter().cycle().take(rounds).enumerate() {
        let due = begin + Duration::from_secs_f64(period_s * round as f64);
        wait_until(due);
        let started = Instant::now();
        for instance in &mut instances {
            instance.process(*block);
        }
        busy_s.push(started.elapsed().as_secs_f64());
    }
    let share = (thread_cpu_s() - cpu_s) / PACE_S as f64 * 100.0;
    let late = busy_s.iter().filter(|time| **time > period_s).count();
    busy_s.sort_by(f64::total_cmp);
    let us = |index: usize| busy_s[index] * 1e6;
    record.findings.push(format!(
        "{INSTANCES} instances in one thread, blocks of {PACE_FRAMES} at real-time pace for {PACE_S} s: {share:.1} % \
         of a core; a round takes {:.0} us, 99.9 % below {:.0} us, at most {:.0} us of the {:.0} us there are; \
         {late} of {rounds} rounds late",
        us(rounds / 2),
        us(rounds - rounds / 1000),
        us(rounds - 1),
        period_s * 1e6,
    ));
    note(record, "32 instances", "%", share);
    note(record, "32 instances, late rounds", "", late as f64);
}
