//! From an analysis to advice.

use super::reading::{Reading, readings};
use super::words::{Words, words};
use super::{Band, Level, Measure, Profile, Range};
use crate::analysis::Analysis;
use serde::Serialize;
use wavemill_audio::units::Decibels;

/// Something to do about a master.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The measure that lies outside of its range.
    pub measure: Measure,
    /// The band it is of; `None` where it is of everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// Its value.
    pub measured: f64,
    /// Smallest value wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The value minus the nearer end of the range: positive above it.
    pub difference: f64,
    /// Unit of the numbers above; empty for those without one.
    pub unit: &'static str,
    /// What to change it by, in dB: gain of the signal, of the band's filter or of the side signal; of
    /// dynamics the change of the measure. `None` where no such change corrects it.
    pub correction_db: Option<f64>,
    /// How audible the difference is: its size by what is just noticed of such a difference.
    pub importance: f64,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub action: String,
}

/// Largest correction asked for at once, either way: more changes the sound so much that the mix is the
/// place for it.
pub const CORRECTION_DB_MAX: f64 = 6.0;

/// How far a band may lie below its range to be raised: one that lacks more is almost empty, and what an
/// equalizer would raise there is noise.
const BAND_LACK_DB_MAX: f64 = 12.0;

/// What to do about a master, most audible first.
///
/// The importance of a difference d is |d| / n, where n is the smallest difference of that measure that
/// counts as noticeable ([`Measure`] has the numbers and their sources); equal ones stand in the order
/// of the measures and bands. Values that do not exist, as those of silence and the width of a mono
/// file, give no advice. Deterministic.
///
/// ```
/// use wavemill_dsp::advice::{Level, Profile, advise};
/// use wavemill_dsp::analysis::Analysis;
/// use wavemill_dsp::loudness::LoudnessReport;
/// use wavemill_audio::units::Dbtp;
///
/// let loudness = LoudnessReport { true_peak_dbtp: Some(Dbtp(0.5)), ..LoudnessReport::default() };
/// let analysis = Analysis { loudness: Some(loudness), ..Analysis::default() };
/// let advice = advise(&analysis, &Profile::general(), Level::Assertive);
/// assert_eq!((advice[0].measured, advice[0].max), (0.5, Some(-1.0)));
/// assert_eq!(advice[0].correction_db, Some(-1.5));
/// ```
pub fn advise(analysis: &Analysis, profile: &Profile, level: Level) -> Vec<Advice> {
    let readings = readings(analysis, profile);
    let mut all: Vec<Advice> =
        readings.into_iter().filter_map(|reading| outside(reading, level)).collect();
    all.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    all
}

/// Advice on one measure, where the level asks for it.
fn outside(reading: Reading, level: Level) -> Option<Advice> {
    let Reading { measure, band, value, range } = reading;
    let steps = measure.steps();
    let rounded = |value: f64| (value * steps).round() / steps;
    let (value, range) = (rounded(value), range.map(rounded));
    let difference = rounded(range.difference(value)?);
    let importance = difference.abs() / measure.noticeable(band);
    if importance < level.importance_min() {
        return None;
    }
    let correction_db = correction(measure, value, difference, level.share());
    let Words { why, action } = words(measure, band, difference, correction_db, level);
    Some(Advice {
        measure,
        band,
        measured: value,
        min: range.min,
        max: range.max,
        difference,
        unit: measure.unit(),
        correction_db,
        importance: (importance * 100.0).round() / 100.0,
        why,
        action,
    })
}

/// The change in dB that takes `share` of the difference away.
fn correction(measure: Measure, value: f64, difference: f64, share: f64) -> Option<f64> {
    let db = match measure {
        Measure::Correlation => return None,
        // A width w is S / (M + S), so S / M is w / (1 - w).
        Measure::Width => {
            let sides = |width: f64| width / (1.0 - width);
            let wanted = value - share * difference;
            Decibels::from_amplitude(sides(wanted) / sides(value))?.0
        }
        Measure::BandLevelDb if difference < -BAND_LACK_DB_MAX => return None,
        // A ceiling is kept whole or not at all.
        Measure::TruePeakDbtp => -difference,
        _ => -share * difference,
    };
    let db = db.clamp(-CORRECTION_DB_MAX, CORRECTION_DB_MAX);
    Some((db * 10.0).round() / 10.0)
}

