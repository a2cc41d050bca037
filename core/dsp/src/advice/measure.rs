//! What is held against a profile.

use super::Band;
use serde::Serialize;

/// A measure that has a range in profiles.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// True peak, the larger of both measures, in dBTP.
    TruePeakDbtp,
    /// Integrated loudness, in LUFS.
    IntegratedLufs,
    /// PLR, in LU.
    PeakToLoudnessLu,
    /// Crest factor, in dB.
    CrestFactorDb,
    /// Loudness range, in LU.
    LoudnessRangeLu,
    /// Level of a band by that of all bands: 10 log10 of its `energy_share`, in dB.
    BandLevelDb,
    /// Stereo width of everything, or of a band.
    Width,
    /// Correlation of the sides.
    Correlation,
}

impl Measure {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TruePeakDbtp => "true peak",
            Self::IntegratedLufs => "integrated loudness",
            Self::PeakToLoudnessLu => "peak to loudness",
            Self::CrestFactorDb => "crest factor",
            Self::LoudnessRangeLu => "loudness range",
            Self::BandLevelDb => "level of a band",
            Self::Width => "width",
            Self::Correlation => "correlation",
        }
    }

    /// Its unit; empty for numbers without one.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::TruePeakDbtp => "dBTP",
            Self::IntegratedLufs => "LUFS",
            Self::PeakToLoudnessLu | Self::LoudnessRangeLu => "LU",
            Self::CrestFactorDb | Self::BandLevelDb => "dB",
            Self::Width | Self::Correlation => "",
        }
    }

    /// The unit of its differences.
    pub const fn difference_unit(self) -> &'static str {
        match self {
            Self::IntegratedLufs => "LU",
            Self::TruePeakDbtp => "dB",
            _ => self.unit(),
        }
    }

    /// The smallest difference that counts as noticeable, in its unit: what importance is measured in.
    ///
    /// Just-noticeable differences depend on the signal and on the listener, so these are round numbers
    /// near published ones, and Wavemill's own choice:
    ///
    /// - loudness 1 LU: just-noticeable level differences of noise and music are about 1 dB (E. Zwicker,
    ///   H. Fastl, "Psychoacoustics", chapter 7);
    /// - bands 1 dB in the middle, where broad resonances are heard from less than that on (F. E. Toole,
    ///   S. E. Olive, "The Modification of Timbre by Resonances", JAES 36, 1988); 1.5 dB in the low mids,
    ///   2 dB at both ends, where rooms and headphones differ by more;
    /// - true peak 0.5 dB: less is lost in what lossy coding adds;
    /// - PLR, crest factor and loudness range 2 dB: dynamics are heard less finely than levels;
    /// - correlation 0.2: from 0.04 at full correlation to 0.4 without any (I. Pollack, W. Trittipoe,
    ///   "Binaural Listening and Interaural Noise Cross Correlation", JASA 31, 1959);
    /// - width 0.08: about what 3 dB more or less of the side signal change at a width of 0.3.
    pub(super) const fn noticeable(self, band: Option<Band>) -> f64 {
        match self {
            Self::TruePeakDbtp => 0.5,
            Self::IntegratedLufs => 1.0,
            Self::PeakToLoudnessLu | Self::CrestFactorDb | Self::LoudnessRangeLu => 2.0,
            Self::BandLevelDb => match band {
                Some(Band::Low | Band::High) => 2.0,
                Some(Band::LowMid) => 1.5,
                Some(Band::Mid | Band::HighMid) | None => 1.0,
            },
            Self::Width => 0.08,
            Self::Correlation => 0.2,
        }
    }

    /// Steps per unit to which values are rounded before they are held against a range: finer than what
    /// is shown, coarser than what two meters agree on.
    pub(super) const fn steps(self) -> f64 {
        match self {
            Self::Width | Self::Correlation => 1000.0,
            _ => 100.0,
        }
    }
}
