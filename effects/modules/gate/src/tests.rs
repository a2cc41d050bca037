//! The whole gate on a test bench.

use crate::Gate;
use std::collections::BTreeSet;
use wavemill_effect::Effect;
use wavemill_effect::testing::{
    Rig, assert_block_invariant, assert_finite, assert_reset_is_fresh, impulse, noise, render, sine,
};

const RATE: f64 = 48_000.0;

/// Every parameter away from its default.
const BUSY: &[(&str, f64)] = &[
    ("threshold_db", -12.0),
    ("hysteresis_db", 3.0),
    ("attack_ms", 4.0),
    ("hold_ms", 0.5),
    ("release_ms", 15.0),
    ("range_db", 30.0),
    ("sidechain_high_pass_hz", 300.0),
    ("sidechain_low_pass_hz", 5_000.0),
    ("lookahead_ms", 3.0),
];

/// Opens at 0.1, stays open down to 0.05.
const PLAIN: &[(&str, f64)] = &[
    ("threshold_db", -20.0),
    ("hysteresis_db", 6.0),
    ("attack_ms", 2.0),
    ("hold_ms", 10.0),
    ("release_ms", 50.0),
    ("range_db", 40.0),
];

/// Stretches of constant amplitude.
fn stretches(parts: &[(f32, usize)]) -> Vec<Vec<f32>> {
    vec![parts.iter().flat_map(|(value, frames)| vec![*value; *frames]).collect()]
}

/// Gain of each frame with [`PLAIN`] and other settings.
fn gains(parts: &[(f32, usize)], other: &[(&str, f64)]) -> Vec<f64> {
    let input = stretches(parts);
    let params: Vec<(&str, f64)> = PLAIN.iter().chain(other).copied().collect();
    let output = render::<Gate>(RATE, &params, &input, 512);
    input[0].iter().zip(&output[0]).map(|(i, o)| f64::from(*o) / f64::from(*i)).collect()
}

#[test]
fn signal_below_the_threshold_is_quieter_by_the_range() {
    for (range_db, factor) in [(40.0, 0.01), (20.0, 0.1), (0.0, 1.0)] {
        let gains = gains(&[(0.09, 4_800)], &[("range_db", range_db)]);
        assert!(gains.iter().all(|gain| (gain - factor).abs() < 1e-6 * factor));
    }
}

#[test]
fn range_of_100_db_is_silence() {
    let gains = gains(&[(0.2, 480), (0.01, 96_000)], &[("range_db", 100.0)]);
    assert_eq!(gains[96_479], 0.0);
}

#[test]
fn open_gate_passes_to_the_bit() {
    let input = stretches(&[(0.11, 9_600)]);
    let output = render::<Gate>(RATE, PLAIN, &input, 512);
    // 18 attack times of 96 frames.
    assert!(output[0][1_728..] == input[0][1_728..]);
}

#[test]
fn attack_has_gone_63_percent_after_its_time() {
    for attack_ms in [1.0, 2.0, 20.0] {
        let gains = gains(&[(0.01, 100), (0.2, 9_600)], &[("attack_ms", attack_ms)]);
        let there = 0.01 + 0.99 * (1.0 - (-1.0_f64).exp());
        let frames = gains[100..].iter().position(|gain| *gain >= there).unwrap() + 1;
        let measured = frames as f64 / 48.0;
        assert!((measured / attack_ms - 1.0).abs() < 0.05, "{measured} ms, not {attack_ms}");
    }
}

#[test]
fn gate_holds_to_the_frame_and_then_releases() {
    for (hold_ms, hold_frames) in [(0.0, 0), (10.0, 480), (250.0, 12_000)] {
        let gains = gains(&[(0.2, 4_800), (0.01, 48_000)], &[("hold_ms", hold_ms)]);
        let end = 4_800 + hold_frames;
        assert!(gains[4_000..end].iter().all(|gain| *gain == 1.0));
        assert!(gains[end] < 1.0);
        let there = 0.01 + 0.99 * (-1.0_f64).exp();
        let frames = gains[end..].iter().position(|gain| *gain <= there).unwrap() + 1;
        let release_ms = frames as f64 / 48.0;
        assert!((release_ms / 50.0 - 1.0).abs() < 0.05, "{release_ms} ms");
    }
}

#[test]
fn hysteresis_keeps_an_open_gate_open_and_a_closed_one_closed() {
    let between = gains(&[(0.07, 4_800), (0.2, 4_800), (0.07, 48_000), (0.04, 48_000)], &[]);
    assert!(between[4_799] < 0.011, "closed below the threshold");
    assert_eq!(between[57_599], 1.0, "open above threshold minus hysteresis");
    assert!(between[105_599] < 0.011, "closed below both");
}

