//! Powers of e, 2 and 10.

use super::{polynomial, power_of_two, round};

/// ln 2 as a sum of two numbers, the first with 32 bits so that its products with exponents are
/// exact.
pub(super) const LN_2: (f64, f64) =
    (f64::from_bits(0x3fe62e42_fee00000), f64::from_bits(0x3dea39ef_35793c76));

/// log2(10) / 20: octaves of amplitude in a decibel.
const OCTAVES_PER_DB: f64 = core::f64::consts::LOG2_10 / 20.0;

/// (e^r - 1) / r as a power series. For |r| <= ln(2) / 2 the first missing term is below 4e-18.
const EXPM1_OVER_R: [f64; 13] = [
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// e^r - 1 for |r| <= ln(2) / 2.
#[inline]
pub(super) fn expm1_reduced(r: f64) -> f64 {
    r * polynomial(r, &EXPM1_OVER_R)
}

/// x = k ln 2 + r with a whole `k` and |r| <= ln(2) / 2: `(k, r)`. For |x| below 1,100.
#[inline]
pub(super) fn reduced(x: f64) -> (f64, f64) {
    let k = round(x * core::f64::consts::LOG2_E);
    (k, (x - k * LN_2.0) - k * LN_2.1)
}

/// `mantissa` times 2 to the whole power `k`, -1100 <= k <= 1100: in two factors, since one would
/// leave the range of exponents.
#[inline]
pub(super) fn scaled(mantissa: f64, k: f64) -> f64 {
    let first = round(k * 0.5);
    mantissa * power_of_two(first) * power_of_two(k - first)
}

/// e to the power of `x`.
///
/// Beyond the range of numbers 0 and infinity; NaN for NaN. Relative error at most 1e-14 (measured:
/// 4e-16): argument reduced by multiples of ln 2 in two parts, then a power series.
#[inline]
pub fn exp(x: f64) -> f64 {
    // 2^1024 and 2^-1075 lie within; `clamp` hands a NaN on.
    let (k, r) = reduced(x.clamp(-760.0, 760.0));
    scaled(1.0 + expm1_reduced(r), k)
}

/// 2 to the power of `x`; exact for whole numbers.
///
/// Beyond the range of numbers 0 and infinity; NaN for NaN. Relative error at most 1e-14 (measured:
/// 4e-16): the whole part becomes the exponent, the rest goes through a power series.
#[inline]
pub fn exp2(x: f64) -> f64 {
    let x = x.clamp(-1_090.0, 1_090.0);
    let k = round(x);
    scaled(1.0 + expm1_reduced((x - k) * core::f64::consts::LN_2), k)
}

/// Factor of amplitude for a gain of `db` decibels: 10^(db/20). 0 dB is exactly 1.
///
/// Relative error at most 1e-14 for gains within +-240 dB.
#[inline]
pub fn db_to_amplitude(db: f64) -> f64 {
    exp2(db * OCTAVES_PER_DB)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agree, evenly};
    use super::*;

    #[test]
    fn exp_agrees_with_std_over_its_range() {
        agree(evenly(-708.0, 709.7, 1_000_003), exp, f64::exp);
        agree(evenly(-1.0, 1.0, 100_003), exp, f64::exp);
    }

    #[test]
    fn exp2_agrees_with_std_over_its_range() {
        agree(evenly(-1_022.0, 1_023.99, 1_000_003), exp2, f64::exp2);
        agree(evenly(-1.0, 1.0, 100_003), exp2, f64::exp2);
    }

    #[test]
    fn exp2_of_whole_numbers_is_exact() {
        for k in -1_022..=1_023 {
            assert_eq!(exp2(f64::from(k)), 2.0_f64.powi(k));
        }
        assert_eq!(exp2(-1_074.0), f64::from_bits(1), "smallest number there is");
    }

    #[test]
    fn powers_beyond_the_range_are_zero_and_infinity() {
        for function in [exp, exp2] {
            assert_eq!(function(5_000.0), f64::INFINITY);
            assert_eq!(function(f64::INFINITY), f64::INFINITY);
            assert_eq!(function(-5_000.0), 0.0);
            assert_eq!(function(f64::NEG_INFINITY), 0.0);
            assert!(function(f64::NAN).is_nan());
            assert_eq!(function(0.0), 1.0);
        }
    }

    #[test]
    fn db_to_amplitude_agrees_with_a_power_of_ten() {
        agree(evenly(-240.0, 240.0, 200_003), db_to_amplitude, |db| 10.0_f64.powf(db / 20.0));
        assert_eq!(db_to_amplitude(0.0), 1.0);
    }
}
