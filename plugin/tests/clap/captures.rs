//! Captures as a DAW makes them.

use crate::host::{Host, Running, STEREO, Stream, instance, load, save, transport};
use clack_host::prelude::PluginInstance;
use serde_json::Value;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use wavemill_core::audio::Samples;

/// A state with a folder for captures.
pub(crate) fn state(folder: &Path) -> Vec<u8> {
    state_of(&serde_json::json!({ "capture_folder": folder }))
}

/// A state with these choices.
pub(crate) fn state_of(choices: &Value) -> Vec<u8> {
    let choices = choices.to_string();
    let params = serde_json::json!({ "capture": { "string": "off" } });
    let state = serde_json::json!({
        "version": "0.1.0", "params": params, "fields": { "choices": choices }
    });
    let state = state.to_string().into_bytes();
    [&u64::try_from(state.len()).unwrap().to_le_bytes()[..], &state].concat()
}

fn running(folder: &Path, stream: Stream) -> Running {
    let mut instance = instance();
    assert!(load(&mut instance, &state(folder)));
    Running::with(instance, stream)
}

/// Chooses when samples are captured, as the window does.
pub(crate) fn choose(instance: &mut PluginInstance<Host>, mode: &str) {
    let mut state: Value = serde_json::from_slice(&save(instance)[8..]).unwrap();
    state["fields"]["capture"] = serde_json::json!(mode).to_string().into();
    let state = state.to_string().into_bytes();
    let length = u64::try_from(state.len()).unwrap().to_le_bytes();
    assert!(load(instance, &[&length[..], &state].concat()));
}

/// What is chosen.
pub(crate) fn chosen(instance: &mut PluginInstance<Host>) -> String {
    let state: Value = serde_json::from_slice(&save(instance)[8..]).unwrap();
    serde_json::from_str(state["fields"]["capture"].as_str().unwrap()).unwrap()
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Samples of a complete file, and how many channels they have.
fn read(path: &Path) -> Option<(usize, Vec<f32>)> {
    let file = BufReader::new(std::fs::File::open(path).ok()?);
    let mut decoder = wavemill_core::decode::open(Box::new(file), None).ok()?;
    let info = decoder.info().clone();
    let channel_count = info.spec.channel_count();
    let mut samples = Samples::empty(info.format, channel_count);
    let mut all = Vec::new();
    while decoder.read(&mut samples, 4096).ok()? > 0 {
        let Samples::Float { planes, .. } = &samples else { return None };
        for frame in 0..planes[0].len() {
            all.extend(planes.iter().map(|plane| plane[frame]));
        }
    }
    Some((channel_count, all))
}

/// Waits until files hold this many frames together.
fn wait_for(folder: &Path, frames: usize) -> Vec<f32> {
    loop {
        let read: Vec<_> = files(folder).iter().filter_map(|path| read(path)).collect();
        if read.iter().map(|(channels, samples)| samples.len() / channels).sum::<usize>() >= frames
        {
            return read.into_iter().flat_map(|(_, samples)| samples).collect();
        }
        std::thread::yield_now();
    }
}

fn block(index: u16, frames: usize) -> [Vec<f32>; 2] {
    let value = f32::from(index) / 1024.0;
    [vec![value; frames], vec![-value; frames]]
}

fn interleaved(blocks: impl Iterator<Item = u16>, frames: usize) -> Vec<f32> {
    blocks
        .flat_map(|index| {
            let [left, right] = block(index, frames);
            left.into_iter().zip(right).flat_map(|(left, right)| [left, right]).collect::<Vec<_>>()
        })
        .collect()
}

/// Lets the background thread answer.
fn settle(running: &mut Running, is_playing: bool, at_s: f64, is_done: impl Fn() -> bool) {
    while !is_done() {
        running.process(&block(0, 64), Some(&transport(is_playing, at_s)));
        std::thread::yield_now();
    }
}

#[test]
fn offline_bounce_is_captured_from_its_first_frame_to_its_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = instance();
    assert!(load(&mut instance, &state(folder.path())));
    // Armed before the DAW renders, as the user does it.
    let mut first = Running::with(instance, STEREO);
    first.capture("bounce");
    first.process(&block(0, 64), None);
    let instance = first.stop();
    assert_eq!(files(folder.path()).len(), 0, "nothing is captured in real time");
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    for index in 1..500 {
        running.process(&block(index, 512), None);
    }
    running.stop();
    let samples = wait_for(folder.path(), 499 * 512);
    assert_eq!(files(folder.path()).len(), 1);
    let name = files(folder.path())[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("Mix_ A_B 20"), "{name} does not name the track");
    assert!(samples == interleaved(1..500, 512));
}

