//! Transient and harmonic measures: signals whose values are known, independence of blocks.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::music;
use std::f64::consts::TAU;
use wavemill_core::analysis::{Analyzer, MeasureGroup, Options};
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec};
use wavemill_core::measure::{HarmonicReport, TransientReport};

fn measure(planes: &[Vec<f32>], rate_hz: u32, block: usize) -> (TransientReport, HarmonicReport) {
    let options = Options {
        groups: vec![MeasureGroup::Transient, MeasureGroup::Harmonic],
        ..Options::default()
    };
    let spec = StreamSpec::new(rate_hz, planes.len());
    let mut analyzer = Analyzer::new(&spec, PcmFormat::FLOAT, &options);
    let frame_count = planes.first().map_or(0, Vec::len);
    for start in (0..frame_count).step_by(block) {
        let end = (start + block).min(frame_count);
        let cut: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        analyzer.push(&Block::from_planes(&cut)).unwrap();
    }
    let analysis = analyzer.finish();
    (analysis.transient.unwrap(), analysis.harmonic.unwrap())
}

fn transient(plane: &[f32], rate_hz: u32) -> TransientReport {
    measure(&[plane.to_vec()], rate_hz, 4096).0
}

fn harmonic(plane: &[f32], rate_hz: u32) -> HarmonicReport {
    measure(&[plane.to_vec()], rate_hz, 4096).1
}

/// A sample for each frame, from its time in seconds.
fn signal(rate_hz: u32, seconds: f64, sample: impl Fn(f64) -> f64) -> Vec<f32> {
    let frame_count = (seconds * f64::from(rate_hz)) as usize;
    (0..frame_count).map(|frame| sample(frame as f64 / f64::from(rate_hz)) as f32).collect()
}

/// Pseudo-random values from -1 to 1, the same in every run.
fn noise(frame_count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32_768.0 - 1.0
    };
    // The sum of several is nearly normal, and hides the generator's pattern.
    (0..frame_count).map(|_| (next() + next() + next()) / 3.0).collect()
}

/// Every second from the half on, a level that rises in a straight line, stays, and ends softly.
fn ramp(time: f64, rise_s: f64) -> f64 {
    let (at, is_first) = ((time + 0.5) % 1.0, time < 0.5);
    let rise = (at / rise_s).min(1.0);
    let fall = ((0.6 - at) / 0.1).clamp(0.0, 1.0);
    if is_first { 0.0 } else { 0.5 * rise * fall }
}

/// A tone of that level.
fn ramps(rate_hz: u32, rise_s: f64, hz: f64) -> Vec<f32> {
    signal(rate_hz, 8.3, |time| ramp(time, rise_s) * (TAU * hz * time).sin())
}

#[test]
fn attack_of_a_linear_ramp_is_eight_tenths_of_it() {
    // The tolerance is that of the meter's specification.
    const TOLERANCE_MS: f64 = 1.0;
    for rate_hz in [22_050, 44_100, 48_000, 96_000, 192_000] {
        for rise_ms in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
            let found = transient(&ramps(rate_hz, rise_ms / 1000.0, 2000.0), rate_hz);
            let attack_ms = found.attack_ms.unwrap();
            let error = (attack_ms - 0.8 * rise_ms).abs();
            assert!(error < TOLERANCE_MS, "{rise_ms} ms at {rate_hz} Hz reads {attack_ms} ms");
        }
    }
}

