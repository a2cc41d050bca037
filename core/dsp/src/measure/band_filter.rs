//! Splits two channels into bands.
//!
//! A band is cut out by two high-pass and two low-pass sections of the second order, whose zeros lie
//! at zero and at half the sample rate: together they have the numerator (1 - z^-2)^4. Half of it is
//! applied to the samples, once for all bands; then come the poles of the low-pass, then those of the
//! high-pass with the other half, which takes away what rounding left at zero. The gain is applied to
//! what was measured. In this form numbers inside are up to 1 / (pi f / rate)^2 times what they mean,
//! 9 million at 20 Hz of 192 kHz, which leaves an `f64` nine digits and an `f32` none.
//!
//! The bands of both channels are filtered beside each other, two sections at a time, which is what
//! the registers hold; no lane is ever added to another one. At rates so low that half of them cuts a
//! band, that band has no low-pass, and every section has its own numerator.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use super::bands::{BAND_COUNT, BANDS};
use super::quads::{Plain, Quad};
use super::sides::SideSums;
use std::f64::consts::{PI, SQRT_2};
use wavemill_audio::Vectors;
use wavemill_audio::units::{Frames, Hertz, SampleRate};

/// The first four bands of the left channel, those of the right one, and the last of both.
type Row<Q> = [Q; 3];

/// As kept between blocks.
type Stored = [f64; 4];

/// Two sections, each with its two latest numbers, the newer first.
type State<Q> = [[Row<Q>; 2]; 2];

/// Frames after which numbers too small to matter become zero. In silence they would else decay into
/// denormal numbers, which are slow, and never end.
const FLUSH_FRAMES: usize = 512;

/// State below this is zero: -2000 dB.
const STATE_MIN: f64 = 1e-100;

/// Frames that are filtered by one pair of sections before the next has its turn; their rows fit the
/// nearest cache.
const CHUNK_FRAMES: usize = 64;

/// The filters of all bands for a sample rate.
#[derive(Clone, Debug)]
pub(super) struct BandFilter {
    high_pass: Coefficients,
    low_pass: Coefficients,
    /// Whether a band lacks its low-pass.
    is_cut: bool,
    /// Of each band; 0 where it lies above half the sample rate.
    gains: [f64; BAND_COUNT],
    vectors: Vectors,
}

/// Of the first four bands of a channel, and of the last band.
type Coefficients = [Section<Stored>; 2];

#[derive(Clone, Copy, Debug, Default)]
struct Section<Q> {
    a1: Q,
    a2: Q,
    /// Used only where a band is cut.
    b1: Q,
    b2: Q,
}

/// State and results of two channels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BandSums {
    /// The two latest samples of both channels, and what the first half of the numerator made of them.
    samples: [[f64; 2]; 2],
    differences: [[f64; 2]; 2],
    low_pass: State<Stored>,
    high_pass: State<Stored>,
    energy: Row<Stored>,
    peak: Row<Stored>,
    /// Products of both channels.
    both: Stored,
    both_of_last: f64,
}

