//! Gates: what a file or its outputs must be.

use crate::model::{Bounds, Pipeline, Require, RequireOn};
use crate::report::Verdict;
use std::borrow::Cow;
use wavemill_core::audio::StreamSpec;
use wavemill_core::delivery::{self, JudgedFile, Outcome};
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::measure::LevelReport;
use wavemill_core::units::Frames;

/// Whether an output's loudness must be known.
pub(super) fn need_loudness(pipeline: &Pipeline, on: RequireOn) -> bool {
    pipeline.requires.iter().any(|require| require.on == on && require.needs_loudness())
}

/// Whether an output's sample levels must be known.
pub(super) fn need_level(pipeline: &Pipeline, on: RequireOn) -> bool {
    let mut gates = pipeline.requires.iter().filter(|require| require.on == on);
    gates.any(|require| require.rms_dbfs.is_some() || require.noise_floor_dbfs.is_some())
}

/// Whether the source's duration must be known.
pub(super) fn need_duration(pipeline: &Pipeline) -> bool {
    let mut inputs = pipeline.requires.iter().filter(|require| require.on == RequireOn::Input);
    inputs.any(|require| require.duration_s.is_some())
}

impl Require {
    fn needs_loudness(&self) -> bool {
        self.integrated_lufs.is_some()
            || self.true_peak_dbtp.is_some()
            || self.loudness_range_lu.is_some()
            || self.target.is_some()
    }
}

/// What a gate looks at.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// How the line that explains a miss calls it.
    pub(super) name: &'a str,
    pub(super) spec: &'a StreamSpec,
    pub(super) frames: Option<Frames>,
    /// `None` where it was not measured (yet).
    pub(super) loudness: Option<&'a LoudnessReport>,
    /// `None` where no gate asks for it, or it was not measured (yet).
    pub(super) level: Option<&'a LevelReport>,
}

/// Measures that need no loudness.
pub(super) fn check_facts(
    pipeline: &Pipeline,
    on: RequireOn,
    subject: Subject<'_>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for require in pipeline.requires.iter().filter(|require| require.on == on) {
        let duration = subject.frames.map(|frames| frames.duration(subject.spec.sample_rate).0);
        verdicts.extend(within(subject, "duration_s", "s", duration, require.duration_s));
        let channel_count = subject.spec.channel_count() as u64;
        let channels = require.channels.iter().map(|count| *count as u64).collect();
        verdicts.extend(among(subject, "channels", "", channel_count, channels));
        let rates = require.sample_rates_hz.iter().map(|rate| u64::from(*rate)).collect();
        let rate = u64::from(subject.spec.sample_rate.0);
        verdicts.extend(among(subject, "sample_rate_hz", "Hz", rate, rates));
    }
    verdicts
}

/// Measures of loudness and level; nothing where none were taken.
pub(super) fn check_measures(
    pipeline: &Pipeline,
    on: RequireOn,
    subject: Subject<'_>,
) -> Vec<Verdict> {
    let mut verdicts = check_loudness(pipeline, on, subject);
    let Some(level) = subject.level else { return verdicts };
    for require in pipeline.requires.iter().filter(|require| require.on == on) {
        let rms = level.rms_dbfs.map(|rms| rms.0);
        verdicts.extend(within(subject, "rms_dbfs", "dBFS", rms, require.rms_dbfs));
        let floor = level.noise_floor_dbfs.map(|floor| floor.0);
        let bounds = silent(require.noise_floor_dbfs, floor);
        verdicts.extend(within(subject, "noise_floor_dbfs", "dBFS", floor, bounds));
    }
    verdicts
}

fn check_loudness(pipeline: &Pipeline, on: RequireOn, subject: Subject<'_>) -> Vec<Verdict> {
    let Some(report) = subject.loudness else { return Vec::new() };
    let integrated = report.integrated_lufs.map(|lufs| lufs.0);
    let peak = report.true_peak_dbtp.map(|peak| peak.0);
    let range = report.loudness_range_lu.map(|range| range.0);
    let mut verdicts = Vec::new();
    for require in pipeline.requires.iter().filter(|require| require.on == on) {
        let bounds = require.integrated_lufs;
        verdicts.extend(within(subject, "integrated_loudness_lufs", "LUFS", integrated, bounds));
        verdicts.extend(within(
            subject,
            "true_peak_dbtp",
            "dBTP",
            peak,
            silent(require.true_peak_dbtp, peak),
        ));
        let bounds = require.loudness_range_lu;
        verdicts.extend(within(subject, "loudness_range_lu", "LU", range, bounds));
        verdicts.extend(by_target(subject, report, require));
    }
    verdicts
}

