//! From an analysis to the numbers of the dimensions.

use super::dimension::DIMENSION_COUNT;
use super::report::FeatureReport;
use crate::advice::Band;
use crate::analysis::{Analysis, MeasureGroup};
use crate::measure::BandReport;
use crate::music::{Mode, TonalityReport};
use std::f64::consts::TAU;
use wavemill_audio::units::Decibels;

/// The groups of measures that features are made of. Without one of them its dimensions are masked.
pub const GROUPS: [MeasureGroup; 10] = [
    MeasureGroup::Loudness,
    MeasureGroup::Level,
    MeasureGroup::Spectrum,
    MeasureGroup::Stereo,
    MeasureGroup::Bands,
    MeasureGroup::Transient,
    MeasureGroup::Harmonic,
    MeasureGroup::Rhythm,
    MeasureGroup::Tonality,
    MeasureGroup::Features,
];

/// Pitch classes of an octave.
const PITCH_CLASSES: usize = 12;

/// The numbers of the dimensions, in their units; `None` where a file has none, or where they are not finite.
pub(crate) fn raw_values(analysis: &Analysis) -> [Option<f64>; DIMENSION_COUNT] {
    let none = FeatureReport::default();
    let report = analysis.features.as_ref().unwrap_or(&none);
    let mut values = Vec::with_capacity(DIMENSION_COUNT);
    values.extend(filled(&report.band_levels_db, 20));
    values.extend(filled(&report.band_deviations_db, 20));
    values.extend(dynamics(analysis, report));
    values.extend(energy(analysis));
    values.extend(stereo(analysis));
    values.extend(attack(analysis, report));
    values.extend(rhythm(analysis, report));
    values.extend(tonality(analysis, report));
    let finite = |index: usize| values.get(index).copied().flatten().filter(|it| it.is_finite());
    std::array::from_fn(finite)
}

/// As many as there should be.
fn filled(values: &[Option<f64>], count: usize) -> impl Iterator<Item = Option<f64>> {
    (0..count).map(|index| values.get(index).copied().flatten())
}

/// The same of numbers that are all there or none.
fn listed(values: &[f64], count: usize) -> impl Iterator<Item = Option<f64>> {
    (0..count).map(|index| values.get(index).copied())
}

fn dynamics(analysis: &Analysis, report: &FeatureReport) -> Vec<Option<f64>> {
    let loudness = analysis.loudness.as_ref();
    let level = analysis.level.as_ref();
    let integrated = loudness.and_then(|found| found.integrated_lufs).map(|lufs| lufs.0);
    let above = |max: Option<f64>| max.zip(integrated).map(|(max, integrated)| max - integrated);
    let rms = level.and_then(|found| found.rms_dbfs);
    let floor = level.and_then(|found| found.noise_floor_dbfs);
    let mut values = vec![
        integrated,
        loudness.and_then(|found| Some(found.loudness_range_lu?.0)),
        loudness.and_then(|found| Some(found.peak_to_loudness_lu?.0)),
        loudness.and_then(|found| Some(found.peak_to_short_term_lu?.0)),
        above(loudness.and_then(|found| Some(found.momentary_max_lufs?.0))),
        above(loudness.and_then(|found| Some(found.short_term_max_lufs?.0))),
        level.and_then(|found| Some(found.crest_factor_db?.0)),
        level.and_then(|found| found.dr14).map(f64::from),
        floor.zip(rms).map(|(floor, rms)| (floor.0 - rms.0).max(NOISE_FLOOR_DB_MIN)),
    ];
    values.extend(listed(&report.level_percentiles_db, 7));
    values.extend([
        report.level_change_db,
        report.level_change_1_s_db,
        report.level_deviation_1_s_db,
        report.quiet_share,
    ]);
    values
}

/// Noise floors below that are those of digital silence, which lossy coding fills.
const NOISE_FLOOR_DB_MIN: f64 = -80.0;

/// Shares of energy below that are nothing.
const SHARE_DB_MIN: f64 = -60.0;

fn bands(analysis: &Analysis) -> [Option<&BandReport>; Band::ALL.len()] {
    let all = || analysis.bands.iter().flatten();
    Band::ALL.map(|band| all().find(|report| report.name == band.name()))
}

fn energy(analysis: &Analysis) -> impl Iterator<Item = Option<f64>> {
    bands(analysis).into_iter().map(|band| {
        let share = band.and_then(|band| band.energy_share)?;
        let level = Decibels::from_power(share).map_or(SHARE_DB_MIN, |level| level.0);
        Some(level.max(SHARE_DB_MIN))
    })
}

fn stereo(analysis: &Analysis) -> Vec<Option<f64>> {
    let whole = analysis.stereo.as_ref();
    let bands = bands(analysis);
    let mut values = vec![
        whole.and_then(|found| found.width),
        whole.and_then(|found| found.correlation),
        whole.and_then(|found| Some(found.balance_db?.0)),
    ];
    values.extend(bands.iter().map(|band| band.and_then(|band| band.width)));
    let correlation = |index: usize| bands[index].and_then(|band: &BandReport| band.correlation);
    values.extend([correlation(0), correlation(bands.len() - 1)]);
    values
}

