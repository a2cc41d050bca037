//! Signals made of tones, and what the meter says of them.

use std::f64::consts::{PI, TAU};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, LoudnessReport, MonoMode};
use wavemill_core::units::{Lu, Lufs};

pub(crate) const RATE_HZ: u32 = 48_000;

/// Tolerance of all loudness values. Source: EBU Tech 3341, table 1.
pub(crate) const LOUDNESS_TOLERANCE_LU: f64 = 0.1;

/// Tolerances of true peak. Source: EBU Tech 3341, table 1.
pub(crate) const PEAK_ABOVE_DB: f64 = 0.2;
pub(crate) const PEAK_BELOW_DB: f64 = 0.4;

/// Tolerance of loudness range. Source: EBU Tech 3342, table 1.
pub(crate) const RANGE_TOLERANCE_LU: f64 = 1.0;

/// Level that stands for digital silence.
pub(crate) const SILENCE: f64 = f64::NEG_INFINITY;

/// A signal in blocks of up to `frames` frames.
pub(crate) fn blocks(planes: &[Vec<f32>], frames: usize) -> impl Iterator<Item = Block> {
    let frame_count = planes.first().map_or(0, Vec::len);
    (0..frame_count).step_by(frames).map(move |start| {
        let end = (start + frames).min(frame_count);
        let cut: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        Block::from_planes(&cut)
    })
}

/// Report of `planes`, pushed in blocks of `block` frames.
pub(crate) fn measure(
    spec: &StreamSpec,
    planes: &[Vec<f32>],
    mono: MonoMode,
    block: usize,
) -> LoudnessReport {
    let mut meter = LoudnessMeter::new(spec, mono);
    blocks(planes, block).for_each(|block| meter.push(&block));
    meter.finish()
}

/// A 1 kHz tone of consecutive levels (peak dBFS, seconds).
pub(crate) fn tone(parts: &[(f64, f64)]) -> Vec<f32> {
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

/// Report of such a tone in both channels.
pub(crate) fn stereo(parts: &[(f64, f64)]) -> LoudnessReport {
    stereo_of(&tone(parts))
}

/// Report of a signal in both channels.
pub(crate) fn stereo_of(plane: &[f32]) -> LoudnessReport {
    let planes = [plane.to_vec(), plane.to_vec()];
    measure(&StreamSpec::new(RATE_HZ, 2), &planes, MonoMode::Single, 4096)
}

/// A factor for each frame: 0 to 1 within `ramp` frames at the beginning, and back at the end.
pub(crate) fn ramped(frame: usize, frame_count: usize, ramp: usize) -> f64 {
    let edge = frame.min(frame_count - 1 - frame);
    (edge as f64 / ramp as f64).min(1.0)
}

/// A sine of `rate / divisor` with ramps of 100 ms, 3.2 s long.
pub(crate) fn peak_plane(
    rate_hz: u32,
    divisor: f64,
    phase_degrees: f64,
    amplitude: f64,
) -> Vec<f32> {
    let frame_count = (3.2 * f64::from(rate_hz)) as usize;
    (0..frame_count)
        .map(|frame| {
            let phase = TAU * (frame as f64 / divisor + phase_degrees / 360.0);
            let ramp = ramped(frame, frame_count, rate_hz as usize / 10);
            (amplitude * ramp * phase.sin()) as f32
        })
        .collect()
}

/// Report of such a sine in both channels.
pub(crate) fn peak_tone(
    rate_hz: u32,
    divisor: f64,
    phase_degrees: f64,
    amplitude: f64,
) -> LoudnessReport {
    let plane = peak_plane(rate_hz, divisor, phase_degrees, amplitude);
    let spec = StreamSpec::new(rate_hz, 2);
    measure(&spec, &[plane.clone(), plane], MonoMode::Single, 4096)
}

pub(crate) fn assert_loudness(value: Option<Lufs>, expected: f64) {
    let value = value.unwrap().0;
    assert!((value - expected).abs() <= LOUDNESS_TOLERANCE_LU, "{value}, expected {expected}");
}

pub(crate) fn assert_range(value: Option<Lu>, expected: f64) {
    let value = value.unwrap().0;
    assert!((value - expected).abs() <= RANGE_TOLERANCE_LU, "{value}, expected {expected}");
}

/// Both measures of true peak must be within the tolerances.
pub(crate) fn assert_true_peak(report: &LoudnessReport, expected_dbtp: f64) {
    for peak in [report.true_peak_dbtp, report.true_peak_precise_dbtp] {
        let peak = peak.unwrap().0;
        assert!(peak <= expected_dbtp + PEAK_ABOVE_DB, "{peak}, expected {expected_dbtp}");
        assert!(peak >= expected_dbtp - PEAK_BELOW_DB, "{peak}, expected {expected_dbtp}");
    }
}

/// Times that rows 20 to 23 are oversampled before they are thinned out.
const FINE: usize = 4;

/// A sine of a sixth of the rate and half of full scale, with one period of a quarter of the rate and
/// full scale in its middle, where both cross zero; made at 4 times the rate and passed through a low
/// pass below half the rate. Every fourth sample from `offset` on. Samples equal those of EBU's own
/// files within 0.002.
pub(crate) fn thinned_burst(offset: usize) -> Vec<f32> {
    const FRAME_COUNT: usize = 3 * RATE_HZ as usize;
    /// Half of the filter's length in fine samples, and its edge as a share of the fine rate.
    const REACH: usize = 160;
    const EDGE: f64 = 0.46 / FINE as f64;
    let fine_count = FRAME_COUNT * FINE;
    let fine: Vec<f64> = (0..fine_count)
        .map(|frame| {
            let from_middle = frame as f64 - (fine_count / 2) as f64;
            // 24 fine samples a period, but 16 in the middle one.
            let sample = if from_middle.abs() < 8.0 {
                -(TAU * from_middle / 16.0).sin()
            } else {
                0.5 * (TAU * (from_middle - 8.0 * from_middle.signum()) / 24.0).sin()
            };
            sample * ramped(frame, fine_count, fine_count / 30)
        })
        .collect();
    let tap = |index: usize| {
        let x = index as f64 - REACH as f64;
        let window = 0.5 + 0.5 * (PI * x / (REACH + 1) as f64).cos();
        window * if index == REACH { 2.0 * EDGE } else { (TAU * EDGE * x).sin() / (PI * x) }
    };
    let taps: Vec<f64> = (0..=2 * REACH).map(tap).collect();
    // The signal begins and ends in silence: what the filter would reach beyond is nothing.
    let at = |frame: usize| {
        let first = frame.saturating_sub(REACH);
        let around = &fine[first..(frame + REACH + 1).min(fine_count)];
        let taps = &taps[first + REACH - frame..];
        around.iter().zip(taps).map(|(sample, tap)| sample * tap).sum::<f64>() as f32
    };
    (offset..fine_count).step_by(FINE).map(at).collect()
}
