//! Loudness of energies of 100 ms each that were kept: the parts of a program that is measured piece by piece.

use super::gating;
use super::meter::LoudnessMeter;
use wavemill_audio::units::{Dbtp, Lu, Lufs};

/// 100 ms of a signal, as a meter measured them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hop {
    /// Those before it, since the meter began.
    pub index: u64,
    /// Channel-weighted mean square after K-weighting, linear. BS.1770-5.
    pub energy: f64,
}

/// The peak of 100 ms of a signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopPeak {
    /// Hops before it, since the meter began.
    pub index: u64,
    /// `None` in silence.
    pub true_peak_dbtp: Option<Dbtp>,
}

impl LoudnessMeter {
    /// The latest 100 ms that are complete; `None` before there are any.
    ///
    /// Real-time: does not allocate.
    pub fn latest_hop(&self) -> Option<Hop> {
        let energies = self.energies()?;
        let index = energies.hop_count().checked_sub(1)? as u64;
        energies.hops().last().map(|&energy| Hop { index, energy })
    }

    /// The peak of the latest 100 ms whose peaks are complete, which they are 10 to 20 ms later than the energy.
    ///
    /// Real-time: does not allocate.
    pub fn latest_hop_peak(&self) -> Option<HopPeak> {
        let (count, amplitude) = self.hop_peaks()?;
        let index = count.checked_sub(1)? as u64;
        Some(HopPeak { index, true_peak_dbtp: Dbtp::from_amplitude(amplitude) })
    }
}

/// Loudness of runs of energies. Values are `None` where none exists.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HopLoudness {
    /// As in a [`LoudnessReport`](super::LoudnessReport).
    pub integrated_lufs: Option<Lufs>,
    /// As in a report.
    pub loudness_range_lu: Option<Lu>,
    /// Of windows that begin every 100 ms, where a report looks every 10 ms.
    pub momentary_max_lufs: Option<Lufs>,
    /// Of windows that begin every 100 ms.
    pub short_term_max_lufs: Option<Lufs>,
}

impl HopLoudness {
    /// Of runs, each of which has no gap; no window reaches from one into the next.
    ///
    /// Source: BS.1770-5, Annex 1; EBU Tech 3342.
    pub fn of_runs(runs: &[Vec<f64>]) -> Self {
        let windows = |length| runs.iter().flat_map(move |run| gating::windows(run, length));
        let largest = |length| {
            let largest = windows(length).max_by(f64::total_cmp);
            largest.and_then(gating::loudness_of)
        };
        Self {
            integrated_lufs: gating::gated(|| windows(gating::BLOCK_HOPS)),
            loudness_range_lu: gating::range(|| windows(gating::SHORT_TERM_HOPS)),
            momentary_max_lufs: largest(gating::BLOCK_HOPS),
            short_term_max_lufs: largest(gating::SHORT_TERM_HOPS),
        }
    }
}

/// Momentary and short-term loudness at the end of each energy of a run without gaps.
pub fn loudness_curve(run: &[f64]) -> impl Iterator<Item = [Option<Lufs>; 2]> {
    (1..=run.len()).map(|end| {
        let until = &run[..end];
        [gating::block_energy(until), gating::short_term_energy(until)]
            .map(|energy| energy.and_then(gating::loudness_of))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loudness::MonoMode;
    use wavemill_audio::{Block, StreamSpec};

    /// Noise whose level wanders.
    fn noise(frame_count: u32) -> Vec<f32> {
        let mut state = 7u32;
        let sample = |frame: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 8) / f64::from(1u32 << 24) - 0.5;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = (noise * (0.01 + 0.5 * f64::from(frame % 90_000) / 90_000.0)) as f32;
            sample
        };
        (0..frame_count).map(sample).collect()
    }

    #[test]
    fn hops_of_a_meter_have_the_loudness_of_its_report() {
        let spec = StreamSpec::new(48_000, 1);
        let mut meter = LoudnessMeter::new(&spec, MonoMode::Single);
        let (mut run, mut peaks) = (Vec::new(), Vec::new());
        for piece in noise(20 * 48_000).chunks(480) {
            meter.push(&Block::from_planes(&[piece]));
            let hop = meter.latest_hop().filter(|hop| hop.index == run.len() as u64);
            run.extend(hop.map(|hop| hop.energy));
            let peak = meter.latest_hop_peak().filter(|peak| peak.index == peaks.len() as u64);
            peaks.extend(peak.map(|peak| peak.true_peak_dbtp.unwrap().0));
        }
        assert_eq!((run.len(), peaks.len()), (200, 199));
        let curve: Vec<_> = loudness_curve(&run).collect();
        assert_eq!((curve[2][0], curve[28][1]), (None, None));
        let reading = meter.reading();
        let readings = [reading.momentary_lufs, reading.short_term_lufs];
        for (of_curve, reading) in curve[199].iter().zip(readings) {
            // A reading sums steps of 10 ms.
            assert!((of_curve.unwrap().0 - reading.unwrap().0).abs() < 1e-9);
        }
        let report = meter.finish();
        let of_runs = HopLoudness::of_runs(&[run]);
        assert_eq!(of_runs.integrated_lufs, report.integrated_lufs);
        assert_eq!(of_runs.loudness_range_lu, report.loudness_range_lu);
        let miss = report.short_term_max_lufs.unwrap().0 - of_runs.short_term_max_lufs.unwrap().0;
        assert!((-1e-9..0.07).contains(&miss), "{miss}");
        let loudest = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let miss = report.true_peak_dbtp.unwrap().0 - loudest;
        assert!(miss.abs() < 1e-6, "{miss}");
    }

    #[test]
    fn no_window_reaches_over_a_gap() {
        let loudness = HopLoudness::of_runs(&[vec![1.0; 3], vec![1.0; 3]]);
        assert_eq!(loudness, HopLoudness::default());
        let loudness = HopLoudness::of_runs(&[vec![1.0; 4], vec![0.5; 3]]);
        assert_eq!(loudness.integrated_lufs, Some(Lufs(-0.691)));
    }
}