fn attack(analysis: &Analysis, report: &FeatureReport) -> [Option<f64>; 8] {
    let transient = analysis.transient.as_ref();
    let spectrum = analysis.spectrum.as_ref();
    let log2 = |value: f64| (value > 0.0).then(|| value.log2());
    [
        transient.and_then(|found| log2(found.attack_ms?)),
        transient.and_then(|found| Some((1.0 + found.density_per_s?).log2())),
        transient.and_then(|found| found.preservation),
        analysis.harmonic.as_ref().and_then(|found| found.harmonic_ratio),
        spectrum.and_then(|found| log2(found.flatness?)),
        spectrum.and_then(|found| log2(found.centroid_hz?.0)),
        report.flux_db,
        report.flux_peakiness,
    ]
}

fn rhythm(analysis: &Analysis, report: &FeatureReport) -> Vec<Option<f64>> {
    let rhythm = analysis.rhythm.as_ref().filter(|_| !report.pulse.is_empty());
    let mut values: Vec<Option<f64>> = listed(&report.pulse, 16).collect();
    values.extend([
        report.pulse.iter().copied().reduce(f64::max),
        rhythm.and_then(|found| found.tempo_bpm).map(f64::log2),
        rhythm.map(|found| found.confidence.unwrap_or(0.0)),
        report.low_flux_share,
        report.high_flux_share,
    ]);
    values
}

fn tonality(analysis: &Analysis, report: &FeatureReport) -> Vec<Option<f64>> {
    let tonality = analysis.tonality.as_ref().filter(|_| !report.treble.is_empty());
    let tonic = tonality.and_then(|found| pitch_class(found.tonic.as_deref()?));
    let above = |profile: &[f64], interval: usize| -> Option<f64> {
        profile.get((tonic? + interval) % PITCH_CLASSES).copied()
    };
    let mut values: Vec<Option<f64>> =
        (0..PITCH_CLASSES).map(|interval| above(&report.treble, interval)).collect();
    values.extend((1..=6).map(|cycle| magnitude(&report.treble, cycle)));
    let cents = |found: &TonalityReport| Some(1200.0 * (found.tuning_hz? / 440.0).log2());
    values.extend([
        above(&report.bass, 0),
        above(&report.bass, 7),
        tonality.map(|found| found.confidence.unwrap_or(0.0)),
        tonality.and_then(|found| Some(f64::from(u8::from(found.mode? == Mode::Minor)))),
        tonality.and_then(cents),
        report.harmonic_change,
    ]);
    values
}

/// Of the discrete Fourier transform of shares that sum to 1: the same in any key.
fn magnitude(shares: &[f64], cycle: usize) -> Option<f64> {
    let part = |wave: fn(f64) -> f64| -> f64 {
        let angle = |class: usize| TAU * (class * cycle) as f64 / PITCH_CLASSES as f64;
        shares.iter().enumerate().map(|(class, share)| share * wave(angle(class))).sum()
    };
    (!shares.is_empty()).then(|| part(f64::cos).hypot(part(f64::sin)))
}

/// `C` is 0, `F#` 6, `Bb` 10.
fn pitch_class(name: &str) -> Option<usize> {
    let (letter, accidental) = name.split_at_checked(1)?;
    let class = ["C", "", "D", "", "E", "F", "", "G", "", "A", "", "B"]
        .iter()
        .position(|known| *known == letter)?;
    match accidental {
        "" => Some(class),
        "#" => Some((class + 1) % PITCH_CLASSES),
        "b" => Some((class + PITCH_CLASSES - 1) % PITCH_CLASSES),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::DIMENSIONS;

    #[test]
    fn every_group_has_as_many_values_as_dimensions() {
        let (analysis, report) = (Analysis::default(), FeatureReport::default());
        let counts = [
            40,
            dynamics(&analysis, &report).len(),
            energy(&analysis).count(),
            stereo(&analysis).len(),
            attack(&analysis, &report).len(),
            rhythm(&analysis, &report).len(),
            tonality(&analysis, &report).len(),
        ];
        let wanted = crate::features::FeatureGroup::ALL
            .map(|group| DIMENSIONS.iter().filter(|dimension| dimension.group == group).count());
        assert_eq!(counts, wanted);
    }

    #[test]
    fn names_of_tonics_are_pitch_classes() {
        let found = ["C", "F#", "Bb", "Cb", "H", "", "C##"].map(pitch_class);
        assert_eq!(found, [Some(0), Some(6), Some(10), Some(11), None, None, None]);
    }

    #[test]
    fn cycles_are_the_same_in_any_key() {
        let mut shares = [0.5, 0.0, 0.1, 0.0, 0.2, 0.0, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0];
        let before = (1..=6).map(|cycle| magnitude(&shares, cycle).unwrap()).collect::<Vec<_>>();
        shares.rotate_right(5);
        for (cycle, before) in (1..=6).zip(before) {
            assert!((magnitude(&shares, cycle).unwrap() - before).abs() < 1e-12);
        }
    }
}
