//! One file gives the same bytes by every way.

use crate::bench::{Bench, STEP, hash};
use crate::module::{ECHO_FRAMES, Source};
use std::path::Path;
use wavemill_tests::wav;

const FILES: u64 = 6;

fn drop_files(bench: &Bench) {
    for seed in 0..FILES {
        bench.drop_noise(&format!("in/{seed}.wav"), 2, seed);
    }
}

/// What `run` makes of every file, in one process.
fn run_hashes(bench: &Bench) -> Vec<blake3::Hash> {
    let folder = bench.lab.aside("run");
    let mut command = bench.lab.command(["run"]);
    command.arg(&bench.pipeline).arg("--output").arg(&folder);
    command.args((0..FILES).map(|seed| bench.lab.root().join(format!("in/{seed}.wav"))));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (0..FILES).map(|seed| hash(&folder.join(format!("out/{seed}.wav")))).collect()
}

/// What `watch` makes of every file with so many workers.
fn watch_hashes(bench: &Bench, workers: &str) -> Vec<blake3::Hash> {
    let words = ["watch", "--until-idle", "--json", "--workers", workers];
    let mut command = bench.lab.command(words);
    let output = command.arg(&bench.pipeline).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (0..FILES).map(|seed| bench.hash(&format!("out/{seed}.wav"))).collect()
}

fn assert_same_everywhere(bench: &Bench) {
    drop_files(bench);
    let run = run_hashes(bench);
    assert_eq!(watch_hashes(bench, "1"), run, "one worker");
    std::fs::remove_dir_all(bench.lab.root().join("out")).unwrap();
    std::fs::remove_dir_all(bench.lab.state()).unwrap();
    assert_eq!(watch_hashes(bench, "4"), run, "four workers");
}

#[test]
fn effect_with_a_memory_gives_the_same_bytes_by_run_and_watch_whatever_the_workers() {
    let bench = Bench::with(&Source::echo());
    assert_same_everywhere(&bench);
    let output = wav::read(&bench.lab.root().join("out/0.wav"));
    assert_eq!(output.signal.frame_count(), 2 * 48_000 + ECHO_FRAMES);
}

#[test]
fn bundled_effects_give_the_same_bytes_by_run_and_watch_whatever_the_workers() {
    let names = wavemill_runtime::bundled::MODULES.iter().map(|module| module.name);
    let steps: Vec<_> = names.map(|name| format!("[[step]]\neffect = \"{name}\"\n")).collect();
    if steps.is_empty() {
        return;
    }
    assert_same_everywhere(&Bench::new(&steps.concat()));
}

#[test]
fn file_comes_out_the_same_whatever_ran_before_it() {
    let bench = Bench::with(&Source::echo());
    bench.drop_noise("in/0.wav", 1, 7);
    bench.drop_noise("in/1.wav", 1, 8);
    bench.drop_noise("in/2.wav", 1, 7);
    assert_eq!(bench.lab.until_idle(&[&bench.pipeline]).code, Some(0));
    assert_eq!(bench.hash("out/0.wav"), bench.hash("out/2.wav"));
    assert_ne!(bench.hash("out/0.wav"), bench.hash("out/1.wav"));
}

#[test]
fn job_interrupted_by_a_kill_finds_its_module_again_from_another_folder() {
    let bench = Bench::with(&Source::gain().idle(3_000_000));
    bench.drop_noise("in/a.wav", 4, 1);
    let mut daemon = bench.lab.watch(&[&bench.pipeline]);
    daemon.wait_for("progress", |event| event["event"] == "progress");
    daemon.kill_with_workers();
    let mut command = bench.lab.command(["watch", "--until-idle", "--json"]);
    command.current_dir(Path::new("/"));
    let output = command.arg(&bench.pipeline).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(bench.report("a")["steps"][0]["module"]["version"], "1.0.0");
    assert!(STEP.contains("fx/test.wasm"), "the path is relative to the pipeline");
}
