//! Values between samples, by polyphase filters, and what they can be at most.

use std::f64::consts::PI;

/// Frames that are interpolated together: enough that the sums of one wait for those of others.
pub(crate) const GROUP: usize = 8;

/// Finds values at `PHASES` places between each sample and the next.
///
/// A value at frame `t` and phase `p`, counted from 1, lies at time `t + p / (PHASES + 1)`; the phase
/// that falls on the samples is left out.
#[derive(Clone, Debug)]
pub(crate) struct Interpolator<const PHASES: usize, const TAPS: usize> {
    /// `[phase][tap]`, the oldest sample first.
    phases: [[f32; TAPS]; PHASES],
}

/// What bounds interpolated values: their magnitude is at most `straight` times the larger of both
/// samples around them plus `curved` times the largest second difference of the samples that the
/// filter sees. Music moves slowly against its sample rate: this bound is a few percent above the
/// samples where the sum of the taps' magnitudes says 86 %.
///
/// Any filter is a straight line between both samples plus a weighted sum of second differences: the
/// weights are what is left of the taps, summed twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    straight: f32,
    curved: f32,
}

impl Bound {
    /// Of values that nobody looks for.
    pub(crate) const NONE: Self = Self { straight: 0.0, curved: 0.0 };

    /// Of values that are never passed over.
    #[cfg(test)]
    pub(crate) const HUGE: Self = Self { straight: 1e30, curved: 1e30 };

    /// Holds whatever the samples are.
    pub(crate) fn of(self, sample_max: f32, second_difference_max: f32) -> f32 {
        // The smallest normal number, where rounding is no longer a share of the value.
        self.straight * sample_max + (self.curved * second_difference_max + f32::MIN_POSITIVE)
    }
}

/// Rounding of a sum of products in `f32` stays far below this share.
const ROUNDING_MARGIN: f64 = 1.0001;

/// Taps of a phase of the filter that [`estimate`] looks through, and the shape of its window: in the middle
/// between two samples it falls short by 0.07 dB at 0.44 of the sample rate and by 0.41 dB at 0.449, and of 4,000
/// signals made of noise, tones and impulses below that none reached 0.02 dB above its estimate. The standard's 12
/// taps miss 3.8 and 5.0 dB there: through them a peak 0.08 dB above a ceiling was passed over, and one measured
/// 0.32 dB too low.
const SCOUT_TAPS: usize = 24;
const SCOUT_BETA: f64 = 4.5;

/// Share of the curvature (the second difference of 4 times interpolated values) by which the truth may
/// exceed them. A sine's top lies up to 0.14 of it above at 0.45 of the sample rate; the rest is room for
/// several, and for what the filter falls short by.
const CURVATURE_SHARE: f32 = 0.25;

/// What shows where a closer look is needed, at any rate: 4 times.
pub(crate) type Scout = Interpolator<3, SCOUT_TAPS>;

/// A sinc under a Hann window.
pub(crate) fn hann_sinc(distance: f64, half: f64) -> f64 {
    0.5 * (1.0 + (PI * distance / half).cos()) * sinc(distance)
}

/// A sinc under a Kaiser window.
pub(crate) fn kaiser_sinc(distance: f64, half: f64, beta: f64) -> f64 {
    let inside = (1.0 - (distance / half).powi(2)).max(0.0).sqrt();
    bessel_i0(beta * inside) / bessel_i0(beta) * sinc(distance)
}

fn sinc(distance: f64) -> f64 {
    if distance == 0.0 { 1.0 } else { (PI * distance).sin() / (PI * distance) }
}

/// Modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..60 {
        let half = x / (2.0 * f64::from(k));
        term *= half * half;
        sum += term;
    }
    sum
}

impl<const PHASES: usize, const TAPS: usize> Interpolator<PHASES, TAPS> {
    /// Samples before a frame that its values need.
    pub(crate) const BEFORE: usize = TAPS / 2 - 1;

    /// `kernel` is a windowed sinc, of the distance from its middle and of half its length, both in
    /// samples.
    pub(crate) fn new(kernel: impl Fn(f64, f64) -> f64) -> Self {
        let half = TAPS as f64 / 2.0;
        let tap = |phase: usize, index: usize| {
            let distance =
                (phase + 1) as f64 / (PHASES + 1) as f64 + (TAPS - 1 - index) as f64 - half;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let tap = kernel(distance, half) as f32;
            tap
        };
        let phase = |phase| std::array::from_fn(|index| tap(phase, index));
        Self { phases: std::array::from_fn(phase) }
    }

