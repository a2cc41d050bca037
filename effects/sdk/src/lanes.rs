//! Several numbers in one register.
//!
//! Compilers find vectors in plain loops over frames by themselves. Where one frame needs the one before it,
//! as in filters, the vector must hold something else: two channels, four delay lines. That has to be said: wasm's compiler
//! leaves such code scalar, and native ones depend on luck. The bits are the same everywhere.

use core::ops::{Add, Mul, Sub};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes/wasm.rs"]
mod imp;

#[cfg(target_arch = "x86_64")]
#[path = "lanes/sse.rs"]
mod imp;

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
#[path = "lanes/arrays.rs"]
mod imp;

pub use imp::{F32x4, F64x2};

impl F32x4 {
    /// The same number four times.
    #[inline]
    pub fn splat(value: f32) -> Self {
        Self::new([value; 4])
    }
}

impl F64x2 {
    /// The same number twice.
    #[inline]
    pub fn splat(value: f64) -> Self {
        Self::new([value; 2])
    }
}

macro_rules! arithmetic {
    ($($vector:ty),*) => {$(
        impl Add for $vector {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self {
                self.add_(other)
            }
        }

        impl Sub for $vector {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self {
                self.sub_(other)
            }
        }

        impl Mul for $vector {
            type Output = Self;
            #[inline]
            fn mul(self, other: Self) -> Self {
                self.mul_(other)
            }
        }
    )*};
}

arithmetic!(F32x4, F64x2);

#[cfg(test)]
mod tests {
    use super::{F32x4, F64x2};

    #[test]
    fn arithmetic_goes_lane_by_lane() {
        let (a, b) = (F32x4::new([1.0, 2.0, 3.0, 4.0]), F32x4::new([10.0, 20.0, 30.0, 40.0]));
        assert_eq!((a + b).to_array(), [11.0, 22.0, 33.0, 44.0]);
        assert_eq!((b - a).to_array(), [9.0, 18.0, 27.0, 36.0]);
        assert_eq!((a * F32x4::splat(2.0)).to_array(), [2.0, 4.0, 6.0, 8.0]);
        let (a, b) = (F64x2::new([1.0, 2.0]), F64x2::splat(3.0));
        assert_eq!((a + b).to_array(), [4.0, 5.0]);
        assert_eq!((a - b).to_array(), [-2.0, -1.0]);
        assert_eq!((a * b).to_array(), [3.0, 6.0]);
    }

    #[test]
    fn transpose_turns_rows_into_columns() {
        let row = |first: f32| F32x4::new([first, first + 1.0, first + 2.0, first + 3.0]);
        let columns = F32x4::transpose([row(0.0), row(4.0), row(8.0), row(12.0)]);
        assert_eq!(columns[0].to_array(), [0.0, 4.0, 8.0, 12.0]);
        assert_eq!(columns[1].to_array(), [1.0, 5.0, 9.0, 13.0]);
        assert_eq!(columns[3].to_array(), [3.0, 7.0, 11.0, 15.0]);
    }

    #[test]
    fn delayed_brings_the_frames_before() {
        let before = F32x4::new([1.0, 2.0, 3.0, 4.0]);
        let tile = F32x4::new([5.0, 6.0, 7.0, 8.0]);
        assert_eq!(tile.delayed::<0>(before).to_array(), [5.0, 6.0, 7.0, 8.0]);
        assert_eq!(tile.delayed::<1>(before).to_array(), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(tile.delayed::<2>(before).to_array(), [3.0, 4.0, 5.0, 6.0]);
        assert_eq!(tile.delayed::<3>(before).to_array(), [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(tile.delayed::<4>(before).to_array(), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn within_keeps_what_is_and_nothing_else() {
        let kept = F32x4::new([1.0, -2.0, 2.5, f32::NAN]).within(2.0);
        assert_eq!(kept.to_array(), [1.0, -2.0, 0.0, 0.0]);
        let kept = F32x4::new([f32::INFINITY, -f32::INFINITY, -0.0, 0.0]).within(2.0);
        assert_eq!(kept.to_array(), [0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn pairs_put_channels_side_by_side_and_planes_take_them_apart() {
        let left = F32x4::new([1.0, 2.0, 3.0, 4.0]);
        let right = F32x4::new([10.0, 20.0, 30.0, 0.1]);
        let pairs = F32x4::pairs(left, right);
        assert_eq!(pairs[0].to_array(), [1.0, 10.0]);
        assert_eq!(pairs[1].to_array(), [2.0, 20.0]);
        assert_eq!(pairs[3].to_array(), [4.0, f64::from(0.1_f32)]);
        let [left_again, right_again] = F64x2::planes(pairs);
        assert_eq!(left_again.to_array(), left.to_array());
        assert_eq!(right_again.to_array(), right.to_array());
    }
}
