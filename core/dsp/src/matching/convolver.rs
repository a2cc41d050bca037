//! Convolution with a long filter, block by block.

use super::fir::Fir;
use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::fmt;
use std::sync::Arc;
use wavemill_audio::Block;
use wavemill_audio::units::Frames;

/// Overlap and save. It works in steps of half a transform, so that output lags behind input by one step besides
/// the filter's own latency; the steps lie at fixed places, so that the output does not depend on how the signal
/// was cut into blocks. What is not finite counts as silence. Real-time.
pub(crate) struct Convolver {
    forward: Arc<dyn RealToComplex<f64>>,
    backward: Arc<dyn ComplexToReal<f64>>,
    /// The filter's transform, with the scale of both transforms.
    response: Vec<Complex64>,
    lanes: Vec<Lane>,
    /// Frames of the current step.
    filled: usize,
    /// Frames of a step.
    step: usize,
    latency: usize,
    work: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

/// A channel.
struct Lane {
    /// The step before and the current one.
    input: Vec<f64>,
    /// What came of the step before.
    output: Vec<f32>,
}

impl fmt::Debug for Convolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Convolver").field("latency", &self.latency).finish_non_exhaustive()
    }
}

impl Convolver {
    /// A convolver with a filter for so many channels.
    pub(crate) fn new(fir: &Fir, channel_count: usize) -> Self {
        let step = fir.taps.len().next_power_of_two();
        let mut planner = RealFftPlanner::<f64>::new();
        let forward = planner.plan_fft_forward(2 * step);
        let backward = planner.plan_fft_inverse(2 * step);
        let mut work = forward.make_input_vec();
        let scale = 1.0 / (2 * step) as f64;
        work.iter_mut().zip(&fir.taps).for_each(|(place, tap)| *place = tap * scale);
        let mut response = forward.make_output_vec();
        let scratch_size = forward.get_scratch_len().max(backward.get_scratch_len());
        let mut scratch = vec![Complex64::default(); scratch_size];
        forward
            .process_with_scratch(&mut work, &mut response, &mut scratch)
            .expect("the buffers are the transform's own");
        let lane = || Lane { input: vec![0.0; 2 * step], output: vec![0.0; step] };
        Self {
            spectrum: forward.make_output_vec(),
            forward,
            backward,
            response,
            lanes: (0..channel_count).map(|_| lane()).collect(),
            filled: 0,
            step,
            latency: step + fir.latency,
            work,
            scratch,
        }
    }

    pub(crate) fn latency(&self) -> Frames {
        Frames(self.latency as u64)
    }

    pub(crate) fn reset(&mut self) {
        for lane in &mut self.lanes {
            lane.input.fill(0.0);
            lane.output.fill(0.0);
        }
        self.filled = 0;
    }

    pub(crate) fn process(&mut self, block: &mut Block) {
        let mut start = 0;
        while start < block.frame_count() {
            let count = (self.step - self.filled).min(block.frame_count() - start);
            for (lane, plane) in self.lanes.iter_mut().zip(block.planes_mut()) {
                let input = &mut lane.input[self.step + self.filled..][..count];
                let output = &lane.output[self.filled..][..count];
                let samples = &mut plane[start..start + count];
                for ((sample, input), output) in samples.iter_mut().zip(input).zip(output) {
                    *input = if sample.is_finite() { f64::from(*sample) } else { 0.0 };
                    *sample = *output;
                }
            }
            start += count;
            self.filled += count;
            if self.filled == self.step {
                self.convolve();
            }
        }
    }

    /// Filters the current step and begins the next one.
    fn convolve(&mut self) {
        for lane in &mut self.lanes {
            self.work.copy_from_slice(&lane.input);
            let scratch = &mut self.scratch[..];
            let spectrum = &mut self.spectrum;
            let _ = self.forward.process_with_scratch(&mut self.work, spectrum, scratch);
            for (bin, response) in spectrum.iter_mut().zip(&self.response) {
                *bin *= response;
            }
            // Rounding may leave these just beside the real axis, which the transform refuses.
            let last = spectrum.len() - 1;
            spectrum[0].im = 0.0;
            spectrum[last].im = 0.0;
            let _ = self.backward.process_with_scratch(spectrum, &mut self.work, scratch);
            for (output, sample) in lane.output.iter_mut().zip(&self.work[self.step..]) {
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let sample = *sample as f32;
                *output = sample;
            }
            lane.input.copy_within(self.step.., 0);
        }
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impulse_becomes_the_taps_behind_the_latency() {
        let fir = Fir { taps: vec![0.5, -0.25, 0.125], latency: 1 };
        let mut convolver = Convolver::new(&fir, 1);
        let mut samples = vec![0.0_f32; 20];
        samples[2] = 1.0;
        let mut block = Block::from_planes(&[samples]);
        convolver.process(&mut block);
        // A step is four frames, the second tap is the center.
        assert_eq!(convolver.latency(), Frames(5));
        let found = &block.plane(0)[6..9];
        for (found, expected) in found.iter().zip([0.5, -0.25, 0.125]) {
            assert!((found - expected).abs() < 1e-7, "{:?}", block.plane(0));
        }
    }

    #[test]
    fn what_is_not_finite_counts_as_silence() {
        let fir = Fir { taps: vec![1.0], latency: 0 };
        let mut convolver = Convolver::new(&fir, 1);
        let mut block = Block::from_planes(&[[f32::NAN, 0.5, f32::INFINITY, 0.0]]);
        convolver.process(&mut block);
        assert_eq!(block.plane(0), [0.0, 0.0, 0.5, 0.0]);
    }
}
