//! One file gives the same bytes by every way.

use crate::bench::{Bench, STEP, hash};
use crate::module::{ECHO_FRAMES, Source};
use std::collections::BTreeMap;
use std::path::Path;
use wavemill_tests::lab::{Lab, put};
use wavemill_tests::wav;

const FILES: usize = 6;

fn drop_files(bench: &Bench) {
    for (seed, name) in (0..FILES).map(|file| format!("in/{file}.wav")).enumerate() {
        bench.drop_noise(&name, 2, seed as u64);
    }
}

/// The audio files of a folder, by name.
fn outputs(folder: &Path) -> BTreeMap<String, blake3::Hash> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // Reports say when and by which job.
    let audio = entries.filter(|path| path.extension().is_some_and(|it| it != "json"));
    audio.map(|path| (path.file_name().unwrap().display().to_string(), hash(&path))).collect()
}

/// What `run` makes of every file, in one process.
fn outputs_of_run(bench: &Bench) -> BTreeMap<String, blake3::Hash> {
    let folder = bench.lab.aside("run");
    let mut command = bench.lab.command(["run"]);
    command.arg(&bench.pipeline).arg("--output").arg(&folder);
    command.args((0..FILES).map(|seed| bench.lab.root().join(format!("in/{seed}.wav"))));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    outputs(&folder.join("out"))
}

/// What `watch` makes of every file with so many workers.
fn outputs_of_watch(bench: &Bench, workers: &str) -> BTreeMap<String, blake3::Hash> {
    let words = ["watch", "--until-idle", "--json", "--workers", workers];
    let mut command = bench.lab.command(words);
    let output = command.arg(&bench.pipeline).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    outputs(&bench.lab.root().join("out"))
}

/// Holds `run` against `watch` with one worker and with four; each makes `export_count` files of a source.
fn assert_same_everywhere(bench: &Bench, export_count: usize) {
    drop_files(bench);
    let run = outputs_of_run(bench);
    assert_eq!(run.len(), FILES * export_count);
    assert_eq!(outputs_of_watch(bench, "1"), run, "one worker");
    std::fs::remove_dir_all(bench.lab.root().join("out")).unwrap();
    std::fs::remove_dir_all(bench.lab.state()).unwrap();
    assert_eq!(outputs_of_watch(bench, "4"), run, "four workers");
}

#[test]
fn effect_with_a_memory_gives_the_same_bytes_by_run_and_watch_whatever_the_workers() {
    let bench = Bench::with(&Source::echo());
    assert_same_everywhere(&bench, 1);
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
    assert_same_everywhere(&Bench::new(&steps.concat()), 1);
}

#[test]
fn preset_in_a_file_gives_the_same_bytes_by_run_and_confined_workers() {
    let step = "[[step]]\neffect = \"compressor\"\npreset = \"fx/hard.toml\"\n";
    let bench = Bench::new(step);
    let preset = "effect = \"wavemill.compressor\"\nwith = { threshold_db = -40, ratio = 8 }\n";
    put(&bench.module().with_file_name("hard.toml"), preset.as_bytes());
    assert_same_everywhere(&bench, 1);
    assert_eq!(bench.report("0")["steps"][0]["preset"], "fx/hard.toml");
    assert_eq!(bench.report("0")["steps"][0]["params"]["ratio"], 8.0);
}

#[test]
fn master_gives_the_same_bytes_by_run_and_watch_whatever_the_workers() {
    let formats = Lab::new().run(["formats", "--json"]).json();
    let writes_mp3 = formats["write"].as_array().unwrap().iter().any(|it| it["name"] == "mp3");
    let mp3 = "[[export]]\nformat = \"mp3\"\npath = \"out/{stem}.mp3\"\n";
    let mp3 = if writes_mp3 { mp3 } else { "" };
    let bench = Bench::new(&format!(
        "[[step]]\nuse = \"loudness\"\nwith = {{ target_lufs = -9.0, mode = \"limit\" }}\n\
         [[export]]\nformat = \"flac\"\nbit_depth = 16\nsample_rate_hz = 44100\ndither = \"shaped\"\n\
         path = \"out/{{stem}}.flac\"\n{mp3}"
    ));
    assert_same_everywhere(&bench, 2 + usize::from(writes_mp3));
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
