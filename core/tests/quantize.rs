//! What dither must hold. Source of the claims: Lipshitz, Wannamaker, Vanderkooy 1992.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{assert_same_in_every_block, music};
use std::f64::consts::TAU;
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::encode::{Dither, Quantizer};
use wavemill_core::units::Decibels;

const FRAMES: usize = 400_000;

/// 16-bit integers of `planes`.
fn to_16_bit(planes: Vec<Vec<f32>>, dither: Dither) -> Vec<Vec<i32>> {
    let mut quantizer = Quantizer::new(PcmFormat::FLOAT, PcmFormat::int(16), dither, planes.len());
    let mut out = Samples::empty(PcmFormat::int(16), 0);
    quantizer.quantize(&Samples::Float { planes }, &mut out);
    let Samples::Int { planes, bit_depth: 16 } = out else { panic!("16-bit integers") };
    planes
}

/// Error in LSB of a constant of `offset` LSB.
fn errors_of_offset(offset: f64) -> Vec<f64> {
    let plane = vec![(offset / 32768.0) as f32; FRAMES];
    let planes = to_16_bit(vec![plane], Dither::Tpdf);
    planes[0].iter().map(|&sample| f64::from(sample) - offset).collect()
}

fn db(power: f64) -> f64 {
    Decibels::from_power(power).unwrap().0
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn tpdf_error_has_mean_zero_and_the_variance_of_a_quarter_for_every_offset() {
    // Whole steps are stored as they are.
    for sixteenth in 1..16 {
        let errors = errors_of_offset(f64::from(sixteenth) / 16.0);
        let mean_error = mean(&errors);
        let variance = mean(&errors.iter().map(|e| e * e).collect::<Vec<_>>()) - mean_error.powi(2);
        assert!(mean_error.abs() < 0.004, "offset {sixteenth}/16: mean {mean_error}");
        assert!((variance / 0.25 - 1.0).abs() < 0.02, "offset {sixteenth}/16: {variance}");
    }
}

#[test]
fn tpdf_error_is_white() {
    let errors = errors_of_offset(0.3);
    let power = mean(&errors.iter().map(|e| e * e).collect::<Vec<_>>());
    for lag in 1..20 {
        let products: Vec<f64> = errors.iter().zip(&errors[lag..]).map(|(a, b)| a * b).collect();
        assert!((mean(&products) / power).abs() < 0.01, "lag {lag}");
    }
}

#[test]
fn tpdf_of_two_channels_is_independent() {
    let planes = to_16_bit(vec![vec![(0.3 / 32768.0) as f32; FRAMES]; 2], Dither::Tpdf);
    assert!(planes[0] != planes[1]);
    let error = |sample: i32| f64::from(sample) - 0.3;
    let products: Vec<f64> =
        planes[0].iter().zip(&planes[1]).map(|(&a, &b)| error(a) * error(b)).collect();
    assert!(mean(&products).abs() / 0.25 < 0.01, "{}", mean(&products));
}

#[test]
fn tone_of_minus_100_dbfs_survives_tpdf_without_harmonics_and_vanishes_without_it() {
    let amplitude = Decibels(-100.0).to_amplitude();
    let frame_count = FRAMES * 10;
    let phase = |hz: f64, frame: usize| TAU * hz * frame as f64 / 44_100.0;
    let tone: Vec<f32> =
        (0..frame_count).map(|frame| (amplitude * phase(1000.0, frame).sin()) as f32).collect();
    let power_at = |plane: &[i32], hz: f64| {
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (frame, &sample) in plane.iter().enumerate() {
            let (sin, cos) = phase(hz, frame).sin_cos();
            sine += f64::from(sample) * sin;
            cosine += f64::from(sample) * cos;
        }
        (2.0 * sine.hypot(cosine) / frame_count as f64).powi(2)
    };
    let dithered = to_16_bit(vec![tone.clone()], Dither::Tpdf).remove(0);
    let recovered_db = db(power_at(&dithered, 1000.0) / (amplitude * 32768.0).powi(2));
    assert!(recovered_db.abs() < 0.1, "{recovered_db}");
    // Mean power of white noise with a variance of a quarter LSB^2 at one frequency of a transform of this
    // length. The power is exponentially distributed: one of 20,000 draws is more than ten times the mean.
    let noise = 4.0 * 0.25 / frame_count as f64;
    for harmonic in 2..=9 {
        let hz = 1000.0 * f64::from(harmonic);
        let above_db = db(power_at(&dithered, hz) / noise);
        assert!(above_db < db(10.0), "{hz} Hz: {above_db} dB above the noise");
    }
    assert!(to_16_bit(vec![tone], Dither::None)[0].iter().all(|&sample| sample == 0));
}

#[test]
fn full_scale_is_clamped_not_wrapped_and_counted() {
    let plane = vec![1.0, -1.0, 2.0, -2.0, 0.5, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30];
    for dither in [Dither::None, Dither::Tpdf] {
        for (bits, max) in [(16, 32_767), (24, 8_388_607), (32, i32::MAX)] {
            let mut quantizer = Quantizer::new(PcmFormat::FLOAT, PcmFormat::int(bits), dither, 1);
            let mut out = Samples::empty(PcmFormat::int(bits), 0);
            quantizer.quantize(&Samples::Float { planes: vec![plane.clone()] }, &mut out);
            let Samples::Int { planes, .. } = out else { panic!("integers") };
            for (index, sign) in [(2, 1), (3, -1), (5, 1), (6, -1), (7, 1), (8, -1)] {
                let expected = if sign > 0 { max } else { -max - 1 };
                assert_eq!(planes[0][index], expected, "{bits} bit, sample {index}");
            }
            assert!(planes[0][0] >= max - 1 && planes[0][1] <= -max);
            assert!((planes[0][4] - i32::midpoint(max, 1)).abs() <= 2);
            assert!((6..=8).contains(&quantizer.clipped_samples()));
        }
    }
}

#[test]
fn rounding_without_dither_is_to_the_nearest() {
    let lsb = 1.0 / 32768.0;
    let plane = vec![0.4 * lsb, 0.6 * lsb, -0.4 * lsb, -0.6 * lsb, 1.49 * lsb, f32::NAN];
    assert_eq!(to_16_bit(vec![plane], Dither::None), [[0, 1, 0, -1, 1, 0]]);
}

#[test]
fn quantizer_is_exact_where_the_target_holds_every_value() {
    let exact = [
        (PcmFormat::int(16), PcmFormat::int(16)),
        (PcmFormat::int(8), PcmFormat::int(16)),
        (PcmFormat::int(16), PcmFormat::int(24)),
        (PcmFormat::int(16), PcmFormat::FLOAT),
        (PcmFormat::int(24), PcmFormat::FLOAT),
        (PcmFormat::int(24), PcmFormat::int(32)),
        (PcmFormat::FLOAT, PcmFormat::FLOAT),
    ];
    for (from, to) in exact {
        let samples = music(from, 2, 10_000);
        let mut there = Quantizer::new(from, to, Dither::Tpdf, 2);
        assert_eq!(there.dither(), Dither::None);
        let mut out = Samples::empty(to, 0);
        there.quantize(&samples, &mut out);
        assert_eq!(out.format(), to);
        let mut back = Samples::empty(from, 0);
        Quantizer::new(to, from, Dither::None, 2).quantize(&out, &mut back);
        assert!(back == samples, "{from} to {to}");
        assert_eq!(there.clipped_samples(), 0);
    }
}

#[test]
fn quantizer_scales_widened_integers() {
    let samples = Samples::Int { bit_depth: 16, planes: vec![vec![-32768, 1]] };
    let mut out = Samples::empty(PcmFormat::int(24), 0);
    Quantizer::new(PcmFormat::int(16), PcmFormat::int(24), Dither::None, 1)
        .quantize(&samples, &mut out);
    assert_eq!(out, Samples::Int { bit_depth: 24, planes: vec![vec![-8_388_608, 256]] });
}

#[test]
fn quantizer_does_not_depend_on_blocks_and_repeats() {
    for from in [PcmFormat::FLOAT, PcmFormat::int(24)] {
        assert_same_in_every_block(from, Dither::Tpdf);
    }
}

/// Both kinds of noise.
fn dithers() -> [Dither; 2] {
    let rate = wavemill_core::units::SampleRate(48_000);
    [Dither::Tpdf, Dither::Shaped(wavemill_core::encode::NoiseShape::at(rate).unwrap())]
}

#[test]
fn black_stays_black_and_16_bits_in_24_pass_bit_by_bit() {
    let Samples::Int { planes: source, .. } = music(PcmFormat::int(16), 2, 50_000) else {
        panic!("integers")
    };
    let widened = source.iter().map(|plane| plane.iter().map(|sample| sample << 8).collect());
    let widened = Samples::Int { bit_depth: 24, planes: widened.collect() };
    let floats = source.iter().map(|plane| plane.iter().map(|&x| x as f32 / 32768.0).collect());
    let floats: Vec<Vec<f32>> = floats.collect();
    for dither in dithers() {
        assert_eq!(to_16_bit(vec![vec![0.0; 50_000]; 2], dither), vec![vec![0; 50_000]; 2]);
        assert_eq!(to_16_bit(floats.clone(), dither), source);
        let mut quantizer = Quantizer::new(PcmFormat::int(24), PcmFormat::int(16), dither, 2);
        let mut out = Samples::empty(PcmFormat::int(16), 2);
        quantizer.quantize(&widened, &mut out);
        assert_eq!(out, Samples::Int { bit_depth: 16, planes: source.clone() });
    }
}

#[test]
fn noise_begins_with_the_first_sample_that_does_not_fit_and_ends_after_8192_that_do() {
    let fraction = (0.3 / 32768.0) as f32;
    for dither in dithers() {
        let plane = [vec![0.0; 5000], vec![fraction; 20_000], vec![0.0; 20_000]].concat();
        // The other channel is black throughout: channels are looked at one by one.
        let planes = to_16_bit(vec![plane, vec![0.0; 45_000]], dither);
        assert!(planes[1].iter().all(|&sample| sample == 0));
        let plane = &planes[0];
        assert!(plane[..5000].iter().all(|&sample| sample == 0));
        let noisy = |range: std::ops::Range<usize>| plane[range].iter().any(|&sample| sample != 0);
        assert!(noisy(5000..5050) && noisy(25_000..25_050) && noisy(33_141..33_191));
        assert!(!noisy(25_000 + 8191..45_000), "the 8192nd sample that fits is stored as it is");
    }
}

#[test]
fn soft_tone_that_is_zero_between_its_crests_keeps_its_noise() {
    // At 192 kHz 20 Hz last 9600 frames; all but the crests round to 0 at 24 bits.
    let lsb = 2f64.powi(-23);
    let tone = |frame: usize| (0.6 * (TAU * 20.0 * frame as f64 / 192_000.0).sin()).round() * lsb;
    let plane: Vec<f32> = (4800..196_800).map(|frame| tone(frame) as f32).collect();
    let crest = plane.iter().position(|&sample| sample != 0.0).unwrap();
    for dither in dithers() {
        let stored = to_16_bit(vec![plane.clone()], dither).remove(0);
        // One in eight of triangular noise's values is not 0; half a second without any is no chance.
        assert!(
            stored[crest..].chunks_exact(1000).all(|part| part.iter().any(|&sample| sample != 0))
        );
    }
}
