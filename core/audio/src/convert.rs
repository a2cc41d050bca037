//! Between a decoder's samples, the chain's floats and interleaved bytes.

use crate::{Block, Samples};

/// Factor from an integer of `bit_depth` bits to full scale 1.0.
///
/// Source: AES17-2020, 3.12: full scale is the largest positive value; as every tool does, the
/// divisor is the power of two, so that integers up to 25 bit are exact in `f32`.
pub fn int_scale(bit_depth: u16) -> f64 {
    1.0 / f64::from(1u32 << (bit_depth - 1))
}

/// Copies samples into `block`, which takes their channel and frame counts.
///
/// Integers above 24 bit are rounded to the nearest `f32`.
///
/// # Panics
/// When they do not fit the block's capacity.
pub fn to_block(samples: &Samples, block: &mut Block) {
    block.set_channel_count(samples.channel_count());
    block.set_frame_count(samples.frame_count());
    match samples {
        Samples::Int { bit_depth, planes } if *bit_depth <= 24 => {
            #[expect(clippy::cast_possible_truncation, reason = "a power of two is exact in f32")]
            let scale = int_scale(*bit_depth) as f32;
            for (plane, out) in planes.iter().zip(block.planes_mut()) {
                for (&sample, out) in plane.iter().zip(out) {
                    *out = sample as f32 * scale;
                }
            }
        }
        Samples::Int { bit_depth, planes } => {
            let scale = int_scale(*bit_depth);
            for (plane, out) in planes.iter().zip(block.planes_mut()) {
                for (&sample, out) in plane.iter().zip(out) {
                    #[expect(clippy::cast_possible_truncation, reason = "rounding is meant")]
                    let value = (f64::from(sample) * scale) as f32;
                    *out = value;
                }
            }
        }
        Samples::Float { planes } => {
            for (plane, out) in planes.iter().zip(block.planes_mut()) {
                out.copy_from_slice(plane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn int_16_full_scale_is_minus_one() {
        let samples = Samples::Int { bit_depth: 16, planes: vec![vec![-32768, 16384, 0]] };
        let mut block = Block::new(1, 3);
        to_block(&samples, &mut block);
        assert_eq!(block.plane(0), [-1.0, 0.5, 0.0]);
    }

    #[test]
    fn int_32_is_rounded_not_truncated() {
        let samples = Samples::Int { bit_depth: 32, planes: vec![vec![i32::MAX, i32::MIN]] };
        let mut block = Block::new(1, 2);
        to_block(&samples, &mut block);
        assert_eq!(block.plane(0), [1.0, -1.0]);
    }
}
