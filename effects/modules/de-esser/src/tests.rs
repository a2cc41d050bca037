//! The whole de-esser on a test bench.

use crate::DeEsser;
use std::collections::BTreeSet;
use std::f64::consts::TAU;
use wavemill_effect::Effect;
use wavemill_effect::testing::{
    Rig, assert_block_invariant, assert_finite, assert_reset_is_fresh, assert_tail_is_honest,
    impulse, noise, render, silence, sine,
};

const RATE: f64 = 48_000.0;

/// Every parameter away from its default.
const BUSY: &[(&str, f64)] = &[
    ("frequency_hz", 3_000.0),
    ("threshold_db", -25.0),
    ("max_reduction_db", 20.0),
    ("bands", 1.0),
    ("attack_ms", 6.0),
    ("release_ms", 5.0),
];

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log2() / std::f64::consts::LOG2_10
}

/// Amplitude of one frequency in the last second of a signal.
fn amplitude_at(frequency_hz: f64, signal: &[f32]) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    let second = &signal[signal.len() - 48_000..];
    for (frame, sample) in second.iter().enumerate() {
        let phase = TAU * frequency_hz * frame as f64 / RATE;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
    }
    re.hypot(im) / 24_000.0
}

/// Gain in dB at one frequency for an input, after it settled.
fn gain_db(frequency_hz: f64, input: &[Vec<f32>], params: &[(&str, f64)]) -> f64 {
    let output = render::<DeEsser>(RATE, params, input, 512);
    db(amplitude_at(frequency_hz, &output[0][..input[0].len()])
        / amplitude_at(frequency_hz, &input[0]))
}

fn sum(mut a: Vec<Vec<f32>>, b: &[Vec<f32>]) -> Vec<Vec<f32>> {
    for (a, b) in a.iter_mut().flatten().zip(b.iter().flatten()) {
        *a += b;
    }
    a
}

fn tone(frequency_hz: f64, amplitude: f32) -> Vec<Vec<f32>> {
    sine(1, 96_000, RATE, frequency_hz, amplitude)
}

/// Squared gain of the upper band: a Butterworth high-pass twice, its frequency bent by the bilinear transform.
fn high_power(frequency_hz: f64, crossover_hz: f64) -> f64 {
    let bent = |hz: f64| (TAU / 2.0 * hz / RATE).tan();
    let w4 = (bent(frequency_hz) / bent(crossover_hz)).powi(4);
    (w4 / (1.0 + w4)).powi(2)
}

#[test]
fn tone_of_200_hz_is_left_alone() {
    for bands in [0.0, 1.0] {
        let gain = gain_db(200.0, &tone(200.0, 0.5), &[("bands", bands)]);
        assert!(gain.abs() < 0.001, "{gain}");
    }
}

#[test]
fn sibilant_loses_three_quarters_of_what_is_above_the_threshold() {
    for (above_voice_db, threshold_db) in [(0.0, -14.0), (6.0, -14.0), (0.0, -20.0), (-10.0, -16.0)]
    {
        for voice_hz in [120.0, 200.0, 400.0] {
            let sibilant = 0.15 * 10.0_f64.powf(above_voice_db / 20.0);
            #[expect(clippy::cast_possible_truncation, reason = "a sample")]
            let sound = sum(tone(voice_hz, 0.15), &tone(8_000.0, sibilant as f32));
            let params =
                [("bands", 1.0), ("threshold_db", threshold_db), ("max_reduction_db", 24.0)];
            let upper_db = db(high_power(8_000.0, 5_500.0).sqrt());
            let expected = -0.75 * (above_voice_db + upper_db - threshold_db);
            let gain = gain_db(8_000.0, &sound, &params);
            // What the averages ripple at the lowest voice.
            assert!(
                (gain - expected).abs() < 0.3,
                "{gain} instead of {expected} dB, {voice_hz} Hz"
            );
        }
    }
    let gain = gain_db(7_000.0, &tone(7_000.0, 0.5), &[]);
    assert!(gain < -5.0, "split: {gain}");
}

#[test]
fn reduction_ends_at_the_greatest() {
    for most in [0.0, 3.0, 12.0] {
        let params = [("bands", 1.0), ("threshold_db", -40.0), ("max_reduction_db", most)];
        let gain = gain_db(9_000.0, &tone(9_000.0, 0.5), &params);
        assert!((gain + most).abs() < 0.001, "{gain}");
    }
}

#[test]
fn quiet_voice_is_treated_as_a_loud_one() {
    let voice = |amplitude: f32| sum(tone(200.0, amplitude), &tone(8_000.0, amplitude * 0.5));
    let params = [("bands", 1.0), ("threshold_db", -20.0), ("max_reduction_db", 24.0)];
    let (loud, quiet) =
        (gain_db(8_000.0, &voice(0.6), &params), gain_db(8_000.0, &voice(0.06), &params));
    assert!(loud < -5.0 && (loud - quiet).abs() < 0.05, "{loud} {quiet}");
}

