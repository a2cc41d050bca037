//! How alike two pieces of music are, and why.

use super::dimension::{DIMENSION_COUNT, DIMENSIONS};
use super::group::FeatureGroup;
use super::metric::{image, masked, product};
use super::vector::Features;

/// Fewest dimensions that both sides must have: a quarter of all.
pub(super) const SHARED_MIN: u32 = 32;

/// What a dimension did to a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contribution {
    /// The dimension, an index of [`DIMENSIONS`].
    pub dimension: usize,
    /// Its part of the score; all parts sum to it. What it has in common with others of its group is shared with them.
    pub part: f64,
    /// The values of both sides.
    pub values: (f32, f32),
}

/// How alike two sides are.
#[derive(Clone, Debug, PartialEq)]
pub struct Similarity {
    /// The cosine over the dimensions that both have, -1 to 1. 0 is unrelated.
    pub score: f64,
    /// Every dimension that both have, the largest part first.
    pub contributions: Vec<Contribution>,
}

impl Similarity {
    /// Of two sides; `None` where they share too little to say: fewer than a quarter of the dimensions.
    pub fn between(one: &Features, other: &Features) -> Option<Self> {
        let shared = one.mask & other.mask;
        if shared.count_ones() < SHARED_MIN {
            return None;
        }
        let (one, other) = (masked(&one.values, shared), masked(&other.values, shared));
        let (of_one, of_other) = (image(&one), image(&other));
        let norms = f64::from(product(&one, &of_one)) * f64::from(product(&other, &of_other));
        let norms = norms.sqrt();
        if norms <= 0.0 {
            return None;
        }
        let contribution = |dimension: usize| {
            let values = (one[dimension], other[dimension]);
            let products = (values.0 * of_other[dimension], values.1 * of_one[dimension]);
            let part = f64::midpoint(products.0.into(), products.1.into()) / norms;
            Contribution { dimension, part, values }
        };
        let mut contributions: Vec<Contribution> = (0..DIMENSION_COUNT)
            .filter(|index| shared >> index & 1 == 1)
            .map(contribution)
            .collect();
        contributions.sort_by(|a, b| b.part.total_cmp(&a.part));
        let score = contributions.iter().map(|one| one.part).sum::<f64>().clamp(-1.0, 1.0);
        Some(Self { score, contributions })
    }

    /// What each group did to the score, those of which both sides have something, the largest part first.
    pub fn by_group(&self) -> Vec<(FeatureGroup, f64)> {
        let of = |group: FeatureGroup| {
            let is_its = |one: &&Contribution| DIMENSIONS[one.dimension].group == group;
            let mut parts = self.contributions.iter().filter(is_its).map(|one| one.part).peekable();
            parts.peek()?;
            Some((group, parts.sum::<f64>()))
        };
        let mut groups: Vec<_> = FeatureGroup::ALL.into_iter().filter_map(of).collect();
        groups.sort_by(|a, b| b.1.total_cmp(&a.1));
        groups
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Numbers that look like those of some track.
    pub(in crate::features) fn track(seed: u32) -> Features {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let numbers = std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let unit = f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0;
            Some(4.0 * unit - 2.0)
        });
        Features::of_standardized(&numbers)
    }

    #[test]
    fn track_is_like_itself_and_parts_sum_to_the_score() {
        let itself = Similarity::between(&track(1), &track(1)).unwrap();
        assert!((itself.score - 1.0).abs() < 1e-5);
        let other = Similarity::between(&track(1), &track(2)).unwrap();
        assert!(other.score < 0.5);
        let parts: f64 = other.by_group().iter().map(|(_, part)| part).sum();
        assert!((parts - other.score).abs() < 1e-12);
        assert!(other.contributions.windows(2).all(|pair| pair[0].part >= pair[1].part));
    }

    #[test]
    fn what_one_side_has_not_does_not_count() {
        let (one, mut other) = (track(1), track(1));
        // All that is spectral, which the other half would make unlike.
        other.mask &= !0 << 40;
        other.values[..40].fill(0.0);
        let found = Similarity::between(&one, &other).unwrap();
        assert!((found.score - 1.0).abs() < 1e-5);
        assert_eq!(found.contributions.len(), 88);
        assert_eq!(found.by_group().len(), 6);
    }

    #[test]
    fn sides_that_share_too_little_are_not_compared() {
        let (one, mut other) = (track(1), track(1));
        other.mask = (1 << (SHARED_MIN - 1)) - 1;
        assert_eq!(Similarity::between(&one, &other), None);
    }
}
