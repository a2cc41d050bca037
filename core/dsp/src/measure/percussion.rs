//! How much of the energy is harmonic, how much percussive.
//!
//! What sounds steadily draws horizontal lines into a spectrogram, a hit a vertical one. Of every
//! cell, the median of [`WINDOW`] frames says how steady it is, that of as many frequencies how
//! struck; their squares share the cell's magnitude out.
//!
//! Every second frame is looked at: then a median spans as much time as the paper's, whose frames are
//! as far apart, at the cost of half of them.
//!
//! Source: D. Fitzgerald, "Harmonic/percussive separation using median filtering", 13th Conference on
//! Digital Audio Effects, 2010, with its soft masks; borders, and cells where both medians are zero,
//! as librosa 0.11, `decompose.hpss(stft(y, n_fft=2048, hop_length=1024), kernel_size=17)`.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use super::fourier::BINS;
use super::lanes::{LANES, Lanes};
use super::median::{PLACES, SPAN, WINDOW, medians};
use super::stft::FrameBatch;
use wavemill_audio::Vectors;

/// Neighbors on each side.
const REACH: usize = WINDOW / 2;

/// Groups of frequencies that are worked on together.
const GROUPS: usize = BINS.div_ceil(PLACES);

/// Batches kept: that whose medians are found, and its neighbors.
const BATCHES: usize = 3;

/// Of so many frames one is looked at.
const STRIDE: usize = 2;

/// Frames that a [`FrameBatch`] adds.
const SHARE: usize = LANES / STRIDE;

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
    /// Frames looked at.
    frame_count: u64,
    /// Batches whose energy is summed.
    done: u64,
    energy: Energy,
    vectors: Vectors,
}

/// Energies of both parts.
#[derive(Clone, Copy, Debug, Default)]
struct Energy {
    harmonic: f64,
    percussive: f64,
}

impl Percussion {
    pub(crate) fn new() -> Self {
        Self::with(Vectors::of_machine())
    }

    fn with(vectors: Vectors) -> Self {
        let batch = Batch {
            by_frequency: vec![Lanes::default(); REACH + GROUPS * PLACES + REACH],
            by_frame: vec![Tile::default(); GROUPS],
        };
        Self {
            batches: std::array::from_fn(|_| batch.clone()),
            frame_count: 0,
            done: 0,
            energy: Energy::default(),
            vectors,
        }
    }

    /// Looks at further frames. Those that come together are [`LANES`] but for the last.
    pub(crate) fn push(&mut self, frames: FrameBatch<'_>) {
        let batch = &mut self.batches[ring(self.frame_count / LANES as u64)];
        let first = lane(self.frame_count);
        for (kept, magnitudes) in batch.by_frequency[REACH..].iter_mut().zip(frames.magnitudes) {
            for share in 0..SHARE {
                kept.0[first + share] = magnitudes.0[STRIDE * share];
            }
        }
        self.frame_count += frames.count.div_ceil(STRIDE) as u64;
        if frames.count == LANES && lane(self.frame_count) == 0 {
            complete(batch, self.vectors);
            // The batch before has all its neighbors.
            if self.frame_count > LANES as u64 {
                self.separate(u64::MAX);
            }
        }
    }

    /// The share of the harmonic part; `None` when there is no energy.
    pub(crate) fn finish(mut self) -> Option<f64> {
        if lane(self.frame_count) > 0 {
            complete(&mut self.batches[ring(self.frame_count / LANES as u64)], self.vectors);
        }
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
        let rows: Rows = std::array::from_fn(|index| {
            let frame = mirrored(first, index, frame_count);
            (ring(frame / LANES as u64), lane(frame))
        });
        let parts = separate(&self.batches, ring(self.done), &rows, self.vectors);
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

/// Mirrors the magnitudes of a batch and puts them the other way too.
fn complete(batch: &mut Batch, vectors: Vectors) {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn complete_avx2(batch: &mut Batch) {
        complete_any(batch);
    }
    match vectors {
        Vectors::Plain => complete_any(batch),
        // SAFETY: the machine has these registers.
        #[cfg(target_arch = "x86_64")]
        Vectors::Wide | Vectors::Widest => unsafe { complete_avx2(batch) },
    }
}

#[inline(always)]
fn complete_any(batch: &mut Batch) {
    let values = &mut batch.by_frequency;
    for distance in 0..REACH {
        values[REACH - 1 - distance] = values[REACH + distance];
        values[REACH + BINS + distance] = values[REACH + BINS - 1 - distance];
    }
    let (tiles, _) = values[REACH..].as_chunks::<PLACES>();
    for (tile, values) in batch.by_frame.iter_mut().zip(tiles) {
        *tile = transposed(values);
    }
}

/// Where each row of the windows of a batch lies: its batch in the ring, and its frame there.
type Rows = [(usize, usize); SPAN];

/// The harmonic and the percussive energy of each frame of a batch; the same with any registers.
fn separate(batches: &[Batch; BATCHES], batch: usize, rows: &Rows, vectors: Vectors) -> [Lanes; 2] {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn separate_avx2(batches: &[Batch; BATCHES], batch: usize, rows: &Rows) -> [Lanes; 2] {
        separate_any(batches, batch, rows)
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,avx512f,avx512vl")]
    fn separate_avx512(batches: &[Batch; BATCHES], batch: usize, rows: &Rows) -> [Lanes; 2] {
        separate_any(batches, batch, rows)
    }
    match vectors {
        Vectors::Plain => separate_any(batches, batch, rows),
        // SAFETY: the machine has these registers.
        #[cfg(target_arch = "x86_64")]
        Vectors::Wide => unsafe { separate_avx2(batches, batch, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Vectors::Widest => unsafe { separate_avx512(batches, batch, rows) },
    }
}

#[inline(always)]
fn separate_any(batches: &[Batch; BATCHES], batch: usize, rows: &Rows) -> [Lanes; 2] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_registers_gives_the_same_bits() {
        let kinds = Vectors::available();
        if kinds.len() < 2 {
            println!("skipped: this machine has registers of one kind");
        }
        let mut state = 1u32;
        let batches: Vec<Vec<Lanes>> = (0..9)
            .map(|_| {
                let mut next = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    f32::from(u16::try_from(state >> 16).unwrap())
                };
                (0..BINS).map(|_| Lanes(std::array::from_fn(|_| next()))).collect()
            })
            .collect();
        let ratio = |vectors: Vectors| {
            let mut percussion = Percussion::with(vectors);
            for (index, magnitudes) in batches.iter().enumerate() {
                let count = if index == 8 { 3 } else { LANES };
                percussion.push(FrameBatch { magnitudes, count });
            }
            percussion.finish().unwrap().to_bits()
        };
        for kind in kinds {
            assert_eq!(ratio(kind), ratio(Vectors::Plain), "{kind:?}");
        }
    }

    #[test]
    fn frames_before_and_behind_follow_in_reverse() {
        let seen = |first: u64, frame_count: u64| -> Vec<u64> {
            (0..SPAN).map(|index| mirrored(first, index, frame_count)).collect()
        };
        assert_eq!(seen(0, 100)[..10], [7, 6, 5, 4, 3, 2, 1, 0, 0, 1]);
        assert_eq!(seen(8, 20)[16..], [16, 17, 18, 19, 19, 18, 17, 16]);
        assert_eq!(seen(0, 1), [0; SPAN]);
        assert_eq!(seen(0, 2)[4..14], [0, 1, 1, 0, 0, 1, 1, 0, 0, 1]);
    }
}
