//! The true peak afterwards, by a measure of 16 times oversampling and 96 taps a phase.

use super::oracle::{decibels, overshoot_db};
use super::signals::{
    Random, band_limited, burst, noise, normalized, random, samples, sine, times,
};
use super::{CEILING_DBTP, above_ceiling, limit, limit_mono};
use proptest::prelude::*;
use std::f64::consts::{PI, TAU};
use wavemill_core::limit::Linking;

/// What the limiter promises of signals without anything above 0.45 of their sample rate.
const BAND_LIMITED_DB: f64 = 0.05;

/// What it promises of others, where meters disagree.
const OTHERS_DB: f64 = 0.2;

const RATES_HZ: [u32; 4] = [8_000, 44_100, 96_000, 384_000];
const GAINS_DB: [f64; 5] = [0.1, 1.0, 3.0, 9.0, 20.0];

/// The largest overshoot of a signal with a true peak near 1, over all gains and some rates.
fn worst_db(signal: &[f64]) -> f64 {
    let mut worst = f64::NEG_INFINITY;
    for rate_hz in RATES_HZ {
        for gain_db in GAINS_DB {
            let loud: Vec<f64> =
                signal.iter().map(|value| value * above_ceiling(gain_db)).collect();
            let output = limit_mono(&samples(&loud), rate_hz);
            worst = worst.max(overshoot_db(&[output], CEILING_DBTP));
        }
    }
    worst
}

fn assert_within(name: &str, worst_db: f64, limit_db: f64) {
    println!("{name}: {worst_db:+.4} dB");
    assert!(worst_db < limit_db, "{name}: {worst_db} dB above the ceiling");
    assert!(worst_db > -0.5, "{name}: {worst_db} dB above the ceiling: turned down too much");
}

/// EBU Tech 3341, cases 15 to 19: sines whose samples miss their peaks.
#[test]
fn ebu_3341_sines_between_the_samples_stay_below_the_ceiling() {
    for (share, degrees) in [(0.25, 0.0), (0.25, 45.0), (1.0 / 6.0, 60.0), (0.125, 67.5)] {
        let phase = degrees * PI / 180.0;
        let tone = times(sine(3000, share, phase), burst(0, 3000, 300));
        assert_within("sine", worst_db(&tone), BAND_LIMITED_DB);
    }
}

/// EBU Tech 3341, cases 20 to 23: one louder period near a quarter of the sample rate within a quieter
/// tone at a sixth, low-passed at four times the rate and decimated from each of four offsets.
#[test]
fn ebu_3341_bursts_between_the_samples_stay_below_the_ceiling() {
    const START: usize = 4_800;
    let fine: Vec<f64> = (0..9_600)
        .map(|frame| {
            let is_burst = (START..START + 16).contains(&frame);
            let (amplitude, share) = if is_burst { (1.0, 1.0 / 16.0) } else { (0.5, 1.0 / 24.0) };
            amplitude * (TAU * share * (frame - START.min(frame)) as f64).sin()
        })
        .collect();
    let passed = super::signals::low_passed(&fine, 0.11);
    for offset in 0..4 {
        let decimated: Vec<f64> = passed.iter().skip(offset).step_by(4).copied().collect();
        assert_within("burst", worst_db(&decimated), BAND_LIMITED_DB);
    }
}

#[test]
fn bursts_of_any_length_at_any_frequency_stay_below_the_ceiling() {
    let mut random = Random::new(1);
    let mut worst = f64::NEG_INFINITY;
    for share in [0.003, 0.125, 0.2, 1.0 / 3.0, 0.4, 0.43, 0.449] {
        let (phase, length) = (random.between(0.0, TAU), random.between(1.0, 900.0) as usize);
        let edge = random.between(1.0, 60.0) as usize;
        let tone = times(sine(2000, share, phase), burst(700, 800 + length, edge));
        worst = worst.max(worst_db(&band_limited(&tone)));
    }
    assert_within("bursts", worst, BAND_LIMITED_DB);
}

