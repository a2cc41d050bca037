//! Features of many pieces, searched in one loop.

use super::metric::{Squares, Values, image, masked, product, shared_square, squares};
use super::similarity::SHARED_MIN;
use super::vector::Features;

/// A piece that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place, in the order in which pieces were added.
    pub place: usize,
    /// The cosine, -1 to 1.
    pub score: f32,
}

/// Features of pieces, side by side: 560 bytes each.
#[derive(Clone, Debug, Default)]
pub struct FeatureIndex {
    values: Vec<Values>,
    masks: Vec<u128>,
    /// The squares of their lengths by group.
    squares: Vec<Squares>,
}

/// What is looked for, as the loop needs it.
struct Query {
    shared: u128,
    /// The metric times its values.
    image: Values,
    /// The square of its length.
    square: f32,
}

/// Masks for which a query is kept ready: a collection has few.
const QUERIES_MAX: usize = 64;

impl FeatureIndex {
    /// Adds a piece.
    pub fn push(&mut self, features: &Features) {
        self.values.push(features.values);
        self.masks.push(features.mask);
        self.squares.push(squares(&features.values));
    }

    /// A piece that was added.
    pub fn get(&self, place: usize) -> Option<Features> {
        let (values, mask) = self.values.get(place).copied().zip(self.masks.get(place).copied())?;
        Some(Features { values, mask })
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.masks.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// The most similar pieces among those that `is_wanted` lets through, the best first; equal ones in the order in
    /// which they were added. Pieces that share too little with `features` are left out.
    pub fn search(
        &self,
        features: &Features,
        count: usize,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Vec<Hit> {
        let mut queries: Vec<Query> = Vec::new();
        let mut hits: Vec<Hit> = Vec::with_capacity(count.min(self.len()) + 1);
        for (place, values) in self.values.iter().enumerate() {
            let mask = self.masks[place];
            let shared = mask & features.mask;
            if shared.count_ones() < SHARED_MIN {
                continue;
            }
            let at = queries.iter().position(|query| query.shared == shared).unwrap_or_else(|| {
                queries.truncate(QUERIES_MAX);
                queries.push(Query::new(features, shared));
                queries.len() - 1
            });
            let square = shared_square(values, &self.squares[place], mask, shared);
            let norm = (queries[at].square * square).sqrt();
            if norm <= 0.0 {
                continue;
            }
            let score = (product(values, &queries[at].image) / norm).clamp(-1.0, 1.0);
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
    /// Over the dimensions that it shares with a piece.
    fn new(features: &Features, shared: u128) -> Self {
        let values = masked(&features.values, shared);
        let image = masked(&image(&values), shared);
        Self { shared, square: product(&values, &image), image }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::similarity::tests::track;
    use crate::features::{DIMENSION_COUNT, Similarity};

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
        let mut wanted: Vec<(usize, f64)> =
            (0..300).map(|seed| (seed as usize, score(seed))).collect();
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
        assert!(
            index
                .search(&track(42), 300, |place| place % 2 == 1)
                .iter()
                .all(|hit| hit.place % 2 == 1)
        );
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
