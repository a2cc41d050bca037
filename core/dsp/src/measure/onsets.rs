//! When something begins.
//!
//! The spectral flux: how much louder, in dB, bands of equal width to the ear became since the last
//! frame, those that became quieter left out. An onset is a frame that has the largest flux around it
//! and more than its neighborhood by [`RISE_DB`].
//!
//! Sources: J. P. Bello et al., "A tutorial on onset detection in music signals", IEEE TSAP 13 (5),
//! 2005 (spectral flux, half-wave rectified); S. Böck, F. Krebs, M. Schedl, "Evaluating the online
//! capabilities of onset detection methods", ISMIR 2012 (bands on a logarithmic scale, peaks by
//! maximum, mean and distance), whose peaks librosa's `onset_detect` picks too.

use super::fourier::{BINS, FRAME, HOP};
use super::lanes::{LANES, Lanes};
use super::stft::FrameBatch;
use crate::log2::log2;
use wavemill_audio::units::SampleRate;

/// Most bands; at low sample rates there are fewer.
const BAND_COUNT: usize = 40;

/// Upper end of the highest band.
const BAND_HZ_MAX: f64 = 16_000.0;

/// Mean rise of a band, above that of the neighborhood, that makes an onset: of steady noise, whose
/// bands rise by 0.75 dB in the mean and never stand still, one frame in a thousand has it; in music
/// about as many have it as librosa picks. At higher sample rates a frame is shorter, and noise stands
/// less still: there it grows with the root of the rate beyond [`RATE_HZ_MAX`].
const RISE_DB: f32 = 0.7;

/// Highest sample rate at which [`RISE_DB`] holds as it is.
const RATE_HZ_MAX: f32 = 48_000.0;

/// Fewest frequencies of a band: what few hold is never still.
const BINS_MIN: usize = 3;

/// Power that counts as nothing, of a band, where a sine at full scale has about 1: -80 dB. What
/// begins below it is inaudible.
const POWER_FLOOR: f32 = 1e-8;

/// Power that a sine at full scale leaves in a band: half of the window's sum, and what the window
/// spreads over its neighbors.
const SINE_POWER: f32 = 1.5 * (FRAME / 4) as f32 * (FRAME / 4) as f32;

/// Around a peak there is no larger flux for so long, before and behind. Source: librosa 0.11,
/// `onset_detect`, `pre_max` and `wait`.
const PEAK_S: f64 = 0.03;

/// The neighborhood whose mean counts, before and behind. Source: librosa, `pre_avg`, `post_avg`.
const MEAN_S: f64 = 0.10;

/// Frames that begin before the first sample: that the file begins is no onset.
const FRAMES_BEFORE: u64 = (FRAME / 2 / HOP) as u64;

/// Finds onsets, some frames late. Keeps the flux of the neighborhood.
#[derive(Clone, Debug)]
pub(super) struct Onsets {
    /// First frequency of each band, and the end of the last.
    edges: Vec<usize>,
    /// Levels of the bands in the last frame.
    levels: Vec<f32>,
    /// The latest fluxes, a ring by the number of the frame.
    fluxes: Vec<f32>,
    /// Frames on each side of a peak, and of the neighborhood.
    peak: usize,
    mean: usize,
    rise_db: f32,
    frame_count: u64,
    last: Option<u64>,
}

impl Onsets {
    pub(super) fn new(rate: SampleRate) -> Self {
        let frames = |seconds: f64| frames_of(seconds, rate);
        let (peak, mean) = (frames(PEAK_S), frames(MEAN_S));
        let edges = edges(rate);
        Self {
            levels: vec![0.0; edges.len() - 1],
            edges,
            fluxes: vec![0.0; 2 * mean + 1],
            peak,
            mean,
            rise_db: RISE_DB * (rate.0 as f32 / RATE_HZ_MAX).max(1.0).sqrt(),
            frame_count: 0,
            last: None,
        }
    }

    /// Frames by which an onset is reported late.
    pub(super) fn latency(&self) -> usize {
        self.mean + 1
    }

