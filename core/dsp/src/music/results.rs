//! What is found in a folder of WAV files, to be scored. Written by a test on request; see `tests/bench/music`.

use super::RhythmOptions;
use super::wav::{files, read};
use super::{ChordMeter, RhythmMeter, TonalityMeter};
use crate::loudness::MonoMode;
use crate::measure::{Meter, Setup, Shapes};
use serde_json::{Map, json};
use std::time::Duration;
use wavemill_audio::{Block, PcmFormat, StreamSpec};

/// Frames of a block, as files are read.
const BLOCK_FRAMES: usize = 4_096;

/// Processor time of this thread; zero where the system does not say.
fn cpu_time() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = said.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// What a meter reports of channels.
fn report<M: Meter>(rate_hz: u32, planes: &[Vec<f32>], spent: &mut Duration) -> M::Report {
    let begun = cpu_time();
    let setup = Setup {
        format: PcmFormat::FLOAT,
        mono: MonoMode::default(),
        rhythm: RhythmOptions::default(),
    };
    let mut meter = M::new(&StreamSpec::new(rate_hz, planes.len()), setup);
    let mut block = Block::new(planes.len(), BLOCK_FRAMES);
    let frame_count = planes.first().map_or(0, Vec::len);
    for start in (0..frame_count).step_by(BLOCK_FRAMES) {
        let end = (start + BLOCK_FRAMES).min(frame_count);
        block.set_frame_count(end - start);
        for (channel, plane) in planes.iter().enumerate() {
            block.plane_mut(channel).copy_from_slice(&plane[start..end]);
        }
        meter.push(&block);
    }
    let report = meter.finish(&Shapes::default());
    *spent += cpu_time().saturating_sub(begun);
    report
}

/// `WAVEMILL_FEATURES=FOLDER`: prints the tempo, beats, key and chords of each WAV file as one JSON object that
/// `score.py` takes, and what each meter took for a minute of audio.
#[test]
fn results_of_a_folder() {
    let (mut results, mut spent, mut minutes) = (Map::new(), [Duration::ZERO; 3], 0.0);
    for file in files() {
        let (rate_hz, planes) = read(&file);
        minutes += planes[0].len() as f64 / f64::from(rate_hz) / 60.0;
        let rhythm = report::<RhythmMeter>(rate_hz, &planes, &mut spent[0]);
        let tonality = report::<TonalityMeter>(rate_hz, &planes, &mut spent[1]);
        let chords = report::<ChordMeter>(rate_hz, &planes, &mut spent[2]);
        let chords: Vec<_> = chords
            .into_iter()
            .map(|chord| json!([chord.start_s, chord.end_s, chord.label]))
            .collect();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let result = json!({
            "tempo_bpm": rhythm.tempo_bpm, "tempo_confidence": rhythm.confidence, "beats_s": rhythm.beats_s,
            "downbeats_s": rhythm.downbeats_s, "key": tonality.key, "key_confidence": tonality.confidence,
            "chords": chords,
        });
        results.insert(name, result);
    }
    println!("{}", serde_json::Value::Object(results));
    let [rhythm, tonality, chords] =
        spent.map(|spent| spent.as_secs_f64() / f64::max(minutes, 1e-9));
    println!(
        "CPU s a minute of audio: rhythm {rhythm:.4}, tonality {tonality:.4}, chords {chords:.4}"
    );
}
