//! An independent meter: the `ebur128` crate for loudness, and an own plain true peak that is far finer
//! than the one under test.

use crate::signal::Signal;
use ebur128::{EbuR128, Mode};
use std::f64::consts::PI;
use std::sync::OnceLock;

/// What the oracle says about a signal; `None` where there is no value.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Integrated loudness, in LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, in LU.
    pub loudness_range_lu: f64,
    /// True peak with the oversampling of BS.1770 Annex 2 (4x, 2x from 96 kHz), in dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// True peak with 16x oversampling, in dBTP.
    pub true_peak_precise_dbtp: Option<f64>,
    /// Largest sample, in dBFS.
    pub sample_peak_dbfs: Option<f64>,
}

/// Measures a whole signal.
pub fn measure(signal: &Signal) -> Measures {
    let channels = u32::try_from(signal.channel_count()).expect("few channels");
    let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK;
    let mut meter = EbuR128::new(channels, signal.sample_rate_hz, mode).expect("a usual format");
    let planes: Vec<&[f32]> = signal.planes.iter().map(Vec::as_slice).collect();
    meter.add_frames_planar_f32(&planes).expect("planes of one length");
    let integrated = meter.loudness_global().expect("mode I is on");
    let largest = |peak: &dyn Fn(u32) -> f64| (0..channels).map(peak).fold(0.0, f64::max);
    Measures {
        integrated_lufs: integrated.is_finite().then_some(integrated),
        loudness_range_lu: meter.loudness_range().expect("mode LRA is on"),
        true_peak_dbtp: decibels(largest(&|c| meter.true_peak(c).expect("the mode is on"))),
        true_peak_precise_dbtp: true_peak_precise(&signal.planes),
        sample_peak_dbfs: decibels(largest(&|c| meter.sample_peak(c).expect("the mode is on"))),
    }
}

#[expect(clippy::disallowed_methods, reason = "an oracle shares no code with what it judges")]
fn decibels(amplitude: f64) -> Option<f64> {
    (amplitude > 0.0).then(|| 20.0 * amplitude.log10())
}

/// Points between two samples.
const PHASES: usize = 16;

/// Samples that each point is computed from.
const TAPS: usize = 96;

/// Shape of the Kaiser window: 80 dB of stop band by Kaiser's formula 0.1102 (A - 8.7).
const BETA: f64 = 7.857;

/// True peak over all channels, in dBTP, at 16 points per sample, in `f64`.
pub fn true_peak_precise(planes: &[Vec<f32>]) -> Option<f64> {
    decibels(planes.iter().map(|plane| peak_of(plane)).fold(0.0, f64::max))
}

fn peak_of(plane: &[f32]) -> f64 {
    let filters = filters();
    // Before and after the file there is silence, and the filter rings into it.
    let mut padded = vec![0.0; TAPS];
    padded.extend(plane.iter().map(|sample| f64::from(*sample)));
    padded.resize(padded.len() + TAPS, 0.0);
    let gain_max = filters.iter().map(|filter| filter.iter().map(|tap| tap.abs()).sum());
    let gain_max: f64 = gain_max.fold(0.0, f64::max);
    let mut peak = 0.0f64;
    for window in padded.windows(TAPS) {
        let largest = window.iter().fold(0.0f64, |largest, sample| largest.max(sample.abs()));
        // No point of this window can reach the peak found so far.
        if largest * gain_max <= peak {
            continue;
        }
        for filter in filters {
            let value: f64 = window.iter().zip(filter).map(|(sample, tap)| sample * tap).sum();
            peak = peak.max(value.abs());
        }
    }
    peak
}

/// A windowed sinc for each point between the two samples in the middle of a window.
fn filters() -> &'static [[f64; TAPS]] {
    static FILTERS: OnceLock<Vec<[f64; TAPS]>> = OnceLock::new();
    FILTERS.get_or_init(|| (0..PHASES).map(filter).collect())
}

fn filter(phase: usize) -> [f64; TAPS] {
    let center = (TAPS / 2 - 1) as f64 + phase as f64 / PHASES as f64;
    let half = TAPS as f64 / 2.0;
    let mut taps = [0.0; TAPS];
    for (index, tap) in taps.iter_mut().enumerate() {
        let distance = index as f64 - center;
        let sinc = if distance == 0.0 { 1.0 } else { (PI * distance).sin() / (PI * distance) };
        let inside = 1.0 - (distance / half).powi(2);
        *tap = sinc * bessel(BETA * inside.max(0.0).sqrt()) / bessel(BETA);
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| tap / sum)
}

/// Modified Bessel function of the first kind, order 0, by its power series.
///
/// Source: Abramowitz and Stegun, 9.6.12.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..60 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::sine;
    use std::f64::consts::TAU;

    /// The precise measure must be much finer than the 0.45 dB it judges: error of 16 points per
    /// sample at the highest tone tried, 20 kHz at 48 kHz, is 20 log10(cos(pi * 20/48/16)) = -0.029 dB.
    const TOLERANCE_DB: f64 = 0.03;

    #[test]
    fn precise_peak_of_a_sine_is_its_amplitude() {
        for (hz, phase) in [(997.0, 0.0), (12_000.0, 0.125), (15_000.0, 0.3), (20_000.0, 0.05)] {
            let step = TAU * hz / 48_000.0;
            // Faded in and out: a sine that starts at once overshoots between its samples.
            let fade = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / 9600.0).cos();
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = |n: usize| (0.5 * fade(n) * (step * n as f64 + TAU * phase).sin()) as f32;
            let peak = true_peak_precise(&[(0..9600).map(sample).collect()]).unwrap();
            assert!((peak + 6.0206).abs() < TOLERANCE_DB, "{hz} Hz: {peak} dBTP");
        }
    }

    #[test]
    fn precise_peak_between_samples_is_found() {
        // A quarter of the sampling rate at 45 degrees: every sample is 3.01 dB below the crest.
        let step = TAU / 4.0;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let sample = |n: usize| {
            let fade = 0.5 - 0.5 * (TAU * n as f64 / 4800.0).cos();
            (fade * (step * n as f64 + TAU / 8.0).sin()) as f32
        };
        let planes = [(0..4800).map(sample).collect::<Vec<f32>>()];
        let samples = planes[0].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(samples < 0.708);
        let peak = true_peak_precise(&planes).unwrap();
        assert!(peak.abs() < TOLERANCE_DB, "{peak} dBTP");
    }

    #[test]
    fn precise_peak_of_an_impulse_is_its_sample() {
        let mut plane = vec![0.0; 200];
        plane[100] = 0.5;
        let peak = true_peak_precise(&[plane]).unwrap();
        assert!((peak + 6.0206).abs() < 1e-5, "{peak}");
    }

    #[test]
    fn precise_peak_of_silence_is_none() {
        assert_eq!(true_peak_precise(&[vec![0.0; 1000]]), None);
    }

    #[test]
    fn loudness_of_the_reference_tone_is_minus_23() {
        // EBU Tech 3341, test case 1: 1 kHz, stereo, peaks at -23.0 dBFS.
        let tone = sine(48_000, 2, 20 * 48_000, 1000.0, 10f64.powf(-23.0 / 20.0));
        let loudness = measure(&tone).integrated_lufs.unwrap();
        assert!((loudness + 23.0).abs() < 0.1, "{loudness}");
    }
}
