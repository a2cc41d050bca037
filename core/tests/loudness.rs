//! The loudness meter against the EBU's test signals, `ebur128` itself and `ffmpeg`.
//!
//! Signals and expected values: EBU Tech 3341 (2023), table 1, and Tech 3342 (2016), table 1. The
//! files are not redistributable, so the signals are synthesized from their descriptions.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{encode, music, run_tool, settings};
use ebur128::{EbuR128, Mode};
use std::f64::consts::TAU;
use wavemill_core::audio::{Block, ChannelLayout, PcmFormat, Samples, StreamSpec, convert};
use wavemill_core::loudness::{LoudnessMeter, LoudnessReport, MonoMode};

/// Tolerance of all loudness values. Source: EBU Tech 3341, table 1.
const LOUDNESS_TOLERANCE_LU: f64 = 0.1;

/// Tolerances of true peak. Source: EBU Tech 3341, table 1.
const PEAK_ABOVE_DB: f64 = 0.2;
const PEAK_BELOW_DB: f64 = 0.4;

/// Tolerance of loudness range. Source: EBU Tech 3342, table 1.
const RANGE_TOLERANCE_LU: f64 = 1.0;

const RATE_HZ: u32 = 48_000;

/// Report of `planes`, pushed in blocks of `block` frames.
fn measure(spec: &StreamSpec, planes: &[Vec<f32>], mono: MonoMode, block: usize) -> LoudnessReport {
    let mut meter = LoudnessMeter::new(spec, mono);
    let frame_count = planes.first().map_or(0, Vec::len);
    for start in (0..frame_count).step_by(block) {
        let end = (start + block).min(frame_count);
        let cut: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        meter.push(&Block::from_planes(&cut));
    }
    meter.finish()
}

/// A 1 kHz tone of consecutive levels (peak dBFS, seconds).
fn tone(parts: &[(f64, f64)]) -> Vec<f32> {
    let mut plane = Vec::new();
    for &(level_dbfs, duration_s) in parts {
        let amplitude = 10f64.powf(level_dbfs / 20.0);
        for _ in 0..(duration_s * f64::from(RATE_HZ)).round() as usize {
            let phase = TAU * 1000.0 * plane.len() as f64 / f64::from(RATE_HZ);
            plane.push((amplitude * phase.sin()) as f32);
        }
    }
    plane
}

fn stereo(parts: &[(f64, f64)]) -> LoudnessReport {
    let plane = tone(parts);
    measure(&StreamSpec::new(RATE_HZ, 2), &[plane.clone(), plane], MonoMode::Single, 4096)
}

fn assert_loudness(value: Option<wavemill_core::units::Lufs>, expected: f64) {
    let value = value.unwrap().0;
    assert!((value - expected).abs() <= LOUDNESS_TOLERANCE_LU, "{value}, expected {expected}");
}

#[test]
fn ebu_3341_case_01_steady_tone_of_minus_23() {
    let report = stereo(&[(-23.0, 20.0)]);
    assert_loudness(report.integrated_lufs, -23.0);
    assert_loudness(report.momentary_max_lufs, -23.0);
    assert_loudness(report.short_term_max_lufs, -23.0);
}

#[test]
fn ebu_3341_case_02_steady_tone_of_minus_33() {
    let report = stereo(&[(-33.0, 20.0)]);
    assert_loudness(report.integrated_lufs, -33.0);
    assert_loudness(report.momentary_max_lufs, -33.0);
    assert_loudness(report.short_term_max_lufs, -33.0);
}

#[test]
fn ebu_3341_case_03_relative_gate() {
    let report = stereo(&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)]);
    assert_loudness(report.integrated_lufs, -23.0);
}

#[test]
fn ebu_3341_case_04_absolute_and_relative_gate() {
    let report =
        stereo(&[(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)]);
    assert_loudness(report.integrated_lufs, -23.0);
}

#[test]
fn ebu_3341_case_05_three_levels() {
    let report = stereo(&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)]);
    assert_loudness(report.integrated_lufs, -23.0);
}

#[test]
fn ebu_3341_case_06_five_channels() {
    let planes: Vec<Vec<f32>> =
        [-28.0, -28.0, -24.0, -30.0, -30.0].iter().map(|&level| tone(&[(level, 20.0)])).collect();
    let five = StreamSpec::new(RATE_HZ, 5);
    assert_loudness(measure(&five, &planes, MonoMode::Single, 4096).integrated_lufs, -23.0);
    // The same as 5.1, whose low-frequency effects must not count.
    let mut planes = planes;
    planes.insert(3, tone(&[(0.0, 20.0)]));
    let report = measure(&StreamSpec::new(RATE_HZ, 6), &planes, MonoMode::Single, 4096);
    assert_loudness(report.integrated_lufs, -23.0);
}

