//! What shaped dither must hold. Sources: Lipshitz, Vanderkooy, Wannamaker 1991; Gerzon, Craven 1989;
//! the threshold in quiet of Terhardt 1979.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{assert_same_in_every_block, music};
use rustfft::{FftPlanner, num_complex::Complex};
use std::f64::consts::{PI, TAU};
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::encode::{Dither, NoiseShape, Quantizer};
use wavemill_core::units::{Decibels, SampleRate};

const FRAMES: usize = 400_000;
const FULL_SCALE: f64 = 32_768.0;
/// Variance of the error of triangular dither and rounding, in LSB^2: 1/6 + 1/12.
const WHITE: f64 = 0.25;
/// Largest error of rounding with triangular dither, in LSB.
const ERROR_MAX: f64 = 1.5;

fn rates() -> Vec<SampleRate> {
    NoiseShape::rates().collect()
}

fn shaped(rate: SampleRate) -> Dither {
    Dither::Shaped(NoiseShape::at(rate).unwrap())
}

fn db(power: f64) -> f64 {
    Decibels::from_power(power).unwrap().0
}

/// 16-bit integers of `planes`.
fn to_16_bit(planes: &[Vec<f32>], dither: Dither) -> Vec<Vec<i32>> {
    let mut quantizer = Quantizer::new(PcmFormat::FLOAT, PcmFormat::int(16), dither, planes.len());
    let mut out = Samples::empty(PcmFormat::int(16), 0);
    quantizer.quantize(&Samples::Float { planes: planes.to_vec() }, &mut out);
    let Samples::Int { planes, bit_depth: 16 } = out else { panic!("16-bit integers") };
    planes
}

/// What is stored minus what came, in LSB.
fn errors(plane: &[f32], dither: Dither) -> Vec<f64> {
    let stored = to_16_bit(&[plane.to_vec()], dither);
    let error = |(&stored, &sample)| f64::from(stored) - f64::from(sample) * FULL_SCALE;
    stored[0].iter().zip(plane).map(error).collect()
}

/// Two tones, loud enough to cross thousands of steps.
fn tones(rate: SampleRate) -> Vec<f32> {
    let sine = |hz: f64, frame: usize| (TAU * hz * frame as f64 / f64::from(rate.0)).sin();
    (0..FRAMES).map(|n| (0.4 * sine(440.0, n) + 0.3 * sine(1234.5, n)) as f32).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    mean(&values.iter().map(|value| value * value).collect::<Vec<_>>()) - mean(values).powi(2)
}

/// `1, a1, a2, ..`: the filter that the error passes.
fn filter(rate: SampleRate) -> Vec<f64> {
    let shape = NoiseShape::at(rate).unwrap();
    std::iter::once(1.0).chain(shape.coefficients().iter().copied()).collect()
}

/// What the filter does to the power of `hz`.
fn response(filter: &[f64], hz: f64, rate: SampleRate) -> f64 {
    let turn = TAU * hz / f64::from(rate.0);
    let terms = filter.iter().zip(0..);
    terms
        .map(|(a, k)| Complex::from_polar(*a, -turn * f64::from(k)))
        .sum::<Complex<f64>>()
        .norm_sqr()
}

/// Power of the filter's noise relative to white noise before it.
fn total(filter: &[f64]) -> f64 {
    filter.iter().map(|a| a * a).sum()
}

/// Samples of one spectrum.
const WINDOW: usize = 1024;

