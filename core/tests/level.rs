//! The level meter: numbers worked out by hand, and independence of blocks.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::music;
use std::f64::consts::TAU;
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec};
use wavemill_core::measure::{LevelMeter, LevelReport};

fn measure(planes: &[Vec<f32>], format: PcmFormat, rate_hz: u32, block: usize) -> LevelReport {
    let mut meter = LevelMeter::new(&StreamSpec::new(rate_hz, planes.len()), format);
    let frame_count = planes.first().map_or(0, Vec::len);
    for start in (0..frame_count).step_by(block) {
        let end = (start + block).min(frame_count);
        let cut: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        meter.push(&Block::from_planes(&cut));
    }
    meter.finish()
}

fn mono(plane: &[f32]) -> LevelReport {
    measure(&[plane.to_vec()], PcmFormat::FLOAT, 48_000, 4096)
}

fn sine(hz: f64, amplitude: f64, frame_count: usize) -> Vec<f32> {
    let sample = |frame: usize| amplitude * (TAU * (hz * frame as f64 / 48_000.0 + 0.01)).sin();
    (0..frame_count).map(|frame| sample(frame) as f32).collect()
}

#[test]
fn full_scale_sine_has_rms_of_minus_3_01_and_crest_of_3_01() {
    let report = mono(&sine(1000.0, 1.0, 48_000));
    assert!((report.rms_dbfs.unwrap().0 + 3.0103).abs() < 1e-3);
    assert!((report.crest_factor_db.unwrap().0 - 3.0103).abs() < 0.02);
    assert_eq!(report.dynamic_range_db, report.crest_factor_db);
    assert!((report.rms_amplitude - 0.5f64.sqrt()).abs() < 1e-5);
}

#[test]
fn rms_is_over_all_channels_and_frames() {
    let report = measure(&[vec![0.5; 10], vec![0.0; 10]], PcmFormat::FLOAT, 48_000, 3);
    assert!((report.rms_amplitude - (0.25f64 / 2.0).sqrt()).abs() < 1e-12);
    assert!((report.peak_amplitude - 0.5).abs() < 1e-12);
}

/// +0.1 and -0.1 read 0.
#[test]
fn dc_offset_is_that_of_each_channel_and_of_the_worst() {
    let planes = [vec![0.1; 1000], vec![-0.25; 1000], [[0.5, -0.5]; 500].as_flattened().to_vec()];
    let report = measure(&planes, PcmFormat::FLOAT, 48_000, 77);
    let expected = [f64::from(0.1f32), -0.25, 0.0];
    assert_eq!(report.dc_offset_by_channel.len(), 3);
    for (found, expected) in report.dc_offset_by_channel.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{report:?}");
    }
    assert!((report.dc_offset.unwrap() + 0.25).abs() < 1e-12);
}

#[test]
fn zero_crossings_of_a_tone_are_two_a_period() {
    assert_eq!(mono(&sine(100.0, 0.5, 48_000)).zero_crossings, 200);
}

#[test]
fn zero_counts_as_positive() {
    assert_eq!(mono(&[1.0, 0.0, 1.0, -1.0, 0.0, -0.0]).zero_crossings, 2);
    assert_eq!(mono(&[-1.0, -1e-11, -1.0]).zero_crossings, 2);
}

#[test]
fn zero_crossings_are_those_of_the_channels_mean() {
    let planes = [vec![1.0, -1.0, 1.0], vec![-1.0, 1.0, -1.0]];
    assert_eq!(measure(&planes, PcmFormat::FLOAT, 48_000, 1).zero_crossings, 0);
}

