//! Values between samples, by polyphase filters.

use super::true_peak::{CHUNK_FRAMES, WINDOW};
use std::f64::consts::PI;

/// Finds values at `factor` places from each sample to the next.
///
/// A value at frame `t` and phase `p` lies at time `t + p / factor`.
#[derive(Clone, Debug)]
pub(super) struct Interpolator {
    factor: usize,
    /// `[phase][tap]`, the newest sample first; the phase that falls on the samples is left out.
    phases: Vec<Vec<f32>>,
    tap_count: usize,
}

/// Share of the curvature (the second difference of 4 times interpolated values) by which the truth may
/// exceed them. A parabola's top lies an eighth above; at 0.45 of the sample rate the short filter
/// falls short by 0.43 dB, which is another eighth; the rest is room.
const CURVATURE_SHARE: f32 = 0.4;

/// A sinc under a Hann window.
pub(super) fn hann_sinc(distance: f64, half: f64) -> f64 {
    0.5 * (1.0 + (PI * distance / half).cos()) * sinc(distance)
}

/// A sinc under a Kaiser window.
pub(super) fn kaiser_sinc(distance: f64, half: f64, beta: f64) -> f64 {
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

impl Interpolator {
    /// `tap_count` is that of each phase; `kernel` is a windowed sinc, of the distance from its middle and
    /// of half its length, both in samples.
    pub(super) fn new(factor: usize, tap_count: usize, kernel: impl Fn(f64, f64) -> f64) -> Self {
        let half = tap_count as f64 / 2.0;
        let tap = |phase: usize, age: usize| {
            let distance = phase as f64 / factor as f64 + age as f64 - half;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let tap = kernel(distance, half) as f32;
            tap
        };
        let phases =
            (1..factor).map(|phase| (0..tap_count).map(|age| tap(phase, age)).collect()).collect();
        Self { factor, phases, tap_count }
    }

    /// Factor by which an interpolated value can exceed the samples it is made of.
    pub(super) fn overshoot_max(&self) -> f32 {
        let sum = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        self.phases.iter().map(sum).fold(1.0, f32::max)
    }

    /// All phases' values from `COUNT` frames on, the first of which is `samples[lead]`; as many
    /// phases as `PHASES`.
    fn values<const PHASES: usize, const COUNT: usize>(
        &self,
        first_phase: usize,
        samples: &[f32; WINDOW],
        lead: usize,
        is_wide: bool,
    ) -> [[f32; COUNT]; PHASES] {
        let newest = lead + self.tap_count / 2;
        let taps = std::array::from_fn(|index| &self.phases[first_phase + index][..]);
        #[cfg(target_arch = "x86_64")]
        if is_wide {
            // SAFETY: `is_wide` says that this machine has AVX2.
            return unsafe { convolve_avx2(taps, samples, newest) };
        }
        let _ = is_wide;
        convolve(taps, samples, newest)
    }

    /// The largest magnitude between each frame and the next; the first frame is `samples[lead]`.
    pub(super) fn largest(
        &self,
        samples: &[f32; WINDOW],
        lead: usize,
        is_wide: bool,
    ) -> [f32; CHUNK_FRAMES] {
        let mut largest = [0.0f32; CHUNK_FRAMES];
        for phase in 0..self.phases.len() {
            let [values] = self.values::<1, CHUNK_FRAMES>(phase, samples, lead, is_wide);
            for (largest, value) in largest.iter_mut().zip(values) {
                *largest = if value.abs() > *largest { value.abs() } else { *largest };
            }
        }
        largest
    }

    /// What the signal may reach between each frame and the next, judged by 4 times interpolated
    /// values: the largest of them, and more where they are curved.
    ///
    /// # Panics
    /// When this interpolates another number of times: that is a bug of the caller.
    pub(super) fn bounds(
        &self,
        samples: &[f32; WINDOW],
        lead: usize,
        is_wide: bool,
    ) -> [f32; CHUNK_FRAMES] {
        assert_eq!(self.factor, 4, "the curvature's share holds for 4 times");
        let [a, b, c] = self.values::<3, CHUNK_FRAMES>(0, samples, lead, is_wide);
        std::array::from_fn(|frame| {
            let (first, last) = (samples[lead + frame], samples[lead + frame + 1]);
            let row = [first, a[frame], b[frame], c[frame], last];
            let magnitude = row
                .iter()
                .fold(0.0f32, |max, value| if value.abs() > max { value.abs() } else { max });
            let curvature = |i: usize| (row[i - 1] - 2.0 * row[i] + row[i + 1]).abs();
            let curved = curvature(1).max(curvature(2)).max(curvature(3));
            magnitude + CURVATURE_SHARE * curved
        })
    }

    /// The largest magnitude from frame `samples[lead]` to the `COUNT`th frame after it, where a
    /// parabola through neighboring values has its top.
    ///
    /// # Panics
    /// When this interpolates another number of times than 16: that is a bug of the caller.
    pub(super) fn peak<const COUNT: usize>(
        &self,
        samples: &[f32; WINDOW],
        lead: usize,
        is_wide: bool,
    ) -> f32 {
        assert_eq!(self.factor, 16, "three times five phases");
        let mut row = [[0.0f32; COUNT]; 17];
        row[0].copy_from_slice(&samples[lead..lead + COUNT]);
        for first in [0, 5, 10] {
            let values = self.values::<5, COUNT>(first, samples, lead, is_wide);
            row[first + 1..first + 6].copy_from_slice(&values);
        }
        row[16].copy_from_slice(&samples[lead + 1..=lead + COUNT]);
        let mut largest = 0.0f32;
        for frame in 0..COUNT {
            let at = |index: usize| row[index][frame].abs();
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn convolve_avx2<const PHASES: usize, const COUNT: usize>(
    taps: [&[f32]; PHASES],
    samples: &[f32; WINDOW],
    newest: usize,
) -> [[f32; COUNT]; PHASES] {
    convolve(taps, samples, newest)
}

/// Several phases at a time, so that sums wait less for each other.
#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn convolve<const PHASES: usize, const COUNT: usize>(
    taps: [&[f32]; PHASES],
    samples: &[f32; WINDOW],
    newest: usize,
) -> [[f32; COUNT]; PHASES] {
    let mut sums = [[0.0f32; COUNT]; PHASES];
    let tap_count = taps.first().map_or(0, |taps| taps.len());
    let taps = taps.map(|taps| &taps[..tap_count]);
    for age in 0..tap_count {
        let row = &samples[newest - age..][..COUNT];
        for (sums, taps) in sums.iter_mut().zip(&taps) {
            for (sum, sample) in sums.iter_mut().zip(row) {
                *sum += taps[age] * sample;
            }
        }
    }
    sums
}

/// Height of a parabola through three values at equal distances, the middle one the largest.
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
        let standard = Interpolator::new(4, 12, hann_sinc);
        let precise =
            Interpolator::new(16, 64, |distance, half| kaiser_sinc(distance, half, 10.06));
        for (interpolator, tolerance) in [(standard, 0.01), (precise, 1e-4)] {
            assert_eq!(interpolator.phases.len(), interpolator.factor - 1);
            for taps in &interpolator.phases {
                let sum: f32 = taps.iter().sum();
                assert!((sum - 1.0).abs() < tolerance, "{sum}");
            }
        }
    }

    #[test]
    fn parabola_finds_its_own_top() {
        // 1 - (x - 0.2)^2 at -1, 0 and 1.
        let at = |x: f32| 1.0 - (x - 0.2) * (x - 0.2);
        assert!((top(at(-1.0), at(0.0), at(1.0)) - 1.0).abs() < 1e-6);
        assert!((top(1.0, 1.0, 1.0) - 1.0).abs() < 1e-6);
    }
}
