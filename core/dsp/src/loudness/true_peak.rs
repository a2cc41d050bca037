//! Peaks between the samples.
//!
//! Samples are looked at in runs that lie at fixed places of the stream, so that nothing depends on how
//! it was cut into blocks. Most runs cannot hold a new peak, which two numbers of their samples show,
//! and are passed over.

use super::interpolation::{
    Bound, GROUP, Interpolator, Scout, estimate, hann_sinc, kaiser_sinc, larger, largest_lane,
};
use std::ops::Range;
use wavemill_audio::Vectors;
use wavemill_audio::units::SampleRate;

/// Frames judged together: few enough that a loud sample makes few others be looked at.
const RUN: usize = 64;

/// Taps of a phase of the precise measure, which interpolates 16 times: the filter's error stays below
/// 0.001 dB up to 0.4875 of the sample rate. With 64 taps, flat up to 0.45, a loud master with much
/// treble was measured 0.13 dB too low.
pub(crate) const PRECISE_TAPS: usize = 256;

/// Samples after a frame that the longest filter needs: so many frames late a frame is looked at.
pub(crate) const LOOK_AHEAD: usize = PRECISE_TAPS / 2;

/// Samples before a frame that may be needed: by the longest filter, for a whole group that ends with
/// the frame; a few more make the sum of both a multiple of a group.
pub(super) const LOOK_BACK: usize = PRECISE_TAPS / 2 + GROUP;

/// Runs before a run whose samples the longest filter sees.
const PARTS: usize = 2 * LOOK_AHEAD / RUN;

/// Shape of the precise filter's window: 100 dB of rejection.
/// Source: J. F. Kaiser, Nonrecursive digital filter design using the I0-sinh window function, 1974.
pub(crate) const PRECISE_BETA: f64 = 10.06;

/// Factor by which a later peak must exceed an earlier one to be looked at finely: 0.009 dB.
const PRECISE_TOLERANCE: f32 = 1.001;

/// The peaks of a stream, as amplitudes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Peaks {
    /// Largest absolute sample.
    pub(super) sample: f32,
    /// Largest value of the standard's interpolation.
    pub(super) standard: f32,
    /// Largest value of the fine interpolation.
    pub(super) precise: f32,
}

/// Finds the largest sample and the largest interpolated values of all channels.
///
/// The standard measure oversamples 4 times below 96 kHz, twice below 192 kHz and not at all above,
/// where the samples are close enough; the precise one 16 times at all rates, with a parabola through
/// the largest values.
///
/// Source: ITU-R BS.1770-5, Annex 2; the standard measure's filter (a sinc of 48 taps under a Hann
/// window) is that of `libebur128`, so that values agree with the meters built on it.
#[derive(Clone, Debug)]
pub(super) struct TruePeak {
    filters: Filters,
    peaks: Peaks,
    /// Largest value of the standard's interpolation in the present hop.
    hop_peak: f32,
    vectors: Vectors,
}

#[derive(Clone, Debug)]
struct Filters {
    standard: Standard,
    standard_bound: Bound,
    /// What shows the precise measure where to look.
    scout: Scout,
    /// What shows it more closely: every fourth phase of the precise filter.
    close: Interpolator<3, PRECISE_TAPS>,
    precise: Box<Interpolator<15, PRECISE_TAPS>>,
    precise_bound: Bound,
}

/// The standard's interpolation, 48 taps in all.
#[derive(Clone, Debug)]
enum Standard {
    Four(Interpolator<3, 12>),
    Two(Interpolator<1, 24>),
    One,
}

