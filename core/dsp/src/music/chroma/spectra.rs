//! Short-time magnitude spectra of the decimated signal.
//!
//! Frames have [`FRAME`] samples, a third of a second, four to that time, the first centered on the
//! first sample, with silence before the beginning and behind the end. So notes a semitone apart are
//! separated above A3, and a chord of half a second has frames of its own.

use crate::measure::fourier::{BINS, Column, FRAME, Fourier, HOP};
use crate::measure::lanes::LANES;
use wavemill_audio::Vectors;

/// Hops that [`LANES`] frames cover.
const HOPS: usize = LANES + FRAME / HOP - 1;

/// Magnitude that a sine of amplitude one has: half of the window's sum.
pub(super) const SINE_MAGNITUDE: f32 = (FRAME / 4) as f32;

/// Cuts a signal into frames and transforms them.
#[derive(Clone, Debug)]
pub(super) struct Spectra {
    fourier: Fourier,
    /// The latest [`HOPS`] hops, and how much of it is there.
    pending: Vec<f32>,
    filled: usize,
    columns: Vec<Column>,
    /// The magnitudes of one frame.
    magnitudes: Vec<f32>,
    sample_count: u64,
    frame_count: u64,
}

impl Spectra {
    /// Spectra of a signal of `rate_hz`, of frequencies up to `kept_hz`.
    pub(super) fn new(rate_hz: f64, kept_hz: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
        let bin_count = (kept_hz * FRAME as f64 / rate_hz).max(0.0) as usize;
        Self {
            fourier: Fourier::new(Vectors::of_machine().are_wide()),
            pending: vec![0.0; HOPS * HOP],
            filled: FRAME / 2,
            columns: vec![Column::ZERO; HOP],
            magnitudes: vec![0.0; bin_count.min(BINS)],
            sample_count: 0,
            frame_count: 0,
        }
    }

    /// Takes further samples; shows the magnitudes of each frame that they complete, some frames late.
    pub(super) fn push(&mut self, mut samples: &[f32], mut show: impl FnMut(&[f32])) {
        self.sample_count += samples.len() as u64;
        while !samples.is_empty() {
            let count = samples.len().min(self.pending.len() - self.filled);
            let (now, later) = samples.split_at(count);
            self.pending[self.filled..self.filled + count].copy_from_slice(now);
            self.filled += count;
            samples = later;
            if self.filled == self.pending.len() {
                self.transform(LANES, &mut show);
            }
        }
    }

    /// Ends the signal; shows the frames that are left.
    pub(super) fn finish(&mut self, mut show: impl FnMut(&[f32])) {
        if self.sample_count == 0 {
            return;
        }
        let frame_count = 1 + self.sample_count / HOP as u64;
        while self.frame_count < frame_count {
            self.pending[self.filled..].fill(0.0);
            let rest = usize::try_from(frame_count - self.frame_count).unwrap_or(LANES);
            self.transform(rest.min(LANES), &mut show);
        }
    }

    /// Transforms the frames that are there, and moves on behind them.
    fn transform(&mut self, count: usize, show: &mut impl FnMut(&[f32])) {
        for (place, column) in self.columns.iter_mut().enumerate() {
            for (number, hop) in column.0.iter_mut().zip(self.pending.chunks_exact(HOP)) {
                *number = hop[place];
            }
        }
        let bins = self.fourier.magnitudes(&self.columns);
        for lane in 0..count {
            for (magnitude, bin) in self.magnitudes.iter_mut().zip(bins) {
                *magnitude = bin.0[lane];
            }
            show(&self.magnitudes);
        }
        self.pending.copy_within(LANES * HOP.., 0);
        self.filled = self.filled.saturating_sub(LANES * HOP);
        self.frame_count += count as u64;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "samples are f32")]

    use super::*;

    #[test]
    fn sine_of_amplitude_one_has_the_magnitude_it_should() {
        let mut spectra = Spectra::new(5_512.5, 2_000.0);
        let sine =
            |n: usize| (std::f64::consts::TAU * 100.0 * n as f64 / FRAME as f64).sin() as f32;
        let samples: Vec<f32> = (0..9_000).map(sine).collect();
        let (mut highest, mut count) = (0.0f32, 0);
        let mut show = |magnitudes: &[f32]| {
            highest = highest.max(magnitudes[100]);
            count += 1;
        };
        spectra.push(&samples, &mut show);
        spectra.finish(&mut show);
        assert!((highest / SINE_MAGNITUDE - 1.0).abs() < 1e-3, "{highest}");
        assert_eq!(count, 1 + 9_000 / HOP);
    }
}
