//! The whole noise reduction on a test bench.

use crate::{NoiseReduction, piece_frames};
use effect_common::convert::narrow;
use std::collections::BTreeSet;
use std::f64::consts::TAU;
use wavemill_effect::Effect;
use wavemill_effect::testing::{
    Rig, assert_block_invariant, assert_finite, assert_reset_is_fresh, assert_tail_is_honest,
    impulse, noise, render, silence,
};

const RATE: f64 = 48_000.0;
const LATENCY: usize = 2_048;

/// Amplitude of evenly distributed noise at -50 dBFS (mean square 1e-5).
const NOISE_AMPLITUDE: f32 = 0.005_477;

/// Every parameter away from its default.
const BUSY: &[(&str, f64)] =
    &[("reduction_db", 25.0), ("sensitivity_db", 5.0), ("learn", 0.0), ("listen", 1.0)];

fn db(power_ratio: f64) -> f64 {
    10.0 * power_ratio.log2() / std::f64::consts::LOG2_10
}

fn power(signal: &[f32]) -> f64 {
    signal.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / signal.len() as f64
}

/// Output in time with the input.
fn reduced(input: &[Vec<f32>], params: &[(&str, f64)]) -> Vec<f32> {
    let output = render::<NoiseReduction>(RATE, params, input, 512);
    output[0][LATENCY..LATENCY + input[0].len()].to_vec()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
fn seconds(time_s: f64) -> usize {
    (time_s * RATE) as usize
}

#[test]
fn white_noise_gets_quieter_by_the_reduction() {
    let input = noise(1, seconds(6.0), NOISE_AMPLITUDE);
    // What now and then stands out of the noise weighs more the deeper the rest is.
    for (reduction_db, shortfall_db) in [(6.0, 0.1), (12.0, 0.3), (20.0, 1.5)] {
        let output = reduced(&input, &[("reduction_db", reduction_db)]);
        let gain = db(power(&output[seconds(3.0)..]) / power(&input[0][seconds(3.0)..]));
        let is_in_reach = gain > -reduction_db && gain < -reduction_db + shortfall_db;
        assert!(is_in_reach, "{gain}, not {reduction_db}");
    }
}

#[test]
fn steady_tone_is_taken_for_noise_as_the_manual_says() {
    let mut input = noise(1, seconds(6.0), NOISE_AMPLITUDE);
    for (frame, sample) in input[0].iter_mut().enumerate() {
        *sample += narrow(0.1 * (TAU * 1_000.0 * frame as f64 / RATE).sin());
    }
    let output = reduced(&input, &[]);
    assert!(amplitude_at(1_000.0, &output[seconds(5.0)..]) < 0.03);
}

/// Syllables of 300 ms with pauses of 200 ms: overtones of 150 Hz up to 3 kHz, 12 dB weaker each two octaves.
fn syllables(frames: usize) -> Vec<f32> {
    let mut signal = vec![0.0; frames];
    for (frame, sample) in signal.iter_mut().enumerate() {
        let time = frame as f64 / RATE;
        let within = time % 0.5;
        if within < 0.3 {
            // Raised cosine of 30 ms at both ends.
            let edge = (within.min(0.3 - within) / 0.03).min(1.0);
            let shape = 0.5 - 0.5 * (TAU / 2.0 * edge).cos();
            let tones = (1..=20).map(|k| (TAU * 150.0 * f64::from(k) * time).sin() / f64::from(k));
            *sample = narrow(0.15 * shape * tones.sum::<f64>());
        }
    }
    signal
}

/// Amplitude of a frequency in a stretch that holds whole periods of it.
fn amplitude_at(frequency_hz: f64, signal: &[f32]) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (frame, sample) in signal.iter().enumerate() {
        let phase = TAU * frequency_hz * frame as f64 / RATE;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
    }
    2.0 * re.hypot(im) / signal.len() as f64
}

#[test]
fn noise_under_syllables_falls_and_the_syllables_stay() {
    let mut input = noise(1, seconds(8.0), NOISE_AMPLITUDE);
    for (sample, tone) in input[0].iter_mut().zip(syllables(seconds(8.0))) {
        *sample += tone;
    }
    let output = reduced(&input, &[]);
    // In the middle of the pauses and of the syllables, from the fourth second on.
    for syllable in 8..15 {
        let start = f64::from(syllable) * 0.5;
        let pause = seconds(start + 0.38)..seconds(start + 0.48);
        let gain = db(power(&output[pause.clone()]) / power(&input[0][pause]));
        assert!(gain < -6.0, "pause at {start} s: {gain}");
        let voiced = seconds(start + 0.1)..seconds(start + 0.2);
        for overtone in 1..=20 {
            let frequency_hz = 150.0 * f64::from(overtone);
            let before = amplitude_at(frequency_hz, &input[0][voiced.clone()]);
            let after = amplitude_at(frequency_hz, &output[voiced.clone()]);
            let change = 2.0 * db(after / before);
            assert!(change.abs() < 0.5, "{frequency_hz} Hz at {start} s: {change}");
        }
    }
}

