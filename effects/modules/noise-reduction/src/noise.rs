//! What the noise is, learned from the signal's quietest moments.

use alloc::{vec, vec::Vec};
use effect_common::convert::narrow;
use wavemill_effect::math;

/// How far back minima are looked for: longer than a spoken phrase without a pause, which must not be taken for noise.
const WINDOW_S: f64 = 1.5;

/// How long the smoothed power itself is the estimate: until its variance is known, minima cannot be corrected.
const FIRST_S: f64 = 0.15;

/// Parts of the window: a part that is too old leaves as a whole.
const PARTS: usize = 8;

/// Smoothing of the power by at most and at least this, eqs. (11) and (12).
const SMOOTHING_MAX: f32 = 0.96;
const SMOOTHING_MIN: f32 = 0.3;

/// Smoothing of the moments of the power by at most this, ch. IV.C.
const MOMENTS_SMOOTHING_MAX: f32 = 0.8;

/// Weight of the average variance in the correction of all bins, eq. (18).
const VARIANCE_WEIGHT: f64 = 2.12;

/// Bins that are calculated side by side.
pub const LANES: usize = 8;

/// Mean of the minimum of D powers, `D` and `M(D)`, from Table III.
const MEAN_OF_MINIMUM: [(f64, f64); 14] = [
    (1.0, 0.0),
    (2.0, 0.26),
    (5.0, 0.48),
    (8.0, 0.58),
    (10.0, 0.61),
    (15.0, 0.668),
    (20.0, 0.705),
    (30.0, 0.762),
    (40.0, 0.8),
    (60.0, 0.841),
    (80.0, 0.865),
    (120.0, 0.89),
    (140.0, 0.9),
    (160.0, 0.91),
];

/// Last correction of the estimate, 1.8 dB: pieces that overlap by three quarters are more alike than the paper's, which overlap by
/// half, and their minima lower. Measured with white noise; a test holds it.
const OVERLAP_CORRECTION: f64 = 1.5;

/// Smallest power divided by; the power of a spectrum at -100 dBFS is a million times larger.
const POWER_MIN: f32 = 1e-14;

/// The noise of one channel, bin by bin.
///
/// Source: Martin, "Noise Power Spectral Density Estimation Based on Optimal Smoothing and Minimum Statistics", IEEE Trans. Speech and Audio
/// Processing 9(5), 2001. Left out: the search for local minima that lets noise rise faster (ch. V.B); the average variance
/// of eq. (18) is that of the spectrum before.
#[derive(Debug)]
pub struct NoiseEstimate {
    /// Smoothed power.
    power: Vec<f32>,
    /// Its first and second moment.
    mean: Vec<f32>,
    mean_square: Vec<f32>,
    /// Minimum of this part of the window so far.
    minimum: Vec<f32>,
    /// Minima of the parts before.
    parts: Vec<f32>,
    /// The smallest of the parts before.
    past: Vec<f32>,
    /// The estimate.
    noise: Vec<f32>,
    /// Average of the normalized variance over all bins.
    variance: f64,
    correction: f32,
    /// Spectra of this part so far, and of all, which are counted as far as the first ones go.
    in_part: usize,
    seen: usize,
    first_spectra: usize,
    part: usize,
    part_spectra: usize,
}

impl NoiseEstimate {
    /// Allocates for spectra of `bins` bins, a multiple of [`LANES`], that come `spectra_per_s` times a second.
    pub fn new(bins: usize, spectra_per_s: f64) -> Self {
        let mut estimate = Self {
            power: vec![0.0; bins],
            mean: vec![0.0; bins],
            mean_square: vec![0.0; bins],
            minimum: vec![0.0; bins],
            parts: vec![0.0; bins * PARTS],
            past: vec![0.0; bins],
            noise: vec![0.0; bins],
            variance: 0.0,
            correction: 1.0,
            in_part: 0,
            seen: 0,
            first_spectra: spectra(FIRST_S, spectra_per_s),
            part: 0,
            part_spectra: spectra(WINDOW_S / PARTS as f64, spectra_per_s),
        };
        estimate.reset();
        estimate
    }

    /// Power of the noise in each bin.
    pub fn noise(&self) -> &[f32] {
        &self.noise
    }

