//! The whole saturator on a test bench.

use crate::Saturator;
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
    ("drive_db", 20.0),
    ("curve", 2.0),
    ("bias", -0.3),
    ("mix", 0.7),
    ("output_db", -5.0),
    ("oversampling", 3.0),
];

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log2() / std::f64::consts::LOG2_10
}

/// Amplitude of `cycles` cycles in the whole slice.
fn amplitude_at(cycles: usize, signal: &[f32]) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (frame, sample) in signal.iter().enumerate() {
        // Whole turns are taken off before rounding can spoil them.
        let phase = TAU * (frame * cycles % signal.len()) as f64 / signal.len() as f64;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
    }
    let is_constant = cycles == 0 || 2 * cycles == signal.len();
    re.hypot(im) / signal.len() as f64 * if is_constant { 1.0 } else { 2.0 }
}

/// Output for a sine of `cycles` cycles in `frames` frames, when it has settled: one such stretch.
fn settled(cycles: f64, frames: usize, amplitude: f32, params: &[(&str, f64)]) -> Vec<f32> {
    let input = sine(1, 96_000 / frames * frames, frames as f64, cycles, amplitude);
    let output = render::<Saturator>(RATE, params, &input, 512);
    output[0][input[0].len() - frames..input[0].len()].to_vec()
}

/// Level in dB below the fundamental of the strongest alias of a full-scale sine below `limit` cycles.
fn strongest_alias_db(cycles: usize, frames: usize, limit: usize, params: &[(&str, f64)]) -> f64 {
    let output = settled(cycles as f64, frames, 1.0, params);
    let aliases = (1..limit).filter(|bin| !bin.is_multiple_of(cycles));
    let strongest = aliases.map(|bin| amplitude_at(bin, &output)).fold(0.0, f64::max);
    db(strongest / amplitude_at(cycles, &output))
}

/// 5 kHz at 48 kHz (480 frames hold 50 cycles) and at 44.1 kHz, up to 0.449 of the rate.
fn strongest_aliases_db(params: &[(&str, f64)]) -> [f64; 2] {
    [strongest_alias_db(50, 480, 215, params), strongest_alias_db(50, 441, 198, params)]
}

#[test]
fn aliases_of_a_5_khz_sine_at_12_db_of_drive_stay_80_db_below_with_4x() {
    for (curve, limit_db) in [(0.0, [-110.0, -110.0]), (1.0, [-90.0, -90.0]), (2.0, [-80.0, -79.0])]
    {
        let aliases = strongest_aliases_db(&[("drive_db", 12.0), ("curve", curve)]);
        assert!(aliases[0] < limit_db[0] && aliases[1] < limit_db[1], "{curve}: {aliases:?}");
    }
}

#[test]
fn aliases_fall_with_every_doubling_as_the_manual_says() {
    for (curve, at_24_db) in [(0.0, -71.0), (1.0, -64.0), (2.0, -63.0)] {
        let at = |drive_db: f64, oversampling: f64| {
            let params = [("drive_db", drive_db), ("curve", curve), ("oversampling", oversampling)];
            let [a, b] = strongest_aliases_db(&params);
            a.max(b)
        };
        assert!(at(18.0, 2.0) < -56.0 && at(18.0, 3.0) < -89.0);
        assert!(at(24.0, 3.0) < at_24_db);
        assert!(at(36.0, 3.0) < -40.0);
        assert!(at(9.0, 1.0) < at(9.0, 0.0) - 25.0);
    }
}

#[test]
fn signal_without_drive_passes_within_a_thousandth_of_a_db() {
    for oversampling in 0..4 {
        for curve in [0, 2] {
            for cycles in [10.0, 150.0, 210.0] {
                let params = [
                    ("drive_db", 0.0),
                    ("curve", f64::from(curve)),
                    ("oversampling", f64::from(oversampling)),
                ];
                let output = settled(cycles, 480, 0.9, &params);
                let input = settled(cycles, 480, 0.9, &[("mix", 0.0), params[2]]);
                let pairs = output.iter().zip(&input);
                let worst = pairs.map(|(o, i)| (o - i).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-4, "{worst} with {params:?} at {cycles}");
            }
        }
    }
}

