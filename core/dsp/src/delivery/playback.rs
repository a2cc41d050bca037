//! What a platform does to the level of a file when it plays it.

use serde::Serialize;
use std::fmt;
use wavemill_audio::units::{Dbtp, Decibels, Lufs};

/// How a platform brings files to one loudness. It changes the level only; whoever compresses or limits
/// instead is not described by this.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Playback {
    /// Loudness that files are brought to.
    pub level_lufs: Lufs,
    /// Whether quieter files are raised; louder ones are always lowered.
    pub raises: bool,
    /// A quieter file is raised only until its true peak reaches this.
    pub ceiling_dbtp: Option<Dbtp>,
}

/// What playback will do to a file.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlaybackGain {
    /// The change of level.
    pub gain_db: Decibels,
    /// Loudness after it.
    pub loudness_lufs: Lufs,
    /// Whether the file stays quieter than the platform's level because its peaks leave no room.
    #[serde(rename = "held_by_peaks")]
    pub is_held_by_peaks: bool,
}

impl Playback {
    /// What will be done to a file of this loudness and true peak; silence has no peak.
    pub(crate) fn predict(&self, loudness: Lufs, true_peak: Option<Dbtp>) -> PlaybackGain {
        let wanted = Decibels::from(self.level_lufs - loudness).0;
        let room = match (self.ceiling_dbtp, true_peak) {
            (Some(ceiling), Some(peak)) => (ceiling - peak).0.max(0.0),
            _ => f64::INFINITY,
        };
        let raise_max = if self.raises { room } else { 0.0 };
        let gain = Decibels(wanted.min(raise_max)).rounded();
        PlaybackGain {
            gain_db: gain,
            loudness_lufs: loudness + gain,
            is_held_by_peaks: self.raises && wanted > room,
        }
    }
}

/// Reads on after "playback".
impl fmt::Display for PlaybackGain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gain_db: gain, loudness_lufs: loudness, is_held_by_peaks } = *self;
        if gain.0 < -0.05 {
            write!(f, "lowers it by {:.1} to {loudness:.1}", -gain)
        } else if gain.0 > 0.05 {
            let why = if is_held_by_peaks { "; its peaks allow no more" } else { "" };
            write!(f, "raises it by {gain:.1} to {loudness:.1}{why}")
        } else {
            let why = if is_held_by_peaks { ": its peaks leave no headroom" } else { "" };
            write!(f, "does not change its level{why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH_WAYS: Playback =
        Playback { level_lufs: Lufs(-14.0), raises: true, ceiling_dbtp: Some(Dbtp(-1.0)) };

    #[test]
    fn louder_file_is_lowered_whatever_its_peaks() {
        let gain = BOTH_WAYS.predict(Lufs(-9.5), Some(Dbtp(0.8)));
        assert_eq!((gain.gain_db, gain.loudness_lufs), (Decibels(-4.5), Lufs(-14.0)));
        assert!(!gain.is_held_by_peaks);
    }

    /// The example that Spotify's own page works out: -20 LUFS and -5 dBTP come to -16 LUFS.
    #[test]
    fn softer_file_is_raised_as_far_as_its_peaks_allow() {
        let gain = BOTH_WAYS.predict(Lufs(-20.0), Some(Dbtp(-5.0)));
        assert_eq!((gain.gain_db, gain.loudness_lufs), (Decibels(4.0), Lufs(-16.0)));
        assert!(gain.is_held_by_peaks);
    }

    #[test]
    fn softer_file_without_room_is_left_alone() {
        assert_eq!(BOTH_WAYS.predict(Lufs(-20.0), Some(Dbtp(-0.2))).gain_db, Decibels(0.0));
    }

    #[test]
    fn platform_that_only_lowers_leaves_softer_files_alone() {
        let playback = Playback { raises: false, ceiling_dbtp: None, ..BOTH_WAYS };
        let gain = playback.predict(Lufs(-20.0), Some(Dbtp(-9.0)));
        assert_eq!((gain.gain_db, gain.is_held_by_peaks), (Decibels(0.0), false));
    }
}
