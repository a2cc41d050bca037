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

    pub(super) fn factor(&self) -> usize {
        self.factor
    }

    /// Factor by which an interpolated value can exceed the samples it is made of.
    pub(super) fn overshoot_max(&self) -> f32 {
        let sum = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        self.phases.iter().map(sum).fold(1.0, f32::max)
    }

    /// Raises `values` to the largest magnitude between each frame and the next; the first frame is
    /// `samples[lead]`.
    pub(super) fn largest(
        &self,
        samples: &[f32; WINDOW],
        lead: usize,
        values: &mut [f32; CHUNK_FRAMES],
        is_wide: bool,
    ) {
        for taps in &self.phases {
            let sums = self.sums::<CHUNK_FRAMES>(taps, samples, lead, is_wide);
            for (value, sum) in values.iter_mut().zip(sums) {
                *value = if sum.abs() > *value { sum.abs() } else { *value };
            }
        }
    }

    /// The largest magnitude from frame `samples[lead]` to the `COUNT`th frame after it, where a
    /// parabola through neighboring values has its top.
    pub(super) fn peak<const COUNT: usize>(
        &self,
        samples: &[f32; WINDOW],
        lead: usize,
        is_wide: bool,
    ) -> f32 {
        // Two neighbors to compare with at the beginning: none before the first frame is known.
        let mut before = [f32::INFINITY; COUNT];
        let mut middle: [f32; COUNT] = std::array::from_fn(|frame| samples[lead + frame].abs());
        let mut largest = middle.iter().fold(0.0f32, |a, &b| a.max(b));
        let ends = std::array::from_fn(|frame| samples[lead + frame + 1]);
        let phases =
            self.phases.iter().map(|taps| self.sums::<COUNT>(taps, samples, lead, is_wide));
        for after in phases.chain(std::iter::once(ends)) {
            for frame in 0..COUNT {
                let after = after[frame].abs();
                let is_top = middle[frame] >= before[frame] && middle[frame] >= after;
                if is_top && before[frame].is_finite() {
                    largest = largest.max(top(before[frame], middle[frame], after));
                }
                largest = largest.max(after);
                before[frame] = middle[frame];
                middle[frame] = after;
            }
        }
        largest
    }

    /// One phase's values.
    fn sums<const COUNT: usize>(
        &self,
        taps: &[f32],
        samples: &[f32; WINDOW],
        lead: usize,
        is_wide: bool,
    ) -> [f32; COUNT] {
        let newest = lead + self.tap_count / 2;
        #[cfg(target_arch = "x86_64")]
        if is_wide {
            // SAFETY: `is_wide` says that this machine has AVX2.
            return unsafe { convolve_avx2(taps, samples, newest) };
        }
        let _ = is_wide;
        convolve(taps, samples, newest)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn convolve_avx2<const COUNT: usize>(
    taps: &[f32],
    samples: &[f32; WINDOW],
    newest: usize,
) -> [f32; COUNT] {
    convolve(taps, samples, newest)
}

#[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
#[inline(always)]
fn convolve<const COUNT: usize>(
    taps: &[f32],
    samples: &[f32; WINDOW],
    newest: usize,
) -> [f32; COUNT] {
    let mut sums = [0.0f32; COUNT];
    for (age, &tap) in taps.iter().enumerate() {
        let row = &samples[newest - age..][..COUNT];
        for (sum, sample) in sums.iter_mut().zip(row) {
            *sum += tap * sample;
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
