//! What has no tempo, key or chords: `None` and a reason, never a number that is held for certain.

use crate::synthesis::{HALL, Samples, noise};
use crate::{analysis, song};
use wavemill_core::analysis::{Analysis, Analyzer, MeasureGroup, Options};
use wavemill_core::audio::{Block, PcmFormat, StreamSpec};

const RATE_HZ: u32 = 22_050;
const FRAMES: usize = 12 * RATE_HZ as usize;

/// A number that is wrong may be given with this confidence at most.
const WRONG_CONFIDENCE_MAX: f64 = 0.3;

/// A wave with a period of one, as a fraction of its period is given.
type Wave = fn(f64) -> f64;

const SINE: Wave = |phase| (std::f64::consts::TAU * phase).sin();
const TRIANGLE: Wave = |phase| 4.0 * (phase.fract() - 0.5).abs() - 1.0;
const SAW: Wave = |phase| 2.0 * phase.fract() - 1.0;

#[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
fn signal(sample: impl Fn(f64) -> f64) -> Samples {
    (0..FRAMES).map(|n| sample(n as f64 / f64::from(RATE_HZ)) as f32).collect()
}

fn tones(wave: Wave, hz: &[f64]) -> Samples {
    signal(|time| hz.iter().map(|hz| 0.15 * wave(hz * time)).sum())
}

fn sum(one: &Samples, other: &Samples) -> Samples {
    one.iter().zip(other).map(|(a, b)| a + b).collect()
}

fn hiss(gain: f32) -> Samples {
    noise(FRAMES).iter().map(|sample| gain * sample).collect()
}

/// Strokes of noise, two a second.
fn bursts() -> Samples {
    let stroke = |n: usize| 0.5 * (-6.6 * (n % 11_025) as f32 / RATE_HZ as f32).exp();
    noise(FRAMES).iter().enumerate().map(|(n, sample)| stroke(n) * sample).collect()
}

/// Clicks at uneven times.
fn clicks() -> Samples {
    let mut samples = vec![0.0; FRAMES];
    let mut times = noise(64).into_iter();
    let mut frame = 2_000.0;
    while frame < FRAMES as f32 - 1.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a frame")]
        let index = frame as usize;
        samples[index] = 0.8;
        frame += (0.4 + 0.3 * times.next().unwrap_or(0.0)) * RATE_HZ as f32;
    }
    samples
}