#[test]
fn mix_of_zero_is_the_delayed_input_to_the_bit() {
    for (oversampling, latency) in [(0.0, 0), (1.0, 63), (2.0, 70), (3.0, 72)] {
        let input = noise(2, 3_000, 1.0);
        let params = [("mix", 0.0), ("oversampling", oversampling), ("drive_db", 30.0)];
        let output = render::<Saturator>(RATE, &params, &input, 100);
        assert!(output[0][latency..latency + 3_000] == input[0]);
        assert!(output[1][latency..latency + 3_000] == input[1]);
    }
}

#[test]
fn latency_is_where_the_impulse_is_largest_and_even_around_it() {
    for (oversampling, latency) in [(0.0, 0), (1.0, 63), (2.0, 70), (3.0, 72)] {
        let params = [("drive_db", 0.0), ("oversampling", oversampling)];
        let mut rig = Rig::<Saturator>::new(RATE, 1, 512).with_all(&params);
        rig.start().unwrap();
        assert_eq!(rig.latency(), latency);
        let mut signal = impulse(1, 400);
        rig.process(&mut signal, 512);
        let (latency, signal) = (latency as usize, &signal[0]);
        assert!(signal[latency] > 0.85 && signal.iter().all(|s| *s <= signal[latency]));
        // The part that is not even is what the removal of constants takes.
        let is_even = |k: usize| (signal[latency - k] - signal[latency + k]).abs() < 2e-4;
        assert!((0..=latency).all(is_even), "{latency}");
    }
}

#[test]
fn quiet_signal_gets_louder_by_the_drive_and_full_scale_stays() {
    for curve in 0..3 {
        for drive_db in [3.0, 12.0, 30.0] {
            let params = [("drive_db", drive_db), ("curve", f64::from(curve))];
            let quiet = settled(10.0, 480, 1e-4, &params);
            let gain_db = db(amplitude_at(10, &quiet) / 1e-4);
            assert!((gain_db - drive_db).abs() < 0.01, "{gain_db}");
        }
        let params = [("drive_db", 12.0), ("curve", f64::from(curve))];
        let loud = settled(1.0, 480, 1.0, &params);
        let peak = loud.iter().fold(0.0_f32, |peak, sample| peak.max(*sample));
        assert!((peak - 1.0).abs() < if curve == 2 { 0.15 } else { 0.001 }, "{peak}");
    }
}

/// Amplitude of a harmonic of `curve(k (sin + bias))`, by summing over a period in `f64`.
fn reference_harmonic(order: usize, curve: impl Fn(f64) -> f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for step in 0..4_096 {
        let phase = TAU * f64::from(step) / 4_096.0;
        let value = curve(phase.sin());
        re += value * (order as f64 * phase).cos();
        im += value * (order as f64 * phase).sin();
    }
    re.hypot(im) / 2_048.0
}

#[test]
fn harmonics_are_those_of_the_curve() {
    // 12 dB of drive: 3.981 = k / tanh(k) = sqrt(1 + k^2).
    let (gain, tanh_k) = (10.0_f64.powf(0.6), 3.978_4);
    assert!((tanh_k / f64::tanh(tanh_k) - gain).abs() < 1e-3);
    let soft_k = (gain * gain - 1.0).sqrt();
    let soft = |z: f64| z / (1.0 + z * z).sqrt();
    let tube = |z: f64| (z - 0.25 * z * z / (1.0 + z * z)).tanh();
    let curves: [&dyn Fn(f64, f64) -> f64; 3] = [
        &|x, bias| (tanh_k * (x + bias)).tanh() / tanh_k.tanh(),
        &|x, bias| soft(soft_k * (x + bias)) / soft(soft_k),
        &|x, bias| tube(tanh_k * (x + bias)) / tanh_k.tanh(),
    ];
    for (number, curve) in curves.into_iter().enumerate() {
        for bias in [0.0, 0.3] {
            let params = [("drive_db", 12.0), ("curve", number as f64), ("bias", bias)];
            let output = settled(10.0, 480, 1.0, &params);
            for order in 1..=6 {
                let expected = reference_harmonic(order, |x| curve(x, bias));
                let actual = amplitude_at(10 * order, &output);
                // The low-pass of the removal still has 0.5 % of what 1 kHz gained.
                assert!((actual - expected).abs() < 2e-3, "{actual}, not {expected}: {params:?}");
                if expected < 1e-9 {
                    assert!(actual < 1e-5, "even harmonic {order}: {actual}");
                }
            }
        }
    }
}