impl Advice {
    /// The range that was wanted.
    pub fn range(&self) -> Range<f64> {
        Range { min: self.min, max: self.max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{self, Options};
    use crate::loudness::LoudnessReport;
    use crate::measure::{BandReport, LevelReport, StereoReport};
    use wavemill_audio::units::{Dbtp, Hertz, Lu, Lufs};
    use wavemill_audio::{PcmFormat, StreamSpec};

    /// Inside of every general range.
    fn fine() -> Analysis {
        let levels_db = [-2.0, -7.4, -8.8, -13.6, -20.5];
        let band = |(band, level): (Band, f64)| BandReport {
            name: band.name().into(),
            low_hz: Hertz(0.0),
            high_hz: Hertz(0.0),
            level_dbfs: None,
            energy_share: Some(10f64.powf(level / 10.0)),
            crest_factor_db: None,
            width: Some(0.2),
            correlation: None,
            centroid_hz: None,
            rolloff_hz: None,
            flatness: None,
        };
        Analysis {
            loudness: Some(LoudnessReport {
                integrated_lufs: Some(Lufs(-12.0)),
                loudness_range_lu: Some(Lu(6.0)),
                peak_to_loudness_lu: Some(Lu(11.0)),
                true_peak_dbtp: Some(Dbtp(-1.0)),
                ..LoudnessReport::default()
            }),
            level: Some(LevelReport {
                crest_factor_db: Some(Decibels(12.0)),
                ..LevelReport::default()
            }),
            stereo: Some(StereoReport {
                width: Some(0.25),
                correlation: Some(0.6),
                balance_db: None,
            }),
            bands: Some(Band::ALL.into_iter().zip(levels_db).map(band).collect()),
            ..Analysis::default()
        }
    }

    fn keys(advice: &[Advice]) -> Vec<(Measure, Option<Band>)> {
        advice.iter().map(|one| (one.measure, one.band)).collect()
    }

    fn only(change: impl Fn(&mut Analysis)) -> Advice {
        let mut analysis = fine();
        change(&mut analysis);
        let mut found = advise(&analysis, &Profile::general(), Level::Assertive);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    fn loudness(analysis: &mut Analysis) -> &mut LoudnessReport {
        analysis.loudness.as_mut().unwrap()
    }

    fn share(analysis: &mut Analysis, band: usize, level_db: f64) {
        let band = &mut analysis.bands.as_mut().unwrap()[band];
        band.energy_share = Some(10f64.powf(level_db / 10.0));
    }

    #[test]
    fn master_inside_of_all_ranges_gets_no_advice() {
        for level in Level::ALL {
            assert_eq!(advise(&fine(), &Profile::general(), level), []);
        }
    }

    #[test]
    fn values_that_do_not_exist_give_no_advice() {
        let assertive =
            |analysis: &Analysis| advise(analysis, &Profile::general(), Level::Assertive);
        assert_eq!(assertive(&Analysis::default()), []);
        let mut mono = fine();
        mono.stereo = Some(StereoReport::default());
        mono.bands.iter_mut().flatten().for_each(|band| band.width = None);
        assert_eq!(assertive(&mono), []);
        mono.bands.as_mut().unwrap().truncate(2);
        assert_eq!(assertive(&mono), []);
    }

    #[test]
    fn silence_gets_no_advice() {
        let spec = StreamSpec::new(48_000, 2);
        let plane = vec![0.0; 48_000];
        let options = Options::default();
        let report = analysis::analyze(&[&plane, &plane], &spec, PcmFormat::FLOAT, &options);
        assert_eq!(advise(&report.unwrap(), &Profile::general(), Level::Assertive), []);
    }

    #[test]
    fn each_measure_of_the_whole_is_advised_on_both_ways() {
        let found = only(|it| loudness(it).integrated_lufs = Some(Lufs(-5.0)));
        assert_eq!((found.difference, found.correction_db), (2.0, Some(-2.0)));
        assert!(found.action.starts_with("lower the level into the limiter by 2 dB"));
        let found = only(|it| loudness(it).integrated_lufs = Some(Lufs(-21.5)));
        assert_eq!((found.difference, found.correction_db), (-3.5, Some(3.5)));
        let found = only(|it| loudness(it).true_peak_precise_dbtp = Some(Dbtp(0.3)));
        assert_eq!((found.measure, found.difference), (Measure::TruePeakDbtp, 1.3));
        let found = only(|it| loudness(it).peak_to_loudness_lu = Some(Lu(5.0)));
        assert_eq!((found.measure, found.importance), (Measure::PeakToLoudnessLu, 1.0));
        assert!(only(|it| loudness(it).loudness_range_lu = Some(Lu(20.0))).difference > 0.0);
        assert!(only(|it| loudness(it).loudness_range_lu = Some(Lu(1.0))).difference < 0.0);
        let crest = |it: &mut Analysis, crest| {
            it.level.as_mut().unwrap().crest_factor_db = Some(Decibels(crest));
        };
        assert_eq!(only(|it| crest(it, 5.0)).correction_db, Some(2.0));
        assert_eq!(only(|it| crest(it, 22.0)).correction_db, Some(-2.0));
        let correlation = |it: &mut Analysis| it.stereo.as_mut().unwrap().correlation = Some(-0.3);
        assert_eq!(only(correlation).correction_db, None);
    }

    #[test]
    fn each_band_is_advised_on_both_ways() {
        for (index, band) in Band::ALL.into_iter().enumerate() {
            let high = if band == Band::Low { -0.1 } else { -1.0 };
            let found = only(|it| share(it, index, high));
            assert_eq!((found.measure, found.band), (Measure::BandLevelDb, Some(band)));
            assert!(found.action.starts_with("cut "), "{}", found.action);
            let found = only(|it| share(it, index, -30.0));
            assert!(found.difference < 0.0);
        }
    }

    #[test]
    fn band_that_is_almost_empty_is_not_raised() {
        let found = only(|it| share(it, 4, -70.0));
        assert_eq!(found.correction_db, None);
        assert!(found.action.contains("lossy source"));
        let raised = only(|it| share(it, 4, -30.0));
        assert_eq!(raised.correction_db, Some(3.5));
    }

    /// S / M is 1 at a width of 0.5 and 9/11 at 0.45: 1.74 dB less.
    #[test]
    fn width_is_corrected_by_gain_of_the_side_signal() {
        let found = only(|it| it.stereo.as_mut().unwrap().width = Some(0.5));
        assert_eq!((found.difference, found.correction_db), (0.05, Some(-1.7)));
        let bass = only(|it| it.bands.as_mut().unwrap()[0].width = Some(0.5));
        assert_eq!((bass.band, bass.measure), (Some(Band::Low), Measure::Width));
        assert!(bass.why.contains("mono"));
    }

    #[test]
    fn most_audible_comes_first() {
        let mut analysis = fine();
        loudness(&mut analysis).peak_to_loudness_lu = Some(Lu(5.0)); // 2 LU: importance 1.
        share(&mut analysis, 2, -0.8); // 2 dB above -2.8: importance 2.
        loudness(&mut analysis).true_peak_dbtp = Some(Dbtp(0.5)); // 1.5 dB: importance 3.
        let found = advise(&analysis, &Profile::general(), Level::Suggestive);
        let importance: Vec<f64> = found.iter().map(|one| one.importance).collect();
        assert_eq!(importance, [3.0, 2.0, 1.0]);
        assert_eq!(found[0].measure, Measure::TruePeakDbtp);
    }

    #[test]
    fn gentler_level_says_less_and_corrects_less() {
        let mut analysis = fine();
        for step in 0..40 {
            let off = f64::from(step) * 0.25;
            loudness(&mut analysis).integrated_lufs = Some(Lufs(-7.0 + off));
            loudness(&mut analysis).true_peak_dbtp = Some(Dbtp(-1.0 + off / 4.0));
            share(&mut analysis, 3, -7.6 + off / 2.0);
            let [subtle, suggestive, assertive] =
                Level::ALL.map(|level| advise(&analysis, &Profile::general(), level));
            for (less, more) in [(&subtle, &suggestive), (&suggestive, &assertive)] {
                let more_keys = keys(more);
                for one in less {
                    let other = &more[more_keys
                        .iter()
                        .position(|key| *key == (one.measure, one.band))
                        .expect("the more assertive level says it too")];
                    let size = |one: &Advice| one.correction_db.map(f64::abs);
                    assert!(size(one) <= size(other), "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn difference_too_small_to_be_shown_is_none() {
        let mut analysis = fine();
        loudness(&mut analysis).integrated_lufs = Some(Lufs(-6.9951));
        assert_eq!(advise(&analysis, &Profile::general(), Level::Assertive), []);
    }

    #[test]
    fn noise_is_never_corrected_by_more_than_the_largest_correction() {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * 0.5
        };
        let planes: [Vec<f32>; 2] = [0, 1].map(|_| (0..96_000).map(|_| noise()).collect());
        let spec = StreamSpec::new(48_000, 2);
        let options = Options::default();
        let report =
            analysis::analyze(&[&planes[0], &planes[1]], &spec, PcmFormat::FLOAT, &options)
                .unwrap();
        let found = advise(&report, &Profile::general(), Level::Assertive);
        assert!(found.iter().any(|one| one.band == Some(Band::High) && one.difference > 0.0));
        for one in &found {
            assert!(one.correction_db.is_none_or(|db| db.abs() <= CORRECTION_DB_MAX), "{one:?}");
            assert!(one.importance > 0.0 && one.importance.is_finite());
        }
        assert_eq!(found, advise(&report, &Profile::general(), Level::Assertive));
    }
}