#[test]
fn band_limited_noise_impulses_and_squares_stay_below_the_ceiling() {
    let mut random = Random::new(3);
    let impulses = (0..4000).map(|_| if random.share() < 0.02 { random.value() } else { 0.0 });
    let squares = (0..4000).map(|frame| if frame / 37 % 2 == 0 { 1.0 } else { -1.0 });
    let noises = times(noise(6000, 2), |frame| if frame / 300 % 3 == 0 { 1.0 } else { 0.1 });
    for (name, signal) in
        [("noise", noises), ("impulses", impulses.collect()), ("squares", squares.collect())]
    {
        let signal = normalized(band_limited(&signal));
        assert_within(name, worst_db(&signal), BAND_LIMITED_DB);
    }
}

/// Tones near 0.15 and from 0.35 to 0.45 of the sample rate: between two samples that miss the peak by 6 dB.
#[test]
fn peak_that_only_long_filters_see_stays_below_the_ceiling() {
    let signal = random(1000, 8_248_819_685_555_031_612);
    for gain_db in [-0.3466, 0.0, 3.0, 12.0] {
        let loud = samples(&times(signal.clone(), |_| above_ceiling(gain_db)));
        let overshoot = overshoot_db(&[limit_mono(&loud, 44_100)], CEILING_DBTP);
        assert!(overshoot < BAND_LIMITED_DB, "{gain_db} dB: {overshoot} dB above the ceiling");
    }
}

/// What is added to peaks for what meters disagree by must not cost those on which they agree.
#[test]
fn tones_are_turned_down_by_no_more_than_needed() {
    // The limiter aims 0.026 dB below; the rest is what two interpolations differ by.
    for (share, too_much_db) in [(0.01, 0.04), (0.2, 0.04), (0.3, 0.05), (0.4, 0.05), (0.45, 0.05)]
    {
        let fade = burst(0, 6000, 1500);
        let tone = times(sine(6000, share, 0.5), |frame| fade(frame) * above_ceiling(3.0));
        let output = limit_mono(&samples(&tone), 44_100);
        let power = output[2000..4000].iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 2000.0;
        let below_db = CEILING_DBTP - decibels((2.0 * power).sqrt());
        println!("{share} of the rate: {below_db:.4} dB below the ceiling");
        assert!(below_db > 0.0 && below_db < too_much_db, "{share}: {below_db}");
    }
}

/// Nothing to recover from: the first and the last sample of a file are as loud as the others.
#[test]
fn file_that_begins_and_ends_loud_stays_below_the_ceiling() {
    let cosine: Vec<f64> = sine(1000, 0.01, PI / 2.0);
    assert_within("edges", worst_db(&cosine), OTHERS_DB);
}

#[test]
fn white_noise_and_square_waves_stay_within_what_meters_disagree_by() {
    assert_within("white noise", worst_db(&normalized(noise(8000, 4))), OTHERS_DB);
    for half in [3, 50] {
        let square: Vec<f64> =
            (0..4000).map(|frame| if frame / half % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_within("square wave", worst_db(&square), OTHERS_DB);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(256) / 2,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_band_limited_signals_stay_below_the_ceiling(
        seed in any::<u64>(),
        rate_hz in prop_oneof![
            Just(44_100u32), Just(48_000), Just(8_000), Just(384_000), 8_000u32..384_000
        ],
        gain_db in -1.0..24.0,
        channel_count in 1usize..=12,
        is_linked in any::<bool>(),
    ) {
        let frame_count = 4000 / channel_count.min(4);
        let planes: Vec<Vec<f32>> = (0..channel_count)
            .map(|channel| {
                let signal = random(frame_count, seed.wrapping_add(channel as u64));
                samples(&times(signal, |_| above_ceiling(gain_db)))
            })
            .collect();
        let linking = if is_linked { Linking::Linked } else { Linking::PerChannel };
        let (output, _) = limit(&planes, rate_hz, linking, 4096);
        let overshoot = overshoot_db(&output, CEILING_DBTP);
        prop_assert!(overshoot < BAND_LIMITED_DB, "{overshoot} dB");
    }
}
