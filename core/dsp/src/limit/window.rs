//! The largest of the latest numbers.

/// The largest of the latest `length` numbers, in constant time on average: of those in sight only the
/// ones are kept that no later one reaches, the largest first.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// Index and value, a ring.
    kept: Vec<(u64, f64)>,
    first: usize,
    count: usize,
    length: u64,
    /// Index of the next number.
    next: u64,
}

impl Window {
    /// A window over `length` zeros.
    pub(super) fn new(length: usize) -> Self {
        let kept = vec![(0, 0.0); length.next_power_of_two()];
        Self { kept, first: 0, count: 0, length: length as u64, next: 0 }
    }

    pub(super) fn clear(&mut self) {
        (self.first, self.count, self.next) = (0, 0, 0);
    }

    /// Takes the next number, not negative, and gives the largest; zeros are not kept.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        let mask = self.kept.len() - 1;
        let index = self.next;
        self.next += 1;
        if self.count > 0 && self.kept[self.first].0 + self.length <= index {
            self.first = (self.first + 1) & mask;
            self.count -= 1;
        }
        if value > 0.0 {
            while self.count > 0 && self.kept[(self.first + self.count - 1) & mask].1 <= value {
                self.count -= 1;
            }
            self.kept[(self.first + self.count) & mask] = (index, value);
            self.count += 1;
        }
        if self.count > 0 { self.kept[self.first].1 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_gives_the_largest_of_the_latest() {
        let mut state = 1u32;
        let values: Vec<f64> = (0..2000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from((state >> 24).saturating_sub(100))
            })
            .collect();
        for length in [1, 2, 3, 8, 100] {
            let mut window = Window::new(length);
            for end in 1..=values.len() {
                let expected = values[end.saturating_sub(length)..end].iter().copied();
                let largest = window.push(values[end - 1]);
                assert_eq!(largest.to_bits(), expected.fold(0.0, f64::max).to_bits());
            }
        }
    }
}
