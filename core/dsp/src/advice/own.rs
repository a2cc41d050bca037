//! A profile of somebody's own tracks.

use super::profile::OWN_CHARACTER;
use super::{Band, BandRanges, Profile, Range};
use crate::analysis::Analysis;
use crate::loudness::LoudnessReport;
use wavemill_audio::units::{Dbtp, Decibels, Lu, Lufs};

/// Percentiles that a range reaches between.
const PERCENTS: (f64, f64) = (10.0, 90.0);

/// Half of the narrowest range: tracks that agree by chance do not ask for a tenth of a decibel.
const LOUDNESS_MIN: f64 = 0.5;
const DYNAMICS_MIN: f64 = 1.0;
const BAND_MIN: f64 = 1.0;
const WIDTH_MIN: f64 = 0.04;

impl Profile {
    /// Fewest tracks that have a spread.
    pub const TRACKS_MIN: usize = 3;

    /// Of a genre as somebody's own tracks have it: each range reaches from the 10th to the 90th percentile of the
    /// tracks that have the value, interpolated, and is no narrower than what is heard. `genre` is what one types for
    /// it. `None` of fewer than [`Profile::TRACKS_MIN`] tracks; a value that fewer have has no range.
    pub fn of_tracks(name: &str, genre: &str, tracks: &[Analysis]) -> Option<Self> {
        if tracks.len() < Self::TRACKS_MIN {
            return None;
        }
        let range = |value: &dyn Fn(&Analysis) -> Option<f64>, least: f64| {
            spread(tracks.iter().filter_map(value).collect(), least).unwrap_or_default()
        };
        let loudness = |value: fn(&LoudnessReport) -> Option<f64>| {
            move |track: &Analysis| track.loudness.as_ref().and_then(value)
        };
        let dynamics = |value: fn(&LoudnessReport) -> Option<f64>| {
            let range = range(&loudness(value), DYNAMICS_MIN);
            Range { min: range.min.map(|min| min.max(0.0)), max: range.max }.map(Lu)
        };
        let crest = |track: &Analysis| track.level.as_ref()?.crest_factor_db.map(|crest| crest.0);
        let width = |track: &Analysis| track.stereo.as_ref()?.width;
        let correlation = |track: &Analysis| track.stereo.as_ref()?.correlation;
        let tempo = |track: &Analysis| track.rhythm.as_ref()?.tempo_bpm;
        let peak = range(&loudness(|report| report.larger_true_peak().map(|peak| peak.0)), 0.0);
        let band = |band: Band| BandRanges {
            level_db: limited(range(&|track| level_of(track, band), BAND_MIN), -60.0, 0.0)
                .map(Decibels),
            width: limited(range(&|track| report_of(track, band)?.width, WIDTH_MIN), 0.0, 1.0),
        };
        Some(Self {
            id: format!("{genre}-own"),
            name: format!("{name}, own tracks"),
            genre: genre.to_owned(),
            character: OWN_CHARACTER.to_owned(),
            integrated_lufs: limited(
                range(&loudness(|report| report.integrated_lufs.map(|lufs| lufs.0)), LOUDNESS_MIN),
                -70.0,
                0.0,
            )
            .map(Lufs),
            loudness_range_lu: dynamics(|report| report.loudness_range_lu.map(|lu| lu.0)),
            peak_to_loudness_lu: dynamics(|report| report.peak_to_loudness_lu.map(|lu| lu.0)),
            crest_factor_db: limited(range(&crest, DYNAMICS_MIN), 0.0, 60.0).map(Decibels),
            // Tracks that clip are no reason to clip.
            true_peak_max_dbtp: peak.max.map(|peak| Dbtp(peak.clamp(-1.0, 0.0))),
            bands: Band::ALL.map(band),
            width: limited(range(&width, WIDTH_MIN), 0.0, 1.0),
            correlation_min: range(&correlation, 0.0).min,
            tempo_bpm: limited(range(&tempo, 1.0), 40.0, 240.0),
            source: format!(
                "10th to 90th percentile of {} own tracks, no narrower than what is heard",
                tracks.len()
            ),
        })
    }
}

fn report_of(track: &Analysis, band: Band) -> Option<&crate::measure::BandReport> {
    track.bands.iter().flatten().find(|report| report.name == band.name())
}

fn level_of(track: &Analysis, band: Band) -> Option<f64> {
    Some(Decibels::from_power(report_of(track, band)?.energy_share?)?.0)
}

/// From percentile to percentile, rounded to a hundredth; `None` of too few values.
fn spread(mut values: Vec<f64>, least: f64) -> Option<Range<f64>> {
    if values.len() < Profile::TRACKS_MIN {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let (low, high) = (percentile(&values, PERCENTS.0), percentile(&values, PERCENTS.1));
    let middle = f64::midpoint(low, high);
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    Some(Range::new(rounded(low.min(middle - least)), rounded(high.max(middle + least))))
}

/// Between the two nearest values, which are sorted.
fn percentile(values: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (values.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let lower = place as usize;
    let upper = (lower + 1).min(values.len() - 1);
    values[lower] + (place - lower as f64) * (values[upper] - values[lower])
}

/// Within what a profile can ask for.
fn limited(range: Range<f64>, min: f64, max: f64) -> Range<f64> {
    range.map(|end| end.clamp(min, max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::{Level, Measure, advise};

    fn track(lufs: f64) -> Analysis {
        let loudness = LoudnessReport {
            integrated_lufs: Some(Lufs(lufs)),
            true_peak_dbtp: Some(Dbtp(0.3)),
            ..LoudnessReport::default()
        };
        Analysis { loudness: Some(loudness), ..Analysis::default() }
    }

    #[test]
    fn range_is_the_spread_of_the_tracks() {
        let tracks: Vec<_> = (0..=10).map(|step| track(-12.0 + f64::from(step) * 0.5)).collect();
        let profile = Profile::of_tracks("My Techno", "my-techno", &tracks).unwrap();
        assert_eq!(profile.integrated_lufs, Range::new(Lufs(-11.5), Lufs(-7.5)));
        assert_eq!(profile.true_peak_max_dbtp, Some(Dbtp(0.0)));
        assert_eq!(profile.width, Range::default());
        let advice = advise(&track(-14.0), &profile, Level::Subtle);
        assert!(advice.iter().any(|one| one.measure == Measure::IntegratedLufs));
    }

    #[test]
    fn equal_tracks_leave_room_and_two_are_too_few() {
        let profile = Profile::of_tracks("x", "x", &[track(-9.0), track(-9.0), track(-9.0)]);
        assert_eq!(profile.unwrap().integrated_lufs, Range::new(Lufs(-9.5), Lufs(-8.5)));
        assert_eq!(Profile::of_tracks("x", "x", &[track(-9.0), track(-9.0)]), None);
    }
}
