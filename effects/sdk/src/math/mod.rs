//! Arithmetic beyond `+ - * /` that gives the same bits natively and in wasm, on every machine.
//!
//! `std`'s functions come from the platform's libm and differ between platforms; these consist of
//! IEEE 754 operations and integer arithmetic in a fixed order. None panics, allocates or keeps
//! state.
//!
//! Stated errors are relative to the result and hold for every normal argument and result; the
//! tests compare with `std` over wide ranges. Methods are the textbook ones, range reduction and a
//! power series with the remainder stated: J.-M. Muller, "Elementary Functions", 3rd ed., 2016,
//! chapters 3, 11 and 12; T. J. Dekker, "A floating-point technique for extending the available
//! precision", 1971.

mod double;
mod exponential;
mod hyperbolic;
mod logarithm;
mod power;
mod root;
mod trigonometric;

pub use exponential::{db_to_amplitude, exp, exp2};
pub use hyperbolic::tanh;
pub use logarithm::{amplitude_to_db, ln, log2, log10};
pub use power::pow;
pub use root::sqrt;
pub use trigonometric::{cos, sin, sin_cos, tan};

/// Adding and subtracting it rounds a number to the nearest integer, halves to even, as long as its
/// magnitude is below 2^51: the sum has no room for a fraction.
const ROUNDER: f64 = 1.5 * (1_u64 << 52) as f64;

/// `x` rounded to an integer, for magnitudes below 2^51.
#[inline]
fn round(x: f64) -> f64 {
    (x + ROUNDER) - ROUNDER
}

/// 2 to the power of a whole `k` within -1022..=1023.
#[inline]
fn power_of_two(k: f64) -> f64 {
    // The low bits of the sum are k itself in two's complement; all but eleven leave by the shift.
    f64::from_bits((k + (ROUNDER + 1023.0)).to_bits() << 52)
}

/// Value at `x` of the polynomial with these coefficients, lowest power first.
///
/// Even and odd powers are summed apart, which halves the chain of operations that wait for each
/// other.
#[inline]
fn polynomial<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let square = x * x;
    let (mut even, mut odd) = (0.0, 0.0);
    let mut at = N;
    while at > 0 {
        at -= 1;
        if at.is_multiple_of(2) {
            even = even * square + coefficients[at];
        } else {
            odd = odd * square + coefficients[at];
        }
    }
    even + x * odd
}

#[cfg(test)]
mod tests {
    /// The stated error of every function here.
    pub(super) const RELATIVE_ERROR_MAX: f64 = 1e-14;

    /// Numbers spread evenly over a range, and some of its ends.
    pub(super) fn evenly(from: f64, to: f64, count: u32) -> impl Iterator<Item = f64> {
        (0..=count).map(move |at| from + (to - from) * (f64::from(at) / f64::from(count)))
    }

    /// Numbers spread evenly in their logarithm over a range of positive numbers.
    pub(super) fn by_octaves(from: f64, to: f64, count: u32) -> impl Iterator<Item = f64> {
        evenly(from.ln(), to.ln(), count).map(f64::exp)
    }

    /// Asserts that two functions agree at all these arguments.
    pub(super) fn agree(
        arguments: impl Iterator<Item = f64>,
        ours: impl Fn(f64) -> f64,
        theirs: impl Fn(f64) -> f64,
    ) {
        let mut worst = (0.0, 0.0);
        for x in arguments {
            let (our, their) = (ours(x), theirs(x));
            let error = if our == their { 0.0 } else { ((our - their) / their).abs() };
            assert!(!error.is_nan(), "at {x:e}: {our:e} instead of {their:e}");
            if error > worst.0 {
                worst = (error, x);
            }
        }
        let (error, x) = worst;
        assert!(error <= RELATIVE_ERROR_MAX, "error {error:e} at {x:e}: {:e}", ours(x));
    }

    #[test]
    fn power_of_two_is_exact_over_its_range() {
        for k in -1022..=1023 {
            assert_eq!(super::power_of_two(f64::from(k)), 2.0_f64.powi(k), "{k}");
        }
    }

    #[test]
    fn round_takes_halves_to_even() {
        for (x, rounded) in [(0.5, 0.0), (1.5, 2.0), (-2.5, -2.0), (0.51, 1.0), (-7.7, -8.0)] {
            assert_eq!(super::round(x), rounded, "{x}");
        }
    }

    #[test]
    fn polynomial_of_three_terms_is_their_sum() {
        assert_eq!(super::polynomial(2.0, &[1.0, 10.0, 100.0]), 421.0);
    }
}
