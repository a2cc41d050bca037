//! The Fourier transform of real samples.

use alloc::{vec, vec::Vec};
use core::f64::consts::PI;
use effect_common::convert::narrow;
use wavemill_effect::math;

/// Factors of unit length, real and imaginary parts apart.
#[derive(Debug, Default)]
struct Factors {
    re: Vec<f32>,
    im: Vec<f32>,
}

impl Factors {
    /// `e^(-2 pi i k / period)` for `k` in `0..count`.
    fn new(count: usize, period: usize) -> Self {
        let mut factors = Self::default();
        for k in 0..count {
            let (sin, cos) = math::sin_cos(2.0 * PI * k as f64 / period as f64);
            factors.re.push(narrow(cos));
            factors.im.push(narrow(-sin));
        }
        factors
    }
}

/// The bins of a real signal of `size` samples: 0 (constant) to `size / 2` (half the rate), real and imaginary parts apart.
#[derive(Debug)]
pub struct Spectrum {
    /// Real parts.
    pub re: Vec<f32>,
    /// Imaginary parts.
    pub im: Vec<f32>,
}

impl Spectrum {
    /// Zeros for a transform of `size` samples.
    pub fn new(size: usize) -> Self {
        Self { re: vec![0.0; size / 2 + 1], im: vec![0.0; size / 2 + 1] }
    }
}

/// A transform of a fixed size, a power of two from 16 on.
///
/// Radix 2, decimation in time, of the samples taken in pairs as complex numbers, then taken apart by symmetry. Source:
/// Cooley & Tukey, "An algorithm for the machine calculation of complex Fourier series", Math. Comp. 19, 1965; for real
/// samples: Press et al., "Numerical Recipes", 3rd ed., 2007, ch. 12.3.
#[derive(Debug)]
pub struct RealFft {
    /// Where each pair of samples goes first: its index with the bits reversed.
    order: Vec<u32>,
    /// Factors of the passes with butterflies over 4, 8, 16... values.
    passes: Vec<Factors>,
    /// Factors that take the two halves apart.
    split: Factors,
}

impl RealFft {
    /// Allocates for transforms of `size` samples.
    pub fn new(size: usize) -> Self {
        let half = size / 2;
        let bits = half.ilog2();
        let reversed = |index: usize| {
            let index = u32::try_from(index).unwrap_or(0);
            index.reverse_bits() >> (u32::BITS - bits)
        };
        let reaches = (2..bits).map(|pass| 1_usize << pass);
        Self {
            order: (0..half).map(reversed).collect(),
            passes: reaches.map(|reach| Factors::new(reach, 2 * reach)).collect(),
            split: Factors::new(half / 2 + 1, size),
        }
    }

    /// The bins of `samples`.
    pub fn forward(&self, samples: &[f32], spectrum: &mut Spectrum) {
        let half = self.order.len();
        let (re, im) = (&mut spectrum.re[..half], &mut spectrum.im[..half]);
        for ((re, im), from) in re.iter_mut().zip(&mut *im).zip(&self.order) {
            let from = 2 * *from as usize;
            *re = samples[from];
            *im = samples[from + 1];
        }
        self.transform(re, im);
        self.take_apart(spectrum);
    }

    /// The samples of these bins, which are used up. Forward and back multiplies by `size / 2`.
    pub fn inverse(&self, spectrum: &mut Spectrum, work: &mut Spectrum, samples: &mut [f32]) {
        let half = self.order.len();
        self.put_together(spectrum);
        // Exchanging real and imaginary parts before and after turns the transform around.
        let (re, im) = (&mut work.re[..half], &mut work.im[..half]);
        for ((re, im), from) in re.iter_mut().zip(&mut *im).zip(&self.order) {
            *re = spectrum.im[*from as usize];
            *im = spectrum.re[*from as usize];
        }
        self.transform(re, im);
        for ((pair, odd), even) in samples.chunks_exact_mut(2).zip(re).zip(im) {
            pair[0] = *even;
            pair[1] = *odd;
        }
    }

    /// The complex transform of values that are in reversed order.
    fn transform(&self, re: &mut [f32], im: &mut [f32]) {
        for (re, im) in re.chunks_exact_mut(4).zip(im.chunks_exact_mut(4)) {
            first_two_passes(re, im);
        }
        for factors in &self.passes {
            let reach = factors.re.len();
            for (re, im) in re.chunks_exact_mut(2 * reach).zip(im.chunks_exact_mut(2 * reach)) {
                butterflies(factors, re.split_at_mut(reach), im.split_at_mut(reach));
            }
        }
    }