    /// What bounds the values of all phases.
    pub(crate) fn bound(&self) -> Bound {
        let mut straight = 1.0f64;
        let mut curved = 0.0f64;
        for taps in &self.phases {
            let (ends, bends) = decomposed(taps);
            straight = straight.max(ends);
            curved = curved.max(bends.iter().map(|bend| bend.abs()).sum());
        }
        Bound::rounded(straight, curved)
    }

    /// What bounds the tops of parabolas through the values of neighboring phases too.
    pub(crate) fn bound_of_tops(&self) -> Bound {
        let Bound { straight, curved } = self.bound();
        let mut bends: Vec<Vec<f64>> = self.phases.iter().map(|taps| decomposed(taps).1).collect();
        // On the samples nothing bends.
        bends.insert(0, vec![0.0; TAPS]);
        bends.push(vec![0.0; TAPS]);
        let of = |three: &[Vec<f64>]| -> f64 {
            (0..TAPS).map(|i| (three[0][i] - 2.0 * three[1][i] + three[2][i]).abs()).sum()
        };
        let curvature = bends.windows(3).map(of).fold(0.0, f64::max);
        // See `top`: no more than an eighth of the values' second difference above the largest.
        Bound::rounded(straight.into(), f64::from(curved) + curvature / 8.0)
    }

    /// Values of `COUNT` phases from `first_phase` on at [`GROUP`] frames, the first of which is
    /// `samples[frame]`.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    pub(crate) fn values<const COUNT: usize>(
        &self,
        first_phase: usize,
        samples: &[f32],
        frame: usize,
    ) -> [[f32; GROUP]; COUNT] {
        let samples = &samples[frame - Self::BEFORE..][..TAPS - 1 + GROUP];
        let phases: &[[f32; TAPS]; COUNT] =
            self.phases[first_phase..].first_chunk().expect("as many phases");
        let mut sums = [[0.0f32; GROUP]; COUNT];
        // From the newest sample to the oldest.
        for index in (0..TAPS).rev() {
            let row = &samples[index..][..GROUP];
            for (sums, taps) in sums.iter_mut().zip(phases) {
                for (sum, sample) in sums.iter_mut().zip(row) {
                    *sum += taps[index] * sample;
                }
            }
        }
        sums
    }
}

impl<const PHASES: usize, const TAPS: usize> Interpolator<PHASES, TAPS> {
    /// The opposite of [`Self::values`]: adds to samples what values between them, times `share`, come to
    /// at them.
    pub(crate) fn spread(
        &self,
        values: &[[f32; GROUP]; PHASES],
        share: f32,
        samples: &mut [f32],
        frame: usize,
    ) {
        let samples = &mut samples[frame - Self::BEFORE..][..TAPS - 1 + GROUP];
        for (taps, row) in self.phases.iter().zip(values) {
            for (lane, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                for (sample, tap) in samples[lane..].iter_mut().zip(taps) {
                    *sample += share * value * tap;
                }
            }
        }
    }
}

impl Scout {
    /// The filter for [`estimate`].
    pub(crate) fn scout() -> Self {
        Self::new(|distance, half| kaiser_sinc(distance, half, SCOUT_BETA))
    }
}

impl Bound {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is allowed for")]
    fn rounded(straight: f64, curved: f64) -> Self {
        let (straight, curved) = (straight * ROUNDING_MARGIN, curved * ROUNDING_MARGIN);
        Self { straight: straight as f32, curved: curved as f32 }
    }
}

/// A filter as a straight line between the samples around its middle, whose ends' magnitudes are
/// summed, and as weights of the second differences that its taps span.
fn decomposed<const TAPS: usize>(taps: &[f32; TAPS]) -> (f64, Vec<f64>) {
    let first = TAPS / 2 - 1;
    let mut rest: Vec<f64> = taps.iter().map(|&tap| f64::from(tap)).collect();
    let sum: f64 = rest.iter().sum();
    let moment: f64 = rest.iter().enumerate().map(|(i, tap)| tap * (i as f64 - first as f64)).sum();
    let (before, after) = (sum - moment, moment);
    rest[first] -= before;
    rest[first + 1] -= after;
    for _ in 0..2 {
        let mut total = 0.0;
        for value in &mut rest {
            total += *value;
            *value = total;
        }
    }
    (before.abs() + after.abs(), rest)
}

/// What the signal may reach between each of [`GROUP`] frames and the next, judged by the [`Scout`]'s
/// values: the largest of them, and more where they are curved. The first frame is `samples[frame]`.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
pub(crate) fn estimate(values: &[[f32; GROUP]; 3], samples: &[f32], frame: usize) -> f32 {
    let (first, last) = (&samples[frame..][..GROUP], &samples[frame + 1..][..GROUP]);
    let mut estimates = [0.0f32; GROUP];
    for lane in 0..GROUP {
        let row = [first[lane], values[0][lane], values[1][lane], values[2][lane], last[lane]];
        let magnitude = row.iter().fold(0.0f32, |max, value| larger(value.abs(), max));
        let curvature = |i: usize| (row[i - 1] - 2.0 * row[i] + row[i + 1]).abs();
        let curved = larger(larger(curvature(1), curvature(2)), curvature(3));
        estimates[lane] = magnitude + CURVATURE_SHARE * curved;
    }
    largest_lane(&estimates)
}

