//! Where a channel exceeds the ceiling between its samples, and by how much.

use super::line::{GROUPS, RUN};
use crate::loudness::interpolation::{
    Bound, GROUP, Interpolator, Scout, estimate, hann_sinc, kaiser_sinc, larger,
};
use crate::loudness::true_peak::{PRECISE_BETA, largest_bend, largest_magnitude};
use wavemill_audio::Vectors;
use wavemill_audio::units::SampleRate;

/// An estimate further above the ceiling than this factor needs no closer look: the ceiling is exceeded,
/// and the estimate is at most 0.3 % too high.
const CERTAIN: f32 = 1.01;

/// Rate from which on the standard's measure has less than four times oversampling; its filter is then
/// long enough to agree with the precise one.
const STANDARD_BELOW: SampleRate = SampleRate(96_000);

/// Taps of the precise filter: flat up to 0.475 of the sample rate. Twice as many delay the stream by
/// twice as much; half as many left music 0.06 dB above the ceiling.
const TAPS: usize = 128;

/// Taps of the filter that the precise one is compared with.
const SHORTER_TAPS: usize = TAPS / 2;

/// Shape of its window: 65 dB of rejection, flat up to 0.465 of the sample rate.
const SHORTER_BETA: f64 = 6.2;

/// The peaks of groups that exceed a ceiling, with the filters of the loudness meter.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    /// As an amplitude.
    ceiling: f32,
    /// The standard's measure; `None` where that is not 4 times interpolated.
    coarse: Option<Interpolator<3, 12>>,
    scout: Scout,
    close: Interpolator<3, TAPS>,
    /// What shows where filters disagree: half as long as the precise one.
    shorter: Interpolator<1, SHORTER_TAPS>,
    precise: Box<Interpolator<15, TAPS>>,
    bound: Bound,
    vectors: Vectors,
}

/// The largest second differences of the parts of a channel that the next run sees as well, so that
/// none is computed twice.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bends {
    /// Of the [`Detector::BEHIND`] samples before the last as many, and of those.
    before: f32,
    last: f32,
}

impl Bends {
    /// Takes the samples that a run is looked at with, and gives the largest of all.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn push(&mut self, samples: &[f32]) -> f32 {
        // Two samples more than a part: each difference is one of three neighbors.
        let new = &samples[samples.len() - RUN - 2..];
        let middle = new.len() - RUN / 2;
        let (first, second) = (largest_bend(&new[..middle]), largest_bend(&new[middle - 2..]));
        let before = larger(self.before, self.last);
        // What came before a part of it is the first part of the next.
        *self = Self { before: first, last: second };
        larger(before, larger(first, second))
    }
}

impl Detector {
    /// Frames before the first that are needed.
    pub(super) const BEFORE: usize = TAPS / 2 + 1;

    /// Frames behind the last that are needed.
    pub(super) const BEHIND: usize = TAPS / 2;

    pub(super) fn new(rate: SampleRate, ceiling: f32) -> Self {
        let kernel = |distance, half| kaiser_sinc(distance, half, PRECISE_BETA);
        let precise = Interpolator::<15, TAPS>::new(kernel);
        Self {
            ceiling,
            coarse: (rate < STANDARD_BELOW).then(|| Interpolator::new(hann_sinc)),
            scout: Scout::scout(),
            close: Interpolator::new(kernel),
            shorter: Interpolator::new(|distance, half| kaiser_sinc(distance, half, SHORTER_BETA)),
            bound: precise.bound_of_tops(),
            precise: Box::new(precise),
            vectors: Vectors::of_machine(),
        }
    }

    /// Raises `peaks` to the true peaks of the groups from `samples[first]` on, where those exceed the
    /// ceiling.
    pub(super) fn look(
        &self,
        samples: &[f32],
        first: usize,
        bends: &mut Bends,
        peaks: &mut [f32; GROUPS],
    ) {
        let samples = &samples[first - Self::BEFORE..first + RUN + Self::BEHIND];
        match self.vectors {
            Vectors::Plain => self.look_at_run(samples, bends, peaks),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has these vectors.
            Vectors::Wide => unsafe { self.look_at_run_avx2(samples, bends, peaks) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the machine has these vectors.
            Vectors::Widest => unsafe { self.look_at_run_avx512(samples, bends, peaks) },
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn look_at_run_avx512(&self, samples: &[f32], bends: &mut Bends, peaks: &mut [f32; GROUPS]) {
        self.look_at_run(samples, bends, peaks);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn look_at_run_avx2(&self, samples: &[f32], bends: &mut Bends, peaks: &mut [f32; GROUPS]) {
        self.look_at_run(samples, bends, peaks);
    }

    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn look_at_run(&self, samples: &[f32], bends: &mut Bends, peaks: &mut [f32; GROUPS]) {
        let bend = bends.push(samples);
        let of_run = largest_magnitude(&samples[Self::BEFORE..=Self::BEFORE + RUN]);
        if self.bound.of(of_run, bend) <= self.ceiling {
            return;
        }
        for (group, peak) in peaks.iter_mut().enumerate() {
            let frame = Self::BEFORE + group * GROUP;
            let sample = largest_magnitude(&samples[frame..=frame + GROUP]);
            if self.bound.of(sample, bend) > self.ceiling {
                *peak = larger(self.peak(samples, frame), *peak);
            }
        }
    }

    /// The true peak of a group, or zero where it does not exceed the ceiling.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn peak(&self, samples: &[f32], frame: usize) -> f32 {
        let standard = self.standard(samples, frame);
        let scouted = estimate(&self.scout.values::<3>(0, samples, frame), samples, frame);
        if larger(standard, scouted) <= self.ceiling {
            return 0.0;
        }
        let (close, middle) = self.close.close_estimate(samples, frame);
        let exceeds = standard > self.ceiling
            || close > CERTAIN * self.ceiling
            || (close > self.ceiling && self.precise.peak(samples, frame) > self.ceiling);
        if !exceeds {
            return 0.0;
        }
        // Where the signal reaches up to half its sample rate, interpolation depends on the filter, most
        // half a sample from any sample. What two filters differ by is added: filters of 256 taps then
        // find white noise at most 0.1 dB above the ceiling. It costs a tone at 0.475 of the sample rate
        // 0.23 dB, below 0.465 nothing.
        let [shorter] = self.shorter.values::<1>(0, samples, frame);
        let mut difference = 0.0;
        for (long, short) in middle.iter().zip(&shorter) {
            difference = larger((long - short).abs(), difference);
        }
        larger(close + difference, standard)
    }

    /// What the standard's own interpolation finds, whose short filter reads some signals higher than the
    /// truth: a file that is delivered is measured with it.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn standard(&self, samples: &[f32], frame: usize) -> f32 {
        let Some(coarse) = &self.coarse else { return 0.0 };
        let coarse = coarse.values::<3>(0, samples, frame);
        let largest = |row: &[f32; GROUP]| largest_magnitude(row);
        larger(larger(largest(&coarse[0]), largest(&coarse[1])), largest(&coarse[2]))
    }
}
