//! Doubling and halving the sample rate.

use alloc::{vec, vec::Vec};
use core::f64::consts::PI;
use effect_common::convert::narrow;
use wavemill_effect::math;

/// Outputs that are summed side by side: four SIMD registers, so that none waits for its last addition.
const LANES: usize = 16;

/// A linear-phase half-band low-pass: every second tap but the middle one is zero, and its cutoff (-6.02 dB) is half the low rate.
///
/// Source: Mintzer, "On half-band, third-band, and Nth-band FIR filters and their design", IEEE Trans. ASSP 30(5), 1982;
/// window and its shape for a stop band: Kaiser & Schafer, "On the use of the I0-sinh window for spectrum analysis", IEEE Trans. ASSP 28(1), 1980.
#[derive(Debug)]
pub struct HalfBand {
    /// The taps that are not zero without the middle one, from one end to the other; they sum to 1/2.
    side: Vec<f32>,
    /// The same times 2, for doubling.
    doubled: Vec<f32>,
}

impl HalfBand {
    /// With `2 * half` taps beside the middle one, so `4 * half - 1` in all, and the window for a stop band of `stop_db`.
    pub fn new(half: usize, stop_db: f64) -> Self {
        let beta = 0.1102 * (stop_db - 8.7);
        let reach = (2 * half) as f64;
        let tap = |index: usize| {
            // Odd distances from the middle: -(2 half - 1), ..., -1, 1, ..., 2 half - 1.
            let distance = 2.0 * index as f64 - (reach - 1.0);
            let x = distance / reach;
            let window = bessel_i0(beta * math::sqrt(1.0 - x * x)) / bessel_i0(beta);
            math::sin(0.5 * PI * distance) / (PI * distance) * window
        };
        let taps: Vec<f64> = (0..2 * half).map(tap).collect();
        let sum: f64 = taps.iter().sum();
        Self {
            side: taps.iter().map(|tap| narrow(0.5 * tap / sum)).collect(),
            doubled: taps.iter().map(|tap| narrow(tap / sum)).collect(),
        }
    }

    fn half(&self) -> usize {
        self.side.len() / 2
    }

    /// Delay of doubling and halving together, in samples of the low rate.
    pub fn latency(&self) -> usize {
        2 * self.half() - 1
    }
}