/// 50 ms at 60 Hz read 3.7 ms, at 100 Hz 22: the rise of a wave, not that of the tone.
#[test]
fn attack_of_low_tones_and_of_noise_is_that_of_their_envelope() {
    // As documented at the report's field.
    let tolerance_ms = |expected: f64| 2.5 + 0.1 * expected;
    let rate_hz = 48_000;
    let hiss = noise(9 * rate_hz as usize, 7);
    for hz in [0.0, 60.0, 80.0, 100.0, 150.0, 250.0, 440.0, 1000.0, 5000.0] {
        for rise_ms in [5.0, 10.0, 20.0, 50.0, 100.0] {
            // A phase that differs from onset to onset.
            let plane = if hz > 0.0 {
                ramps(rate_hz, rise_ms / 1000.0, hz + 0.37)
            } else {
                let levels = signal(rate_hz, 8.3, |time| ramp(time, rise_ms / 1000.0));
                levels.iter().zip(&hiss).map(|(level, noise)| level * noise).collect()
            };
            let attack_ms = transient(&plane, rate_hz).attack_ms.unwrap();
            let expected = 0.8 * rise_ms;
            let error = (attack_ms - expected).abs();
            assert!(error <= tolerance_ms(expected), "{rise_ms} ms of {hz} Hz: {attack_ms} ms");
        }
    }
}

#[test]
fn attack_on_top_of_something_else_is_measured_from_there() {
    let rate_hz = 44_100;
    let bed = signal(rate_hz, 8.3, |time| 0.05 * (TAU * 3000.0 * time).sin());
    let plane: Vec<f32> =
        ramps(rate_hz, 0.02, 2000.0).iter().zip(bed).map(|(tone, bed)| tone + bed).collect();
    let attack_ms = transient(&plane, rate_hz).attack_ms.unwrap();
    // Levels add as squares, so the foot of the ramp is flatter than a line.
    assert!((attack_ms - 16.0).abs() < 2.0, "{attack_ms}");
}

#[test]
fn density_of_a_train_of_clicks_is_theirs() {
    for rate_hz in [44_100, 48_000, 96_000] {
        for per_second in [1.0, 2.0, 4.0, 8.0] {
            let mut plane = vec![0.0; 20 * rate_hz as usize];
            let count = (19.5 * per_second) as usize;
            for click in 0..count {
                let frame = (0.3 + click as f64 / per_second) * f64::from(rate_hz);
                plane[frame as usize] = 0.8;
            }
            let found = transient(&plane, rate_hz);
            let expected = count as f64 / 20.0;
            assert!((found.density_per_s.unwrap() - expected).abs() < 1e-9, "{found:?}");
            assert!(found.attack_ms.unwrap() < 1.0);
            assert_eq!(found.preservation, Some(1.0));
        }
    }
}

#[test]
fn preservation_of_tones_that_begin_at_once_is_that_of_a_sine() {
    // Peak to RMS of a sine is 3.01 dB, of 12.
    let found = transient(&ramps(48_000, 0.0005, 2000.0), 48_000);
    assert!((found.preservation.unwrap() - 3.01 / 12.0).abs() < 0.01, "{found:?}");
    assert!((found.density_per_s.unwrap() - 8.0 / 8.3).abs() < 0.01, "{found:?}");
}

#[test]
fn steady_tone_has_no_onset() {
    for hz in [50.0, 440.0, 5000.0] {
        let found = transient(&signal(44_100, 10.0, |time| 0.5 * (TAU * hz * time).sin()), 44_100);
        let expected =
            TransientReport { density_per_s: Some(0.0), attack_ms: None, preservation: None };
        assert_eq!(found, expected, "{hz} Hz");
    }
}

#[test]
fn steady_noise_has_hardly_any_onset() {
    for rate_hz in [44_100, 48_000, 96_000] {
        let found = transient(&noise(30 * rate_hz as usize, 1), rate_hz);
        // librosa 0.11 finds nine a second.
        assert!(found.density_per_s.unwrap() < 0.5, "{rate_hz} Hz: {found:?}");
    }
}

/// A tone with harmonics of these amplitudes, from the fundamental on.
fn tone(rate_hz: u32, seconds: f64, hz: f64, amplitudes: &[f64]) -> Vec<f32> {
    signal(rate_hz, seconds, |time| {
        let parts = amplitudes.iter().enumerate();
        parts
            .map(|(k, amplitude)| amplitude * (TAU * (k + 1) as f64 * hz * time + k as f64).sin())
            .sum()
    })
}

