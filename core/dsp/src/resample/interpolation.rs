//! The second step of ratios that transforms are slow with: a short filter at any place.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use super::filter::LowPass;
use super::plan::Ratio;
use super::products::{self, Rows, TAPS, Taps};
use super::sample::{Real, Sample, convert};
#[cfg(target_arch = "x86_64")]
use wavemill_audio::Vectors;
use wavemill_audio::units::Frames;

/// Rows of the table per sample. Between rows a cubic through four of them is off by less than
/// `3 / 128 (pi / ROWS)^4 / 5` of the peak, that is -199 dB (the remainder of Lagrange's formula).
const ROWS: usize = 256;

/// Reads a signal at places that are exact fractions.
pub(super) struct Interpolator<T: Real> {
    /// Row `r` is the filter of a place `(r - 1) / ROWS` of a sample after the middle.
    table: Vec<Taps<T>>,
    /// Signal of each channel; `[channel][frame]`.
    planes: Vec<Vec<T>>,
    /// Frames in the planes.
    filled: usize,
    place: Place,
    first_place: Place,
    /// From one output frame to the next.
    stride: Place,
    rest: Ratio,
    lead_frames: usize,
    output_frames_max: usize,
}

/// Where an output frame is: its filter begins at sample `whole` of the planes, and the frame is
/// `part / rest.up` of a sample after the filter's middle.
#[derive(Clone, Copy, Debug)]
struct Place {
    whole: usize,
    part: u64,
}

impl Place {
    /// The place `stride` later, where a sample has `parts` parts.
    #[inline(always)]
    fn after(self, stride: Self, parts: u64) -> Self {
        let part = self.part + stride.part;
        let carries = part >= parts;
        Self {
            whole: self.whole + stride.whole + usize::from(carries),
            part: if carries { part - parts } else { part },
        }
    }
}

impl<T: Real> Interpolator<T> {
    /// Reads what a first step with `filter` at the ratio `near` delivers in pieces of `step` frames,
    /// at the ratio `rest`.
    pub(super) fn new(
        filter: &LowPass,
        near: Ratio,
        rest: Ratio,
        step: usize,
        channel_count: usize,
    ) -> Self {
        // What the first step rings before the signal is read too: its output begins that much earlier.
        let (up, down) = (Frames(near.up).as_usize(), Frames(near.down).as_usize());
        let leads = TAPS.div_ceil(up);
        let first_place = Place { whole: leads * up - (TAPS / 2 - 1), part: 0 };
        let capacity = first_place.whole + TAPS + step;
        Self {
            table: table(&filter.beyond(near.factor())),
            planes: vec![vec![T::zero(); capacity]; channel_count],
            filled: 0,
            place: first_place,
            first_place,
            stride: Place {
                whole: Frames(rest.down / rest.up).as_usize(),
                part: rest.down % rest.up,
            },
            rest,
            lead_frames: leads * down,
            output_frames_max: Frames(rest.output_length(capacity as u64)).as_usize() + 1,
        }
    }

    /// Frames of silence that the first step has to be fed before the signal.
    pub(super) fn lead_frames(&self) -> usize {
        self.lead_frames
    }

    /// The most frames that become available at once.
    pub(super) fn output_frames_max(&self) -> usize {
        self.output_frames_max
    }

    /// Drops what no later frame needs and returns the planes to append `frames` to.
    pub(super) fn append(&mut self, frames: usize) -> impl Iterator<Item = &mut [T]> {
        let (old, dropped) = (self.filled, self.place.whole.min(self.filled));
        self.place.whole -= dropped;
        self.filled = old - dropped + frames;
        let new = old - dropped..self.filled;
        self.planes.iter_mut().map(move |plane| {
            plane.copy_within(dropped..old, 0);
            &mut plane[new.clone()]
        })
    }

