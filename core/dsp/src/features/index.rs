//! Features of many pieces, searched in one loop.

use super::dimension::DIMENSION_COUNT;
use super::similarity::{SHARED_MIN, weights};
use super::vector::Features;

/// Sums that are added to beside each other, so that the loop becomes vectors.
const LANES: usize = 16;

/// A piece that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place, in the order in which pieces were added.
    pub place: usize,
    /// The weighted cosine, -1 to 1.
    pub score: f32,
}

/// Features of pieces, side by side: 528 bytes each.
#[derive(Clone, Debug, Default)]
pub struct FeatureIndex {
    values: Vec<[f32; DIMENSION_COUNT]>,
    masks: Vec<u128>,
}

/// What is looked for, as the loop needs it.
struct Query {
    mask: u128,
    /// Weight of every dimension that it has, 0 of the others.
    weights: [f32; DIMENSION_COUNT],
    /// The same times its value.
    weighted: [f32; DIMENSION_COUNT],
    /// Weight times the square of its value.
    squares: [f32; DIMENSION_COUNT],
}

impl FeatureIndex {
    /// Adds a piece.
    pub fn push(&mut self, features: &Features) {
        self.values.push(features.values);
        self.masks.push(features.mask);
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.masks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// The most similar pieces among those that `is_wanted` lets through, the best first; equal ones in the order in
    /// which they were added. Pieces that share too little with `features` are none of them.
    pub fn search(
        &self,
        features: &Features,
        count: usize,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Vec<Hit> {
        let query = Query::new(features);
        let mut norms = Norms::default();
        let mut hits: Vec<Hit> = Vec::with_capacity(count.saturating_add(1).min(self.len() + 1));
        for (place, (values, &mask)) in self.values.iter().zip(&self.masks).enumerate() {
            let shared = mask & query.mask;
            if shared.count_ones() < SHARED_MIN {
                continue;
            }
            let (product, square) = sums(&query, values);
            let norm = (norms.of(&query, shared) * square).sqrt();
            let score = if norm > 0.0 { (product / norm).clamp(-1.0, 1.0) } else { continue };
            let is_full = hits.len() >= count;
            if is_full && hits.last().is_none_or(|last| last.score >= score) || !is_wanted(place) {
                continue;
            }
            let at = hits.partition_point(|hit| hit.score >= score);
            hits.insert(at, Hit { place, score });
            hits.truncate(count);
        }
        hits
    }
}

impl Query {
    fn new(features: &Features) -> Self {
        let weights = weights(features.mask);
        let weighted = std::array::from_fn(|index| weights[index] * features.values[index]);
        let squares = std::array::from_fn(|index| weighted[index] * features.values[index]);
        Self { mask: features.mask, weights, weighted, squares }
    }
}

/// The square of the query's length over shared dimensions. There are few different masks in a collection.
#[derive(Default)]
struct Norms(Vec<(u128, f32)>);

impl Norms {
    /// Masks that are remembered.
    const KNOWN_MAX: usize = 16;

    fn of(&mut self, query: &Query, shared: u128) -> f32 {
        if let Some((_, norm)) = self.0.iter().find(|(known, _)| *known == shared) {
            return *norm;
        }
        let squares = query.squares.iter().enumerate();
        let norm =
            squares.filter(|(index, _)| shared >> index & 1 == 1).map(|(_, square)| square).sum();
        if self.0.len() < Self::KNOWN_MAX {
            self.0.push((shared, norm));
        }
        norm
    }
}

/// The product of the query and a piece, and the square of the piece over the query's dimensions. What a piece has not
/// is 0.
fn sums(query: &Query, values: &[f32; DIMENSION_COUNT]) -> (f32, f32) {
    let (mut products, mut squares) = ([0.0f32; LANES], [0.0f32; LANES]);
    for start in (0..DIMENSION_COUNT).step_by(LANES) {
        for lane in 0..LANES {
            let value = values[start + lane];
            products[lane] += query.weighted[start + lane] * value;
            squares[lane] += query.weights[start + lane] * value * value;
        }
    }
    (products.iter().sum(), squares.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Similarity;
    use crate::features::similarity::tests::track;

    fn index(count: u32) -> FeatureIndex {
        let mut index = FeatureIndex::default();
        (0..count).for_each(|seed| index.push(&track(seed)));
        index
    }

    #[test]
    fn search_finds_what_comparing_each_pair_finds() {
        let index = index(300);
        let hits = index.search(&track(1000), 7, |_| true);
        let score = |seed| Similarity::between(&track(1000), &track(seed)).unwrap().score;
        let mut wanted: Vec<(usize, f64)> = (0..300).map(|seed| (seed as usize, score(seed))).collect();
        wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
        assert_eq!(hits.len(), 7);
        for (hit, (place, score)) in hits.iter().zip(wanted) {
            assert_eq!(hit.place, place);
            assert!((f64::from(hit.score) - score).abs() < 1e-5);
        }
    }

    #[test]
    fn piece_is_its_own_nearest_neighbor_and_filters_hold() {
        let index = index(300);
        let hits = index.search(&track(42), 1, |_| true);
        assert_eq!(hits[0].place, 42);
        assert!(index.search(&track(42), 300, |place| place % 2 == 1).iter().all(|hit| hit.place % 2 == 1));
        assert_eq!(index.search(&track(42), 0, |_| true), []);
        assert_eq!(index.search(&track(42), usize::MAX, |_| true).len(), 300);
    }

    #[test]
    fn pieces_that_share_too_little_are_not_found() {
        let mut index = index(3);
        index.push(&Features::of_standardized(&[None; DIMENSION_COUNT]));
        assert_eq!(index.search(&track(1), 9, |_| true).len(), 3);
        let nothing = Features::of_standardized(&[None; DIMENSION_COUNT]);
        assert_eq!(index.search(&nothing, 9, |_| true), []);
    }
}
