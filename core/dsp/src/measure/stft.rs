//! The short-time spectra of the channels' mean, made once for everything that looks at them.
//!
//! Frames are librosa's: a periodic Hann window of [`FRAME`] samples every [`HOP`], at the file's own
//! rate, the first centered on the first sample, with silence before the beginning and behind the
//! end.
//!
//! Source: librosa 0.11, `stft` (`center=True`, `pad_mode="constant"`), `to_mono`.

use super::fourier::{Column, FRAME, Fourier, HOP};
use super::lanes::{LANES, Lanes};
use wavemill_audio::Block;
use wavemill_audio::Vectors;

/// Hops that [`LANES`] frames cover.
const HOPS: usize = LANES + FRAME / HOP - 1;

/// Hops of silence before the first sample, which is the middle of the first frame.
const HOPS_BEFORE: usize = FRAME / 2 / HOP;

/// Up to [`LANES`] frames that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameBatch<'a> {
    /// Of every frequency, from zero to half the sample rate, the magnitude in each frame: the
    /// absolute value of the unscaled transform. Lanes beyond the count hold nothing of meaning.
    pub(crate) magnitudes: &'a [Lanes],
    /// Frames in it.
    pub(crate) count: usize,
}

/// Cuts a stream into frames and transforms them.
///
/// Keeps the latest frames only. Results do not depend on how the signal was cut into blocks, nor on
/// the machine's vectors. Real-time.
#[derive(Clone, Debug)]
pub(crate) struct Stft {
    /// The mean in the latest [`HOPS`] hops, and how much of it is there.
    mean: Vec<f32>,
    filled: usize,
    /// The same, one column for every place in a hop.
    columns: Vec<Column>,
    sample_count: u64,
    frame_count: u64,
    fourier: Fourier,
}

impl Stft {
    pub(crate) fn new() -> Self {
        Self {
            mean: vec![0.0; HOPS * HOP],
            filled: HOPS_BEFORE * HOP,
            columns: vec![Column::ZERO; HOP],
            sample_count: 0,
            frame_count: 0,
            fourier: Fourier::new(Vectors::of_machine().are_wide()),
        }
    }

    /// Takes further samples; shows the frames that they complete to `look`.
    pub(crate) fn push(&mut self, block: &Block, mut look: impl FnMut(FrameBatch<'_>)) {
        let mut start = 0;
        while start < block.frame_count() {
            let count = (self.mean.len() - self.filled).min(block.frame_count() - start);
            average(block, start, &mut self.mean[self.filled..self.filled + count]);
            start += count;
            self.filled += count;
            if self.filled == self.mean.len() {
                self.show(LANES, &mut look);
            }
        }
        self.sample_count += block.frame_count() as u64;
    }

    /// Ends the stream; shows the frames that reach beyond its end.
    pub(crate) fn finish(mut self, mut look: impl FnMut(FrameBatch<'_>)) {
        if self.sample_count == 0 {
            return;
        }
        let frame_count = 1 + self.sample_count / HOP as u64;
        while self.frame_count < frame_count {
            self.mean[self.filled..].fill(0.0);
            let rest = usize::try_from(frame_count - self.frame_count).unwrap_or(LANES);
            self.show(rest.min(LANES), &mut look);
        }
    }

    /// Transforms the frames that the mean holds and moves on behind them.
    fn show(&mut self, count: usize, look: &mut impl FnMut(FrameBatch<'_>)) {
        turn(&self.mean, &mut self.columns);
        look(FrameBatch { magnitudes: self.fourier.magnitudes(&self.columns), count });
        self.mean.copy_within(LANES * HOP.., 0);
        self.filled = self.filled.saturating_sub(LANES * HOP);
        self.frame_count += count as u64;
    }
}

/// Places that are turned at a time: so many that their columns fit the nearest cache together with
/// what they are read from.
const PLACES: usize = 16;

/// Writes hops that follow one another into columns.
fn turn(mean: &[f32], columns: &mut [Column]) {
    for (index, columns) in columns.chunks_exact_mut(PLACES).enumerate() {
        for (hop, samples) in mean.chunks_exact(HOP).enumerate() {
            let samples = &samples[index * PLACES..(index + 1) * PLACES];
            for (column, &sample) in columns.iter_mut().zip(samples) {
                column.0[hop] = sample;
            }
        }
    }
}

/// The mean of the channels from frame `start` on, in `f32` and from the first channel on, as librosa
/// does.
fn average(block: &Block, start: usize, mean: &mut [f32]) {
    let frames = start..start + mean.len();
    let plane = |channel: usize| &block.plane(channel)[frames.clone()];
    match block.channel_count() {
        0 => mean.fill(0.0),
        1 => mean.copy_from_slice(plane(0)),
        2 => {
            for ((mean, left), right) in mean.iter_mut().zip(plane(0)).zip(plane(1)) {
                *mean = (left + right) * 0.5;
            }
        }
        channel_count => {
            mean.copy_from_slice(plane(0));
            for channel in 1..channel_count {
                for (sum, sample) in mean.iter_mut().zip(plane(channel)) {
                    *sum += sample;
                }
            }
            for sum in mean {
                *sum /= channel_count as f32;
            }
        }
    }
}
