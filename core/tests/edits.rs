//! Steps that cut, add, move or turn samples.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

#[path = "common/drive.rs"]
#[allow(dead_code, unreachable_pub, reason = "three binaries use parts of it")]
mod drive;

use drive::Value::{Choice, Number};
use drive::{Planes, build, prepare, process};
use std::f64::consts::TAU;
use wavemill_core::audio::StreamSpec;
use wavemill_core::descriptor::BuildError;
use wavemill_core::processor::FindingValue;
use wavemill_core::units::Frames;

type Parameters<'a> = &'a [(&'a str, drive::Value)];

const RATE_HZ: u32 = 44_100;

fn frames_s(frames: u32) -> f64 {
    f64::from(frames) / f64::from(RATE_HZ)
}

/// A step over stereo; the result must not depend on the blocks.
fn stereo(step: &str, params: Parameters<'_>, input: &Planes) -> Planes {
    let spec = StreamSpec::new(RATE_HZ, 2);
    let run = |block_frames| {
        let mut step = build(step, params, &spec).unwrap();
        prepare(&mut step, input, block_frames);
        process(&mut step, &spec, input, block_frames)
    };
    let output = run(4096);
    assert!([1, 3, 64].iter().all(|size| run(*size) == output), "{step} depends on its blocks");
    output
}

/// Frame numbers, the right channel negative.
fn count(frames: u16) -> Planes {
    let left: Vec<f32> = (1..=frames).map(f32::from).collect();
    let right = left.iter().map(|sample| -sample).collect();
    vec![left, right]
}

fn part(planes: &Planes, range: std::ops::Range<usize>) -> Planes {
    planes.iter().map(|plane| plane[range.clone()].to_vec()).collect()
}

#[test]
fn ranges_that_follow_each_other_join_without_a_gap() {
    let input = count(1000);
    let cut = |start, end| {
        let params = [("start_s", Number(frames_s(start))), ("end_s", Number(frames_s(end)))];
        stereo("range", &params, &input)
    };
    assert_eq!(cut(0, 333), part(&input, 0..333));
    assert_eq!(cut(333, 334), part(&input, 333..334));
    assert_eq!(cut(334, 1000), part(&input, 334..1000));
}

#[test]
fn range_without_an_end_goes_to_the_end_of_the_file() {
    let input = count(100);
    assert_eq!(stereo("range", &[("start_s", Number(frames_s(7)))], &input), part(&input, 7..100));
    assert_eq!(stereo("range", &[], &input), input);
}

#[test]
fn range_beyond_the_file_ends_with_it_and_says_so() {
    let spec = StreamSpec::new(RATE_HZ, 2);
    let params = [("start_s", Number(frames_s(50))), ("end_s", Number(3.0))];
    let mut step = build("range", &params, &spec).unwrap();
    prepare(&mut step, &count(100), 16);
    assert_eq!(step.span(Frames(100)).length, Frames(50));
    let findings = step.report().findings;
    let flag = findings.iter().find(|finding| finding.key == "ends_early").unwrap();
    assert_eq!(flag.value, FindingValue::Bool(true));
}

#[test]
fn range_that_begins_after_the_file_names_both_times() {
    let spec = StreamSpec::new(RATE_HZ, 1);
    let mut step = build("range", &[("start_s", Number(2.0))], &spec).unwrap();
    let error = step.begin(Some(Frames(44_100))).unwrap_err();
    assert_eq!(error.to_string(), "`start_s` is 2 s, but the audio lasts only 1 s");
}

#[test]
fn range_that_ends_before_it_begins_is_refused() {
    let params = [("start_s", Number(2.0)), ("end_s", Number(1.5))];
    let error = build("range", &params, &StreamSpec::new(RATE_HZ, 1)).err().unwrap();
    let line = "step `range` cannot run here: `end_s` is 1.5 s; it must be after `start_s`, 2 s";
    assert_eq!(error.to_string(), line);
}

#[test]
fn pad_adds_exactly_the_silence_asked_for() {
    let input = count(100);
    let params = [("start_s", Number(frames_s(30))), ("end_s", Number(frames_s(5)))];
    let expected: Planes =
        input.iter().map(|plane| [&[0.0; 30][..], plane.as_slice(), &[0.0; 5]].concat()).collect();
    assert_eq!(stereo("pad", &params, &input), expected);
}

#[test]
fn pad_longer_than_the_file_keeps_every_frame() {
    let input = count(10);
    let output = stereo("pad", &[("start_s", Number(0.01))], &input);
    assert_eq!(part(&output, 441..451), input);
    assert!(part(&output, 0..441).iter().flatten().all(|sample| *sample == 0.0));
}

#[test]
fn first_frame_follows_what_range_cuts_and_pad_adds() {
    let spec = StreamSpec::new(RATE_HZ, 1);
    let start = [("start_s", Number(frames_s(30)))];
    assert_eq!(build("range", &start, &spec).unwrap().span(Frames(100)).first_frame, Some(30));
    assert_eq!(build("pad", &start, &spec).unwrap().span(Frames(100)).first_frame, Some(-30));
}

#[test]
fn inverted_signal_cancels_the_original() {
    let input = count(50);
    let sum = |output: &Planes, channel: usize| -> f32 {
        output[channel].iter().zip(&input[channel]).map(|(a, b)| (a + b).abs()).sum()
    };
    let all = stereo("invert", &[], &input);
    assert!(sum(&all, 0) == 0.0 && sum(&all, 1) == 0.0);
    let right = stereo("invert", &[("channel", Choice("right"))], &input);
    assert_eq!(right[0], input[0]);
    assert!(sum(&right, 1) == 0.0);
}

#[test]
fn one_side_of_a_mono_file_cannot_be_inverted() {
    let side = [("channel", Choice("left"))];
    let error = build("invert", &side, &StreamSpec::new(RATE_HZ, 1)).err().unwrap();
    assert!(matches!(error, BuildError::Unsuitable { .. }), "{error}");
}

#[test]
fn swap_exchanges_every_left_with_its_right() {
    let spec = StreamSpec::new(RATE_HZ, 6);
    let input: Planes = (1..=6u8).map(|channel| vec![f32::from(channel); 9]).collect();
    let mut step = build("swap", &[], &spec).unwrap();
    let output = process(&mut step, &spec, &input, 4);
    let order: Vec<f32> = output.iter().map(|plane| plane[8]).collect();
    // 5.1: L R C LFE Ls Rs.
    assert_eq!(order, [2.0, 1.0, 3.0, 4.0, 6.0, 5.0]);
}

#[test]
fn swap_of_mono_is_refused() {
    assert!(build("swap", &[], &StreamSpec::new(RATE_HZ, 1)).is_err());
}

#[test]
fn dc_is_removed_from_each_channel_by_itself() {
    let tone = |frame: u32| (TAU * f64::from(frame) / 100.0).sin() * 0.5;
    let plane = |offset: f64| (0..44_100).map(|frame| (tone(frame) + offset) as f32).collect();
    let output = stereo("dc-remove", &[], &vec![plane(0.1), plane(-0.25)]);
    for plane in &output {
        let mean = plane.iter().map(|sample| f64::from(*sample)).sum::<f64>() / 44_100.0;
        assert!(mean.abs() < 1e-8, "{mean}");
        let worst =
            plane.iter().zip(0..).map(|(sample, frame)| (f64::from(*sample) - tone(frame)).abs());
        // Two roundings to f32 below 1.
        assert!(worst.fold(0.0, f64::max) < 1.2e-7);
    }
}

#[test]
fn signal_without_dc_is_left_alone() {
    let spec = StreamSpec::new(RATE_HZ, 1);
    let mut step = build("dc-remove", &[], &spec).unwrap();
    let input = vec![vec![0.5, -0.5, 0.25, -0.25]];
    prepare(&mut step, &input, 3);
    assert!(step.properties().is_transparent);
    assert_eq!(process(&mut step, &spec, &input, 3), input);
}

/// Amplitude ratio of a steady tone through a low-pass.
fn low_pass_response(cutoff_hz: f64, tone_hz: f64) -> f64 {
    let sample = |frame: u32| (TAU * tone_hz * f64::from(frame) / 44_100.0).sin() as f32;
    let input: Vec<f32> = (0..88_200).map(sample).collect();
    let output = stereo("low-pass", &[("cutoff_hz", Number(cutoff_hz))], &vec![input.clone(); 2]);
    let power = |plane: &[f32]| plane.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    (power(&output[0][44_100..]) / power(&input[44_100..])).sqrt()
}

#[test]
fn low_pass_is_3_db_down_at_its_cutoff_and_falls_by_12_db_per_octave() {
    assert!((low_pass_response(1000.0, 1000.0) - 0.5f64.sqrt()).abs() < 1e-4);
    // Butterworth after the bilinear transform: tan(pi f / fs) takes the place of f.
    let ratio = (TAU / 2.0 * 200.0 / 44_100.0).tan() / (TAU / 2.0 * 4_000.0 / 44_100.0).tan();
    let expected = (1.0 + ratio.recip().powi(4)).sqrt().recip();
    assert!((low_pass_response(200.0, 4000.0) / expected - 1.0).abs() < 0.01);
    assert!((low_pass_response(5000.0, 100.0) - 1.0).abs() < 1e-4);
}