    /// Learns from a spectrum with these powers.
    pub fn update(&mut self, powers: &[f32]) {
        if self.seen == 0 {
            self.power.copy_from_slice(powers);
            self.mean.copy_from_slice(powers);
            for (square, power) in self.mean_square.iter_mut().zip(powers) {
                *square = power * power;
            }
            self.noise.copy_from_slice(powers);
        }
        self.seen = (self.seen + 1).min(self.first_spectra);
        self.correct(powers);
        self.smooth(powers);
        if self.seen < self.first_spectra {
            self.noise.copy_from_slice(&self.power);
            self.minimum.fill(f32::MAX);
            return;
        }
        for ((noise, minimum), past) in self.noise.iter_mut().zip(&self.minimum).zip(&self.past) {
            *noise = if minimum < past { *minimum } else { *past };
        }
        self.in_part += 1;
        if self.in_part == self.part_spectra {
            self.end_part();
        }
    }

    /// The correction of the smoothing where the average power and the spectrum's differ, eqs. (9) and (10).
    fn correct(&mut self, powers: &[f32]) {
        let ratio = sum(&self.power) / (sum(powers) + f64::from(POWER_MIN)) - 1.0;
        let correction = narrow(1.0 / (1.0 + ratio * ratio));
        let correction = if correction > 0.7 { correction } else { 0.7 };
        self.correction = 0.7 * self.correction + 0.3 * correction;
    }

    /// Smooths every bin as fast as its distance from the noise asks, and looks for minima, corrected for being minima.
    fn smooth(&mut self, powers: &[f32]) {
        let mean_of_minimum = narrow(mean_of_minimum((PARTS * self.part_spectra) as f64));
        let reach = 2.0 * ((PARTS * self.part_spectra) as f32 - 1.0) * (1.0 - mean_of_minimum);
        let bias = OVERLAP_CORRECTION * (1.0 + VARIANCE_WEIGHT * math::sqrt(self.variance));
        let bias = narrow(bias);
        let law = Smoothing { most: SMOOTHING_MAX * self.correction, mean_of_minimum, reach, bias };
        let mut variances = [0.0; LANES];
        let states = lanes_mut(&mut self.power).iter_mut().zip(lanes_mut(&mut self.mean));
        let states = states.zip(lanes_mut(&mut self.mean_square));
        let minima = lanes_mut(&mut self.minimum).iter_mut().zip(lanes(&self.noise));
        for ((((power, mean), square), (minimum, noise)), now) in
            states.zip(minima).zip(lanes(powers))
        {
            let mut moments = [*power, *mean, *square];
            let lowest = law.smooth(&mut moments, noise, now, &mut variances);
            [*power, *mean, *square] = moments;
            for (minimum, candidate) in minimum.iter_mut().zip(lowest) {
                *minimum = if candidate < *minimum { candidate } else { *minimum };
            }
        }
        let sum: f32 = variances.iter().sum();
        self.variance = f64::from(sum) / powers.len() as f64;
    }

    /// A part of the window is over: the oldest one leaves.
    fn end_part(&mut self) {
        let bins = self.noise.len();
        self.parts[self.part * bins..][..bins].copy_from_slice(&self.minimum);
        self.part = (self.part + 1) % PARTS;
        self.in_part = 0;
        self.past.fill(f32::MAX);
        for part in self.parts.chunks_exact(bins) {
            for (past, minimum) in self.past.iter_mut().zip(part) {
                *past = if minimum < past { *minimum } else { *past };
            }
        }
        self.minimum.fill(f32::MAX);
    }

    /// Forgets the noise.
    pub fn reset(&mut self) {
        for values in [&mut self.power, &mut self.mean, &mut self.mean_square, &mut self.noise] {
            values.fill(0.0);
        }
        for values in [&mut self.minimum, &mut self.parts, &mut self.past] {
            values.fill(f32::MAX);
        }
        (self.variance, self.correction) = (0.0, 1.0);
        (self.in_part, self.seen, self.part) = (0, 0, 0);
    }
}

/// What the smoothing of one spectrum needs.
struct Smoothing {
    most: f32,
    mean_of_minimum: f32,
    reach: f32,
    bias: f32,
}

