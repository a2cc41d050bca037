//! Octave bands and power spectra.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// What lies within an octave of a signal: two band passes of second order.
pub(crate) fn octave(signal: &[f32], center_hz: f64, rate_hz: f64) -> Vec<f32> {
    let w = TAU * center_hz / rate_hz;
    // A quality factor of the root of two is a width of an octave.
    let alpha = 0.5 * w.sin() * FRAC_1_SQRT_2;
    let (a0, a1, a2) = (1.0 + alpha, -2.0 * w.cos(), 1.0 - alpha);
    let mut out: Vec<f64> = signal.iter().map(|sample| f64::from(*sample)).collect();
    for _ in 0..2 {
        let (mut s1, mut s2) = (0.0, 0.0);
        for sample in &mut out {
            let x = *sample;
            let y = alpha / a0 * x + s1;
            s1 = s2 - a1 / a0 * y;
            s2 = -alpha / a0 * x - a2 / a0 * y;
            *sample = y;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "back to samples")]
    out.into_iter().map(|sample| sample as f32).collect()
}

/// Power of each bin of a signal, with a window of Hann; its length is a power of two.
pub(crate) fn power_spectrum(signal: &[f32]) -> Vec<f64> {
    let count = signal.len();
    assert!(count.is_power_of_two());
    let windowed = signal.iter().enumerate().map(|(at, sample)| {
        let window = 0.5 - 0.5 * (TAU * at as f64 / count as f64).cos();
        (f64::from(*sample) * window, 0.0)
    });
    let transformed = transform(&windowed.collect::<Vec<_>>());
    transformed[..count / 2].iter().map(|(re, im)| re * re + im * im).collect()
}

/// The discrete Fourier transform by halving.
fn transform(signal: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let count = signal.len();
    if count == 1 {
        return signal.to_vec();
    }
    let part = |from: usize| signal.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
    let (even, odd) = (transform(&part(0)), transform(&part(1)));
    let mut out = vec![(0.0, 0.0); count];
    for at in 0..count / 2 {
        let (sin, cos) = (-TAU * at as f64 / count as f64).sin_cos();
        let (re, im) = odd[at];
        let turned = (re * cos - im * sin, re * sin + im * cos);
        out[at] = (even[at].0 + turned.0, even[at].1 + turned.1);
        out[at + count / 2] = (even[at].0 - turned.0, even[at].1 - turned.1);
    }
    out
}
