//! Elementary functions in `f32` for rows of samples: no branch, no table, so that compilers turn loops over them
//! into SIMD; the same bits in every build because only `+ - * /`, comparisons and bits are used.
//!
//! The bounds stated at each function are proved by tests against `f64`.
#![allow(clippy::inline_always, reason = "only inlined they become SIMD")]

use core::f32::consts::LN_2;

/// Smallest argument of [`log2`] that is not raised: -200 dBFS as an amplitude.
pub const SMALLEST: f32 = 1e-10;

/// Binary logarithm of `max(x, SMALLEST)`, error at most 4e-7 + 1e-7 times its magnitude (2.4e-6 dB near full scale).
///
/// `x = 2^e * m` with `m` in `[sqrt(1/2), sqrt(2))`, then `ln m = 2 artanh((m - 1) / (m + 1))` as a series
/// up to the 7th power; the 9th would add 4e-8.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    /// Bits of `sqrt(1/2)`.
    const ROOT_HALF: i32 = 0x3f35_04f3;
    let x = if x > SMALLEST { x } else { SMALLEST };
    let bits = x.to_bits().cast_signed();
    let exponent = (bits - ROOT_HALF) >> 23;
    let m = f32::from_bits((bits - (exponent << 23)).cast_unsigned());
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = 2.885_390_1 + s2 * (0.961_796_7 + s2 * (0.577_078_04 + s2 * 0.412_198_6));
    exponent as f32 + s * series
}

/// `2^x` with `x` limited to -126..=126, relative error at most 3e-7 (2.6e-6 dB); exactly 1 at 0.
///
/// The whole part goes to the exponent; the rest, within +-1/2, through the Taylor series up to the 6th power.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    /// `1.5 * 2^23`: adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    let x = if x > -126.0 { x } else { -126.0 };
    let x = if x < 126.0 { x } else { 126.0 };
    let shifted = x + ROUNDER;
    let f = x - (shifted - ROUNDER);
    let high = 0.009_618_129 + f * (0.001_333_355_8 + f * 0.000_154_035_3);
    let low = 0.240_226_5 + f * (0.055_504_11 + f * high);
    let fraction = 1.0 + f * (LN_2 + f * low);
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    fraction * scale
}

/// Hyperbolic tangent, error at most 3e-7; odd to the bit, exactly 0 at 0.
///
/// Below 0.8 Lambert's continued fraction cut at the 7th partial denominator, above `(e^2x - 1) / (e^2x + 1)`; one division for both.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    /// `2 / ln 2`: `e^2x = 2^(x * this)`.
    const OCTAVES: f32 = 2.885_390_1;
    let size = x.abs();
    let size = if size < 10.0 { size } else { 10.0 };
    let square = size * size;
    let near_top = size * (10_395.0 + square * (1_260.0 + square * 21.0));
    let near_bottom = 10_395.0 + square * (4_725.0 + square * (210.0 + square));
    let power = exp2(size * OCTAVES);
    let is_near = size < 0.8;
    let top = if is_near { near_top } else { power - 1.0 };
    let bottom = if is_near { near_bottom } else { power + 1.0 };
    (top / bottom).copysign(x)
}

/// `1 / sqrt(x)` for normal positive `x`, relative error at most 3e-7.
///
/// A guess from halving the exponent (within 3.5 %), then three steps of Newton's method, each of
/// which squares the error and multiplies it by 3/2.
#[inline(always)]
pub fn recip_sqrt(x: f32) -> f32 {
    let half = 0.5 * x;
    let mut y = f32::from_bits(0x5f37_5a86 - (x.to_bits() >> 1));
    y *= 1.5 - half * y * y;
    y *= 1.5 - half * y * y;
    y * (1.5 - half * y * y)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments in even steps, both ends included.
    fn steps(from: f32, to: f32) -> impl Iterator<Item = f32> {
        (0..=100_000_u32).map(move |k| from + (to - from) * (k as f32 / 100_000.0))
    }

    #[test]
    fn log2_is_within_its_bound() {
        for exponent in steps(-33.0, 20.0) {
            let x = exponent.exp2();
            let exact = f64::from(x).log2();
            let error = (f64::from(log2(x)) - exact).abs();
            assert!(error <= 4e-7 + 1e-7 * exact.abs(), "log2({x}) is off by {error}");
        }
    }

    #[test]
    fn log2_of_powers_of_two_is_exact() {
        for exponent in -33_i16..=33 {
            let exact = f32::from(exponent);
            assert_eq!(log2(exact.exp2()).to_bits(), exact.to_bits());
        }
    }

    #[test]
    fn log2_of_nothing_is_that_of_the_smallest() {
        assert_eq!(log2(0.0).to_bits(), log2(SMALLEST).to_bits());
        assert_eq!(log2(-1.0).to_bits(), log2(SMALLEST).to_bits());
    }

    #[test]
    fn exp2_is_within_its_bound() {
        for x in steps(-40.0, 40.0) {
            let exact = f64::from(x).exp2();
            let error = (f64::from(exp2(x)) / exact - 1.0).abs();
            assert!(error <= 3e-7, "exp2({x}) is off by {error}");
        }
    }

    #[test]
    fn exp2_of_whole_numbers_is_exact() {
        for x in -126_i16..=126 {
            assert_eq!(exp2(f32::from(x)).to_bits(), f32::from(x).exp2().to_bits());
        }
    }

    #[test]
    fn tanh_is_within_its_bound_and_odd() {
        for x in steps(0.0, 12.0) {
            let error = (f64::from(tanh(x)) - f64::from(x).tanh()).abs();
            assert!(error <= 3e-7, "tanh({x}) is off by {error}");
            assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits());
        }
    }

    #[test]
    fn recip_sqrt_is_within_its_bound() {
        for exponent in steps(-20.0, 20.0) {
            let x = exponent.exp2();
            let error = (f64::from(recip_sqrt(x)) * f64::from(x).sqrt() - 1.0).abs();
            assert!(error <= 3e-7, "recip_sqrt({x}) is off by {error}");
        }
    }
}
