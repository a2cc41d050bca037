//! Sine, cosine, tangent.

use super::double::sum;
use super::{ROUNDER, polynomial};

/// pi / 2 as a sum of three numbers. The first two have 33 bits, so that their products with counts
/// below 2^20 are exact; the third is rounded at 2^-122.
const QUARTER: (f64, f64, f64) = (
    f64::from_bits(0x3ff921fb_54400000),
    f64::from_bits(0x3dd0b461_1a600000),
    f64::from_bits(0x3ba3198a_2e037073),
);

/// Largest angle, in radians, that is reduced exactly: its count of quarter turns is below 2^20.
const EXACT_MAX: f64 = (1_u32 << 20) as f64;

/// (sin(r) / r - 1) / r^2 in powers of r^2. For |r| <= pi / 4 the first missing term is below
/// 9e-20.
const SINE: [f64; 8] = [
    -1.0 / 6.0,
    1.0 / 120.0,
    -1.0 / 5_040.0,
    1.0 / 362_880.0,
    -1.0 / 39_916_800.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 1_307_674_368_000.0,
    1.0 / 355_687_428_096_000.0,
];

/// (cos(r) - 1 + r^2 / 2) / r^4 in powers of r^2. For |r| <= pi / 4 the first missing term is below
/// 3e-18.
const COSINE: [f64; 7] = [
    1.0 / 24.0,
    -1.0 / 720.0,
    1.0 / 40_320.0,
    -1.0 / 3_628_800.0,
    1.0 / 479_001_600.0,
    -1.0 / 87_178_291_200.0,
    1.0 / 20_922_789_888_000.0,
];

/// An angle as a whole number of quarter turns, of which two bits are kept, and a rest of at most
/// an eighth of a turn, as a sum of two numbers.
struct ReducedAngle {
    quarters: u64,
    rest: f64,
    rest_low: f64,
}

impl ReducedAngle {
    #[inline]
    fn of(x: f64) -> Self {
        let x = if x.abs() > EXACT_MAX { x % core::f64::consts::TAU } else { x };
        let rounded = x * core::f64::consts::FRAC_2_PI + ROUNDER;
        let count = rounded - ROUNDER;
        let (rest, low) = sum(x - count * QUARTER.0, -(count * QUARTER.1));
        let (rest, lower) = sum(rest, -(count * QUARTER.2));
        Self { quarters: rounded.to_bits() & 3, rest, rest_low: low + lower }
    }

    /// Sine of the rest.
    #[inline]
    fn sine(&self) -> f64 {
        let square = self.rest * self.rest;
        let terms = self.rest * square * polynomial(square, &SINE);
        // The low part enters with the slope of the sine, the cosine.
        self.rest + (terms + self.rest_low * (1.0 - 0.5 * square))
    }

    /// Cosine of the rest.
    #[inline]
    fn cosine(&self) -> f64 {
        let square = self.rest * self.rest;
        let terms = square * square * polynomial(square, &COSINE);
        1.0 - (0.5 * square - (terms - self.rest * self.rest_low))
    }
}

/// Sine of an angle in radians.
///
/// NaN for infinite angles. Relative error at most 1e-14 (measured: 3e-16) for angles within 2^20 =
/// 1,048,576 either way, also beside the zeros: reduced by quarter turns in three parts, then a
/// power series. Further out the angle is first reduced by the number nearest to 2 pi, which moves
/// it by a fifth of the distance to its neighbors.
#[inline]
pub fn sin(x: f64) -> f64 {
    sin_cos(x).0
}

/// Cosine of an angle in radians; as [`sin`].
#[inline]
pub fn cos(x: f64) -> f64 {
    sin_cos(x).1
}

/// Sine and cosine of an angle in radians; as [`sin`], for the price of one reduction.
#[inline]
pub fn sin_cos(x: f64) -> (f64, f64) {
    let reduced = ReducedAngle::of(x);
    let (sine, cosine) = (reduced.sine(), reduced.cosine());
    let (sine, cosine) = if reduced.quarters & 1 == 0 { (sine, cosine) } else { (cosine, -sine) };
    if reduced.quarters & 2 == 0 { (sine, cosine) } else { (-sine, -cosine) }
}

/// Tangent of an angle in radians; as [`sin`] (measured: 6e-16).
#[inline]
pub fn tan(x: f64) -> f64 {
    let reduced = ReducedAngle::of(x);
    let (sine, cosine) = (reduced.sine(), reduced.cosine());
    if reduced.quarters & 1 == 0 { sine / cosine } else { -cosine / sine }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{agree, by_octaves, evenly};
    use super::*;

    fn angles() -> impl Iterator<Item = f64> {
        evenly(-7.0, 7.0, 1_000_003)
            .chain(evenly(-EXACT_MAX, EXACT_MAX, 1_000_003))
            .chain(by_octaves(1e-300, 1e6, 100_003))
    }

    /// The numbers nearest to multiples of a quarter turn, where almost all digits cancel.
    fn crossings() -> impl Iterator<Item = f64> {
        let all = (1..600_000_u32).step_by(7);
        all.map(|count| f64::from(count) * core::f64::consts::FRAC_PI_2).filter(|x| *x < EXACT_MAX)
    }

    #[test]
    fn sine_and_cosine_agree_with_std() {
        agree(angles(), sin, f64::sin);
        agree(angles(), cos, f64::cos);
    }

    #[test]
    fn sine_and_cosine_beside_their_zeros_agree_with_std() {
        agree(crossings(), sin, f64::sin);
        agree(crossings(), cos, f64::cos);
    }

    #[test]
    fn tangent_agrees_with_std() {
        agree(angles(), tan, f64::tan);
        agree(crossings(), tan, f64::tan);
    }

    #[test]
    fn sine_of_a_huge_angle_stays_near_the_true_one_and_within_one() {
        for x in by_octaves(EXACT_MAX, 1e15, 100_003) {
            // The angle's own rounding is an error of x * 2^-53 in phase.
            assert!((sin(x) - x.sin()).abs() <= x * f64::EPSILON / 2.0, "{x:e}");
        }
        for x in by_octaves(1e15, f64::MAX, 10_003) {
            assert!(sin(x).abs() <= 1.0 && cos(x).abs() <= 1.0, "{x:e}");
        }
    }

    #[test]
    fn sine_and_cosine_of_no_angle_are_nan() {
        for x in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(sin(x).is_nan() && cos(x).is_nan() && tan(x).is_nan());
        }
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
        assert_eq!(tan(0.0), 0.0);
    }
}
