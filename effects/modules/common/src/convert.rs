//! Units and number types, in setup and once a sub-block.

use wavemill_effect::math;

/// Octaves (factors of two) in amplitude per decibel: `log2(10) / 20`.
pub const OCTAVES_PER_DB: f64 = 0.166_096_404_744_368_1;

/// Largest number of frames [`frames_of_ms`] returns; ten seconds at the highest rate of the contract.
pub const FRAMES_MAX: f64 = 6_553_500.0;

/// The nearest `f32`.
#[expect(clippy::cast_possible_truncation, reason = "this is the one place that rounds")]
pub fn narrow(value: f64) -> f32 {
    value as f32
}

/// The nearest whole number of frames to a time, at most [`FRAMES_MAX`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limited to 0..=FRAMES_MAX before"
)]
pub fn frames_of_ms(time_ms: f64, sample_rate: f64) -> usize {
    let frames = time_ms * 0.001 * sample_rate + 0.5;
    frames.clamp(0.0, FRAMES_MAX) as usize
}

/// Amplitude in octaves (`log2`) of a level or gain in decibels.
pub fn octaves_of_db(level_db: f64) -> f64 {
    level_db * OCTAVES_PER_DB
}

/// How far a one-pole low-pass moves toward its input in one frame, so that it has gone 63.2 %
/// (`1 - 1/e`) of the way after `time_ms`.
///
/// Source: Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design", J. Audio Eng. Soc. 60(6), 2012, eq. (7).
pub fn one_pole_step(time_ms: f64, sample_rate: f64) -> f64 {
    let frames = time_ms * 0.001 * sample_rate;
    if frames > 0.0 { 1.0 - math::exp(-1.0 / frames) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octaves_of_20_db_are_the_logarithm_of_ten() {
        assert!((octaves_of_db(20.0) - std::f64::consts::LOG2_10).abs() < 1e-15);
    }

    #[test]
    fn one_pole_after_its_time_has_gone_63_percent() {
        let step = one_pole_step(10.0, 48_000.0);
        let left = (1.0 - step).powi(480);
        assert!((left - (-1.0_f64).exp()).abs() < 1e-9, "{left}");
    }

    #[test]
    fn frames_of_a_time_are_rounded_and_limited() {
        assert_eq!(frames_of_ms(1.0, 44_100.0), 44);
        assert_eq!(frames_of_ms(5.0, 44_100.0), 221);
        assert_eq!(frames_of_ms(-5.0, 44_100.0), 0);
        assert_eq!(frames_of_ms(f64::MAX, 44_100.0), 6_553_500);
    }
}