/// Modified Bessel function of the first kind, order 0, by its power series; for arguments up to 20 the
/// 60th term is below the last digit.
fn bessel_i0(x: f64) -> f64 {
    let quarter = 0.25 * x * x;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..=60_u32 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// What doubling and halving remember of one channel.
#[derive(Debug)]
pub struct Stage {
    /// Input of the doubling: history, then what is new.
    low: Vec<f32>,
    /// Every second input of the halving, likewise.
    even: Vec<f32>,
    /// The others.
    odd: Vec<f32>,
    /// Sums of the filter.
    sums: Vec<f32>,
}

impl Stage {
    /// For at most `samples_max` samples of the low rate at a time.
    pub fn new(filter: &HalfBand, samples_max: usize) -> Self {
        let history = filter.side.len() - 1;
        Self {
            low: vec![0.0; history + samples_max],
            even: vec![0.0; history + samples_max],
            odd: vec![0.0; filter.half() + samples_max],
            sums: vec![0.0; samples_max],
        }
    }

    /// Doubles the rate: `high` is twice as long as `low`.
    pub fn double(&mut self, filter: &HalfBand, low: &[f32], high: &mut [f32]) {
        let (count, history) = (low.len(), filter.side.len() - 1);
        self.low[history..history + count].copy_from_slice(low);
        let sums = &mut self.sums[..count];
        convolve(&filter.doubled, &self.low, sums);
        // Of the zeros between the samples the middle tap meets the sample itself, half way through the filter.
        let middle = &self.low[filter.half()..][..count];
        for ((pair, sum), middle) in high.chunks_exact_mut(2).zip(sums).zip(middle) {
            pair[0] = *sum;
            pair[1] = *middle;
        }
        self.low.copy_within(count..count + history, 0);
    }

    /// Halves the rate: `high` is twice as long as `low`.
    pub fn halve(&mut self, filter: &HalfBand, high: &[f32], low: &mut [f32]) {
        let (count, history, half) = (low.len(), filter.side.len() - 1, filter.half());
        let even = &mut self.even[history..history + count];
        let odd = &mut self.odd[half..half + count];
        for ((pair, even), odd) in high.chunks_exact(2).zip(even).zip(odd) {
            *even = pair[0];
            *odd = pair[1];
        }
        convolve(&filter.side, &self.even, low);
        for (sample, middle) in low.iter_mut().zip(&self.odd) {
            *sample += 0.5 * middle;
        }
        self.even.copy_within(count..count + history, 0);
        self.odd.copy_within(count..count + half, 0);
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        for samples in [&mut self.low, &mut self.even, &mut self.odd] {
            samples.fill(0.0);
        }
    }
}

/// `outputs[i]` is the sum of `taps[j] * inputs[i + j]`, always added in the order of the taps.
fn convolve(taps: &[f32], inputs: &[f32], outputs: &mut [f32]) {
    let mut chunks = outputs.chunks_exact_mut(LANES);
    let mut at = 0;
    for chunk in chunks.by_ref() {
        let mut sums = [0.0_f32; LANES];
        for (tap, window) in taps.iter().zip(inputs[at..].windows(LANES)) {
            for (sum, input) in sums.iter_mut().zip(window) {
                *sum += tap * input;
            }
        }
        chunk.copy_from_slice(&sums);
        at += LANES;
    }
    for output in chunks.into_remainder() {
        *output = 0.0;
        for (tap, input) in taps.iter().zip(&inputs[at..]) {
            *output += tap * input;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain in dB at a frequency, as a part of the high rate.
    fn gain_db(filter: &HalfBand, frequency: f64) -> f64 {
        let reach = filter.side.len() as f64;
        let taps = filter.side.iter().enumerate();
        let response: f64 = taps
            .map(|(index, tap)| {
                let distance = 2.0 * index as f64 - (reach - 1.0);
                f64::from(*tap) * (2.0 * PI * frequency * distance).cos()
            })
            .sum();
        20.0 * (response + 0.5).abs().log2() / std::f64::consts::LOG2_10
    }

    #[test]
    fn first_filter_passes_to_0_449_of_the_low_rate_and_stops_from_0_551() {
        let (half, stop_db) = crate::oversampler::FILTERS[0];
        let filter = HalfBand::new(half, stop_db);
        for step in 0..=100 {
            let pass = 0.2245 * f64::from(step) / 100.0;
            assert!(gain_db(&filter, pass).abs() < 2e-4, "{pass}");
            assert!(gain_db(&filter, 0.5 - pass) < -97.5, "{}", gain_db(&filter, 0.5 - pass));
        }
    }

    #[test]
    fn later_filters_stop_what_folds_into_the_band_of_the_first() {
        for (stage, width) in [(1, 0.2245 / 2.0), (2, 0.2245 / 4.0)] {
            let (half, stop_db) = crate::oversampler::FILTERS[stage];
            let filter = HalfBand::new(half, stop_db);
            for step in 0..=100 {
                let pass = width * f64::from(step) / 100.0;
                assert!(gain_db(&filter, pass).abs() < 2e-4, "{pass}");
                assert!(gain_db(&filter, 0.5 - pass) < -97.5, "{}", gain_db(&filter, 0.5 - pass));
            }
        }
    }

    #[test]
    fn constant_stays_the_same_constant() {
        let filter = HalfBand::new(7, 100.0);
        let mut stage = Stage::new(&filter, 64);
        let mut high = [0.0; 128];
        let mut low = [0.0; 64];
        stage.double(&filter, &[0.5; 64], &mut high);
        stage.halve(&filter, &high, &mut low);
        assert!(low[40..].iter().all(|sample| (sample - 0.5).abs() < 1e-6), "{low:?}");
    }

    #[test]
    fn impulse_comes_back_after_the_latency() {
        let filter = HalfBand::new(7, 100.0);
        let mut stage = Stage::new(&filter, 64);
        let (mut input, mut high, mut low) = ([0.0; 64], [0.0; 128], [0.0; 64]);
        input[0] = 1.0;
        stage.double(&filter, &input, &mut high);
        stage.halve(&filter, &high, &mut low);
        let latency = filter.latency();
        assert_eq!(latency, 13);
        assert!(low.iter().all(|sample| *sample <= low[latency]));
        assert!((1..=13).all(|k| (low[latency - k] - low[latency + k]).abs() < 1e-7));
    }
}
