//! `ReplayGain` 2.0: how much a player shall change the level of a file.
//!
//! Source: "`ReplayGain` 2.0 specification", Hydrogenaudio Knowledgebase: loudness as ITU-R BS.1770, a
//! reference of -18 LUFS, the tags and their formats.

use wavemill_audio::units::{Dbtp, Decibels, Lufs};

/// Loudness that players bring files to.
pub const REFERENCE: Lufs = Lufs(-18.0);

/// What a file states to players.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReplayGain {
    /// Of the file; `None` while it is not measured, or where it has no loudness.
    pub track: Option<GainBasis>,
    /// Of all files that belong together.
    pub album: Option<GainBasis>,
}

/// Loudness and true peak of what a gain is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GainBasis {
    /// Integrated loudness.
    pub loudness: Lufs,
    /// True peak.
    pub true_peak: Dbtp,
}

impl GainBasis {
    /// What brings it to [`REFERENCE`], rounded as tags state it, to 0.01 dB.
    pub fn gain(self) -> Decibels {
        let gain: Decibels = (REFERENCE - self.loudness).into();
        // Adding zero turns -0.0 into 0.0.
        Decibels((gain.0 * 100.0).round() / 100.0 + 0.0)
    }

    /// Its peak as a factor of full scale.
    pub fn peak(self) -> f64 {
        Decibels(self.true_peak.0).to_amplitude()
    }
}

impl ReplayGain {
    /// Names and values of its tags.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("REPLAYGAIN_TRACK_GAIN", "REPLAYGAIN_TRACK_PEAK", self.track),
            ("REPLAYGAIN_ALBUM_GAIN", "REPLAYGAIN_ALBUM_PEAK", self.album),
        ];
        let fields = |(gain, peak, leveled): (_, _, Option<GainBasis>)| {
            let leveled = leveled?;
            let gain_text = format!("{:.2} dB", leveled.gain().0);
            Some([(gain, gain_text), (peak, format!("{:.6}", leveled.peak()))])
        };
        named.into_iter().filter_map(fields).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leveled(loudness: f64, peak: f64) -> GainBasis {
        GainBasis { loudness: Lufs(loudness), true_peak: Dbtp(peak) }
    }

    #[test]
    fn fields_are_written_as_the_specification_shows_them() {
        // -18 + 10.97 = -7.03; a peak of -6.0206 dBTP is half of full scale.
        let gain = ReplayGain { track: Some(leveled(-10.97, -6.020_6)), album: None };
        assert_eq!(
            gain.fields(),
            [
                ("REPLAYGAIN_TRACK_GAIN", "-7.03 dB".to_owned()),
                ("REPLAYGAIN_TRACK_PEAK", "0.500000".to_owned()),
            ]
        );
        let gain = ReplayGain { album: Some(leveled(-23.0, 1.0)), ..gain };
        assert_eq!(gain.fields()[2].1, "5.00 dB");
        assert_eq!(gain.fields()[3].1, "1.122018");
    }

    #[test]
    fn gain_of_nothing_has_no_sign_and_silence_no_tags() {
        assert_eq!(leveled(-17.999, -1.0).gain().0.to_bits(), 0.0f64.to_bits());
        assert!(ReplayGain::default().fields().is_empty());
    }
}
