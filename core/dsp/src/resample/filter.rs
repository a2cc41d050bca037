//! Low-pass filters: the sinc function under a Kaiser window.

use std::f64::consts::PI;
use wavemill_audio::units::Decibels;

/// Found by evaluating responses: with it, filters of 110 to 185 dB keep their attenuation at their edges.
const LENGTHENING: f64 = 1.06;

/// What a low-pass lets through and what it stops; frequencies in cycles per sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LowPass {
    /// Up to here the signal is unchanged.
    pub(super) pass_edge: f64,
    /// From here on it is attenuated.
    pub(super) stop_edge: f64,
    /// By how much; the ripple of the pass band is as small.
    pub(super) attenuation: Decibels,
}

impl LowPass {
    /// Samples to each side of the middle.
    ///
    /// The formula was fitted to filters of up to 120 dB; [`LENGTHENING`] makes good what it lacks beyond.
    ///
    /// Source: Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd ed., eq. (7.76).
    pub(super) fn reach(&self) -> f64 {
        let width_rad = 2.0 * PI * (self.stop_edge - self.pass_edge);
        (self.attenuation.0 * LENGTHENING - 7.95) / (2.285 * width_rad) / 2.0
    }

    /// The filter that interpolates what this one left, at a rate `factor` times as high: it keeps that
    /// band and stops its first image.
    pub(super) fn beyond(&self, factor: f64) -> Self {
        let pass_edge = self.stop_edge / factor;
        Self { pass_edge, stop_edge: 1.0 - pass_edge, attenuation: self.attenuation }
    }

    /// The filter with `reach` samples to each side of the middle, ready to be evaluated.
    pub(super) fn kernel(&self, reach: f64) -> Kernel {
        let beta = kaiser_beta(self.attenuation);
        Kernel {
            cutoff: f64::midpoint(self.pass_edge, self.stop_edge),
            reach,
            beta,
            scale: 1.0 / bessel_i0(beta),
        }
    }
}

/// The impulse response of a [`LowPass`] as a function of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    cutoff: f64,
    reach: f64,
    beta: f64,
    scale: f64,
}

impl Kernel {
    /// Its value `time` samples from the middle; zero beyond its reach.
    pub(super) fn at(&self, time: f64) -> f64 {
        let place = time / self.reach;
        if place.abs() > 1.0 {
            return 0.0;
        }
        let window = bessel_i0(self.beta * (1.0 - place * place).sqrt()) * self.scale;
        2.0 * self.cutoff * sinc(2.0 * self.cutoff * time) * window
    }
}

/// The shape of a Kaiser window for an attenuation above 50 dB.
///
/// Source: Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd ed., eq. (7.75).
fn kaiser_beta(attenuation: Decibels) -> f64 {
    0.1102 * (attenuation.0 - 8.7)
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The modified Bessel function of the first kind and order zero, by its power series, whose terms
/// are all positive, so that nothing cancels.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, eq. (9.6.12).
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut order = 1.0;
    while term > sum * f64::EPSILON / 8.0 {
        term *= quarter / (order * order);
        sum += term;
        order += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_function_has_the_tabulated_values() {
        // Abramowitz and Stegun, table 9.8 and 9.11, times exp(x).
        for (x, value) in [(0.0, 1.0), (1.0, 1.2660658777520084), (5.0, 27.239871823604442)] {
            assert!((bessel_i0(x) / value - 1.0).abs() < 1e-14, "{x}");
        }
    }

    /// Amplitude of the response to a tone, summed sample by sample.
    fn response(kernel: &Kernel, reach: f64, frequency: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "some hundred samples")]
        let last = reach.floor() as i32;
        let term = |n: i32| {
            let time = f64::from(n);
            kernel.at(time) * (2.0 * PI * frequency * time).cos()
        };
        (-last..=last).map(term).sum()
    }

    #[test]
    fn filter_reaches_its_attenuation_and_keeps_its_pass_band() {
        for attenuation in [110.0, 145.0, 185.0] {
            let (pass_edge, stop_edge) = (0.2, 0.23);
            let filter = LowPass { pass_edge, stop_edge, attenuation: Decibels(attenuation) };
            let reach = filter.reach();
            let kernel = filter.kernel(reach);
            let tolerance = Decibels(1.0 - attenuation).to_amplitude();
            for step in 0..=200 {
                let place = f64::from(step) / 200.0;
                let passed = response(&kernel, reach, place * pass_edge);
                assert!((passed - 1.0).abs() < tolerance, "{attenuation} dB at {place}");
            }
            for step in 0..=200 {
                let frequency = stop_edge + f64::from(step) / 200.0 * (0.5 - stop_edge);
                let stopped = response(&kernel, reach, frequency);
                assert!(stopped.abs() < tolerance, "{attenuation} dB at {frequency}");
            }
        }
    }
}
