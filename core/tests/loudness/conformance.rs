//! EBU's minimum requirements, one test a row.
//!
//! Signals and expected values: EBU Tech 3341 (2023), table 1, and Tech 3342 (2016), table 1. The
//! files are not redistributable, so the signals are synthesized from their descriptions; rows 7 and 8
//! are real programmes and in [`programmes`](crate::programmes).

use crate::signals::{
    LOUDNESS_TOLERANCE_LU, RATE_HZ, SILENCE, assert_loudness, assert_range, assert_true_peak,
    blocks, measure, peak_tone, stereo, stereo_of, thinned_burst, tone,
};
use wavemill_core::audio::StreamSpec;
use wavemill_core::loudness::{HistoryPoint, LoudnessMeter, MonoMode};

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

/// The loudness curve of a tone in both channels.
fn history(parts: &[(f64, f64)]) -> Vec<HistoryPoint> {
    let plane = tone(parts);
    let spec = StreamSpec::new(RATE_HZ, 2);
    let mut meter = LoudnessMeter::new(&spec, MonoMode::Single).with_history();
    blocks(&[plane.clone(), plane], 4096).for_each(|block| meter.push(&block));
    meter.end();
    meter.take_history()
}

#[test]
fn ebu_3341_case_09_short_term_is_constant_after_3_s() {
    let points = history(&[(-20.0, 1.34), (-30.0, 1.66)].repeat(5));
    assert_eq!(points.len(), 150);
    points[29..].iter().for_each(|point| assert_loudness(point.short_term_lufs, -23.0));
}

#[test]
fn ebu_3341_case_10_short_term_of_one_window_anywhere() {
    for file in 0..20 {
        let report = stereo(&[(SILENCE, f64::from(file) * 0.15), (-23.0, 3.0), (SILENCE, 1.0)]);
        assert_loudness(report.short_term_max_lufs, -23.0);
    }
}

/// The largest values of a live meter that is looked at every 10 ms, after each of some segments; the
/// segments get louder.
fn live_maxima(segments: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let mut meter = LoudnessMeter::new(&StreamSpec::new(RATE_HZ, 2), MonoMode::Single);
    let (mut momentary, mut short_term) = (SILENCE, SILENCE);
    let mut maxima = Vec::new();
    for segment in segments {
        let plane = tone(segment);
        for block in blocks(&[plane.clone(), plane], 480) {
            meter.push(&block);
            let reading = meter.reading();
            momentary = reading.momentary_lufs.map_or(momentary, |lufs| lufs.0.max(momentary));
            short_term = reading.short_term_lufs.map_or(short_term, |lufs| lufs.0.max(short_term));
        }
        assert_eq!(meter.reading().momentary_max_lufs.map(|lufs| lufs.0), Some(momentary));
        maxima.push((momentary, short_term));
    }
    maxima
}

#[test]
fn ebu_3341_case_11_live_short_term_maxima() {
    let segment = |step: i32| {
        let silence_s = f64::from(step) * 0.15;
        vec![(SILENCE, silence_s), (f64::from(step) - 38.0, 3.0), (SILENCE, 3.0 - silence_s)]
    };
    let segments: Vec<_> = (0..20).map(segment).collect();
    for (step, (_, short_term)) in (-38..-18).zip(live_maxima(&segments)) {
        let difference = short_term - f64::from(step);
        assert!(difference.abs() <= LOUDNESS_TOLERANCE_LU, "{short_term}, expected {step}");
    }
}

#[test]
fn ebu_3341_case_12_momentary_is_constant_after_1_s() {
    let parts = [(-20.0, 0.18), (-30.0, 0.22)].repeat(25);
    history(&parts)[9..].iter().for_each(|point| assert_loudness(point.momentary_lufs, -23.0));
    assert_loudness(stereo(&parts).momentary_max_lufs, -23.0);
}

#[test]
fn ebu_3341_case_13_momentary_of_one_window_anywhere() {
    for file in 0..20 {
        let silence_s = f64::from(file) * 0.02;
        let report = stereo(&[(SILENCE, silence_s), (-23.0, 0.4), (SILENCE, 1.0)]);
        assert_loudness(report.momentary_max_lufs, -23.0);
        let end_s = report.momentary_max_at_s.unwrap().0;
        assert!((end_s - silence_s - 0.4).abs() < 0.0151, "{end_s} after {silence_s}");
    }
}

#[test]
fn ebu_3341_case_14_live_momentary_maxima() {
    let segment = |step: i32| {
        let silence_s = f64::from(step) * 0.02;
        vec![(SILENCE, silence_s), (f64::from(step) - 38.0, 0.4), (SILENCE, 0.4 - silence_s)]
    };
    let segments: Vec<_> = (0..20).map(segment).collect();
    for (step, (momentary, _)) in (-38..-18).zip(live_maxima(&segments)) {
        let difference = momentary - f64::from(step);
        assert!(difference.abs() <= LOUDNESS_TOLERANCE_LU, "{momentary}, expected {step}");
    }
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

fn assert_thinned_burst(offset: usize, sample_peak: f32) {
    let plane = thinned_burst(offset);
    // The samples of EBU's own file reach this far: it is the same signal.
    let largest = plane.iter().fold(0.0f32, |largest, sample| largest.max(sample.abs()));
    assert!((largest - sample_peak).abs() < 0.01, "{largest}");
    assert_true_peak(&stereo_of(&plane), 0.0);
}

#[test]
fn ebu_3341_case_20_true_peak_of_a_burst_thinned_out_from_0() {
    assert_thinned_burst(0, 0.985);
}

#[test]
fn ebu_3341_case_21_true_peak_of_a_burst_thinned_out_from_1() {
    assert_thinned_burst(1, 0.948);
}

#[test]
fn ebu_3341_case_22_true_peak_of_a_burst_thinned_out_from_2() {
    assert_thinned_burst(2, 0.749);
}

#[test]
fn ebu_3341_case_23_true_peak_of_a_burst_thinned_out_from_3() {
    assert_thinned_burst(3, 0.948);
}

#[test]
fn ebu_3342_case_1_range_of_10() {
    assert_range(stereo(&[(-20.0, 20.0), (-30.0, 20.0)]).loudness_range_lu, 10.0);
}

#[test]
fn ebu_3342_case_2_range_of_5() {
    assert_range(stereo(&[(-20.0, 20.0), (-15.0, 20.0)]).loudness_range_lu, 5.0);
}

#[test]
fn ebu_3342_case_3_range_of_20() {
    assert_range(stereo(&[(-40.0, 20.0), (-20.0, 20.0)]).loudness_range_lu, 20.0);
}

#[test]
fn ebu_3342_case_4_range_of_15() {
    let parts = [-50.0, -35.0, -20.0, -35.0, -50.0].map(|level| (level, 20.0));
    assert_range(stereo(&parts).loudness_range_lu, 15.0);
}
