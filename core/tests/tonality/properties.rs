//! What moves tempo and key, and what does not.

use crate::{MAJOR_KEYS, MINOR_KEYS, analysis, song};
use wavemill_core::analysis::{Analysis, MeasureGroup};

const RATE_HZ: u32 = 44_100;

/// A tempo does not move by more than this part of it.
const TEMPO_PART: f64 = 0.001;

/// Nor a confidence by more than this.
const CONFIDENCE: f64 = 0.1;

/// Share of the time that chords may differ.
const CHORD_SHARE: f64 = 0.05;

/// Attenuation that changes nothing: 20 dB. Beyond, notes that fade reach the level from which on there is silence.
const GAIN_MIN: f32 = 0.1;

/// Moving tempo and key is seen as well at a lower rate, in half the time.
const LOW_RATE_HZ: u32 = 22_050;

struct Found {
    tempo_bpm: f64,
    key: String,
    confidence: f64,
    chords: Vec<(f64, String)>,
}

fn found(planes: &[&[f32]], rate_hz: u32, block_frames: usize) -> Found {
    let one = |group| -> Analysis { analysis(planes, rate_hz, block_frames, group) };
    let tonality = one(MeasureGroup::Tonality).tonality.unwrap();
    let chords = one(MeasureGroup::Chords).chords.unwrap();
    Found {
        tempo_bpm: one(MeasureGroup::Rhythm).rhythm.unwrap().tempo_bpm.unwrap(),
        key: tonality.key.unwrap(),
        confidence: tonality.confidence.unwrap(),
        chords: chords.into_iter().map(|chord| (chord.end_s, chord.label)).collect(),
    }
}

/// The label at a time.
fn label(chords: &[(f64, String)], time_s: f64) -> &str {
    chords.iter().find(|(end_s, _)| time_s < *end_s).map_or("N", |(_, label)| label)
}

fn assert_same(one: &Found, other: &Found, what: &str) {
    let tempi = (one.tempo_bpm, other.tempo_bpm);
    assert!((tempi.0 / tempi.1 - 1.0).abs() < TEMPO_PART, "{what}: {tempi:?}");
    assert_eq!(one.key, other.key, "{what}");
    let confidences = (one.confidence, other.confidence);
    assert!((confidences.0 - confidences.1).abs() < CONFIDENCE, "{what}: {confidences:?}");
    let times = (0..200).map(|step| 0.1 * f64::from(step));
    let differ = times.filter(|&time| label(&one.chords, time) != label(&other.chords, time));
    let differ = differ.count() as f64 / 200.0;
    assert!(differ < CHORD_SHARE, "{what}: {differ} of the chords");
}

#[test]
fn transposing_moves_the_key_and_nothing_else() {
    let first = found(&[&song(112.0, 0, LOW_RATE_HZ)], LOW_RATE_HZ, 4_096);
    assert_eq!(first.key, "C");
    for semitones in 1..12u8 {
        let moved = found(&[&song(112.0, i32::from(semitones), LOW_RATE_HZ)], LOW_RATE_HZ, 4_096);
        assert_eq!(moved.key, MAJOR_KEYS[usize::from(semitones)]);
        assert!(!MINOR_KEYS.contains(&moved.key.as_str()));
        assert!((moved.tempo_bpm / first.tempo_bpm - 1.0).abs() < TEMPO_PART, "{semitones}");
    }
}

#[test]
fn playing_faster_moves_the_tempo_and_not_the_key() {
    for bpm in [84.0, 93.0, 104.5, 120.0, 137.0] {
        let found = found(&[&song(bpm, 3, LOW_RATE_HZ)], LOW_RATE_HZ, 4_096);
        assert!((found.tempo_bpm / bpm - 1.0).abs() < TEMPO_PART, "{bpm}: {}", found.tempo_bpm);
        assert_eq!(found.key, "Eb", "at {bpm}");
    }
}

#[test]
fn gain_channels_rates_and_blocks_change_nothing_that_matters() {
    let samples = song(108.0, 7, RATE_HZ);
    let plain = found(&[&samples], RATE_HZ, 4_096);
    for gain in [GAIN_MIN, 0.5] {
        let soft: Vec<f32> = samples.iter().map(|sample| gain * sample).collect();
        assert_same(&found(&[&soft], RATE_HZ, 4_096), &plain, &format!("a gain of {gain}"));
    }
    assert_same(&found(&[&samples, &samples], RATE_HZ, 4_096), &plain, "two channels");
    for rate_hz in [48_000, 96_000] {
        assert_same(&found(&[&song(108.0, 7, rate_hz)], rate_hz, 4_096), &plain, "the rate");
    }
    for block_frames in [64, 1_000, 65_536] {
        let other = found(&[&samples], RATE_HZ, block_frames);
        assert_same(&other, &plain, "the blocks");
        assert_eq!(other.tempo_bpm.to_bits(), plain.tempo_bpm.to_bits(), "the blocks");
        assert_eq!(other.chords, plain.chords, "the blocks");
    }
}
