//! The short-time spectra of the channels' mean, made once for everything that looks at them.
//!
//! Frames are librosa's: a periodic Hann window of [`FRAME`] samples every [`HOP`], at the file's own
//! rate, the first centered on the first sample, with silence before the beginning and behind the
//! end.
//!
//! Source: librosa 0.11, `stft` (`center=True`, `pad_mode="constant"`), `to_mono`.

use super::fourier::{Column, FRAME, Fourier, HOP};
use super::lanes::{LANES, Lanes, has_wide_vectors};
use crate::audio::Block;

/// Hops that [`LANES`] frames cover.
const HOPS: usize = LANES + FRAME / HOP - 1;

/// Hops of silence before the first sample, which is the middle of the first frame.
const HOPS_BEFORE: usize = FRAME / 2 / HOP;

/// Up to [`LANES`] frames that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameBatch<'a> {
    /// Of every frequency, from zero to half the sample rate, the magnitude in each frame: the
    /// absolute value of the unscaled transform. Lanes beyond the count hold nothing of meaning.
    pub(super) magnitudes: &'a [Lanes],
    /// Frames in it.
    pub(super) count: usize,
}

/// Cuts a stream into frames and transforms them.
///
/// Keeps the latest frames only. Results do not depend on how the signal was cut into blocks, nor on
/// the machine's vectors. Real-time.
#[derive(Clone, Debug)]
pub(crate) struct Stft {
    /// The latest hops, one column for every place in a hop.
    columns: Vec<Column>,
    /// The hop that is being filled, and the place in it.
    hop: usize,
    place: usize,
    sample_count: u64,
    frame_count: u64,
    fourier: Fourier,
}

impl Stft {
    pub(crate) fn new() -> Self {
        Self {
            columns: vec![Column::ZERO; HOP],
            hop: HOPS_BEFORE,
            place: 0,
            sample_count: 0,
            frame_count: 0,
            fourier: Fourier::new(has_wide_vectors()),
        }
    }

    /// Takes further samples; shows the frames that they complete to `look`.
    pub(crate) fn push(&mut self, block: &Block, mut look: impl FnMut(FrameBatch<'_>)) {
        let mut start = 0;
        while start < block.frame_count() {
            let count = (HOP - self.place).min(block.frame_count() - start);
            let columns = &mut self.columns[self.place..self.place + count];
            mean(block, start, columns, self.hop);
            start += count;
            self.place += count;
            if self.place == HOP {
                self.place = 0;
                self.hop += 1;
            }
            if self.hop == HOPS {
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
            for (place, column) in self.columns.iter_mut().enumerate() {
                let first = self.hop + usize::from(place < self.place);
                column.0[first..].fill(0.0);
            }
            self.place = 0;
            let rest = usize::try_from(frame_count - self.frame_count).unwrap_or(LANES);
            self.show(rest.min(LANES), &mut look);
        }
    }

    /// Transforms the frames that the columns hold and moves on behind them.
    fn show(&mut self, count: usize, look: &mut impl FnMut(FrameBatch<'_>)) {
        look(FrameBatch { magnitudes: self.fourier.magnitudes(&self.columns), count });
        for column in &mut self.columns {
            column.0.copy_within(LANES..HOPS, 0);
        }
        self.hop = self.hop.saturating_sub(LANES);
        self.frame_count += count as u64;
    }
}

/// Writes the mean of the channels from frame `start` on into a hop of the columns, in `f32` and from
/// the first channel on, as librosa does.
fn mean(block: &Block, start: usize, columns: &mut [Column], hop: usize) {
    let frames = start..start + columns.len();
    let plane = |channel: usize| &block.plane(channel)[frames.clone()];
    match block.channel_count() {
        0 => {}
        1 => {
            for (column, &sample) in columns.iter_mut().zip(plane(0)) {
                column.0[hop] = sample;
            }
        }
        2 => {
            let (left, right) = (plane(0), plane(1));
            for (column, (left, right)) in columns.iter_mut().zip(left.iter().zip(right)) {
                column.0[hop] = (left + right) * 0.5;
            }
        }
        channel_count => {
            let planes: Vec<&[f32]> = (0..channel_count).map(plane).collect();
            for (frame, column) in columns.iter_mut().enumerate() {
                let sum: f32 = planes.iter().map(|plane| plane[frame]).sum();
                column.0[hop] = sum / channel_count as f32;
            }
        }
    }
}