/// What a delivery target says. What it does not judge (a loudness without tolerance, or one that is
/// not measured) rejects nothing; `check` has said so.
fn by_target(subject: Subject<'_>, report: &LoudnessReport, require: &Require) -> Vec<Verdict> {
    let Some(target) = &require.target else { return Vec::new() };
    let measured = JudgedFile { loudness: report, channels: subject.spec.channel_count() };
    let judged = delivery::judge(target, measured).verdicts.into_iter();
    let judged = judged.filter(|one| matches!(one.outcome, Outcome::Pass | Outcome::Fail));
    judged
        .map(|one| {
            let (measure, unit) = match one.measure {
                "integrated_lufs" => ("integrated_loudness_lufs", "LUFS"),
                "true_peak_dbtp" => (one.measure, "dBTP"),
                "loudness_range_lu" => (one.measure, "LU"),
                "channels" => (one.measure, ""),
                measure => (measure, "LUFS"),
            };
            Verdict {
                subject: subject.name.to_owned(),
                measure: measure.into(),
                value: one.value,
                min: one.min,
                max: one.max,
                one_of: Vec::new(),
                passed: one.outcome == Outcome::Pass,
                target: Some(target.id.clone()),
                unit,
            }
        })
        .collect()
}

/// Silence has no level and so exceeds none.
fn silent(bounds: Option<Bounds>, level: Option<f64>) -> Option<Bounds> {
    bounds.filter(|bounds| level.is_some() || bounds.min.is_some())
}

fn within(
    subject: Subject<'_>,
    measure: &'static str,
    unit: &'static str,
    value: Option<f64>,
    bounds: Option<Bounds>,
) -> Option<Verdict> {
    let Bounds { min, max } = bounds?;
    let passed = value.is_some_and(|value| {
        min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
    });
    let subject = subject.name.to_owned();
    let (one_of, target) = (Vec::new(), None);
    let measure = Cow::Borrowed(measure);
    Some(Verdict { subject, measure, value, min, max, one_of, passed, target, unit })
}

