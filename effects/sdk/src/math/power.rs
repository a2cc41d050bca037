//! Powers.

use super::double::{product, sum, sum_ordered};
use super::exponential::{expm1_reduced, scaled};
use super::logarithm::{ATANH, split};
use super::{polynomial, round};

/// log2(e) as a sum of two numbers.
const LOG2_E: (f64, f64) = (core::f64::consts::LOG2_E, f64::from_bits(0x3c7777d0_ffda0d24));

/// Exponents beyond give 0 or infinity for every base but 1, whose logarithm is at least 2^-53.
const EXPONENT_MAX: f64 = (1_u128 << 65) as f64;

/// 2^53: from here on every number is an even integer.
const ALL_EVEN: f64 = (1_u64 << 53) as f64;

/// `base` to the power of `exponent`.
///
/// A negative base takes whole exponents only and gives NaN for others; everything to the power of
/// 0, and 1 to every power, is 1. Relative error at most 1e-14 (measured: 8e-16) even where the
/// result is huge or tiny: the logarithm to the base 2 is taken to some 60 bits, as a sum of two
/// numbers.
#[inline]
pub fn pow(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 || base.to_bits() == 1.0_f64.to_bits() {
        return 1.0;
    }
    if base.is_nan() || exponent.is_nan() {
        return f64::NAN;
    }
    let parity = parity(exponent);
    let is_finite = base.is_finite() && exponent.is_finite();
    if base < 0.0 && is_finite && parity == Parity::Fraction {
        return f64::NAN;
    }
    let magnitude = of_magnitude(base.abs(), exponent);
    if base.is_sign_negative() && parity == Parity::Odd { -magnitude } else { magnitude }
}

/// The power for a base that is not negative and not NaN.
#[inline]
fn of_magnitude(base: f64, exponent: f64) -> f64 {
    if base == 0.0 || base == f64::INFINITY {
        return if (base == 0.0) == (exponent > 0.0) { 0.0 } else { f64::INFINITY };
    }
    let exponent = exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX);
    let (log_high, log_low) = log2_in_two(base);
    let (high, low) = product(exponent, log_high);
    if high.abs() > 1_090.0 {
        return if high > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let octaves = round(high);
    let rest = (high - octaves) + (low + exponent * log_low);
    scaled(1.0 + expm1_reduced(rest * core::f64::consts::LN_2), octaves)
}

/// log2 of a positive finite number as a sum of two numbers; relative error below 1e-17.
#[inline]
fn log2_in_two(x: f64) -> (f64, f64) {
    let (k, m) = split(x);
    // s = (m - 1) / (m + 1); the numerator is exact.
    let numerator = m - 1.0;
    let (below, below_low) = sum(m, 1.0);
    let s = numerator / below;
    let (back, back_low) = product(s, below);
    let s_low = (((numerator - back) - back_low) - s * below_low) / below;
    // ln(m) / 2 = s + s^3 / 3 + ...: the terms after the first are a hundredth of it, so their
    // rounding errors are a hundredth of its own.
    let square = s * s;
    let terms = s * square * polynomial(square, &ATANH);
    let (ln_high, ln_low) = sum_ordered(2.0 * s, 2.0 * (s_low + terms));
    let (high, low) = product(ln_high, LOG2_E.0);
    let low = low + (ln_high * LOG2_E.1 + ln_low * LOG2_E.0);
    let (total, total_low) = sum(k, high);
    sum_ordered(total, total_low + low)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parity {
    Even,
    Odd,
    Fraction,
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "exact below 2^53, and the comparison asks whether it was"
)]
fn parity(x: f64) -> Parity {
    let magnitude = x.abs();
    if magnitude >= ALL_EVEN {
        // Infinity counts as even: the power of a negative base with it is positive.
        return Parity::Even;
    }
    let whole = magnitude as u64;
    if whole as f64 != magnitude {
        Parity::Fraction
    } else if whole.is_multiple_of(2) {
        Parity::Even
    } else {
        Parity::Odd
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agree, by_octaves, evenly};
    use super::*;

    #[test]
    fn pow_agrees_with_std_over_bases_and_exponents() {
        for exponent in evenly(-37.3, 41.9, 97) {
            agree(
                by_octaves(1e-7, 1e7, 3_001),
                |base| pow(base, exponent),
                |base| base.powf(exponent),
            );
        }
    }

    #[test]
    fn pow_agrees_with_std_up_to_the_largest_results() {
        for base in [1.0_f64 + 1e-9, 1.0001, 1.3, 2.0, 10.0, 1e30, 1.0 - 1e-9, 0.7, 0.1, 1e-30] {
            let limit = 708.0 / base.ln().abs();
            agree(
                evenly(-limit, limit, 20_001),
                |exponent| pow(base, exponent),
                |exponent| base.powf(exponent),
            );
        }
    }

    #[test]
    fn pow_of_special_numbers_is_what_std_says() {
        let specials = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            2.0,
            -2.0,
            3.0,
            -3.0,
            0.5,
            -0.5,
            1e300,
            -1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for base in specials {
            for exponent in specials {
                let (ours, theirs) = (pow(base, exponent), base.powf(exponent));
                let is_same =
                    ours == theirs && ours.is_sign_negative() == theirs.is_sign_negative();
                let is_near = ((ours - theirs) / theirs).abs() < 1e-14;
                assert!(
                    is_same || is_near || (ours.is_nan() && theirs.is_nan()),
                    "{base} to the {exponent}: {ours} instead of {theirs}"
                );
            }
        }
    }
}
