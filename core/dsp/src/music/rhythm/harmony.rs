//! How much the tones change at a time.

use super::bands::TONE_COUNT;
use super::number::{index, single};

/// Sums of the tones' magnitudes up to each frame.
#[derive(Clone, Debug)]
pub(crate) struct Harmony {
    sums: Vec<[f64; TONE_COUNT]>,
    hop_s: f64,
}

impl Harmony {
    pub(crate) fn new(magnitudes: &[[f32; TONE_COUNT]], hop_s: f64) -> Self {
        let mut sum = [0.0; TONE_COUNT];
        let mut sums = vec![sum];
        for frame in magnitudes {
            for (sum, magnitude) in sum.iter_mut().zip(frame) {
                *sum += f64::from(*magnitude);
            }
            sums.push(sum);
        }
        Self { sums, hop_s }
    }

    /// One less the cosine between the tones in the time before and after a moment, each of
    /// `span_s`.
    pub(crate) fn change(&self, time_s: f64, span_s: f64) -> f32 {
        let (Some(start), Some(middle), Some(end)) =
            (self.until(time_s - span_s), self.until(time_s), self.until(time_s + span_s))
        else {
            return 0.0;
        };
        let (mut product, mut one, mut other) = (0.0, 0.0, 0.0);
        for ((start, middle), end) in start.iter().zip(middle).zip(end) {
            let (before, after) = (middle - start, end - middle);
            product += before * after;
            one += before * before;
            other += after * after;
        }
        let norm = (one * other).sqrt();
        single(if norm > 1e-12 { 1.0 - product / norm } else { 0.0 })
    }

    /// Sums up to a time.
    fn until(&self, time_s: f64) -> Option<&[f64; TONE_COUNT]> {
        let last = self.sums.len().checked_sub(1)?;
        self.sums.get(index(time_s / self.hop_s).min(last))
    }
}
