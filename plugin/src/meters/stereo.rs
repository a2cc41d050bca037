//! Correlation, balance and fold-down loss of the latest moment, and the loss of the whole.

use wavemill_core::units::Decibels;

/// Parts of the window; one is replaced at a time.
const PARTS: usize = 4;

/// What folding down costs at most, in dB: beyond it nothing is left that anybody hears.
const MONO_LOSS_DB_MAX: f64 = 60.0;

/// Sums of one part.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    left: f64,
    right: f64,
    product: f64,
}

impl Sums {
    fn plus(self, other: Self) -> Self {
        Self {
            left: self.left + other.left,
            right: self.right + other.right,
            product: self.product + other.product,
        }
    }

    /// What folding down to mono costs: the mean power of both sides over that of their mean (L + R) / 2, in dB,
    ///
    /// ```text
    /// 10 log10( (sum L^2 + sum R^2) / 2  /  sum ((L + R) / 2)^2 )
    /// ```
    ///
    /// 0 where both sides are the same, 3.01 where they are unrelated or one is silent, and [`MONO_LOSS_DB_MAX`] where
    /// they cancel. `None` of silence.
    fn mono_loss_db(self) -> Option<f64> {
        let power = f64::midpoint(self.left, self.right);
        let folded = (self.left + self.right + 2.0 * self.product) / 4.0;
        if power <= 0.0 {
            return None;
        }
        let loss = (folded > 0.0).then(|| power / folded).and_then(Decibels::from_power);
        Some(loss.map_or(MONO_LOSS_DB_MAX, |loss| loss.0.clamp(0.0, MONO_LOSS_DB_MAX)))
    }
}

/// A sliding window over two channels. Real-time.
#[derive(Clone, Debug, Default)]
pub(super) struct StereoWindow {
    parts: [Sums; PARTS],
    current: usize,
    /// What left the window.
    before: Sums,
}

impl StereoWindow {
    pub(super) fn push(&mut self, left: &[f32], right: &[f32]) {
        let sums = &mut self.parts[self.current];
        for (&left, &right) in left.iter().zip(right) {
            let (left, right) = (f64::from(left), f64::from(right));
            sums.left += left * left;
            sums.right += right * right;
            sums.product += left * right;
        }
    }

    /// Begins another part; the oldest leaves the window.
    pub(super) fn advance(&mut self) {
        self.current = (self.current + 1) % PARTS;
        self.before = self.before.plus(self.parts[self.current]);
        self.parts[self.current] = Sums::default();
    }

    fn total(&self) -> Sums {
        self.parts.iter().fold(Sums::default(), |sum, part| sum.plus(*part))
    }

    /// From -1 to 1; `None` where a side is silent.
    pub(super) fn correlation(&self) -> Option<f64> {
        let Sums { left, right, product } = self.total();
        let scale = (left * right).sqrt();
        (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
    }

    /// What folding the window down to mono costs; see [`Sums::mono_loss_db`].
    pub(super) fn mono_loss_db(&self) -> Option<f64> {
        self.total().mono_loss_db()
    }

    /// The same of all since the beginning.
    pub(super) fn program_mono_loss_db(&self) -> Option<f64> {
        self.before.plus(self.total()).mono_loss_db()
    }

    /// Level of the right side minus that of the left one, in dB; `None` where a side is silent.
    pub(super) fn balance_db(&self) -> Option<f64> {
        let Sums { left, right, .. } = self.total();
        (left > 0.0).then(|| right / left).and_then(Decibels::from_power).map(|balance| balance.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_of_equal_inverted_and_orthogonal_sides() {
        let (one, other) = ([0.5, -0.5, 0.25, 0.0], [0.0, 0.0, 0.0, 0.5]);
        let inverted = one.map(|sample: f32| -sample);
        for (right, expected) in [(one, 1.0), (inverted, -1.0), (other, 0.0)] {
            let mut window = StereoWindow::default();
            window.push(&one, &right);
            assert!((window.correlation().unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(StereoWindow::default().correlation(), None);
    }

    #[test]
    fn balance_is_right_minus_left() {
        let mut window = StereoWindow::default();
        window.push(&[0.5; 8], &[0.25; 8]);
        assert!((window.balance_db().unwrap() + 6.0206).abs() < 1e-4);
        let mut window = StereoWindow::default();
        window.push(&[0.5; 8], &[0.0; 8]);
        assert_eq!(window.balance_db(), None);
    }

    /// By hand: identical, one-sided and unrelated sides, and sides of which one is half of the other, inverted.
    #[test]
    fn mono_loss_is_that_of_its_definition() {
        let one = [0.5f32, -0.5, 0.25, 0.0];
        let other = [0.0, 0.0, 0.0, (0.5625f32).sqrt()];
        let half = one.map(|sample| -sample / 2.0);
        let inverted = one.map(|sample| -sample);
        for (right, expected) in
            [(one, 0.0), ([0.0; 4], 3.0103), (other, 3.0103), (half, 10.0), (inverted, 60.0)]
        {
            let mut window = StereoWindow::default();
            window.push(&one, &right);
            let loss = window.mono_loss_db().unwrap();
            assert!((loss - expected).abs() < 1e-4, "{loss} instead of {expected}");
        }
        let mut silence = StereoWindow::default();
        silence.push(&[0.0; 4], &[0.0; 4]);
        assert_eq!(silence.mono_loss_db(), None);
    }

    /// Against the means of the samples themselves.
    #[test]
    fn mono_loss_of_the_program_is_that_of_all_its_samples() {
        let mut state = 9u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(state >> 16).unwrap_or(0)) / 65_536.0 - 0.5
        };
        let mut window = StereoWindow::default();
        let (mut power, mut folded) = (0.0, 0.0);
        for _ in 0..100 {
            let left: Vec<f32> = (0..441).map(|_| noise()).collect();
            let right: Vec<f32> = left.iter().map(|sample| 0.3 * sample + 0.5 * noise()).collect();
            window.push(&left, &right);
            window.advance();
            for (left, right) in left.iter().zip(&right) {
                let (left, right) = (f64::from(*left), f64::from(*right));
                power += f64::midpoint(left.powi(2), right.powi(2));
                folded += f64::midpoint(left, right).powi(2);
            }
        }
        let expected = Decibels::from_power(power / folded).unwrap().0;
        let loss = window.program_mono_loss_db().unwrap();
        assert!((loss - expected).abs() < 1e-9 && loss > 0.5, "{loss} instead of {expected}");
    }

    #[test]
    fn window_forgets_after_all_its_parts() {
        let mut window = StereoWindow::default();
        window.push(&[0.5; 8], &[0.5; 8]);
        for _ in 0..PARTS - 1 {
            window.advance();
            assert!(window.correlation().is_some());
        }
        window.advance();
        assert_eq!(window.correlation(), None);
    }
}
