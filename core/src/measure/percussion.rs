//! How much of the energy is harmonic, how much percussive.
//!
//! What sounds steadily draws horizontal lines into a spectrogram, a hit a vertical one. Of every
//! cell, the median of [`WINDOW`] frames says how steady it is, that of as many frequencies how
//! struck; their squares share the cell's magnitude out.
//!
//! Source: D. Fitzgerald, "Harmonic/percussive separation using median filtering", 13th Conference on
//! Digital Audio Effects, 2010, with its soft masks; borders, and cells where both medians are zero,
//! as librosa 0.11, `decompose.hpss(S, kernel_size=17)`.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use super::fourier::BINS;
use super::lanes::{LANES, Lanes, has_wide_vectors};
use super::median::{PLACES, SPAN, WINDOW, medians};
use super::stft::FrameBatch;

/// Neighbors on each side.
const REACH: usize = WINDOW / 2;

/// Groups of frequencies that are worked on together.
const GROUPS: usize = BINS.div_ceil(PLACES);

/// Batches kept: that whose medians are found, and its neighbors.
const BATCHES: usize = 3;

// Frames of a batch, and places of a block of medians, are looked at both ways.
const _: () = assert!(LANES == PLACES && LANES == REACH);

/// Eight frequencies of eight frames: `[frame]`, a lane a frequency.
type Tile = [Lanes; PLACES];

/// A batch of frames, both ways.
#[derive(Clone, Debug)]
struct Batch {
    /// `[frequency]`, a lane a frame; mirrored at both ends, as medians see it.
    by_frequency: Vec<Lanes>,
    by_frame: Vec<Tile>,
}

/// Separates the frames of a stream. Keeps three batches of them.
#[derive(Clone, Debug)]
pub(crate) struct Percussion {
    /// A ring, by the number of the batch.
    batches: [Batch; BATCHES],
    frame_count: u64,
    /// Batches whose energy is summed.
    done: u64,
    energy: Energy,
    is_wide: bool,
}

/// Energies of both parts.
#[derive(Clone, Copy, Debug, Default)]
struct Energy {
    harmonic: f64,
    percussive: f64,
}

impl Percussion {
    pub(crate) fn new() -> Self {
        let batch = Batch {
            by_frequency: vec![Lanes::default(); REACH + GROUPS * PLACES + REACH],
            by_frame: vec![Tile::default(); GROUPS],
        };
        Self {
            batches: std::array::from_fn(|_| batch.clone()),
            frame_count: 0,
            done: 0,
            energy: Energy::default(),
            is_wide: has_wide_vectors(),
        }
    }

    /// Looks at further frames. Batches are full but for the last.
    pub(crate) fn push(&mut self, frames: FrameBatch<'_>) {
        let batch = &mut self.batches[ring(self.frame_count / LANES as u64)];
        store(batch, frames.magnitudes, self.is_wide);
        self.frame_count += frames.count as u64;
        // The batch before has all its neighbors.
        if frames.count == LANES && self.frame_count >= 2 * LANES as u64 {
            self.separate(u64::MAX);
        }
    }

    /// The share of the harmonic part; `None` when there is no energy.
    pub(crate) fn finish(mut self) -> Option<f64> {
        while self.done * (LANES as u64) < self.frame_count {
            self.separate(self.frame_count);
        }
        let Energy { harmonic, percussive } = self.energy;
        let sum = harmonic + percussive;
        (sum > 0.0 && sum.is_finite()).then(|| harmonic / sum)
    }

    /// Sums the energy of the first batch that is not done, of a stream with `frame_count` frames.
    fn separate(&mut self, frame_count: u64) {
        let first = self.done * LANES as u64;
        let rows: [(usize, usize); SPAN] = std::array::from_fn(|index| {
            let frame = mirrored(first, index, frame_count);
            (ring(frame / LANES as u64), lane(frame))
        });
        let parts = separate(&self.batches, ring(self.done), &rows, self.is_wide);
        let count = (frame_count - first).min(LANES as u64);
        for lane in 0..lane_count(count) {
            self.energy.harmonic += f64::from(parts[0].0[lane]);
            self.energy.percussive += f64::from(parts[1].0[lane]);
        }
        self.done += 1;
    }
}

fn ring(batch: u64) -> usize {
    lane_count(batch % BATCHES as u64)
}

fn lane(frame: u64) -> usize {
    lane_count(frame % LANES as u64)
}

/// A number that is small by what it was made of.
fn lane_count(count: u64) -> usize {
    usize::try_from(count).expect("at most as many as lanes")
}

/// The frame that stands at place `index` of the window around the batch that begins at `first`: at
/// both ends of the stream frames follow in reverse, the outermost twice, over and over.
///
/// Source: `SciPy`, `ndimage.median_filter`, mode `reflect`.
fn mirrored(first: u64, index: usize, frame_count: u64) -> u64 {
    let (place, reach) = (first + index as u64, REACH as u64);
    // Before the first frame there are `reach` at most, behind the last as many.
    let frame = if place >= reach { place - reach } else { reach - place - 1 };
    let period = frame_count.saturating_mul(2);
    let frame = frame % period;
    if frame < frame_count { frame } else { period - 1 - frame }
}

