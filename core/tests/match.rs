//! The step `match`: noises whose spectra are known, and the bounds of every change.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    reason = "a test binary: a panic is a failed test, rounding to f32 is meant, and bounds are met exactly"
)]

#[path = "common/drive.rs"]
#[allow(dead_code, unreachable_pub, reason = "three binaries use parts of it")]
mod drive;

use drive::Value::{self, Choice, Number};
use drive::{Planes, build, prepare, process};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::matching::ReferenceMeter;
use wavemill_core::measure::StereoMeter;
use wavemill_core::processor::{FindingValue, StepProcessor};
use wavemill_core::units::Decibels;

const RATE: u32 = 48_000;
const FRAMES: usize = 10 * RATE as usize;

/// Bands of real recordings of 10 s and more are stable within this: a third of an octave at 40 Hz has 9 Hz of
/// bandwidth, and 10 s of noise 90 independent values, which is 0.46 dB of deviation. Source and result share it.
const TOLERANCE_DB: f64 = 0.5;

/// White noise with a fixed seed; half of full scale.
fn white(seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * 0.1
    };
    (0..FRAMES).map(|_| next()).collect()
}

/// White noise through the filter of P. Kellet, "pk3": -3.01 dB an octave within 0.05 dB above 9.2 Hz at 44.1 kHz
/// (musicdsp.org, "Pink noise filter").
fn pink(seed: u64) -> Vec<f32> {
    const POLES: [(f64, f64); 6] = [
        (0.998_86, 0.055_517_9),
        (0.993_32, 0.075_075_9),
        (0.969, 0.153_852),
        (0.866_5, 0.310_485_6),
        (0.55, 0.532_952_2),
        (-0.7616, -0.016_898),
    ];
    let mut state = [0.0; 6];
    let mut last = 0.0;
    let filter = |sample: f32| {
        let sample = f64::from(sample);
        let mut sum = sample * 0.5362 + last;
        for (state, (pole, gain)) in state.iter_mut().zip(POLES) {
            *state = pole * *state + gain * sample;
            sum += *state;
        }
        last = sample * 0.115_926;
        (sum * 0.1) as f32
    };
    white(seed).into_iter().map(filter).collect()
}

/// Stereo of two noises: `side` is the share of the second in the difference of the sides.
fn stereo(mid: &[f32], side: &[f32], share: f32) -> Planes {
    let both = || mid.iter().zip(side);
    let left = both().map(|(mid, side)| mid + share * side).collect();
    let right = both().map(|(mid, side)| mid - share * side).collect();
    vec![left, right]
}

fn spec(planes: &Planes) -> StreamSpec {
    StreamSpec::new(RATE, planes.len())
}

/// The step after it saw the source, and its output.
fn matched(
    source: &Planes,
    reference: &Planes,
    given: &[(&str, Value)],
) -> (StepProcessor, Planes) {
    let mut params = vec![("reference", Choice("a.wav"))];
    params.extend(given);
    let mut step = build("match", &params, &spec(source)).unwrap();
    let mut meter = ReferenceMeter::new(&spec(reference));
    meter.push(&Block::from_planes(reference));
    step.whole_file_mut().unwrap().set_reference(&meter.finish().unwrap());
    prepare(&mut step, source, 4096);
    let output = process(&mut step, &spec(source), source, 4096);
    (step, output)
}

fn number(step: &StepProcessor, key: &str) -> f64 {
    let findings = step.report().findings;
    match &findings.iter().find(|finding| finding.key == key).unwrap().value {
        FindingValue::Number(value) => *value,
        other => panic!("{key} is {other:?}"),
    }
}

fn loudness(planes: &Planes) -> f64 {
    let mut meter = LoudnessMeter::new(&spec(planes), MonoMode::Single);
    meter.push(&Block::from_planes(planes));
    meter.finish().integrated_lufs.unwrap().0
}

fn true_peak(planes: &Planes) -> f64 {
    let mut meter = LoudnessMeter::new(&spec(planes), MonoMode::Single);
    meter.push(&Block::from_planes(planes));
    meter.finish().larger_true_peak().unwrap().0
}

fn side_to_mid_db(planes: &Planes) -> f64 {
    let mut meter = StereoMeter::new(&spec(planes));
    meter.push(&Block::from_planes(planes));
    let width = meter.finish().width.unwrap();
    Decibels::from_amplitude(width / (1.0 - width)).unwrap().0
}

