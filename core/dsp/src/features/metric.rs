//! What a difference in one dimension is worth, and what it has in common with others.

use super::dimension::{DIMENSION_COUNT, DIMENSIONS};
use super::group::FeatureGroup;
use super::standard::METRIC;
use std::sync::LazyLock;

/// Values of all dimensions; 0 where one has no value.
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
        let places = (0..count).flat_map(|row| (0..=row).map(move |column| (row, column)));
        for ((row, column), &number) in places.zip(&mut triangles) {
            columns[column][row] = number;
            columns[row][column] = number;
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

/// Of each group, the square of the length of values by the matrix; they sum to that of all.
pub(super) type Squares = [f32; FeatureGroup::ALL.len()];

/// The squares of values.
pub(super) fn squares(values: &Values) -> Squares {
    std::array::from_fn(|group| BLOCKS[group].square(values, !0))
}

/// The square of the length of values over `shared`, which are part of those that exist (`mask`), where `squares` are
/// those of all that exist. Only groups that lose some of their values and not all are computed anew.
pub(super) fn shared_square(values: &Values, squares: &Squares, mask: u128, shared: u128) -> f32 {
    let of_group = |(block, &square): (&Block, &f32)| {
        let (has, shares) = (mask & block.mask(), shared & block.mask());
        if shares == has {
            square
        } else if shares == 0 {
            0.0
        } else {
            block.square(values, shared)
        }
    };
    BLOCKS.iter().zip(squares).map(of_group).sum()
}

impl Block {
    /// Its dimensions.
    fn mask(&self) -> u128 {
        ((1 << self.columns.len()) - 1) << self.start
    }

    /// Over the values that are in a mask.
    fn square(&self, values: &Values, mask: u128) -> f32 {
        let mut own = [0.0f32; GROUP_MAX];
        for (index, value) in own[..self.columns.len()].iter_mut().enumerate() {
            let dimension = self.start + index;
            *value = if mask >> dimension & 1 == 1 { values[dimension] } else { 0.0 };
        }
        let mut image = [0.0f32; GROUP_MAX];
        for (column, value) in self.columns.iter().zip(own) {
            for (sum, number) in image.iter_mut().zip(column) {
                *sum += number * value;
            }
        }
        image.iter().zip(own).map(|(image, value)| image * value).sum()
    }
}

/// Most dimensions of a group.
const GROUP_MAX: usize = 40;

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
            let value = |index: usize| ((index as f32 + 1.3) * (seed as f32 + 0.7)).sin();
            let values: Values = std::array::from_fn(value);
            let (all, mask) = (squares(&values), 0xff_ffff << (seed % 100));
            assert!(all.iter().all(|square| *square > 0.0), "{seed}");
            let part = shared_square(&values, &all, !0, mask);
            let masked = masked(&values, mask);
            let plain = product(&masked, &image(&masked));
            assert!(plain > 0.0 && (part / plain - 1.0).abs() < 1e-3, "{seed}: {part}, {plain}");
        }
    }
}