#[test]
fn voice_that_begins_at_once_loses_less_than_two_decibels_of_its_first_syllable() {
    let mut input = noise(1, seconds(2.0), NOISE_AMPLITUDE);
    for (sample, tone) in input[0].iter_mut().zip(syllables(seconds(2.0))) {
        *sample += tone;
    }
    let output = reduced(&input, &[]);
    for (start, loss_db_max) in [(0.1, 2.0), (0.6, 0.1)] {
        let voiced = seconds(start)..seconds(start + 0.1);
        let before = amplitude_at(300.0, &input[0][voiced.clone()]);
        let change = 2.0 * db(amplitude_at(300.0, &output[voiced]) / before);
        assert!(change > -loss_db_max, "{change} at {start} s");
    }
}

#[test]
fn noise_that_gets_louder_is_learned_within_four_seconds() {
    let mut input = noise(1, seconds(10.0), NOISE_AMPLITUDE);
    for sample in &mut input[0][seconds(4.0)..] {
        *sample *= 3.162_3;
    }
    let gain = |params: &[(&str, f64)]| {
        let output = reduced(&input, params);
        db(power(&output[seconds(8.0)..]) / power(&input[0][seconds(8.0)..]))
    };
    assert!(gain(&[]) < -11.0, "{}", gain(&[]));
    let mut rig = Rig::<NoiseReduction>::new(RATE, 1, 512);
    rig.start().unwrap();
    let (mut quiet, mut loud) =
        (vec![input[0][..seconds(4.0)].to_vec()], vec![input[0][seconds(4.0)..].to_vec()]);
    rig.process(&mut quiet, 512);
    rig.set("learn", 0.0);
    rig.process(&mut loud, 512);
    let held = db(power(&loud[0][seconds(4.0)..]) / power(&input[0][seconds(8.0)..]));
    assert!(held > -3.0, "10 dB above what it had learned: {held}");
}

#[test]
fn output_and_what_was_taken_away_are_the_input() {
    let mut input = noise(1, seconds(2.0), NOISE_AMPLITUDE);
    for (sample, tone) in input[0].iter_mut().zip(syllables(seconds(2.0))) {
        *sample += tone;
    }
    let (kept, taken) = (reduced(&input, &[]), reduced(&input, &[("listen", 1.0)]));
    for (frame, sample) in input[0].iter().enumerate() {
        let error = (kept[frame] + taken[frame] - sample).abs();
        assert!(error < 1e-6, "off by {error} at frame {frame}");
    }
    // No words in it, once the noise is known: it is not even as loud as the noise.
    let taken = power(&taken[seconds(1.0)..]);
    assert!(taken < 1e-5, "{}", db(taken / 1e-5));
}

#[test]
fn reduction_of_zero_is_the_input_but_for_rounding() {
    let input = noise(2, 20_000, 1.0);
    let output = render::<NoiseReduction>(RATE, &[("reduction_db", 0.0)], &input, 333);
    for (plane, input) in output.iter().zip(&input) {
        for (frame, sample) in input.iter().enumerate() {
            assert!((plane[frame + LATENCY] - sample).abs() < 2e-6, "frame {frame}");
        }
    }
}

#[test]
fn impulse_comes_after_the_latency() {
    for rate in [8_000.0, 44_100.0, 48_000.0, 96_000.0] {
        let mut rig = Rig::<NoiseReduction>::new(rate, 1, 512).with("reduction_db", 0.0);
        rig.start().unwrap();
        let latency = rig.latency() as usize;
        assert_eq!(latency, piece_frames(rate));
        let mut signal = impulse(1, 3 * latency);
        rig.process(&mut signal, 512);
        for (frame, sample) in signal[0].iter().enumerate() {
            let expected = if frame == latency { 1.0 } else { 0.0 };
            assert!((sample - expected).abs() < 1e-6, "{sample} at frame {frame}");
        }
    }
}

