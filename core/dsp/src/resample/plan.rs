//! How a ratio of rates is reached: the sizes of the transforms, and whether one step is enough.

use super::{Quality, ResampleError};
use wavemill_audio::units::SampleRate;

/// Largest transform: what 8 to 655 kHz takes in one step. In `f64` it fills a megabyte.
const SIZE_MAX: usize = 1 << 16;

/// Widest ratio of two rates, either way. 8 to 655 kHz is 82.
pub(super) const RATIO_MAX: u32 = 128;

/// Largest number in the ratio of a first step's rates.
const NEAR_TERM_MAX: usize = 160;

/// Rate between the two steps, at least, as a multiple of the lower of the two rates. With 2 the second
/// step's filter may fall from a quarter to three quarters of that rate, so that it is short.
const NEAR_RATE_MIN: f64 = 2.0;

/// Two rates without common factors: `down` input frames last as long as `up` output frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    pub(super) up: u64,
    pub(super) down: u64,
}

impl Ratio {
    pub(super) fn new(up: u64, down: u64) -> Self {
        let common = greatest_common_divisor(up, down);
        Self { up: up / common, down: down / common }
    }

    /// Output frames of `frames` input frames, to the nearest, halves up.
    pub(super) fn output_length(self, frames: u64) -> u64 {
        let doubled = 2 * u128::from(frames) * u128::from(self.up) + u128::from(self.down);
        u64::try_from(doubled / (2 * u128::from(self.down))).unwrap_or(u64::MAX)
    }

    /// Output frames per input frame.
    #[expect(clippy::cast_precision_loss, reason = "rates are below 2^53")]
    pub(super) fn factor(self) -> f64 {
        self.up as f64 / self.down as f64
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The pieces that a signal is transformed in. All counts of frames; the output's are exactly as long
/// in time as the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Size of the transform, and of the one back.
    pub(super) input_size: usize,
    pub(super) output_size: usize,
    /// Frames from the start of a piece to the first that is right.
    pub(super) input_guard: usize,
    pub(super) output_guard: usize,
    /// Frames that are right, by which the next piece begins later.
    pub(super) input_step: usize,
    pub(super) output_step: usize,
}

impl Shape {
    /// The cheapest for a filter of `reach` input frames to each side; `None` when the ratio has
    /// factors or sizes that transforms are slow with.
    pub(super) fn cheapest(ratio: Ratio, reach: f64) -> Option<Self> {
        let up = usize::try_from(ratio.up).ok().filter(|&up| up <= SIZE_MAX)?;
        let down = usize::try_from(ratio.down).ok().filter(|&down| down <= SIZE_MAX)?;
        transform_cost(up)?;
        transform_cost(down)?;
        (2..=SIZE_MAX / up.max(down))
            .filter_map(|multiple| {
                let shape = Self::new(up, down, multiple, reach)?;
                Some((shape.cost()?, shape))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, shape)| shape)
    }

    fn new(up: usize, down: usize, multiple: usize, reach: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some thousand"
        )]
        let reach = reach.ceil() as usize;
        let guard = reach.div_ceil(down);
        let step = (multiple * down).checked_sub(guard * down + reach)? / down;
        (step > 0).then_some(Self {
            input_size: multiple * down,
            output_size: multiple * up,
            input_guard: guard * down,
            output_guard: guard * up,
            input_step: step * down,
            output_step: step * up,
        })
    }

    /// Arithmetic per frame, of input and output alike; `None` for sizes that are slow.
    fn cost(&self) -> Option<f64> {
        let transforms = transform_cost(self.input_size)? + transform_cost(self.output_size)?;
        Some(transforms / (self.input_step + self.output_step) as f64)
    }
}

/// What a prime factor of a transform's size costs, a 2 being one. The others take more arithmetic per
/// frame than their logarithm says, and fewer of them have kernels of their own in `rustfft`.
const FACTOR_COSTS: [(usize, f64); 4] = [(2, 1.0), (3, 1.7), (5, 2.8), (7, 4.0)];

/// Cost of reading, packing and writing a frame, in the unit of [`FACTOR_COSTS`].
const FRAME_COST: f64 = 3.0;

/// Size from which a transform and its tables leave the nearer caches, and what each doubling costs.
const CACHED_SIZE: usize = 8192;
const UNCACHED_COST: f64 = 1.0;

