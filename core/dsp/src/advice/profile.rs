//! What masters of a kind are like.

use super::{Band, Range};
use crate::analysis::Analysis;
use crate::delivery::Target;
use crate::loudness::LoudnessReport;
use serde::Serialize;
use wavemill_audio::units::{Dbtp, Decibels, Lu, Lufs};

/// Ranges that masters of a kind are wanted in. They are targets from published practice, or the numbers
/// of one reference track with tolerances: not measurements of many records. A range without ends asks
/// for nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// What one types: lower case, digits and hyphens, as `techno-peak-time`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What one types for the genre, as `techno`.
    pub genre: String,
    /// What one types for the character within the genre, as `peak-time`.
    pub character: String,
    /// Integrated loudness.
    pub integrated_lufs: Range<Lufs>,
    /// Loudness range.
    pub loudness_range_lu: Range<Lu>,
    /// Crest factor.
    pub crest_factor_db: Range<Decibels>,
    /// PLR.
    pub peak_to_loudness_lu: Range<Lu>,
    /// Largest true peak.
    pub true_peak_max_dbtp: Option<Dbtp>,
    /// The bands, in the order of [`Band::ALL`].
    pub bands: [BandRanges; Band::ALL.len()],
    /// Width of everything, 0 to 1.
    pub width: Range<f64>,
    /// Smallest correlation of the sides, -1 to 1.
    pub correlation_min: Option<f64>,
    /// Tempo in beats per minute: what a genre usually has. Nothing is held against it, since mastering does not change
    /// it.
    pub tempo_bpm: Range<f64>,
    /// Where the ranges come from.
    pub source: String,
}

/// Ranges of a band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BandRanges {
    /// Level by that of all bands together: 0 dB would be all of the energy.
    pub level_db: Range<Decibels>,
    /// Width, 0 to 1.
    pub width: Range<f64>,
}

/// The id of the profile for whatever has none.
const GENERAL: &str = "general";

/// The id of the profile of one track.
const REFERENCE: &str = "reference";

/// The character of a profile made of somebody's own tracks.
pub(super) const OWN_CHARACTER: &str = "own";

/// Levels of the bands of an average hit, in dB of the sum.
///
/// The average spectrum of number ones from 1950 to 2010 falls by about 5 dB an octave in power density
/// from 100 Hz to 4 kHz, so by 2 dB in bands of an octave, and faster above (P. D. Pestana, Z. Ma, J. D.
/// Reiss, A. Barbosa, D. A. A. Black, "Spectral Characteristics of Popular Commercial Recordings
/// 1950-2010", AES Convention 135, 2013). These levels are that line over the five bands, with equal
/// octaves from 40 to 100 Hz and 5 dB an octave above 4 kHz, which are assumptions.
const AVERAGE_DB: [f64; Band::ALL.len()] = [-2.0, -7.4, -8.8, -13.6, -20.5];

/// How far the bands of any music may lie from the average, either way: twice the spread of a genre. The
/// low band cannot exceed the sum, so its upper end is [`LOW_DB_MAX`].
const GENERAL_TOLERANCE_DB: f64 = 6.0;

/// Share of the low band, in dB, above which little else is left: 90 % of the energy.
const LOW_DB_MAX: f64 = -0.5;

/// The highest true peak that lossy coding leaves room for: AES TD1008 and the streaming services ask
/// for it.
const TRUE_PEAK_MAX: Dbtp = Dbtp(-1.0);

