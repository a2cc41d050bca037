//! Arrays, for machines without vectors of their own here.

/// Four `f32`.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub struct F32x4([f32; 4]);

/// Two `f64`.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub struct F64x2([f64; 2]);

impl F32x4 {
    /// Of its numbers.
    #[inline]
    pub fn new(lanes: [f32; 4]) -> Self {
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

    /// Each number whose magnitude is at most `limit`, and 0 for every other, NaN too.
    #[inline]
    #[must_use]
    pub fn within(self, limit: f32) -> Self {
        Self(self.0.map(|value| if value.abs() <= limit { value } else { 0.0 }))
    }

    /// The frames `BY` earlier of a row whose tile before this one is `before`: `BY` of 1 is its last frame and the first
    /// three of this one.
    #[inline]
    #[must_use]
    pub fn delayed<const BY: usize>(self, before: Self) -> Self {
        Self(core::array::from_fn(|lane| {
            if lane >= BY { self.0[lane - BY] } else { before.0[(4 + lane - BY) % 4] }
        }))
    }

    /// Four frames of two channels, the channels side by side.
    #[inline]
    pub fn pairs(left: Self, right: Self) -> [F64x2; 4] {
        core::array::from_fn(|frame| F64x2([f64::from(left.0[frame]), f64::from(right.0[frame])]))
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
    pub fn new(lanes: [f64; 2]) -> Self {
        Self(lanes)
    }

    /// Its numbers.
    #[inline]
    pub fn to_array(self) -> [f64; 2] {
        self.0
    }

    /// Four frames of two channels, a plane each: [`F32x4::pairs`] undone, rounded.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what it does")]
    pub fn planes(pairs: [Self; 4]) -> [F32x4; 2] {
        [0, 1].map(|channel| F32x4(pairs.map(|pair| pair.0[channel] as f32)))
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