/// What a transform of `size` costs; `None` unless all prime factors are among [`FACTOR_COSTS`].
fn transform_cost(size: usize) -> Option<f64> {
    let mut rest = size;
    let mut per_frame = FRAME_COST;
    for (factor, cost) in FACTOR_COSTS {
        while rest.is_multiple_of(factor) {
            rest /= factor;
            per_frame += cost;
        }
    }
    let doublings = (size as f64 / CACHED_SIZE as f64).log2().max(0.0);
    (rest == 1).then_some(size as f64 * (per_frame + UNCACHED_COST * doublings))
}

/// The way from one rate to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Route {
    /// One step.
    Direct(Shape),
    /// A step to a near rate, and an interpolation from there at `rest`.
    Near { shape: Shape, near: Ratio, rest: Ratio },
}

impl Route {
    pub(super) fn new(
        input: SampleRate,
        output: SampleRate,
        quality: Quality,
    ) -> Result<Self, ResampleError> {
        check(input, output)?;
        let (from, to) = (u64::from(input.0), u64::from(output.0));
        let ratio = Ratio::new(to, from);
        let reach = quality.low_pass(ratio).reach();
        if let Some(shape) = Shape::cheapest(ratio, reach) {
            return Ok(Self::Direct(shape));
        }
        let (near, shape) =
            near_rate(ratio, reach).ok_or(ResampleError::Ratio { input, output })?;
        Ok(Self::Near { shape, near, rest: Ratio::new(to * near.down, from * near.up) })
    }
}

fn check(input: SampleRate, output: SampleRate) -> Result<(), ResampleError> {
    let (low, high) = (input.0.min(output.0), input.0.max(output.0));
    if low == 0 || high / low > RATIO_MAX || (high / low == RATIO_MAX && high % low > 0) {
        return Err(ResampleError::Ratio { input, output });
    }
    if low == high {
        return Err(ResampleError::SameRate { rate: input });
    }
    Ok(())
}

/// The cheapest first step whose rate is at least [`NEAR_RATE_MIN`] times the lower rate.
fn near_rate(ratio: Ratio, reach: f64) -> Option<(Ratio, Shape)> {
    let least = NEAR_RATE_MIN * ratio.factor().min(1.0);
    let candidates = (1..=NEAR_TERM_MAX).filter_map(|down| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few hundred")]
        let up = (least * down as f64).ceil() as usize;
        // Wider than needed costs more in both steps; a little wider is a rounder ratio.
        let is_close = up as f64 / down as f64 <= 1.25 * least;
        let near = Ratio::new(up as u64, down as u64);
        let is_new = near.down == down as u64;
        let shape = (is_close && is_new).then(|| Shape::cheapest(near, reach))??;
        Some((shape.cost()? * (1.0 + near.factor()), near, shape))
    });
    candidates.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, near, shape)| (near, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(input: u32, output: u32) -> Route {
        Route::new(SampleRate(input), SampleRate(output), Quality::Best).unwrap()
    }

    #[test]
    fn usual_rates_take_one_step_whose_overlap_is_a_period_on_each_side() {
        for (input, output, period) in
            [(44_100, 48_000, 147), (48_000, 44_100, 160), (96_000, 44_100, 320)]
        {
            let Route::Direct(shape) = route(input, output) else { panic!("{input} to {output}") };
            assert_eq!(shape.input_guard, period);
            assert_eq!(shape.input_size - shape.input_step, 2 * period);
            assert!(shape.input_size <= CACHED_SIZE && shape.output_size <= CACHED_SIZE);
        }
    }

    #[test]
    fn rates_with_large_primes_take_two_steps_that_make_the_ratio() {
        for (input, output) in
            [(44_100, 44_056), (655_350, 8_000), (8_000, 655_350), (48_000, 44_101)]
        {
            let Route::Near { near, rest, .. } = route(input, output) else {
                panic!("{input} to {output}")
            };
            assert_eq!(Ratio::new(near.up * rest.up, near.down * rest.down), {
                Ratio::new(output.into(), input.into())
            });
            let near_rate = near.factor() * f64::from(input);
            let lower = f64::from(input.min(output));
            assert!(near_rate >= 2.0 * lower && near_rate <= 2.5 * lower, "{near_rate} Hz");
        }
    }

    #[test]
    fn every_rate_within_the_limit_has_a_route() {
        let rates =
            [1_000, 8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000, 655_350];
        let odd = [1_009, 7_919, 44_056, 47_952, 65_537, 131_071, 524_287];
        for &input in rates.iter().chain(&odd) {
            for &output in rates.iter().chain(&odd) {
                let found = Route::new(SampleRate(input), SampleRate(output), Quality::Best);
                let is_far = input.max(output) > RATIO_MAX * input.min(output);
                assert_eq!(found.is_ok(), input != output && !is_far, "{input} to {output}");
            }
        }
    }
}
