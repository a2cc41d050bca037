//! The two kinds of numbers a signal is made of.

use super::products;
use rustfft::FftNum;

/// A sample as it comes and goes: `f32` in the chain, `f64` where a test looks at the arithmetic.
pub trait Sample: Copy + Default + 'static {
    /// The same value.
    fn to_f64(self) -> f64;

    /// The nearest value.
    fn from_f64(value: f64) -> Self;
}

impl Sample for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
    fn from_f64(value: f64) -> Self {
        value as Self
    }
}

impl Sample for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn from_f64(value: f64) -> Self {
        value
    }
}

/// What the arithmetic is done in.
pub(super) trait Real: Sample + FftNum + products::Fused {}

impl Real for f32 {}
impl Real for f64 {}

/// From one kind to the other; a value that stays of its kind stays the same.
pub(super) fn convert<A: Sample, B: Sample>(value: A) -> B {
    B::from_f64(value.to_f64())
}
