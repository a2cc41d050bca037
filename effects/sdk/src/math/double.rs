//! Sums and products with their rounding error, as two numbers.
//!
//! Source: T. J. Dekker, "A floating-point technique for extending the available precision", 1971.

/// Sum and its rounding error.
#[inline]
pub(super) fn sum(a: f64, b: f64) -> (f64, f64) {
    let high = a + b;
    let of_b = high - a;
    (high, (a - (high - of_b)) + (b - of_b))
}

/// Sum and its rounding error, for |a| >= |b|.
#[inline]
pub(super) fn sum_ordered(a: f64, b: f64) -> (f64, f64) {
    let high = a + b;
    (high, b - (high - a))
}

/// Product and its rounding error, for magnitudes below 2^480. Not by a fused multiply-add, which
/// wasm lacks.
#[inline]
pub(super) fn product(a: f64, b: f64) -> (f64, f64) {
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    let high = a * b;
    let low = a_low * b_low - (((high - a_high * b_high) - a_low * b_high) - a_high * b_low);
    (high, low)
}

/// A number as a sum of two with at most 26 bits each, so that their products are exact.
#[inline]
fn halves(a: f64) -> (f64, f64) {
    let scaled = a * ((1_u64 << 27) + 1) as f64;
    let high = scaled - (scaled - a);
    (high, a - high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_keeps_what_rounding_drops() {
        assert_eq!(sum(1.0, 1e-20), (1.0, 1e-20));
        assert_eq!(sum(1e-20, 1.0), (1.0, 1e-20));
        assert_eq!(sum_ordered(1.0, 1e-20), (1.0, 1e-20));
    }

    #[test]
    fn product_has_the_error_of_a_fused_multiply_add() {
        let mut x = 0.1;
        for step in 0..1_000 {
            let y = f64::from(step) * 0.37 - 11.3;
            let (high, low) = product(x, y);
            assert_eq!(low, x.mul_add(y, -high));
            x = (x * 1.7 + 0.3) % 91.0;
        }
    }
}
