//! Measures that share nothing with the library: written from the definitions, without any speed.

use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;

/// Places looked at for each sample.
const PHASES: usize = 16;

/// Taps of each phase.
const TAPS: usize = 96;

/// Kaiser window with about 95 dB of rejection: flat up to 0.46 of the sample rate.
const BETA: f64 = 10.0;

static FILTER: LazyLock<Vec<[f64; TAPS]>> = LazyLock::new(|| {
    let tap = |phase: usize, index: usize| {
        let distance = index as f64 - (TAPS / 2 - 1) as f64 - phase as f64 / PHASES as f64;
        let inside = 1.0 - (distance / (TAPS / 2) as f64).powi(2);
        if inside <= 0.0 {
            return 0.0;
        }
        let sinc = if distance == 0.0 { 1.0 } else { (PI * distance).sin() / (PI * distance) };
        sinc * bessel(BETA * inside.sqrt()) / bessel(BETA)
    };
    (0..PHASES).map(|phase| std::array::from_fn(|index| tap(phase, index))).collect()
});

/// The modified Bessel function of the first kind and order 0, as the mean of `exp(x cos t)`.
fn bessel(x: f64) -> f64 {
    const STEPS: u32 = 400;
    let at = |step: u32| (x * (TAU * f64::from(step) / f64::from(STEPS)).cos()).exp();
    (0..STEPS).map(at).sum::<f64>() / f64::from(STEPS)
}

/// The largest magnitude between and on the samples; silence is around them.
pub(crate) fn true_peak(samples: &[f32]) -> f64 {
    let silence = [0.0; TAPS];
    let samples: Vec<f64> = silence
        .iter()
        .copied()
        .chain(samples.iter().map(|&sample| f64::from(sample)))
        .chain(silence)
        .collect();
    let mut peak = 0.0f64;
    for near in samples.windows(TAPS) {
        for taps in FILTER.iter() {
            let value: f64 = taps.iter().zip(near).map(|(tap, sample)| tap * sample).sum();
            peak = peak.max(value.abs());
        }
    }
    peak
}

/// The largest true peak of all channels, in dB above `ceiling_dbtp`.
pub(crate) fn overshoot_db(planes: &[Vec<f32>], ceiling_dbtp: f64) -> f64 {
    let peak = planes.iter().map(|plane| true_peak(plane)).fold(0.0, f64::max);
    decibels(peak) - ceiling_dbtp
}

/// 20 log10.
pub(crate) fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.ln() / std::f64::consts::LN_10
}

/// Distortion and noise in dB below a tone: what is left after the best sine of this frequency and
/// the best constant were taken away, under a Blackman window.
pub(crate) fn thd_n_db(samples: &[f32], hz: f64, rate_hz: f64) -> f64 {
    let count = samples.len();
    let rows: Vec<([f64; 3], f64, f64)> = samples
        .iter()
        .enumerate()
        .map(|(frame, &sample)| {
            let (angle, turn) = (TAU * hz * frame as f64 / rate_hz, frame as f64 / count as f64);
            let window = 0.42 - 0.5 * (TAU * turn).cos() + 0.08 * (2.0 * TAU * turn).cos();
            ([angle.sin(), angle.cos(), 1.0], sample.into(), window)
        })
        .collect();
    let mut normal = [[0.0; 4]; 3];
    for (basis, sample, window) in &rows {
        for (row, one) in normal.iter_mut().zip(basis) {
            for (cell, other) in row.iter_mut().zip(basis.iter().chain([sample])) {
                *cell += window * one * other;
            }
        }
    }
    let [sine, cosine, constant] = solve(normal);
    let mut tone = 0.0;
    let mut rest = 0.0;
    for (basis, sample, window) in &rows {
        let fitted = sine * basis[0] + cosine * basis[1];
        tone += window * fitted * fitted;
        rest += window * (sample - fitted - constant).powi(2);
    }
    decibels((rest / tone).sqrt())
}

/// Gauss elimination of a well-conditioned symmetric system.
fn solve(mut rows: [[f64; 4]; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        let base = rows[pivot];
        for (index, row) in rows.iter_mut().enumerate() {
            if index != pivot {
                let factor = row[pivot] / base[pivot];
                row.iter_mut().zip(base).for_each(|(cell, of_base)| *cell -= factor * of_base);
            }
        }
    }
    std::array::from_fn(|index| rows[index][3] / rows[index][index])
}