#[test]
fn clipped_samples_are_runs_of_three_at_full_scale() {
    let report = mono(&[1.0, 1.0, 0.0, 1.0, -1.0, 1.2, 0.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(report.clipped_samples, 7);
}

#[test]
fn full_scale_of_integers_is_their_largest_value() {
    let plane = vec![32_767.0 / 32_768.0; 5];
    let planes = [plane];
    assert_eq!(measure(&planes, PcmFormat::int(16), 48_000, 2).clipped_samples, 5);
    assert_eq!(measure(&planes, PcmFormat::int(24), 48_000, 2).clipped_samples, 0);
}

#[test]
fn silence_has_amplitudes_of_zero_and_no_levels() {
    let report = mono(&vec![0.0; 500_000]);
    let expected = LevelReport {
        dc_offset: Some(0.0),
        dc_offset_by_channel: vec![0.0],
        ..LevelReport::default()
    };
    assert_eq!(report, expected);
}

#[test]
fn nothing_at_all_has_no_levels() {
    assert_eq!(mono(&[]), LevelReport::default());
    assert_eq!(measure(&[], PcmFormat::FLOAT, 48_000, 1), LevelReport::default());
}

#[test]
fn dr14_of_a_steady_tone_is_zero() {
    // Peak 0.5, RMS times the square root of two 0.5.
    assert_eq!(mono(&sine(1000.0, 0.5, 48_000 * 30)).dr14, Some(0));
}

#[test]
fn dr14_takes_the_second_peak_and_the_loudest_fifth() {
    // Ten blocks of 3 s: two loud ones at 0.1, eight at 0.01; peaks of 1.0 and 0.8 in two blocks.
    // The loudest fifth has the RMS 0.1, so DR = 20 log10(0.8 / 0.1) = 18.06.
    let mut plane = sine(1000.0, 0.01, 144_000 * 10);
    plane[..288_000].copy_from_slice(&sine(1000.0, 0.1, 288_000));
    plane[144_000 * 5] = 1.0;
    plane[144_000 * 7] = 0.8;
    assert_eq!(mono(&plane).dr14, Some(18));
}

#[test]
fn dr14_needs_three_blocks() {
    assert_eq!(mono(&sine(1000.0, 0.5, 144_000 * 2)).dr14, None);
}

#[test]
fn noise_floor_is_the_rms_of_the_softest_half_second() {
    // Two seconds at 0.1, 0.6 s at 0.001, two seconds at 0.1: a sine's RMS is 3.01 dB below its peak.
    let mut plane = sine(1000.0, 0.1, 48_000 * 5);
    plane[96_000..124_800].copy_from_slice(&sine(1000.0, 0.001, 28_800));
    let floor = mono(&plane).noise_floor_dbfs.unwrap().0;
    assert!((floor + 63.0103).abs() < 0.001, "{floor}");
    // Shorter than half a second, the pause never fills a window.
    let mut plane = sine(1000.0, 0.1, 48_000 * 5);
    plane[96_000..110_400].copy_from_slice(&sine(1000.0, 0.001, 14_400));
    assert!(mono(&plane).noise_floor_dbfs.unwrap().0 > -33.0);
    assert_eq!(mono(&sine(1000.0, 0.1, 23_999)).noise_floor_dbfs, None);
    plane[96_000..124_800].fill(0.0);
    assert_eq!(mono(&plane).noise_floor_dbfs, None, "a silent pause");
}

#[test]
fn noise_floor_of_channels_is_their_mean() {
    let quiet = sine(1000.0, 0.001, 48_000);
    let found = measure(&[quiet.clone(), vec![0.0; 48_000]], PcmFormat::FLOAT, 48_000, 4096);
    let floor = found.noise_floor_dbfs.unwrap().0;
    assert!((floor + 66.0206).abs() < 0.001, "{floor}");
}

#[test]
fn report_does_not_depend_on_blocks() {
    let Samples::Float { planes } = music(PcmFormat::FLOAT, 2, 500_000) else { panic!("floats") };
    let whole = measure(&planes, PcmFormat::int(16), 44_100, 500_000);
    assert!(whole.dr14.is_some() && whole.zero_crossings > 1000);
    for block in [1, 7, 64, 4096] {
        assert_eq!(measure(&planes, PcmFormat::int(16), 44_100, block), whole, "blocks of {block}");
    }
}

#[test]
fn report_has_the_keys_of_the_json() {
    let json = serde_json::to_value(LevelReport::default()).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "rms_dbfs",
        "noise_floor_dbfs",
        "rms_amplitude",
        "peak_amplitude",
        "crest_factor_db",
        "dynamic_range_db",
        "dr14",
        "zero_crossings",
        "dc_offset",
        "dc_offset_by_channel",
        "clipped_samples",
    ];
    assert_eq!(keys, expected);
}