    /// Frames whose filters are covered.
    pub(super) fn available(&self) -> usize {
        let Some(room) = (self.filled + 1).checked_sub(TAPS + self.place.whole) else { return 0 };
        let parts = room as u64 * self.rest.up;
        Frames(parts.saturating_sub(self.place.part).div_ceil(self.rest.down)).as_usize()
    }

    /// Fills a plane of each channel.
    pub(super) fn pull<'a, S: Sample>(&mut self, mut planes: impl Iterator<Item = &'a mut [S]>) {
        let first = self.place;
        for channel in (0..self.planes.len()).step_by(2) {
            // The filters are made anew for each pair: they stay in registers, and to keep those of a
            // whole piece takes more memory than the second-level caches have.
            self.place = first;
            let Some(left) = planes.next() else { break };
            let odd: &mut [S] = &mut [];
            self.fill(channel, left, planes.next().unwrap_or(odd));
        }
    }

    /// Fills two channels; the second one is empty where there is none.
    fn fill<S: Sample>(&mut self, channel: usize, left: &mut [S], right: &mut [S]) {
        #[cfg(target_arch = "x86_64")]
        if Vectors::of_machine().have_fused_products() {
            // SAFETY: the features were detected.
            return unsafe { self.fill_fused(channel, left, right) };
        }
        self.fill_with(channel, left, right, products::any);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn fill_fused<S: Sample>(&mut self, channel: usize, left: &mut [S], right: &mut [S]) {
        // SAFETY: this function has the features too.
        self.fill_with(channel, left, right, |rows, weights, signals| unsafe {
            T::products_fused(rows, weights, signals)
        });
    }

    #[inline(always)]
    fn fill_with<S: Sample>(
        &mut self,
        channel: usize,
        left: &mut [S],
        right: &mut [S],
        products: impl Fn(&Rows<T>, [T; 4], [&Taps<T>; 2]) -> [T; 2],
    ) {
        #[expect(clippy::cast_precision_loss, reason = "parts are below 2^40")]
        let rows_per_part = ROWS as f64 / self.rest.up as f64;
        let one = &self.planes[channel];
        let other = self.planes.get(channel + 1).unwrap_or(one);
        let mut rights = right.iter_mut();
        for sample in left {
            #[expect(clippy::cast_precision_loss, reason = "parts are below 2^40")]
            let row = self.place.part as f64 * rows_per_part;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in the table"
            )]
            let index = row as usize;
            let (Some(rows), Some(one), Some(other)) = (
                self.table[index..].first_chunk(),
                one[self.place.whole..].first_chunk(),
                other[self.place.whole..].first_chunk(),
            ) else {
                return;
            };
            let sums = products(rows, weights(row - index as f64), [one, other]);
            *sample = convert(sums[0]);
            if let Some(sample) = rights.next() {
                *sample = convert(sums[1]);
            }
            self.place = self.place.after(self.stride, self.rest.up);
        }
    }

    pub(super) fn reset(&mut self) {
        self.filled = 0;
        self.place = self.first_place;
    }
}

/// What four rows count for the filter `place` of a row after the second of them.
///
/// Source: Lagrange's interpolation formula for the nodes -1, 0, 1, 2.
#[inline(always)]
fn weights<T: Real>(place: f64) -> [T; 4] {
    let x = place;
    [
        -x * (x - 1.0) * (x - 2.0) / 6.0,
        (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
        -(x + 1.0) * x * (x - 2.0) / 2.0,
        (x + 1.0) * x * (x - 1.0) / 6.0,
    ]
    .map(convert::<f64, T>)
}

fn table<T: Real>(filter: &LowPass) -> Vec<Taps<T>> {
    let kernel = filter.kernel((TAPS / 2) as f64);
    let row = |row: usize| {
        let place = (row as f64 - 1.0) / ROWS as f64;
        let middle = (TAPS / 2 - 1) as f64;
        std::array::from_fn(|tap| convert(kernel.at(tap as f64 - middle - place)))
    };
    // A row before the first and two after the last: each place lies between the middle two of four.
    (0..ROWS + 3).map(row).collect()
}
