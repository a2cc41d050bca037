//! How much is advised.

use serde::Serialize;

/// How readily something is advised, and how much of the correction. What a level advises on, every
/// level after it advises on too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What is far outside, and half of the correction.
    Subtle,
    /// What is noticeably outside, and three quarters of the correction.
    #[default]
    Suggestive,
    /// Everything outside, and the full correction.
    Assertive,
}

impl Level {
    /// All of them, from the gentlest on.
    pub const ALL: [Self; 3] = [Self::Subtle, Self::Suggestive, Self::Assertive];

    /// What one types.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subtle => "subtle",
            Self::Suggestive => "suggestive",
            Self::Assertive => "assertive",
        }
    }

    /// Importance from which something is advised. One is a difference that listeners notice: half of
    /// that adds up with others, twice that stands out alone.
    pub(super) const fn importance_min(self) -> f64 {
        match self {
            Self::Subtle => 2.0,
            Self::Suggestive => 0.5,
            Self::Assertive => 0.0,
        }
    }

    /// Share of the difference that is to be corrected. Ranges are no laws, so part of a difference is
    /// left to the music.
    pub(super) const fn share(self) -> f64 {
        match self {
            Self::Subtle => 0.5,
            Self::Suggestive => 0.75,
            Self::Assertive => 1.0,
        }
    }
}