impl TruePeak {
    pub(super) fn new(rate: SampleRate) -> Self {
        Self {
            filters: Filters::new(rate),
            peaks: Peaks::default(),
            hop_peak: 0.0,
            vectors: Vectors::of_machine(),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.peaks = Peaks::default();
        self.hop_peak = 0.0;
    }

    /// Looks at the frames `range` of channels whose samples are `planes`, which hold [`LOOK_BACK`]
    /// more before and [`LOOK_AHEAD`] more behind.
    pub(super) fn look<'a>(
        &mut self,
        planes: impl Iterator<Item = &'a [f32]> + Clone,
        range: &Range<usize>,
    ) {
        // The samples come first: the more is known, the less must be interpolated.
        let largest = planes.clone().map(|plane| largest_of(&plane[range.clone()], self.vectors));
        let sample = largest.fold(0.0, larger);
        let mut found = Peaks {
            sample,
            standard: larger(sample, self.hop_peak),
            precise: larger(sample, self.peaks.precise),
        };
        for plane in planes {
            found = self.filters.look(plane, range, found, self.vectors);
        }
        self.hop_peak = found.standard;
        self.peaks.sample = larger(sample, self.peaks.sample);
        self.peaks.standard = larger(found.standard, self.peaks.standard);
        self.peaks.precise = found.precise;
    }

    /// The largest value of the standard's interpolation since the last call.
    pub(super) fn take_hop_peak(&mut self) -> f32 {
        std::mem::take(&mut self.hop_peak)
    }

    /// The largest so far.
    pub(super) fn peaks(&self) -> Peaks {
        self.peaks
    }
}

impl Filters {
    fn new(rate: SampleRate) -> Self {
        let kernel = |distance, half| kaiser_sinc(distance, half, PRECISE_BETA);
        let close = Interpolator::<3, PRECISE_TAPS>::new(kernel);
        let precise = Interpolator::<15, PRECISE_TAPS>::new(kernel);
        let (standard, standard_bound) = match rate.0 {
            ..96_000 => {
                let filter = Interpolator::<3, 12>::new(hann_sinc);
                let bound = filter.bound();
                (Standard::Four(filter), bound)
            }
            96_000..192_000 => {
                let filter = Interpolator::<1, 24>::new(hann_sinc);
                let bound = filter.bound();
                (Standard::Two(filter), bound)
            }
            _ => (Standard::One, Bound::NONE),
        };
        let precise_bound = precise.bound_of_tops();
        Self {
            standard,
            standard_bound,
            scout: Scout::scout(),
            close,
            precise: Box::new(precise),
            precise_bound,
        }
    }

