//! Offline bounces at full speed: no frame is dropped, and the readings are those of the file.

use crate::captures;
use crate::host::{Running, STEREO, Stream, instance, load, save};
use crate::readings::readings;
use serde_json::Value;
use wavemill_core::analysis::{self, MeasureGroup, Options};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::loudness::LoudnessReport;

/// As the issue asks: of the same samples, in LU or dB.
const TOLERANCE: f64 = 0.01;

/// A program with soft and loud parts and clicks, in whole samples of 16 bits.
fn program(channel_count: usize, frame_count: u32) -> Vec<Vec<f32>> {
    let mut state = 17u32;
    let mut planes = vec![Vec::new(); channel_count];
    for frame in 0..frame_count {
        let level = 0.02 + 0.3 * f64::from(frame % 200_000) / 200_000.0;
        for plane in &mut planes {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5;
            let click = if frame % 150_011 == 0 { 0.8 } else { 0.0 };
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            plane.push(((level * noise + click) * 32_768.0).round() as f32 / 32_768.0);
        }
    }
    planes
}

fn analyzed(planes: &[Vec<f32>], rate_hz: u32) -> LoudnessReport {
    let spec = StreamSpec::new(rate_hz, planes.len());
    let options = Options { groups: vec![MeasureGroup::Loudness], ..Options::default() };
    let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    analysis::analyze(&planes, &spec, PcmFormat::FLOAT, &options).unwrap().loudness.unwrap()
}

/// Holds readings of a state against a report.
fn compare(readings: &Value, report: &LoudnessReport, of: &str) {
    for (name, exact) in [
        ("integrated_lufs", report.integrated_lufs.map(|value| value.0)),
        ("loudness_range_lu", report.loudness_range_lu.map(|value| value.0)),
        ("momentary_max_lufs", report.momentary_max_lufs.map(|value| value.0)),
        ("short_term_max_lufs", report.short_term_max_lufs.map(|value| value.0)),
        ("true_peak_dbtp", report.true_peak_dbtp.map(|value| value.0)),
        ("true_peak_precise_dbtp", report.true_peak_precise_dbtp.map(|value| value.0)),
        ("peak_to_loudness_lu", report.peak_to_loudness_lu.map(|value| value.0)),
        ("peak_to_short_term_lu", report.peak_to_short_term_lu.map(|value| value.0)),
    ] {
        let (reading, exact) = (readings[name].as_f64().unwrap(), exact.unwrap());
        assert!((reading - exact).abs() <= TOLERANCE, "{of}: {name} is {reading}, not {exact}");
    }
}

#[test]
fn bounce_at_full_speed_is_measured_as_its_file_is_analyzed() {
    for (channel_count, rate_hz, block_frames) in [
        (2, 48_000, 64),
        (2, 44_100, 4096),
        (1, 96_000, 509),
        (6, 48_000, 1024),
        (12, 48_000, 1024),
    ] {
        let of = format!("{channel_count} channels at {rate_hz} Hz in blocks of {block_frames}");
        let frame_count = 20 * rate_hz + 123;
        let planes = program(channel_count, frame_count);
        let stream = Stream {
            channel_count,
            sample_rate_hz: f64::from(rate_hz),
            is_offline: true,
            ..STEREO
        };
        let mut running = Running::new(stream);
        bounce(&mut running, &planes, block_frames);
        let measured_s = f64::from(frame_count) / f64::from(rate_hz);
        let shown = readings(&save(&mut running.instance))["measured_s"].as_f64().unwrap();
        assert!((shown - measured_s).abs() < 1e-5, "{of}: {shown} s of {measured_s} were measured");
        let report = analyzed(&planes, rate_hz);
        compare(&readings(&save(&mut running.stop())), &report, &of);
    }
}

fn bounce(running: &mut Running, planes: &[Vec<f32>], block_frames: usize) {
    for start in (0..planes[0].len()).step_by(block_frames) {
        let end = (start + block_frames).min(planes[0].len());
        let block: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        running.process(&block, None);
    }
}

/// A minute in a second or so: neither the meters nor the file miss a frame.
#[test]
fn captured_bounce_and_its_readings_hold_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = instance();
    assert!(load(&mut instance, &captures::state(folder.path())));
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    running.capture("bounce");
    let planes = program(2, 60 * 48_000);
    bounce(&mut running, &planes, 512);
    let mut instance = running.stop();
    let shown = readings(&save(&mut instance));
    drop(instance);
    let files = captures::files(folder.path());
    let [file] = &files[..] else { panic!("{files:?}") };
    let samples = hound::WavReader::open(file).unwrap().into_samples::<f32>();
    let samples: Vec<u32> = samples.map(|sample| sample.unwrap().to_bits()).collect();
    let pairs = planes[0].iter().zip(&planes[1]);
    assert!(samples == pairs.flat_map(|(a, b)| [a.to_bits(), b.to_bits()]).collect::<Vec<_>>());
    assert!((shown["measured_s"].as_f64().unwrap() - 60.0).abs() < 1e-5, "{shown}");
    compare(&shown, &analyzed(&planes, 48_000), "a minute");
}