/// Largest error of the distortion, in percentage points: that of the meter's specification.
const THD_TOLERANCE: f64 = 0.01;

fn assert_thd(plane: &[f32], rate_hz: u32, expected: f64, what: &str) {
    let thd = harmonic(plane, rate_hz).thd_percent.unwrap_or(f64::NAN);
    assert!((thd - expected).abs() < THD_TOLERANCE, "{what}: {thd} instead of {expected}");
}

#[test]
fn distortion_is_that_of_known_harmonics_at_any_frequency() {
    let amplitudes = [0.5, 0.005, 0.01, 0.0, 0.0025];
    let expected = 100.0 * (0.005f64.powi(2) + 0.01f64.powi(2) + 0.0025f64.powi(2)).sqrt() / 0.5;
    for rate_hz in [8000, 44_100, 48_000, 96_000, 192_000] {
        for hz in [20.0, 31.7, 50.0, 99.99, 440.3, 777.777] {
            let plane = tone(rate_hz, 4.0, hz, &amplitudes);
            assert_thd(&plane, rate_hz, expected, &format!("{hz} Hz at {rate_hz} Hz"));
        }
    }
}

#[test]
fn distortion_counts_the_second_to_the_tenth_harmonic() {
    let mut amplitudes = [0.001; 12];
    amplitudes[0] = 0.4;
    let expected = 100.0 * (9.0 * 0.001f64.powi(2)).sqrt() / 0.4;
    assert_thd(&tone(48_000, 3.0, 1001.3, &amplitudes), 48_000, expected, "twelve harmonics");
    // The fourth harmonic of 7 kHz is above half of the sample rate.
    let expected = 100.0 * (2.0 * 0.001f64.powi(2)).sqrt() / 0.4;
    assert_thd(&tone(48_000, 3.0, 7000.0, &amplitudes[..3]), 48_000, expected, "two of three");
}

#[test]
fn distortion_of_a_pure_tone_is_nothing_even_in_16_bits_and_with_noise() {
    for hz in [20.0, 997.0, 1000.0, 3333.3, 10_000.0] {
        let pure = tone(48_000, 3.0, hz, &[0.9]);
        assert_thd(&pure, 48_000, 0.0, "pure");
        let in_16_bits: Vec<f32> =
            pure.iter().map(|sample| (sample * 32_768.0).round() / 32_768.0).collect();
        assert_thd(&in_16_bits, 48_000, 0.0, "16 bits");
        let noisy: Vec<f32> = pure
            .iter()
            .zip(noise(pure.len(), 7))
            .map(|(tone, noise)| tone + 0.001 * noise)
            .collect();
        assert_thd(&noisy, 48_000, 0.0, "noise 60 dB down");
    }
}

#[test]
fn distortion_of_a_square_wave_is_that_of_its_series() {
    // Odd harmonics, 1/k.
    let plane = signal(192_000, 3.0, |time| if (500.1 * time).fract() < 0.5 { 0.5 } else { -0.5 });
    let expected =
        100.0 * [3.0, 5.0, 7.0, 9.0].iter().map(|k: &f64| k.powi(-2)).sum::<f64>().sqrt();
    let thd = harmonic(&plane, 192_000).thd_percent.unwrap();
    // The edges fall on whole samples.
    assert!((thd - expected).abs() < 0.1, "{thd} instead of {expected}");
}

#[test]
fn distortion_survives_silence_around_the_tone() {
    let amplitudes = [0.5, 0.005];
    let mut plane = vec![0.0; 30_000];
    plane.extend(tone(48_000, 4.3, 1000.0, &amplitudes));
    plane.extend(vec![0.0; 200_000]);
    assert_thd(&plane, 48_000, 1.0, "silence around");
    assert_thd(&tone(48_000, 0.2, 1000.0, &amplitudes), 48_000, 1.0, "a fifth of a second");
}

