//! What a difference in one dimension is worth, and what it has in common with others.

use super::dimension::{DIMENSION_COUNT, DIMENSIONS};
use super::group::FeatureGroup;
use super::standard::METRIC;
use std::sync::LazyLock;

/// Values of all dimensions; 0 where there is none.
pub(super) type Values = [f32; DIMENSION_COUNT];

/// The matrix of a group: the inverse covariance of what differs between halves of a track.
struct Block {
    start: usize,
    /// Symmetric: its rows are its columns.
    columns: Vec<Vec<f32>>,
}

/// The blocks that lie on the diagonal of the whole matrix, from their triangles.
static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(|| {
    let mut triangles = METRIC.iter();
    let (mut blocks, mut start) = (Vec::new(), 0);
    for group in FeatureGroup::ALL {
        let count = DIMENSIONS.iter().filter(|dimension| dimension.group == group).count();
        let mut columns = vec![vec![0.0; count]; count];
        for row in 0..count {
            for (column, &number) in (0..=row).zip(&mut triangles) {
                columns[column][row] = number;
                columns[row][column] = number;
            }
        }
        blocks.push(Block { start, columns });
        start += count;
    }
    blocks
});

/// The matrix times values.
pub(super) fn image(values: &Values) -> Values {
    let mut image = [0.0; DIMENSION_COUNT];
    for block in BLOCKS.iter() {
        let out = &mut image[block.start..block.start + block.columns.len()];
        for (column, &value) in block.columns.iter().zip(&values[block.start..]) {
            for (sum, number) in out.iter_mut().zip(column) {
                *sum += number * value;
            }
        }
    }
    image
}

/// Values without those that are not in the mask.
pub(super) fn masked(values: &Values, mask: u128) -> Values {
    std::array::from_fn(|index| if mask >> index & 1 == 1 { values[index] } else { 0.0 })
}

/// The square of the length of values by the matrix.
pub(super) fn square(values: &Values) -> f32 {
    product(values, &image(values))
}

/// Sums that are added to beside each other, so that the loop becomes vectors.
const LANES: usize = 16;

/// The sum of products.
pub(super) fn product(one: &Values, other: &Values) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (one, other) in one.chunks_exact(LANES).zip(other.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_positive() {
        for seed in 0..200u32 {
            let value =
                |index: usize| ((index as f32 + 1.3) * (f64::from(seed) + 0.7) as f32).sin();
            let values: Values = std::array::from_fn(value);
            assert!(square(&values) > 0.0, "{seed}");
            assert!(square(&masked(&values, 0xff << (seed % 120))) > 0.0, "{seed}");
        }
    }
}
