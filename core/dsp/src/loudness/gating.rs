//! From the energies of 100 ms to gated loudness and its range.
//!
//! An energy is the channel-weighted mean square after K-weighting.

use super::report::DistributionBin;
use wavemill_audio::units::{Decibels, Frames, Lu, Lufs};

/// Offset of the loudness formula. Source: ITU-R BS.1770-5, Annex 1, eq. (2).
const OFFSET: Decibels = Decibels(-0.691);

/// Source: ITU-R BS.1770-5, Annex 1 (gating).
pub(super) const ABSOLUTE_GATE: Lufs = Lufs(-70.0);

/// Below the loudness of what passed the absolute gate. Source: ITU-R BS.1770-5, Annex 1 (gating).
pub(super) const RELATIVE_GATE: Decibels = Decibels(-10.0);

/// The same for loudness range. Source: EBU Tech 3342 (2016).
pub(super) const RANGE_RELATIVE_GATE: Decibels = Decibels(-20.0);

/// Percentiles between which the range lies. Source: EBU Tech 3342 (2016).
pub(super) const RANGE_PERCENTILES: (f64, f64) = (0.10, 0.95);

/// Hops of a gating block, 400 ms.
pub(super) const BLOCK_HOPS: usize = 4;

/// Hops of the short-term window, 3 s.
pub(super) const SHORT_TERM_HOPS: usize = 30;

/// Below this is silence: the square of the smallest normal `f32`. Whether smaller samples are zeros
/// depends on a thread's mode, on which no value must depend.
const SILENCE_ENERGY: f64 = 1.38e-76;

/// Loudness of an energy; `None` for silence. Source: ITU-R BS.1770-5, Annex 1, eq. (2).
pub(super) fn loudness_of(energy: f64) -> Option<Lufs> {
    Decibels::from_power(if energy < SILENCE_ENERGY { 0.0 } else { energy })
        .map(|level| Lufs((level + OFFSET).0))
}

/// Energy of a loudness in LUFS, where minus infinity is silence.
pub(super) fn energy_of(loudness_lufs: f64) -> f64 {
    10f64.powf((loudness_lufs - OFFSET.0) / 10.0)
}

/// Integrated loudness of the energies of 100 ms each.
pub(super) fn integrated(hops: &[f64]) -> Option<Lufs> {
    gated(|| windows(hops, BLOCK_HOPS))
}

/// Integrated loudness of the energies of gating blocks, in whatever order they came about.
pub(super) fn integrated_of_blocks(blocks: &[f64]) -> Option<Lufs> {
    gated(|| blocks.iter().copied())
}

/// The energies of all gating blocks that the absolute gate lets pass.
pub(super) fn blocks_above_absolute_gate(hops: &[f64]) -> Vec<f64> {
    windows(hops, BLOCK_HOPS).filter(is_above(ABSOLUTE_GATE)).collect()
}

/// Both gates over blocks that can be gone through twice.
pub(super) fn gated<B: Iterator<Item = f64>>(blocks: impl Fn() -> B) -> Option<Lufs> {
    let above = |gate: Lufs| mean(blocks().filter(is_above(gate)));
    let ungated = loudness_of(above(ABSOLUTE_GATE)?)?;
    loudness_of(above(max(ABSOLUTE_GATE, ungated + RELATIVE_GATE))?)
}

/// Mean energy of the latest gating block; `None` before there are 400 ms.
pub(super) fn block_energy(hops: &[f64]) -> Option<f64> {
    latest(hops, BLOCK_HOPS)
}

/// Mean energy of the latest 3 s; `None` before there are so many.
pub(super) fn short_term_energy(hops: &[f64]) -> Option<f64> {
    latest(hops, SHORT_TERM_HOPS)
}

fn latest(hops: &[f64], length: usize) -> Option<f64> {
    hops.len().checked_sub(length).and_then(|first| windows(&hops[first..], length).next())
}

/// How often short-term loudness lies in each range of 1 LU, from the quietest to the loudest of
/// those above the absolute gate.
pub(super) fn distribution(hops: &[f64]) -> Vec<DistributionBin> {
    let mut counts = std::collections::BTreeMap::<i32, u64>::new();
    for energy in windows(hops, SHORT_TERM_HOPS).filter(is_above(ABSOLUTE_GATE)) {
        if let Some(loudness) = loudness_of(energy) {
            #[expect(clippy::cast_possible_truncation, reason = "decibels of a float are few")]
            let edge_lufs = loudness.0.floor() as i32;
            *counts.entry(edge_lufs).or_default() += 1;
        }
    }
    let total: u64 = counts.values().sum();
    let edges = counts.first_key_value().zip(counts.last_key_value());
    let edges = edges.map_or(0..0, |((&first, _), (&last, _))| first..last + 1);
    let share = |edge| counts.get(&edge).map_or(0.0, |&count| count as f64 / total as f64);
    edges.map(|edge| DistributionBin { lufs: f64::from(edge), share: share(edge) }).collect()
}