#[test]
fn first_tenth_of_a_second_is_untouched() {
    let input = noise(1, seconds(1.0), NOISE_AMPLITUDE);
    let output = reduced(&input, &[("reduction_db", 30.0)]);
    // Pieces that begin to reduce reach back by their length.
    let untouched = seconds(0.1) - LATENCY;
    for frame in 0..untouched {
        assert!((output[frame] - input[0][frame]).abs() < 1e-7, "frame {frame}");
    }
    assert!(db(power(&output[seconds(0.8)..]) / power(&input[0][seconds(0.8)..])) < -15.0);
}

#[test]
fn digital_silence_teaches_nothing() {
    let mut input = silence(1, seconds(6.0));
    let end = seconds(5.0);
    input[0][seconds(2.0)..end].copy_from_slice(&noise(1, seconds(3.0), NOISE_AMPLITUDE)[0]);
    let output = reduced(&input, &[]);
    assert!(output[..seconds(1.9)].iter().all(|sample| *sample == 0.0));
    assert!(output[seconds(5.1)..].iter().all(|sample| *sample == 0.0));
    let late = seconds(4.0)..end;
    assert!(db(power(&output[late.clone()]) / power(&input[0][late])) < -10.0);
}

#[test]
fn sensitivity_takes_more_of_a_faint_tone() {
    let mut input = noise(1, seconds(5.0), NOISE_AMPLITUDE);
    let is_on = |frame: usize| frame / seconds(0.5) % 2 == 1;
    for (frame, sample) in input[0].iter_mut().enumerate().filter(|(frame, _)| is_on(*frame)) {
        *sample += narrow(6e-4 * (TAU * 1_000.0 * frame as f64 / RATE).sin());
    }
    let tone = |sensitivity_db: f64| {
        let output = reduced(&input, &[("sensitivity_db", sensitivity_db)]);
        amplitude_at(1_000.0, &output[seconds(4.6)..seconds(4.9)])
    };
    let (low, middle, high) = (tone(-6.0), tone(0.0), tone(12.0));
    assert!(low > middle && middle > 1.5 * high, "{low} {middle} {high}");
}

#[test]
fn channels_are_independent() {
    let both = noise(2, seconds(1.0), NOISE_AMPLITUDE);
    let one = vec![both[1].clone()];
    let output = render::<NoiseReduction>(RATE, &[], &both, 512);
    assert!(output[1] == render::<NoiseReduction>(RATE, &[], &one, 512)[0]);
}

#[test]
fn piece_lasts_32_to_64_ms_up_to_8192_frames() {
    for (rate, frames) in [
        (1_000.0, 64),
        (8_000.0, 256),
        (44_100.0, 2_048),
        (48_000.0, 2_048),
        (96_000.0, 4_096),
        (192_000.0, 8_192),
        (655_350.0, 8_192),
    ] {
        assert_eq!(piece_frames(rate), frames, "{rate} Hz");
    }
}

#[test]
fn output_does_not_depend_on_blocks() {
    assert_block_invariant::<NoiseReduction>(RATE, 2, &[]);
    assert_block_invariant::<NoiseReduction>(8_000.0, 3, BUSY);
}

#[test]
fn reset_gives_a_fresh_noise_reduction() {
    assert_reset_is_fresh::<NoiseReduction>(RATE, 2, &[]);
    assert_reset_is_fresh::<NoiseReduction>(8_000.0, 2, BUSY);
}

#[test]
fn output_is_finite_for_any_input_and_setting() {
    assert_finite::<NoiseReduction>(RATE, 2, &[]);
    assert_finite::<NoiseReduction>(8_000.0, 1, BUSY);
}

#[test]
fn tail_is_as_long_as_it_says() {
    assert_tail_is_honest::<NoiseReduction>(RATE, 1, &[("reduction_db", 30.0)]);
}

#[test]
fn presets_can_be_started_and_have_names_of_their_own() {
    let presets = NoiseReduction::DESCRIPTION.presets;
    let names: BTreeSet<&str> = presets.iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), presets.len());
    for name in names {
        let mut rig = Rig::<NoiseReduction>::new(RATE, 2, 512).preset(name);
        rig.start().unwrap();
        rig.process(&mut noise(2, 4_096, 0.5), 512);
    }
}

#[test]
fn every_parameter_says_what_it_sets() {
    for param in NoiseReduction::DESCRIPTION.params {
        assert!(param.summary.ends_with('.'), "{}", param.key);
    }
}
