//! A filter of second order, on two channels at a time.

use wavemill_effect::lanes::F64x2;
use wavemill_effect::math;

/// Two channels' samples of one frame: one register of two `f64`.
pub(crate) type Pair = [f64; 2];

/// What a section remembers of two channels.
pub(crate) type State = [Pair; 2];

/// `H(z) = (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coefficients {
    /// Numerator.
    pub(crate) b: [f64; 3],
    /// Denominator from `a1` on.
    pub(crate) a: [f64; 2],
}

impl Coefficients {
    /// Returns its input.
    pub(crate) const IDENTITY: Self = Self { b: [1.0, 0.0, 0.0], a: [0.0, 0.0] };

    /// Of a numerator and a denominator that still has its `a0`.
    pub(crate) fn normalized(b: [f64; 3], a: [f64; 3]) -> Self {
        let scale = 1.0 / a[0];
        Self { b: b.map(|b| b * scale), a: [a[1] * scale, a[2] * scale] }
    }

    /// With the output multiplied by `gain_lin`.
    pub(crate) fn scaled(self, gain_lin: f64) -> Self {
        Self { b: self.b.map(|b| b * gain_lin), a: self.a }
    }

    /// Each coefficient of this one and of another, combined.
    pub(crate) fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            b: core::array::from_fn(|i| f(self.b[i], other.b[i])),
            a: core::array::from_fn(|i| f(self.a[i], other.a[i])),
        }
    }

    /// Radius of the pole that is farther out, below 1; 0 for no pole.
    pub(crate) fn pole_radius(&self) -> f64 {
        let [a1, a2] = self.a;
        let discriminant = a1 * a1 - 4.0 * a2;
        if discriminant < 0.0 {
            math::sqrt(a2)
        } else {
            0.5 * (a1.abs() + math::sqrt(discriminant))
        }
    }

    /// Gain at the frequency of the pole, in dB: how loud it can ring.
    pub(crate) fn resonance_db(&self) -> f64 {
        let [a1, a2] = self.a;
        let radius = self.pole_radius();
        if radius == 0.0 {
            return 0.0;
        }
        let cos = (-a1 / (2.0 * radius)).clamp(-1.0, 1.0);
        let [b0, b1, b2] = self.b;
        let gain = power(b0, b1, b2, cos) / power(1.0, a1, a2, cos);
        math::amplitude_to_db(math::sqrt(gain))
    }
}

/// `|c0 + c1 z + c2 z^2|^2` on the unit circle where the cosine of the angle is `cos`.
fn power(c0: f64, c1: f64, c2: f64, cos: f64) -> f64 {
    let cos_twice = 2.0 * cos * cos - 1.0;
    let power =
        c0 * c0 + c1 * c1 + c2 * c2 + 2.0 * (c0 + c2) * c1 * cos + 2.0 * c0 * c2 * cos_twice;
    // Rounding can leave a notch's zero a hair below zero.
    if power > 1e-30 { power } else { 1e-30 }
}

/// A filter that stays as it is, with its first coefficient taken out: `H(z) = scale (1 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 +
/// a2 z^-2)`. Scales of a whole chain are one multiplication at its end instead of one each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    b: [f64; 2],
    a: [f64; 2],
    pub(crate) scale: f64,
}

impl Steady {
    /// Of a filter whose `b0` is not zero, as that of every shape is.
    pub(crate) fn of(c: &Coefficients) -> Self {
        let [scale, b1, b2] = c.b;
        Self { b: [b1 / scale, b2 / scale], a: c.a, scale }
    }
}

/// Runs `N` sections in a row over the frames; what comes out is to be multiplied by their scales.
///
/// All sections work on a frame before the next frame comes: each waits only for its own last state, so
/// the processor overlaps section `k` of one frame with section `k - 1` of the next. One section after another
/// over the whole block waits for every sum instead and takes several times as long.
///
/// Transposed direct form II in `f64`: two states, and no noise that `f32` could hold.
#[inline]
pub(crate) fn run<const N: usize>(
    frames: &mut [Pair],
    filters: &[Steady; N],
    states: &mut [State; N],
) {
    let b = filters.map(|filter| filter.b.map(F64x2::splat));
    let a = filters.map(|filter| filter.a.map(F64x2::splat));
    let mut kept = states.map(|state| state.map(F64x2::new));
    let mut step = |frame: &mut Pair| {
        let mut x = F64x2::new(*frame);
        for ((b, a), state) in b.iter().zip(&a).zip(&mut kept) {
            let y = x + state[0];
            state[0] = (b[0] * x + state[1]) - a[0] * y;
            state[1] = b[1] * x - a[1] * y;
            x = y;
        }
        *frame = x.to_array();
    };
    // Four frames a turn: in the sandbox each turn looks at the clock and puts all states into memory for that.
    let (tiles, rest) = frames.as_chunks_mut();
    for [one, two, three, four] in tiles {
        step(one);
        step(two);
        step(three);
        step(four);
    }
    rest.iter_mut().for_each(step);
    *states = kept.map(|state| state.map(F64x2::to_array));
}

/// As [`run`] with one section whose coefficients change by `slope` after each frame. Returns the coefficients
/// for the frame that follows.
pub(crate) fn run_gliding(
    frames: &mut [Pair],
    from: Coefficients,
    slope: Coefficients,
    state: &mut State,
) -> Coefficients {
    let mut now = from;
    let mut kept = state.map(F64x2::new);
    for frame in frames {
        *frame = Filter::of(&now).step(&mut kept, F64x2::new(*frame)).to_array();
        now = now.zip(slope, |value, slope| value + slope);
    }
    *state = kept.map(F64x2::to_array);
    now
}

/// Coefficients for two channels at once.
#[derive(Clone, Copy)]
struct Filter {
    b: [F64x2; 3],
    a: [F64x2; 2],
}

impl Filter {
    #[inline]
    fn of(c: &Coefficients) -> Self {
        Self { b: c.b.map(F64x2::splat), a: c.a.map(F64x2::splat) }
    }

    #[inline]
    fn step(&self, state: &mut [F64x2; 2], x: F64x2) -> F64x2 {
        let y = self.b[0] * x + state[0];
        state[0] = (self.b[1] * x + state[1]) - self.a[0] * y;
        state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}
