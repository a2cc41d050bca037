//! What every effect promises, and what an equalizer promises besides.

use effect_parametric_eq::{ParametricEq, Shape};
use wavemill_effect::testing::{self, Rig};
use wavemill_effect::{Effect, Tail};

const RATE_HZ: f64 = 48_000.0;

/// Bands of several kinds.
const BUSY: &[(&str, f64)] = &[
    ("band_1_type", 4.0),
    ("band_1_frequency_hz", 40.0),
    ("band_2_gain_db", -3.0),
    ("band_3_gain_db", 6.0),
    ("band_3_q", 8.0),
    ("band_5_type", 6.0),
    ("band_6_gain_db", 4.0),
    ("band_7_gain_db", -9.0),
    ("band_8_gain_db", 5.0),
    ("output_gain_db", -2.0),
];

fn noise(channels: usize, frames: usize) -> Vec<Vec<f32>> {
    let mut seed = 1_u32;
    let mut sample = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..channels).map(|_| (0..frames).map(|_| sample()).collect()).collect()
}

#[test]
fn output_does_not_depend_on_the_blocks() {
    for channels in [1, 2, 3] {
        testing::assert_block_invariant::<ParametricEq>(RATE_HZ, channels, BUSY);
    }
}

#[test]
fn reset_is_as_good_as_new() {
    testing::assert_reset_is_fresh::<ParametricEq>(RATE_HZ, 2, BUSY);
}

#[test]
fn output_is_finite_for_all_inputs_and_parameters() {
    testing::assert_finite::<ParametricEq>(RATE_HZ, 2, BUSY);
    testing::assert_finite::<ParametricEq>(8000.0, 1, BUSY);
}

#[test]
fn input_that_is_no_number_does_not_stay() {
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 1, 64).with_all(BUSY);
    rig.start().unwrap();
    let mut signal = vec![vec![f32::NAN, f32::INFINITY, -f32::INFINITY, f32::MAX, 0.5]];
    rig.process(&mut signal, 64);
    assert!(signal[0].iter().all(|sample| sample.is_finite()));
    assert!(signal[0][4].abs() > 0.01);
}

#[test]
fn flat_equalizer_returns_its_input_bit_by_bit() {
    let input = noise(2, 10_000);
    let output = testing::render::<ParametricEq>(RATE_HZ, &[], &input, 333);
    assert_eq!(output, input);
}

#[test]
fn bands_that_went_back_to_0_db_return_the_input_bit_by_bit() {
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 2, 256).with("band_3_gain_db", 12.0);
    rig.start().unwrap();
    rig.process(&mut noise(2, 4096), 256);
    rig.set("band_3_gain_db", 0.0);
    // The glide takes 20 ms, and what rings on is below -400 dBFS soon after.
    rig.process(&mut noise(2, 9600), 256);
    let input = noise(2, 4096);
    let mut output = input.clone();
    rig.process(&mut output, 256);
    assert_eq!(output, input);
}

#[test]
fn output_decays_to_nothing() {
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 2, 4096).with_all(BUSY);
    rig.start().unwrap();
    rig.process(&mut noise(2, 4096), 4096);
    rig.process(&mut vec![vec![0.0; 96_000]; 2], 4096);
    let mut end = vec![vec![0.0; 4096]; 2];
    rig.process(&mut end, 4096);
    assert!(end.iter().flatten().all(|sample| *sample == 0.0));
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to the samples' type")]
fn sine(frames: usize, step: f64, from: usize) -> Vec<f32> {
    (from..from + frames).map(|frame| (step * frame as f64).sin() as f32).collect()
}

/// Largest sample after a second of a full-scale sine and the tail that the effect states.
fn after_tail(params: &[(&str, f64)], sine_hz: f64) -> f32 {
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 1, 4096).with_all(params);
    rig.start().expect("the effect can be created");
    let Tail::Frames(tail) = rig.tail() else { panic!("an endless tail") };
    rig.process(&mut [sine(48_000, std::f64::consts::TAU * sine_hz / RATE_HZ, 0)], 4096);
    rig.process(&mut [vec![0.0; tail as usize]], 4096);
    let mut after = vec![vec![0.0; 48_000]];
    rig.process(&mut after, 4096);
    after[0].iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// -120 dBFS.
const GONE: f32 = 1e-6;