/// Loudness range of the energies of 100 ms each.
pub(super) fn loudness_range(hops: &[f64]) -> Option<Lu> {
    range(|| windows(hops, SHORT_TERM_HOPS))
}

/// Loudness range of short-term windows that can be gone through twice.
///
/// Source: EBU Tech 3342 (2016), and the rounding of percentiles of its annex's program.
pub(super) fn range<W: Iterator<Item = f64>>(windows: impl Fn() -> W) -> Option<Lu> {
    let above = |gate: Lufs| windows().filter(is_above(gate));
    let ungated = loudness_of(mean(above(ABSOLUTE_GATE))?)?;
    let gate = max(ABSOLUTE_GATE, ungated + RANGE_RELATIVE_GATE);
    let mut gated: Vec<f64> = above(gate).collect();
    gated.sort_unstable_by(f64::total_cmp);
    let percentile = |share: f64| {
        let index = Frames(percentile_index(gated.len() as u64, share)).as_usize();
        gated.get(index).copied().and_then(loudness_of)
    };
    Some(percentile(RANGE_PERCENTILES.1)? - percentile(RANGE_PERCENTILES.0)?)
}

/// Index of a percentile among `count` sorted values. Source: EBU Tech 3342 (2016), the annex's program.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of an index is an index"
)]
pub(super) fn percentile_index(count: u64, share: f64) -> u64 {
    (count.saturating_sub(1) as f64 * share).round() as u64
}

/// Mean energies of all runs of `length` hops, each summed from the oldest.
pub(super) fn windows(hops: &[f64], length: usize) -> impl Iterator<Item = f64> {
    hops.windows(length).map(move |window| window.iter().sum::<f64>() / length as f64)
}

/// Whether an energy's loudness exceeds a gate.
fn is_above(gate: Lufs) -> impl Fn(&f64) -> bool {
    let gate_energy = energy_of(gate.0);
    move |&energy| energy > gate_energy
}

fn mean(energies: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = energies.fold((0.0, 0u64), |(sum, n), energy| (sum + energy, n + 1));
    (count > 0).then(|| sum / count as f64)
}

fn max(a: Lufs, b: Lufs) -> Lufs {
    if a >= b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_of_silence_is_none() {
        assert_eq!(loudness_of(0.0), None);
        assert_eq!(integrated(&[0.0; 100]), None);
        assert_eq!(loudness_range(&[0.0; 100]), None);
        assert_eq!(distribution(&[0.0; 100]), []);
    }

    #[test]
    fn energy_of_minus_infinity_is_silence() {
        assert!(energy_of(f64::NEG_INFINITY).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn integrated_loudness_needs_400_ms() {
        assert_eq!(integrated(&[1.0; 3]), None);
        assert_eq!(integrated(&[1.0; 4]), Some(Lufs(-0.691)));
    }

    #[test]
    fn relative_gate_leaves_quiet_blocks_out() {
        let mut hops = vec![1.0; 100];
        hops.extend([0.05; 100]); // 13 dB below: under the gate
        let loudness = integrated(&hops).unwrap();
        // Of the three blocks across the edge those of 3/4, 2/4 and 1/4 loud hops pass.
        let energy = (97.0 + 0.7625 + 0.525 + 0.2875) / 100.0;
        assert!((loudness.0 - loudness_of(energy).unwrap().0).abs() < 1e-9, "{loudness}");
    }

    #[test]
    fn distribution_counts_windows_in_bins_of_1_lu() {
        let hops = [vec![energy_of(-22.5); 29 + 30], vec![energy_of(-80.0); 100]].concat();
        let bins = distribution(&hops);
        assert!((bins.iter().map(|bin| bin.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(bins.last().unwrap().lufs.to_bits(), (-23f64).to_bits());
        // Of the 59 windows with sound in them 30 are full, and 3 are less than half a LU below.
        assert!((bins.last().unwrap().share - 33.0 / 59.0).abs() < 1e-12, "{bins:?}");
        assert!(bins.windows(2).all(|pair| (pair[1].lufs - pair[0].lufs - 1.0).abs() < 1e-12));
    }
}