    /// Raises the peaks `found` in earlier runs to those of a channel.
    fn look(&self, plane: &[f32], range: &Range<usize>, found: Peaks, vectors: Vectors) -> Peaks {
        match vectors {
            Vectors::Plain => self.look_at_runs(plane, range, found),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has these vectors.
            Vectors::Wide => unsafe { self.look_at_runs_avx2(plane, range, found) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has these vectors.
            Vectors::Widest => unsafe { self.look_at_runs_avx512(plane, range, found) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn look_at_runs_avx512(&self, plane: &[f32], range: &Range<usize>, found: Peaks) -> Peaks {
        self.look_at_runs(plane, range, found)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn look_at_runs_avx2(&self, plane: &[f32], range: &Range<usize>, found: Peaks) -> Peaks {
        self.look_at_runs(plane, range, found)
    }

    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn look_at_runs(&self, plane: &[f32], range: &Range<usize>, mut found: Peaks) -> Peaks {
        // Of the samples that the filters see before those that a run adds, in parts as long as a run.
        let known = range.start + LOOK_AHEAD - PARTS * RUN;
        let mut bends: [f32; PARTS] = std::array::from_fn(|part| {
            largest_bend(&plane[known + part * RUN - 2..known + (part + 1) * RUN])
        });
        for (run, first) in range.clone().step_by(RUN).enumerate() {
            let end = (first + RUN).min(range.end);
            let added = largest_bend(&plane[first + LOOK_AHEAD - 2..end + LOOK_AHEAD]);
            let bend = bends.iter().copied().fold(added, larger);
            bends[run % PARTS] = added;
            let sample = largest_magnitude(&plane[first..=end]);
            if self.may_raise(&found, sample, bend) {
                for group in (first..end).step_by(GROUP) {
                    self.look_at_group(plane, group, end, bend, &mut found);
                }
            }
        }
        found
    }

    #[inline]
    fn may_raise(&self, found: &Peaks, sample: f32, bend: f32) -> bool {
        self.standard_bound.of(sample, bend) > found.standard
            || self.precise_bound.of(sample, bend) > found.precise
    }

    /// Looks at a group of frames of which those before `end` count.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn look_at_group(&self, plane: &[f32], group: usize, end: usize, bend: f32, found: &mut Peaks) {
        // The last group is a whole one too, some of whose frames were looked at before.
        let frame = group.min(end - GROUP);
        let sample = largest_magnitude(&plane[frame..=frame + GROUP]);
        if self.standard_bound.of(sample, bend) > found.standard {
            self.look_as_standard(plane, frame, group, found);
        }
        // A steady tone reaches its peak again and again: what is hardly larger is not worth the time.
        let limit = found.precise * PRECISE_TOLERANCE;
        if self.precise_bound.of(sample, bend) > found.precise
            && estimate(&self.scout.values::<3>(0, plane, frame), plane, frame) > limit
            && self.close.close_estimate(plane, frame).0 > limit
        {
            found.precise = larger(self.precise.peak(plane, frame), found.precise);
        }
    }

    /// Raises the standard's measure to that of a group, of which the frames from `group` on count.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn look_as_standard(&self, plane: &[f32], frame: usize, group: usize, found: &mut Peaks) {
        let mut largest = [0.0f32; GROUP];
        let mut see = |values: &[f32; GROUP]| {
            for (largest, value) in largest.iter_mut().zip(values) {
                *largest = larger(value.abs(), *largest);
            }
        };
        match &self.standard {
            Standard::Four(filter) => filter.values::<3>(0, plane, frame).iter().for_each(&mut see),
            Standard::Two(filter) => filter.values::<1>(0, plane, frame).iter().for_each(&mut see),
            Standard::One => {}
        }
        // Those looked at before may belong to another hop.
        largest[..group - frame].fill(0.0);
        found.standard = larger(largest_lane(&largest), found.standard);
    }
}

/// The largest magnitude, with the machine's vectors.
fn largest_of(samples: &[f32], vectors: Vectors) -> f32 {
    match vectors {
        Vectors::Plain => largest_magnitude(samples),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has these vectors.
        Vectors::Wide | Vectors::Widest => unsafe { largest_of_avx2(samples) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn largest_of_avx2(samples: &[f32]) -> f32 {
    largest_magnitude(samples)
}

/// The largest magnitude, in lanes so that it vectorizes.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
pub(crate) fn largest_magnitude(samples: &[f32]) -> f32 {
    let mut lanes = [0.0f32; GROUP];
    let (rows, rest) = samples.as_chunks::<GROUP>();
    for row in rows {
        for (lane, sample) in lanes.iter_mut().zip(row) {
            *lane = larger(sample.abs(), *lane);
        }
    }
    rest.iter().fold(largest_lane(&lanes), |largest, sample| larger(sample.abs(), largest))
}

/// The largest magnitude of a second difference, each of three neighbors.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
pub(crate) fn largest_bend(samples: &[f32]) -> f32 {
    let bend = |a: f32, b: f32, c: f32| ((a - b) - (b - c)).abs();
    let count = samples.len() - 2;
    let mut lanes = [0.0f32; GROUP];
    let mut first = 0;
    while first + GROUP <= count {
        let row = &samples[first..][..GROUP + 2];
        for (lane, three) in lanes.iter_mut().zip(row.windows(3)) {
            *lane = larger(bend(three[0], three[1], three[2]), *lane);
        }
        first += GROUP;
    }
    samples[first..].windows(3).fold(largest_lane(&lanes), |largest, three| {
        larger(bend(three[0], three[1], three[2]), largest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn noise(count: u16) -> Vec<f32> {
        let mut state = 1u32;
        (0..count)
            .map(|frame| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5;
                noise * f32::from(frame % 5000) / 5000.0
            })
            .collect()
    }

    /// Peaks of all and of each range of `range_frames`.
    fn look(mut meter: TruePeak, plane: &[f32], range_frames: usize) -> (Peaks, Vec<u32>) {
        let padded = [&[0.0; LOOK_BACK + LOOK_AHEAD][..], plane, &[0.0; 2 * LOOK_AHEAD]].concat();
        let end = padded.len() - LOOK_AHEAD;
        let mut hop_peaks = Vec::new();
        for first in (LOOK_BACK..end).step_by(range_frames) {
            let range = first..(first + range_frames).min(end);
            meter.look(std::iter::once(&padded[..range.end + LOOK_AHEAD]), &range);
            hop_peaks.push(meter.take_hop_peak().to_bits());
        }
        (meter.peaks(), hop_peaks)
    }

    #[test]
    fn skipping_quiet_runs_changes_no_peak() {
        let plane = noise(60_000);
        for rate in [44_100, 96_000, 192_000] {
            let skipping = TruePeak::new(SampleRate(rate));
            let mut thorough = skipping.clone();
            thorough.filters.standard_bound = Bound::HUGE;
            thorough.filters.precise_bound = Bound::HUGE;
            assert_eq!(look(skipping, &plane, 441), look(thorough, &plane, 441), "{rate}");
        }
    }

    #[test]
    fn peaks_of_all_do_not_depend_on_the_ranges() {
        let plane = noise(10_000);
        let meter = TruePeak::new(SampleRate(48_000));
        let (whole, _) = look(meter.clone(), &plane, 20_000);
        for range_frames in [1, 7, 64, 333] {
            assert_eq!(look(meter.clone(), &plane, range_frames).0, whole);
        }
    }

    #[test]
    fn peaks_of_ranges_are_those_of_their_own_frames() {
        let plane = noise(3_000);
        let meter = TruePeak::new(SampleRate(48_000));
        let (_, each_frame) = look(meter.clone(), &plane, 1);
        for range_frames in [3, 10, 100] {
            let (_, peaks) = look(meter.clone(), &plane, range_frames);
            // Of positive numbers the bits are in the same order.
            let expected: Vec<u32> = each_frame
                .chunks(range_frames)
                .filter_map(|frames| frames.iter().max())
                .copied()
                .collect();
            assert_eq!(peaks, expected, "{range_frames}");
        }
    }

    #[test]
    fn vectors_of_any_width_give_the_same_peaks() {
        let plane = noise(10_000);
        for rate in [48_000, 96_000] {
            let mut meter = TruePeak::new(SampleRate(rate));
            meter.vectors = Vectors::Plain;
            let plain = look(meter.clone(), &plane, 480);
            for vectors in Vectors::available() {
                meter.vectors = vectors;
                assert_eq!(look(meter.clone(), &plane, 480), plain, "{vectors:?}");
            }
        }
    }

    /// EBU Tech 3341 allows a meter +0.2 and -0.4 dB; the precise measure promises 0.03 dB.
    #[test]
    fn precise_peak_of_sines_is_within_0_03_db_at_every_phase_up_to_0_45_of_the_rate() {
        const PRECISE_DB: f64 = 0.03;
        for step in 1..=45 {
            let frequency = f64::from(step) / 100.0;
            for phase in 0..12 {
                let phase = PI * f64::from(phase) / 12.0;
                // Faded in and out: the onset of a sine is no sine.
                let plane: Vec<f32> = (0..1200)
                    .map(|frame| {
                        let frame = f64::from(frame);
                        let fade = (frame / 500.0).min((1200.0 - frame) / 500.0).min(1.0);
                        let window = 0.5 - 0.5 * (PI * fade).cos();
                        let sample = 0.5 * window * (2.0 * PI * frequency * frame + phase).sin();
                        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                        let sample = sample as f32;
                        sample
                    })
                    .collect();
                let peak = look(TruePeak::new(SampleRate(48_000)), &plane, 480).0.precise;
                let error_db = 20.0 * (f64::from(peak) / 0.5).ln() / 10f64.ln();
                assert!(error_db.abs() < PRECISE_DB, "{frequency} {phase}: {error_db} dB");
            }
        }
    }
}