fn among(
    subject: Subject<'_>,
    measure: &'static str,
    unit: &'static str,
    value: u64,
    one_of: Vec<u64>,
) -> Option<Verdict> {
    if one_of.is_empty() {
        return None;
    }
    let passed = one_of.contains(&value);
    let subject = subject.name.to_owned();
    let value = Some(value as f64);
    let (min, max, target) = (None, None, None);
    let measure = Cow::Borrowed(measure);
    Some(Verdict { subject, measure, value, min, max, one_of, passed, target, unit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Verdict;
    use wavemill_core::units::{Dbfs, Dbtp, Lufs};

    fn pipeline() -> Pipeline {
        let mut pipeline = Pipeline::named("p");
        pipeline.requires.push(Require {
            on: RequireOn::Input,
            duration_s: Some(Bounds { min: Some(1.0), max: None }),
            channels: vec![1, 2],
            sample_rates_hz: vec![48_000],
            integrated_lufs: Some(Bounds { min: Some(-23.2), max: Some(-22.8) }),
            true_peak_dbtp: Some(Bounds { min: None, max: Some(-1.0) }),
            loudness_range_lu: None,
            rms_dbfs: None,
            noise_floor_dbfs: None,
            target: None,
        });
        pipeline
    }

    fn misses(spec: &StreamSpec, frames: u64, loudness: &LoudnessReport) -> Vec<String> {
        let subject = Subject {
            name: "the source",
            spec,
            frames: Some(Frames(frames)),
            loudness: Some(loudness),
            level: None,
        };
        let pipeline = pipeline();
        check_facts(&pipeline, RequireOn::Input, subject)
            .into_iter()
            .chain(check_loudness(&pipeline, RequireOn::Input, subject))
            .filter(Verdict::is_miss)
            .map(|verdict| verdict.line())
            .collect()
    }

    #[test]
    fn misses_name_measure_value_and_bound() {
        let right = LoudnessReport {
            integrated_lufs: Some(Lufs(-23.0)),
            true_peak_dbtp: Some(Dbtp(-1.0)),
            ..LoudnessReport::default()
        };
        assert_eq!(misses(&StreamSpec::new(48_000, 2), 48_000, &right), [""; 0]);
        let wrong = LoudnessReport {
            integrated_lufs: Some(Lufs(-22.5)),
            true_peak_dbtp: Some(Dbtp(-0.5)),
            ..LoudnessReport::default()
        };
        assert_eq!(
            misses(&StreamSpec::new(44_100, 6), 22_050, &wrong),
            [
                "the source has duration 0.50 s; at least 1 s is required",
                "the source has channels 6; one of [1, 2] is required",
                "the source has sample rate 44100 Hz; one of [48000] is required",
                "the source has integrated loudness -22.50 LUFS; at most -22.80 LUFS is allowed",
                "the source has true peak -0.50 dBTP; at most -1.00 dBTP is allowed",
            ]
        );
    }

    #[test]
    fn miss_of_a_target_names_the_target() {
        let mut pipeline = Pipeline::named("p");
        let target = crate::delivery::find_one("r128", std::path::Path::new("")).unwrap();
        pipeline.requires.push(Require {
            on: RequireOn::Output,
            duration_s: None,
            channels: Vec::new(),
            sample_rates_hz: Vec::new(),
            integrated_lufs: None,
            true_peak_dbtp: None,
            loudness_range_lu: None,
            rms_dbfs: None,
            noise_floor_dbfs: None,
            target: Some(target),
        });
        let loudness = LoudnessReport {
            integrated_lufs: Some(Lufs(-20.0)),
            true_peak_dbtp: Some(Dbtp(-1.5)),
            true_peak_precise_dbtp: Some(Dbtp(-0.75)),
            ..LoudnessReport::default()
        };
        let subject = Subject {
            name: "export 1 (wav)",
            spec: &StreamSpec::new(48_000, 2),
            frames: None,
            loudness: Some(&loudness),
            level: None,
        };
        assert!(need_loudness(&pipeline, RequireOn::Output));
        let lines: Vec<String> = check_loudness(&pipeline, RequireOn::Output, subject)
            .iter()
            .filter(|verdict| verdict.is_miss())
            .map(Verdict::line)
            .collect();
        assert_eq!(
            lines,
            [
                "export 1 (wav) has integrated loudness -20.00 LUFS; at most -22.80 LUFS is allowed by r128",
                "export 1 (wav) has true peak -0.75 dBTP; at most -1.00 dBTP is allowed by r128",
            ]
        );
    }

    #[test]
    fn silence_misses_a_loudness_but_exceeds_no_peak() {
        assert_eq!(
            misses(&StreamSpec::new(48_000, 2), 48_000, &LoudnessReport::default()),
            ["the source has no integrated loudness, but a [[require]] checks it"]
        );
    }

    #[test]
    fn levels_are_held_against_their_bounds_and_silence_between_words_is_no_noise() {
        let mut pipeline = pipeline();
        pipeline.requires[0] = Require {
            duration_s: None,
            channels: Vec::new(),
            sample_rates_hz: Vec::new(),
            integrated_lufs: None,
            true_peak_dbtp: None,
            rms_dbfs: Some(Bounds { min: Some(-23.0), max: Some(-18.0) }),
            noise_floor_dbfs: Some(Bounds { min: None, max: Some(-60.0) }),
            ..pipeline.requires[0].clone()
        };
        assert!(need_level(&pipeline, RequireOn::Input));
        assert!(!need_level(&pipeline, RequireOn::Output));
        let spec = StreamSpec::new(44_100, 1);
        let misses = |rms, floor: Option<f64>| -> Vec<String> {
            let level = LevelReport {
                rms_dbfs: Some(Dbfs(rms)),
                noise_floor_dbfs: floor.map(Dbfs),
                ..LevelReport::default()
            };
            let subject = Subject {
                name: "the source",
                spec: &spec,
                frames: None,
                loudness: None,
                level: Some(&level),
            };
            let verdicts = check_measures(&pipeline, RequireOn::Input, subject);
            assert_eq!(verdicts.len(), 1 + usize::from(floor.is_some()));
            verdicts.iter().filter(|verdict| verdict.is_miss()).map(Verdict::line).collect()
        };
        assert_eq!(misses(-20.0, Some(-60.0)), [""; 0]);
        assert_eq!(misses(-20.0, None), [""; 0]);
        assert_eq!(
            misses(-23.5, Some(-55.25)),
            [
                "the source has rms -23.50 dBFS; at least -23.00 dBFS is required",
                "the source has noise floor -55.25 dBFS; at most -60.00 dBFS is allowed",
            ]
        );
    }
}
