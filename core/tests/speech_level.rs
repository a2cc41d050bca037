//! What the step `speech-level` must hold.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

#[path = "common/drive.rs"]
#[allow(dead_code, unreachable_pub, reason = "several binaries use parts of it")]
mod drive;

use drive::Value::Number;
use drive::{Planes, build, prepare, process};
use std::f64::consts::TAU;
use std::ops::Range;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::processor::{FindingValue, StepProcessor};
use wavemill_core::units::Decibels;

const RATE: usize = 16_000;
const SPEED_DB_PER_S: f64 = 3.0;
/// The sound of the room in pauses and below speech, 50 dB below it.
const ROOM: f64 = 0.000_3;

fn spec() -> StreamSpec {
    StreamSpec::new(RATE as u32, 1)
}

/// White noise between -1 and 1.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 23) - 1.0
    }
}

/// A phrase: amplitude and seconds, with a second of room behind it.
type Phrase = (f64, usize);

/// Phrases of four syllables a second, and where each lies.
fn talk(phrases: &[Phrase]) -> (Planes, Vec<Range<usize>>) {
    let mut noise = Noise(1);
    let (mut plane, mut places) = (Vec::new(), Vec::new());
    for &(amplitude, seconds) in phrases {
        let start = plane.len();
        for frame in 0..seconds * RATE {
            let syllable = (TAU * 2.0 * frame as f64 / RATE as f64).sin().abs();
            plane.push((noise.next() * (amplitude * syllable + ROOM)) as f32);
        }
        places.push(start..plane.len());
        plane.extend((0..RATE).map(|_| (noise.next() * ROOM) as f32));
    }
    (vec![plane], places)
}

/// A loud and a soft speaker, 12 dB apart, in turns.
fn dialog() -> (Planes, Vec<Range<usize>>) {
    talk(&[(0.4, 12), (0.1, 12), (0.4, 12), (0.1, 12)])
}

fn level(input: &Planes, params: &[(&str, drive::Value)]) -> (StepProcessor, Planes) {
    let mut step = build("speech-level", params, &spec()).unwrap();
    prepare(&mut step, input, 4096);
    let output = process(&mut step, &spec(), input, 4096);
    (step, output)
}

fn integrated_lufs(planes: &Planes, places: &[&Range<usize>]) -> f64 {
    let mut meter = LoudnessMeter::new(&spec(), MonoMode::Single);
    for &place in places {
        meter.push(&Block::from_planes(&[&planes[0][place.clone()]]));
    }
    meter.finish().integrated_lufs.unwrap().0
}

/// Gain in dB at every hundredth of a second.
fn gains_db(input: &Planes, output: &Planes) -> Vec<f64> {
    let samples = |planes: &Planes, start: usize| {
        planes[0][start..start + RATE / 100].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>()
    };
    let starts = (0..input[0].len()).step_by(RATE / 100);
    starts
        .map(|start| {
            Decibels::from_power(samples(output, start) / samples(input, start)).unwrap().0
        })
        .collect()
}

#[test]
fn two_speakers_12_db_apart_end_within_3_db() {
    let (input, places) = dialog();
    let (_, output) = level(&input, &[]);
    let distance = |planes: &Planes| {
        integrated_lufs(planes, &[&places[0], &places[2]])
            - integrated_lufs(planes, &[&places[1], &places[3]])
    };
    assert!((distance(&input) - 12.0).abs() < 0.2, "{}", distance(&input));
    assert!(distance(&output).abs() < 3.0, "{}", distance(&output));
}

#[test]
fn two_speakers_18_db_apart_end_within_3_lu_in_turns_of_any_length() {
    let soft = 0.4 * 10f64.powf(-18.5 / 20.0);
    let (input, places) =
        talk(&[(0.4, 5), (soft, 5), (0.4, 20), (soft, 12), (0.4, 7), (soft, 20), (0.4, 5)]);
    let (_, output) = level(&input, &[]);
    let each: Vec<f64> = places.iter().map(|place| integrated_lufs(&output, &[place])).collect();
    let (least, most) = each
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), lufs| (least.min(*lufs), most.max(*lufs)));
    assert!(most - least < 3.0, "{each:?}");
}

#[test]
fn room_of_long_pauses_is_not_raised() {
    let mut noise = Noise(3);
    let (mut input, places) = talk(&[(0.4, 6), (0.4, 6), (0.05, 6), (0.4, 6)]);
    // 25 dB below the loud speaker, and 7 dB below the soft one.
    let room = 0.4 * 10f64.powf(-25.0 / 20.0);
    for place in places.iter().rev() {
        let pause: Vec<f32> = (0..4 * RATE).map(|_| (room * noise.next()) as f32).collect();
        input[0].splice(place.end..place.end, pause);
    }
    let (_, output) = level(&input, &[]);
    let gains = gains_db(&input, &output);
    let phrase = |index: usize| (places[index].start + 4 * index * RATE) * 100 / RATE;
    let most = |from: usize, count: usize| {
        gains[from..from + count].iter().copied().fold(f64::MIN, f64::max)
    };
    for index in [0, 1, 3] {
        let (before, pause) = (most(phrase(index), 600), most(phrase(index) + 600, 400));
        assert!(pause <= before + 0.001, "{index}: {pause} after {before}");
    }
}

