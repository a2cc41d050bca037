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
    pub fn new(lanes: [f32; 4]) -> Self {
        // SAFETY: four `f32` are there.
        Self(unsafe { wasm::v128_load(lanes.as_ptr().cast()) })
    }

    /// Its numbers.
    #[inline]
    pub fn to_array(self) -> [f32; 4] {
        let mut lanes = [0.0; 4];
        // SAFETY: there is room for four `f32`.
        unsafe { wasm::v128_store(lanes.as_mut_ptr().cast(), self.0) };
        lanes
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

    /// Each number whose magnitude is at most `limit`, and 0 for every other, NaN too.
    #[inline]
    #[must_use]
    pub fn within(self, limit: f32) -> Self {
        let is_within = wasm::f32x4_le(wasm::f32x4_abs(self.0), wasm::f32x4_splat(limit));
        Self(wasm::v128_and(self.0, is_within))
    }

    /// The frames `BY` earlier of a row whose tile before this one is `before`: `BY` of 1 is its last frame and the first
    /// three of this one.
    #[inline]
    #[must_use]
    pub fn delayed<const BY: usize>(self, before: Self) -> Self {
        Self(match BY {
            0 => self.0,
            1 => wasm::i32x4_shuffle::<3, 4, 5, 6>(before.0, self.0),
            2 => wasm::i32x4_shuffle::<2, 3, 4, 5>(before.0, self.0),
            3 => wasm::i32x4_shuffle::<1, 2, 3, 4>(before.0, self.0),
            _ => before.0,
        })
    }

    /// Four frames of two channels, the channels side by side.
    #[inline]
    pub fn pairs(left: Self, right: Self) -> [F64x2; 4] {
        let low = wasm::i32x4_shuffle::<0, 4, 1, 5>(left.0, right.0);
        let high = wasm::i32x4_shuffle::<2, 6, 3, 7>(left.0, right.0);
        [low, wasm::i64x2_shuffle::<1, 1>(low, low), high, wasm::i64x2_shuffle::<1, 1>(high, high)]
            .map(|pair| F64x2(wasm::f64x2_promote_low_f32x4(pair)))
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
    pub fn new(lanes: [f64; 2]) -> Self {
        // SAFETY: two `f64` are there.
        Self(unsafe { wasm::v128_load(lanes.as_ptr().cast()) })
    }

    /// Its numbers.
    #[inline]
    pub fn to_array(self) -> [f64; 2] {
        let mut lanes = [0.0; 2];
        // SAFETY: there is room for two `f64`.
        unsafe { wasm::v128_store(lanes.as_mut_ptr().cast(), self.0) };
        lanes
    }

    /// Four frames of two channels, a plane each: [`F32x4::pairs`] undone, rounded.
    #[inline]
    pub fn planes([a, b, c, d]: [Self; 4]) -> [F32x4; 2] {
        let [a, b, c, d] = [a, b, c, d].map(|pair| wasm::f32x4_demote_f64x2_zero(pair.0));
        let low = wasm::i64x2_shuffle::<0, 2>(a, b);
        let high = wasm::i64x2_shuffle::<0, 2>(c, d);
        [
            F32x4(wasm::i32x4_shuffle::<0, 2, 4, 6>(low, high)),
            F32x4(wasm::i32x4_shuffle::<1, 3, 5, 7>(low, high)),
        ]
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
