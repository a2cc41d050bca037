//! What stays as it is, bit by bit.

use super::oracle::true_peak;
use super::signals::{burst, normalized, random, samples, sine, times};
use super::{above_ceiling, limit, limit_mono, limiter};
use proptest::prelude::*;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::limit::{Character, Limited, Linking};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::units::{Decibels, Seconds};

/// How far below the ceiling a signal must stay by the tests' own measure: what two measures of 64
/// and 96 taps disagree by, at most.
const METERS_DB: f64 = 0.03;

fn bits(planes: &[Vec<f32>]) -> Vec<Vec<u32>> {
    planes.iter().map(|plane| plane.iter().map(|sample| sample.to_bits()).collect()).collect()
}

/// With the standard's short filter, which may read higher.
fn standard_true_peak(plane: &[f32]) -> f64 {
    let mut meter = LoudnessMeter::new(&StreamSpec::new(48_000, 1), MonoMode::Single);
    meter.push(&Block::from_planes(&[plane]));
    meter.finish().true_peak_dbtp.map_or(0.0, |peak| Decibels(peak.0).to_amplitude())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(256) / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn signal_at_the_ceiling_stays_as_it_is(
        seed in any::<u64>(),
        rate_hz in 8_000u32..=384_000,
        channel_count in 1usize..=12,
        below_db in METERS_DB..0.2,
    ) {
        let planes: Vec<Vec<f32>> = (0..channel_count as u64)
            .map(|channel| {
                let signal = random(1500, seed.wrapping_add(channel));
                let plane = samples(&signal);
                let peak = true_peak(&plane).max(standard_true_peak(&plane)).max(1e-9);
                samples(&times(signal, |_| above_ceiling(-below_db) / peak))
            })
            .collect();
        let (output, limited) = limit(&planes, rate_hz, Linking::Linked, 4096);
        prop_assert_eq!(limited, Limited::default());
        prop_assert!(bits(&output) == bits(&planes));
    }

    #[test]
    fn output_does_not_depend_on_the_blocks(
        seed in any::<u64>(),
        rate_hz in 8_000u32..=192_000,
        channel_count in 1usize..=6,
        block_frames in 1usize..700,
        is_linked in any::<bool>(),
    ) {
        let linking = if is_linked { Linking::Linked } else { Linking::PerChannel };
        let planes: Vec<Vec<f32>> = (0..channel_count as u64)
            .map(|channel| samples(&times(random(2000, seed.wrapping_add(channel)), |_| 2.0)))
            .collect();
        let (whole, limited) = limit(&planes, rate_hz, linking, usize::MAX / 2);
        let (cut, of_cut) = limit(&planes, rate_hz, linking, block_frames);
        prop_assert!(bits(&cut) == bits(&whole));
        prop_assert_eq!(of_cut, limited);
    }
}

#[test]
fn samples_are_the_same_again_after_a_peak() {
    const RATE: usize = 44_100;
    let quiet = times(sine(3 * RATE, 0.031, 0.4), |_| above_ceiling(-1.0));
    let loud = burst(RATE / 2, RATE / 2 + 30, 10);
    let input = samples(&times(quiet, |frame| 1.0 + loud(frame)));
    let output = limit_mono(&input, RATE as u32);
    let changed: Vec<usize> = (0..input.len())
        .filter(|&frame| input[frame].to_bits() != output[frame].to_bits())
        .collect();
    let (first, last) = (changed[0], *changed.last().unwrap());
    // Not before the look-ahead of 5 ms, and three groups for rounding it up.
    assert!(first >= RATE / 2 - 221 - 32, "{first}");
    assert!(last < RATE / 2 + RATE, "{last}");
}

#[test]
fn linked_channels_keep_their_image_and_others_do_not() {
    let left = samples(&times(sine(8000, 0.011, 0.0), |_| above_ceiling(4.0)));
    let right = samples(&times(sine(8000, 0.017, 1.0), |_| above_ceiling(-6.0)));
    let planes = [left, right];
    let (linked, _) = limit(&planes, 48_000, Linking::Linked, 512);
    for frame in 0..8000 {
        let gain = |channel: usize| linked[channel][frame] / planes[channel][frame];
        if planes.iter().all(|plane| plane[frame].abs() > 0.01) {
            assert!((gain(0) - gain(1)).abs() < 1e-6, "{frame}");
            assert!(gain(1) < 0.64, "{frame}");
        }
    }
    let (apart, _) = limit(&planes, 48_000, Linking::PerChannel, 512);
    assert_eq!(bits(&apart)[1], bits(&planes)[1]);
    assert_eq!(bits(&apart)[0], bits(&linked)[0]);
}

#[test]
fn reset_limiter_is_a_new_one() {
    let spec = StreamSpec::new(44_100, 1);
    let mut limiter = limiter(Character::Clean, &spec, Linking::Linked);
    let input = samples(&times(normalized(random(5000, 3)), |_| 3.0));
    let mut first = Block::from_planes(&[&input]);
    limiter.process(&mut first);
    let limited = limiter.limited();
    assert!(limited.reduction_max_db > 6.0);
    limiter.reset();
    assert_eq!(limiter.limited(), Limited::default());
    let mut second = Block::from_planes(&[&input]);
    limiter.process(&mut second);
    assert!(first.plane(0) == second.plane(0));
    assert_eq!(limiter.limited(), limited);
}

#[test]
fn limiter_reports_how_much_and_how_long() {
    // Half a second 4 dB above the ceiling in a quieter tone.
    let loud = burst(24_000, 48_000, 1);
    let tone = times(sine(96_000, 0.021, 0.0), |frame| {
        above_ceiling(-6.0) + loud(frame) * (above_ceiling(4.0) - above_ceiling(-6.0))
    });
    let (_, limited) = limit(&[samples(&tone)], 48_000, Linking::Linked, 4096);
    assert!((limited.reduction_max_db - 4.0).abs() < 0.1, "{limited:?}");
    // The release is above 1 dB for some tenths of a second more.
    let Seconds(time_s) = limited.time_above_1_db;
    assert!(time_s > 0.5 && time_s < 1.5, "{limited:?}");
    assert!(limited.time_reduced.0 > time_s);
}

#[test]
fn samples_that_are_not_finite_disturb_only_their_neighborhood() {
    let mut input = samples(&times(sine(96_000, 0.021, 0.0), |_| above_ceiling(-3.0)));
    input[5000] = f32::NAN;
    input[9000] = f32::INFINITY;
    let output = limit_mono(&input, 48_000);
    assert!(output[5000].is_nan());
    assert!(output.iter().filter(|sample| !sample.is_finite()).count() <= 2);
    assert_eq!(output[90_000].to_bits(), input[90_000].to_bits());
}

#[test]
fn limiter_without_channels_does_nothing() {
    let spec = StreamSpec::new(44_100, 0);
    for linking in [Linking::Linked, Linking::PerChannel] {
        let mut limiter = limiter(Character::Clean, &spec, linking);
        let mut block = Block::new(0, 500);
        block.set_frame_count(500);
        limiter.process(&mut block);
        assert_eq!(limiter.limited(), Limited::default());
    }
}
