//! Beats at a known period, wherever onsets are strong and distances even.
//!
//! Source: D. Ellis, "Beat tracking by dynamic programming", JNMR 36 (1), 2007.

use super::number::{index, single};

/// How much uneven distances cost. Source: Ellis, alpha, relative to onset strength of unit deviation.
const TIGHTNESS: f64 = 100.0;

/// Shortest and longest distance between beats, relative to the period.
const DISTANCE_MIN: f64 = 0.75;
const DISTANCE_MAX: f64 = 1.34;

/// Frames at which beats are, ascending, a period of about `period` frames apart.
///
/// Beats go on where nothing begins.
pub(crate) fn track_beats(strength: &[f32], period: f64) -> Vec<usize> {
    let distances = distances(period);
    let deviation = deviation(strength).max(1e-9);
    let mut scores: Vec<f32> = Vec::with_capacity(strength.len());
    let mut links: Vec<u16> = Vec::with_capacity(strength.len());
    for (frame, onset) in strength.iter().enumerate() {
        let mut best = (0.0f32, 0u16);
        for &(distance, cost) in &distances {
            let Some(before) = frame.checked_sub(usize::from(distance)) else { break };
            let score = scores.get(before).copied().unwrap_or(0.0) - cost;
            if score > best.0 {
                best = (score, distance);
            }
        }
        scores.push(best.0 + onset / deviation);
        links.push(best.1);
    }
    follow_back(&scores, &links, period)
}

/// Distances in frames and what each costs, ascending.
fn distances(period: f64) -> Vec<(u16, f32)> {
    let range = index(period * DISTANCE_MIN).max(1)..=index(period * DISTANCE_MAX).max(1);
    let cost = |distance: usize| TIGHTNESS * (distance as f64 / period).ln().powi(2);
    range.filter_map(|d| Some((u16::try_from(d).ok()?, single(cost(d))))).collect()
}

fn deviation(strength: &[f32]) -> f32 {
    let count = strength.len().max(1) as f64;
    let mean = strength.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let square = strength.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    single(square.sqrt())
}

/// From the best end within the last period back to the beginning.
fn follow_back(scores: &[f32], links: &[u16], period: f64) -> Vec<usize> {
    let first = scores.len().saturating_sub(index(period).max(1));
    let last = scores.iter().enumerate().skip(first);
    let Some((mut frame, _)) = last.max_by(|a, b| a.1.total_cmp(b.1)) else { return Vec::new() };
    let mut beats = vec![frame];
    while let Some(&link) = links.get(frame) {
        if link == 0 {
            break;
        }
        frame = frame.saturating_sub(usize::from(link));
        beats.push(frame);
    }
    beats.reverse();
    beats
}