impl Profile {
    /// What holds of music in general: for genres that have no profile. The ranges are wide, so that
    /// only what is unusual for any music is advised on.
    pub fn general() -> Self {
        let band = |band: Band, average: f64| {
            let max = average + GENERAL_TOLERANCE_DB;
            let max = if band == Band::Low { LOW_DB_MAX } else { max };
            let level = Range::new(average - GENERAL_TOLERANCE_DB, max);
            // Bass that differs between the sides cancels in mono.
            let width = if band == Band::Low { Range::at_most(0.35) } else { Range::default() };
            BandRanges { level_db: level.map(Decibels), width }
        };
        let [low, low_mid, mid, high_mid, high] = Band::ALL;
        let [a, b, c, d, e] = AVERAGE_DB;
        Self {
            id: GENERAL.to_owned(),
            name: "General".to_owned(),
            genre: GENERAL.to_owned(),
            character: String::new(),
            integrated_lufs: Range::new(Lufs(-18.0), Lufs(-7.0)),
            loudness_range_lu: Range::new(Lu(2.0), Lu(18.0)),
            crest_factor_db: Range::new(Decibels(7.0), Decibels(20.0)),
            peak_to_loudness_lu: Range::new(Lu(7.0), Lu(18.0)),
            true_peak_max_dbtp: Some(TRUE_PEAK_MAX),
            bands: [band(low, a), band(low_mid, b), band(mid, c), band(high_mid, d), band(high, e)],
            width: Range::at_most(0.45),
            correlation_min: Some(0.0),
            tempo_bpm: Range::default(),
            source:
                "wide ranges around the average spectrum of Pestana and others, AES Convention \
                135, 2013, and what streaming services ask for"
                    .to_owned(),
        }
    }

    /// Whether it is the one for whatever has none.
    pub fn is_general(&self) -> bool {
        self.id == GENERAL
    }