#[test]
fn ebu_3341_case_09_short_term() {
    let report = stereo(&[(-20.0, 1.34), (-30.0, 1.66)].repeat(5));
    assert_loudness(report.short_term_max_lufs, -23.0);
}

#[test]
fn ebu_3341_case_10_short_term_of_one_window_anywhere() {
    for file in 0..20 {
        let report = stereo(&[(-200.0, f64::from(file) * 0.15), (-23.0, 3.0), (-200.0, 1.0)]);
        assert_loudness(report.short_term_max_lufs, -23.0);
    }
}

#[test]
fn ebu_3341_case_12_momentary() {
    let report = stereo(&[(-20.0, 0.18), (-30.0, 0.22)].repeat(25));
    assert_loudness(report.momentary_max_lufs, -23.0);
}

#[test]
fn ebu_3341_case_13_momentary_of_one_window_anywhere() {
    for file in 0..20 {
        let silence_s = f64::from(file) * 0.02;
        let report = stereo(&[(-200.0, silence_s), (-23.0, 0.4), (-200.0, 1.0)]);
        assert_loudness(report.momentary_max_lufs, -23.0);
        let end_s = report.momentary_max_at_s.unwrap().0;
        assert!((end_s - silence_s - 0.4).abs() < 0.0151, "{end_s} after {silence_s}");
    }
}

/// A sine of `rate / divisor` with ramps of 100 ms, 3.2 s long.
fn peak_tone(rate_hz: u32, divisor: f64, phase_degrees: f64, amplitude: f64) -> LoudnessReport {
    let rate = f64::from(rate_hz);
    let frame_count = (3.2 * rate) as usize;
    let plane: Vec<f32> = (0..frame_count)
        .map(|frame| {
            let phase = TAU * (frame as f64 / divisor + phase_degrees / 360.0);
            let edge_s = (frame.min(frame_count - 1 - frame)) as f64 / rate;
            (amplitude * (edge_s / 0.1).min(1.0) * phase.sin()) as f32
        })
        .collect();
    let spec = StreamSpec::new(rate_hz, 2);
    measure(&spec, &[plane.clone(), plane], MonoMode::Single, 4096)
}

fn assert_true_peak(report: &LoudnessReport, expected_dbtp: f64) {
    let peak = report.true_peak_dbtp.unwrap().0;
    assert!(peak <= expected_dbtp + PEAK_ABOVE_DB, "{peak}, expected {expected_dbtp}");
    assert!(peak >= expected_dbtp - PEAK_BELOW_DB, "{peak}, expected {expected_dbtp}");
}

#[test]
fn ebu_3341_case_15_true_peak_on_the_samples() {
    assert_true_peak(&peak_tone(RATE_HZ, 4.0, 0.0, 0.5), -6.0);
}

#[test]
fn ebu_3341_case_16_true_peak_between_samples_at_a_quarter_of_the_rate() {
    let report = peak_tone(RATE_HZ, 4.0, 45.0, 0.5);
    assert_true_peak(&report, -6.0);
    assert!(report.sample_peak_dbfs.unwrap().0 < -9.0);
}

#[test]
fn ebu_3341_case_17_true_peak_at_a_sixth_of_the_rate() {
    assert_true_peak(&peak_tone(RATE_HZ, 6.0, 60.0, 0.5), -6.0);
}

#[test]
fn ebu_3341_case_18_true_peak_at_an_eighth_of_the_rate() {
    assert_true_peak(&peak_tone(RATE_HZ, 8.0, 67.5, 0.5), -6.0);
}

#[test]
fn ebu_3341_case_19_true_peak_above_full_scale() {
    assert_true_peak(&peak_tone(RATE_HZ, 4.0, 45.0, 1.41), 3.0);
}

#[test]
fn true_peak_at_96_khz_is_found_between_samples() {
    assert_true_peak(&peak_tone(96_000, 8.0, 67.5, 0.5), -6.0);
}

#[test]
fn true_peak_of_the_last_sample_is_not_missed() {
    let plane = [vec![0.0; 1000], vec![0.6, 0.6]].concat();
    let report = measure(&StreamSpec::new(RATE_HZ, 1), &[plane], MonoMode::Single, 4096);
    assert!(report.true_peak_dbtp.unwrap().0 > report.sample_peak_dbfs.unwrap().0 + 1.0);
}

fn assert_range(parts: &[(f64, f64)], expected_lu: f64) {
    let range = stereo(parts).loudness_range_lu.unwrap().0;
    assert!((range - expected_lu).abs() <= RANGE_TOLERANCE_LU, "{range}, expected {expected_lu}");
}

