//! Features: standardized numbers, and which of them exist.

use super::dimension::DIMENSION_COUNT;
use super::standard::STANDARD;
use super::values::raw_values;
use crate::analysis::Analysis;
use thiserror::Error;

/// Version of what the numbers mean: raised whenever the same file gives others. Features of different versions are
/// not compared.
pub const FEATURE_VERSION: u32 = 2;

/// Standardized values end here, either way: one odd number does not outweigh all others.
const VALUE_MAX: f32 = 3.0;

/// What music sounds like: a number for each dimension, standardized by the corpus, or none.
///
/// ```
/// use wavemill_dsp::analysis::Analysis;
/// use wavemill_dsp::features::Features;
///
/// let nothing = Features::of(&Analysis::default());
/// assert_eq!(nothing.count(), 0);
/// assert_eq!(nothing.value(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// 0 where a dimension has no value.
    pub(super) values: [f32; DIMENSION_COUNT],
    pub(super) mask: u128,
}

/// Bytes that are no features.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "features have {found} bytes or a number that is not finite; they have {} bytes",
    Features::BYTES
)]
pub struct BadFeatures {
    /// How many there are.
    pub found: usize,
}

impl Features {
    /// Bytes of features as they are kept.
    pub const BYTES: usize = 16 + 4 * DIMENSION_COUNT;

    /// Of a file. Groups that were not measured are masked; see [`super::GROUPS`].
    pub fn of(analysis: &Analysis) -> Self {
        let mut features = Self { values: [0.0; DIMENSION_COUNT], mask: 0 };
        for (index, value) in raw_values(analysis).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let (mean, scale) = STANDARD[index];
            #[expect(clippy::cast_possible_truncation, reason = "values are f32")]
            let value = ((value - f64::from(mean)) / f64::from(scale)) as f32;
            features.values[index] = value.clamp(-VALUE_MAX, VALUE_MAX);
            features.mask |= 1 << index;
        }
        features
    }

    /// In spreads of the corpus above its mean; `None` where the file has none, and beyond the last dimension.
    pub fn value(&self, dimension: usize) -> Option<f32> {
        let is_there = dimension < DIMENSION_COUNT && self.mask >> dimension & 1 == 1;
        is_there.then(|| self.values[dimension])
    }

    /// All values, in the order of the dimensions.
    pub fn to_standardized(&self) -> [Option<f32>; DIMENSION_COUNT] {
        std::array::from_fn(|dimension| self.value(dimension))
    }

    /// How many dimensions have a value.
    pub fn count(&self) -> usize {
        self.mask.count_ones() as usize
    }

    /// As they are kept: the mask, then the values, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let values = self.values.iter().flat_map(|value| value.to_le_bytes());
        self.mask.to_le_bytes().into_iter().chain(values).collect()
    }

    /// What was kept.
    ///
    /// # Errors
    /// When these are not the bytes of features.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadFeatures> {
        let bad = BadFeatures { found: bytes.len() };
        let (mask, rest) = bytes.split_first_chunk::<16>().ok_or(bad)?;
        let (numbers, rest) = rest.as_chunks::<4>();
        if numbers.len() != DIMENSION_COUNT || !rest.is_empty() {
            return Err(bad);
        }
        let mask = u128::from_le_bytes(*mask);
        let mut values = [0.0; DIMENSION_COUNT];
        for (index, (value, number)) in values.iter_mut().zip(numbers).enumerate() {
            let found = f32::from_le_bytes(*number);
            if !found.is_finite() {
                return Err(bad);
            }
            if mask >> index & 1 == 1 {
                *value = found.clamp(-VALUE_MAX, VALUE_MAX);
            }
        }
        Ok(Self { values, mask })
    }

    /// Of numbers that are standardized already; those that are not finite count as none.
    pub fn of_standardized(numbers: &[Option<f32>; DIMENSION_COUNT]) -> Self {
        let mut features = Self { values: [0.0; DIMENSION_COUNT], mask: 0 };
        for (index, number) in numbers.iter().enumerate() {
            if let Some(number) = number.filter(|number| number.is_finite()) {
                features.values[index] = number.clamp(-VALUE_MAX, VALUE_MAX);
                features.mask |= 1 << index;
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_hold_what_was_kept() {
        let mut numbers = [None; DIMENSION_COUNT];
        (numbers[0], numbers[7], numbers[127]) = (Some(-1.5), Some(9.0), Some(f32::NAN));
        let features = Features::of_standardized(&numbers);
        assert_eq!(features.count(), 2);
        assert_eq!(features.value(7), Some(VALUE_MAX));
        assert_eq!((features.value(127), features.value(128)), (None, None));
        assert_eq!(Features::from_bytes(&features.to_bytes()), Ok(features));
    }

    #[test]
    fn other_bytes_are_refused() {
        let mut bytes = Features::of(&Analysis::default()).to_bytes();
        assert!(Features::from_bytes(&bytes[1..]).is_err() && Features::from_bytes(&[]).is_err());
        bytes[16..20].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(Features::from_bytes(&bytes).is_err());
    }
}
