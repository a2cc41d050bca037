//! Splits two channels into bands.
//!
//! A band is cut out by two high-pass and two low-pass sections of the second order, whose zeros lie
//! at zero and at half the sample rate: together they have the numerator (1 - z^-2)^4, so each section
//! gets 1 - z^-2 and needs two products and three sums; the gain is applied to what was measured. In
//! this form a section's state is up to 1 / (pi f / rate)^2 times its input, 9 million at 20 Hz of
//! 192 kHz, which leaves an `f64` nine digits and an `f32` none. The bands of both channels are
//! filtered beside each other; no lane is ever added to another one.
//!
//! At rates so low that half of them cuts a band, that band has no low-pass, and every section its own
//! numerator.

use super::bands::{BAND_COUNT, BANDS};
use super::lanes::has_wide_vectors;
use super::sides::SideSums;
use crate::units::{Frames, Hertz, SampleRate};
use std::f64::consts::{PI, SQRT_2};

/// Sections of a band: two at the lower edge, two at the upper one.
const SECTIONS: usize = 4;

/// Numbers of one channel, and of the other one behind them.
const LANES: usize = 2 * BAND_COUNT;

type Row = [f64; LANES];

/// Frames after which numbers too small to matter become zero. In silence they would else decay into
/// denormal numbers, which are slow, and never end.
const FLUSH_FRAMES: usize = 512;

/// State below this is zero: -2000 dB.
const STATE_MIN: f64 = 1e-100;

/// The filters of all bands for a sample rate.
#[derive(Clone, Debug)]
pub(super) struct BandFilter {
    /// Of the lower and the upper edge's sections.
    low: Coefficients,
    high: Coefficients,
    /// Whether a band lacks its low-pass.
    is_cut: bool,
    /// Of each band; 0 where it lies above half the sample rate.
    gains: [f64; BAND_COUNT],
    is_wide: bool,
}

#[derive(Clone, Debug, Default)]
struct Coefficients {
    a1: Row,
    a2: Row,
    /// Used only where a band is cut.
    b1: Row,
    b2: Row,
}

/// State and results of two channels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BandSums {
    /// Of each section the two latest numbers.
    state: [[Row; 2]; SECTIONS],
    energy: Row,
    peak: Row,
    both: [f64; BAND_COUNT],
}

impl BandFilter {
    pub(super) fn new(rate: SampleRate) -> Self {
        let mut filter = Self {
            low: Coefficients::default(),
            high: Coefficients::default(),
            is_cut: false,
            gains: [0.0; BAND_COUNT],
            is_wide: has_wide_vectors(),
        };
        for (band, range) in BANDS.iter().enumerate() {
            filter.gains[band] = 1.0;
            if let Some(edge) = Edge::new(range.low_hz, rate) {
                filter.gains[band] *= edge.high_pass_gain.powi(2);
                filter.low.set(band, &edge, -2.0);
            } else {
                filter.gains[band] = 0.0;
            }
            if let Some(edge) = Edge::new(range.high_hz, rate) {
                filter.gains[band] *= edge.low_pass_gain.powi(2);
                filter.high.set(band, &edge, 2.0);
            } else {
                filter.is_cut = true;
            }
        }
        filter
    }

    /// Whether a band reaches below half the sample rate.
    pub(super) fn has(&self, band: usize) -> bool {
        self.gains[band] > 0.0
    }

    /// Filters further samples of two channels, or of one; `start` frames came before them.
    pub(super) fn push(
        &self,
        sums: &mut BandSums,
        start: u64,
        left: &[f32],
        right: Option<&[f32]>,
    ) {
        const SILENCE: [f32; FLUSH_FRAMES] = [0.0; FLUSH_FRAMES];
        let mut missing = FLUSH_FRAMES - Frames(start % FLUSH_FRAMES as u64).as_usize();
        let mut at = 0;
        while at < left.len() {
            let end = left.len().min(at + missing);
            let right = right.map_or(&SILENCE[..end - at], |right| &right[at..end]);
            self.filter(sums, &left[at..end], right);
            if end - at == missing {
                sums.flush();
                missing = FLUSH_FRAMES;
            }
            at = end;
        }
    }