#[test]
fn hiss_below_60_dbfs_is_left_alone() {
    let gain = gain_db(8_000.0, &tone(8_000.0, 1e-4), &[("bands", 1.0)]);
    assert!(gain.abs() < 0.001, "{gain}");
}

#[test]
fn split_bands_keep_the_vowel_under_a_sibilant() {
    let voice = sum(tone(200.0, 0.4), &tone(8_000.0, 0.4));
    let vowel = gain_db(200.0, &voice, &[]);
    let sibilant = gain_db(8_000.0, &voice, &[]);
    assert!(vowel.abs() < 0.1 && sibilant < -5.0, "{vowel} {sibilant}");
    let wide = [("bands", 1.0)];
    let (vowel, sibilant) = (gain_db(200.0, &voice, &wide), gain_db(8_000.0, &voice, &wide));
    assert!((vowel - sibilant).abs() < 0.1 && vowel < -5.0, "{vowel} {sibilant}");
}

#[test]
fn split_bands_add_up_to_every_frequency_at_its_level() {
    for frequency_hz in [100.0, 3_000.0, 5_500.0, 6_000.0, 15_000.0] {
        let params = [("max_reduction_db", 0.0)];
        let gain = gain_db(frequency_hz, &tone(frequency_hz, 0.5), &params);
        assert!(gain.abs() < 0.001, "{gain} dB at {frequency_hz} Hz");
    }
}

#[test]
fn wide_band_without_sibilance_is_untouched_to_the_bit() {
    let input = tone(300.0, 0.7);
    let output = render::<DeEsser>(RATE, &[("bands", 1.0)], &input, 777);
    // The sudden start is as sharp as a sibilant; its reduction must have been released.
    assert!(output[0][72_000..96_000] == input[0][72_000..]);
}

#[test]
fn listening_gives_the_upper_band() {
    for (frequency_hz, bands) in [(1_000.0, 0.0), (5_500.0, 0.0), (12_000.0, 1.0)] {
        let gain =
            gain_db(frequency_hz, &tone(frequency_hz, 0.5), &[("listen", 1.0), ("bands", bands)]);
        let expected = db(high_power(frequency_hz, 5_500.0).sqrt());
        assert!((gain - expected).abs() < 0.01, "{gain} instead of {expected} dB");
    }
}

/// A second-order Butterworth high-pass or low-pass, as a plain biquad in `f64`.
fn reference(input: &[f64], cutoff_hz: f64, is_high: bool) -> Vec<f64> {
    let omega = TAU * cutoff_hz / RATE;
    // R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", Q = sqrt(1/2).
    let (alpha, cos) = (omega.sin() * 0.5_f64.sqrt(), omega.cos());
    let a0 = 1.0 + alpha;
    let sign = if is_high { 1.0 } else { -1.0 };
    let (b0, b1) = (f64::midpoint(1.0, sign * cos) / a0, -sign * (1.0 + sign * cos) / a0);
    let (a1, a2) = (-2.0 * cos / a0, (1.0 - alpha) / a0);
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    let step = |x: &f64| {
        let y = b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2;
        (x2, x1, y2, y1) = (x1, *x, y1, y);
        y
    };
    input.iter().map(step).collect()
}

/// The bands that are compared: above the crossover, and an octave below it.
fn reference_bands(input: &[f32], crossover_hz: f64) -> (Vec<f64>, Vec<f64>) {
    let input: Vec<f64> = input.iter().map(|sample| f64::from(*sample)).collect();
    let twice =
        |is_high| reference(&reference(&input, crossover_hz, is_high), crossover_hz, is_high);
    (twice(true), reference(&twice(false), crossover_hz / 2.0, false))
}

