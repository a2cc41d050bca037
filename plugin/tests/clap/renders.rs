//! Captures that run through pipelines, held against what `wavemill run` makes of them.

use crate::host::{Running, STEREO, Stream, instance, load};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The program; says that the test is skipped where nobody named it.
#[expect(clippy::print_stderr, reason = "the gate counts this line")]
fn program() -> Option<PathBuf> {
    let program = std::env::var_os("WAVEMILL_BIN").map(PathBuf::from);
    if program.is_none() {
        eprintln!("skipped: WAVEMILL_BIN names no program");
    }
    program
}

/// A state with these choices.
pub(crate) fn state(choices: &serde_json::Value) -> Vec<u8> {
    let params = serde_json::json!({ "capture": { "string": "bounce" } });
    let state = serde_json::json!({
        "version": "0.1.0", "params": params, "fields": { "choices": choices.to_string() }
    });
    let state = state.to_string().into_bytes();
    [&u64::try_from(state.len()).unwrap().to_le_bytes()[..], &state].concat()
}

/// Bounces two seconds; the instance lives on, as in a DAW.
pub(crate) fn bounce(
    choices: &serde_json::Value,
) -> clack_host::prelude::PluginInstance<crate::host::Host> {
    let mut instance = instance();
    assert!(load(&mut instance, &state(choices)));
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    let mut noise = 1u32;
    for _ in 0..188 {
        let mut planes = [Vec::new(), Vec::new()];
        for _ in 0..512 {
            for plane in &mut planes {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                plane.push(f32::from(u16::try_from(noise >> 16).unwrap()) / 131_072.0 - 0.25);
            }
        }
        running.process(&planes, None);
    }
    running.stop()
}

/// Longest wait for a render of two seconds, on a machine that does much else.
const WAIT_MAX: Duration = Duration::from_mins(2);

pub(crate) fn wait_for<T>(look: impl Fn() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < WAIT_MAX, "nothing comes");
        std::thread::yield_now();
    }
}

/// Files below a folder; hidden ones too.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    // A folder of temporary files may go while others are read.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The audio files that a render made, by their names: everything but the capture, which may have the
/// name of one of them, and what is on its way.
pub(crate) fn exports(folder: &Path) -> BTreeMap<String, PathBuf> {
    let is_export = |path: &PathBuf| {
        let is_capture = path.parent() == Some(folder);
        let below = path.strip_prefix(folder).unwrap();
        let is_hidden = below.iter().any(|part| part.to_str().unwrap().starts_with('.'));
        !is_hidden && !is_capture && path.extension() != Some("json".as_ref())
    };
    let found = files(folder).into_iter().filter(is_export);
    found.map(|path| (name(&path).to_owned(), path)).collect()
}

/// The only capture.
fn capture(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wav: Vec<_> = entries.filter(|path| path.extension() == Some("wav".as_ref())).collect();
    assert_eq!(wav.len(), 1, "{wav:?}");
    wav[0].clone()
}

/// Holds what the plugin makes by a pipeline against what the program makes of the capture.
fn compare(pipeline: &str, count: usize) {
    let Some(program) = program() else { return };
    let root = tempfile::tempdir().unwrap();
    let (takes, run) = (root.path().join("takes"), root.path().join("run"));
    fs::create_dir(&takes).unwrap();
    let instance = bounce(&serde_json::json!({ "capture_folder": takes, "pipeline": pipeline }));
    wait_for(|| (exports(&takes).len() >= count).then_some(()));
    let output = Command::new(program)
        .args(["run", pipeline, "--output"])
        .args([&run, &capture(&takes)])
        .current_dir(root.path())
        .env("XDG_STATE_HOME", root.path())
        .env_remove("WAVEMILL_TARGET_LUFS")
        .env_remove("WAVEMILL_NORMALIZE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (plugin, program) = (exports(&takes), exports(&run));
    assert_eq!(plugin.len(), count, "{plugin:?}");
    assert_eq!(plugin.keys().collect::<Vec<_>>(), program.keys().collect::<Vec<_>>());
    for (name, path) in plugin {
        assert!(fs::read(path).unwrap() == fs::read(&program[&name]).unwrap(), "{name} differs");
    }
    drop(instance);
}

#[test]
fn shipped_pipelines_make_the_files_of_wavemill_run() {
    for (pipeline, count) in [("archive", 1), ("streaming", 1), ("podcast", 3)] {
        compare(pipeline, count);
    }
}

#[test]
fn pipeline_of_ones_own_makes_the_files_of_wavemill_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = r#"
        version = 1
        [pipeline]
        name = "mine"
        [[step]]
        use = "trim-silence"
        [[step]]
        use = "loudness"
        with = { target_lufs = -20.0, ceiling_dbtp = -3.0 }
        [[export]]
        format = "flac"
        bit_depth = 24
        path = "made/{stem}.{ext}"
        [[export]]
        format = "wav"
        bit_depth = 16
        path = "made/{stem}.{ext}"
        [[export]]
        format = "opus"
        sample_rate_hz = 48000
        path = "made/{stem}.{ext}"
        [[export]]
        format = "vorbis"
        path = "made/{stem}.{ext}"
    "#;
    fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    compare(path.to_str().unwrap(), 4);
}

#[test]
fn bounce_is_sent_to_the_watched_folder_complete_and_once() {
    let root = tempfile::tempdir().unwrap();
    let (takes, inbox) = (root.path().join("takes"), root.path().join("inbox"));
    fs::create_dir(&inbox).unwrap();
    let instance = bounce(&serde_json::json!({ "capture_folder": takes, "watch_folder": inbox }));
    // What a watcher sees: hidden names are none of its business.
    let sent = wait_for(|| files(&inbox).into_iter().find(|path| !name(path).starts_with('.')));
    let bytes = fs::read(&sent).unwrap();
    let capture = capture(&takes);
    assert_eq!(sent.file_name(), capture.file_name());
    assert!(bytes == fs::read(&capture).unwrap());
    assert_eq!(files(&inbox).len(), 1);
    drop(instance);
}