/// How much higher a sine's top lies above its largest value than a parabola's: this share of the
/// parabola's part, for each unit of the values' second difference over their size. Solved for 4 values
/// between samples up to 0.45 of the sample rate.
const SINE_SHARE: f32 = 0.2;

/// Share of the second difference by which several sines together may exceed that.
const SEVERAL_SHARE: f32 = 0.002;

impl<const TAPS: usize> Interpolator<3, TAPS> {
    /// What the signal may reach around [`GROUP`] frames, from an eighth of a sample before the first
    /// on; with as many taps as the fine filter, of which this has every fourth phase, this is nearly
    /// what that finds, in a quarter of the time. The values in the middle between samples come with it.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    pub(crate) fn close_estimate(&self, samples: &[f32], frame: usize) -> (f32, [f32; GROUP]) {
        // The last place before each frame, and the three behind it.
        let [before] = self.values::<1>(2, samples, frame - 1);
        let [a, b, c] = self.values::<3>(0, samples, frame);
        let (at, after) = (&samples[frame..][..GROUP], &samples[frame + 1..][..GROUP]);
        let mut estimates = [0.0f32; GROUP];
        for lane in 0..GROUP {
            let row = [before[lane], at[lane], a[lane], b[lane], c[lane], after[lane]];
            for i in 1..5 {
                let estimate = sine_top(row[i - 1], row[i], row[i + 1]);
                estimates[lane] = larger(estimate, estimates[lane]);
            }
        }
        (largest_lane(&estimates), b)
    }
}

impl<const TAPS: usize> Interpolator<15, TAPS> {
    /// The largest magnitude from frame `samples[frame]` to the [`GROUP`]th frame after it, where a
    /// parabola through neighboring values has its top.
    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    pub(crate) fn peak(&self, samples: &[f32], frame: usize) -> f32 {
        let mut row = [[0.0f32; GROUP]; 17];
        row[0].copy_from_slice(&samples[frame..][..GROUP]);
        for first in [0, 5, 10] {
            let values = self.values::<5>(first, samples, frame);
            row[first + 1..first + 6].copy_from_slice(&values);
        }
        row[16].copy_from_slice(&samples[frame + 1..][..GROUP]);
        let mut largest = 0.0f32;
        for lane in 0..GROUP {
            let at = |index: usize| row[index][lane].abs();
            let top_index = (0..row.len())
                .fold(0, |best, index| if at(index) > at(best) { index } else { best });
            let is_inside = top_index > 0 && top_index < 16;
            let value = if is_inside {
                top(at(top_index - 1), at(top_index), at(top_index + 1))
            } else {
                at(top_index)
            };
            largest = largest.max(value);
        }
        largest
    }
}

/// The larger of two numbers that are not NaN: a comparison, because `f32::max` must look for NaN.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
pub(crate) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The largest of some magnitudes.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
pub(crate) fn largest_lane(lanes: &[f32; GROUP]) -> f32 {
    let [a, b, c, d, e, f, g, h] = *lanes;
    let half = [larger(a, e), larger(b, f), larger(c, g), larger(d, h)];
    larger(larger(half[0], half[2]), larger(half[1], half[3]))
}

/// Height of a sine, and a little more, through three values of which the middle one is the largest
/// magnitude; that value itself where it is not.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn sine_top(before: f32, middle: f32, after: f32) -> f32 {
    let size = middle.abs();
    let bend = (middle - before + (middle - after)).abs();
    let slope = after - before;
    // Were the top not here, the parabola's part would be large and mean nothing.
    let is_top = before.abs() <= size && after.abs() <= size && bend > 0.0;
    let above = slope * slope / (8.0 * if is_top { bend } else { 1.0 });
    let correction = SINE_SHARE * bend / larger(size, f32::MIN_POSITIVE);
    if is_top { size + above * (1.0 + correction) + SEVERAL_SHARE * bend } else { size }
}

