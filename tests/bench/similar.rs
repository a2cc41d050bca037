//! `wavemill references similar` over a store of 100,000 references, end to end and through a daemon.

use crate::record::{Record, median};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;
use wavemill_core::features::{DIMENSION_COUNT, FEATURE_VERSION, Features};
use wavemill_store::{ReferenceRecord, Store};
use wavemill_tests::lab::Lab;
use wavemill_tests::signal;
use wavemill_tests::usage;
use wavemill_tests::wav::{self, Stored};

const REFERENCES: u32 = 100_000;

/// Threads that add references: changes at the same time share a commit.
const THREADS: usize = 32;

const ROUNDS: usize = 11;

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"idle\"\n[[watch]]\npath = \"in\"\n\
                        [[export]]\nformat = \"wav\"\npath = \"out/{stem}.wav\"\n";

pub(crate) fn run(_arguments: &[String]) -> Record {
    let lab = Lab::new();
    let file = lab.aside("music.wav");
    wav::write(&file, &signal::music(48_000, 2, 48_000 * 20, 0.3, 1), Stored::Int(16));
    let empty_s = seconds(&lab, &file);
    fill(&lab.state());
    let alone_s = seconds(&lab, &file);
    let cpu_s = usage::of(&mut command(&lab, &file)).user_s;
    let mut daemon = lab.watch(&[&lab.pipeline("idle", PIPELINE)]);
    daemon.wait_until_started();
    let first_s = once(&lab, &file);
    let daemon_s = seconds(&lab, &file);
    Record {
        findings: vec![format!(
            "{REFERENCES} references, a file whose features are cached: without a daemon median {alone_s:.3} s (user CPU \
             {cpu_s:.3} s), through a daemon {first_s:.3} s the first time and then median {daemon_s:.3} s; with no \
             reference {empty_s:.3} s"
        )],
        columns: vec!["way", "wall_s"],
        rows: [
            ("none", empty_s),
            ("alone", alone_s),
            ("daemon-first", first_s),
            ("daemon", daemon_s),
        ]
        .map(|(way, wall_s)| vec![way.to_owned(), format!("{wall_s:.4}")])
        .into(),
    }
}

/// References with every feature and what `references add` keeps of an analysis.
fn fill(state: &Path) {
    let store = Store::open(state).expect("the folder can be written");
    let next = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= REFERENCES {
                        return;
                    }
                    add(&store, seed);
                }
            });
        }
    });
}

fn add(store: &Store, seed: u32) {
    let mut number = seed * 128;
    let features = [(); DIMENSION_COUNT].map(|()| {
        number += 1;
        Some(value(number))
    });
    let record = ReferenceRecord {
        artist: Some(format!("Artist {}", seed % 1000)),
        genre: Some(["Techno", "House", "Rock"][seed as usize % 3].to_owned()),
        path: format!("/music/{seed}.flac"),
        blake3: format!("{seed:064x}"),
        feature_version: FEATURE_VERSION,
        measures: json!({ "loudness": { "integrated_lufs": -9.0 } }),
        ..ReferenceRecord::default()
    };
    let features = Features::of_standardized(&features);
    let name = format!("track {seed:06}");
    assert!(store.add_reference(&name, record, &features).expect("the store works"));
}

/// From -2 to 2, by a hash.
fn value(seed: u32) -> f32 {
    let mixed = (seed ^ (seed >> 15)).wrapping_mul(0x2C1B_3C6D);
    let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297A_2D39);
    4.0 * ((mixed >> 8) as f32 / 16_777_216.0) - 2.0
}

fn command(lab: &Lab, file: &Path) -> std::process::Command {
    let mut command = lab.command(["references", "similar", "--json"]);
    command.arg(file);
    command
}

fn once(lab: &Lab, file: &Path) -> f64 {
    let start = Instant::now();
    let output = command(lab, file).output().expect("the program runs");
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    start.elapsed().as_secs_f64()
}

/// The middle of many times, the first, which fills the cache, left out.
fn seconds(lab: &Lab, file: &Path) -> f64 {
    once(lab, file);
    let times: Vec<f64> = (0..ROUNDS).map(|_| once(lab, file)).collect();
    median(&times)
}
