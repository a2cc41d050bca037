//! Energies of 3 s that end with any step.

use super::energies::HOP_STEPS;
use super::gating::SHORT_TERM_HOPS;

/// Sums of the latest 3 s, renewed with every step. A sum consists of whole hops, the end of the oldest
/// hop and the beginning of the present one, each added anew: nothing is subtracted, so no rounding
/// stays, and a step costs two additions.
#[derive(Clone, Debug)]
pub(super) struct ShortTermSum {
    /// Energy sums of the steps of the latest hops, a ring indexed by hop.
    hops: Box<[[f64; HOP_STEPS]; SHORT_TERM_HOPS]>,
    hop_sums: [f64; SHORT_TERM_HOPS],
    /// The hop that is going on, of the ring.
    hop: usize,
    /// Its steps so far, and their sum.
    step: usize,
    sum: f64,
    /// The hops that lie in the window whole.
    whole: f64,
    /// For each step of the present hop, what the window then holds of the oldest one.
    rest: [f64; HOP_STEPS],
}

impl ShortTermSum {
    /// Silence came before.
    pub(super) fn new() -> Self {
        Self {
            hops: Box::new([[0.0; HOP_STEPS]; SHORT_TERM_HOPS]),
            hop_sums: [0.0; SHORT_TERM_HOPS],
            hop: 0,
            step: 0,
            sum: 0.0,
            whole: 0.0,
            rest: [0.0; HOP_STEPS],
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.hops.fill([0.0; HOP_STEPS]);
        self.hop_sums.fill(0.0);
        self.rest.fill(0.0);
        (self.hop, self.step, self.sum, self.whole) = (0, 0, 0.0, 0.0);
    }

    /// Adds the energy sum of a step; returns that of the 3 s that end with it.
    pub(super) fn push(&mut self, energy: f64) -> f64 {
        self.sum += energy;
        self.hops[self.hop][self.step] = energy;
        let window = self.whole + (self.rest[self.step] + self.sum);
        self.step += 1;
        if self.step == HOP_STEPS {
            self.begin_hop();
        }
        window
    }

    fn begin_hop(&mut self) {
        self.hop_sums[self.hop] = self.sum;
        (self.step, self.sum) = (0, 0.0);
        self.hop = (self.hop + 1) % SHORT_TERM_HOPS;
        // The place of the new hop still holds the oldest one.
        let mut rest = 0.0;
        for step in (0..HOP_STEPS).rev() {
            self.rest[step] = rest;
            rest += self.hops[self.hop][step];
        }
        self.hop_sums[self.hop] = 0.0;
        self.whole = self.hop_sums.iter().sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_holds_the_latest_300_steps() {
        let energy = |step: u32| f64::from(step.wrapping_mul(2_654_435_761) >> 8);
        let mut sums = ShortTermSum::new();
        for step in 0..2000 {
            let first = step - step.min(299);
            // Whole numbers: no sum is rounded.
            let expected: f64 = (first..=step).map(energy).sum();
            assert_eq!(sums.push(energy(step)).to_bits(), expected.to_bits(), "step {step}");
        }
        sums.clear();
        assert_eq!(sums.push(5.0).to_bits(), 5f64.to_bits());
    }
}
