//! Several numbers in one register.
//!
//! Compilers find vectors in plain loops over frames by themselves. Where one frame needs the one before it,
//! as in filters, the vector must hold something else: two channels, four delay lines. For wasm that has to be
//! said: its compiler leaves such code scalar. With the feature `simd128` these types are wasm's vectors, elsewhere arrays
//! that native compilers turn into vectors. The bits are the same.

use core::ops::{Add, Mul, Sub};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use core::arch::wasm32 as wasm;

/// Four `f32`.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[derive(Clone, Copy, Debug)]
pub struct F32x4(wasm::v128);

/// Four `f32`.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub struct F32x4([f32; 4]);

/// Two `f64`.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[derive(Clone, Copy, Debug)]
pub struct F64x2(wasm::v128);

/// Two `f64`.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub struct F64x2([f64; 2]);

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use super::{F32x4, F64x2, wasm};

    impl F32x4 {
        /// Of its numbers.
        #[inline]
        pub const fn new([a, b, c, d]: [f32; 4]) -> Self {
            Self(wasm::f32x4(a, b, c, d))
        }

        /// Its numbers.
        #[inline]
        pub fn to_array(self) -> [f32; 4] {
            [
                wasm::f32x4_extract_lane::<0>(self.0),
                wasm::f32x4_extract_lane::<1>(self.0),
                wasm::f32x4_extract_lane::<2>(self.0),
                wasm::f32x4_extract_lane::<3>(self.0),
            ]
        }

        /// Rows become columns.
        #[inline]
        pub fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            let ab_low = wasm::i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
            let ab_high = wasm::i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
            let cd_low = wasm::i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
            let cd_high = wasm::i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
            [
                Self(wasm::i64x2_shuffle::<0, 2>(ab_low, cd_low)),
                Self(wasm::i64x2_shuffle::<1, 3>(ab_low, cd_low)),
                Self(wasm::i64x2_shuffle::<0, 2>(ab_high, cd_high)),
                Self(wasm::i64x2_shuffle::<1, 3>(ab_high, cd_high)),
            ]
        }

        #[inline]
        pub(super) fn add_(self, other: Self) -> Self {
            Self(wasm::f32x4_add(self.0, other.0))
        }

        #[inline]
        pub(super) fn sub_(self, other: Self) -> Self {
            Self(wasm::f32x4_sub(self.0, other.0))
        }

        #[inline]
        pub(super) fn mul_(self, other: Self) -> Self {
            Self(wasm::f32x4_mul(self.0, other.0))
        }
    }

    impl F64x2 {
        /// Of its numbers.
        #[inline]
        pub const fn new([a, b]: [f64; 2]) -> Self {
            Self(wasm::f64x2(a, b))
        }

        /// Its numbers.
        #[inline]
        pub fn to_array(self) -> [f64; 2] {
            [wasm::f64x2_extract_lane::<0>(self.0), wasm::f64x2_extract_lane::<1>(self.0)]
        }

        #[inline]
        pub(super) fn add_(self, other: Self) -> Self {
            Self(wasm::f64x2_add(self.0, other.0))
        }

        #[inline]
        pub(super) fn sub_(self, other: Self) -> Self {
            Self(wasm::f64x2_sub(self.0, other.0))
        }

        #[inline]
        pub(super) fn mul_(self, other: Self) -> Self {
            Self(wasm::f64x2_mul(self.0, other.0))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod imp {
    use super::{F32x4, F64x2};

    impl F32x4 {
        /// Of its numbers.
        #[inline]
        pub const fn new(lanes: [f32; 4]) -> Self {
            Self(lanes)
        }

        /// Its numbers.
        #[inline]
        pub fn to_array(self) -> [f32; 4] {
            self.0
        }

        /// Rows become columns.
        #[inline]
        pub fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            core::array::from_fn(|lane| Self([a.0[lane], b.0[lane], c.0[lane], d.0[lane]]))
        }

        #[inline]
        pub(super) fn add_(self, other: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] + other.0[lane]))
        }

        #[inline]
        pub(super) fn sub_(self, other: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] - other.0[lane]))
        }

        #[inline]
        pub(super) fn mul_(self, other: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] * other.0[lane]))
        }
    }

    impl F64x2 {
        /// Of its numbers.
        #[inline]
        pub const fn new(lanes: [f64; 2]) -> Self {
            Self(lanes)
        }

        /// Its numbers.
        #[inline]
        pub fn to_array(self) -> [f64; 2] {
            self.0
        }

        #[inline]
        pub(super) fn add_(self, other: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] + other.0[lane]))
        }

        #[inline]
        pub(super) fn sub_(self, other: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] - other.0[lane]))
        }

        #[inline]
        pub(super) fn mul_(self, other: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] * other.0[lane]))
        }
    }
}

impl F32x4 {
    /// The same number four times.
    #[inline]
    pub const fn splat(value: f32) -> Self {
        Self::new([value; 4])
    }
}

impl F64x2 {
    /// The same number twice.
    #[inline]
    pub const fn splat(value: f64) -> Self {
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
}
