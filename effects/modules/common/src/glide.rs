//! Parameters that glide to what they were set to.

use crate::convert::{frames_of_ms, narrow};
use crate::grid::SUB_BLOCK;

/// How long a parameter takes to a new value: long enough that a jump of 20 dB makes no click, short
/// enough to feel immediate.
pub const GLIDE_MS: f64 = 20.0;

/// A value that moves evenly, sub-block by sub-block, to what it was set to.
#[derive(Clone, Copy, Debug)]
pub struct Glide {
    value: f64,
    target: f64,
    step: f64,
    left: u32,
    sub_blocks: u32,
}

/// How a [`Glide`] moves within a sub-block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ramp {
    /// Value before the first frame.
    pub start: f32,
    /// What each frame adds.
    pub step: f32,
}

impl Ramp {
    /// A value that stays.
    pub const fn constant(value: f32) -> Self {
        Self { start: value, step: 0.0 }
    }

    /// Value at frame `index` of the sub-block; at its last frame the whole way is gone.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
    pub fn at(self, index: usize) -> f32 {
        self.start + self.step * small(index + 1)
    }

    /// Whether it has this value all the time.
    #[expect(clippy::float_cmp, reason = "glides reach their targets exactly")]
    pub fn is_constantly(self, value: f32) -> bool {
        self.step == 0.0 && self.start == value
    }
}

/// A small whole number; through `u16`, because SIMD has no conversion of `usize`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "only inlined it becomes SIMD")]
#[expect(clippy::cast_possible_truncation, reason = "small")]
pub fn small(index: usize) -> f32 {
    f32::from(index as u16)
}

impl Glide {
    /// At rest at `value`.
    pub fn new(value: f64, sample_rate: f64) -> Self {
        let frames = frames_of_ms(GLIDE_MS, sample_rate);
        let sub_blocks = u32::try_from(frames / SUB_BLOCK).unwrap_or(u32::MAX).max(1);
        Self { value, target: value, step: 0.0, left: 0, sub_blocks }
    }

    /// Moves to `target`, from the next sub-block on.
    pub fn set(&mut self, target: f64) {
        self.target = target;
        self.step = (target - self.value) / f64::from(self.sub_blocks);
        self.left = self.sub_blocks;
    }

    /// The next sub-block begins: how the value moves in it.
    pub fn advance(&mut self) -> Ramp {
        let start = self.value;
        match self.left {
            0 => {}
            1 => self.value = self.target,
            _ => self.value += self.step,
        }
        self.left = self.left.saturating_sub(1);
        let step = (self.value - start) / SUB_BLOCK as f64;
        Ramp { start: narrow(start), step: narrow(step) }
    }

    /// Value at the end of this sub-block.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Whether the next sub-block will move it.
    pub fn is_moving(&self) -> bool {
        self.left > 0
    }

    /// Is at once where it was going to.
    pub fn finish(&mut self) {
        self.value = self.target;
        self.left = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glide_reaches_its_target_exactly_and_rests() {
        let mut glide = Glide::new(0.1, 48_000.0);
        glide.set(0.7);
        let mut sub_blocks = 0;
        while glide.is_moving() {
            glide.advance();
            sub_blocks += 1;
        }
        assert_eq!(sub_blocks, 30);
        assert!(glide.advance().is_constantly(0.7));
    }

    #[test]
    fn ramp_ends_where_the_next_one_starts() {
        let mut glide = Glide::new(-3.0, 44_100.0);
        glide.set(9.0);
        let first = glide.advance();
        let second = glide.advance();
        assert!((first.at(SUB_BLOCK - 1) - second.start).abs() < 1e-6);
        assert!(first.at(0) > first.start);
    }

    #[test]
    fn glide_set_while_it_moves_turns_from_where_it_is() {
        let mut glide = Glide::new(0.0, 48_000.0);
        glide.set(1.0);
        for _ in 0..15 {
            glide.advance();
        }
        assert!((glide.value() - 0.5).abs() < 1e-12);
        glide.set(0.0);
        assert!(glide.advance().step < 0.0);
        glide.finish();
        assert!(glide.advance().is_constantly(0.0));
    }
}