/// Power of noise at each frequency from zero to half the sample rate, relative to that of white noise
/// with the variance [`WHITE`]: the average of half-overlapping spectra.
///
/// Source: P. Welch 1967.
fn spectrum(noise: &[f64]) -> Vec<f64> {
    let hann: Vec<f64> =
        (0..WINDOW).map(|n| 0.5 - 0.5 * (TAU * n as f64 / WINDOW as f64).cos()).collect();
    let transform = FftPlanner::new().plan_fft_forward(WINDOW);
    let starts: Vec<usize> = (0..=noise.len() - WINDOW).step_by(WINDOW / 2).collect();
    let scale = WHITE * total(&hann) * starts.len() as f64;
    let mut powers = vec![0.0; WINDOW / 2 + 1];
    for start in starts {
        let mut frame: Vec<Complex<f64>> =
            noise[start..].iter().zip(&hann).map(|(x, w)| Complex::from(x * w)).collect();
        transform.process(&mut frame);
        powers.iter_mut().zip(frame).for_each(|(power, bin)| *power += bin.norm_sqr() / scale);
    }
    powers
}

/// The power of `spectrum`, of `count` places at equal distances up to half the rate, with a weight.
fn weighted(spectrum: &[f64], rate: SampleRate, weight: impl Fn(f64) -> f64) -> f64 {
    let hz = |index: usize| index as f64 / (spectrum.len() - 1) as f64 * f64::from(rate.0) / 2.0;
    // Neither zero, where the threshold is infinite, nor half the rate.
    let inner = 1..spectrum.len() - 1;
    let power: f64 = inner.clone().map(|index| spectrum[index] * weight(hz(index))).sum();
    power / inner.map(|index| weight(hz(index))).sum::<f64>()
}

/// The threshold in quiet in dB SPL.
///
/// Source: E. Terhardt, "Calculating virtual pitch", Hearing Research 1, 1979.
fn threshold_db_spl(hz: f64) -> f64 {
    let khz = hz / 1000.0;
    3.64 * khz.powf(-0.8) - 6.5 * (-0.6 * (khz - 3.3).powi(2)).exp() + 0.001 * khz.powi(4)
}

/// How much noise at `hz` counts when it must not exceed the threshold in quiet.
fn audibility(hz: f64) -> f64 {
    10f64.powf(-threshold_db_spl(hz) / 10.0)
}

/// The filter of this order, beginning with 1, whose noise is least when it is weighted by the inverse
/// of the threshold below `bound_db_spl`: the predictor of a signal with that spectrum.
///
/// Source: N. Levinson 1947, J. Durbin 1960, as in J. Makhoul, "Linear prediction: a tutorial review",
/// Proc. IEEE 63, 1975.
fn design(rate: SampleRate, order: usize, bound_db_spl: f64) -> Vec<f64> {
    let count = 4096_u32;
    let share = |place: u32| (f64::from(place) + 0.5) / f64::from(count);
    let weights: Vec<f64> = (0..count)
        .map(|place| share(place) * f64::from(rate.0) / 2.0)
        .map(|hz| 10f64.powf(-threshold_db_spl(hz).min(bound_db_spl) / 10.0))
        .collect();
    let angle = |place: u32, lag: usize| PI * share(place) * lag as f64;
    let correlation: Vec<f64> = (0..=order)
        .map(|lag| weights.iter().zip(0..).map(|(w, place)| w * angle(place, lag).cos()).sum())
        .collect();
    let mut filter = vec![1.0];
    let mut power = correlation[0];
    for length in 1..=order {
        let products = filter.iter().enumerate().map(|(k, a)| a * correlation[length - k]);
        let reflection = -products.sum::<f64>() / power;
        filter.push(0.0);
        let reversed: Vec<f64> = filter.iter().rev().copied().collect();
        filter.iter_mut().zip(reversed).for_each(|(a, b)| *a += reflection * b);
        power *= 1.0 - reflection * reflection;
    }
    filter
}

#[test]
fn curves_are_the_predictors_of_the_inverse_threshold() {
    for rate in rates() {
        let (stored, designed) = (filter(rate), design(rate, 9, 25.0));
        assert_eq!(stored.len(), designed.len());
        for (stored, designed) in stored.iter().zip(designed) {
            // They are written with six digits.
            assert!((stored - designed).abs() < 0.6e-6, "{rate}: {stored}, {designed}");
        }
    }
}