/// Level of a third of an octave by sums of sines and cosines in pieces of a second, which is another way than the
/// step's own; dB.
fn third(plane: &[f32], center_hz: f64) -> f64 {
    let (low, high) = (center_hz * (-1.0f64 / 6.0).exp2(), center_hz * (1.0f64 / 6.0).exp2());
    let second = RATE as usize;
    let mut power = 0.0;
    for piece in plane.chunks_exact(second) {
        let mut hertz = low.ceil();
        // Every ninth of a band is enough of a noise.
        let step = ((high - low) / 40.0).ceil();
        while hertz <= high {
            let turn = std::f64::consts::TAU * hertz / second as f64;
            let (mut re, mut im) = (0.0, 0.0);
            let (sin_turn, cos_turn) = turn.sin_cos();
            let (mut sin, mut cos) = (0.0, 1.0);
            for (n, sample) in piece.iter().enumerate() {
                let window = 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / second as f64).cos();
                re += window * f64::from(*sample) * cos;
                im += window * f64::from(*sample) * sin;
                (sin, cos) = (sin * cos_turn + cos * sin_turn, cos * cos_turn - sin * sin_turn);
            }
            power += re * re + im * im;
            hertz += step;
        }
    }
    Decibels::from_power(power).unwrap().0
}

#[test]
fn white_noise_gets_the_slope_of_pink_noise() {
    let source = vec![white(1)];
    let (step, output) = matched(&source, &vec![pink(2)], &[("max_eq_db", Number(24.0))]);
    // In bands of equal ratios white noise rises by 3.01 dB an octave and pink noise does not: the filter falls by
    // as much, and an octave holds the mean of its ends.
    let keys = ["125", "250", "500", "1000", "2000", "4000", "8000"];
    let gains: Vec<f64> = keys.iter().map(|hz| number(&step, &format!("eq_{hz}_hz_db"))).collect();
    for pair in gains.windows(2) {
        assert!((pair[0] - pair[1] - 3.01).abs() < 0.5, "{gains:?}");
    }
    assert!(number(&step, "spectrum_distance_before_db") > 7.0);
    assert!(number(&step, "spectrum_distance_after_db") < 0.2);
    assert_eq!(output[0].len(), source[0].len());
}

#[test]
fn bands_within_the_bounds_meet_the_reference() {
    let reference = pink(2);
    for phase in ["linear", "minimum"] {
        let given = [("max_eq_db", Number(24.0)), ("phase", Choice(phase))];
        let (_, output) = matched(&vec![white(1)], &vec![reference.clone()], &given);
        let distances: Vec<f64> = [100.0, 200.0, 500.0, 1000.0, 3150.0, 8000.0]
            .iter()
            .map(|&hertz| third(&output[0], hertz) - third(&reference, hertz))
            .collect();
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        for distance in &distances {
            assert!((distance - mean).abs() < TOLERANCE_DB, "{phase}: {distances:?}");
        }
        assert!((loudness(&output) - loudness(&vec![reference.clone()])).abs() < 0.15);
    }
}

#[test]
fn no_band_changes_by_more_than_its_bound() {
    let (step, output) = matched(&vec![white(1)], &vec![pink(2)], &[("max_eq_db", Number(2.0))]);
    assert_eq!((number(&step, "eq_min_db"), number(&step, "eq_max_db")), (-2.0, 2.0));
    let change = |hertz| third(&output[0], hertz) - third(&white(1), hertz);
    // The ends lie 2 dB beyond the middle, whatever the gain is.
    let (low, middle, high) = (change(100.0), change(670.0), change(8000.0));
    assert!((low - middle - 2.0).abs() < 0.3, "{low} {middle}");
    assert!((high - middle + 2.0).abs() < 0.3, "{high} {middle}");
}

#[test]
fn amount_of_zero_changes_no_bit() {
    let source = stereo(&white(1), &white(3), 0.3);
    let reference = stereo(&pink(2), &pink(4), 0.8);
    let (step, output) = matched(&source, &reference, &[("amount", Number(0.0))]);
    assert!(step.properties().is_transparent);
    assert!(output == source);
}

#[test]
fn bounds_of_zero_change_no_bit() {
    let source = stereo(&white(1), &white(3), 0.3);
    let reference = stereo(&pink(2), &pink(4), 0.8);
    let zero = Number(0.0);
    let given = [("max_eq_db", zero), ("max_width_db", zero), ("max_loudness_lu", zero)];
    let (_, output) = matched(&source, &reference, &given);
    assert!(output == source);
}

#[test]
fn width_is_that_of_the_reference_within_its_bound() {
    let source = stereo(&white(1), &white(3), 0.25);
    let reference = |share| stereo(&white(2), &white(4), share);
    // 0.25 to 0.3 is 1.58 dB.
    let (step, output) = matched(&source, &reference(0.3), &[]);
    assert!((number(&step, "side_gain_db") - 1.58).abs() < 0.1, "{:?}", step.report());
    assert!((side_to_mid_db(&output) - side_to_mid_db(&reference(0.3))).abs() < 0.1);
    // 0.25 to 0.5 is 6.02 dB.
    let (step, _) = matched(&source, &reference(0.5), &[]);
    assert_eq!(number(&step, "side_gain_db"), 3.0);
    let (step, _) = matched(&source, &reference(0.1), &[]);
    assert_eq!(number(&step, "side_gain_db"), -3.0);
}

