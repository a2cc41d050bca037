//! How the gain returns.

use super::signals::{burst, samples, sine, times};
use super::{above_ceiling, limit_mono};

const RATE: usize = 48_000;

/// The gain in dB over time, of a soft tone at 2 kHz that is above the ceiling by `above_db` from
/// 1 s for `duration_s`.
fn gains_db(above_db: f64, duration_s: f64) -> Vec<f64> {
    let end = RATE + (duration_s * RATE as f64) as usize;
    let loud = burst(RATE, end, 24);
    let soft = above_ceiling(-3.0);
    let tone = times(sine(8 * RATE, 2000.0 / RATE as f64, 0.0), |frame| {
        soft + loud(frame) * (above_ceiling(above_db) - soft)
    });
    let input = samples(&tone);
    let output = limit_mono(&input, RATE as u32);
    // Once a period, where the wave is near its top.
    (0..input.len() / 24)
        .map(|period| {
            let frame = period * 24 + 6;
            super::oracle::decibels(f64::from(output[frame]) / f64::from(input[frame]))
        })
        .collect()
}

/// At so many seconds from the beginning.
fn at(gains_db: &[f64], time_s: f64) -> f64 {
    gains_db[(time_s * 2000.0) as usize]
}

#[test]
fn single_peak_leaves_no_trace_after_200_ms() {
    let gains = gains_db(6.0, 0.001);
    assert!(gains.iter().any(|&gain| gain < -5.0));
    for time_s in [0.05, 0.1, 0.15, 0.2] {
        println!("6 dB for 1 ms: after {time_s} s {:.3} dB", at(&gains, 1.001 + time_s));
    }
    assert!(at(&gains, 1.101) > -1.0, "100 ms: {}", at(&gains, 1.101));
    assert!(gains[2402..].iter().all(|&gain| gain > -0.1));
}

#[test]
fn gain_falls_only_within_the_look_ahead() {
    let gains = gains_db(6.0, 0.001);
    // 5 ms, and a group.
    assert!(gains[..1989].iter().all(|&gain| gain == 0.0));
}

#[test]
fn sustained_limiting_returns_slowly_and_completely() {
    let gains = gains_db(3.0, 2.0);
    for time_s in [0.05, 0.2, 0.5, 1.0, 2.0] {
        println!("3 dB for 2 s: after {time_s} s {:.3} dB", at(&gains, 3.0 + time_s));
    }
    // During it, a steady gain.
    let during = &gains[2100..5990];
    let spread = during.iter().copied().fold(f64::MIN, f64::max)
        - during.iter().copied().fold(f64::MAX, f64::min);
    assert!(spread < 0.001, "{spread}");
    assert!(at(&gains, 3.1) < -2.0, "not at once: {}", at(&gains, 3.1));
    assert!(at(&gains, 4.0) > -1.0, "after a second: {}", at(&gains, 4.0));
    assert!(at(&gains, 6.0) > -0.05, "{}", at(&gains, 6.0));
    // No step in the gain is audible: less than 0.05 dB a millisecond on its way back.
    assert!(gains[6010..].windows(3).all(|three| (three[2] - three[0]).abs() < 0.05));
}

/// Two peaks in a second are two peaks, not sustained limiting.
#[test]
fn repeated_peaks_do_not_add_up() {
    let hits = |frame: usize| {
        let within = frame % (RATE / 2);
        burst(100, 148, 12)(within)
    };
    let soft = above_ceiling(-3.0);
    let tone = times(sine(8 * RATE, 2000.0 / RATE as f64, 0.0), |frame| {
        soft + hits(frame) * (above_ceiling(6.0) - soft)
    });
    let input = samples(&tone);
    let output = limit_mono(&input, RATE as u32);
    for hit in 1..15 {
        let frame = hit * RATE / 2 + 24 * 500 + 6;
        let gain = super::oracle::decibels(f64::from(output[frame]) / f64::from(input[frame]));
        assert!(gain > -0.1, "250 ms after hit {hit}: {gain} dB");
    }
}