#[test]
fn curves_exist_for_the_usual_rates_only() {
    let expected = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000].map(SampleRate);
    assert_eq!(rates(), expected);
    assert_eq!(NoiseShape::at(SampleRate(32_000)), None);
}

#[test]
fn curves_keep_the_average_in_db_and_bound_the_total() {
    for rate in rates() {
        let filter = filter(rate);
        let count = 20_000;
        let hz = |place: i32| (f64::from(place) + 0.5) / f64::from(count) * f64::from(rate.0) / 2.0;
        let levels: Vec<f64> =
            (0..count).map(|place| db(response(&filter, hz(place), rate))).collect();
        // Gerzon and Craven: zero for a filter that begins with 1 and has no zeros outside the circle.
        assert!(mean(&levels).abs() < 0.001, "{rate}: {}", mean(&levels));
        assert!(total(&filter).sqrt() < 2.5, "{rate}: {}", total(&filter));
    }
}

#[test]
fn shaped_error_has_mean_zero_and_one_variance_for_every_offset() {
    for rate in rates() {
        let expected = WHITE * total(&filter(rate));
        // Whole steps are stored as they are: see `quantize.rs`.
        for sixteenth in 1..16 {
            let offset = f64::from(sixteenth) / 16.0 / FULL_SCALE;
            let errors = errors(&vec![offset as f32; FRAMES], shaped(rate));
            let (mean, variance) = (mean(&errors), variance(&errors));
            assert!(mean.abs() < 0.004, "{rate}, {sixteenth}/16: mean {mean}");
            let ratio = variance / expected;
            assert!((ratio - 1.0).abs() < 0.02, "{rate}, {sixteenth}/16: {variance} {expected}");
        }
    }
}

#[test]
fn shaped_noise_follows_its_curve_within_1_db_below_a_loud_signal() {
    for rate in rates() {
        let filter = filter(rate);
        let measured = spectrum(&errors(&tones(rate), shaped(rate)));
        for (bin, power) in measured.iter().enumerate().skip(2) {
            let hz = bin as f64 * f64::from(rate.0) / WINDOW as f64;
            let difference_db = db(power / response(&filter, hz, rate));
            assert!(difference_db.abs() < 1.0, "{rate}, {hz:.0} Hz: {difference_db:.2} dB");
        }
    }
}

#[test]
fn shaped_noise_is_lower_than_plain_where_hearing_is_best() {
    let best = |hz: f64| f64::from(u8::from(2000.0 <= hz && hz <= 5000.0));
    // From 2 to 5 kHz, weighted by the threshold, and in total: as the design computes them.
    let expected = [
        (44_100, [-16.05, -12.22, 7.85]),
        (48_000, [-16.94, -13.16, 7.36]),
        (88_200, [-21.61, -18.01, 4.41]),
        (96_000, [-22.03, -18.52, 4.19]),
        (176_400, [-24.01, -19.89, 2.32]),
        (192_000, [-24.28, -19.88, 2.10]),
    ];
    for (rate, expected_db) in expected {
        let rate = SampleRate(rate);
        let signal = tones(rate);
        let noises = [shaped(rate), Dither::Tpdf].map(|dither| spectrum(&errors(&signal, dither)));
        let gains_db = [
            noises.each_ref().map(|noise| weighted(noise, rate, best)),
            noises.each_ref().map(|noise| weighted(noise, rate, audibility)),
            noises.each_ref().map(|noise| weighted(noise, rate, |_| 1.0)),
        ]
        .map(|[shaped, plain]| db(shaped / plain));
        for (gain_db, expected_db) in gains_db.into_iter().zip(expected_db) {
            assert!((gain_db - expected_db).abs() < 0.2, "{rate}: {gains_db:.2?}");
        }
    }
}

