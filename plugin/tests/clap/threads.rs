//! A DAW's threads beside each other: one processes, while the main one saves and loads the project, reads and
//! changes parameters.

use crate::audio::Audio;
use crate::captures;
use crate::host::{Host, Running, STEREO, instance, load, param, save, transport, value};
use crate::passing::{Noise, bits, passed};
use clack_host::prelude::*;
use clack_host::utils::ClapId;
use parking_lot::Mutex;
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// How often the main thread saves and loads.
const ROUNDS: u32 = 300;

/// What both threads see.
#[derive(Default)]
struct Between {
    /// What the main thread asks the other one to do with its next block, as CLAP wants parameters to be changed.
    orders: Mutex<Vec<(ClapId, f64)>>,
    /// Blocks processed.
    block_count: AtomicU32,
    is_over: AtomicBool,
}

impl Between {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

/// However a thread ends, the other one does, too.
struct Ends<'a>(&'a Between);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

/// Processes until the main thread is done; the output is the input in every block.
fn process(audio: &mut Audio, between: &Between) {
    let (mut noise, mut at_s) = (Noise(11), 0.0);
    let _ends = Ends(between);
    while !between.is_over() {
        let frames = noise.next() % 1025;
        let planes = [noise.plane(frames as usize), noise.plane(frames as usize)];
        for (id, value) in between.orders.lock().drain(..) {
            audio.set(noise.next() % frames.max(1), id, value);
        }
        let transport = transport(noise.next() % 4 > 0, at_s);
        audio.process(&planes, Some(&transport));
        let block_count = between.block_count.fetch_add(1, Ordering::AcqRel);
        assert_eq!(bits(&audio.output), passed(&planes), "block {block_count}");
        at_s += f64::from(frames) / STEREO.sample_rate_hz;
    }
}

const TARGETS: [&str; 3] = ["r128", "spotify", "a85"];

/// A project's state; the readings are those of another session.
fn state(round: u32, folder: &Path) -> Vec<u8> {
    let choices = serde_json::json!({
        "target": TARGETS[round as usize % TARGETS.len()],
        "capture_folder": folder,
        "window": [600 + round, 400 + round],
        "zoom": 1.0 + f64::from(round % 3) / 2.0,
    });
    let capture = ["off", "now", "playing"][round as usize % 3];
    let state = serde_json::json!({
        "version": "0.1.0",
        "params": {
            "capture": { "string": capture },
            "dual-mono": { "bool": round.is_multiple_of(2) },
        },
        "fields": { "choices": choices.to_string(), "readings": r#"{"integrated_lufs":-19.5}"# },
    });
    let state = state.to_string().into_bytes();
    [&u64::try_from(state.len()).unwrap().to_le_bytes()[..], &state].concat()
}

/// A text in a state's fields.
fn field(saved: &[u8], name: &str) -> Value {
    let length = usize::try_from(u64::from_le_bytes(saved[..8].try_into().unwrap())).unwrap();
    assert_eq!(saved.len(), 8 + length);
    let state: Value = serde_json::from_slice(&saved[8..]).unwrap();
    serde_json::from_str(state["fields"][name].as_str().unwrap()).unwrap()
}

/// Every number that was measured or loaded is one that can be.
fn is_sane(readings: &Value) -> bool {
    readings.as_object().unwrap().iter().all(|(name, value)| {
        let value = value.as_f64().unwrap();
        let sane = match name.as_str() {
            "measured_s" => 0.0..1e4,
            "correlation" => -1.0..1.0 + 1e-6,
            // Samples of 1e30 are +600 dB.
            _ => -700.0..700.0,
        };
        sane.contains(&value)
    })
}

/// Saves, loads and changes parameters, at least a block after each time.
fn manage(instance: &mut PluginInstance<Host>, between: &Between, folder: &Path) {
    let _ends = Ends(between);
    let names = ["Bypass", "Reset meters", "Pause with transport", "Reset on start", "Dual mono"];
    let ids = names.map(|name| param(instance, name));
    let mut chance = Noise(5);
    for round in 0..ROUNDS {
        let which = chance.next() as usize % names.len();
        let wanted = f64::from(chance.next() % 2);
        between.orders.lock().push((ids[which], wanted));
        if round % 3 == 0 {
            assert!(load(instance, &state(round, folder)));
        }
        let saved = save(instance);
        let choices = field(&saved, "choices");
        let loaded = round - round % 3;
        assert_eq!(choices["target"], TARGETS[loaded as usize % TARGETS.len()], "round {round}");
        assert_eq!(choices["window"], serde_json::json!([600 + loaded, 400 + loaded]));
        let readings = field(&saved, "readings");
        assert!(is_sane(&readings), "round {round}: {readings}");
        for name in names {
            let now = value(instance, name);
            assert!((0.0..=1.0).contains(&now), "{name} is {now}");
        }
        instance.call_on_main_thread_callback();
        while between.block_count.load(Ordering::Acquire) <= round && !between.is_over() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn project_is_saved_and_loaded_while_another_thread_processes() {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = instance();
    assert!(load(&mut instance, &captures::state(folder.path())));
    let Running { mut instance, mut audio } = Running::with(instance, STEREO);
    let between = Between::default();
    std::thread::scope(|scope| {
        scope.spawn(|| process(&mut audio, &between));
        manage(&mut instance, &between, folder.path());
    });
    assert!(between.block_count.into_inner() >= ROUNDS);
    let mut instance = Running { instance, audio }.stop();
    let saved = save(&mut instance);
    let mut other = crate::host::instance();
    assert!(load(&mut other, &saved));
    assert_eq!(save(&mut other), saved);
}
