//! Correlation and balance of the latest moment.

use wavemill_core::units::Decibels;

/// Parts of the window; one is replaced at a time.
const PARTS: usize = 4;

/// Sums of one part.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    left: f64,
    right: f64,
    product: f64,
}

/// A sliding window over two channels. Real-time.
#[derive(Clone, Debug, Default)]
pub(super) struct StereoWindow {
    parts: [Sums; PARTS],
    current: usize,
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

    /// Begins another part; the oldest is forgotten.
    pub(super) fn advance(&mut self) {
        self.current = (self.current + 1) % PARTS;
        self.parts[self.current] = Sums::default();
    }

    fn total(&self) -> Sums {
        self.parts.iter().fold(Sums::default(), |sum, part| Sums {
            left: sum.left + part.left,
            right: sum.right + part.right,
            product: sum.product + part.product,
        })
    }

    /// From -1 to 1; `None` where a side is silent.
    pub(super) fn correlation(&self) -> Option<f64> {
        let Sums { left, right, product } = self.total();
        let scale = (left * right).sqrt();
        (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
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
