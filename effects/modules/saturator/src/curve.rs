//! The curves.

use effect_common::{convert::narrow, fast};
use wavemill_effect::math;

/// Least slope at the curve's foot: with no drive the curve is used so close to zero that it is straight
/// (the third harmonic lies 230 dB down, that of the tube's second 110 dB).
const STEEPNESS_MIN: f64 = 1e-5;

/// How far the tube's curve leans to one side.
const LEAN: f32 = 0.25;

/// A curve through (0, 0) with slope 1 there that levels off at 1 and -1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// The hyperbolic tangent: odd harmonics that fall off fast. Tape, transistors driven gently.
    Tanh,
    /// `z / sqrt(1 + z^2)`: the bend is longer and softer.
    Soft,
    /// `tanh(z - z^2 / (4 (1 + z^2)))`: bends one way first, as a triode does, so that the second harmonic
    /// comes first and grows with the level. A shape, not a model of a circuit.
    Tube,
}

impl Curve {
    /// From the value of the parameter.
    pub fn of_param(value: f64) -> Self {
        match value {
            ..0.5 => Self::Tanh,
            0.5..1.5 => Self::Soft,
            _ => Self::Tube,
        }
    }

    /// The curve at `z`.
    pub fn value(self, z: f32) -> f32 {
        match self {
            Self::Tanh => fast::tanh(z),
            Self::Soft => soft(z),
            Self::Tube => fast::tanh(leaned(z)),
        }
    }

    /// How steep the foot of the curve must be, so that with full scale kept at full scale quiet signals get louder by
    /// `drive_db`: the solution `k` of `k / curve(k) = gain`. For the tube, of its even twin.
    pub fn steepness(self, drive_db: f64) -> f64 {
        let gain = math::db_to_amplitude(drive_db);
        let square = gain * gain - 1.0;
        if square <= 0.0 {
            return STEEPNESS_MIN;
        }
        let k = match self {
            Self::Soft => math::sqrt(square),
            Self::Tanh | Self::Tube => {
                // Newton's method from above, where k - gain * tanh(k) is convex.
                let mut k = math::sqrt(1.5 * square);
                for _ in 0..8 {
                    let t = math::tanh(k);
                    k -= (k - gain * t) / (1.0 - gain * (1.0 - t * t));
                }
                k
            }
        };
        if k > STEEPNESS_MIN { k } else { STEEPNESS_MIN }
    }

    /// What full scale comes out as; for the tube, on the even twin of its curve.
    pub fn full_scale(self, steepness: f64) -> f64 {
        match self {
            Self::Soft => steepness / math::sqrt(1.0 + steepness * steepness),
            Self::Tanh | Self::Tube => math::tanh(steepness),
        }
    }

    /// Shapes samples at the high rate, in place; `at` gives the numbers for each of them.
    pub fn shape(self, samples: &mut [f32], at: impl Fn(usize) -> Point) {
        for (index, sample) in samples.iter_mut().enumerate() {
            let point = at(index);
            *sample = point.steepness * *sample + point.offset;
        }
        match self {
            Self::Tanh => each(samples, fast::tanh),
            Self::Soft => each(samples, soft),
            Self::Tube => {
                // In two loops: together they are too much for a compiler to make SIMD of.
                each(samples, leaned);
                each(samples, fast::tanh);
            }
        }
        for (index, sample) in samples.iter_mut().enumerate() {
            let point = at(index);
            *sample = (*sample - point.rest) / point.full_scale;
        }
    }
}

/// Where on the curve a sample lies and what becomes of it: `(curve(steepness * x + offset) - rest) / full_scale`.
///
/// A divisor, because that and the steepness begin at almost zero together: what lies between two points is then between their results as well.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Factor before the curve.
    pub steepness: f32,
    /// What the bias adds before the curve.
    pub offset: f32,
    /// What the bias alone would come out as.
    pub rest: f32,
    /// Divisor after the curve: full scale stays full scale.
    pub full_scale: f32,
}

impl Point {
    /// For a drive and a bias in full scales.
    pub fn new(curve: Curve, drive_db: f64, bias: f64) -> Self {
        let steepness = curve.steepness(drive_db);
        let offset = narrow(steepness * bias);
        Self {
            steepness: narrow(steepness),
            offset,
            rest: curve.value(offset),
            full_scale: narrow(curve.full_scale(steepness)),
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
fn each(samples: &mut [f32], curve: impl Fn(f32) -> f32) {
    for sample in samples {
        *sample = curve(*sample);
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
fn soft(z: f32) -> f32 {
    let z = limited(z);
    z * fast::recip_sqrt(1.0 + z * z)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
fn leaned(z: f32) -> f32 {
    let z = limited(z);
    let square = z * z;
    z - LEAN * square / (1.0 + square)
}

/// Beyond 1e5 every curve is 1 to the last bit, and squares could overflow.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
fn limited(z: f32) -> f32 {
    let z = if z < 1e5 { z } else { 1e5 };
    if z > -1e5 { z } else { -1e5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_have_slope_1_at_zero_and_level_off_at_1() {
        for curve in [Curve::Tanh, Curve::Soft, Curve::Tube] {
            assert!((curve.value(1e-4) / 1e-4 - 1.0).abs() < 1e-4);
            assert!((curve.value(1e9) - 1.0).abs() < 1e-6);
            assert!((curve.value(-1e9) + 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn curves_rise_everywhere() {
        for curve in [Curve::Tanh, Curve::Soft, Curve::Tube] {
            let values: Vec<f32> =
                (-400_i16..=400).map(|k| curve.value(f32::from(k) * 0.01)).collect();
            assert!(values.windows(2).all(|pair| pair[1] > pair[0]), "{curve:?}");
        }
    }

    #[test]
    fn steepness_makes_quiet_signals_louder_by_the_drive_and_keeps_full_scale() {
        for curve in [Curve::Tanh, Curve::Soft] {
            for drive_db in [0.01, 1.0, 6.0, 12.0, 36.0] {
                let k = curve.steepness(drive_db);
                let gain = 10.0_f64.powf(drive_db / 20.0);
                assert!((k / curve.full_scale(k) / gain - 1.0).abs() < 1e-9, "{drive_db} {k}");
                let point = Point::new(curve, drive_db, 0.0);
                let full = curve.value(point.steepness) / point.full_scale;
                assert!((full - 1.0).abs() < 2e-6, "{full}");
            }
        }
    }
}
