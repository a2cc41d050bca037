//! Three running means in a row, exact.

/// Running means in a row: together nearly a Gaussian window.
const MEANS: usize = 3;

/// One as an integer. With sums of three means over up to 2^10 numbers each, 62 bits are needed.
const ONE: f64 = 4_294_967_296.0;

/// A weighted mean of the latest numbers between 0 and 1: sums of integers, so that nothing drifts and
/// that the mean of zeros is zero.
#[derive(Clone, Debug)]
pub(super) struct Smoothing {
    means: [RunningSum; MEANS],
    scale: f64,
}

#[derive(Clone, Debug)]
struct RunningSum {
    latest: Vec<u64>,
    position: usize,
    sum: u64,
}

impl Smoothing {
    /// Of at least `span + 1` numbers, a multiple of [`MEANS`] and one.
    pub(super) fn new(span: usize) -> Self {
        let length = span.div_ceil(MEANS) + 1;
        let means =
            std::array::from_fn(|_| RunningSum { latest: vec![0; length], position: 0, sum: 0 });
        let scale = 1.0 / (ONE * (length as f64).powi(3));
        Self { means, scale }
    }

    /// Numbers before the latest that the mean includes.
    pub(super) fn span(&self) -> usize {
        MEANS * (self.means[0].latest.len() - 1)
    }

    pub(super) fn clear(&mut self) {
        for mean in &mut self.means {
            mean.latest.fill(0);
            mean.sum = 0;
        }
    }

    /// Takes the next number and gives the mean, never below the smallest number that it includes, as
    /// numbers are rounded up.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1; `as` saturates"
        )]
        let floor = (value * ONE) as u64;
        let mut sum = floor + u64::from(value > 0.0);
        for mean in &mut self.means {
            sum = mean.push(sum);
        }
        (sum as f64 * self.scale).min(1.0)
    }
}

impl RunningSum {
    fn push(&mut self, value: u64) -> u64 {
        let oldest = std::mem::replace(&mut self.latest[self.position], value);
        self.position += 1;
        if self.position == self.latest.len() {
            self.position = 0;
        }
        self.sum = self.sum + value - oldest;
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_of_a_constant_is_the_constant_and_of_zeros_zero_again() {
        let mut smoothing = Smoothing::new(27);
        assert_eq!(smoothing.span(), 27);
        let value = 0.123_456_789;
        let mut mean = 0.0;
        for _ in 0..=27 {
            assert!(mean < value);
            mean = smoothing.push(value);
        }
        assert!(mean >= value && mean - value < 1e-9, "{mean}");
        let last = (0..=27).map(|_| smoothing.push(0.0)).last();
        assert_eq!(last.map(f64::to_bits), Some(0.0f64.to_bits()));
    }

    #[test]
    fn step_is_smoothed_without_a_kink() {
        let mut smoothing = Smoothing::new(300);
        let steps: Vec<f64> = (0..=301).map(|_| smoothing.push(1.0)).collect();
        let slopes: Vec<f64> = steps.windows(2).map(|two| two[1] - two[0]).collect();
        let largest = slopes.windows(2).map(|two| (two[1] - two[0]).abs()).fold(0.0, f64::max);
        assert!(slopes.iter().all(|&slope| slope >= 0.0));
        assert!(largest < 2.0 / (100.0 * 100.0), "{largest}");
    }
}