#[test]
fn distortion_of_what_is_no_steady_tone_is_none() {
    let tone = |hz| tone(48_000, 4.0, hz, &[0.5]);
    let joined: Vec<f32> = tone(1000.0).into_iter().chain(tone(1001.0)).collect();
    let louder: Vec<f32> =
        tone(1000.0).into_iter().chain(tone(1000.0).iter().map(|sample| 0.9 * sample)).collect();
    let pair: Vec<f32> = tone(1000.0).iter().zip(tone(1370.0)).map(|(a, b)| a + 0.3 * b).collect();
    let Samples::Float { planes } = music(PcmFormat::FLOAT, 1, 200_000) else { panic!("floats") };
    let paused: Vec<f32> =
        tone(1000.0).into_iter().chain(vec![0.0; 100_000]).chain(tone(1000.0)).collect();
    let signals = [
        ("noise", noise(200_000, 3)),
        ("music", planes[0].clone()),
        ("another frequency", joined),
        ("another level", louder),
        ("two tones", pair),
        ("a pause", paused),
        ("silence", vec![0.0; 200_000]),
        ("a constant", vec![0.5; 200_000]),
        ("too short", tone(1000.0)[..4000].to_vec()),
        ("no harmonic below half of the sample rate", tone(13_000.0)),
    ];
    for (what, plane) in signals {
        assert_eq!(harmonic(&plane, 48_000).thd_percent, None, "{what}");
    }
}

#[test]
fn harmonic_ratio_is_high_for_tones_and_low_for_clicks() {
    let tones = signal(44_100, 5.0, |time| {
        [220.0, 277.2, 329.6].iter().map(|hz| 0.2 * (TAU * hz * time).sin()).sum()
    });
    assert!(harmonic(&tones, 44_100).harmonic_ratio.unwrap() > 0.99);
    let mut clicks = vec![0.0; 220_500];
    clicks.iter_mut().step_by(11_025).for_each(|sample| *sample = 0.9);
    assert!(harmonic(&clicks, 44_100).harmonic_ratio.unwrap() < 0.01);
    let ratio = harmonic(&noise(220_500, 5), 44_100).harmonic_ratio.unwrap();
    assert!((0.4..0.6).contains(&ratio), "{ratio}");
}

/// Tones, clicks and noise, from arithmetic that every machine does alike.
fn mixture(frame_count: usize) -> Vec<f32> {
    let noise = noise(frame_count, 11);
    (0..frame_count)
        .map(|frame| {
            let saw = |period: usize| (frame % period) as f32 / period as f32 - 0.5;
            let click = if frame % 9000 < 3 { 0.7 } else { 0.0 };
            let hit = 0.3 * (1.0 - (frame % 13_000) as f32 / 2500.0).max(0.0);
            0.2 * saw(200) + 0.1 * saw(131) + click + (0.02 + hit) * noise[frame]
        })
        .collect()
}

#[test]
fn harmonic_ratio_is_that_of_librosa() {
    // librosa 0.11.0: `H, P = decompose.hpss(abs(stft(y, hop_length=1024)), kernel_size=17)`, energies in
    // f64.
    for (frame_count, expected) in GOLDEN {
        let ratio = harmonic(&mixture(frame_count), 44_100).harmonic_ratio.unwrap();
        assert!((ratio / expected - 1.0).abs() < 1e-4, "{frame_count} frames: {ratio}, {expected}");
    }
}

/// What librosa says of mono samples at 44.1 kHz on standard input: the harmonic ratio and how many
/// onsets there are.
const LIBROSA: &str = "
import sys, numpy, librosa
y = numpy.frombuffer(sys.stdin.buffer.read(), 'float32')
parts = librosa.decompose.hpss(abs(librosa.stft(y, hop_length=1024)), kernel_size=17)
harmonic, percussive = [(part.astype(float) ** 2).sum() for part in parts]
print(harmonic / (harmonic + percussive), len(librosa.onset.onset_detect(y=y, sr=44100)))
";