/// Stores magnitudes both ways.
fn store(batch: &mut Batch, magnitudes: &[Lanes], is_wide: bool) {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn store_avx2(batch: &mut Batch, magnitudes: &[Lanes]) {
        store_any(batch, magnitudes);
    }
    #[cfg(target_arch = "x86_64")]
    if is_wide {
        // SAFETY: `is_wide` says that this machine has AVX2.
        unsafe { store_avx2(batch, magnitudes) };
        return;
    }
    let _ = is_wide;
    store_any(batch, magnitudes);
}

#[inline(always)]
fn store_any(batch: &mut Batch, magnitudes: &[Lanes]) {
    let values = &mut batch.by_frequency;
    values[REACH..REACH + BINS].copy_from_slice(&magnitudes[..BINS]);
    for distance in 0..REACH {
        values[REACH - 1 - distance] = values[REACH + distance];
        values[REACH + BINS + distance] = values[REACH + BINS - 1 - distance];
    }
    let (tiles, _) = values[REACH..].as_chunks::<PLACES>();
    for (tile, values) in batch.by_frame.iter_mut().zip(tiles) {
        *tile = transposed(values);
    }
}

/// The harmonic and the percussive energy of each frame of a batch.
fn separate(
    batches: &[Batch; BATCHES],
    batch: usize,
    rows: &[(usize, usize); SPAN],
    is_wide: bool,
) -> [Lanes; 2] {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn separate_avx2(
        batches: &[Batch; BATCHES],
        batch: usize,
        rows: &[(usize, usize); SPAN],
    ) -> [Lanes; 2] {
        separate_any(batches, batch, rows)
    }
    #[cfg(target_arch = "x86_64")]
    if is_wide {
        // SAFETY: `is_wide` says that this machine has AVX2.
        return unsafe { separate_avx2(batches, batch, rows) };
    }
    let _ = is_wide;
    separate_any(batches, batch, rows)
}

#[inline(always)]
fn separate_any(
    batches: &[Batch; BATCHES],
    batch: usize,
    rows: &[(usize, usize); SPAN],
) -> [Lanes; 2] {
    let mut parts = [Lanes::default(); 2];
    let magnitudes = &batches[batch].by_frequency;
    for group in 0..GROUPS {
        // A loop: `array::from_fn` of so many is a call that knows no wide vectors.
        let mut over_time = [Lanes::default(); SPAN];
        for (lanes, &(batch, frame)) in over_time.iter_mut().zip(rows) {
            *lanes = batches[batch].by_frame[group][frame];
        }
        let steady = transposed(&medians(&over_time));
        let around: &[Lanes; SPAN] = magnitudes[group * PLACES..]
            .first_chunk()
            .expect("there is a reach behind the last group");
        let struck = medians(around);
        let count = PLACES.min(BINS - group * PLACES);
        for place in 0..count {
            let [harmonic, percussive] =
                shared(around[REACH + place], steady[place], struck[place]);
            parts[0] += harmonic;
            parts[1] += percussive;
        }
    }
    parts
}

/// The energies into which two medians share a magnitude out.
#[inline(always)]
fn shared(magnitude: Lanes, steady: Lanes, struck: Lanes) -> [Lanes; 2] {
    let (a, b) = (steady * steady, struck * struck);
    let sum = a + b;
    let mask =
        Lanes(std::array::from_fn(
            |lane| {
                if sum.0[lane] > 0.0 { a.0[lane] / sum.0[lane] } else { 0.5 }
            },
        ));
    let harmonic = magnitude * mask;
    let percussive = magnitude - harmonic;
    [harmonic * harmonic, percussive * percussive]
}

/// Rows as columns: pairs, then fours, then halves change places, as vectors can.
#[inline(always)]
fn transposed(rows: &Tile) -> Tile {
    let pairs = |a: usize, b: usize| {
        let (a, b) = (&rows[a].0, &rows[b].0);
        [
            Lanes([a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5]]),
            Lanes([a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7]]),
        ]
    };
    let fours = |a: Lanes, b: Lanes| {
        let (a, b) = (a.0, b.0);
        [
            Lanes([a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5]]),
            Lanes([a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7]]),
        ]
    };
    let halves = |a: Lanes, b: Lanes| {
        let (a, b) = (a.0, b.0);
        [
            Lanes([a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]),
            Lanes([a[4], a[5], a[6], a[7], b[4], b[5], b[6], b[7]]),
        ]
    };
    let ([a, b], [c, d]) = (pairs(0, 1), pairs(2, 3));
    let ([e, f], [g, h]) = (pairs(4, 5), pairs(6, 7));
    let ([a, b], [c, d]) = (fours(a, c), fours(b, d));
    let ([e, f], [g, h]) = (fours(e, g), fours(f, h));
    let ([r0, r4], [r1, r5]) = (halves(a, e), halves(b, f));
    let ([r2, r6], [r3, r7]) = (halves(c, g), halves(d, h));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}
