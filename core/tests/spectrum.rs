//! The spectrum: librosa's numbers for signals made here, and its edges.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::synth::{bursts, noise, scaled, sum, sweep, tone};
use wavemill_core::analysis::{self, MeasureGroup, Options};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::measure::SpectrumReport;

fn spectrum(planes: &[&[f32]], rate_hz: u32) -> SpectrumReport {
    let options = Options { groups: vec![MeasureGroup::Spectrum], ..Options::default() };
    let spec = StreamSpec::new(rate_hz, planes.len());
    analysis::analyze(planes, &spec, PcmFormat::FLOAT, &options).unwrap().spectrum.unwrap()
}

/// What librosa 0.11.0 says, with numpy 2.4: `librosa.feature.spectral_centroid(y=y, sr=rate)` and so
/// on, averaged with `numpy.mean(.., dtype=float64)`, of the signals below as `float32`.
struct Golden {
    rate_hz: u32,
    signal: Vec<f32>,
    centroid_hz: f64,
    /// `None` where it is mostly that of rounding: beside the lines of a pure tone there is nothing
    /// but what rounding adds 140 dB below them, and librosa transforms in `f64`.
    bandwidth_hz: Option<f64>,
    rolloff_hz: f64,
    /// `None` as there.
    flatness: Option<f64>,
}

fn golden(rate_hz: u32, signal: Vec<f32>, numbers: [f64; 4]) -> Golden {
    let [centroid_hz, bandwidth_hz, rolloff_hz, flatness] = numbers;
    let (bandwidth_hz, flatness) = (Some(bandwidth_hz), Some(flatness));
    Golden { rate_hz, signal, centroid_hz, bandwidth_hz, rolloff_hz, flatness }
}

/// Spectral numbers equal librosa's within half a percent.
const TOLERANCE: f64 = 0.005;

fn check(golden: &Golden) {
    let report = spectrum(&[&golden.signal], golden.rate_hz);
    let pairs = [
        ("centroid", report.centroid_hz.unwrap().0, Some(golden.centroid_hz)),
        ("bandwidth", report.bandwidth_hz.unwrap().0, golden.bandwidth_hz),
        ("rolloff", report.rolloff_hz.unwrap().0, Some(golden.rolloff_hz)),
        ("flatness", report.flatness.unwrap(), golden.flatness),
    ];
    for (name, ours, librosa) in pairs {
        let librosa = librosa.unwrap_or(ours);
        assert!((ours / librosa - 1.0).abs() < TOLERANCE, "{name}: {ours}, librosa {librosa}");
    }
}

#[test]
fn noise_has_librosas_numbers() {
    let signal = scaled(0.5, &noise(88_200));
    check(&golden(44_100, signal, [11034.2271, 6368.99964, 18763.0126, 0.561497881]));
}

#[test]
fn tone_has_librosas_numbers() {
    let signal = scaled(0.5, &tone(96_000, 48_000, 1000.0));
    check(&Golden {
        rate_hz: 48_000,
        signal,
        centroid_hz: 1005.81498,
        bandwidth_hz: None,
        rolloff_hz: 1011.55253,
        flatness: None,
    });
}

#[test]
fn tone_in_noise_has_librosas_numbers() {
    let tone = scaled(0.5, &tone(88_200, 44_100, 3000.0));
    let signal = sum(&tone, &scaled(0.01, &noise(88_200)));
    check(&golden(44_100, signal, [3948.86861, 3395.58412, 3040.04019, 5.320947e-05]));
}

#[test]
fn sweep_has_librosas_numbers() {
    let sweep = scaled(0.9, &sweep(132_300, 44_100, 20.0, 20_000.0));
    let signal = sum(&sweep, &scaled(0.001, &noise(132_300)));
    check(&golden(44_100, signal, [2942.41262, 865.910443, 2965.59597, 1.40228544e-05]));
}

#[test]
fn silent_frames_count_as_in_librosa() {
    let signal = scaled(1.0, &bursts(88_200, 44_100));
    check(&golden(44_100, signal, [6316.57947, 3643.40806, 10746.0641, 0.748600991]));
}

#[test]
fn signal_shorter_than_a_frame_has_librosas_numbers() {
    let signal = scaled(0.5, &noise(1000));
    check(&golden(44_100, signal, [10926.0189, 6403.05506, 18744.6533, 0.564435571]));
}

#[test]
fn single_sample_has_librosas_numbers() {
    check(&golden(44_100, vec![0.25], [11025.0, 6371.49979, 18755.4199, 0.999999702]));
}

#[test]
fn low_rate_has_librosas_numbers() {
    let signal = scaled(0.5, &noise(16_000));
    check(&golden(8000, signal, [2002.6733, 1157.46944, 3406.25, 0.558955966]));
}

#[test]
fn high_rate_has_librosas_numbers() {
    let signal = scaled(0.5, &noise(192_000));
    check(&golden(192_000, signal, [47972.2646, 27753.2524, 81653.0086, 0.562439791]));
}

#[test]
fn constant_has_librosas_numbers() {
    check(&Golden {
        rate_hz: 44_100,
        signal: vec![0.5; 44_100],
        centroid_hz: 100.980453,
        bandwidth_hz: None,
        rolloff_hz: 213.104459,
        flatness: None,
    });
}

#[test]
fn full_scale_noise_has_the_spectrum_of_quiet_noise() {
    let (loud, quiet) = (scaled(2.0, &noise(44_100)), scaled(0.02, &noise(44_100)));
    let (loud, quiet) = (spectrum(&[&loud], 44_100), spectrum(&[&quiet], 44_100));
    let ratio = loud.centroid_hz.unwrap().0 / quiet.centroid_hz.unwrap().0;
    assert!((ratio - 1.0).abs() < 1e-4, "{ratio}");
    assert!((loud.flatness.unwrap() / quiet.flatness.unwrap() - 1.0).abs() < 1e-3);
}

#[test]
fn silence_has_no_spectrum() {
    assert_eq!(spectrum(&[&[0.0; 3000]], 44_100), SpectrumReport::default());
    assert_eq!(spectrum(&[&[]], 44_100), SpectrumReport::default());
    assert_eq!(spectrum(&[], 44_100), SpectrumReport::default());
}

#[test]
fn opposite_sides_have_no_spectrum() {
    let left = scaled(0.5, &noise(5000));
    let right = scaled(-0.5, &noise(5000));
    assert_eq!(spectrum(&[&left, &right], 44_100), SpectrumReport::default());
}

#[test]
fn channels_are_averaged() {
    let signal = scaled(0.5, &noise(44_100));
    let alone = spectrum(&[&signal], 44_100);
    assert_eq!(spectrum(&[&signal, &signal], 44_100), alone);
    let six = spectrum(&[signal.as_slice(); 6], 44_100);
    let ratio = six.centroid_hz.unwrap().0 / alone.centroid_hz.unwrap().0;
    assert!((ratio - 1.0).abs() < 1e-6, "{ratio}");
}
