//! A number that moves smoothly to where it is sent.

/// A share, from 0 to 1. Each move takes the same time; one that is sent elsewhere first arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glide {
    from: f32,
    to: f32,
    /// Where it goes after it arrived.
    next: f32,
    /// Frames of the move that are done.
    done: u32,
    frames: u32,
}

impl Glide {
    /// Stands at `value`; a move takes `frames`.
    pub(crate) fn new(value: f32, frames: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a second"
        )]
        let frames = frames.max(1.0) as u32;
        Self { from: value, to: value, next: value, done: frames, frames }
    }

    /// Where it goes, from 0 to 1. Real-time.
    pub(crate) fn send(&mut self, target: f32) {
        self.next = if target.is_finite() { target.clamp(0.0, 1.0) } else { 0.0 };
    }

    /// Goes there at once. Real-time.
    pub(crate) fn jump(&mut self) {
        (self.to, self.done) = (self.next, self.frames);
    }

    /// Whether it stands at a value and stays. Real-time.
    pub(crate) fn stands_at(&self, value: f32) -> bool {
        let is_it = |own: f32| own.to_bits() == value.to_bits();
        self.done == self.frames && is_it(self.to) && is_it(self.next)
    }

    /// Its next values. Real-time.
    pub(crate) fn fill(&mut self, values: &mut [f32]) {
        for value in values {
            if self.done == self.frames {
                if self.to.to_bits() == self.next.to_bits() {
                    *value = self.to;
                    continue;
                }
                (self.from, self.to, self.done) = (self.to, self.next, 0);
            }
            self.done += 1;
            *value = if self.done == self.frames { self.to } else { self.between() };
        }
    }

    /// By the polynomial whose first and second derivatives vanish at both ends, so that nothing clicks.
    /// Source: K. Perlin, "Improving Noise", 2002.
    fn between(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a fraction of a second")]
        let x = self.done as f32 / self.frames as f32;
        let share = x * x * x * (x * (6.0 * x - 15.0) + 10.0);
        self.from + (self.to - self.from) * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrives_in_time_without_a_jump_and_stays() {
        let mut glide = Glide::new(1.0, 100.0);
        assert!(glide.stands_at(1.0));
        glide.send(0.0);
        let mut values = [9.0; 120];
        glide.fill(&mut values);
        assert!(values[0] > 0.999 && values[98] > 0.0);
        // The steepest step is 15/8 of an even one.
        assert!(values.windows(2).all(|pair| (0.0..0.019).contains(&(pair[0] - pair[1]))));
        assert!(values[99..].iter().all(|value| value.to_bits() == 0.0f32.to_bits()));
        assert!(glide.stands_at(0.0) && !glide.stands_at(1.0));
        glide.send(f32::NAN);
        assert!(glide.stands_at(0.0));
    }

    #[test]
    fn move_is_finished_before_the_next_one_begins() {
        let mut glide = Glide::new(0.0, 10.0);
        glide.send(1.0);
        let mut values = [0.0; 5];
        glide.fill(&mut values);
        glide.send(0.25);
        let mut values = [0.0; 15];
        glide.fill(&mut values);
        assert_eq!((values[4], values[14]), (1.0, 0.25));
        assert!(glide.stands_at(0.25));
    }
}
