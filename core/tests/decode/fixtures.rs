//! Files made by other programs, for machines where those are missing: held against the sines they
//! were made from.

use crate::support::{Decoded, decode_bytes, fixture};
use std::f64::consts::TAU;
use wavemill_core::audio::Samples;

/// Amplitude of the fixtures' sines: -6 dBFS.
const AMPLITUDE: f64 = 0.501_187_233_6;

/// Half a step of 16 bits: the sines were rounded once.
const LOSSLESS_TOLERANCE: f64 = 0.5 / 32768.0;

/// Low bit rates: the error stays 26 dB below the sine.
const LOSSY_TOLERANCE: f64 = 0.05 * AMPLITUDE;

fn planes(decoded: &Decoded) -> Vec<Vec<f64>> {
    match &decoded.samples {
        Samples::Int { bit_depth, planes } => {
            let scale = 2f64.powi(1 - i32::from(*bit_depth));
            let to_float = |plane: &Vec<i32>| plane.iter().map(|&x| f64::from(x) * scale).collect();
            planes.iter().map(to_float).collect()
        }
        Samples::Float { planes } => {
            planes.iter().map(|plane| plane.iter().map(|&x| f64::from(x)).collect()).collect()
        }
    }
}

/// Root of the mean squared difference to a sine in frames `[skip, len - skip)`.
fn error(plane: &[f64], sample_rate_hz: u32, frequency_hz: f64, skip: usize) -> f64 {
    let sine = |frame: usize| {
        AMPLITUDE * (TAU * frequency_hz * frame as f64 / f64::from(sample_rate_hz)).sin()
    };
    let inner = skip..plane.len() - skip;
    let count = inner.len() as f64;
    (inner.map(|frame| (plane[frame] - sine(frame)).powi(2)).sum::<f64>() / count).sqrt()
}

fn assert_sines(name: &str, frequencies_hz: &[f64], frame_count: usize, tolerance: f64) {
    let decoded = decode_bytes(&fixture(name)).unwrap();
    let planes = planes(&decoded);
    assert_eq!(planes.len(), frequencies_hz.len(), "{name}");
    // Lossy encoders smear the edges of a tone that starts at once.
    let skip = if decoded.info.lossless { 0 } else { 1200 };
    for (plane, &frequency_hz) in planes.iter().zip(frequencies_hz) {
        assert_eq!(plane.len(), frame_count, "{name}: frames");
        let rate = decoded.info.spec.sample_rate.0;
        let error = error(plane, rate, frequency_hz, skip);
        assert!(error <= tolerance, "{name}, {frequency_hz} Hz: differs by {error}");
    }
}

#[test]
fn lossless_fixtures_decode_to_their_sines() {
    assert_sines("tone-16.flac", &[440.0, 1000.0], 5292, LOSSLESS_TOLERANCE);
    assert_sines("tone-flac.oga", &[440.0, 1000.0], 5292, LOSSLESS_TOLERANCE);
    let six = [200.0, 300.0, 400.0, 50.0, 600.0, 700.0];
    assert_sines("tone-24-6ch.flac", &six, 1440, LOSSLESS_TOLERANCE);
    assert_sines("tone-rf64.wav", &[440.0, 1000.0], 1323, LOSSLESS_TOLERANCE);
    assert_sines("tone.aiff", &[440.0, 1000.0], 400, LOSSLESS_TOLERANCE);
    assert_sines("tone-sowt.aifc", &[500.0], 1103, LOSSLESS_TOLERANCE);
}

#[test]
fn lossy_fixtures_decode_to_their_sines_in_full_length() {
    assert_sines("tone-lame.mp3", &[440.0, 1000.0], 5292, LOSSY_TOLERANCE);
    assert_sines("tone.ogg", &[440.0, 1000.0], 5292, LOSSY_TOLERANCE);
}

#[cfg(feature = "matroska")]
#[test]
fn matroska_fixtures_decode_to_their_sines_in_full_length() {
    assert_sines("tone-flac.mka", &[440.0, 1000.0], 5292, LOSSLESS_TOLERANCE);
    assert_sines("tone-pcm.mkv", &[440.0, 1000.0], 1323, LOSSLESS_TOLERANCE);
    // ffmpeg counts the first packet, which only prepares the second one: it states 128 frames of padding
    // more than there are, and cuts them.
    assert_sines("tone-vorbis.webm", &[440.0, 1000.0], 5292 - 128, LOSSY_TOLERANCE);
}

#[cfg(feature = "mpeg4")]
#[test]
fn mpeg4_fixtures_decode_to_their_sines_in_full_length() {
    assert_sines("tone-alac.m4a", &[440.0, 1000.0], 5292, LOSSLESS_TOLERANCE);
    assert_sines("tone-alac.caf", &[440.0, 1000.0], 5292, LOSSLESS_TOLERANCE);
    assert_sines("tone-aac.m4a", &[440.0, 1000.0], 5292, LOSSY_TOLERANCE);
    assert_sines("tone-he.m4a", &[440.0, 1000.0], 22_050, LOSSY_TOLERANCE);
    let seven = [440.0, 1000.0, 700.0, 60.0, 300.0, 1500.0, 200.0];
    assert_sines("tone-6.1.m4a", &seven, 4800, LOSSY_TOLERANCE);
}

#[test]
fn mp3_without_info_frame_keeps_every_frame() {
    let decoded = decode_bytes(&fixture("tone-mono-noxing.mp3")).unwrap();
    // 14 frames of 576: nothing says what to cut.
    assert_eq!(decoded.samples.frame_count() % 576, 0);
    let plane = &planes(&decoded)[0];
    let loudest = plane.iter().fold(0.0, |max, x| x.abs().max(max));
    assert!((loudest - AMPLITUDE).abs() < 0.05, "{loudest}");
}
