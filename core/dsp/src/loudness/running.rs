//! Integrated loudness and its range while the signal lasts, at a cost that does not grow with it.
//!
//! The report goes through every energy; a display that asks thirty times a second after ten hours must
//! not. Here energies are counted in bins of 0.01 LU whose sums are kept, so that only the one bin
//! through which a gate passes is counted as a whole.

use super::gating::{
    ABSOLUTE_GATE, RANGE_PERCENTILES, RANGE_RELATIVE_GATE, RELATIVE_GATE, energy_of, loudness_of,
    percentile_index,
};
use wavemill_audio::units::{Decibels, Lu, Lufs};

/// Bins in a LU: far finer than anyone reads a live display.
const BINS_PER_LU: f64 = 100.0;

/// What lies above is counted in the last bin: a full-scale square wave in five channels that all count
/// is at +7 LUFS, and samples above full scale are rare.
const LOUDEST: Lufs = Lufs(10.0);

/// From the absolute gate up to [`LOUDEST`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of bins in a positive number of LU"
)]
const BIN_COUNT: usize = ((LOUDEST.0 - ABSOLUTE_GATE.0) * BINS_PER_LU) as usize;

/// Energies above the absolute gate, by loudness.
#[derive(Clone, Debug)]
struct Histogram {
    /// Sum of each bin's energies.
    sums: Vec<f64>,
    counts: Vec<u32>,
    gate_energy: f64,
    sum: f64,
    count: u64,
}

/// Both histograms: of gating blocks and of short-term windows.
#[derive(Clone, Debug)]
pub(super) struct Running {
    blocks: Histogram,
    short_terms: Histogram,
}

impl Running {
    pub(super) fn new() -> Self {
        Self { blocks: Histogram::new(), short_terms: Histogram::new() }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.short_terms.clear();
    }

    /// Counts the energy of a gating block.
    pub(super) fn add_block(&mut self, energy: f64) {
        self.blocks.add(energy);
    }

    /// Counts the energy of a short-term window.
    pub(super) fn add_short_term(&mut self, energy: f64) {
        self.short_terms.add(energy);
    }

    /// Integrated loudness so far.
    pub(super) fn integrated(&self) -> Option<Lufs> {
        let first = self.blocks.first_above(RELATIVE_GATE)?;
        let (sum, count) = self.blocks.from(first);
        loudness_of(sum / count as f64)
    }

    /// Loudness range so far.
    pub(super) fn range(&self) -> Option<Lu> {
        let first = self.short_terms.first_above(RANGE_RELATIVE_GATE)?;
        let (_, count) = self.short_terms.from(first);
        let (low, high) = RANGE_PERCENTILES;
        let at = |share| self.short_terms.loudness_at(first, percentile_index(count, share));
        Some(at(high)? - at(low)?)
    }
}

impl Histogram {
    fn new() -> Self {
        Self {
            sums: vec![0.0; BIN_COUNT],
            counts: vec![0; BIN_COUNT],
            gate_energy: energy_of(ABSOLUTE_GATE.0),
            sum: 0.0,
            count: 0,
        }
    }

    fn clear(&mut self) {
        self.sums.fill(0.0);
        self.counts.fill(0);
        self.sum = 0.0;
        self.count = 0;
    }

    fn add(&mut self, energy: f64) {
        if energy > self.gate_energy
            && let Some(loudness) = loudness_of(energy)
        {
            let bin = bin_of(loudness);
            self.sums[bin] += energy;
            self.counts[bin] += 1;
            self.sum += energy;
            self.count += 1;
        }
    }

    /// The first bin above the gate that lies `below` the mean (a negative number).
    fn first_above(&self, below: Decibels) -> Option<usize> {
        (self.count > 0).then(|| loudness_of(self.sum / self.count as f64))?.map(|mean| {
            let gate = mean + below;
            if gate > ABSOLUTE_GATE { bin_of(gate) } else { 0 }
        })
    }

    /// Sum and count of all bins from `first` on.
    fn from(&self, first: usize) -> (f64, u64) {
        let sum = self.sums[first..].iter().sum();
        (sum, self.counts[first..].iter().map(|&count| u64::from(count)).sum())
    }

    /// Loudness of the `index`th quietest energy of the bins from `first` on, as the mean of its bin.
    fn loudness_at(&self, first: usize, index: u64) -> Option<Lufs> {
        let mut seen = 0;
        for (sum, &count) in self.sums[first..].iter().zip(&self.counts[first..]) {
            seen += u64::from(count);
            if seen > index {
                return loudness_of(sum / f64::from(count));
            }
        }
        None
    }
}

fn bin_of(loudness: Lufs) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and what is too loud belongs into the last bin"
    )]
    let bin = ((loudness - ABSOLUTE_GATE).0 * BINS_PER_LU) as usize;
    bin.min(BIN_COUNT - 1)
}

#[cfg(test)]
mod tests {
    use super::super::gating;
    use super::*;

    #[test]
    fn bins_reach_up_to_the_loudest() {
        assert_eq!(bin_of(ABSOLUTE_GATE), 0);
        assert_eq!(bin_of(Lufs(LOUDEST.0 - 0.005)), BIN_COUNT - 1);
        assert_eq!(bin_of(Lufs(100.0)), BIN_COUNT - 1);
    }

    #[test]
    fn running_values_are_within_hundredths_of_the_exact_ones() {
        let mut state = 1u32;
        let mut running = Running::new();
        let mut hops = Vec::new();
        for index in 0..20_000u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // From -80 to -10 LUFS and back every 100 s, with 6 LU of noise.
            let slow = f64::from((index % 1000).abs_diff(500)) / 500.0;
            let noise = f64::from(state >> 16) / 65_536.0;
            hops.push(energy_of(-10.0 - 70.0 * slow - 6.0 * noise));
            if let Some(energy) = gating::block_energy(&hops) {
                running.add_block(energy);
            }
            if let Some(energy) = gating::short_term_energy(&hops) {
                running.add_short_term(energy);
            }
        }
        let difference = running.integrated().unwrap() - gating::integrated(&hops).unwrap();
        assert!(difference.0.abs() < 0.01, "{difference}");
        let range = gating::loudness_range(&hops).unwrap();
        assert!(range.0 > 20.0);
        assert!((running.range().unwrap().0 - range.0).abs() < 0.02, "{range}");
    }

    #[test]
    fn silence_has_no_running_loudness() {
        let mut running = Running::new();
        running.add_block(0.0);
        running.add_short_term(1e-9);
        assert_eq!((running.integrated(), running.range()), (None, None));
    }
}
