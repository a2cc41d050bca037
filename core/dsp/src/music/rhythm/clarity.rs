//! Whether there is a pulse at all.
//!
//! A logistic regression over a few numbers about how onsets repeat. Learned by `tests/bench/music/rhythm/clarity.py` from
//! music on the one hand, and speech, noise, pads, clicks at random times and free playing on the other.

use super::analysis::Analysis;
use super::candidate::Candidate;

/// Numbers that are looked at.
pub(crate) const COUNT: usize = 8;

/// Probability from which there is one.
pub(crate) const CLARITY_MIN: f64 = 0.5;

const WEIGHTS: [f64; COUNT] = [3.994, 3.914, 2.590, 0.481, 0.653, -0.812, 0.0, 6.100];
const BIAS: f64 = -7.047;

/// Probability that there is a pulse.
pub(crate) fn clarity(analysis: &Analysis) -> f64 {
    let features = features(analysis);
    let sum: f64 = features.iter().zip(&WEIGHTS).map(|(value, weight)| value * weight).sum();
    1.0 / (1.0 + (-(sum + BIAS)).exp())
}

/// What the regression looks at.
pub(crate) fn features(analysis: &Analysis) -> [f64; COUNT] {
    let pulse = &analysis.pulse;
    let repetition = analysis.candidates.iter().map(Candidate::best_repetition);
    let best_repetition = repetition.fold(0.0, f64::max);
    [
        pulse.strength,
        pulse.local_strength,
        pulse.agreement,
        analysis.beat_contrast.ln(),
        analysis.strength_mean.max(1e-3).ln(),
        analysis.strength_deviation.ln(),
        analysis.grid.roughness().max(1e-3).ln(),
        best_repetition,
    ]
}