#[test]
fn gains_for_noise_equal_the_plain_formula() {
    let mut input = noise(2, 30_000, 0.3);
    for plane in &mut input {
        for (index, sample) in plane.iter_mut().enumerate() {
            *sample *= if index / 3_000 % 2 == 0 { 1.0 } else { 0.1 };
        }
    }
    let output = render::<Gate>(RATE, PLAIN, &input, 777);
    let step = |time_ms: f64| 1.0 - (-1.0 / (time_ms * 48.0)).exp();
    let (open_at, stay_at) = (0.1_f32, 10.0_f32.powf(-26.0 / 20.0));
    let (mut state, mut since_loud, mut gain) = ("closed", 0, 0.01);
    for (frame, left) in input[0].iter().enumerate() {
        let level = left.abs().max(input[1][frame].abs());
        let is_loud = level >= if state == "open" { stay_at } else { open_at };
        since_loud = if is_loud { 0 } else { since_loud + 1 };
        if is_loud {
            state = "open";
        } else if since_loud > 480 {
            state = "closed";
        }
        gain += if state == "open" { step(2.0) * (1.0 - gain) } else { step(50.0) * (0.01 - gain) };
        let error = (f64::from(output[0][frame]) - f64::from(*left) * gain).abs();
        assert!(error < 1e-7, "off by {error} at frame {frame}");
    }
}

#[test]
fn side_chain_filters_decide_what_opens() {
    let level = |frequency_hz: f64, params: &[(&str, f64)]| {
        let input = sine(1, 96_000, RATE, frequency_hz, 0.5);
        let output = render::<Gate>(RATE, params, &input, 512);
        output[0][72_000..].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
    };
    let high = [("sidechain_high_pass_hz", 1_000.0)];
    let low = [("sidechain_low_pass_hz", 200.0)];
    assert!(level(50.0, &high) < 0.0051, "52 dB down");
    assert!(level(3_000.0, &high) > 0.49);
    assert!(level(10_000.0, &low) < 0.0051);
    assert!(level(100.0, &low) > 0.49);
}

#[test]
fn all_channels_open_together() {
    let input = vec![vec![0.001; 9_600], vec![0.5; 9_600]];
    let output = render::<Gate>(RATE, PLAIN, &input, 512);
    assert_eq!(output[0][9_599], 0.001);
}

#[test]
fn look_ahead_is_the_latency_of_an_impulse_and_lets_it_through() {
    for (lookahead_ms, frames) in [(0.0, 0), (5.0, 240), (20.0, 960)] {
        let params = [("lookahead_ms", lookahead_ms), ("attack_ms", 0.2)];
        let mut rig = Rig::<Gate>::new(RATE, 1, 512).with_all(&params);
        rig.start().unwrap();
        assert_eq!(rig.latency(), frames);
        let mut signal = impulse(1, 2_000);
        rig.process(&mut signal, 512);
        let found: Vec<usize> = (0..2_000).filter(|at| signal[0][*at] != 0.0).collect();
        assert_eq!(found, [frames as usize]);
        assert_eq!(signal[0][frames as usize] == 1.0, frames > 0, "open in time");
    }
}

#[test]
fn range_changed_while_closed_moves_without_a_step() {
    let mut rig = Rig::<Gate>::new(RATE, 1, 512).with_all(PLAIN);
    rig.start().unwrap();
    rig.process(&mut stretches(&[(0.05, 4_800)]), 512);
    rig.set("range_db", 0.0);
    let mut after = stretches(&[(0.05, 48_000)]);
    rig.process(&mut after, 512);
    let jump = after[0].windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f32::max);
    assert!(after[0][0] < 0.0006 && jump < 0.05 / 2_000.0, "{jump}");
    assert!(after[0][47_999] > 0.0499);
}

#[test]
fn output_does_not_depend_on_blocks() {
    assert_block_invariant::<Gate>(RATE, 2, &[]);
    assert_block_invariant::<Gate>(44_100.0, 3, BUSY);
}

#[test]
fn reset_gives_a_fresh_gate() {
    assert_reset_is_fresh::<Gate>(RATE, 2, &[]);
    assert_reset_is_fresh::<Gate>(96_000.0, 2, BUSY);
}

#[test]
fn output_is_finite_for_any_input_and_setting() {
    assert_finite::<Gate>(RATE, 2, &[]);
    assert_finite::<Gate>(8_000.0, 1, BUSY);
    assert_finite::<Gate>(192_000.0, 5, BUSY);
}

#[test]
fn presets_can_be_started_and_have_names_of_their_own() {
    let presets = Gate::DESCRIPTION.presets;
    let names: BTreeSet<&str> = presets.iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), presets.len());
    for name in names {
        let mut rig = Rig::<Gate>::new(RATE, 2, 512).preset(name);
        rig.start().unwrap();
        rig.process(&mut noise(2, 4_096, 0.5), 512);
    }
}

#[test]
fn every_parameter_says_what_it_sets() {
    for param in Gate::DESCRIPTION.params {
        assert!(param.summary.ends_with('.'), "{}", param.key);
    }
}

#[test]
fn meter_shows_how_far_it_is_closed() {
    for (range_db, shown) in [(40.0, -40.0), (0.0, 0.0), (100.0, f32::NEG_INFINITY)] {
        let mut rig = Rig::<Gate>::new(RATE, 1, 512).with_all(PLAIN).with("range_db", range_db);
        rig.start().unwrap();
        rig.process(&mut [vec![0.001; 4_800]], 512);
        let reading = rig.effect().meter(0);
        assert!(reading == shown || (reading - shown).abs() < 0.01, "{reading}");
        rig.process(&mut [vec![0.5; 48_000]], 512);
        assert!(rig.effect().meter(0).abs() < 0.01, "{}", rig.effect().meter(0));
    }
}
