//! One channel: overlapping pieces of the signal through the spectrum and back.

use crate::fft::{RealFft, Spectrum};
use crate::gain::Wiener;
use crate::noise::{LANES, NoiseEstimate};
use alloc::{vec, vec::Vec};
use core::f64::consts::PI;
use effect_common::convert::narrow;
use wavemill_effect::math;

/// Pieces that overlap at any moment.
pub const OVERLAP: usize = 4;

/// Mean square of a piece that is as good as digital silence (-110 dBFS): nothing is learned from it, else the noise after it
/// would be compared with nothing.
const SILENCE_POWER: f32 = 1e-11;

/// What all channels share.
#[derive(Debug)]
pub struct Bench {
    fft: RealFft,
    /// Square root of the Hann window: once before the spectrum, once after it.
    window: Vec<f32>,
    /// Brings overlapping windows and the transforms back to 1.
    scale: f32,
    piece: Vec<f32>,
    spectrum: Spectrum,
    work: Spectrum,
    powers: Vec<f32>,
}

/// What is asked of a piece.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Smallest gain.
    pub floor: f32,
    /// Factor to the noise's power.
    pub raise: f32,
    /// Whether the noise may be learned from this piece.
    pub does_learn: bool,
    /// Whether what is taken away is wanted instead.
    pub is_residue: bool,
}

impl Bench {
    /// For pieces of `size` samples.
    pub fn new(size: usize) -> Self {
        // The square root of (1 - cos) / 2 is the sine of half the angle.
        let window = (0..size).map(|n| narrow(math::sin(PI * n as f64 / size as f64)));
        Self {
            fft: RealFft::new(size),
            window: window.collect(),
            // Hann windows at a quarter of their length add up to 2.
            scale: narrow(1.0 / (size as f64 / 2.0 * (OVERLAP as f64 / 2.0))),
            piece: vec![0.0; size],
            spectrum: Spectrum::new(size),
            work: Spectrum::new(size),
            powers: vec![0.0; padded_bins(size)],
        }
    }
}

/// Bins of a piece, and zeros up to a whole number of lanes.
fn padded_bins(size: usize) -> usize {
    (size / 2 + 1).next_multiple_of(LANES)
}

/// The state of one channel.
#[derive(Debug)]
pub struct Channel {
    /// The last `size` samples; the newest hop is still coming in.
    input: Vec<f32>,
    /// Sums of the pieces; the first hop is complete and goes out.
    output: Vec<f32>,
    noise: NoiseEstimate,
    wiener: Wiener,
}

impl Channel {
    /// For pieces of `size` samples at this rate.
    pub fn new(size: usize, sample_rate: f64) -> Self {
        let bins = padded_bins(size);
        let spectra_per_s = sample_rate * OVERLAP as f64 / size as f64;
        Self {
            input: vec![0.0; size],
            output: vec![0.0; size],
            noise: NoiseEstimate::new(bins, spectra_per_s),
            wiener: Wiener::new(bins),
        }
    }

    /// Takes samples in and gives those that are done, `position` frames after the hop began.
    pub fn exchange(&mut self, position: usize, samples: &mut [f32]) {
        let newest = self.input.len() - self.input.len() / OVERLAP;
        let count = samples.len();
        self.input[newest + position..][..count].copy_from_slice(samples);
        samples.copy_from_slice(&self.output[position..][..count]);
    }

    /// A hop is full: one more piece through the spectrum.
    pub fn turn(&mut self, bench: &mut Bench, order: &Order) {
        let hop = self.input.len() / OVERLAP;
        let Bench { fft, window, scale, piece, spectrum, work, powers } = bench;
        let mut energy = 0.0;
        for ((sample, input), window) in piece.iter_mut().zip(&self.input).zip(&*window) {
            *sample = input * window;
            energy += *sample * *sample;
        }
        fft.forward(piece, spectrum);
        for ((power, re), im) in powers.iter_mut().zip(&spectrum.re).zip(&spectrum.im) {
            *power = re * re + im * im;
        }
        if order.does_learn && energy > SILENCE_POWER * piece.len() as f32 {
            self.noise.update(powers);
        }
        let gains = self.wiener.gains(powers, self.noise.noise(), order.raise, order.floor);
        if order.is_residue {
            for gain in &mut *gains {
                *gain = 1.0 - *gain;
            }
        }
        for ((re, im), gain) in spectrum.re.iter_mut().zip(&mut spectrum.im).zip(&*gains) {
            *re *= gain * *scale;
            *im *= gain * *scale;
        }
        fft.inverse(spectrum, work, piece);
        self.output.copy_within(hop.., 0);
        let kept = self.output.len() - hop;
        self.output[kept..].fill(0.0);
        for ((sum, sample), window) in self.output.iter_mut().zip(&*piece).zip(&*window) {
            *sum += sample * window;
        }
        self.input.copy_within(hop.., 0);
    }

    /// Forgets the signal.
    pub fn reset(&mut self) {
        self.input.fill(0.0);
        self.output.fill(0.0);
        self.noise.reset();
        self.wiener.reset();
    }
}
