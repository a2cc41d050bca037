//! Vectors of x86-64. SSE and SSE2 are part of it, so their instructions are there.

use core::arch::x86_64 as sse;

/// Four `f32`.
#[derive(Clone, Copy, Debug)]
pub struct F32x4(sse::__m128);

/// Two `f64`.
#[derive(Clone, Copy, Debug)]
pub struct F64x2(sse::__m128d);

impl F32x4 {
    /// Of its numbers.
    #[inline]
    pub fn new(lanes: [f32; 4]) -> Self {
        // SAFETY: part of x86-64; four `f32` are there.
        unsafe { Self(sse::_mm_loadu_ps(lanes.as_ptr())) }
    }

    /// Its numbers.
    #[inline]
    pub fn to_array(self) -> [f32; 4] {
        // SAFETY: four `f32` and nothing else on both sides.
        unsafe { core::mem::transmute(self.0) }
    }

    /// Rows become columns.
    #[inline]
    pub fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        // SAFETY: part of x86-64.
        unsafe {
            let ab_low = sse::_mm_unpacklo_ps(a.0, b.0);
            let ab_high = sse::_mm_unpackhi_ps(a.0, b.0);
            let cd_low = sse::_mm_unpacklo_ps(c.0, d.0);
            let cd_high = sse::_mm_unpackhi_ps(c.0, d.0);
            [
                Self(sse::_mm_movelh_ps(ab_low, cd_low)),
                Self(sse::_mm_movehl_ps(cd_low, ab_low)),
                Self(sse::_mm_movelh_ps(ab_high, cd_high)),
                Self(sse::_mm_movehl_ps(cd_high, ab_high)),
            ]
        }
    }

    /// Each number whose magnitude is at most `limit`, and 0 for every other, NaN too.
    #[inline]
    #[must_use]
    pub fn within(self, limit: f32) -> Self {
        // SAFETY: part of x86-64.
        unsafe {
            let magnitude = sse::_mm_andnot_ps(sse::_mm_set1_ps(-0.0), self.0);
            let is_within = sse::_mm_cmple_ps(magnitude, sse::_mm_set1_ps(limit));
            Self(sse::_mm_and_ps(self.0, is_within))
        }
    }

    /// The frames `BY` earlier of a row whose tile before this one is `before`: `BY` of 1 is its last frame and the first
    /// three of this one.
    #[inline]
    #[must_use]
    pub fn delayed<const BY: usize>(self, before: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe {
            // Two before and two of this one; the odd delays take one lane more from a side.
            let middle = sse::_mm_shuffle_ps::<0b01_00_11_10>(before.0, self.0);
            Self(match BY {
                0 => self.0,
                1 => sse::_mm_shuffle_ps::<0b10_01_10_01>(middle, self.0),
                2 => middle,
                3 => sse::_mm_shuffle_ps::<0b10_01_10_01>(before.0, middle),
                _ => before.0,
            })
        }
    }

    /// Four frames of two channels, the channels side by side.
    #[inline]
    pub fn pairs(left: Self, right: Self) -> [F64x2; 4] {
        // SAFETY: part of x86-64.
        unsafe {
            let low = sse::_mm_unpacklo_ps(left.0, right.0);
            let high = sse::_mm_unpackhi_ps(left.0, right.0);
            [low, sse::_mm_movehl_ps(low, low), high, sse::_mm_movehl_ps(high, high)]
                .map(|pair| F64x2(sse::_mm_cvtps_pd(pair)))
        }
    }

    #[inline]
    pub(super) fn add_(self, other: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe { Self(sse::_mm_add_ps(self.0, other.0)) }
    }

    #[inline]
    pub(super) fn sub_(self, other: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe { Self(sse::_mm_sub_ps(self.0, other.0)) }
    }

    #[inline]
    pub(super) fn mul_(self, other: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe { Self(sse::_mm_mul_ps(self.0, other.0)) }
    }
}

impl F64x2 {
    /// Of its numbers.
    #[inline]
    pub fn new(lanes: [f64; 2]) -> Self {
        // SAFETY: part of x86-64; two `f64` are there.
        unsafe { Self(sse::_mm_loadu_pd(lanes.as_ptr())) }
    }

    /// Its numbers.
    #[inline]
    pub fn to_array(self) -> [f64; 2] {
        // SAFETY: two `f64` and nothing else on both sides.
        unsafe { core::mem::transmute(self.0) }
    }

    /// Four frames of two channels, a plane each: [`F32x4::pairs`] undone, rounded.
    #[inline]
    pub fn planes([a, b, c, d]: [Self; 4]) -> [F32x4; 2] {
        // SAFETY: part of x86-64.
        unsafe {
            let [a, b, c, d] = [a, b, c, d].map(|pair| sse::_mm_cvtpd_ps(pair.0));
            let (low, high) = (sse::_mm_movelh_ps(a, b), sse::_mm_movelh_ps(c, d));
            [
                F32x4(sse::_mm_shuffle_ps::<0b10_00_10_00>(low, high)),
                F32x4(sse::_mm_shuffle_ps::<0b11_01_11_01>(low, high)),
            ]
        }
    }

    #[inline]
    pub(super) fn add_(self, other: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe { Self(sse::_mm_add_pd(self.0, other.0)) }
    }

    #[inline]
    pub(super) fn sub_(self, other: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe { Self(sse::_mm_sub_pd(self.0, other.0)) }
    }

    #[inline]
    pub(super) fn mul_(self, other: Self) -> Self {
        // SAFETY: part of x86-64.
        unsafe { Self(sse::_mm_mul_pd(self.0, other.0)) }
    }
}
