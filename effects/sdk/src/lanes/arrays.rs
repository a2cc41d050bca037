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