    /// From the transform of pairs to the bins of the samples.
    fn take_apart(&self, spectrum: &mut Spectrum) {
        let half = self.order.len();
        let (re, im) = (&mut spectrum.re, &mut spectrum.im);
        let (sum, difference) = (re[0] + im[0], re[0] - im[0]);
        (re[0], im[0], re[half], im[half]) = (sum, 0.0, difference, 0.0);
        for k in 1..=half / 2 {
            let mirror = half - k;
            let (even_re, even_im) = (0.5 * (re[k] + re[mirror]), 0.5 * (im[k] - im[mirror]));
            let (odd_re, odd_im) = (0.5 * (im[k] + im[mirror]), 0.5 * (re[mirror] - re[k]));
            let (c, s) = (self.split.re[k], self.split.im[k]);
            let (turned_re, turned_im) = (c * odd_re - s * odd_im, c * odd_im + s * odd_re);
            (re[mirror], im[mirror]) = (even_re - turned_re, turned_im - even_im);
            (re[k], im[k]) = (even_re + turned_re, even_im + turned_im);
        }
    }

    /// The other way round.
    fn put_together(&self, spectrum: &mut Spectrum) {
        let half = self.order.len();
        let (re, im) = (&mut spectrum.re, &mut spectrum.im);
        (re[0], im[0]) = (0.5 * (re[0] + re[half]), 0.5 * (re[0] - re[half]));
        for k in 1..=half / 2 {
            let mirror = half - k;
            let (even_re, even_im) = (0.5 * (re[k] + re[mirror]), 0.5 * (im[k] - im[mirror]));
            let (turned_re, turned_im) = (0.5 * (re[k] - re[mirror]), 0.5 * (im[k] + im[mirror]));
            let (c, s) = (self.split.re[k], -self.split.im[k]);
            let (odd_re, odd_im) = (c * turned_re - s * turned_im, c * turned_im + s * turned_re);
            (re[mirror], im[mirror]) = (even_re + odd_im, odd_re - even_im);
            (re[k], im[k]) = (even_re - odd_im, even_im + odd_re);
        }
    }
}

/// Butterflies over one and two values at once; their factors are 1 and -i.
fn first_two_passes(re: &mut [f32], im: &mut [f32]) {
    let (a, b) = ((re[0] + re[1], im[0] + im[1]), (re[0] - re[1], im[0] - im[1]));
    let (c, d) = ((re[2] + re[3], im[2] + im[3]), (re[2] - re[3], im[2] - im[3]));
    (re[0], im[0]) = (a.0 + c.0, a.1 + c.1);
    (re[1], im[1]) = (b.0 + d.1, b.1 - d.0);
    (re[2], im[2]) = (a.0 - c.0, a.1 - c.1);
    (re[3], im[3]) = (b.0 - d.1, b.1 + d.0);
}

/// Four at a time, in arrays of their own: so a compiler sees that nothing overlaps and takes SIMD.
fn butterflies(
    factors: &Factors,
    (re, far_re): (&mut [f32], &mut [f32]),
    (im, far_im): (&mut [f32], &mut [f32]),
) {
    let near = re.as_chunks_mut::<4>().0.iter_mut().zip(im.as_chunks_mut::<4>().0);
    let far = far_re.as_chunks_mut::<4>().0.iter_mut().zip(far_im.as_chunks_mut::<4>().0);
    let factors = factors.re.as_chunks::<4>().0.iter().zip(factors.im.as_chunks::<4>().0);
    for (((re, im), (far_re, far_im)), (c, s)) in near.zip(far).zip(factors) {
        let (near, far) = ((*re, *im), (*far_re, *far_im));
        for lane in 0..4 {
            let turned_re = c[lane] * far.0[lane] - s[lane] * far.1[lane];
            let turned_im = c[lane] * far.1[lane] + s[lane] * far.0[lane];
            far_re[lane] = near.0[lane] - turned_re;
            far_im[lane] = near.1[lane] - turned_im;
            re[lane] = near.0[lane] + turned_re;
            im[lane] = near.1[lane] + turned_im;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_effect::testing::noise;

    #[test]
    fn bins_are_those_of_the_plain_sum() {
        for size in [16, 64, 256] {
            let samples = noise(1, size, 1.0).remove(0);
            let mut spectrum = Spectrum::new(size);
            RealFft::new(size).forward(&samples, &mut spectrum);
            for k in 0..=size / 2 {
                let (mut re, mut im) = (0.0, 0.0);
                for (n, sample) in samples.iter().enumerate() {
                    let phase = 2.0 * PI * (n * k % size) as f64 / size as f64;
                    re += f64::from(*sample) * phase.cos();
                    im -= f64::from(*sample) * phase.sin();
                }
                let error = (f64::from(spectrum.re[k]) - re).hypot(f64::from(spectrum.im[k]) - im);
                assert!(error < 2e-6 * size as f64, "bin {k} of {size} is off by {error}");
            }
        }
    }

    #[test]
    fn forward_and_back_is_the_signal_times_half_the_size() {
        for size in [16, 2_048, 8_192] {
            let fft = RealFft::new(size);
            let samples = noise(1, size, 1.0).remove(0);
            let (mut spectrum, mut work) = (Spectrum::new(size), Spectrum::new(size));
            let mut back = vec![0.0; size];
            fft.forward(&samples, &mut spectrum);
            fft.inverse(&mut spectrum, &mut work, &mut back);
            for (a, b) in samples.iter().zip(&back) {
                assert!((b / (size / 2) as f32 - a).abs() < 2e-6, "{b} for {a}");
            }
        }
    }
}