#[test]
fn tone_of_minus_100_dbfs_survives_shaped_dither_without_harmonics() {
    let amplitude = 10f64.powf(-100.0 / 20.0) * FULL_SCALE;
    let frame_count = 2 * FRAMES;
    for rate in rates() {
        let phase = |hz: f64, frame: usize| TAU * hz * frame as f64 / f64::from(rate.0);
        let tone: Vec<f32> = (0..frame_count)
            .map(|frame| (amplitude / FULL_SCALE * phase(1000.0, frame).sin()) as f32)
            .collect();
        let stored = to_16_bit(&[tone], shaped(rate));
        let amplitude_at = |hz: f64| {
            let turned = stored[0].iter().enumerate();
            let sum: Complex<f64> =
                turned.map(|(n, &y)| Complex::from_polar(f64::from(y), -phase(hz, n))).sum();
            2.0 * sum.norm() / frame_count as f64
        };
        let recovered_db = db((amplitude_at(1000.0) / amplitude).powi(2));
        assert!(recovered_db.abs() < 0.1, "{rate}: {recovered_db}");
        for harmonic in 2..=9 {
            let hz = 1000.0 * f64::from(harmonic);
            // Mean power of the noise at one frequency of a transform of this length; its amplitude is
            // Rayleigh distributed, and in one of 20,000 draws more than ten times the power is found.
            let noise = 4.0 * WHITE * response(&filter(rate), hz, rate) / frame_count as f64;
            let found = amplitude_at(hz).powi(2);
            assert!(
                found < 10.0 * noise,
                "{rate}, {hz} Hz: {} dB above the noise",
                db(found / noise)
            );
        }
    }
}

#[test]
fn shaped_dither_of_two_channels_is_independent() {
    for rate in rates() {
        let planes = to_16_bit(&vec![vec![(0.3 / FULL_SCALE) as f32; FRAMES]; 2], shaped(rate));
        let [left, right] = [0, 1].map(|channel| {
            planes[channel].iter().map(|&sample| f64::from(sample) - 0.3).collect::<Vec<f64>>()
        });
        let products: Vec<f64> = left.iter().zip(&right).map(|(a, b)| a * b).collect();
        let correlation = mean(&products) / (variance(&left) * variance(&right)).sqrt();
        assert!(correlation.abs() < 0.01, "{rate}: {correlation}");
    }
}

/// The largest distance between what comes and what is stored, in LSB.
fn distance_max(rate: SampleRate) -> f64 {
    ERROR_MAX * filter(rate).iter().map(|a| a.abs()).sum::<f64>()
}

#[test]
fn shaped_sine_at_full_scale_does_not_wrap() {
    for rate in rates() {
        let sine = |n: usize| (TAU * 997.0 * n as f64 / f64::from(rate.0)).sin() as f32;
        let errors = errors(&(0..FRAMES).map(sine).collect::<Vec<f32>>(), shaped(rate));
        let largest = errors.iter().fold(0.0, |largest: f64, error| largest.max(error.abs()));
        // One more: the largest positive integer lies below full scale.
        assert!(largest < distance_max(rate) + 1.0, "{rate}: {largest}");
    }
}

#[test]
fn overload_is_clamped_and_leaves_no_trace_in_the_noise_that_follows() {
    let overloads: [&[f32]; 5] =
        [&[1.5], &[-1.5], &[2.0, -2.0], &[1e30, f32::INFINITY, f32::NEG_INFINITY], &[f32::NAN]];
    for rate in rates() {
        for overload in overloads {
            let loud = 20_000;
            let plane: Vec<f32> =
                overload.iter().copied().cycle().take(loud).chain(vec![0.001; FRAMES]).collect();
            let stored = to_16_bit(std::slice::from_ref(&plane), shaped(rate)).remove(0);
            for (sample, stored) in plane[..loud].iter().zip(&stored) {
                let distance = (f64::from(*stored) - f64::from(*sample) * FULL_SCALE).abs();
                match sample {
                    sample if sample.is_nan() => assert_eq!(*stored, 0),
                    sample if *sample > 0.0 => assert_eq!(*stored, 32_767, "{distance}"),
                    _ => assert_eq!(*stored, -32_768),
                }
            }
            let after: Vec<f64> = plane[loud..]
                .iter()
                .zip(&stored[loud..])
                .map(|(sample, stored)| f64::from(*stored) - f64::from(*sample) * FULL_SCALE)
                .collect();
            assert!(after.iter().all(|error| error.abs() < distance_max(rate)), "{overload:?}");
            let ratio = variance(&after) / WHITE / total(&filter(rate));
            assert!((ratio - 1.0).abs() < 0.02, "{rate}, {overload:?}: {ratio}");
        }
    }
}

