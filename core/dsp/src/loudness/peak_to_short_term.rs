//! PSR: how far peaks stand out of the loudness around them.

use super::gating::{ABSOLUTE_GATE, SHORT_TERM_HOPS, energy_of, loudness_of};
use wavemill_audio::units::{Dbtp, Lu};

/// The smallest ratio of true peak to short-term loudness.
///
/// Source: I. Shepherd and others, "Measuring micro-dynamics - a first step: standardizing PSR, the peak
/// to short-term loudness ratio", AES Convention 143, 2017.
#[derive(Clone, Debug)]
pub(super) struct PeakToShortTerm {
    /// True peaks of the latest hops, a ring indexed by hop.
    peaks: [f32; SHORT_TERM_HOPS],
    hop_count: usize,
    gate_energy: f64,
    /// Peak and energy of the window where peaks stand out least.
    least: Option<(f32, f64)>,
}

impl PeakToShortTerm {
    pub(super) fn new() -> Self {
        Self {
            peaks: [0.0; SHORT_TERM_HOPS],
            hop_count: 0,
            gate_energy: energy_of(ABSOLUTE_GATE.0),
            least: None,
        }
    }

    /// Adds the true peak of a hop; `short_term` is the energy of the 3 s that end with it, if there
    /// were so many.
    pub(super) fn push(&mut self, peak: f32, short_term: Option<f64>) {
        self.peaks[self.hop_count % SHORT_TERM_HOPS] = peak;
        self.hop_count += 1;
        let Some(energy) = short_term.filter(|&energy| energy > self.gate_energy) else { return };
        let peak = self.peaks.iter().fold(0.0, |largest: f32, &peak| largest.max(peak));
        let ratio = |(peak, energy): (f32, f64)| f64::from(peak) * f64::from(peak) / energy;
        if self.least.is_none_or(|least| ratio((peak, energy)) < ratio(least)) {
            self.least = Some((peak, energy));
        }
    }

    /// The true peak of the latest hop; 0 before the first.
    pub(super) fn latest(&self) -> f32 {
        self.hop_count.checked_sub(1).map_or(0.0, |hop| self.peaks[hop % SHORT_TERM_HOPS])
    }

    /// Hops added so far.
    pub(super) fn hop_count(&self) -> usize {
        self.hop_count
    }

    /// The smallest value so far.
    pub(super) fn value(&self) -> Option<Lu> {
        let (peak, energy) = self.least?;
        let (peak, loudness) = (Dbtp::from_amplitude(peak.into())?, loudness_of(energy)?);
        Some((peak - Dbtp(loudness.0)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_where_peaks_stand_out_least_counts() {
        let mut meter = PeakToShortTerm::new();
        for hop in 0..90 {
            // A peak of 1.0 in hop 20 is 10 dB above all others and leaves the window with hop 50.
            let peak = if hop == 20 { 1.0 } else { 0.316_227_77 };
            meter.push(peak, (hop >= 29).then(|| energy_of(-20.0)));
            let expected = match hop {
                ..29 => None,
                29..50 => Some(20.0),
                _ => Some(10.0),
            };
            let value = meter.value().map(|lu| lu.0);
            assert_eq!(value.is_some(), expected.is_some());
            let difference = value.unwrap_or_default() - expected.unwrap_or_default();
            assert!(difference.abs() < 1e-6, "{hop}: {value:?}");
        }
    }

    #[test]
    fn windows_below_the_absolute_gate_do_not_count() {
        let mut meter = PeakToShortTerm::new();
        meter.push(1e-4, Some(energy_of(-70.1)));
        assert_eq!(meter.value(), None);
        meter.push(1e-3, Some(energy_of(-69.9)));
        assert!((meter.value().unwrap().0 - 9.9).abs() < 1e-6);
    }
}
