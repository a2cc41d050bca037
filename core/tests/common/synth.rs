//! Signals that any language can make again, for comparison with programs that are not ours.

use std::f64::consts::TAU;

/// White noise from -0.5 to 0.5: the upper half of the state of a linear congruential generator,
/// `state = (1664525 * state + 1013904223) mod 2^32`, from state 1 on.
pub fn noise(count: usize) -> Vec<f64> {
    let mut state = 1u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 16) / 65_536.0 - 0.5
        })
        .collect()
}

/// `sin(2 pi hz n / rate)`.
pub fn tone(count: usize, rate_hz: u32, hz: f64) -> Vec<f64> {
    (0..count).map(|n| (TAU * hz * n as f64 / f64::from(rate_hz)).sin()).collect()
}

/// An exponential sweep: `sin(2 pi low T / ln(high / low) (exp(t / T ln(high / low)) - 1))`.
pub fn sweep(count: usize, rate_hz: u32, low_hz: f64, high_hz: f64) -> Vec<f64> {
    let rate_hz = f64::from(rate_hz);
    let (duration, ratio) = (count as f64 / rate_hz, (high_hz / low_hz).ln());
    (0..count)
        .map(|n| n as f64 / rate_hz / duration * ratio)
        .map(|exponent| (TAU * low_hz * duration / ratio * (exponent.exp() - 1.0)).sin())
        .collect()
}

/// Noise that is silent in every second quarter of a second.
pub fn bursts(count: usize, rate_hz: u32) -> Vec<f64> {
    let quarter = (rate_hz / 4) as usize;
    let is_loud = |n: usize| (n / quarter).is_multiple_of(2);
    noise(count).iter().enumerate().map(|(n, x)| if is_loud(n) { *x } else { 0.0 }).collect()
}

/// Times a factor, as samples.
pub fn scaled(factor: f64, signal: &[f64]) -> Vec<f32> {
    signal.iter().map(|x| (factor * x) as f32).collect()
}

/// Sample by sample.
pub fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}
