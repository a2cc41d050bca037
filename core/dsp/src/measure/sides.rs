//! Products of left and right.

use wavemill_audio::units::Decibels;
use wavemill_audio::{ChannelLayout, ChannelPosition, Vectors};

/// The channels that are the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Sides {
    /// Both channels of two; of more, the front ones, if the layout names them.
    pub(super) fn of(layout: &ChannelLayout) -> Option<Self> {
        if layout.channel_count() == 2 {
            return Some(Self { left: 0, right: 1 });
        }
        let left = layout.index_of(ChannelPosition::FrontLeft)?;
        let right = layout.index_of(ChannelPosition::FrontRight)?;
        Some(Self { left, right })
    }
}

/// Sums of products over the whole signal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SideSums {
    /// Of L L, R R and L R.
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) both: f64,
}

impl SideSums {
    /// RMS(S) / (RMS(M) + RMS(S)); `None` for silence.
    pub(super) fn width(&self) -> Option<f64> {
        // Rounding may leave a sum of squares just below zero where the sides are equal.
        let root = |sum: f64| sum.max(0.0).sqrt();
        let mid = root(self.left + self.right + 2.0 * self.both);
        let side = root(self.left + self.right - 2.0 * self.both);
        (mid + side > 0.0).then(|| side / (mid + side))
    }

    /// `None` when a side is silent.
    pub(super) fn correlation(&self) -> Option<f64> {
        let root = (self.left * self.right).sqrt();
        (root > 0.0).then(|| (self.both / root).clamp(-1.0, 1.0))
    }

    /// Right over left; `None` when a side is silent.
    pub(super) fn balance(&self) -> Option<Decibels> {
        Decibels::from_power(self.right / self.left)
    }
}

/// Partial sums that are added to beside each other.
const LANES: usize = 8;

/// Adds up products. Which lane a frame falls to depends on its place in the signal alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products {
    left: [f64; LANES],
    right: [f64; LANES],
    both: [f64; LANES],
    /// The lane of the next frame.
    lane: usize,
    is_wide: bool,
}

impl Default for Products {
    fn default() -> Self {
        let zero = [0.0; LANES];
        Self {
            left: zero,
            right: zero,
            both: zero,
            lane: 0,
            is_wide: Vectors::of_machine().are_wide(),
        }
    }
}

impl Products {
    /// Further samples of both sides, equally many.
    pub(super) fn push(&mut self, left: &[f32], right: &[f32]) {
        let first = ((LANES - self.lane) % LANES).min(left.len());
        let last = (left.len() - first) / LANES * LANES + first;
        self.add_singly(&left[..first], &right[..first]);
        self.add_rows(&left[first..last], &right[first..last]);
        self.add_singly(&left[last..], &right[last..]);
    }

    fn add_singly(&mut self, left: &[f32], right: &[f32]) {
        for (&left, &right) in left.iter().zip(right) {
            let (left, right) = (f64::from(left), f64::from(right));
            self.left[self.lane] += left * left;
            self.right[self.lane] += right * right;
            self.both[self.lane] += left * right;
            self.lane = (self.lane + 1) % LANES;
        }
    }

    /// Adds rows of one frame for each lane; the result is the same with any width of vectors.
    fn add_rows(&mut self, left: &[f32], right: &[f32]) {
        #[cfg(target_arch = "x86_64")]
        if self.is_wide {
            // SAFETY: `is_wide` says that this machine has AVX2.
            return unsafe { self.add_rows_avx2(left, right) };
        }
        self.add_rows_any(left, right);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn add_rows_avx2(&mut self, left: &[f32], right: &[f32]) {
        self.add_rows_any(left, right);
    }

    #[expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]
    #[inline(always)]
    fn add_rows_any(&mut self, left: &[f32], right: &[f32]) {
        let (mut own, mut other, mut both) = (self.left, self.right, self.both);
        for (left, right) in left.chunks_exact(LANES).zip(right.chunks_exact(LANES)) {
            for lane in 0..LANES {
                let (left, right) = (f64::from(left[lane]), f64::from(right[lane]));
                own[lane] += left * left;
                other[lane] += right * right;
                both[lane] += left * right;
            }
        }
        (self.left, self.right, self.both) = (own, other, both);
    }

    /// The sums over everything.
    pub(super) fn sums(&self) -> SideSums {
        SideSums {
            left: self.left.iter().sum(),
            right: self.right.iter().sum(),
            both: self.both.iter().sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        if !Vectors::of_machine().are_wide() {
            println!("skipped: this machine has vectors of one width");
        }
        let left: Vec<f32> = (0..1003).map(|n| (n as f32 * 0.37).sin()).collect();
        let right: Vec<f32> = (0..1003).map(|n| (n as f32 * 0.53).cos()).collect();
        let sums = |is_wide: bool| {
            let mut products = Products { is_wide, ..Products::default() };
            products.push(&left, &right);
            products.sums()
        };
        assert_eq!(sums(false), sums(Vectors::of_machine().are_wide()));
    }
}
