//! The hyperbolic tangent, the usual soft clipper.

use super::exponential::{expm1_reduced, reduced};
use super::power_of_two;

/// From here on the result rounds to 1: 1 - tanh(x) < 2 exp(-2x) < 2^-54.
const SATURATION: f64 = 19.5;

/// Hyperbolic tangent, within -1..=1.
///
/// NaN for NaN. Relative error at most 1e-14 (measured: 6e-16), also near 0: it is -u / (2 + u) with
/// u = e^(-2|x|) - 1, computed without forming that difference. Without branches, so that loops
/// over it can be vectorized.
#[inline]
pub fn tanh(x: f64) -> f64 {
    let (k, r) = reduced(-2.0 * x.abs().min(SATURATION));
    let scale = power_of_two(k);
    let u = scale * expm1_reduced(r) + (scale - 1.0);
    let value = (-u / (2.0 + u)).copysign(x);
    // `min` has replaced a NaN by the limit.
    if x.is_nan() { x } else { value }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agree, by_octaves, evenly};
    use super::*;

    #[test]
    fn tanh_agrees_with_std_over_its_range() {
        agree(evenly(-22.0, 22.0, 1_000_003), tanh, f64::tanh);
        agree(by_octaves(1e-300, 1.0, 100_003), tanh, f64::tanh);
    }

    #[test]
    fn tanh_is_odd_and_saturates() {
        for x in evenly(0.0, 30.0, 1_003) {
            assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits());
            assert!(tanh(x) <= 1.0);
        }
        assert_eq!(tanh(f64::INFINITY), 1.0);
        assert_eq!(tanh(f64::NEG_INFINITY), -1.0);
        assert_eq!(tanh(-0.0).to_bits(), (-0.0_f64).to_bits());
        assert!(tanh(f64::NAN).is_nan());
    }
}