/// Syllables of uneven lengths: a buzz of a gliding pitch through two formants, some breath, and pauses.
fn speech() -> Samples {
    let (dice, breath) = (noise(200), noise(FRAMES));
    let mut samples = vec![0.0; FRAMES];
    let (mut start, mut syllable) = (0.1, 0);
    while start < 11.0 {
        let [length, pitch, vowel, pause] = [0, 1, 2, 3].map(|k| f64::from(dice[4 * syllable + k]));
        let length_s = 0.16 + 0.08 * length;
        let mut phase = 0.0;
        for (n, sample) in samples.iter_mut().enumerate().skip(frame(start)).take(frame(length_s)) {
            let time = (n as f64 / f64::from(RATE_HZ) - start) / length_s;
            phase += (120.0 + 30.0 * pitch - 35.0 * time) / f64::from(RATE_HZ);
            let formant = |hz: f64| SINE(phase.fract() * hz / 120.0) * (-5.0 * phase.fract()).exp();
            let voice = formant(500.0 + 200.0 * vowel) + 0.5 * formant(1_500.0 - 500.0 * vowel);
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let value = (0.3 * SINE(time / 2.0) * (voice + 0.1 * f64::from(breath[n]))) as f32;
            *sample = value;
        }
        start += length_s + if pause > 0.4 { 0.25 + 0.3 * pause } else { 0.03 };
        syllable += 1;
    }
    samples
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a frame")]
fn frame(time_s: f64) -> usize {
    (time_s * f64::from(RATE_HZ)) as usize
}

fn measured(samples: &[f32], group: MeasureGroup) -> Analysis {
    analysis(&[samples], RATE_HZ, 4_096, group)
}

fn assert_no_key(name: &str, samples: &Samples) {
    let found = measured(samples, MeasureGroup::Tonality).tonality.unwrap();
    match &found.key {
        None => assert!(found.reason.is_some() && found.confidence.is_none(), "{name}: {found:?}"),
        Some(_) => assert!(found.confidence.unwrap() <= WRONG_CONFIDENCE_MAX, "{name}: {found:?}"),
    }
}

fn assert_no_tempo(name: &str, samples: &Samples) {
    let found = measured(samples, MeasureGroup::Rhythm).rhythm.unwrap();
    match found.tempo_bpm {
        None => assert!(found.reason.is_some() && found.beats_s.is_empty(), "{name}: {found:?}"),
        Some(_) => assert!(found.confidence.unwrap() <= WRONG_CONFIDENCE_MAX, "{name}: {found:?}"),
    }
}

fn assert_no_chords(name: &str, samples: &Samples) {
    let chords = measured(samples, MeasureGroup::Chords).chords.unwrap();
    assert!(chords.iter().all(|chord| chord.label == "N"), "{name}: {chords:?}");
}

#[test]
fn what_is_no_music_has_no_tempo_key_or_chords() {
    let cases = [
        ("nothing", Vec::new()),
        ("one frame", vec![0.5]),
        ("silence", vec![0.0; FRAMES]),
        ("clicks", clicks()),
        ("noise", hiss(0.3)),
    ];
    for (name, samples) in cases {
        assert_no_tempo(name, &samples);
        assert_no_key(name, &samples);
        assert_no_chords(name, &samples);
    }
}

#[test]
fn speech_has_no_tempo_and_no_key() {
    let speech = speech();
    assert_no_tempo("speech", &speech);
    assert_no_key("speech", &speech);
}

#[test]
fn lone_tones_have_no_tempo_and_no_key() {
    for (name, wave) in [("sine", SINE), ("triangle", TRIANGLE), ("saw", SAW)] {
        for hz in [196.0, 400.0, 440.0] {
            let tone = tones(wave, &[hz]);
            assert_no_tempo(name, &tone);
            assert_no_key(name, &tone);
            assert_no_key(&format!("{name} of {hz} Hz in hiss"), &sum(&tone, &hiss(0.03)));
            assert_no_key(&format!("{name} of {hz} Hz in strokes"), &sum(&tone, &bursts()));
        }
    }
}

#[test]
fn bare_fifths_fourths_and_octaves_have_no_key() {
    for (name, wave) in [("sine", SINE), ("triangle", TRIANGLE), ("saw", SAW)] {
        for (ratio, hz) in [(1.5, 110.0), (4.0 / 3.0, 220.0), (2.0, 146.8)] {
            let drone = tones(wave, &[hz, hz * ratio]);
            assert_no_key(&format!("{name}, {ratio}"), &drone);
            assert_no_key(&format!("{name}, {ratio}, in hiss"), &sum(&drone, &hiss(0.05)));
            assert_no_key(&format!("{name}, {ratio}, in strokes"), &sum(&drone, &bursts()));
        }
    }
}

#[test]
fn repeated_note_has_no_key() {
    let note: Samples = {
        let mut samples = vec![0.0; FRAMES];
        let hall = crate::synthesis::Hall { rate_hz: RATE_HZ, ..HALL };
        samples.chunks_mut(frame(0.25)).for_each(|chunk| hall.add(chunk, 45, 0.3));
        samples
    };
    assert_no_key("a repeated note", &note);
    assert_no_key("a repeated note in strokes", &sum(&note, &bursts()));
}

#[test]
fn nan_is_refused_and_leaves_what_was_measured() {
    let samples = song(120.0, 0, RATE_HZ);
    let groups = vec![MeasureGroup::Rhythm, MeasureGroup::Tonality, MeasureGroup::Chords];
    let options = Options { groups, ..Options::default() };
    let run = |with_nan: bool| {
        let mut analyzer = Analyzer::new(&StreamSpec::new(RATE_HZ, 1), PcmFormat::FLOAT, &options);
        for chunk in samples.chunks_exact(4_096) {
            analyzer.push(&Block::from_planes(&[chunk])).unwrap();
            if with_nan {
                let refused = analyzer.push(&Block::from_planes(&[[0.1, f32::NAN]])).unwrap_err();
                assert_eq!(refused.frame.0, analyzer.frame_count().0 + 1);
            }
        }
        analyzer.finish()
    };
    let found = run(true);
    assert_eq!(found, run(false));
    assert!(found.rhythm.unwrap().tempo_bpm.is_some());
}
