//! The stereo meter: numbers worked out by hand, and layouts.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::synth::{noise, scaled, tone};
use wavemill_core::audio::{Block, ChannelLayout, ChannelPosition as P, StreamSpec};
use wavemill_core::measure::{StereoMeter, StereoReport};
use wavemill_core::units::Decibels;

fn measure(planes: &[Vec<f32>], spec: &StreamSpec) -> StereoReport {
    let mut meter = StereoMeter::new(spec);
    meter.push(&Block::from_planes(planes));
    meter.finish()
}

fn stereo(left: &[f32], right: &[f32]) -> StereoReport {
    measure(&[left.to_vec(), right.to_vec()], &StreamSpec::new(48_000, 2))
}

#[test]
fn equal_sides_have_width_0_and_correlation_1() {
    let plane = scaled(0.7, &noise(10_001));
    let report = stereo(&plane, &plane);
    assert_eq!(report.width, Some(0.0));
    assert_eq!(report.correlation, Some(1.0));
    assert_eq!(report.balance_db, Some(Decibels(0.0)));
}

#[test]
fn opposite_sides_have_width_1_and_correlation_minus_1() {
    let report = stereo(&scaled(0.7, &noise(10_001)), &scaled(-0.7, &noise(10_001)));
    assert_eq!(report.width, Some(1.0));
    assert_eq!(report.correlation, Some(-1.0));
}

#[test]
fn tones_in_quadrature_have_width_of_a_half_and_no_correlation() {
    // 48 frames a period: a quarter of it is 12.
    let tone = scaled(0.5, &tone(48_012, 48_000, 1000.0));
    let report = stereo(&tone[12..], &tone[..48_000]);
    assert!((report.width.unwrap() - 0.5).abs() < 1e-6, "{report:?}");
    assert!(report.correlation.unwrap().abs() < 1e-6);
}

#[test]
fn side_at_half_the_amplitude_is_6_02_db_lower() {
    let plane = noise(5000);
    let report = stereo(&scaled(0.8, &plane), &scaled(0.4, &plane));
    assert!((report.balance_db.unwrap().0 + 6.0206).abs() < 1e-3);
    // M = 0.6, S = 0.2 of the noise.
    assert!((report.width.unwrap() - 0.25).abs() < 1e-6);
    assert!((report.correlation.unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn silent_side_leaves_only_the_width() {
    let report = stereo(&scaled(0.8, &noise(3000)), &[0.0; 3000]);
    assert_eq!(report.correlation, None);
    assert_eq!(report.balance_db, None);
    assert!((report.width.unwrap() - 0.5).abs() < 1e-12);
}

#[test]
fn silence_has_no_stereo_image() {
    assert_eq!(stereo(&[0.0; 3000], &[0.0; 3000]), StereoReport::default());
    assert_eq!(stereo(&[], &[]), StereoReport::default());
}

#[test]
fn mono_has_no_stereo_image() {
    let report = measure(&[scaled(0.5, &noise(5000))], &StreamSpec::new(48_000, 1));
    assert_eq!(report, StereoReport::default());
}

#[test]
fn surround_is_measured_by_its_front_sides() {
    let (left, right) = (scaled(0.8, &noise(5000)), scaled(0.4, &tone(5000, 48_000, 900.0)));
    let other = scaled(-0.9, &noise(5000));
    let planes = [&left, &right, &other, &other, &other, &other].map(Clone::clone);
    let front = stereo(&left, &right);
    assert_eq!(measure(&planes, &StreamSpec::new(48_000, 6)), front);
    let mut spec = StreamSpec::new(48_000, 3);
    spec.layout = ChannelLayout::new(vec![P::FrontRight, P::FrontCenter, P::FrontLeft]);
    assert_eq!(measure(&[right.clone(), other.clone(), left.clone()], &spec), front);
    spec.layout = ChannelLayout::new(vec![P::Unknown; 3]);
    assert_eq!(measure(&[left, right, other], &spec), StereoReport::default());
}

#[test]
fn any_cut_gives_the_same_bits() {
    let (left, right) = (scaled(0.8, &noise(5000)), scaled(0.4, &tone(5000, 48_000, 900.0)));
    let whole = stereo(&left, &right);
    for frames in [1, 3, 7, 64, 999] {
        let mut meter = StereoMeter::new(&StreamSpec::new(48_000, 2));
        for (left, right) in left.chunks(frames).zip(right.chunks(frames)) {
            meter.push(&Block::from_planes(&[left, right]));
        }
        assert_eq!(meter.finish(), whole, "blocks of {frames} frames");
    }
}