impl BandFilter {
    pub(super) fn new(rate: SampleRate) -> Self {
        let mut filter = Self {
            high_pass: Coefficients::default(),
            low_pass: Coefficients::default(),
            is_cut: false,
            gains: [0.0; BAND_COUNT],
            vectors: Vectors::of_machine(),
        };
        for (band, range) in BANDS.iter().enumerate() {
            let Some(edge) = Edge::new(range.low_hz, rate) else { continue };
            set(&mut filter.high_pass, band, &edge, -2.0);
            filter.gains[band] = edge.high_pass_gain.powi(2);
            if let Some(edge) = Edge::new(range.high_hz, rate) {
                set(&mut filter.low_pass, band, &edge, 2.0);
                filter.gains[band] *= edge.low_pass_gain.powi(2);
            }
        }
        filter.is_cut = BANDS.iter().any(|range| Edge::new(range.high_hz, rate).is_none());
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
            missing -= end - at;
            if missing == 0 {
                sums.flush();
                missing = FLUSH_FRAMES;
            }
            at = end;
        }
    }

    /// Filters equally many samples of both channels; the result is the same with any width of
    /// vectors.
    fn filter(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        match self.vectors {
            Vectors::Plain => self.filter_any::<Plain>(sums, left, right),
            // SAFETY: the machine has these registers.
            #[cfg(target_arch = "x86_64")]
            Vectors::Wide => unsafe { self.filter_avx2(sums, left, right) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Vectors::Widest => unsafe { self.filter_avx512(sums, left, right) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn filter_avx2(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        self.filter_any::<super::quads::Wide>(sums, left, right);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,avx512f,avx512vl")]
    fn filter_avx512(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        self.filter_any::<super::quads::Wide>(sums, left, right);
    }

    #[inline(always)]
    fn filter_any<Q: Quad>(&self, sums: &mut BandSums, left: &[f32], right: &[f32]) {
        let mut rows = [[Q::all(0.0); 3]; CHUNK_FRAMES];
        for (left, right) in left.chunks(CHUNK_FRAMES).zip(right.chunks(CHUNK_FRAMES)) {
            let rows = &mut rows[..left.len()];
            if self.is_cut {
                spread::<Q, true>(sums, left, right, rows);
                pass::<Q, OWN_ZEROS>(&self.low_pass, &mut sums.low_pass, rows);
                pass::<Q, OWN_ZEROS>(&self.high_pass, &mut sums.high_pass, rows);
            } else {
                spread::<Q, false>(sums, left, right, rows);
                pass::<Q, NO_ZEROS>(&self.low_pass, &mut sums.low_pass, rows);
                pass::<Q, BOTH_ZEROS>(&self.high_pass, &mut sums.high_pass, rows);
            }
            sums.add(rows);
        }
    }

    /// Sums of products of a band's two channels.
    pub(super) fn products(&self, sums: &BandSums, band: usize) -> SideSums {
        let gain = self.gains[band] * self.gains[band];
        let [left, right] = lanes(band).map(|(quad, lane)| sums.energy[quad][lane] * gain);
        let both = sums.both.get(band).unwrap_or(&sums.both_of_last) * gain;
        SideSums { left, right, both }
    }

    /// Largest absolute value of a band in either channel.
    pub(super) fn peak(&self, sums: &BandSums, band: usize) -> f64 {
        let [left, right] = lanes(band).map(|(quad, lane)| sums.peak[quad][lane]);
        left.max(right) * self.gains[band]
    }
}

/// Where a band of the left and of the right channel lies in a row.
fn lanes(band: usize) -> [(usize, usize); 2] {
    if band < 4 { [(0, band), (1, band)] } else { [(2, 0), (2, 1)] }
}

/// The samples for each band; with half of the common numerator unless every section has its own.
#[inline(always)]
fn spread<Q: Quad, const IS_CUT: bool>(
    sums: &mut BandSums,
    left: &[f32],
    right: &[f32],
    rows: &mut [Row<Q>],
) {
    let ([mut x1, mut x2], [mut d1, mut d2]) = (sums.samples, sums.differences);
    for ((row, &left), &right) in rows.iter_mut().zip(left).zip(right) {
        let mut y = [f64::from(left), f64::from(right)];
        if !IS_CUT {
            for channel in 0..2 {
                let x = y[channel];
                let difference = x - x2[channel];
                y[channel] = difference - d2[channel];
                (x2[channel], x1[channel]) = (x1[channel], x);
                (d2[channel], d1[channel]) = (d1[channel], difference);
            }
        }
        *row = [Q::all(y[0]), Q::all(y[1]), Q::from_array([y[0], y[1], 0.0, 0.0])];
    }
    (sums.samples, sums.differences) = ([x1, x2], [d1, d2]);
}

/// What a section's numerator is.
const NO_ZEROS: u8 = 0;
/// 1 - z^-2.
const BOTH_ZEROS: u8 = 1;
/// 1 + b1 z^-1 + b2 z^-2.
const OWN_ZEROS: u8 = 2;

/// Two equal sections, one after the other, in direct form II. Two frames at a time, so that the
/// older of a section's numbers is replaced where it is.
#[inline(always)]
fn pass<Q: Quad, const ZEROS: u8>(
    coefficients: &Coefficients,
    state: &mut State<Stored>,
    rows: &mut [Row<Q>],
) {
    let coefficients = [coefficients[0].vectors(), coefficients[1].vectors()];
    let mut sections = [[[Q::all(0.0); 3]; 2]; 2];
    transfer(state, &mut sections, |number| Q::from_array(*number));
    let mut pairs = rows.chunks_exact_mut(2);
    for pair in &mut pairs {
        let [first, second] = pair else { break };
        for [newer, older] in &mut sections {
            step::<Q, ZEROS>(&coefficients, newer, older, first);
        }
        for [newer, older] in &mut sections {
            step::<Q, ZEROS>(&coefficients, older, newer, second);
        }
    }
    for row in pairs.into_remainder() {
        for [newer, older] in &mut sections {
            step::<Q, ZEROS>(&coefficients, newer, older, row);
            std::mem::swap(newer, older);
        }
    }
    transfer(&sections, state, |quad| quad.into_array());
}

/// Between what is kept and registers. A loop, since the compiler would not inline the vectors'
/// instructions into the library's functions for arrays.
#[inline(always)]
fn transfer<A, B>(from: &State<A>, to: &mut State<B>, change: impl Fn(&A) -> B) {
    for section in 0..2 {
        for number in 0..2 {
            for quad in 0..3 {
                to[section][number][quad] = change(&from[section][number][quad]);
            }
        }
    }
}

/// One section and one row; the new numbers replace the older ones.
#[inline(always)]
fn step<Q: Quad, const ZEROS: u8>(
    coefficients: &[Section<Q>; 2],
    newer: &Row<Q>,
    older: &mut Row<Q>,
    row: &mut Row<Q>,
) {
    for quad in 0..row.len() {
        // Both channels have the same.
        let Section { a1, a2, b1, b2 } = coefficients[quad / 2];
        let w = row[quad].minus(a2.times(older[quad])).minus(a1.times(newer[quad]));
        row[quad] = match ZEROS {
            NO_ZEROS => w,
            BOTH_ZEROS => w.minus(older[quad]),
            _ => w.plus(b1.times(newer[quad])).plus(b2.times(older[quad])),
        };
        older[quad] = w;
    }
}

impl Section<Stored> {
    #[inline(always)]
    fn vectors<Q: Quad>(&self) -> Section<Q> {
        Section {
            a1: Q::from_array(self.a1),
            a2: Q::from_array(self.a2),
            b1: Q::from_array(self.b1),
            b2: Q::from_array(self.b2),
        }
    }
}

impl BandSums {
    #[inline(always)]
    fn add<Q: Quad>(&mut self, rows: &[Row<Q>]) {
        let mut energy = [Q::all(0.0); 3];
        let mut peak = [Q::all(0.0); 3];
        for quad in 0..3 {
            energy[quad] = Q::from_array(self.energy[quad]);
            peak[quad] = Q::from_array(self.peak[quad]);
        }
        let mut both = Q::from_array(self.both);
        for row in rows {
            for quad in 0..row.len() {
                energy[quad] = energy[quad].plus(row[quad].times(row[quad]));
                peak[quad] = peak[quad].larger(row[quad].magnitude());
            }
            both = both.plus(row[0].times(row[1]));
            let [left, right, ..] = row[2].into_array();
            self.both_of_last += left * right;
        }
        for quad in 0..3 {
            self.energy[quad] = energy[quad].into_array();
            self.peak[quad] = peak[quad].into_array();
        }
        self.both = both.into_array();
    }

    fn flush(&mut self) {
        for state in [&mut self.low_pass, &mut self.high_pass] {
            let numbers = state.as_flattened_mut().as_flattened_mut().as_flattened_mut();
            for number in numbers {
                *number = if number.abs() < STATE_MIN { 0.0 } else { *number };
            }
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

/// Makes a band's sections those of an edge; their own numerator is 1, `b1`, 1.
fn set(coefficients: &mut Coefficients, band: usize, edge: &Edge, b1: f64) {
    for (quad, lane) in lanes(band) {
        let section = &mut coefficients[quad / 2];
        section.a1[lane] = edge.a1;
        section.a2[lane] = edge.a2;
        section.b1[lane] = b1;
        section.b2[lane] = 1.0;
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
    fn every_kind_of_registers_gives_the_same_bits() {
        let [left, right] = signal(5001);
        let sums = |rate: SampleRate, vectors: Vectors| {
            let mut filter = BandFilter::new(rate);
            filter.vectors = vectors;
            let mut sums = BandSums::default();
            filter.push(&mut sums, 0, &left, Some(&right));
            (sums.energy, sums.peak, sums.both, sums.both_of_last)
        };
        if Vectors::of_machine() == Vectors::Plain {
            println!("skipped: this machine has registers of one kind");
        }
        for rate in [SampleRate(8000), SampleRate(44_100)] {
            let plain = sums(rate, Vectors::Plain);
            for vectors in Vectors::available() {
                assert_eq!(sums(rate, vectors), plain, "{rate} {vectors:?}");
            }
        }
    }

    #[test]
    fn silence_after_sound_ends_in_zeros() {
        let [left, right] = signal(5000);
        let filter = BandFilter::new(SampleRate(44_100));
        let mut sums = BandSums::default();
        filter.push(&mut sums, 0, &left, Some(&right));
        filter.push(&mut sums, 5000, &vec![0.0; 500_000], None);
        for state in [sums.low_pass, sums.high_pass] {
            assert_eq!(state, State::<Stored>::default());
        }
    }
}