#[test]
fn loud_word_of_another_speaker_is_not_raised_with_the_soft_one() {
    let (mut input, places) = talk(&[(0.4, 12), (0.05, 12)]);
    let word = places[1].start + 6 * RATE;
    let loud: Vec<f32> = input[0][4 * RATE..9 * RATE / 2].to_vec();
    input[0][word..word + RATE / 2].copy_from_slice(&loud);
    let (_, output) = level(&input, &[]);
    let gains = gains_db(&input, &output);
    let at = word * 100 / RATE;
    let most = gains[at..at + 50].iter().copied().fold(f64::MIN, f64::max);
    // 4 LU above the file, and 3 dB since the word fills half of the second that is looked at.
    assert!(most < 8.0 && gains[at - 200] > 12.0, "{most} {}", gains[at - 200]);
}

#[test]
fn pauses_are_not_raised_by_more_than_the_phrase_before() {
    // The last phrases are too short for the gain they want.
    let (input, places) = talk(&[(0.4, 12), (0.1, 12), (0.4, 12), (0.1, 2), (0.1, 2), (0.4, 12)]);
    let (_, output) = level(&input, &[]);
    let gains = gains_db(&input, &output);
    for phrase in &places {
        let at = |frame: usize| frame * 100 / RATE;
        let most = |gains: &[f64]| gains.iter().copied().fold(f64::MIN, f64::max);
        let before = most(&gains[at(phrase.start)..at(phrase.end)]);
        let pause = most(&gains[at(phrase.end)..at(phrase.end + RATE)]);
        assert!(pause <= before + 0.001, "{phrase:?}: {pause} after {before}");
    }
    // Not for lack of anything to raise.
    assert!(gains.iter().any(|gain| *gain > 3.0));
}

#[test]
fn gain_never_changes_faster_than_its_speed() {
    let (input, _) = dialog();
    for speed in [0.5, SPEED_DB_PER_S, 20.0] {
        let (_, output) = level(&input, &[("speed_db_per_s", Number(speed))]);
        let gains = gains_db(&input, &output);
        let fastest =
            gains.windows(11).map(|span| (span[10] - span[0]).abs() / 0.1).fold(0.0, f64::max);
        // Each gain is an average over a hundredth of a second, weighted by the signal in it.
        assert!(fastest <= 1.1 * speed + 0.01, "{fastest} dB/s of {speed}");
        assert!(fastest >= 0.9 * speed, "{fastest} dB/s of {speed}: the signal needs all of it");
    }
}

#[test]
fn gain_stays_within_its_range() {
    let (input, _) = dialog();
    let (step, output) = level(&input, &[("range_db", Number(2.0))]);
    let gains = gains_db(&input, &output);
    let (least, most) =
        gains.iter().fold((0.0, 0.0), |(a, b): (f64, f64), gain| (a.min(*gain), b.max(*gain)));
    assert!((-2.001..=-1.0).contains(&least) && (1.999..=2.001).contains(&most), "{least} {most}");
    let raised =
        step.report().findings.into_iter().find(|found| found.key == "raised_max_db").unwrap();
    assert_eq!(raised.value, FindingValue::Number(2.0));
}

#[test]
fn steady_sound_keeps_every_bit() {
    let tone: Vec<f32> = (0..10 * RATE)
        .map(|frame| (0.2 * (TAU * 440.0 * frame as f64 / RATE as f64).sin()) as f32)
        .collect();
    let mut noise = Noise(2);
    // Chords that die away twice a second, over noise.
    let music: Vec<f32> = (0..20 * RATE)
        .map(|frame| {
            let time_s = frame as f64 / RATE as f64;
            let chord: f64 = [220.0, 277.2, 329.6].iter().map(|hz| (TAU * hz * time_s).sin()).sum();
            (0.2 * chord * (-3.0 * (time_s % 0.5)).exp() + 0.02 * noise.next()) as f32
        })
        .collect();
    for plane in [tone, music] {
        let input = vec![plane];
        let (step, output) = level(&input, &[]);
        assert!(step.properties().is_transparent);
        assert!(output == input);
    }
}

#[test]
fn leveled_speech_does_not_depend_on_blocks() {
    let (input, _) = talk(&[(0.4, 4), (0.1, 4), (0.4, 3)]);
    let run = |block: usize| {
        let mut step = build("speech-level", &[], &spec()).unwrap();
        prepare(&mut step, &input, block);
        let output = process(&mut step, &spec(), &input, block);
        step.reset();
        assert!(process(&mut step, &spec(), &input, block) == output, "again after a reset");
        output
    };
    let whole = run(input[0].len());
    assert!(whole != input);
    for block in [1, 7, 64, 4096] {
        assert!(run(block) == whole, "blocks of {block}");
    }
}

#[test]
fn silence_is_left_alone_and_said_so() {
    let input = vec![vec![0.0; 5 * RATE]];
    let (step, output) = level(&input, &[]);
    assert!(output == input && step.properties().is_transparent);
    let findings = step.report().findings;
    assert!(findings.iter().any(|found| found.key == "left_alone"));
}
