//! Stereo width, by numbers worked out by hand.

use crate::bench::{
    RATE_HZ, Signal, db, effect, impulse, module, noise, peak, power, render, run, set, sine,
    tail_frames,
};
use wavemill_core::audio::StreamSpec;
use wavemill_core::processor::Status;
use wavemill_core::units::Frames;
use wavemill_runtime::Settings;

fn rendered(values: &[(&str, f64)], input: &[Vec<f32>]) -> Signal {
    render(&module("stereo-width"), values, input)
}

/// A tone of 0.5 on one side only.
fn left_only(frequency_hz: f64) -> Signal {
    vec![sine(48_000, frequency_hz, 0.5), vec![0.0; 48_000]]
}

/// Power of mid and side, after the filter settled.
fn mid_and_side(signal: &[Vec<f32>]) -> (f64, f64) {
    let pairs = || signal[0][24_000..].iter().zip(&signal[1][24_000..]);
    let mid: Vec<f32> = pairs().map(|(l, r)| 0.5 * (l + r)).collect();
    let side: Vec<f32> = pairs().map(|(l, r)| 0.5 * (l - r)).collect();
    (power(&mid), power(&side))
}

#[test]
fn signal_passes_to_the_bit_at_the_defaults() {
    let mut input = noise(2, 5_000, 1.0);
    input[0][7] = -0.0;
    input[1][8] = 1e-40;
    let output = rendered(&[], &input);
    for (input, output) in input.iter().flatten().zip(output.iter().flatten()) {
        assert_eq!(input.to_bits(), output.to_bits());
    }
}

#[test]
fn width_of_zero_gives_identical_channels() {
    let input = noise(2, 5_000, 1.0);
    let output = rendered(&[("width", 0.0)], &input);
    assert_eq!(output[0], output[1]);
    for (frame, sample) in output[0].iter().enumerate() {
        let middle = 0.5 * (input[0][frame] + input[1][frame]);
        assert!((sample - middle).abs() < 1e-7);
    }
}

#[test]
fn width_of_two_doubles_the_side_signal() {
    // Left 1, right 0: mid 0.5, side 0.5; doubled 1.0: left 1.5, right -0.5.
    let output = rendered(&[("width", 2.0)], &impulse(2, 100));
    assert_eq!((output[0][0], output[1][0]), (1.5, -0.5));
    assert_eq!(peak(&[output[0][1..].to_vec(), output[1][1..].to_vec()]), 0.0);
}

#[test]
fn mid_and_side_gains_are_in_decibels() {
    let input = left_only(1_000.0);
    let (mid, side) = mid_and_side(&input);
    let (louder, softer) = mid_and_side(&rendered(&[("mid_db", 6.0), ("side_db", -12.0)], &input));
    assert!((db(louder / mid) - 6.0).abs() < 1e-4, "{}", db(louder / mid));
    assert!((db(softer / side) + 12.0).abs() < 1e-4, "{}", db(softer / side));
}

#[test]
fn balance_turns_one_side_down_and_leaves_the_other() {
    let input = vec![vec![0.5; 1_000]; 2];
    for (balance, left, right) in [(0.5, 0.25, 0.5), (-1.0, 0.5, 0.0), (1.0, 0.0, 0.5)] {
        let output = rendered(&[("balance", balance)], &input);
        assert_eq!((output[0][999], output[1][999]), (left, right), "{balance}");
    }
}

#[test]
fn bass_is_mono_below_the_corner_by_12_db_an_octave() {
    let lost = |frequency_hz: f64| {
        let input = left_only(frequency_hz);
        let (mid, side) = mid_and_side(&input);
        let (after, rest) = mid_and_side(&rendered(&[("mono_below_hz", 200.0)], &input));
        assert!(db(after / mid).abs() < 1e-4, "the mid signal stays");
        db(rest / side)
    };
    assert!((lost(200.0) + 3.01).abs() < 0.02, "{}", lost(200.0));
    // Butterworth, second order: |H|^2 = x^4 / (1 + x^4) with x = 1/4 is -24.1 dB.
    assert!((lost(50.0) + 24.1).abs() < 0.1, "{}", lost(50.0));
    assert!(lost(4_000.0).abs() < 0.01, "{}", lost(4_000.0));
}

#[test]
fn parameters_changed_in_a_tone_make_no_click() {
    let module = module("stereo-width");
    let input = left_only(200.0);
    for (key, value) in [
        ("width", 0.0),
        ("mid_db", -24.0),
        ("side_db", 6.0),
        ("mono_below_hz", 500.0),
        ("balance", 1.0),
    ] {
        for back in [false, true] {
            let mut effect = effect(&module, RATE_HZ, 2, &[]);
            run(&mut effect, &input, 1_000);
            set(&mut effect, key, value);
            if back {
                run(&mut effect, &input, 1_000);
                let param = module.description().param(key).unwrap();
                set(&mut effect, key, param.default);
            }
            let output = run(&mut effect, &input, 1_000).signal;
            for plane in &output {
                // The tone itself has steps of 0.0131, three times that after +6 dB on the side.
                let step =
                    plane.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
                assert!(step < 0.03, "`{key}` makes a step of {step}");
            }
        }
    }
}

#[test]
fn parameters_set_back_pass_to_the_bit_again() {
    let module = module("stereo-width");
    let mut effect = effect(&module, RATE_HZ, 2, &[("mono_below_hz", 100.0), ("width", 1.5)]);
    run(&mut effect, &noise(2, 4_000, 0.5), 1_000);
    set(&mut effect, "mono_below_hz", 20.0);
    set(&mut effect, "width", 1.0);
    run(&mut effect, &noise(2, 4_000, 0.5), 1_000);
    let input = noise(2, 4_000, 0.5);
    assert_eq!(run(&mut effect, &input, 1_000).signal, input);
}

#[test]
fn tail_is_that_of_the_filter_and_ends_below_minus_120_db() {
    let module = module("stereo-width");
    assert_eq!(tail_frames(&effect(&module, RATE_HZ, 2, &[("width", 0.5)])), 0);
    for corner_hz in [21.0, 100.0, 500.0] {
        let mut effect = effect(&module, RATE_HZ, 2, &[("mono_below_hz", corner_hz)]);
        run(&mut effect, &[vec![1.0; 48_000], vec![-1.0; 48_000]], 1_000);
        let tail = tail_frames(&effect);
        run(&mut effect, &noise(2, tail, 0.0), 1_000);
        let after = run(&mut effect, &noise(2, 48_000, 0.0), 1_000);
        assert!(peak(&after.signal) < 2e-6, "{corner_hz} Hz: {} after {tail}", peak(&after.signal));
        assert_eq!(after.status, Status::Silent);
    }
}

#[test]
fn other_channel_counts_are_refused_and_there_is_no_latency() {
    let module = module("stereo-width");
    let settings = Settings::defaults(module.description());
    for channels in [1, 3] {
        assert!(module.instantiate(&StreamSpec::new(48_000, channels), &settings, 64).is_err());
    }
    assert_eq!(effect(&module, RATE_HZ, 2, &[]).latency(), Frames::ZERO);
}
