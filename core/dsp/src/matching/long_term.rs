//! The power of a whole signal by frequency.

use super::grid::{self, OnGrid};
use realfft::num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::{FRAC_1_SQRT_2, TAU};
use std::fmt;
use std::sync::Arc;
use wavemill_audio::units::{Decibels, SampleRate};
use wavemill_audio::{Block, StreamSpec};

/// Widest distance of the frequencies of a transform, Hz: bands of a sixth of an octave are that wide at
/// 26 Hz.
const BIN_HZ_MAX: f64 = 3.0;

/// Samples of a transform at this rate.
fn transform_size(rate: SampleRate) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are positive"
    )]
    let least = (f64::from(rate.0) / BIN_HZ_MAX).ceil() as usize;
    least.next_power_of_two().max(64)
}

/// Averages the power of overlapping frames. Of stereo, mid and side are the signals; of other layouts the
/// channels. What is not finite counts as silence. The result does not depend on how the signal was cut
/// into blocks. Not real-time.
///
/// Source: P. D. Welch, "The Use of Fast Fourier Transform for the Estimation of Power Spectra", IEEE
/// Trans. Audio Electroacoust. 15(2), 1967; Hann windows that overlap by half.
pub(crate) struct LongTermMeter {
    rate: SampleRate,
    is_stereo: bool,
    transform: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    /// The frame that is being filled, of each signal.
    frames: Vec<Vec<f64>>,
    filled: usize,
    /// Whether a frame was transformed.
    has_frames: bool,
    sums: Vec<Vec<f64>>,
    windowed: Vec<f64>,
    spectrum: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl fmt::Debug for LongTermMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongTermMeter").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl LongTermMeter {
    /// A meter for a stream.
    pub(crate) fn new(spec: &StreamSpec) -> Self {
        let size = transform_size(spec.sample_rate);
        let transform = RealFftPlanner::<f64>::new().plan_fft_forward(size);
        let hann = |index: usize| 0.5 - 0.5 * (TAU * index as f64 / size as f64).cos();
        let channel_count = spec.channel_count();
        Self {
            rate: spec.sample_rate,
            is_stereo: channel_count == 2,
            window: (0..size).map(hann).collect(),
            frames: vec![vec![0.0; size]; channel_count],
            filled: 0,
            has_frames: false,
            sums: vec![vec![0.0; size / 2 + 1]; channel_count],
            windowed: transform.make_input_vec(),
            spectrum: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    /// Takes further frames.
    pub(crate) fn push(&mut self, block: &Block) {
        let size = self.window.len();
        let mut start = 0;
        while start < block.frame_count() {
            let count = (size - self.filled).min(block.frame_count() - start);
            self.fill(block, start, count);
            start += count;
            self.filled += count;
            if self.filled == size {
                self.transform();
            }
        }
    }

    fn fill(&mut self, block: &Block, start: usize, count: usize) {
        let room = self.filled..self.filled + count;
        let samples = |channel: usize| block.plane(channel)[start..start + count].iter();
        if let ([mid, side], true) = (&mut self.frames[..], self.is_stereo) {
            let room = mid[room.clone()].iter_mut().zip(&mut side[room]);
            for ((mid, side), (left, right)) in room.zip(samples(0).zip(samples(1))) {
                let (left, right) = (finite(*left), finite(*right));
                *mid = (left + right) * FRAC_1_SQRT_2;
                *side = (left - right) * FRAC_1_SQRT_2;
            }
            return;
        }
        for (channel, frame) in self.frames.iter_mut().enumerate() {
            for (place, sample) in frame[room.clone()].iter_mut().zip(samples(channel)) {
                *place = finite(*sample);
            }
        }
    }

    /// Adds the power of the frame and moves on by half of it.
    fn transform(&mut self) {
        for (frame, sums) in self.frames.iter_mut().zip(&mut self.sums) {
            for ((windowed, sample), window) in
                self.windowed.iter_mut().zip(&*frame).zip(&self.window)
            {
                *windowed = sample * window;
            }
            self.transform
                .process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)
                .expect("the buffers are the transform's own");
            for (sum, bin) in sums.iter_mut().zip(&self.spectrum) {
                *sum += bin.norm_sqr();
            }
            frame.copy_within(self.window.len() / 2.., 0);
        }
        self.filled -= self.window.len() / 2;
        self.has_frames = true;
    }

    /// Ends the signal.
    pub(crate) fn finish(mut self) -> LongTermSpectrum {
        // A frame that ends in silence has the spectrum of a click: it is better left out where there are others.
        if !self.has_frames {
            for frame in &mut self.frames {
                frame[self.filled..].fill(0.0);
            }
            self.filled = self.window.len();
            self.transform();
        }
        let size = self.window.len();
        let side = if self.is_stereo { self.sums.pop() } else { None };
        let mut sums = self.sums.into_iter();
        let mut power = sums.next().unwrap_or_else(|| vec![0.0; size / 2 + 1]);
        for other in sums {
            power.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        }
        LongTermSpectrum { rate: self.rate, size, power, side }
    }
}

fn finite(sample: f32) -> f64 {
    if sample.is_finite() { f64::from(sample) } else { 0.0 }
}

/// What the meter found; powers are sums of unknown scale.
#[derive(Clone, Debug)]
pub(crate) struct LongTermSpectrum {
    pub(super) rate: SampleRate,
    /// Samples of the transform.
    pub(super) size: usize,
    /// Of stereo that of mid, of others that of all channels; by frequency.
    power: Vec<f64>,
    /// Of stereo.
    side: Option<Vec<f64>>,
}

impl LongTermSpectrum {
    /// Levels of the bands, dB of unknown reference, behind a filter of this `response` (power by frequency;
    /// none is 1) and with the side signal multiplied by `side_gain`. `None` where a band is silent or
    /// reaches beyond half the sample rate.
    pub(super) fn levels(&self, response: Option<&[f64]>, side_gain: f64) -> OnGrid<Option<f64>> {
        let mut sums = Vec::with_capacity(self.power.len() + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for bin in 0..self.power.len() {
            let side = self.side.as_ref().map_or(0.0, |side| side[bin] * side_gain * side_gain);
            sum += (self.power[bin] + side) * response.map_or(1.0, |response| response[bin]);
            sums.push(sum);
        }
        let bin_hz = f64::from(self.rate.0) / self.size as f64;
        std::array::from_fn(|point| {
            let (low, high) = grid::band(point);
            let (low, high) = (low / bin_hz + 0.5, high / bin_hz + 0.5);
            let is_inside = high <= self.power.len() as f64;
            let power = is_inside.then(|| up_to(&sums, high) - up_to(&sums, low))?;
            Decibels::from_power(power).map(|level| level.0)
        })
    }

    /// Level of side over mid behind a filter; `None` where one of them is silent, and for other layouts.
    pub(super) fn side_to_mid(&self, response: Option<&[f64]>) -> Option<Decibels> {
        let side = self.side.as_ref()?;
        let sum = |powers: &[f64]| -> f64 {
            let response = |bin: usize| response.map_or(1.0, |response| response[bin]);
            powers.iter().enumerate().map(|(bin, power)| power * response(bin)).sum()
        };
        Decibels::from_power(sum(side) / sum(&self.power))
    }
}

/// Sum of all bins up to a place between them; bin k reaches from k to k + 1.
fn up_to(sums: &[f64], place: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
    let below = (place as usize).min(sums.len() - 2);
    sums[below] + (sums[below + 1] - sums[below]) * (place - below as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(channel_count: usize, hertz: f64) -> LongTermSpectrum {
        let spec = StreamSpec::new(48_000, channel_count);
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let plane: Vec<f32> =
            (0..96_000).map(|n| (TAU * hertz * f64::from(n) / 48_000.0).sin() as f32).collect();
        let mut meter = LongTermMeter::new(&spec);
        meter.push(&Block::from_planes(&vec![plane; channel_count]));
        meter.finish()
    }

    #[test]
    fn tone_is_in_its_own_band() {
        let levels = tone(1, 1000.0).levels(None, 1.0);
        // Bands overlap by half: the point itself and its neighbors hold the tone.
        let near = levels[68].unwrap();
        assert!((levels[70].unwrap() - near) < -40.0, "{levels:?}");
        assert!((levels[20].unwrap() - near) < -100.0);
    }

    #[test]
    fn equal_sides_have_no_side() {
        assert!(tone(2, 500.0).side_to_mid(None).is_none_or(|level| level.0 < -250.0));
        assert_eq!(tone(1, 500.0).side_to_mid(None), None);
    }

    #[test]
    fn both_channels_have_twice_the_power_of_one() {
        let levels = |count| tone(count, 1000.0).levels(None, 1.0)[68].unwrap();
        assert!((levels(2) - levels(1) - 3.0103).abs() < 1e-3);
    }
}