    /// Looks at further frames of which `whole` are within the signal; reports the number of each frame
    /// at which something begins.
    pub(super) fn push(&mut self, frames: FrameBatch<'_>, whole: u64, mut report: impl FnMut(u64)) {
        let mut fluxes = [0.0; LANES];
        for (band, level) in self.levels.iter_mut().enumerate() {
            let bins = &frames.magnitudes[self.edges[band]..self.edges[band + 1]];
            let mut power = Lanes::all(POWER_FLOOR * SINE_POWER);
            for &magnitude in bins {
                power += magnitude * magnitude;
            }
            for (lane, flux) in fluxes[..frames.count].iter_mut().enumerate() {
                let now = DB_OF_LOG2 * log2(power.0[lane]);
                *flux += (now - *level).max(0.0);
                *level = now;
            }
        }
        for flux in &fluxes[..frames.count] {
            // The first whole frame has no whole one before it.
            let counts = self.frame_count > FRAMES_BEFORE && self.frame_count < whole;
            let flux = if counts { flux / self.levels.len() as f32 } else { 0.0 };
            self.take(flux, &mut report);
        }
    }

    /// Ends the signal: nothing follows.
    pub(super) fn finish(&mut self, mut report: impl FnMut(u64)) {
        for _ in 0..self.mean {
            self.take(0.0, &mut report);
        }
    }

    /// Takes a frame's flux; decides on the frame that now has its whole neighborhood.
    fn take(&mut self, flux: f32, report: &mut impl FnMut(u64)) {
        let slots = self.fluxes.len() as u64;
        let slot = |frame: u64| usize::try_from(frame % slots).expect("slots are few");
        self.fluxes[slot(self.frame_count)] = flux;
        self.frame_count += 1;
        let Some(frame) = self.frame_count.checked_sub(self.mean as u64 + 1) else { return };
        let around = |reach: usize| frame.saturating_sub(reach as u64)..=frame + reach as u64;
        let flux = self.fluxes[slot(frame)];
        if flux <= self.rise_db || self.last.is_some_and(|last| frame - last <= self.peak as u64) {
            return;
        }
        // Of equal ones the first.
        let is_lower = |other: u64| {
            let other_flux = self.fluxes[slot(other)];
            if other < frame { other_flux < flux } else { other_flux <= flux }
        };
        let is_peak = around(self.peak).all(is_lower);
        let sum: f32 = around(self.mean).map(|other| self.fluxes[slot(other)]).sum();
        let mean = sum / self.fluxes.len() as f32;
        if is_peak && flux >= mean + self.rise_db {
            self.last = Some(frame);
            report(frame);
        }
    }
}

/// 10 log10(x) = this times log2(x).
const DB_OF_LOG2: f32 = 10.0 * std::f32::consts::LOG10_2;

/// Frames in a time, one at least.
fn frames_of(seconds: f64, rate: SampleRate) -> usize {
    let hops = seconds * f64::from(rate.0) / HOP as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let frames = hops.round().max(1.0) as usize;
    frames
}

/// Edges of bands of equal width on the mel scale, wider where they would hold too few frequencies.
///
/// Source of the scale: D. `O'Shaughnessy`, Speech communication: human and machine, 1987.
fn edges(rate: SampleRate) -> Vec<usize> {
    let step_hz = f64::from(rate.0) / FRAME as f64;
    let top_hz = BAND_HZ_MAX.min(f64::from(rate.0) / 2.0);
    let top_mel = (1.0 + top_hz / 700.0).ln();
    let mut edges = vec![1];
    for band in 1..=BAND_COUNT {
        let hz = 700.0 * ((top_mel * band as f64 / BAND_COUNT as f64).exp() - 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin")]
        let bin = (hz / step_hz).round() as usize;
        let bin = bin.min(BINS);
        if bin >= edges[edges.len() - 1] + BINS_MIN {
            edges.push(bin);
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_hold_enough_frequencies_at_every_rate() {
        for rate_hz in [1000, 8000, 44_100, 48_000, 192_000, 655_350] {
            let edges = edges(SampleRate(rate_hz));
            assert!(edges.windows(2).all(|pair| pair[1] - pair[0] >= BINS_MIN), "{rate_hz} Hz");
            assert!(edges.len() > 10 && edges[edges.len() - 1] <= BINS, "{rate_hz} Hz");
        }
    }
}
