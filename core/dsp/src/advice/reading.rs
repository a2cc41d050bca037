//! A measure beside its range.

use super::{Band, Measure, Profile, Range};
use crate::analysis::Analysis;
use wavemill_audio::units::Decibels;

/// A value that exists, and where it is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) measure: Measure,
    pub(super) band: Option<Band>,
    pub(super) value: f64,
    pub(super) range: Range<f64>,
}

/// Everything that both the analysis and the profile have, in the order of [`Measure`] and [`Band`].
pub(super) fn readings(analysis: &Analysis, profile: &Profile) -> Vec<Reading> {
    let loudness = analysis.loudness.as_ref();
    let stereo = analysis.stereo.as_ref();
    let crest = analysis.level.as_ref().and_then(|report| report.crest_factor_db);
    let ceiling = Range { min: None, max: profile.true_peak_max_dbtp };
    let correlation = Range { min: profile.correlation_min, max: None };
    let whole = [
        (
            Measure::TruePeakDbtp,
            loudness.and_then(|report| Some(report.larger_true_peak()?.0)),
            ceiling.map(|peak| peak.0),
        ),
        (
            Measure::IntegratedLufs,
            loudness.and_then(|report| Some(report.integrated_lufs?.0)),
            profile.integrated_lufs.map(|lufs| lufs.0),
        ),
        (
            Measure::PeakToLoudnessLu,
            loudness.and_then(|report| Some(report.peak_to_loudness_lu?.0)),
            profile.peak_to_loudness_lu.map(|ratio| ratio.0),
        ),
        (
            Measure::CrestFactorDb,
            crest.map(|crest| crest.0),
            profile.crest_factor_db.map(|crest| crest.0),
        ),
        (
            Measure::LoudnessRangeLu,
            loudness.and_then(|report| Some(report.loudness_range_lu?.0)),
            profile.loudness_range_lu.map(|range| range.0),
        ),
        (Measure::Width, stereo.and_then(|report| report.width), profile.width),
        (Measure::Correlation, stereo.and_then(|report| report.correlation), correlation),
    ];
    let whole = whole.into_iter().map(|(measure, value, range)| (measure, None, value, range));
    whole
        .chain(of_bands(analysis, profile))
        .filter_map(|(measure, band, value, range)| {
            Some(Reading { measure, band, value: value?, range })
        })
        .collect()
}

type Row = (Measure, Option<Band>, Option<f64>, Range<f64>);

fn of_bands(analysis: &Analysis, profile: &Profile) -> Vec<Row> {
    let mut rows = Vec::new();
    for (band, ranges) in Band::ALL.into_iter().zip(&profile.bands) {
        let report = analysis.bands.iter().flatten().find(|report| report.name == band.name());
        let Some(report) = report else { continue };
        let level = report.energy_share.and_then(Decibels::from_power);
        let range = ranges.level_db.map(|level| level.0);
        rows.push((Measure::BandLevelDb, Some(band), level.map(|level| level.0), range));
        rows.push((Measure::Width, Some(band), report.width, ranges.width));
    }
    rows
}