    /// Filters equally many samples of both channels; the result is the same with any width of
    /// vectors.
    fn filter(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide {
            // SAFETY: `is_wide` says that this machine has AVX2.
            return unsafe { self.filter_avx2(sums, left, right) };
        }
        self.filter_any(sums, left, right);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn filter_avx2(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        self.filter_any(sums, left, right);
    }

    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn filter_any(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        if self.is_cut {
            self.filter_kernel::<true>(sums, left, right);
        } else {
            self.filter_kernel::<false>(sums, left, right);
        }
    }

    /// Loops over lanes are what becomes vectors, so they stay loops over arrays of fixed length.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn filter_kernel<const CUT: bool>(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        let BandSums { mut state, mut energy, mut peak, mut both } = *sums;
        for (&left, &right) in left.iter().zip(right) {
            let (left, right) = (f64::from(left), f64::from(right));
            let mut y: Row =
                std::array::from_fn(|lane| if lane < BAND_COUNT { left } else { right });
            for (section, [w1, w2]) in state.iter_mut().enumerate() {
                let Coefficients { a1, a2, b1, b2 } =
                    if section % 2 == 0 { &self.low } else { &self.high };
                for lane in 0..LANES {
                    let w = y[lane] - a2[lane] * w2[lane] - a1[lane] * w1[lane];
                    y[lane] = if CUT {
                        w + b1[lane] * w1[lane] + b2[lane] * w2[lane]
                    } else {
                        w - w2[lane]
                    };
                    w2[lane] = w1[lane];
                    w1[lane] = w;
                }
            }
            for lane in 0..LANES {
                energy[lane] += y[lane] * y[lane];
                let magnitude = y[lane].abs();
                peak[lane] = if magnitude > peak[lane] { magnitude } else { peak[lane] };
            }
            for band in 0..BAND_COUNT {
                both[band] += y[band] * y[BAND_COUNT + band];
            }
        }
        *sums = BandSums { state, energy, peak, both };
    }

    /// Sums of products of a band's two channels.
    pub(super) fn products(&self, sums: &BandSums, band: usize) -> SideSums {
        let gain = self.gains[band] * self.gains[band];
        SideSums {
            left: sums.energy[band] * gain,
            right: sums.energy[BAND_COUNT + band] * gain,
            both: sums.both[band] * gain,
        }
    }

    /// Largest absolute value of a band in either channel.
    pub(super) fn peak(&self, sums: &BandSums, band: usize) -> f64 {
        sums.peak[band].max(sums.peak[BAND_COUNT + band]) * self.gains[band]
    }
}

impl BandSums {
    fn flush(&mut self) {
        for number in self.state.as_flattened_mut().as_flattened_mut() {
            *number = if number.abs() < STATE_MIN { 0.0 } else { *number };
        }
    }
}

/// Sections of the second order, of Butterworth's shape, with their edge at -3 dB: two in a row are
/// Linkwitz and Riley's fourth order.
struct Edge {
    a1: f64,
    a2: f64,
    /// Factors that the numerators (1 - z^-1)^2 and (1 + z^-1)^2 lack.
    high_pass_gain: f64,
    low_pass_gain: f64,
}

impl Edge {
    /// `None` at and above half the sample rate.
    fn new(hz: Hertz, rate: SampleRate) -> Option<Self> {
        let rate_hz = f64::from(rate.0);
        if 2.0 * hz.0 >= rate_hz {
            return None;
        }
        let k = (PI * hz.0 / rate_hz).tan();
        let a0 = 1.0 + SQRT_2 * k + k * k;
        Some(Self {
            a1: 2.0 * (k * k - 1.0) / a0,
            a2: (1.0 - SQRT_2 * k + k * k) / a0,
            high_pass_gain: 1.0 / a0,
            low_pass_gain: k * k / a0,
        })
    }
}

impl Coefficients {
    /// A section whose numerator is 1, `b1`, 1.
    fn set(&mut self, band: usize, edge: &Edge, b1: f64) {
        for lane in [band, BAND_COUNT + band] {
            (self.a1[lane], self.a2[lane]) = (edge.a1, edge.a2);
            (self.b1[lane], self.b2[lane]) = (b1, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(count: usize) -> [Vec<f32>; 2] {
        let plane = |hz: f32| (0..count).map(|n| (n as f32 * n as f32 * hz).sin()).collect();
        [plane(0.0013), plane(0.0007)]
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        if !has_wide_vectors() {
            println!("skipped: this machine has vectors of one width");
        }
        let [left, right] = signal(5000);
        let sums = |rate: SampleRate, is_wide: bool| {
            let mut filter = BandFilter::new(rate);
            filter.is_wide = is_wide;
            let mut sums = BandSums::default();
            filter.push(&mut sums, 0, &left, Some(&right));
            (sums.energy, sums.peak, sums.both)
        };
        for rate in [SampleRate(8000), SampleRate(44_100)] {
            assert_eq!(sums(rate, false), sums(rate, has_wide_vectors()));
        }
    }

    #[test]
    fn silence_after_sound_ends_in_zeros() {
        let [left, right] = signal(5000);
        let filter = BandFilter::new(SampleRate(44_100));
        let mut sums = BandSums::default();
        filter.push(&mut sums, 0, &left, Some(&right));
        filter.push(&mut sums, 5000, &vec![0.0; 500_000], None);
        assert!(sums.state.as_flattened().as_flattened().iter().all(|number| *number == 0.0));
    }
}
