//! Which candidate musicians would count: the decision between a tempo, its half and its double.
//!
//! Each candidate gets a score by decision trees over numbers about its mean bar, its repetitions and
//! its tempo; a softmax makes probabilities of them. Learned by `tests/bench/music/rhythm/level.py`.
//!
//! Source of the method: J. Friedman, "Greedy function approximation: a gradient boosting machine",
//! Annals of Statistics 29 (5), 2001.

use super::bar_position::{self, BarPosition, METERS, Meter};
use super::candidate::Candidate;
use super::lattice::PLACES;
use super::number::single;
use super::onset_strength::OnsetStrength;
use super::trees;

/// A place where a tree branches, or ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Number that is compared; [`LEAF`] where the tree ends.
    pub(crate) feature: u16,
    /// The left branch is for numbers up to it; at a leaf the value.
    pub(crate) threshold: f32,
    pub(crate) left: u16,
    pub(crate) right: u16,
}

/// Marks a leaf.
pub(crate) const LEAF: u16 = u16::MAX;

/// Sum of the trees' values.
pub(crate) fn score(features: &[f32]) -> f32 {
    trees::TREES.iter().map(|tree| follow(tree, features)).sum()
}

fn follow(tree: &[Node], features: &[f32]) -> f32 {
    let mut place = 0;
    while let Some(node) = tree.get(usize::from(place)) {
        if node.feature == LEAF {
            return node.threshold;
        }
        let value = features.get(usize::from(node.feature)).copied().unwrap_or(0.0);
        place = if value <= node.threshold { node.left } else { node.right };
    }
    0.0
}

/// Onsets a second, in all bands, the lowest, the middle ones and the highest.
pub(crate) fn onset_rates(onsets: &OnsetStrength) -> [f64; 4] {
    let groups = &onsets.groups;
    let of = |group: usize| groups.get(group).map_or(0.0, |signal| peak_rate(signal, onsets.hop_s));
    [peak_rate(&onsets.total, onsets.hop_s), of(0), of(2), of(5)]
}

/// Frames a second that are the largest of their neighborhood and more than a deviation above the mean.
fn peak_rate(signal: &[f32], hop_s: f64) -> f64 {
    const REACH: usize = 4;
    let count = signal.len().max(1) as f64;
    let mean = signal.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = signal.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    let least = single(mean + 0.7 * variance.sqrt());
    let is_peak = |window: &[f32]| {
        let middle = window.get(REACH).copied().unwrap_or(0.0);
        let (before, after) = window.split_at(REACH);
        middle > least && before.iter().all(|&x| x < middle) && after.iter().all(|&x| x <= middle)
    };
    let peaks = signal.windows(2 * REACH + 1).filter(|window| is_peak(window)).count();
    peaks as f64 / (count * hop_s)
}

/// What the trees look at.
pub(crate) fn features(
    candidate: &Candidate,
    positions: &[BarPosition],
    onset_rates: &[f64; 4],
) -> Vec<f32> {
    let beat_s = 60.0 / candidate.bpm;
    let mut features = vec![single((candidate.bpm / 100.0).log2())];
    for meter in METERS {
        features.push(bar_position::best(positions, meter).map_or(0.0, |best| best.score));
    }
    features.push(log_sum_exp(positions));
    features.extend(onset_rates.iter().map(|rate| single(rate * beat_s)));
    let means = candidate.lattice.means();
    let sum = means.iter().take(6).sum::<f64>().max(1e-9);
    features.extend(means.iter().map(|mean| single(mean / sum)));
    features.extend(&candidate.repetitions);
    let turn = bar_position::best(positions, Meter::Four).map_or(0, |best| best.turn);
    let bar: Vec<f32> = bar_position::turned_bar(candidate, Meter::Four, turn).collect();
    features.extend(contrasts(&bar));
    features.extend(bar);
    features.push(candidate.lattice.values.len() as f32 / PLACES as f32);
    features
}

/// By layer: sixteenths, eighths and triplets against beats, and each half of the bar against the
/// other.
fn contrasts(bar: &[f32]) -> Vec<f32> {
    use super::lattice::LAYERS;
    let at = |beat: usize, mark: usize, layer: usize| {
        bar.get((beat * bar_position::MARKS.len() + mark) * LAYERS + layer).copied().unwrap_or(0.0)
    };
    let sum = |beats: &[usize], marks: &[usize], layer: usize| -> f32 {
        let of = |beat: &usize| marks.iter().map(|&mark| at(*beat, mark, layer)).sum::<f32>();
        beats.iter().map(of).sum::<f32>() / (beats.len() * marks.len()) as f32
    };
    let of_layer = |layer: usize| {
        let all = [0, 1, 2, 3];
        let share = |a: f32, b: f32| (a + 0.05) / (a + b + 0.1);
        [
            share(sum(&all, &[3], layer), sum(&all, &[0], layer)),
            share(sum(&all, &[1, 5], layer), sum(&all, &[0], layer)),
            share(sum(&all, &[1, 5], layer), sum(&all, &[3], layer)),
            share(sum(&all, &[2, 4], layer), sum(&all, &[1, 5, 3], layer)),
            share(sum(&[1, 3], &[0], layer), sum(&[0, 2], &[0], layer)),
            share(at(2, 0, layer), at(0, 0, layer)),
            share(at(3, 0, layer), at(1, 0, layer)),
        ]
    };
    (0..LAYERS).flat_map(of_layer).collect()
}

fn log_sum_exp(positions: &[BarPosition]) -> f32 {
    let largest = positions.iter().map(|position| position.score).fold(0.0, f32::max);
    largest + positions.iter().map(|position| (position.score - largest).exp()).sum::<f32>().ln()
}
