//! The square root.

/// Square root, correctly rounded as IEEE 754 demands, so the same everywhere.
///
/// NaN below 0; -0 for -0.
#[inline]
pub fn sqrt(x: f64) -> f64 {
    #[cfg(not(target_arch = "wasm32"))]
    {
        x.sqrt()
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        // `core` has no stable road to wasm's `f64.sqrt`, but one to the vector's.
        use core::arch::wasm32::{f64x2_extract_lane, f64x2_splat, f64x2_sqrt};
        f64x2_extract_lane::<0>(f64x2_sqrt(f64x2_splat(x)))
    }
    #[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
    {
        by_integers(x)
    }
}

/// Square root by integer arithmetic: x = f 2^e with a whole 53-bit f and an even e, then
/// sqrt(x) = sqrt(f 2^k) 2^((e - k) / 2). `k` is chosen so that the root has 54 bits, one more than
/// fits; the last decides the rounding. There are no ties: the square of an odd number is odd, and
/// f 2^k is even.
#[cfg(any(test, all(target_arch = "wasm32", not(target_feature = "simd128"))))]
#[expect(clippy::cast_possible_truncation, reason = "the root has 54 bits")]
fn by_integers(x: f64) -> f64 {
    if x == 0.0 || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 || x.is_nan() {
        return f64::NAN;
    }
    // 2^108 keeps the exponent even and makes a subnormal normal; 2^-54 undoes it in the root.
    let (x, undo) = if x < f64::MIN_POSITIVE { (x * power(108), power(-54)) } else { (x, 1.0) };
    let exponent = (x.to_bits() >> 52) as i32 - 1023 - 52;
    let fraction = u128::from(x.to_bits() & ((1 << 52) - 1) | (1 << 52));
    // f lies in 2^52..2^53. An even exponent takes k = 54 (root in 2^53..2^53.5), an odd one 55.
    let k = 54 + (exponent & 1);
    let root = (fraction << k).isqrt() as u64;
    let rounded = (root + 1) >> 1;
    rounded as f64 * power((exponent - k) / 2 + 1) * undo
}

/// 2 to the power of `k`, -1022 <= k <= 1023.
#[cfg(any(test, all(target_arch = "wasm32", not(target_feature = "simd128"))))]
#[expect(clippy::cast_sign_loss, reason = "k + 1023 is positive")]
fn power(k: i32) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{by_octaves, evenly};
    use super::*;

    #[test]
    fn root_by_integers_is_bit_equal_to_the_processors() {
        let all = by_octaves(5e-324, f64::MAX, 300_007).chain(evenly(0.0, 16.0, 300_007));
        for x in all {
            assert_eq!(by_integers(x).to_bits(), x.sqrt().to_bits(), "{x:e}");
        }
    }

    #[test]
    fn root_by_integers_of_neighbors_of_squares_is_bit_equal_to_the_processors() {
        for root in 1..20_000_u32 {
            let square = f64::from(root) * f64::from(root);
            for x in [square, square.next_up(), square.next_down()] {
                assert_eq!(by_integers(x).to_bits(), x.sqrt().to_bits(), "{x:e}");
            }
        }
    }

    #[test]
    fn root_outside_its_domain_is_nan() {
        for function in [sqrt, by_integers] {
            assert!(function(-1.0).is_nan());
            assert!(function(f64::NAN).is_nan());
            assert_eq!(function(-0.0).to_bits(), (-0.0_f64).to_bits());
            assert_eq!(function(f64::INFINITY), f64::INFINITY);
        }
    }
}
