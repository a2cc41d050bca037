//! The period that everything repeats with: some level of the meter, not yet which.
//!
//! Sources: G. Percival, G. Tzanetakis, "Streamlined tempo estimation based on autocorrelation and
//! cross-correlation with pulses", IEEE/ACM TASLP 22 (12), 2014; A. Klapuri et al., "Analysis of the
//! meter of acoustic musical signals", IEEE TASLP 14 (1), 2006 (combs over the autocorrelation).

use super::number::{index, single};
use super::onset_strength::OnsetStrength;

/// Frames that are correlated at a time, 12 s, so that a tempo that drifts does not blur.
const WINDOW: usize = 1024;

/// Frames between windows.
const STEP: usize = WINDOW / 2;

/// Longest lag, 4.2 s.
const LAG_MAX: usize = 360;

/// Half of the neighborhood whose mean is subtracted from the onset strength, in frames: 0.6 s.
const MEAN_REACH: usize = 52;

/// Periods that are tried, and the factor between them.
const PERIOD_S_MIN: f64 = 0.30;
const PERIOD_S_MAX: f64 = 1.05;
const PERIOD_FACTOR: f64 = 1.004;

/// Multiples of a period that must repeat, too.
const COMB_TEETH: usize = 8;

/// Where periods are most likely, and how wide, in octaves. Source of the place: M. `McKinney`, D.
/// Moelants, "Deviations from the resonance theory of tempo induction", CIM 2004.
const PERIOD_S_MEAN: f64 = 0.5;
const PERIOD_OCTAVES: f64 = 1.0;

/// How onsets repeat.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    /// Period in frames.
    pub(crate) period: f64,
    /// Mean autocorrelation at the period's first multiples, 1 for exact repetition.
    pub(crate) strength: f64,
    /// Mean over the windows of the autocorrelation at the best period of each alone.
    pub(crate) local_strength: f64,
    /// Part of the windows whose own best period is a simple multiple of the common one.
    pub(crate) agreement: f64,
}

impl Pulse {
    /// `None` if there are too few frames or nothing ever begins.
    pub(crate) fn new(onsets: &OnsetStrength) -> Option<Self> {
        let signal = without_local_mean(&onsets.total);
        let windows = correlate_windows(&signal);
        let length = windows.iter().map(Vec::len).min()?;
        let mut mean = vec![0.0; length];
        for window in &windows {
            for (sum, value) in mean.iter_mut().zip(window) {
                *sum += value / windows.len() as f32;
            }
        }
        let (period, strength) = best_period(&mean, onsets.hop_s)?;
        let own: Vec<(f64, f64)> =
            windows.iter().filter_map(|window| best_period(window, onsets.hop_s)).collect();
        let count = own.len().max(1) as f64;
        let agreement =
            own.iter().filter(|(own, _)| is_related(*own, period)).count() as f64 / count;
        let local_strength = own.iter().map(|(_, strength)| strength).sum::<f64>() / count;
        Some(Self { period, strength, local_strength, agreement })
    }
}

/// The signal less the mean of its neighborhood.
fn without_local_mean(signal: &[f32]) -> Vec<f32> {
    let mut sums = Vec::with_capacity(signal.len() + 1);
    let mut sum = 0.0f64;
    sums.push(sum);
    for value in signal {
        sum += f64::from(*value);
        sums.push(sum);
    }
    let mean = |frame: usize| {
        let (start, end) =
            (frame.saturating_sub(MEAN_REACH), (frame + MEAN_REACH).min(signal.len()));
        let sum = sums.get(end).unwrap_or(&sum) - sums.get(start).unwrap_or(&0.0);
        single(sum / (end - start).max(1) as f64)
    };
    signal.iter().enumerate().map(|(frame, value)| value - mean(frame)).collect()
}

fn correlate_windows(signal: &[f32]) -> Vec<Vec<f32>> {
    let last = signal.len().saturating_sub(WINDOW);
    let starts = (0..=last).step_by(STEP);
    let window = |start: usize| signal.get(start..(start + WINDOW).min(signal.len()));
    starts.filter_map(window).filter_map(autocorrelate).collect()
}

/// Autocorrelation by lag, 1 at lag 0, as if the window went on forever.
fn autocorrelate(window: &[f32]) -> Option<Vec<f32>> {
    let energy = dot(window, window);
    if window.len() < 64 || energy <= 1e-6 {
        return None;
    }
    let lags = LAG_MAX.min(window.len() * 2 / 3);
    let at = |lag: usize| {
        let sum = dot(window, window.get(lag..).unwrap_or_default());
        sum / energy * (window.len() as f32 / (window.len() - lag) as f32)
    };
    Some((0..lags).map(at).collect())
}

/// Sum of products as far as both go, in lanes beside each other: the same bits on every machine.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    let length = a.len().min(b.len());
    let (a, b) = (a.get(..length).unwrap_or_default(), b.get(..length).unwrap_or_default());
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The period with the best comb, weighed by how likely it is, and the comb's mean.
fn best_period(correlation: &[f32], hop_s: f64) -> Option<(f64, f64)> {
    let mut best: Option<(f64, f64, f64)> = None;
    let mut period_s = PERIOD_S_MIN;
    while period_s < PERIOD_S_MAX {
        let comb = comb(correlation, period_s / hop_s);
        let octaves = (period_s / PERIOD_S_MEAN).log2() / PERIOD_OCTAVES;
        let score = comb * (-0.5 * octaves * octaves).exp();
        if best.is_none_or(|(other, _, _)| score > other) {
            best = Some((score, period_s / hop_s, comb));
        }
        period_s *= PERIOD_FACTOR;
    }
    best.map(|(_, period, comb)| (period, comb))
}

/// Mean of the autocorrelation at multiples of a period, as far as it goes.
fn comb(correlation: &[f32], period: f64) -> f64 {
    let teeth = (1..=COMB_TEETH).map_while(|k| interpolate(correlation, k as f64 * period));
    let (sum, count) = teeth.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// Between two values of a series.
fn interpolate(series: &[f32], place: f64) -> Option<f64> {
    let first = index(place.floor());
    let (a, b) = (*series.get(first)?, *series.get(first + 1)?);
    Some(f64::from(a) + (place - first as f64) * f64::from(b - a))
}

/// Whether one period is a simple multiple of the other, within a twenty-fifth.
fn is_related(a: f64, b: f64) -> bool {
    const RATIOS: [f64; 9] = [1.0, 2.0, 0.5, 3.0, 1.0 / 3.0, 1.5, 2.0 / 3.0, 4.0 / 3.0, 0.75];
    RATIOS.iter().any(|ratio| (a / b / ratio - 1.0).abs() < 0.04)
}