#[test]
fn capture_begins_and_ends_with_the_transport() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = running(folder.path(), STEREO);
    running.capture("playing");
    let mut at_s = 0.0;
    // Armed while the transport stands: the recorder is there when it starts.
    let begin = std::time::Instant::now();
    settle(&mut running, false, at_s, || begin.elapsed().as_millis() > 300);
    assert_eq!(files(folder.path()).len(), 0);
    for index in 1..101 {
        running.process(&block(index, 64), Some(&transport(true, at_s)));
        at_s += 64.0 / 48_000.0;
    }
    running.process(&block(999, 64), Some(&transport(false, at_s)));
    let samples = wait_for(folder.path(), 6400);
    assert!(samples == interleaved(1..101, 64));
    running.stop();
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn offline_capture_while_playing_holds_every_frame_from_the_first_block() {
    for is_armed_before in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut instance = instance();
        assert!(load(&mut instance, &state(folder.path())));
        if is_armed_before {
            let mut first = Running::with(instance, STEREO);
            first.capture("playing");
            first.process(&block(0, 64), Some(&transport(false, 0.0)));
            instance = first.stop();
        }
        let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
        running.capture("playing");
        for index in 1..101 {
            running.process(&block(index, 64), Some(&transport(true, 0.0)));
        }
        // The next start is a capture of its own, complete as well.
        running.process(&block(999, 64), Some(&transport(false, 0.0)));
        for index in 101..201 {
            running.process(&block(index, 64), Some(&transport(true, 0.0)));
        }
        running.stop();
        let samples = wait_for(folder.path(), 12_800);
        assert_eq!(files(folder.path()).len(), 2);
        let mut halves = [interleaved(1..101, 64), interleaved(101..201, 64)];
        if samples[0].to_bits() != halves[0][0].to_bits() {
            // Names of one second do not sort by time.
            halves.swap(0, 1);
        }
        assert!(samples == halves.concat());
    }
}

#[test]
fn armed_instance_activated_with_another_stream_writes_its_rate_and_channels() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = running(folder.path(), STEREO);
    first.capture("playing");
    first.process(&block(0, 64), Some(&transport(false, 0.0)));
    // No block takes what the worker makes meanwhile.
    let begin = std::time::Instant::now();
    while begin.elapsed().as_millis() < 300 {
        std::thread::yield_now();
    }
    let instance = first.stop();
    let mono = Stream { channel_count: 1, sample_rate_hz: 96_000.0, ..STEREO };
    let mut running = Running::with(instance, mono);
    for _ in 0..100 {
        running.process(&[[0.25; 64]], Some(&transport(true, 0.0)));
    }
    running.stop();
    assert_eq!(wait_for(folder.path(), 6400), vec![0.25; 6400]);
    let header = std::fs::read(&files(folder.path())[0]).unwrap();
    assert_eq!(&header[22..28], [&[1, 0][..], &96_000u32.to_le_bytes()].concat());
}

/// Place in the chunk: EBU Tech 3285 v2.
#[test]
fn file_says_where_in_the_song_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = running(folder.path(), Stream { is_offline: true, ..STEREO });
    running.capture("playing");
    for index in 1..101u16 {
        let at_s = 3600.0 + f64::from(index - 1) * 64.0 / 48_000.0;
        running.process(&block(index, 64), Some(&transport(true, at_s)));
    }
    running.stop();
    let file = std::fs::read(&files(folder.path())[0]).unwrap();
    let bext = file.windows(4).position(|bytes| bytes == b"bext").unwrap() + 8;
    let place = u64::from_le_bytes(file[bext + 338..bext + 346].try_into().unwrap());
    assert_eq!(place, 3600 * 48_000);
}

/// Captures in an instance that goes at once.
fn capture_and_go(mut instance: PluginInstance<Host>, at: &Path) {
    assert!(load(&mut instance, &state(at)));
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    running.capture("now");
    while files(at).is_empty() {
        running.process(&block(1, 512), None);
    }
    for _ in 0..500 {
        running.process(&block(1, 512), None);
    }
    drop(running.stop());
    let paths = files(at);
    let [path] = &paths[..] else { panic!("{paths:?}") };
    let (_, samples) = read(path).expect("a complete file");
    assert!(samples.len() >= 500 * 512 * 2, "{}", samples.len());
}

#[test]
fn capture_is_complete_once_its_instance_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    capture_and_go(instance(), folder.path());
}

/// Where the C library is glibc the code stays all the same, pinned by thread-local variables of this thread.
#[test]
fn library_is_closed_right_after_a_capture() {
    let test = std::env::current_exe().unwrap();
    let name =
        format!("{}wavemill_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = test.with_file_name(name);
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        capture_and_go(crate::host::loaded(&library), folder.path());
    }
}