#[test]
fn tail_ends_where_it_says() {
    assert!(after_tail(BUSY, 400.0) < GONE);
    assert!(after_tail(&[("band_1_gain_db", 24.0), ("band_1_q", 40.0)], 100.0) < GONE);
    let notch = f64::from(Shape::Notch as u32);
    assert!(after_tail(&[("band_1_type", notch), ("band_1_q", 20.0)], 97.0) < GONE);
}

#[test]
fn tail_of_eight_like_bands_ends_where_it_says() {
    let keys: Vec<[String; 3]> = (1..=8)
        .map(|band| ["type", "frequency_hz", "q"].map(|field| format!("band_{band}_{field}")))
        .collect();
    for shape in [Shape::HighPass, Shape::LowPass, Shape::BandPass, Shape::Notch] {
        let values = [f64::from(shape as u32), 200.0, 1.5];
        let params: Vec<(&str, f64)> =
            keys.iter().flat_map(|keys| keys.iter().map(String::as_str).zip(values)).collect();
        for sine_hz in [150.0, 200.0, 230.0] {
            let after = after_tail(&params, sine_hz);
            assert!(after < GONE, "{after} with {shape:?} at {sine_hz} Hz");
        }
    }
}

#[test]
fn tail_of_a_flat_equalizer_is_none() {
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 2, 64);
    rig.start().unwrap();
    assert_eq!(rig.tail(), Tail::Frames(0));
}

#[test]
fn tail_is_not_many_times_too_long() {
    // One band at 100 Hz with a Q of 1: poles decay with Q / (pi f) = 3.2 ms, 120 dB take 13.8 of those.
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 1, 64)
        .with("band_1_type", 1.0)
        .with("band_1_q", 1.0)
        .with("band_1_gain_db", -0.01);
    rig.start().unwrap();
    let Tail::Frames(tail) = rig.tail() else { panic!("an endless tail") };
    let tail_ms = f64::from(tail) / 48.0;
    assert!((40.0..50.0).contains(&tail_ms), "{tail_ms} ms");
}

#[test]
fn glide_to_another_gain_makes_no_step() {
    let mut rig = Rig::<ParametricEq>::new(RATE_HZ, 1, 64);
    rig.start().unwrap();
    let mut output = Vec::new();
    for block in 0..200_usize {
        if block == 50 {
            rig.set("output_gain_db", 12.0);
            rig.set("band_5_gain_db", -24.0);
            rig.set("band_1_type", 3.0);
            rig.set("band_1_gain_db", 6.0);
        }
        // A slow sine: one frame changes it by no more than 0.005.
        let mut signal = [sine(64, 0.005, block * 64)];
        rig.process(&mut signal, 64);
        output.append(&mut signal[0]);
    }
    let step = output.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    // Times 8, the final gain, and what 20 ms of gliding add.
    assert!(step < 0.06, "a step of {step}");
    assert!(output.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())) > 3.0);
}

#[test]
fn presets_name_known_parameters_within_their_ranges() {
    let description = ParametricEq::DESCRIPTION;
    for preset in description.presets {
        for (key, value) in preset.values {
            let param = description.params.iter().find(|param| param.key == *key);
            let param = param.unwrap_or_else(|| panic!("{}: no {key}", preset.name));
            assert!((param.min..=param.max).contains(value), "{}: {key}", preset.name);
        }
    }
}

#[test]
fn shapes_are_numbered_as_their_labels() {
    let param = ParametricEq::DESCRIPTION.params.iter().find(|param| param.key == "band_1_type");
    let labels = param.unwrap().labels;
    assert_eq!(labels[Shape::Off as usize], "off");
    assert_eq!(labels[Shape::Peak as usize], "peak");
    assert_eq!(labels[Shape::LowShelf as usize], "low-shelf");
    assert_eq!(labels[Shape::HighShelf as usize], "high-shelf");
    assert_eq!(labels[Shape::HighPass as usize], "high-pass");
    assert_eq!(labels[Shape::LowPass as usize], "low-pass");
    assert_eq!(labels[Shape::Notch as usize], "notch");
    assert_eq!(labels[Shape::BandPass as usize], "band-pass");
    assert_eq!(labels[Shape::Tilt as usize], "tilt");
    assert_eq!(labels.len(), 9);
}
