//! Error feedback: the noise of rounding moves to where hearing is worst.
//!
//! Every error is remembered and added, filtered, to the samples that follow: the noise of the whole is
//! the error through `1 + a1 z^-1 + a2 z^-2 + ..`. With triangular dither the error is white and neither
//! its mean nor its variance depends on the signal, so the noise is what the filter makes of white noise
//! whatever is playing.
//!
//! Sources: S. Lipshitz, J. Vanderkooy, R. Wannamaker, "Minimally Audible Noise Shaping", J. Audio Eng.
//! Soc. 39(11), 1991; M. Gerzon, P. Craven, "Optimal Noise Shaping and Dither of Digital Signals", AES
//! preprint 2822, 1989: the average of the curve in dB over frequency is zero, so that what is won in
//! one place is paid for in another.

use super::quantize::clamp_or_zero;
use wavemill_audio::units::SampleRate;

/// Coefficients of a curve after the leading one. More follow the threshold more closely and win little:
/// 16 lower the weighted noise by another 0.1 dB.
const ORDER: usize = 9;

/// Largest error that rounding with triangular dither makes, in LSB: 1 of the dither and 1/2 of the
/// rounding. What exceeds it comes from full scale or from a NaN, and is not fed back: the noise stays
/// as it is and ends with the overload.
const ERROR_MAX: f64 = 1.5;

/// The curves. Of all filters of this order each lets the least noise through when it is weighted by
/// the inverse of the threshold in quiet, taken as no higher than 25 dB SPL: this bound keeps the
/// unweighted noise below 2.5 times the amplitude it has without shaping. They are the predictors of a
/// signal with that weight as its spectrum; a test computes them anew.
///
/// Source of the threshold: E. Terhardt, "Calculating virtual pitch", Hearing Research 1, 1979:
/// `3.64 f^-0.8 - 6.5 exp(-0.6 (f - 3.3)^2) + 0.001 f^4` dB SPL, `f` in kHz.
#[rustfmt::skip]
const CURVES: &[(SampleRate, [f64; ORDER])] = &[
    (SampleRate(44_100), [
        -1.721928, 1.310744, -0.120065, -0.463884, 0.303754, 0.187956, -0.207728, 0.067658, 0.043921,
    ]),
    (SampleRate(48_000), [
        -1.696082, 1.080585, 0.164877, -0.479989, 0.04585, 0.311133, -0.050357, -0.144559, 0.12417,
    ]),
    (SampleRate(88_200), [
        -1.206436, -0.148628, 0.316526, 0.308023, 0.074155, -0.136373, -0.177705, -0.041985, 0.177755,
    ]),
    (SampleRate(96_000), [
        -1.147485, -0.218024, 0.250154, 0.312032, 0.132658, -0.087111, -0.186031, -0.091184, 0.174262,
    ]),
    (SampleRate(176_400), [
        -0.691437, -0.392454, -0.153043, 0.016138, 0.111837, 0.138167, 0.105806, 0.030549, -0.068626,
    ]),
    (SampleRate(192_000), [
        -0.639561, -0.384993, -0.175413, -0.019835, 0.07755, 0.117542, 0.105649, 0.0514, -0.032661,
    ]),
];

/// The spectrum of shaped noise at one sample rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseShape {
    /// Index into [`CURVES`].
    curve: usize,
}

impl NoiseShape {
    /// The curve for a sample rate; `None` where there is none.
    pub fn at(rate: SampleRate) -> Option<Self> {
        CURVES.iter().position(|(known, _)| *known == rate).map(|curve| Self { curve })
    }

    /// The sample rates that have a curve, in ascending order.
    pub fn rates() -> impl Iterator<Item = SampleRate> {
        CURVES.iter().map(|(rate, _)| *rate)
    }

    /// `a1, a2, ..` of the filter `1 + a1 z^-1 + a2 z^-2 + ..` through which white noise of the
    /// variance 1/4 LSB^2 is what the stored signal contains.
    pub fn coefficients(self) -> &'static [f64] {
        &CURVES[self.curve].1
    }
}

/// The error feedback of one channel.
#[derive(Clone, Debug)]
pub(super) struct Shaper {
    coefficients: &'static [f64; ORDER],
    /// What the errors so far add to the samples to come, the next first, in LSB.
    owed: [f64; ORDER],
}

impl Shaper {
    pub(super) fn new(shape: NoiseShape) -> Self {
        Self { coefficients: &CURVES[shape.curve].1, owed: [0.0; ORDER] }
    }

    /// `value` with what earlier errors add to it.
    #[inline]
    pub(super) fn shaped(&self, value: f64) -> f64 {
        value + self.owed[0]
    }

    /// Forgets the errors so far.
    pub(super) fn forget(&mut self) {
        self.owed = [0.0; ORDER];
    }

    /// Takes note that `stored` was stored in place of `shaped`.
    #[inline]
    pub(super) fn remember(&mut self, shaped: f64, stored: f64) {
        let error = clamp_or_zero(stored - shaped, -ERROR_MAX, ERROR_MAX);
        for tap in 0..ORDER {
            let later = self.owed.get(tap + 1).copied().unwrap_or_default();
            self.owed[tap] = later + self.coefficients[tap] * error;
        }
    }
}