    /// What its ranges are, in words that may stand beside advice.
    pub fn origin(&self) -> &'static str {
        if self.id == REFERENCE {
            "the numbers of one track, with tolerances"
        } else if self.character == OWN_CHARACTER {
            "the spread of your own tracks"
        } else {
            "targets drawn from published practice, not measurements of records"
        }
    }

    /// The numbers of one track, with tolerances: 1 LU of loudness, 2 of loudness range, PLR and crest
    /// factor, 2 dB in each band, 0.08 of width and 0.2 of correlation. They are about twice what is
    /// noticed in the bands' middle, and what is noticed elsewhere. Its true peak counts between -1 dBTP
    /// and full scale: a reference that clips is no reason to clip.
    ///
    /// What was not measured has no range.
    pub fn of_reference(name: &str, analysis: &Analysis) -> Self {
        let around = |value: f64, by: f64| Range::new(value - by, value + by);
        let loudness = analysis.loudness.as_ref();
        let lu = |value: Option<Lu>| value.map(|value| around(value.0, 2.0).map(Lu));
        let width =
            |value: Option<f64>| value.map_or(Range::default(), |value| around(value, 0.08));
        let band = |band: Band| {
            let report = analysis.bands.iter().flatten().find(|report| report.name == band.name());
            let level = report.and_then(|report| Decibels::from_power(report.energy_share?));
            let level_db = level.map(|level| around(level.0, 2.0).map(Decibels));
            let width = width(report.and_then(|report| report.width));
            BandRanges { level_db: level_db.unwrap_or_default(), width }
        };
        let integrated = loudness.and_then(|report| report.integrated_lufs);
        let crest = analysis.level.as_ref().and_then(|report| report.crest_factor_db);
        let stereo = analysis.stereo.as_ref();
        let peak = loudness.and_then(LoudnessReport::larger_true_peak);
        Self {
            id: REFERENCE.to_owned(),
            name: name.to_owned(),
            integrated_lufs: integrated
                .map(|lufs| around(lufs.0, 1.0).map(Lufs))
                .unwrap_or_default(),
            loudness_range_lu: lu(loudness.and_then(|report| report.loudness_range_lu))
                .unwrap_or_default(),
            crest_factor_db: crest
                .map(|crest| around(crest.0, 2.0).map(Decibels))
                .unwrap_or_default(),
            peak_to_loudness_lu: lu(loudness.and_then(|report| report.peak_to_loudness_lu))
                .unwrap_or_default(),
            true_peak_max_dbtp: peak.map(|peak| Dbtp(peak.0.clamp(TRUE_PEAK_MAX.0, 0.0))),
            bands: Band::ALL.map(band),
            width: width(stereo.and_then(|report| report.width)),
            correlation_min: stereo.and_then(|report| report.correlation).map(|value| value - 0.2),
            source: "the numbers of one track, with tolerances".to_owned(),
            ..Self::default()
        }
    }

    /// With what a delivery target asks for besides: the stricter true peak and loudness range, and the
    /// target's loudness where files are rejected for it. A target that only predicts playback leaves
    /// the loudness to the profile.
    #[must_use]
    pub fn within(mut self, target: &Target, loudness: Option<Lufs>) -> Self {
        let stricter = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let peak = target.true_peak_max(loudness).map(|peak| peak.0);
        let own = self.true_peak_max_dbtp.map(|peak| peak.0);
        self.true_peak_max_dbtp = stricter(own, peak).map(Dbtp);
        if let Some((aim, tolerance)) = target.integrated_lufs.zip(target.tolerance_lu)
            && !target.is_dialogue_gated
        {
            let (low, high) = (aim.0 - tolerance.0, aim.0 + tolerance.0);
            self.integrated_lufs = Range::new(Lufs(low), Lufs(high));
            // What follows from the loudness of other masters says nothing about this one.
            self.peak_to_loudness_lu.max = None;
            self.crest_factor_db.max = None;
        }
        let range = &mut self.loudness_range_lu;
        let max = target.loudness_range_max_lu.map(|max| max.0);
        range.max = stricter(range.max.map(|max| max.0), max).map(Lu);
        range.min = range.min.filter(|min| range.max.is_none_or(|max| *min <= max));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::{Level, advise};
    use crate::measure::{LevelReport, StereoReport};

    fn reference() -> Analysis {
        Analysis {
            loudness: Some(LoudnessReport {
                integrated_lufs: Some(Lufs(-8.0)),
                true_peak_dbtp: Some(Dbtp(0.4)),
                ..LoudnessReport::default()
            }),
            level: Some(LevelReport {
                crest_factor_db: Some(Decibels(9.0)),
                ..LevelReport::default()
            }),
            stereo: Some(StereoReport {
                width: Some(0.3),
                correlation: Some(0.5),
                balance_db: None,
            }),
            ..Analysis::default()
        }
    }

    #[test]
    fn reference_asks_nothing_of_itself_but_room_for_its_peaks() {
        let profile = Profile::of_reference("hit.wav", &reference());
        let advice = advise(&reference(), &profile, Level::Assertive);
        assert_eq!(advice.len(), 1, "{advice:?}");
        assert_eq!((advice[0].max, advice[0].difference), (Some(0.0), 0.4));
        let mut quieter = reference();
        quieter.loudness.as_mut().unwrap().integrated_lufs = Some(Lufs(-11.0));
        let found = advise(&quieter, &profile, Level::Subtle);
        assert_eq!((found[0].min, found[0].correction_db), (Some(-9.0), Some(1.0)));
    }

    #[test]
    fn silent_reference_has_no_ranges() {
        let profile = Profile::of_reference("silence.wav", &Analysis::default());
        assert_eq!(advise(&reference(), &profile, Level::Assertive), []);
    }

    #[test]
    fn target_adds_its_ceiling_and_the_loudness_it_rejects_for() {
        let broadcast = Target {
            integrated_lufs: Some(Lufs(-23.0)),
            tolerance_lu: Some(Lu(0.5)),
            true_peak_max_dbtp: Some(Dbtp(-2.0)),
            loudness_range_max_lu: Some(Lu(1.0)),
            ..Target::default()
        };
        let profile = Profile::general().within(&broadcast, None);
        assert_eq!(profile.integrated_lufs, Range::new(Lufs(-23.5), Lufs(-22.5)));
        assert_eq!(profile.true_peak_max_dbtp, Some(Dbtp(-2.0)));
        assert_eq!(profile.loudness_range_lu, Range::at_most(Lu(1.0)));
        let streaming = Target { tolerance_lu: None, true_peak_max_dbtp: None, ..broadcast };
        let profile = Profile::general().within(&streaming, None);
        assert_eq!(profile.integrated_lufs, Profile::general().integrated_lufs);
        assert_eq!(profile.true_peak_max_dbtp, Some(Dbtp(-1.0)));
    }

    #[test]
    fn general_levels_of_bands_can_add_up() {
        let power = |level: Option<Decibels>| 10f64.powf(level.unwrap().0 / 10.0);
        let levels = Profile::general().bands.map(|band| band.level_db);
        let sum: f64 = AVERAGE_DB.iter().map(|level| 10f64.powf(level / 10.0)).sum();
        assert!((sum - 1.0).abs() < 0.05, "{sum}");
        assert!(levels.iter().map(|range| power(range.min)).sum::<f64>() < 1.0);
        assert!(levels.iter().map(|range| power(range.max)).sum::<f64>() > 1.0);
    }
}