impl Smoothing {
    /// Smooths power and moments of some bins and returns what may be their minima; adds up their variances.
    ///
    /// In arrays of its own: so a compiler sees that nothing overlaps and takes SIMD.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
    fn smooth(
        &self,
        [power, mean, square]: &mut [[f32; LANES]; 3],
        noise: &[f32; LANES],
        now: &[f32; LANES],
        variances: &mut [f32; LANES],
    ) -> [f32; LANES] {
        let mut lowest = [0.0; LANES];
        for lane in 0..LANES {
            let noise = noise[lane] + POWER_MIN;
            let distance = power[lane] / noise - 1.0;
            let smoothing = self.most / (1.0 + distance * distance);
            let smoothing = if smoothing > SMOOTHING_MIN { smoothing } else { SMOOTHING_MIN };
            power[lane] = smoothing * power[lane] + (1.0 - smoothing) * now[lane];
            let slow = smoothing * smoothing;
            let slow = if slow < MOMENTS_SMOOTHING_MAX { slow } else { MOMENTS_SMOOTHING_MAX };
            mean[lane] = slow * mean[lane] + (1.0 - slow) * power[lane];
            square[lane] = slow * square[lane] + (1.0 - slow) * power[lane] * power[lane];
            let variance = (square[lane] - mean[lane] * mean[lane]) / (2.0 * noise * noise);
            let variance = if variance > 0.0 { variance } else { 0.0 };
            let variance = if variance < 0.5 { variance } else { 0.5 };
            variances[lane] += variance;
            // B_min of eq. (17) with the equivalent degrees of freedom of eq. (16) put in.
            let raised =
                1.0 + self.reach * variance / (1.0 - 2.0 * self.mean_of_minimum * variance);
            lowest[lane] = power[lane] * raised * self.bias;
        }
        lowest
    }
}

/// The sum, in as many chains as there are lanes.
fn sum(values: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    for lanes in lanes(values) {
        for (sum, value) in sums.iter_mut().zip(lanes) {
            *sum += f64::from(*value);
        }
    }
    sums.iter().sum()
}

fn lanes(values: &[f32]) -> &[[f32; LANES]] {
    values.as_chunks().0
}

fn lanes_mut(values: &mut [f32]) -> &mut [[f32; LANES]] {
    values.as_chunks_mut().0
}

/// Whole number of spectra in a time, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few hundred at most"
)]
fn spectra(time_s: f64, spectra_per_s: f64) -> usize {
    (time_s * spectra_per_s).clamp(1.0, 1e6) as usize
}

/// `M(D)`, between the lines of the table by straight lines.
fn mean_of_minimum(count: f64) -> f64 {
    let mut last = MEAN_OF_MINIMUM[0];
    for line in MEAN_OF_MINIMUM {
        if count < line.0 {
            return last.1 + (line.1 - last.1) * (count - last.0) / (line.0 - last.0);
        }
        last = line;
    }
    last.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fft::{RealFft, Spectrum};
    use wavemill_effect::testing::noise;

    const SIZE: usize = 512;

    /// Without the last one: a whole number of lanes.
    const BINS: usize = SIZE / 2;

    /// Powers of a spectrum of windowed noise, a quarter of a piece apart, as the effect makes them.
    fn spectra_of_noise(count: usize) -> Vec<Vec<f32>> {
        let signal = noise(1, SIZE / 4 * count + SIZE, 0.01).remove(0);
        let fft = RealFft::new(SIZE);
        let mut spectrum = Spectrum::new(SIZE);
        let piece = |index: usize| {
            let window =
                |n: usize| narrow(math::sin(core::f64::consts::PI * n as f64 / SIZE as f64));
            let from = &signal[SIZE / 4 * index..];
            let piece: Vec<f32> = (0..SIZE).map(|n| from[n] * window(n)).collect();
            fft.forward(&piece, &mut spectrum);
            let bins = spectrum.re.iter().zip(&spectrum.im);
            bins.take(BINS).map(|(re, im)| re * re + im * im).collect()
        };
        (0..count).map(piece).collect()
    }

    #[test]
    fn estimate_of_white_noise_is_its_power_within_a_decibel_and_a_half_from_the_first_third_of_a_second()
     {
        let spectra = spectra_of_noise(600);
        let truth = spectra.iter().map(|powers| sum(powers)).sum::<f64>() / 600.0;
        let mut estimate = NoiseEstimate::new(BINS, 94.0);
        for (index, powers) in spectra.iter().enumerate() {
            estimate.update(powers);
            let error_db =
                10.0 * (sum(estimate.noise()) / truth).log2() / std::f64::consts::LOG2_10;
            assert!(index < 30 || error_db.abs() < 1.5, "{error_db} after {index}");
        }
    }

    #[test]
    fn mean_of_minimum_is_that_of_the_table_and_between() {
        assert_eq!(mean_of_minimum(1.0), 0.0);
        assert_eq!(mean_of_minimum(20.0), 0.705);
        assert!((mean_of_minimum(25.0) - 0.7335).abs() < 1e-12);
        assert_eq!(mean_of_minimum(1_000.0), 0.91);
    }
}