/// Height of a parabola through three values at equal distances, the middle one the largest: at most
/// an eighth of their second difference above it.
fn top(before: f32, middle: f32, after: f32) -> f32 {
    let curvature = (middle - before) + (middle - after);
    if curvature <= 0.0 {
        return middle;
    }
    let slope = after - before;
    middle + slope * slope / (8.0 * curvature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_passes_a_constant() {
        let standard = Interpolator::<3, 12>::new(hann_sinc);
        let precise =
            Interpolator::<15, 64>::new(|distance, half| kaiser_sinc(distance, half, 10.06));
        let is_one = |sum: f32, tolerance: f32| assert!((sum - 1.0).abs() < tolerance, "{sum}");
        standard.phases.iter().for_each(|taps| is_one(taps.iter().sum(), 0.01));
        precise.phases.iter().for_each(|taps| is_one(taps.iter().sum(), 1e-4));
    }

    #[test]
    fn parabola_finds_its_own_top() {
        // 1 - (x - 0.2)^2 at -1, 0 and 1.
        let at = |x: f32| 1.0 - (x - 0.2) * (x - 0.2);
        assert!((top(at(-1.0), at(0.0), at(1.0)) - 1.0).abs() < 1e-6);
        assert!((top(1.0, 1.0, 1.0) - 1.0).abs() < 1e-6);
    }

    /// The samples that make a filter's value largest for their own largest second difference: the
    /// signs of the taps, smoothed more and more.
    fn hard_samples<const TAPS: usize>(taps: &[f32; TAPS], smoothings: usize) -> Vec<f32> {
        let mut samples: Vec<f32> = vec![0.0; TAPS / 2 - 1];
        samples.extend(taps.map(f32::signum));
        samples.extend(vec![0.0; TAPS]);
        for _ in 0..smoothings {
            samples = (0..samples.len())
                .map(|i| {
                    let at = |i: usize| samples.get(i).copied().unwrap_or_default();
                    0.25 * at(i.wrapping_sub(1)) + 0.5 * at(i) + 0.25 * at(i + 1)
                })
                .collect();
        }
        samples
    }

    fn assert_bounded<const PHASES: usize, const TAPS: usize>(
        filter: &Interpolator<PHASES, TAPS>,
        largest: impl Fn(&[f32], usize) -> f32,
        bound: Bound,
    ) {
        let frame = TAPS - 2;
        let mut closest = 0.0f32;
        for taps in &filter.phases {
            for smoothings in 0..6 {
                let samples = hard_samples(taps, smoothings);
                let sample_max =
                    samples[frame..=frame + GROUP].iter().fold(0.0f32, |a, &b| a.max(b.abs()));
                let bends = samples.windows(3).map(|three| three[0] - 2.0 * three[1] + three[2]);
                let bend_max = bends.fold(0.0f32, |a, b| a.max(b.abs()));
                let limit = bound.of(sample_max, bend_max);
                let value = largest(&samples, frame);
                assert!(value <= limit, "{value} {limit}");
                closest = closest.max(value / limit);
            }
        }
        assert!(closest > 0.75, "the bound says something: {closest}");
    }

    #[test]
    fn interpolated_values_stay_within_their_bound() {
        let standard = Interpolator::<3, 12>::new(hann_sinc);
        let largest = |samples: &[f32], frame: usize| {
            let values = standard.values::<3>(0, samples, frame);
            values.iter().flatten().fold(0.0f32, |a, &b| a.max(b.abs()))
        };
        assert_bounded(&standard, largest, standard.bound());
        let precise =
            Interpolator::<15, 64>::new(|distance, half| kaiser_sinc(distance, half, 10.06));
        assert_bounded(
            &precise,
            |samples, frame| precise.peak(samples, frame),
            precise.bound_of_tops(),
        );
    }

    /// What the closer estimate passes over, the fine filter would not find much larger: 0.1 % is 0.009 dB.
    #[test]
    fn close_estimate_is_hardly_below_what_the_fine_filter_finds() {
        let kernel = |distance, half| kaiser_sinc(distance, half, 10.06);
        let close = Interpolator::<3, 64>::new(kernel);
        let fine = Interpolator::<15, 64>::new(kernel);
        for step in 1..=45u8 {
            for other in [0.0, 0.1, 0.5] {
                // A sine, and a quieter one as high as the measure goes.
                let sample = |frame: u16| {
                    let frame = f64::from(frame);
                    let sine = |share: f64| (2.0 * PI * share * frame + f64::from(step)).sin();
                    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                    let sample = (sine(f64::from(step) / 100.0) + other * sine(0.449)) as f32;
                    sample
                };
                let samples: Vec<f32> = (0..1000).map(sample).collect();
                let largest = |of: &dyn Fn(usize) -> f32| {
                    (100..800).step_by(GROUP).map(of).fold(0.0f32, f32::max)
                };
                let estimate = largest(&|frame| close.close_estimate(&samples, frame).0);
                let found = largest(&|frame| fine.peak(&samples, frame));
                assert!(estimate > 0.999 * found, "{step} {other}: {estimate} {found}");
                assert!(estimate < 1.003 * found, "{step} {other}: {estimate} {found}");
            }
        }
    }
}