#[test]
fn wide_band_gain_for_noise_bursts_equals_the_plain_formula() {
    let mut input = noise(1, 40_000, 0.5);
    let vowel = sine(1, 40_000, RATE, 220.0, 0.4);
    for (frame, sample) in input[0].iter_mut().enumerate() {
        *sample = if frame / 4_000 % 2 == 0 { vowel[0][frame] } else { *sample };
    }
    let params =
        [("bands", 1.0), ("threshold_db", -18.0), ("max_reduction_db", 10.0), ("release_ms", 30.0)];
    let output = render::<DeEsser>(RATE, &params, &input, 333);
    let keep = |time_ms: f64| (-1.0 / (time_ms * 48.0)).exp();
    let (mut band, mut vowel, mut voice, mut reduction_db) = (0.0, 0.0, 0.0, 0.0);
    let mean = |old: f64, new: f64, keep: f64| keep * old + (1.0 - keep) * new;
    let (high, low) = reference_bands(&input[0], 5_500.0);
    for (frame, (high, low)) in high.into_iter().zip(low).enumerate() {
        let sample = f64::from(input[0][frame]);
        band = mean(band, high * high, keep(1.5));
        vowel = mean(vowel, low * low, keep(10.0));
        voice = mean(voice, vowel, if vowel > voice { keep(200.0) } else { keep(1_000.0) });
        let ratio_db = db((band / (vowel.max(voice) + 1e-6)).sqrt());
        let wanted_db = (0.75 * (ratio_db + 18.0)).clamp(0.0, 10.0);
        let time = if wanted_db > reduction_db { keep(1.0) } else { keep(30.0) };
        reduction_db = mean(reduction_db, wanted_db, time);
        let expected = sample * 10.0_f64.powf(-reduction_db / 20.0);
        let error = (f64::from(output[0][frame]) - expected).abs();
        assert!(error < 2e-6, "off by {error} at frame {frame}");
    }
}

#[test]
fn switches_turned_while_it_runs_make_no_jump() {
    let mut rig = Rig::<DeEsser>::new(RATE, 1, 512);
    rig.start().unwrap();
    rig.process(&mut tone(200.0, 0.5), 512);
    for (key, value) in
        [("bands", 1.0), ("listen", 1.0), ("frequency_hz", 2_000.0), ("listen", 0.0)]
    {
        rig.set(key, value);
        let mut after = tone(200.0, 0.5);
        rig.process(&mut after, 512);
        let jump = after[0].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        // The tone itself moves by 0.0131 a frame.
        assert!(jump < 0.0145, "{jump} after `{key}`");
    }
}

#[test]
fn channels_are_reduced_together() {
    let mut input = silence(3, 48_000);
    input[0] = sine(1, 48_000, RATE, 8_000.0, 0.5).remove(0);
    input[2] = sine(1, 48_000, RATE, 8_000.0, 0.25).remove(0);
    let output = render::<DeEsser>(RATE, &[], &input, 512);
    for frame in [1_000, 20_000, 47_999] {
        assert!((output[0][frame] - 2.0 * output[2][frame]).abs() < 1e-6);
        assert_eq!(output[1][frame], 0.0);
    }
}

#[test]
fn output_does_not_depend_on_blocks() {
    assert_block_invariant::<DeEsser>(RATE, 2, &[]);
    assert_block_invariant::<DeEsser>(44_100.0, 3, BUSY);
}

#[test]
fn reset_gives_a_fresh_de_esser() {
    assert_reset_is_fresh::<DeEsser>(RATE, 2, &[]);
    assert_reset_is_fresh::<DeEsser>(96_000.0, 2, BUSY);
}

#[test]
fn output_is_finite_for_any_input_and_setting() {
    assert_finite::<DeEsser>(RATE, 2, &[]);
    assert_finite::<DeEsser>(8_000.0, 1, BUSY);
    assert_finite::<DeEsser>(192_000.0, 5, BUSY);
}

#[test]
fn impulse_comes_at_once_and_leaves_nothing_behind() {
    let output = render::<DeEsser>(RATE, &[("bands", 1.0)], &impulse(1, 100), 512);
    assert!(output[0][0] > 0.5 && output[0][1..].iter().all(|sample| *sample == 0.0));
    assert_tail_is_honest::<DeEsser>(RATE, 1, &[]);
    assert_tail_is_honest::<DeEsser>(RATE, 2, &[("frequency_hz", 2_000.0)]);
}

#[test]
fn presets_can_be_started_and_have_names_of_their_own() {
    let presets = DeEsser::DESCRIPTION.presets;
    let names: BTreeSet<&str> = presets.iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), presets.len());
    for name in names {
        let mut rig = Rig::<DeEsser>::new(RATE, 2, 512).preset(name);
        rig.start().unwrap();
        rig.process(&mut noise(2, 4_096, 0.5), 512);
    }
}

#[test]
fn every_parameter_says_what_it_sets() {
    for param in DeEsser::DESCRIPTION.params {
        assert!(param.summary.ends_with('.'), "{}", param.key);
    }
}

#[test]
fn meter_shows_the_reduction() {
    let params = [("threshold_db", -40.0), ("max_reduction_db", 12.0)];
    let mut rig = Rig::<DeEsser>::new(RATE, 1, 512).with_all(&params);
    rig.start().unwrap();
    rig.process(&mut tone(9_000.0, 0.5), 512);
    assert!((rig.effect().meter(0) + 12.0).abs() < 0.01, "{}", rig.effect().meter(0));
    rig.process(&mut tone(200.0, 0.5), 512);
    assert!(rig.effect().meter(0).abs() < 0.01, "{}", rig.effect().meter(0));
}