#[test]
fn shaped_dither_at_24_and_32_bits_is_clamped_at_full_scale() {
    for (bits, max) in [(24, 8_388_607), (32, i32::MAX)] {
        let mut quantizer =
            Quantizer::new(PcmFormat::FLOAT, PcmFormat::int(bits), shaped(rates()[0]), 1);
        let mut out = Samples::empty(PcmFormat::int(bits), 0);
        let planes = vec![[1.1, -1.1].repeat(1000)];
        quantizer.quantize(&Samples::Float { planes }, &mut out);
        let Samples::Int { planes, .. } = out else { panic!("integers") };
        assert!(planes[0] == [max, -max - 1].repeat(1000), "{bits} bits");
        assert_eq!(quantizer.clipped_samples(), 2000);
    }
}

#[test]
fn shaped_dither_runs_only_where_bits_are_lost() {
    let asked = shaped(rates()[0]);
    for (from, to, runs) in [
        (PcmFormat::FLOAT, PcmFormat::int(16), true),
        (PcmFormat::int(24), PcmFormat::int(16), true),
        (PcmFormat::int(16), PcmFormat::int(16), false),
        (PcmFormat::int(16), PcmFormat::int(24), false),
        (PcmFormat::FLOAT, PcmFormat::FLOAT, false),
    ] {
        let samples = music(from, 2, 1000);
        let mut quantizer = Quantizer::new(from, to, asked, 2);
        assert_eq!(quantizer.dither(), if runs { asked } else { Dither::None }, "{from} to {to}");
        let [mut out, mut plain] = [Samples::empty(to, 2), Samples::empty(to, 2)];
        quantizer.quantize(&samples, &mut out);
        Quantizer::new(from, to, Dither::None, 2).quantize(&samples, &mut plain);
        assert_eq!(out != plain, runs, "{from} to {to}");
    }
}

#[test]
fn shaped_dither_does_not_depend_on_blocks_and_repeats() {
    for (rate, from) in rates().into_iter().zip([PcmFormat::FLOAT, PcmFormat::int(24)]) {
        assert_same_in_every_block(from, shaped(rate));
    }
}

#[test]
fn shaped_constant_gives_the_same_integers_in_every_build() {
    // Additions, multiplications and comparisons of IEEE 754 alone: no machine gives others. The
    // numbers come from a program in another language.
    for (rate, expected) in rates().into_iter().zip([
        [0, 1, -1, 2, -1, 1, -1, 2, -1, 1, -1, 2, 0, -1, 2, -1, 1, -1, 1, 2, -2, 1, 1, 0],
        [0, 1, -1, 2, -1, 1, -1, 2, 0, -1, 1, 1, 0, 0, 0, 1, 1, -2, 1, 3, -2, 0, 1, 2],
        [0, 1, 0, 0, 1, 0, -1, 1, 1, 1, -1, 0, 1, 1, -1, 0, 2, -1, 0, 2, 0, -1, 0, 1],
        [0, 1, 0, 0, 1, 0, -1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 2, 0, -1, 0, 1],
        [0, 0, 1, 1, 0, 0, -1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, -1, 0, 2, 1, 1, -1, 0],
        [0, 0, 1, 1, 0, 0, -1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0],
    ]) {
        let constant = vec![(0.3 / FULL_SCALE) as f32; 24];
        assert_eq!(to_16_bit(&[constant], shaped(rate))[0], expected, "{rate}");
    }
}
