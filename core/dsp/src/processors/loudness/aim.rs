//! What is asked of `loudness`, and the gain that follows from it.

use wavemill_audio::units::{Dbtp, Decibels, Lu, Lufs};

/// Amplitude kept free below the ceiling: dither and rounding to 16 bits move a sample by up to 1.5
/// LSB, and the interpolation filter between samples by up to 1.9 times that (the sum of the
/// magnitudes of a phase of its taps). At -1 dBTP this costs 0.001 dB.
const QUANTIZATION_HEADROOM: f64 = 3.0 / 32_768.0;

/// How far below the ceiling a limiter is set: meters disagree by as much.
const LIMITER_HEADROOM_DB: f64 = 0.01;

/// What happens where the ceiling binds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    /// Less gain.
    Lower,
    /// Peaks are reduced, by at most so much.
    Limit(Decibels),
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) target: Lufs,
    pub(super) ceiling: Dbtp,
    pub(super) mode: Mode,
    pub(super) skip_within: Option<Lu>,
    pub(super) lower_only: bool,
}

impl Aim {
    /// Whether a file of this loudness keeps it.
    pub(super) fn keeps(self, loudness: Lufs) -> bool {
        let distance: Decibels = (self.target - loudness).into();
        let is_near = self.skip_within.is_some_and(|range| distance.0.abs() <= range.0);
        is_near || (self.lower_only && distance > Decibels::ZERO)
    }

    /// The gain that brings a file of this loudness to the target, if it is not to keep it.
    pub(super) fn wanted(self, loudness: Lufs) -> Decibels {
        let distance: Decibels = (self.target - loudness).into();
        if self.keeps(loudness) { Decibels::ZERO } else { distance.rounded() }
    }

    /// The largest gain that keeps the ceiling.
    pub(super) fn allowed(self, true_peak: Dbtp) -> Option<Decibels> {
        Some((self.free_ceiling()? - true_peak).rounded_down())
    }

    /// The ceiling for a limiter.
    pub(super) fn limiter_ceiling(self) -> Option<Dbtp> {
        Some(self.free_ceiling()? + Decibels(-LIMITER_HEADROOM_DB))
    }

    fn free_ceiling(self) -> Option<Dbtp> {
        let ceiling = Decibels(self.ceiling.0).to_amplitude() - QUANTIZATION_HEADROOM;
        Dbtp::from_amplitude(ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: Aim = Aim {
        target: Lufs(-16.0),
        ceiling: Dbtp(-1.0),
        mode: Mode::Lower,
        skip_within: None,
        lower_only: false,
    };

    #[test]
    fn wanted_gain_is_the_distance_to_the_target() {
        assert_eq!(AIM.wanted(Lufs(-23.0)), Decibels(7.0));
    }

    #[test]
    fn file_near_the_target_keeps_its_loudness() {
        let aim = Aim { skip_within: Some(Lu(1.0)), ..AIM };
        assert_eq!(aim.wanted(Lufs(-15.5)), Decibels::ZERO);
        assert_eq!(aim.wanted(Lufs(-17.5)), Decibels(1.5));
    }

    #[test]
    fn lower_only_never_raises() {
        let aim = Aim { lower_only: true, ..AIM };
        assert_eq!(aim.wanted(Lufs(-23.0)), Decibels::ZERO);
        assert_eq!(aim.wanted(Lufs(-10.0)), Decibels(-6.0));
    }

    #[test]
    fn ceiling_leaves_room_for_quantization_and_is_rounded_down() {
        // 4 dB less the headroom of 0.0009 dB, rounded down.
        assert_eq!(AIM.allowed(Dbtp(-5.0)), Some(Decibels(3.999)));
        assert!((AIM.limiter_ceiling().unwrap().0 + 1.0109).abs() < 1e-4);
    }
}
