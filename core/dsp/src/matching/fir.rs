//! A filter with finitely many taps from a curve.

use super::design::Phase;
use super::grid::{self, OnGrid};
use realfft::num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::FftPlanner;
use std::f64::consts::TAU;
use std::sync::Arc;
use wavemill_audio::units::{Decibels, SampleRate};

/// How much larger than the filter's response the transforms of minimum phase are: what a cepstrum wraps around
/// its end is below -120 dB then.
const CEPSTRUM_FACTOR: usize = 4;

/// A filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fir {
    pub(crate) taps: Vec<f64>,
    /// Frames by which its output lags behind.
    pub(crate) latency: usize,
}

/// Makes filters of less than half as many taps as a transform has samples.
pub(super) struct FirDesigner {
    rate: SampleRate,
    size: usize,
    phase: Phase,
    forward: Arc<dyn RealToComplex<f64>>,
}

impl FirDesigner {
    pub(super) fn new(rate: SampleRate, size: usize, phase: Phase) -> Self {
        Self { rate, size, phase, forward: RealFftPlanner::<f64>::new().plan_fft_forward(size) }
    }

    /// The filter whose gain is `curve`, dB.
    pub(super) fn design(&self, curve: &OnGrid<f64>) -> Fir {
        match self.phase {
            Phase::Linear => self.linear(curve),
            Phase::Minimum => self.minimum(curve),
        }
    }

    /// Power of a filter's response by frequency.
    pub(super) fn response(&self, fir: &Fir) -> Vec<f64> {
        let mut input = self.forward.make_input_vec();
        input[..fir.taps.len()].copy_from_slice(&fir.taps);
        let mut output = self.forward.make_output_vec();
        self.forward.process(&mut input, &mut output).expect("the buffers are the transform's own");
        output.iter().map(Complex64::norm_sqr).collect()
    }

    /// Gains of the curve, dB, at the frequencies of a transform of `size`, negative ones included.
    fn gains(&self, curve: &OnGrid<f64>, size: usize) -> impl Iterator<Item = Decibels> {
        let bin_hz = f64::from(self.rate.0) / size as f64;
        (0..size)
            .map(move |bin| Decibels(grid::interpolate(curve, bin.min(size - bin) as f64 * bin_hz)))
    }

    /// Symmetric taps: a transform back, under a Hann window.
    fn linear(&self, curve: &OnGrid<f64>) -> Fir {
        let mut spectrum: Vec<Complex64> =
            self.gains(curve, self.size).map(|gain| gain.to_amplitude().into()).collect();
        FftPlanner::new().plan_fft_inverse(self.size).process(&mut spectrum);
        let latency = self.size / 4 - 1;
        let count = 2 * latency + 1;
        let tap = |index: usize| {
            let window = 0.5 - 0.5 * (TAU * (index + 1) as f64 / (count + 1) as f64).cos();
            let place = (index + self.size - latency) % self.size;
            window * spectrum[place].re / self.size as f64
        };
        Fir { taps: (0..count).map(tap).collect(), latency }
    }

    /// Taps with the least delay of their energy: the cepstrum of the gains, folded.
    ///
    /// Source: A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, 3rd edition, 13.6.
    fn minimum(&self, curve: &OnGrid<f64>) -> Fir {
        let size = self.size * CEPSTRUM_FACTOR;
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(size);
        let inverse = planner.plan_fft_inverse(size);
        let mut work: Vec<Complex64> =
            self.gains(curve, size).map(|gain| gain.to_amplitude().ln().into()).collect();
        inverse.process(&mut work);
        for (index, value) in work.iter_mut().enumerate() {
            let factor = match index {
                0 => 1.0,
                index if index < size / 2 => 2.0,
                index if index == size / 2 => 1.0,
                _ => 0.0,
            };
            *value *= factor / size as f64;
        }
        forward.process(&mut work);
        for value in &mut work {
            *value = value.exp();
        }
        inverse.process(&mut work);
        let count = self.size / 2 - 1;
        let tap = |index: usize| {
            // The second half fades out.
            let place = (2.0 * index as f64 / count as f64 - 1.0).max(0.0);
            let window = 0.5 + 0.5 * (TAU / 2.0 * place).cos();
            window * work[index].re / size as f64
        };
        Fir { taps: (0..count).map(tap).collect(), latency: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn designer(phase: Phase) -> FirDesigner {
        FirDesigner::new(SampleRate(48_000), 16_384, phase)
    }

    fn slope() -> OnGrid<f64> {
        std::array::from_fn(|point| (6.0 - point as f64 / 10.0).clamp(-6.0, 6.0))
    }

    #[test]
    fn filters_of_both_phases_have_the_gain_of_the_curve() {
        for phase in [Phase::Linear, Phase::Minimum] {
            let designer = designer(phase);
            let response = designer.response(&designer.design(&slope()));
            for hertz in [100.0, 440.0, 1000.0, 5000.0, 12_000.0] {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "small"
                )]
                let bin = (hertz * 16_384.0 / 48_000.0_f64).round() as usize;
                let gain = Decibels::from_power(response[bin]).unwrap().0;
                let expected = grid::interpolate(&slope(), bin as f64 * 48_000.0 / 16_384.0);
                assert!((gain - expected).abs() < 0.02, "{phase:?} {hertz}: {gain} {expected}");
            }
        }
    }

    #[test]
    fn linear_phase_is_symmetric_and_late_and_minimum_phase_neither() {
        let linear = designer(Phase::Linear).design(&slope());
        let last = linear.taps.len() - 1;
        for index in 0..=last {
            assert!((linear.taps[index] - linear.taps[last - index]).abs() < 1e-12);
        }
        assert_eq!(linear.latency, 4095);
        let minimum = designer(Phase::Minimum).design(&slope());
        let energy = |taps: &[f64]| taps.iter().map(|tap| tap * tap).sum::<f64>();
        assert!(energy(&minimum.taps[..64]) > 0.97 * energy(&minimum.taps));
        assert_eq!(minimum.latency, 0);
    }
}