#[test]
fn ebu_3342_case_1_range_of_10() {
    assert_range(&[(-20.0, 20.0), (-30.0, 20.0)], 10.0);
}

#[test]
fn ebu_3342_case_2_range_of_5() {
    assert_range(&[(-20.0, 20.0), (-15.0, 20.0)], 5.0);
}

#[test]
fn ebu_3342_case_3_range_of_20() {
    assert_range(&[(-40.0, 20.0), (-20.0, 20.0)], 20.0);
}

#[test]
fn ebu_3342_case_4_range_of_15() {
    assert_range(
        &[(-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)],
        15.0,
    );
}

#[test]
fn dual_mono_is_3_lu_louder_than_single() {
    let plane = tone(&[(-23.0, 5.0)]);
    let spec = StreamSpec::new(RATE_HZ, 1);
    let single = measure(&spec, std::slice::from_ref(&plane), MonoMode::Single, 4096);
    let dual = measure(&spec, std::slice::from_ref(&plane), MonoMode::Dual, 4096);
    let difference = dual.integrated_lufs.unwrap() - single.integrated_lufs.unwrap();
    assert!((difference.0 - 10.0 * 2f64.ln() / 10f64.ln()).abs() < 1e-9, "{difference}");
    assert_loudness(
        measure(&StreamSpec::new(RATE_HZ, 2), &[plane.clone(), plane], MonoMode::Dual, 64)
            .integrated_lufs,
        dual.integrated_lufs.unwrap().0,
    );
}

#[test]
fn silence_has_no_loudness_and_no_peak() {
    let report =
        measure(&StreamSpec::new(RATE_HZ, 2), &vec![vec![0.0; 500_000]; 2], MonoMode::Single, 4096);
    assert_eq!(report, LoudnessReport::default());
}

#[test]
fn nothing_at_all_has_no_loudness() {
    for channel_count in [0, 1, 99] {
        let spec = StreamSpec::new(RATE_HZ, channel_count);
        let planes = vec![Vec::new(); channel_count];
        assert_eq!(measure(&spec, &planes, MonoMode::Single, 1), LoudnessReport::default());
    }
}

#[test]
fn short_signal_has_a_peak_but_no_loudness() {
    let plane = tone(&[(-20.0, 0.3)]);
    let report = measure(&StreamSpec::new(RATE_HZ, 1), &[plane], MonoMode::Single, 64);
    assert_eq!(report.integrated_lufs, None);
    assert_eq!(report.momentary_max_lufs, None);
    assert!(report.true_peak_dbtp.is_some());
}

#[test]
fn one_second_has_momentary_but_no_short_term_loudness() {
    let report = stereo(&[(-23.0, 1.0)]);
    assert_loudness(report.momentary_max_lufs, -23.0);
    assert_loudness(report.integrated_lufs, -23.0);
    assert_eq!(report.short_term_max_lufs, None);
    assert_eq!(report.loudness_range_lu, None);
}

#[test]
fn report_does_not_depend_on_blocks() {
    let Samples::Float { planes } = music(PcmFormat::FLOAT, 2, 200_000) else { panic!("floats") };
    let spec = StreamSpec::new(44_100, 2);
    let whole = measure(&spec, &planes, MonoMode::Single, 200_000);
    assert!(whole.integrated_lufs.is_some() && whole.short_term_max_lufs.is_some());
    for block in [1, 7, 64, 4096] {
        assert_eq!(measure(&spec, &planes, MonoMode::Single, block), whole, "blocks of {block}");
    }
}

#[test]
fn sides_of_7_1_weigh_more_than_its_back() {
    let spec = StreamSpec::new(RATE_HZ, 8);
    let loudness_with_tone_in = |channel: usize| {
        let mut planes = vec![vec![0.0; 48_000]; 8];
        planes[channel] = tone(&[(-20.0, 1.0)]);
        measure(&spec, &planes, MonoMode::Single, 4096).integrated_lufs.map(|lufs| lufs.0)
    };
    let front = loudness_with_tone_in(0).unwrap();
    let (back, side) = (loudness_with_tone_in(4).unwrap(), loudness_with_tone_in(6).unwrap());
    assert!((back - front).abs() < 1e-9);
    assert!((side - front - 1.49).abs() < 0.01, "{side} {front}");
    assert_eq!(loudness_with_tone_in(3), None);
}

