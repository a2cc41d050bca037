//! Eight frames beside each other.
//!
//! What is done to one frame is done to eight at once, number by number, so that the arithmetic of
//! a frame does not depend on the width of the machine's vectors: no lane is ever added to another.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use std::ops::{Add, AddAssign, Mul, Sub};

/// Frames that are worked on beside each other.
pub(crate) const LANES: usize = 8;

/// One number of each frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(32))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

impl Lanes {
    /// The same number for all.
    #[inline(always)]
    pub(crate) fn all(value: f32) -> Self {
        Self([value; LANES])
    }

    /// Each frame's number, changed.
    #[inline(always)]
    pub(crate) fn map(self, change: impl Fn(f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| change(self.0[lane])))
    }

    #[inline(always)]
    fn with(self, other: Self, join: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| join(self.0[lane], other.0[lane])))
    }
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

impl AddAssign for Lanes {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
}

impl Mul for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
}

impl Mul<f32> for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f32) -> Self {
        self.map(|value| value * factor)
    }
}
