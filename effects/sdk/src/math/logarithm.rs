//! Logarithms to the bases e, 2 and 10.

use super::exponential::LN_2;
use super::polynomial;

/// (atanh(s) / s - 1) / s^2 as a series in s^2. For |s| <= 0.1716 the first missing term is below
/// 2e-20 of the logarithm.
pub(super) const ATANH: [f64; 12] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
    1.0 / 25.0,
];

/// Bits of sqrt(1/2).
const SQRT_HALF: u64 = 0x3fe6a09e_667f3bcd;
/// Bits of the fraction of a number.
const FRACTION: u64 = (1 << 52) - 1;

/// x = 2^k m with a whole `k` and sqrt(1/2) <= m < sqrt(2): `(k, m)`, for positive finite `x`.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "an exponent has eleven bits")]
pub(super) fn split(x: f64) -> (f64, f64) {
    // A subnormal is first made a normal number.
    let (x, offset) = if x < f64::MIN_POSITIVE { (x * (1_u64 << 54) as f64, -54) } else { (x, 0) };
    // Counted from sqrt(1/2), the exponent changes where the mantissa should.
    let above = x.to_bits().wrapping_sub(SQRT_HALF & !FRACTION);
    let k = (above.wrapping_sub(SQRT_HALF & FRACTION) as i64) >> 52;
    let mantissa = f64::from_bits(x.to_bits().wrapping_sub((k << 52).cast_unsigned()));
    ((k + offset) as f64, mantissa)
}

/// ln m for sqrt(1/2) <= m < sqrt(2).
#[inline]
fn ln_mantissa(m: f64) -> f64 {
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    2.0 * (s + s * square * polynomial(square, &ATANH))
}

/// The value of a logarithm where it is not a number of its own.
#[inline]
pub(super) fn special(x: f64) -> Option<f64> {
    if x > 0.0 && x < f64::INFINITY {
        None
    } else if x == 0.0 {
        Some(f64::NEG_INFINITY)
    } else if x > 0.0 {
        Some(f64::INFINITY)
    } else {
        Some(f64::NAN)
    }
}

/// Natural logarithm.
///
/// Minus infinity for 0, NaN below. Relative error at most 1e-14 (measured: 4e-16): exponent times
/// ln 2 in two parts, plus the series of 2 atanh((m - 1) / (m + 1)).
#[inline]
pub fn ln(x: f64) -> f64 {
    if let Some(value) = special(x) {
        return value;
    }
    let (k, m) = split(x);
    k * LN_2.0 + (k * LN_2.1 + ln_mantissa(m))
}

/// Logarithm to the base 2; exact for powers of two.
///
/// Minus infinity for 0, NaN below. Relative error at most 1e-14 (measured: 5e-16), as [`ln`].
#[inline]
pub fn log2(x: f64) -> f64 {
    if let Some(value) = special(x) {
        return value;
    }
    let (k, m) = split(x);
    k + ln_mantissa(m) * core::f64::consts::LOG2_E
}

/// Logarithm to the base 10.
///
/// Minus infinity for 0, NaN below. Relative error at most 1e-14 (measured: 6e-16), as [`ln`].
#[inline]
pub fn log10(x: f64) -> f64 {
    if let Some(value) = special(x) {
        return value;
    }
    let (k, m) = split(x);
    k * core::f64::consts::LOG10_2 + ln_mantissa(m) * core::f64::consts::LOG10_E
}

/// Level in decibels of an amplitude: 20 log10(amplitude).
///
/// Minus infinity for silence, NaN below 0. Relative error at most 1e-14.
#[inline]
pub fn amplitude_to_db(amplitude: f64) -> f64 {
    20.0 * log10(amplitude)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "std is the oracle")]
mod tests {
    use super::super::tests::{agree, by_octaves, evenly};
    use super::*;

    #[test]
    fn logarithms_agree_with_std_over_all_magnitudes() {
        let all = || by_octaves(f64::MIN_POSITIVE, f64::MAX, 1_000_003);
        agree(all(), ln, f64::ln);
        agree(all(), log2, f64::log2);
        agree(all(), log10, f64::log10);
    }

    #[test]
    fn logarithms_agree_with_std_around_one() {
        let all = || evenly(0.25, 4.0, 1_000_003);
        agree(all(), ln, f64::ln);
        agree(all(), log2, f64::log2);
        agree(all(), log10, f64::log10);
        let near = [1.0 + f64::EPSILON, 1.0 - f64::EPSILON / 2.0, 1.0 + 1e-9, 1.0 - 1e-9];
        agree(near.into_iter(), ln, f64::ln);
        agree(near.into_iter(), log2, f64::log2);
    }

    #[test]
    fn logarithms_of_subnormals_agree_with_std() {
        agree(by_octaves(5e-324, f64::MIN_POSITIVE, 1_003), ln, f64::ln);
    }

    #[test]
    fn log2_of_powers_of_two_is_exact() {
        for k in -1_022..=1_023 {
            assert_eq!(log2(2.0_f64.powi(k)), f64::from(k));
        }
    }

    #[test]
    fn logarithms_outside_their_domain_are_infinite_or_nan() {
        for function in [ln, log2, log10] {
            assert_eq!(function(0.0), f64::NEG_INFINITY);
            assert_eq!(function(-0.0), f64::NEG_INFINITY);
            assert_eq!(function(f64::INFINITY), f64::INFINITY);
            assert!(function(-1.0).is_nan());
            assert!(function(f64::NEG_INFINITY).is_nan());
            assert!(function(f64::NAN).is_nan());
            assert_eq!(function(1.0), 0.0);
        }
    }

    #[test]
    fn amplitude_to_db_of_a_tenth_is_minus_20() {
        assert!((amplitude_to_db(0.1) + 20.0).abs() < 1e-13);
        assert_eq!(amplitude_to_db(1.0), 0.0);
    }
}
