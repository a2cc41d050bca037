//! What dimensions belong to.

use serde::{Deserialize, Serialize};

/// What a dimension belongs to.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureGroup {
    /// Levels of bands, and how they change.
    Spectral,
    /// Loudness and levels over time.
    Dynamics,
    /// Distribution of energy over five bands.
    Energy,
    /// The two sides.
    Stereo,
    /// What is harmonic, and how things begin.
    Attack,
    /// Pulse and tempo.
    Rhythm,
    /// Pitch classes by the tonic.
    Tonality,
}

impl FeatureGroup {
    /// All of them, in the order of the dimensions.
    pub(crate) const ALL: [Self; 7] = [
        Self::Spectral,
        Self::Dynamics,
        Self::Energy,
        Self::Stereo,
        Self::Attack,
        Self::Rhythm,
        Self::Tonality,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spectral => "spectral",
            Self::Dynamics => "dynamics",
            Self::Energy => "energy",
            Self::Stereo => "stereo",
            Self::Attack => "attack",
            Self::Rhythm => "rhythm",
            Self::Tonality => "tonality",
        }
    }
}
