//! The whole compressor on a test bench.

use crate::Compressor;
use crate::description::describe;
use std::collections::BTreeSet;
use wavemill_effect::Effect;
use wavemill_effect::testing::{
    Rig, assert_block_invariant, assert_finite, assert_reset_is_fresh, impulse, noise, render, sine,
};

const RATE: f64 = 48_000.0;

/// What the static curve may be off: the fast logarithm and exponential are a thousand times better.
const CURVE_ERROR_DB_MAX: f64 = 0.05;

/// Every parameter away from its default.
const BUSY: &[(&str, f64)] = &[
    ("threshold_db", -30.0),
    ("ratio", 5.0),
    ("attack_ms", 2.0),
    ("release_ms", 40.0),
    ("makeup_db", 5.0),
    ("mix", 0.8),
    ("sidechain_high_pass_hz", 120.0),
    ("sidechain_low_pass_hz", 9_000.0),
    ("detector", 1.0),
    ("link", 0.4),
    ("lookahead_ms", 2.5),
    ("auto_release", 1.0),
];

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log2() / std::f64::consts::LOG2_10
}

fn amplitude(level_db: f64) -> f64 {
    10.0_f64.powf(level_db / 20.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a sample")]
fn constant(level_db: f64, frames: usize) -> Vec<f32> {
    vec![amplitude(level_db) as f32; frames]
}

/// Gain in dB of each frame.
fn gains_db(input: &[f32], output: &[f32]) -> Vec<f64> {
    input.iter().zip(output).map(|(i, o)| db(f64::from(*o) / f64::from(*i))).collect()
}

/// Gain at the end of a second at a constant level.
fn settled_gain_db(level_db: f64, params: &[(&str, f64)]) -> f64 {
    let input = constant(level_db, 48_000);
    let output = render::<Compressor>(RATE, params, std::slice::from_ref(&input), 512);
    *gains_db(&input, &output[0]).last().unwrap()
}

/// The static curve, straight from the paper's equation (4), in dB.
fn paper_output_db(x: f64, t: f64, r: f64, w: f64) -> f64 {
    if 2.0 * (x - t) < -w {
        x
    } else if 2.0 * (x - t).abs() <= w && w > 0.0 {
        x + (1.0 / r - 1.0) * (x - t + w / 2.0).powi(2) / (2.0 * w)
    } else {
        t + (x - t) / r
    }
}

#[test]
fn level_12_db_over_becomes_3_db_over_with_ratio_4() {
    let params = [("threshold_db", -18.0), ("ratio", 4.0), ("knee_db", 0.0)];
    assert!((settled_gain_db(-6.0, &params) + 9.0).abs() < CURVE_ERROR_DB_MAX);
}

#[test]
fn level_at_the_threshold_of_a_12_db_knee_loses_its_part_of_the_parabola() {
    // (1 - 1/3) * 6^2 / (2 * 12) = 1 dB.
    let params = [("threshold_db", -20.0), ("ratio", 3.0), ("knee_db", 12.0)];
    assert!((settled_gain_db(-20.0, &params) + 1.0).abs() < CURVE_ERROR_DB_MAX);
}

#[test]
fn static_curve_follows_the_paper() {
    for (threshold, ratio, knee) in
        [(-18.0, 3.0, 6.0), (-40.0, 100.0, 0.0), (-30.0, 1.5, 24.0), (0.0, 10.0, 12.0)]
    {
        for level in [-90.0, -45.0, -38.0, -30.0, -21.0, -18.0, -10.0, -3.0, 0.0, 6.0] {
            let params = [
                ("threshold_db", threshold),
                ("ratio", ratio),
                ("knee_db", knee),
                ("attack_ms", 1.0),
                ("release_ms", 20.0),
            ];
            let expected = paper_output_db(level, threshold, ratio, knee) - level;
            let gain = settled_gain_db(level, &params);
            let error = (gain - expected).abs();
            assert!(error < CURVE_ERROR_DB_MAX, "{gain} instead of {expected} dB at {level} dBFS");
        }
    }
}

#[test]
fn signal_below_the_knee_is_untouched_to_the_bit() {
    let input = noise(2, 10_000, 0.08);
    let output = render::<Compressor>(RATE, &[], &input, 333);
    assert!(input == output);
}

/// Milliseconds from frame `from` until `share` of the way from the first gain to the last is gone.
fn time_ms(gains_db: &[f64], from: usize, share: f64) -> f64 {
    let (first, last) = (gains_db[from - 1], gains_db[gains_db.len() - 1]);
    let there = |gain: &f64| (gain - first) / (last - first) >= share;
    let frames = gains_db[from..].iter().position(there).unwrap() + 1;
    frames as f64 * 1_000.0 / RATE
}

#[test]
fn attack_and_release_have_gone_63_percent_after_their_times() {
    let share = 1.0 - (-1.0_f64).exp();
    for (attack, release) in [(10.0, 100.0), (0.5, 20.0), (100.0, 30.0)] {
        let params = [("attack_ms", attack), ("release_ms", release), ("knee_db", 0.0)];
        let mut input = constant(-40.0, 4_801);
        input.extend(constant(-6.0, 96_000));
        let loud = render::<Compressor>(RATE, &params, std::slice::from_ref(&input), 512);
        let measured = time_ms(&gains_db(&input, &loud[0]), 4_801, share);
        assert!((measured / attack - 1.0).abs() < 0.05, "attack {measured} ms, not {attack}");

        let mut input = constant(-6.0, 96_001);
        input.extend(constant(-40.0, 96_000));
        let quiet = render::<Compressor>(RATE, &params, std::slice::from_ref(&input), 512);
        let measured = time_ms(&gains_db(&input, &quiet[0]), 96_001, share);
        assert!((measured / release - 1.0).abs() < 0.05, "release {measured} ms, not {release}");
    }
}

#[test]
fn tone_gets_the_reduction_of_its_peak_within_the_set_times() {
    let share = 1.0 - (-1.0_f64).exp();
    for frequency_hz in [60.0, 100.0, 997.0, 5_000.0] {
        for (attack, release) in [(10.0, 120.0), (3.0, 60.0)] {
            let params = [("attack_ms", attack), ("release_ms", release), ("knee_db", 0.0)];
            let mut input = sine(1, 192_000, RATE, frequency_hz, 0.5).remove(0);
            for (frame, sample) in input.iter_mut().enumerate() {
                *sample *= if (48_000..144_000).contains(&frame) { 1.0 } else { 0.02 };
            }
            let output = render::<Compressor>(RATE, &params, std::slice::from_ref(&input), 512);
            // Where the wave passes zero it has no gain: the last known one.
            let mut known = 0.0;
            let gains: Vec<f64> = std::iter::zip(&input, &output[0])
                .map(|(i, o)| {
                    known = if i.abs() > 1e-3 { db(f64::from(*o) / f64::from(*i)) } else { known };
                    known
                })
                .collect();
            let expected = -(2.0 / 3.0) * (db(0.5) + 18.0);
            let settled = gains[143_999];
            assert!((settled - expected).abs() < 0.1, "{settled} dB at {frequency_hz} Hz");
            // The first peak comes after a quarter of a period, the last one up to a half before the end.
            let quarter_ms = 250.0 / frequency_hz;
            for (from, set, early_ms) in
                [(48_000, attack, 0.0), (144_000, release, 2.0 * quarter_ms)]
            {
                let to = from + 48_000;
                let measured = time_ms(&gains[..to], from, share);
                let range = 0.95 * set - early_ms..1.05 * set + quarter_ms + 0.1;
                assert!(
                    range.contains(&measured),
                    "{measured} ms, not {set}, at {frequency_hz} Hz"
                );
            }
        }
    }
}

/// The compressor written plainly in `f64`, branch by branch: one channel, peak detector.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few sub-blocks")]
fn reference(
    input: &[f32],
    (t, r, w): (f64, f64, f64),
    attack_ms: f64,
    release_ms: f64,
) -> Vec<f64> {
    let alpha = |time_ms: f64| (-1.0 / (time_ms * 0.001 * RATE)).exp();
    // Peaks hold on for 10 ms or half the release, in whole sub-blocks of 32 frames, and half a one.
    let sub_blocks = (10.0_f64.min(release_ms / 2.0) * 48.0 / 32.0) as usize;
    let held_ms = ((sub_blocks as f64 + 0.5) * 32.0 / 48.0).min(release_ms / 2.0);
    let (attack, release) = (alpha(attack_ms), alpha(release_ms - held_ms));
    let mut reduction = 0.0;
    let mut output = Vec::new();
    for (frame, sample) in input.iter().enumerate() {
        let from = (frame / 32).saturating_sub(sub_blocks) * 32;
        let peak = input[from..=frame].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let level = db(f64::from(peak).max(1e-10));
        let wanted = level - paper_output_db(level, t, r, w);
        let alpha = if wanted > reduction { attack } else { release };
        reduction = alpha * reduction + (1.0 - alpha) * wanted;
        output.push(f64::from(*sample) * amplitude(-reduction));
    }
    output
}

#[test]
fn output_for_noise_bursts_equals_the_plain_formula() {
    let mut input = noise(1, 40_000, 0.9);
    for (index, sample) in input[0].iter_mut().enumerate() {
        *sample *= if index / 5_000 % 2 == 0 { 1.0 } else { 0.05 };
    }
    for (attack, release) in [(5.0, 80.0), (40.0, 10.0)] {
        let params = [
            ("threshold_db", -24.0),
            ("ratio", 6.0),
            ("knee_db", 9.0),
            ("attack_ms", attack),
            ("release_ms", release),
        ];
        let output = render::<Compressor>(RATE, &params, &input, 777);
        let expected = reference(&input[0], (-24.0, 6.0, 9.0), attack, release);
        for (frame, (actual, expected)) in output[0].iter().zip(expected).enumerate() {
            let error = (f64::from(*actual) - expected).abs();
            assert!(error < 2e-6, "{actual} instead of {expected} at frame {frame}");
        }
    }
}

#[test]
fn rms_detector_sees_a_sine_3_db_lower() {
    let input = sine(1, 96_000, RATE, 997.0, 0.5);
    let params = [
        ("threshold_db", -20.0),
        ("ratio", 100.0),
        ("knee_db", 0.0),
        ("attack_ms", 50.0),
        ("release_ms", 500.0),
        ("detector", 1.0),
    ];
    let output = render::<Compressor>(RATE, &params, &input, 512);
    let power =
        |signal: &[f32]| signal[72_000..].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let gain = db((power(&output[0]) / power(&input[0])).sqrt());
    // Mean square of 0.5 sin: -9.03 dBFS, 10.97 dB over; 99 % of it goes.
    assert!((gain + 0.99 * 10.969).abs() < 0.1, "{gain}");
}

#[test]
fn side_chain_high_pass_ignores_bass() {
    let gain = |frequency_hz: f64, params: &[(&str, f64)]| {
        let input = sine(1, 96_000, RATE, frequency_hz, 0.9);
        let output = render::<Compressor>(RATE, params, &input, 512);
        let peak = |signal: &[f32]| signal[48_000..].iter().fold(0.0_f32, |p, s| p.max(s.abs()));
        db(f64::from(peak(&output[0]) / peak(&input[0])))
    };
    let filtered = [("sidechain_high_pass_hz", 500.0), ("threshold_db", -20.0)];
    assert!(gain(40.0, &[("threshold_db", -20.0)]) < -5.0);
    assert!(gain(40.0, &filtered) > -0.01, "43 dB down, so far below the knee");
    assert!(gain(5_000.0, &filtered) < -5.0);
    let filtered = [("sidechain_low_pass_hz", 500.0), ("threshold_db", -20.0)];
    assert!(gain(8_000.0, &filtered) > -0.01);
    assert!(gain(100.0, &filtered) < -5.0);
}

/// Loud left, quiet right.
fn uneven() -> Vec<Vec<f32>> {
    vec![constant(-2.0, 48_000), constant(-30.0, 48_000)]
}

#[test]
fn linked_channels_get_the_reduction_of_the_loudest() {
    let output = render::<Compressor>(RATE, &[], &uneven(), 512);
    let left = gains_db(&uneven()[0], &output[0])[47_999];
    let right = gains_db(&uneven()[1], &output[1])[47_999];
    assert!(left < -10.0 && (left - right).abs() < 1e-5, "{left} {right}");
}

#[test]
fn unlinked_channel_below_its_threshold_is_untouched() {
    let output = render::<Compressor>(RATE, &[("link", 0.0)], &uneven(), 512);
    assert!(output[1] == uneven()[1]);
    let half = render::<Compressor>(RATE, &[("link", 0.5)], &uneven(), 512);
    let right = gains_db(&uneven()[1], &half[1])[47_999];
    // Half way between -30 and -2 dBFS is -16 dBFS: in the knee, (2/3) * 5^2 / 12 dB.
    assert!((right + 25.0 / 18.0).abs() < CURVE_ERROR_DB_MAX, "{right}");
}

#[test]
fn channels_linked_while_it_runs_come_together_without_a_jump() {
    let mut rig = Rig::<Compressor>::new(RATE, 2, 512).with("link", 0.0);
    rig.start().unwrap();
    let mut before = uneven();
    rig.process(&mut before, 512);
    rig.set("link", 1.0);
    let mut after = uneven();
    rig.process(&mut after, 512);
    let jump = after[1].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!((before[1][47_999] - after[1][0]).abs() < 1e-3 && jump < 1e-3, "{jump}");
    let (left, right) = (after[0][47_999] / uneven()[0][0], after[1][47_999] / uneven()[1][0]);
    assert!((left - right).abs() < 1e-4, "{left} {right}");
}

#[test]
fn look_ahead_is_the_latency_of_an_impulse() {
    for (lookahead_ms, frames) in [(0.0, 0), (1.0, 48), (20.0, 960)] {
        let params = [("lookahead_ms", lookahead_ms), ("threshold_db", 0.0), ("knee_db", 0.0)];
        let mut rig = Rig::<Compressor>::new(RATE, 1, 512).with_all(&params);
        rig.start().unwrap();
        assert_eq!(rig.latency(), frames);
        let mut signal = impulse(1, 2_000);
        rig.process(&mut signal, 512);
        let found: Vec<usize> = (0..2_000).filter(|at| signal[0][*at] != 0.0).collect();
        assert_eq!(found, [frames as usize]);
        assert_eq!(signal[0][frames as usize], 1.0);
    }
}

#[test]
fn look_ahead_catches_the_first_wave_as_the_manual_says() {
    let preset = [("threshold_db", -3.0), ("ratio", 100.0), ("knee_db", 0.0), ("attack_ms", 0.5)];
    let mut input = constant(-40.0, 4_800);
    input.extend(constant(6.0, 4_800));
    let with = |lookahead_ms: f64| {
        let mut params = preset.to_vec();
        params.push(("lookahead_ms", lookahead_ms));
        let output = render::<Compressor>(RATE, &params, std::slice::from_ref(&input), 512);
        // Without the last frames: there the detector has seen the end and lets go.
        let peak = output[0][..9_600].iter().fold(0.0_f32, |peak, sample| peak.max(*sample));
        db(f64::from(peak))
    };
    let curve = -3.0 + 9.0 / 100.0;
    assert!(with(0.0) > 5.0);
    assert!(with(3.0) < curve + 0.1, "{} over", with(3.0) - curve);
}

#[test]
fn mix_of_zero_is_the_delayed_input_to_the_bit() {
    let input = noise(2, 5_000, 1.0);
    let params =
        [("mix", 0.0), ("lookahead_ms", 5.0), ("makeup_db", 20.0), ("threshold_db", -40.0)];
    let output = render::<Compressor>(RATE, &params, &input, 100);
    assert!(output[0][240..] == input[0]);
    assert!(output[1][240..] == input[1]);
}

#[test]
fn mix_of_a_half_adds_half_of_both() {
    let params = [("mix", 0.5), ("makeup_db", 3.0), ("ratio", 4.0), ("knee_db", 0.0)];
    let wet = amplitude(-9.0 + 3.0);
    let gain = settled_gain_db(-6.0, &params);
    assert!((gain - db(f64::midpoint(1.0, wet))).abs() < CURVE_ERROR_DB_MAX, "{gain}");
}

#[test]
fn make_up_gain_set_while_it_runs_glides() {
    let mut rig = Rig::<Compressor>::new(RATE, 1, 512);
    rig.start().unwrap();
    let mut before = [constant(-40.0, 1_000)];
    rig.process(&mut before, 512);
    rig.set("makeup_db", 12.0);
    let mut after = [constant(-40.0, 4_800)];
    rig.process(&mut after, 512);
    let gains = gains_db(&constant(-40.0, 4_800), &after[0]);
    assert!(gains[0].abs() < 0.1 && (gains[4_799] - 12.0).abs() < 1e-4);
    // 12 dB in 960 frames are 0.0125 dB a frame.
    assert!(gains.windows(2).all(|pair| (0.0..0.013).contains(&(pair[1] - pair[0] + 1e-6))));
}

#[test]
fn automatic_release_is_as_set_after_a_peak_and_slower_after_a_passage() {
    let left_after = |loud_frames: usize, is_automatic: f64| {
        let params = [
            ("auto_release", is_automatic),
            ("attack_ms", 1.0),
            ("release_ms", 50.0),
            ("knee_db", 0.0),
        ];
        let mut input = constant(-6.0, loud_frames);
        input.extend(constant(-40.0, 9_600));
        let output = render::<Compressor>(RATE, &params, std::slice::from_ref(&input), 512);
        *gains_db(&input, &output[0]).last().unwrap()
    };
    // 8 dB of reduction, 190 ms after the peak was held: what the rest of the release leaves of it, or, when the
    // slow follower had filled, eight times the release.
    assert!((left_after(96_000, 0.0) + 8.0 * (-190.0_f64 / 40.0).exp()).abs() < 0.01);
    assert!((left_after(96_000, 1.0) + 8.0 * (-190.0_f64 / 400.0).exp()).abs() < 0.1);
    assert!(left_after(480, 1.0) > -0.25, "{}", left_after(480, 1.0));
}

#[test]
fn silence_after_sound_ends_in_zeros_and_no_reduction() {
    let mut rig = Rig::<Compressor>::new(RATE, 1, 4_096).with_all(BUSY);
    rig.start().unwrap();
    rig.process(&mut noise(1, 48_000, 0.9), 4_096);
    rig.process(&mut [vec![0.0; 48_000 * 20]], 4_096);
    let compressor = rig.effect();
    assert_eq!(compressor.followers[0], crate::follower::Follower::default());
}

#[test]
fn output_does_not_depend_on_blocks() {
    assert_block_invariant::<Compressor>(RATE, 2, &[]);
    assert_block_invariant::<Compressor>(44_100.0, 3, BUSY);
}

#[test]
fn reset_gives_a_fresh_compressor() {
    assert_reset_is_fresh::<Compressor>(RATE, 2, &[]);
    assert_reset_is_fresh::<Compressor>(96_000.0, 2, BUSY);
}

#[test]
fn output_is_finite_for_any_input_and_setting() {
    assert_finite::<Compressor>(RATE, 2, &[]);
    assert_finite::<Compressor>(8_000.0, 1, BUSY);
    assert_finite::<Compressor>(192_000.0, 5, BUSY);
}

#[test]
fn sixty_four_channels_are_compressed_alike() {
    let input = sine(64, 4_800, RATE, 440.0, 0.9);
    let output = render::<Compressor>(RATE, &[], &input, 512);
    assert!(output.iter().all(|plane| *plane == output[0]));
}

#[test]
fn presets_can_be_started() {
    let names: BTreeSet<&str> = describe().presets.iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), describe().presets.len());
    for name in names {
        let mut rig = Rig::<Compressor>::new(RATE, 2, 512).preset(name);
        rig.start().unwrap();
        rig.process(&mut noise(2, 4_096, 0.5), 512);
    }
}

#[test]
fn every_parameter_says_what_it_sets() {
    for param in Compressor::DESCRIPTION.params {
        assert!(param.summary.ends_with('.'), "{}", param.key);
    }
}

#[test]
fn meter_shows_the_reduction_of_the_last_block() {
    let params = [("threshold_db", -18.0), ("ratio", 4.0), ("knee_db", 0.0), ("makeup_db", 9.0)];
    let mut rig = Rig::<Compressor>::new(RATE, 2, 512).with_all(&params);
    rig.start().unwrap();
    assert_eq!(rig.effect().meter(0), 0.0);
    // One channel is 12 dB over: 9 dB of reduction, whatever the makeup.
    rig.process(&mut [constant(-60.0, 48_000), constant(-6.0, 48_000)], 512);
    assert!((rig.effect().meter(0) + 9.0).abs() < 0.01, "{}", rig.effect().meter(0));
    rig.process(&mut [vec![0.0; 96_000], vec![0.0; 96_000]], 512);
    assert!(rig.effect().meter(0).abs() < 0.01, "{}", rig.effect().meter(0));
}