#[test]
fn sides_never_become_stronger_than_the_center() {
    let source = stereo(&white(1), &white(3), 0.9);
    let reference = stereo(&white(2), &white(4), 2.0);
    let (_, output) = matched(&source, &reference, &[("max_width_db", Number(6.0))]);
    let ratio = side_to_mid_db(&output);
    assert!(ratio < 0.05 && ratio > -0.2, "{ratio}");
}

#[test]
fn mono_files_match_stereo_references_and_the_other_way() {
    let wide = stereo(&pink(2), &pink(4), 0.5);
    for (source, reference) in [(vec![white(1)], wide.clone()), (wide, vec![white(1)])] {
        let (step, output) = matched(&source, &reference, &[]);
        assert_eq!(number(&step, "side_gain_db"), 0.0);
        assert!(output.iter().flatten().all(|sample| sample.is_finite()));
    }
}

#[test]
fn loudness_follows_within_its_bound_below_the_ceiling() {
    let source = vec![pink(1).iter().map(|sample| sample * 0.2).collect::<Vec<f32>>()];
    let reference = vec![pink(2)];
    let wanted = loudness(&reference);
    assert!(wanted - loudness(&source) > 10.0);
    let (_, output) = matched(&source, &reference, &[]);
    assert!((loudness(&output) - wanted).abs() < 0.1);
    let (_, output) = matched(&source, &reference, &[("max_loudness_lu", Number(4.0))]);
    assert!((loudness(&output) - loudness(&source) - 4.0).abs() < 0.1);
    let ceiling = [("ceiling_dbtp", Number(-20.0)), ("max_reduction_db", Number(20.0))];
    let (_, output) = matched(&source, &reference, &ceiling);
    assert!(true_peak(&output) < -19.8);
}

#[test]
fn empty_bands_of_the_source_are_not_raised() {
    // A tone of 1 kHz above noise that is 90 dB weaker.
    let tone = |n: usize| 0.5 * (std::f64::consts::TAU * 1000.0 * n as f64 / f64::from(RATE)).sin();
    let source: Vec<f32> =
        white(1).iter().enumerate().map(|(n, noise)| tone(n) as f32 + noise * 3e-5).collect();
    let (step, _) = matched(&vec![source], &vec![pink(2)], &[("max_eq_db", Number(24.0))]);
    assert!(number(&step, "eq_8000_hz_db").abs() < 0.05);
    assert!(number(&step, "eq_250_hz_db").abs() < 0.05);
}

#[test]
fn silence_and_single_frames_are_left_alone() {
    for samples in [vec![0.0; FRAMES], vec![0.25], vec![0.0]] {
        let (_, output) =
            matched(&vec![samples.clone()], &vec![pink(2)], &[("max_eq_db", Number(0.0))]);
        assert_eq!(output, vec![samples]);
    }
    let (_, output) = matched(&vec![vec![0.25]], &vec![pink(2)], &[]);
    assert!(output[0].len() == 1 && output[0][0].is_finite());
}

#[test]
fn samples_that_are_not_finite_stay_where_they_are() {
    let mut source = white(1);
    source[100_000] = f32::NAN;
    source[200_000] = f32::INFINITY;
    let (step, output) = matched(&vec![source], &vec![pink(2)], &[]);
    assert!(output[0].iter().all(|sample| sample.is_finite()));
    assert!(number(&step, "spectrum_distance_after_db").is_finite());
}

#[test]
fn recording_without_loudness_is_no_reference() {
    for samples in [vec![0.0; FRAMES], vec![0.5; 100]] {
        let mut meter = ReferenceMeter::new(&StreamSpec::new(RATE, 1));
        meter.push(&Block::from_planes(&[samples]));
        assert!(meter.finish().is_none());
    }
}

#[test]
fn step_without_a_reference_fails_with_a_reason() {
    let descriptor = wavemill_core::processors::step("match").unwrap();
    let mut given = wavemill_core::descriptor::Params::default();
    given.set("reference", wavemill_core::descriptor::ParamValue::Choice("a.wav".to_owned()));
    let params = descriptor.complete(&given).unwrap();
    let mut step = (descriptor.build)(&params, &StreamSpec::new(RATE, 1)).unwrap();
    step.observer().unwrap().observes_again();
    assert_eq!(step.begin(None).unwrap_err().reason, "the reference was not measured");
}
