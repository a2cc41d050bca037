//! What the models are trained on. Written by a test on request; see `tests/bench/music`.

use super::evidence::Evidence;
use super::key::Key;
use super::presence::presence_features;
use crate::music::chords::spans;
use crate::music::chroma::ChromaMeter;
use crate::music::wav::{files, read};
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// `WAVEMILL_FEATURES=FOLDER WAVEMILL_FEATURES_OUT=FOLDER`: for each WAV file its pitch class profiles, numbers of 32
/// bits, the bass from C on and then the treble, and one JSON file with the rest.
#[test]
fn features_of_a_folder() {
    let files = files();
    if files.is_empty() {
        return;
    }
    let out = std::env::var_os("WAVEMILL_FEATURES_OUT").expect("WAVEMILL_FEATURES_OUT is set");
    let out = PathBuf::from(out);
    fs::create_dir_all(&out).unwrap();
    let mut about = Map::new();
    for file in files {
        let (rate_hz, planes) = read(&file);
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        let mut meter = ChromaMeter::new(rate_hz);
        meter.push(&planes);
        let track = meter.finish();
        let frames = track.frames.iter();
        let numbers = frames.flat_map(|frame| frame.bass.into_iter().chain(frame.treble));
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
        write(&out.join(format!("{name}.f32")), &bytes);
        let spans = spans(&track.frames);
        let evidence = Evidence::new(&track.frames, &spans);
        let features = Key::all().map(|key| evidence.features(key).to_vec());
        let chords = spans.iter().map(|span| {
            let harmony = span.harmony.map(|harmony| (harmony.root, harmony.quality.shorthand()));
            json!([span.start, span.end, harmony])
        });
        let rest = json!({
            "spans": chords.collect::<Vec<_>>(),
            "hop_s": track.hop_s,
            "duration_s": track.duration_s,
            "tuning_hz": track.tuning_hz,
            "tuning_concentration": track.tuning_concentration,
            "features": features,
            "presence": presence_features(&track, &spans).to_vec(),
        });
        about.insert(name, rest);
    }
    write(&out.join("about.json"), Value::Object(about).to_string().as_bytes());
}
