//! What every effect promises, and what a reverberator promises besides.

use effect_reverb::Reverb;
use wavemill_effect::testing::{self, Rig};
use wavemill_effect::{Effect, Tail};

const RATE_HZ: f64 = 48_000.0;

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
    for channels in [1, 2, 5] {
        testing::assert_block_invariant::<Reverb>(RATE_HZ, channels, &[]);
    }
    testing::assert_block_invariant::<Reverb>(8000.0, 2, &[("pre_delay_ms", 1.0)]);
}

#[test]
fn reset_is_as_good_as_new() {
    testing::assert_reset_is_fresh::<Reverb>(RATE_HZ, 2, &[]);
}

#[test]
fn output_is_finite_for_all_inputs_and_parameters() {
    testing::assert_finite::<Reverb>(RATE_HZ, 2, &[]);
    testing::assert_finite::<Reverb>(1000.0, 8, &[]);
}

#[test]
fn input_that_is_no_number_does_not_stay() {
    let mut rig = Rig::<Reverb>::new(RATE_HZ, 1, 64);
    rig.start().unwrap();
    rig.process(&mut [vec![f32::NAN, f32::INFINITY, -f32::INFINITY, f32::MAX, 0.5]], 64);
    let mut after = [vec![0.0; 4800]];
    rig.process(&mut after, 64);
    assert!(after[0].iter().all(|sample| sample.is_finite()));
    assert!(after[0].iter().any(|sample| sample.abs() > 0.001));
}

#[test]
fn dry_alone_returns_the_input_bit_by_bit() {
    let input = noise(2, 10_000);
    let output = testing::render::<Reverb>(RATE_HZ, &[("wet", 0.0)], &input, 333);
    assert_eq!(output, input);
}

#[test]
fn pre_delay_and_diffusers_bring_the_first_sound_when_asked() {
    for (pre_delay_ms, frames) in [(0.0, 0), (0.25, 12), (10.0, 480), (100.0, 4800)] {
        let params = [("pre_delay_ms", pre_delay_ms), ("dry", 0.0), ("low_cut_hz", 10.0)];
        let output = testing::render::<Reverb>(RATE_HZ, &params, &[vec![1.0]], 256);
        let first = output[0].iter().position(|sample| *sample != 0.0);
        assert_eq!(first, Some(frames));
    }
}

#[test]
fn width_0_gives_the_same_on_both_sides() {
    let params = [("width", 0.0), ("dry", 0.0), ("wet", 1.0)];
    let output = testing::render::<Reverb>(RATE_HZ, &params, &noise(2, 4800), 256);
    assert_eq!(output[0], output[1]);
}

#[test]
fn sound_on_one_side_comes_from_both_and_unlike() {
    let mut input = noise(2, 4800);
    input[1].fill(0.0);
    let params = [("dry", 0.0), ("wet", 1.0)];
    let output = testing::render::<Reverb>(RATE_HZ, &params, &input, 256);
    let product = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let (left, right) = (&output[0], &output[1]);
    let energies = (product(left, left), product(right, right));
    assert!((0.3..1.0).contains(&(energies.1 / energies.0)), "{energies:?}");
    let correlation = product(left, right) / (energies.0 * energies.1).sqrt();
    assert!(correlation.abs() < 0.1, "a correlation of {correlation}");
}

#[test]
fn sum_to_mono_loses_no_energy() {
    let params = [("dry", 0.0), ("wet", 1.0)];
    let output = testing::render::<Reverb>(RATE_HZ, &params, &noise(2, 48_000), 256);
    let energy = |signal: &mut dyn Iterator<Item = f32>| -> f64 {
        signal.map(|sample| f64::from(sample) * f64::from(sample)).sum()
    };
    let apart = energy(&mut output[0].iter().copied()) + energy(&mut output[1].iter().copied());
    let sum = energy(&mut output[0].iter().zip(&output[1]).map(|(left, right)| left + right));
    let loss_db = 10.0 * (sum / apart).ln() / 10_f64.ln();
    assert!(loss_db.abs() < 1.0, "{loss_db} dB");
}

#[test]
fn output_decays_to_nothing_and_wakes_up_again() {
    let mut rig = Rig::<Reverb>::new(RATE_HZ, 2, 4096).with("decay_s", 0.3);
    rig.start().unwrap();
    rig.process(&mut noise(2, 4096), 4096);
    rig.process(&mut vec![vec![0.0; 96_000]; 2], 4096);
    let mut end = vec![vec![0.0; 4096]; 2];
    rig.process(&mut end, 4096);
    assert!(end.iter().flatten().all(|sample| *sample == 0.0));
    let mut again = noise(2, 9600);
    rig.process(&mut again, 4096);
    assert!(again != noise(2, 9600));
}

#[test]
fn tail_ends_where_it_says() {
    for (room_size, decay_s) in [(0.0, 0.2), (0.5, 1.6), (1.0, 3.0)] {
        let mut rig = Rig::<Reverb>::new(RATE_HZ, 2, 4096)
            .with("room_size", room_size)
            .with("decay_s", decay_s)
            .with("damping", 0.0)
            .with("low_cut_hz", 10.0)
            .with("wet", 1.0);
        rig.start().unwrap();
        let Tail::Frames(tail) = rig.tail() else { panic!("an endless tail") };
        assert!(f64::from(tail) / RATE_HZ < 2.1 * decay_s + 0.6, "{tail} frames");
        rig.process(&mut noise(2, 48_000), 4096);
        rig.process(&mut vec![vec![0.0; tail as usize]; 2], 4096);
        let mut after = vec![vec![0.0; 48_000]; 2];
        rig.process(&mut after, 4096);
        let peak = after.iter().flatten().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak < 1e-6, "{peak} after the tail of {decay_s} s");
    }
}

#[test]
fn tail_of_dry_alone_is_none() {
    let mut rig = Rig::<Reverb>::new(RATE_HZ, 2, 64).with("wet", 0.0);
    rig.start().unwrap();
    assert_eq!(rig.tail(), Tail::Frames(0));
}

#[test]
fn presets_name_known_parameters_within_their_ranges() {
    let description = Reverb::DESCRIPTION;
    for preset in description.presets {
        for (key, value) in preset.values {
            let param = description.params.iter().find(|param| param.key == *key);
            let param = param.unwrap_or_else(|| panic!("{}: no {key}", preset.name));
            assert!((param.min..=param.max).contains(value), "{}: {key}", preset.name);
        }
    }
}