#[test]
fn unknown_positions_weigh_one() {
    let plane = tone(&[(-23.0, 1.0)]);
    let mut spec = StreamSpec::new(RATE_HZ, 2);
    let planes = [plane.clone(), plane];
    let known = measure(&spec, &planes, MonoMode::Single, 4096);
    spec.layout = ChannelLayout::new(vec![wavemill_core::audio::ChannelPosition::Unknown; 2]);
    assert_eq!(measure(&spec, &planes, MonoMode::Single, 4096), known);
}

#[test]
fn loudness_agrees_with_the_library_at_every_rate() {
    for rate_hz in [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000] {
        // Where the library's hop is no whole number of frames it drifts, and a single gating block
        // that falls on the other side of the gate must not weigh much: hence a longer signal.
        let (duration_s, tolerance_lu) = if rate_hz % 100 == 0 { (8, 1e-6) } else { (60, 0.02) };
        let frame_count = rate_hz as usize * duration_s;
        let Samples::Float { planes } = music(PcmFormat::FLOAT, 2, frame_count) else {
            panic!("floats")
        };
        let report = measure(&StreamSpec::new(rate_hz, 2), &planes, MonoMode::Single, 4096);
        let mut oracle = EbuR128::new(2, rate_hz, Mode::I | Mode::LRA | Mode::TRUE_PEAK).unwrap();
        oracle.add_frames_planar_f32(&[&planes[0], &planes[1]]).unwrap();
        let integrated = report.integrated_lufs.unwrap().0;
        let difference = integrated - oracle.loudness_global().unwrap();
        assert!(difference.abs() < tolerance_lu, "{rate_hz} Hz: {difference} LU");
        let peak = oracle.true_peak(0).unwrap().max(oracle.true_peak(1).unwrap());
        let measured = 10f64.powf(report.true_peak_dbtp.unwrap().0 / 20.0);
        assert!((measured / peak - 1.0).abs() < 1e-6, "{rate_hz} Hz: {measured} {peak}");
    }
}

#[test]
fn loudness_range_agrees_with_ffmpeg() {
    let parts: Vec<(f64, f64)> =
        (0..40).map(|i| (-20.0 - f64::from(i * 7 % 23), 1.0 + f64::from(i % 5) * 0.7)).collect();
    let plane = tone(&parts);
    let samples = Samples::Float { planes: vec![plane.clone(), plane] };
    let mut settings = settings(&samples);
    settings.spec = StreamSpec::new(RATE_HZ, 2);
    let file = encode("wav", &samples, settings, 4096).unwrap();
    let arguments =
        ["-hide_banner", "-nostats", "-i", "-", "-filter_complex", "ebur128", "-f", "null", "-"];
    let Some(output) = run_tool("ffmpeg", &arguments, &file) else { return };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = &text[text.rfind("Summary:").unwrap()..];
    let value = |key: &str| -> f64 {
        let rest = &summary[summary.find(key).unwrap() + key.len()..];
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    let report = stereo(&parts);
    let (range, integrated) = (value("LRA:"), value("I:"));
    // ffmpeg prints one digit after the point, of percentiles in bins of 0.1 LU.
    assert!((report.loudness_range_lu.unwrap().0 - range).abs() < 0.2, "{report:?} {range}");
    assert!((report.integrated_lufs.unwrap().0 - integrated).abs() < 0.06, "{integrated}");
}

#[test]
fn report_has_the_keys_of_the_json() {
    let json = serde_json::to_value(stereo(&[(-23.0, 4.0)])).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "integrated_lufs",
        "loudness_range_lu",
        "momentary_max_lufs",
        "momentary_max_at_s",
        "short_term_max_lufs",
        "short_term_max_at_s",
        "true_peak_dbtp",
        "true_peak_precise_dbtp",
        "sample_peak_dbfs",
        "peak_to_loudness_lu",
        "peak_to_short_term_lu",
    ];
    assert_eq!(keys, expected);
    assert!(json.as_object().unwrap().values().all(serde_json::Value::is_number));
    let silent = serde_json::to_value(LoudnessReport::default()).unwrap();
    assert!(silent.as_object().unwrap().values().all(serde_json::Value::is_null));
}

#[test]
fn blocks_of_the_decoder_measure_like_their_floats() {
    let ints = music(PcmFormat::int(24), 2, 50_000);
    let mut block = Block::new(2, 50_000);
    convert::to_block(&ints, &mut block);
    let mut meter = LoudnessMeter::new(&StreamSpec::new(44_100, 2), MonoMode::Single);
    meter.push(&block);
    let planes: Vec<Vec<f32>> = block.planes().map(<[f32]>::to_vec).collect();
    let spec = StreamSpec::new(44_100, 2);
    assert_eq!(meter.finish(), measure(&spec, &planes, MonoMode::Single, 512));
}
