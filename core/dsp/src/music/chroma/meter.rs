//! Samples in, pitch class profiles out.

use super::decimator::{Decimator, KEPT_HZ};
use super::notes::{notes, profiles};
use super::peaks::{Peak, PeakFinder};
use super::spectra::Spectra;
use super::track::ChromaTrack;
use super::tuning::Tuning;
use crate::measure::fourier::{FRAME, HOP};
use wavemill_audio::Block;
use wavemill_audio::units::Seconds;

/// Frames whose tuning is found before they become notes: 24 seconds.
const TUNED_FRAMES: usize = 256;

/// Samples of each channel that are worked on at a time.
const PIECE: usize = 4_096;

/// Makes pitch class profiles of a signal. The result does not depend on how the signal was cut into
/// blocks. Allocates while it grows.
#[derive(Clone, Debug)]
pub(crate) struct ChromaMeter {
    decimator: Decimator,
    spectra: Spectra,
    finder: PeakFinder,
    mean: Vec<f32>,
    decimated: Vec<f32>,
    waiting: PendingPeaks,
    rate_hz: f64,
    frame_count: u64,
}

impl ChromaMeter {
    /// A meter for a signal of `sample_rate_hz`.
    pub(crate) fn new(sample_rate_hz: u32) -> Self {
        let rate_hz = f64::from(sample_rate_hz.max(1));
        let decimator = Decimator::new(rate_hz);
        let spectra = Spectra::new(decimator.rate_hz(), KEPT_HZ);
        let bin_hz = decimator.rate_hz() / FRAME as f64;
        let hop_s = HOP as f64 / decimator.rate_hz();
        Self {
            decimator,
            spectra,
            finder: PeakFinder::new(bin_hz),
            mean: Vec::new(),
            decimated: Vec::new(),
            waiting: PendingPeaks::new(hop_s),
            rate_hz,
            frame_count: 0,
        }
    }

    /// Takes further frames, one slice of the same length for each channel.
    pub(crate) fn push(&mut self, planes: &[&[f32]]) {
        let count = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        for start in (0..count).step_by(PIECE) {
            average(planes, start, PIECE.min(count - start), &mut self.mean);
            self.decimated.clear();
            self.decimator.push(&self.mean, &mut self.decimated);
            self.look();
        }
        self.frame_count += count as u64;
    }

    /// Forgets all but the latest profiles; the tuning stays that of everything heard.
    pub(crate) fn keep_latest(&mut self, kept: Seconds) {
        self.waiting.keep_latest(kept);
    }

    /// Ends the signal.
    pub(crate) fn finish(mut self) -> ChromaTrack {
        let (finder, waiting) = (&mut self.finder, &mut self.waiting);
        self.spectra.finish(|magnitudes| waiting.push(finder.find(magnitudes)));
        let mut track = self.waiting.finish();
        track.duration_s = self.frame_count as f64 / self.rate_hz;
        track
    }

    /// Looks for peaks in the frames that the decimated samples complete.
    fn look(&mut self) {
        let (finder, waiting) = (&mut self.finder, &mut self.waiting);
        self.spectra.push(&self.decimated, |magnitudes| waiting.push(finder.find(magnitudes)));
    }
}

/// Peaks that wait for the tuning to be known.
#[derive(Clone, Debug)]
struct PendingPeaks {
    peaks: Vec<Peak>,
    /// Where each frame's peaks end.
    ends: Vec<usize>,
    tuning: Tuning,
    track: ChromaTrack,
}

impl PendingPeaks {
    fn new(hop_s: f64) -> Self {
        Self {
            peaks: Vec::new(),
            ends: Vec::new(),
            tuning: Tuning::default(),
            track: ChromaTrack::new(hop_s),
        }
    }

    fn push(&mut self, peaks: &[Peak]) {
        for &peak in peaks {
            self.tuning.push(peak);
        }
        self.peaks.extend_from_slice(peaks);
        self.ends.push(self.peaks.len());
        if self.ends.len() == TUNED_FRAMES {
            self.release();
        }
    }

    /// Makes notes of the waiting peaks, by the tuning up to here.
    fn release(&mut self) {
        #[expect(clippy::cast_possible_truncation, reason = "half a semitone at most")]
        let tuning = self.tuning.semitones() as f32;
        let mut start = 0;
        for &end in &self.ends {
            let peaks = self.peaks.get(start..end).unwrap_or_default();
            self.track.push(profiles(&notes(peaks, tuning)));
            start = end;
        }
        self.peaks.clear();
        self.ends.clear();
    }

    fn keep_latest(&mut self, kept: Seconds) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some frames")]
        let kept = (kept.0 / self.track.hop_s).max(0.0) as usize;
        let frame_count = self.track.frames.len() + self.ends.len();
        let excess = frame_count.saturating_sub(kept).min(self.track.frames.len());
        self.track.frames.drain(..excess);
    }

    fn finish(mut self) -> ChromaTrack {
        self.release();
        self.track.tuning_hz = 440.0 * (self.tuning.semitones() / 12.0).exp2();
        self.track.tuning_concentration = self.tuning.concentration();
        self.track
    }
}

/// The channels of a block.
pub(crate) fn planes(block: &Block) -> Vec<&[f32]> {
    (0..block.channel_count()).map(|channel| block.plane(channel)).collect()
}

/// The mean of the channels from `start` on.
fn average(planes: &[&[f32]], start: usize, count: usize, mean: &mut Vec<f32>) {
    mean.clear();
    mean.resize(count, 0.0);
    let share = 1.0 / planes.len().max(1) as f32;
    for plane in planes {
        for (sum, sample) in mean.iter_mut().zip(plane.iter().skip(start)) {
            *sum += share * sample;
        }
    }
}