#[test]
fn constant_that_the_bias_makes_is_removed() {
    for (curve, bias) in [(0.0, 0.5), (1.0, -0.8), (2.0, 0.0)] {
        let params = [("drive_db", 12.0), ("curve", curve), ("bias", bias)];
        let output = settled(10.0, 480, 0.8, &params);
        let constant = amplitude_at(0, &output);
        assert!(constant < 1e-4, "{constant}");
    }
}

#[test]
fn silence_stays_silence_whatever_the_bias() {
    for curve in 0..3 {
        let params = [("drive_db", 25.0), ("curve", f64::from(curve)), ("bias", 0.7)];
        let output = render::<Saturator>(RATE, &params, &silence(2, 5_000), 512);
        assert!(output.iter().flatten().all(|sample| *sample == 0.0));
    }
}

#[test]
fn half_of_the_mix_is_half_of_both_in_time_with_each_other() {
    // Drive 0: both are the same, so a delay of one against the other would show as a comb.
    let params = [("drive_db", 0.0), ("mix", 0.5), ("output_db", -6.0)];
    let output = settled(200.0, 480, 0.5, &params);
    let expected = 0.5 * 10.0_f64.powf(-0.3);
    assert!((db(amplitude_at(200, &output) / expected)).abs() < 0.01);
}

#[test]
fn drive_turned_while_it_runs_glides() {
    let mut rig = Rig::<Saturator>::new(RATE, 1, 512).with("drive_db", 0.0).with("bias", -0.5);
    rig.start().unwrap();
    let input = || vec![vec![0.05_f32; 4_800]];
    rig.process(&mut input(), 512);
    rig.set("drive_db", 24.0);
    rig.set("bias", 0.5);
    let mut after = input();
    rig.process(&mut after, 512);
    let jump = after[0].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(jump < 0.01, "{jump}");
}

#[test]
fn output_does_not_depend_on_blocks() {
    assert_block_invariant::<Saturator>(RATE, 2, &[]);
    assert_block_invariant::<Saturator>(44_100.0, 3, BUSY);
    assert_block_invariant::<Saturator>(RATE, 1, &[("oversampling", 0.0)]);
    assert_block_invariant::<Saturator>(RATE, 1, &[("oversampling", 1.0), ("curve", 1.0)]);
}

#[test]
fn reset_gives_a_fresh_saturator() {
    assert_reset_is_fresh::<Saturator>(RATE, 2, &[]);
    assert_reset_is_fresh::<Saturator>(96_000.0, 2, BUSY);
}

#[test]
fn output_is_finite_for_any_input_and_setting() {
    assert_finite::<Saturator>(RATE, 2, &[]);
    assert_finite::<Saturator>(8_000.0, 1, BUSY);
}

#[test]
fn tail_is_as_long_as_it_says() {
    assert_tail_is_honest::<Saturator>(RATE, 1, &[]);
    assert_tail_is_honest::<Saturator>(RATE, 2, &[("oversampling", 3.0), ("drive_db", 0.0)]);
}

#[test]
fn presets_can_be_started_and_have_names_of_their_own() {
    let presets = Saturator::DESCRIPTION.presets;
    let names: BTreeSet<&str> = presets.iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), presets.len());
    for name in names {
        let mut rig = Rig::<Saturator>::new(RATE, 2, 512).preset(name);
        rig.start().unwrap();
        rig.process(&mut noise(2, 4_096, 0.5), 512);
    }
}

#[test]
fn every_parameter_says_what_it_sets() {
    for param in Saturator::DESCRIPTION.params {
        assert!(param.summary.ends_with('.'), "{}", param.key);
    }
}
