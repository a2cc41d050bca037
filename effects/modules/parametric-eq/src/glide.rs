//! Values that move to their target in a straight line, without steps.

use crate::biquad::{Coefficients, Steady};

/// Coefficients on their way. A line between two stable denominators stays stable: the stable ones are a
/// triangle in the plane of `a1` and `a2`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glide {
    /// For the next frame.
    pub(crate) now: Coefficients,
    /// What it moves by each frame.
    pub(crate) slope: Coefficients,
    target: Coefficients,
    /// The target, for when it is reached.
    pub(crate) steady: Steady,
    /// Frames until it arrives.
    left: usize,
}

impl Glide {
    const STILL: Coefficients = Coefficients { b: [0.0; 3], a: [0.0; 2] };

    /// Resting at `target`.
    pub(crate) fn at(target: Coefficients) -> Self {
        let steady = Steady::of(&target);
        Self { now: target, slope: Self::STILL, target, steady, left: 0 }
    }

    /// Whether it has yet to arrive.
    pub(crate) fn is_moving(&self) -> bool {
        self.left > 0
    }

    /// Turns to another target, to arrive in `frames`.
    pub(crate) fn turn_to(&mut self, target: Coefficients, frames: usize) {
        if target == self.target {
            return;
        }
        let share = 1.0 / frames as f64;
        self.slope = target.zip(self.now, |target, now| (target - now) * share);
        self.target = target;
        self.left = frames;
    }

    /// `frames` have passed and led to `now`; it arrives exactly.
    pub(crate) fn advance(&mut self, frames: usize, now: Coefficients) {
        self.left = self.left.saturating_sub(frames);
        if self.left == 0 {
            *self = Self::at(self.target);
        } else {
            self.now = now;
        }
    }
}
