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
