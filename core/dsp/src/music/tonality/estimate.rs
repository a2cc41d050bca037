//! The probabilities of the keys.

use super::evidence::{Evidence, Features};
use super::key::{KEY_COUNT, Key, Mode};
use super::model::{BIASES, CALIBRATION, WEIGHTS};

/// Probabilities of the keys, in the order of [`Key::all`].
pub(super) type Probabilities = [f64; KEY_COUNT];

/// The probabilities of the keys of a part: a linear model under a softmax (multinomial logistic
/// regression), tied over the tonics.
pub(super) fn probabilities(evidence: &Evidence) -> Probabilities {
    let scores = Key::all().map(|key| score(&evidence.features(key), key.mode));
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = scores.map(|score| (score - highest).exp());
    let sum: f64 = powers.iter().sum();
    powers.map(|power| power / sum)
}

fn score(features: &Features, mode: Mode) -> f64 {
    let mode = usize::from(mode == Mode::Minor);
    let products = WEIGHTS[mode].iter().zip(features).map(|(w, x)| f64::from(w * x));
    f64::from(BIASES[mode]) + products.sum::<f64>()
}

/// The likeliest key, and how much likelier it is than the next.
pub(super) fn best(probabilities: &Probabilities) -> (Key, f64) {
    let [first, second, ..] = order(probabilities);
    (Key::numbered(first), probabilities[first] - probabilities[second])
}

/// Numbers of the keys, the likeliest first.
pub(super) fn order(probabilities: &Probabilities) -> [usize; KEY_COUNT] {
    let mut order: [usize; KEY_COUNT] = std::array::from_fn(|number| number);
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

/// How probable it is that the likeliest key is right, by how often it was where the model had not seen
/// the progression.
///
/// Source: J. Platt, "Probabilistic outputs for support vector machines", 1999 (logistic calibration).
pub(super) fn certainty(probabilities: &Probabilities, evidence: &Evidence) -> f64 {
    let [first, ..] = order(probabilities);
    let highest = probabilities[first].clamp(1e-4, 1.0 - 1e-4);
    let [slope, intercept, loops] = CALIBRATION;
    let is_loop = evidence.is_loop_of_minor(Key::numbered(first));
    let odds =
        slope * (highest / (1.0 - highest)).ln() + intercept + if is_loop { loops } else { 0.0 };
    1.0 / (1.0 + (-odds).exp())
}
