//! What is wanted of a measure.

use serde::Serialize;

/// A range of values, both ends included; an end that is `None` is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range<T> {
    /// Smallest value.
    pub min: Option<T>,
    /// Largest value.
    pub max: Option<T>,
}

impl<T> Default for Range<T> {
    /// Every value is inside.
    fn default() -> Self {
        Self { min: None, max: None }
    }
}

impl<T> Range<T> {
    /// From `min` to `max`.
    pub const fn new(min: T, max: T) -> Self {
        Self { min: Some(min), max: Some(max) }
    }

    /// Up to `max`.
    pub const fn at_most(max: T) -> Self {
        Self { min: None, max: Some(max) }
    }

    /// The same range of another type.
    pub fn map<U>(self, convert: impl Fn(T) -> U) -> Range<U> {
        Range { min: self.min.map(&convert), max: self.max.map(&convert) }
    }
}

impl Range<f64> {
    /// How far a value lies outside, from the nearer end: positive above, negative below; `None` inside.
    pub(crate) fn difference(self, value: f64) -> Option<f64> {
        let above = self.max.filter(|max| value > *max);
        let below = self.min.filter(|min| value < *min);
        above.or(below).map(|end| value - end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_is_signed_outside_and_none_inside() {
        let range = Range::new(-9.0, -6.0);
        let found = [-10.5, -9.0, -6.0, -4.0].map(|value| range.difference(value));
        assert_eq!(found, [Some(-1.5), None, None, Some(2.0)]);
        assert_eq!(Range::at_most(-1.0).difference(-20.0), None);
        assert_eq!(Range::default().difference(1e9), None);
    }
}
