//! How even beats are.

use super::number::index;

/// Beats that a local tempo is taken over.
const SPAN: usize = 8;

/// Largest difference of a local tempo from the middle one that counts as steady: beats are known
/// to some milliseconds only.
const DIFFERENCE_MAX: f64 = 0.02;

/// How a tempo changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steadiness {
    pub(crate) is_steady: bool,
    pub(crate) drift_percent: f64,
}

impl Steadiness {
    /// Of beats in seconds, ascending.
    pub(crate) fn new(beats_s: &[f64]) -> Self {
        let span = SPAN.min(beats_s.len().saturating_sub(1) / 2).max(1);
        let pairs = beats_s.iter().zip(beats_s.iter().skip(span));
        let mut local: Vec<(f64, f64)> =
            pairs.map(|(a, b)| ((a + b) / 2.0, span as f64 / (b - a).max(1e-3))).collect();
        let drift_percent = drift_percent(&local);
        local.sort_by(|a, b| a.1.total_cmp(&b.1));
        let at = |part: f64| {
            local.get(index(part * local.len().saturating_sub(1) as f64)).map_or(1.0, |pair| pair.1)
        };
        let middle = at(0.5).max(1e-6);
        let difference = (at(0.95) / middle - 1.0).max(1.0 - at(0.05) / middle);
        Self { is_steady: difference <= DIFFERENCE_MAX, drift_percent }
    }
}

/// Change along the line of least squares from the first to the last, relative to the mean.
fn drift_percent(local: &[(f64, f64)]) -> f64 {
    let count = local.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| local.iter().map(of).sum::<f64>() / count;
    let (time, tempo) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let spread: f64 = local.iter().map(|pair| (pair.0 - time).powi(2)).sum();
    let product: f64 = local.iter().map(|pair| (pair.0 - time) * (pair.1 - tempo)).sum();
    let (Some(first), Some(last)) = (local.first(), local.last()) else { return 0.0 };
    if spread > 0.0 && tempo > 0.0 {
        100.0 * product / spread * (last.0 - first.0) / tempo
    } else {
        0.0
    }
}
