//! Vectors of wasm.

use core::arch::wasm32 as wasm;

/// Four `f32`.
#[derive(Clone, Copy, Debug)]
pub struct F32x4(wasm::v128);

/// Two `f64`.
#[derive(Clone, Copy, Debug)]
pub struct F64x2(wasm::v128);

impl F32x4 {
    /// Of its numbers.
    #[inline]
    pub fn new([a, b, c, d]: [f32; 4]) -> Self {
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
    pub fn new([a, b]: [f64; 2]) -> Self {
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