#[test]
fn measures_agree_with_librosa_where_it_is_installed() {
    let plane = mixture(700_000);
    let bytes: Vec<u8> = plane.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let Some(output) = common::run_tool("python3", &["-c", LIBROSA], &bytes) else { return };
    let answer = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("ModuleNotFoundError"), "{error}");
        println!("skipped: python3 has no librosa");
        return;
    }
    let numbers: Vec<f64> = answer.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let (transient, harmonic) = measure(&[plane], 44_100, 4096);
    assert!((harmonic.harmonic_ratio.unwrap() / numbers[0] - 1.0).abs() < 1e-4, "{answer}");
    let onsets = transient.density_per_s.unwrap() * 700_000.0 / 44_100.0;
    // Clicks and hits; peaks that are close to each other count once or twice.
    assert!((onsets / numbers[1] - 1.0).abs() < 0.15, "{onsets} onsets, librosa {}", numbers[1]);
}

/// Frames of [`mixture`] and their ratio. The short ones have fewer spectra than a median's window. (Of
/// two or three, `SciPy` 1.17 mirrors others than it says: those are left out.)
const GOLDEN: [(usize, f64); 4] =
    [(200_000, 0.820_007_485), (48_123, 0.811_772_948), (9000, 0.759_124_289), (5, 0.500_000_847)];

#[test]
fn silence_and_nothing_have_no_values() {
    for planes in [vec![vec![0.0; 100_000]; 2], vec![vec![0.0]], vec![vec![]], vec![]] {
        let (transient, harmonic) = measure(&planes, 48_000, 4096);
        assert_eq!(harmonic, HarmonicReport::default());
        assert_eq!((transient.attack_ms, transient.preservation), (None, None));
        assert_eq!(transient.density_per_s.unwrap_or(0.0).to_bits(), 0);
    }
}

#[test]
fn measures_do_not_depend_on_blocks() {
    let soft: Vec<f32> = noise(150_000, 2).iter().map(|sample| 0.01 * sample).collect();
    let mut planes = vec![mixture(150_000), soft];
    planes.push(ramps(44_100, 0.01, 700.0)[..150_000].to_vec());
    for channel_count in 1..=3 {
        let whole = measure(&planes[..channel_count], 44_100, 150_000);
        assert!(whole.0.attack_ms.is_some() && whole.1.harmonic_ratio.is_some(), "{whole:?}");
        for block in [1, 7, 64, 4096] {
            let cut = measure(&planes[..channel_count], 44_100, block);
            assert_eq!(cut, whole, "{channel_count} channels in blocks of {block}");
        }
    }
}

#[test]
fn measures_exist_for_every_rate_and_layout() {
    for rate_hz in [1000, 8000, 11_025, 44_100, 192_000] {
        for channel_count in [1, 2, 6] {
            let planes = vec![mixture(3 * rate_hz as usize); channel_count];
            let (transient, harmonic) = measure(&planes, rate_hz, 4096);
            let ratio = harmonic.harmonic_ratio.unwrap();
            assert!((0.0..=1.0).contains(&ratio), "{rate_hz} Hz");
            assert!(transient.preservation.is_none_or(|value| (0.0..=1.0).contains(&value)));
            assert!(transient.attack_ms.is_none_or(|attack_ms| (0.0..300.0).contains(&attack_ms)));
        }
    }
}

#[test]
fn reports_have_the_keys_of_the_json() {
    let keys = |value: serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let transient = serde_json::to_value(TransientReport::default()).unwrap();
    assert_eq!(keys(transient), ["attack_ms", "density_per_s", "preservation"]);
    let harmonic = serde_json::to_value(HarmonicReport::default()).unwrap();
    assert_eq!(keys(harmonic), ["thd_percent", "harmonic_ratio"]);
}
