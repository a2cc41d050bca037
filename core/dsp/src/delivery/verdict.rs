//! A file held against a target.

use super::{PlaybackGain, Target};
use crate::loudness::LoudnessReport;
use serde::Serialize;
use wavemill_audio::units::{Dbtp, Lufs};

/// What of a file is judged.
#[derive(Clone, Copy, Debug)]
pub struct JudgedFile<'a> {
    /// Its loudness and peaks.
    pub loudness: &'a LoudnessReport,
    /// Its channels; 0 where they are not known.
    pub channels: usize,
}

/// What became of one measure.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Within the limits.
    Pass,
    /// Beyond a limit, or there is no value where one is asked for.
    Fail,
    /// Reported, not judged: nobody rejects a file for it.
    Info,
    /// The target asks for something that is not measured.
    NotMeasured,
}

/// One measure held against a target.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Its key in reports.
    pub measure: &'static str,
    /// Its value, rounded as reports are; `None` where there is none.
    pub value: Option<f64>,
    /// What to aim at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Smallest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The value minus what to aim at, or minus the largest value that passes.
    pub difference: Option<f64>,
    /// What became of it.
    pub outcome: Outcome,
}

/// How a file stands to a target.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgment {
    /// The target's [`id`](Target::id).
    pub target: String,
    /// What the target is called.
    pub name: String,
    /// Whether nothing failed; `None` where nothing failed and something asked for is not measured.
    pub passed: Option<bool>,
    /// Whether the target's numbers were read at its publisher's own.
    #[serde(rename = "confirmed")]
    pub is_confirmed: bool,
    /// Each measure that the target says something about.
    pub verdicts: Vec<Verdict>,
    /// What playback will do to the file; `None` where nothing is known to be done, and for silence.
    pub playback: Option<PlaybackGain>,
}

/// Reports show thousandths, and a verdict must not contradict what is shown.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Verdict {
    /// Decimals to show: one, or as many as it takes to see that a value is beyond its limit.
    pub fn decimals(&self) -> usize {
        let (Some(value), Outcome::Fail) = (self.value, self.outcome) else { return 1 };
        let over = self.max.map_or(0.0, |max| value - max);
        let under = self.min.map_or(0.0, |min| min - value);
        // Half a thousandth: both were rounded to thousandths.
        match over.max(under) + 0.0005 {
            miss if miss >= 0.1 => 1,
            miss if miss >= 0.01 => 2,
            _ => 3,
        }
    }

    fn new(measure: &'static str, value: Option<f64>) -> Self {
        let value = value.map(rounded);
        Self {
            measure,
            value,
            target: None,
            min: None,
            max: None,
            difference: None,
            outcome: Outcome::Info,
        }
    }

    /// No more than `max`; a value that does not exist (silence) exceeds nothing.
    fn at_most(measure: &'static str, value: Option<f64>, max: f64) -> Self {
        let mut verdict = Self { max: Some(max), ..Self::new(measure, value) };
        verdict.difference = verdict.value.map(|value| rounded(value - max));
        let is_over = verdict.value.is_some_and(|value| value > max);
        verdict.outcome = if is_over { Outcome::Fail } else { Outcome::Pass };
        verdict
    }

    /// Within `tolerance` of `target`, where there is one.
    fn near(
        measure: &'static str,
        value: Option<f64>,
        target: f64,
        tolerance: Option<f64>,
    ) -> Self {
        let mut verdict = Self { target: Some(target), ..Self::new(measure, value) };
        verdict.difference = verdict.value.map(|value| rounded(value - target));
        if let Some(tolerance) = tolerance {
            let (min, max) = (rounded(target - tolerance), rounded(target + tolerance));
            (verdict.min, verdict.max) = (Some(min), Some(max));
            let is_near = verdict.value.is_some_and(|value| value >= min && value <= max);
            verdict.outcome = if is_near { Outcome::Pass } else { Outcome::Fail };
        }
        verdict
    }
}

/// Holds a file against a target. The true peak is the larger of both measures.
pub fn judge(target: &Target, measured: JudgedFile<'_>) -> Judgment {
    let report = measured.loudness;
    let true_peak = larger(report.true_peak_dbtp, report.true_peak_precise_dbtp);
    let mut verdicts: Vec<Verdict> = Vec::new();
    verdicts.extend(integrated(target, report));
    let at_most = |measure, value, max: Option<f64>| Some(Verdict::at_most(measure, value, max?));
    verdicts.extend(at_most(
        "short_term_max_lufs",
        report.short_term_max_lufs.map(|lufs| lufs.0),
        target.short_term_max_lufs.map(|max| max.0),
    ));
    verdicts.extend(at_most(
        "momentary_max_lufs",
        report.momentary_max_lufs.map(|lufs| lufs.0),
        target.momentary_max_lufs.map(|max| max.0),
    ));
    verdicts.extend(at_most(
        "loudness_range_lu",
        report.loudness_range_lu.map(|range| range.0),
        target.loudness_range_max_lu.map(|max| max.0),
    ));
    verdicts.extend(at_most(
        "true_peak_dbtp",
        true_peak.map(|peak| peak.0),
        target.true_peak_max(report.integrated_lufs).map(|max| max.0),
    ));
    verdicts.extend(channels(target, measured.channels));
    // What was measured is not all that the file holds.
    let invalid = Some(report.invalid_samples).filter(|count| *count > 0);
    verdicts.extend(invalid.map(|n| Verdict::at_most("invalid_samples", Some(n as f64), 0.0)));
    let has = |outcome| verdicts.iter().any(|verdict| verdict.outcome == outcome);
    let passed = match (has(Outcome::Fail), has(Outcome::NotMeasured)) {
        (true, _) => Some(false),
        (false, true) => None,
        (false, false) => Some(true),
    };
    Judgment {
        target: target.id.clone(),
        name: target.name.clone(),
        passed,
        is_confirmed: target.source.is_confirmed,
        verdicts,
        playback: predict(target, report.integrated_lufs, true_peak),
    }
}

fn integrated(target: &Target, report: &LoudnessReport) -> Option<Verdict> {
    let aim = target.integrated_lufs?.0;
    let value = report.integrated_lufs.map(|lufs| lufs.0);
    let tolerance = target.tolerance_lu.map(|tolerance| tolerance.0);
    let mut verdict = Verdict::near("integrated_lufs", value, aim, tolerance);
    if target.is_dialogue_gated {
        verdict.outcome = Outcome::NotMeasured;
    }
    Some(verdict)
}

fn channels(target: &Target, count: usize) -> Option<Verdict> {
    let (min, max) = (target.channels.iter().min()?, target.channels.iter().max()?);
    if count == 0 {
        return None;
    }
    let outcome = if target.channels.contains(&count) { Outcome::Pass } else { Outcome::Fail };
    let mut verdict = Verdict { outcome, ..Verdict::new("channels", Some(count as f64)) };
    (verdict.min, verdict.max) = (Some(*min as f64), Some(*max as f64));
    Some(verdict)
}

fn predict(
    target: &Target,
    loudness: Option<Lufs>,
    true_peak: Option<Dbtp>,
) -> Option<PlaybackGain> {
    let (playback, loudness) = (target.playback?, loudness?);
    Some(playback.predict(Lufs(rounded(loudness.0)), true_peak.map(|peak| Dbtp(rounded(peak.0)))))
}

fn larger(one: Option<Dbtp>, other: Option<Dbtp>) -> Option<Dbtp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one > other { one } else { other }),
        (one, other) => one.or(other),
    }
}

impl Target {
    /// The largest true peak asked of a file of this loudness.
    pub fn true_peak_max(&self, loudness: Option<Lufs>) -> Option<Dbtp> {
        let is_louder = loudness
            .zip(self.integrated_lufs)
            .is_some_and(|(loudness, aim)| rounded(loudness.0) > aim.0);
        let stricter = self.true_peak_max_if_louder_dbtp.filter(|_| is_louder);
        stricter.or(self.true_peak_max_dbtp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_audio::units::Lu;

    fn file(integrated: f64, peak: f64, precise: f64) -> LoudnessReport {
        LoudnessReport {
            integrated_lufs: Some(Lufs(integrated)),
            true_peak_dbtp: Some(Dbtp(peak)),
            true_peak_precise_dbtp: Some(Dbtp(precise)),
            ..LoudnessReport::default()
        }
    }

    fn broadcast() -> Target {
        Target {
            integrated_lufs: Some(Lufs(-23.0)),
            tolerance_lu: Some(Lu(0.2)),
            true_peak_max_dbtp: Some(Dbtp(-1.0)),
            ..Target::default()
        }
    }

    fn outcomes(target: &Target, report: &LoudnessReport) -> Vec<Outcome> {
        let measured = JudgedFile { loudness: report, channels: 2 };
        judge(target, measured).verdicts.iter().map(|verdict| verdict.outcome).collect()
    }

    #[test]
    fn value_at_the_edge_of_the_tolerance_passes() {
        use Outcome::{Fail, Pass};
        // What a report shows as -23.2 passes, although the sum of two floats lies a little off.
        assert_eq!(outcomes(&broadcast(), &file(-23.2004, -1.0, -1.0)), [Pass, Pass]);
        assert_eq!(outcomes(&broadcast(), &file(-22.7996, -3.0, -3.0)), [Pass, Pass]);
        assert_eq!(outcomes(&broadcast(), &file(-23.201, -3.0, -3.0)), [Fail, Pass]);
    }

    #[test]
    fn file_with_invalid_samples_fails_whatever_else_was_measured() {
        let report = LoudnessReport { invalid_samples: 1, ..file(-23.0, -3.0, -3.0) };
        let judgment = judge(&broadcast(), JudgedFile { loudness: &report, channels: 2 });
        assert_eq!(judgment.passed, Some(false));
        let verdict = judgment.verdicts.last().unwrap();
        assert_eq!((verdict.measure, verdict.value), ("invalid_samples", Some(1.0)));
    }

    #[test]
    fn larger_true_peak_counts() {
        let report = file(-23.0, -1.2, -0.9);
        let judgment = judge(&broadcast(), JudgedFile { loudness: &report, channels: 2 });
        assert_eq!(judgment.passed, Some(false));
        assert_eq!(judgment.verdicts[1].value, Some(-0.9));
        assert_eq!(judgment.verdicts[1].difference, Some(0.1));
    }

    #[test]
    fn silence_misses_a_loudness_but_exceeds_no_peak() {
        let silence = LoudnessReport::default();
        assert_eq!(outcomes(&broadcast(), &silence), [Outcome::Fail, Outcome::Pass]);
    }

    #[test]
    fn loudness_without_tolerance_is_reported_and_not_judged() {
        let target = Target { tolerance_lu: None, ..broadcast() };
        assert_eq!(outcomes(&target, &file(-9.0, -3.0, -3.0)), [Outcome::Info, Outcome::Pass]);
    }

    #[test]
    fn louder_file_has_the_stricter_ceiling() {
        let target = Target {
            integrated_lufs: Some(Lufs(-14.0)),
            tolerance_lu: None,
            true_peak_max_if_louder_dbtp: Some(Dbtp(-2.0)),
            ..broadcast()
        };
        assert_eq!(outcomes(&target, &file(-14.0, -1.5, -1.5))[1], Outcome::Pass);
        assert_eq!(outcomes(&target, &file(-13.9, -1.5, -1.5))[1], Outcome::Fail);
    }

    #[test]
    fn loudness_of_dialogue_is_neither_passed_nor_failed() {
        let target = Target { is_dialogue_gated: true, ..broadcast() };
        let report = file(-30.0, -3.0, -3.0);
        let judgment = judge(&target, JudgedFile { loudness: &report, channels: 2 });
        assert_eq!(judgment.passed, None);
        assert_eq!(judgment.verdicts[0].outcome, Outcome::NotMeasured);
        let loud = file(-30.0, 0.0, 0.0);
        let judgment = judge(&target, JudgedFile { loudness: &loud, channels: 2 });
        assert_eq!(judgment.passed, Some(false));
    }

    #[test]
    fn channels_are_judged_where_a_target_names_them() {
        let target = Target { channels: vec![1], ..broadcast() };
        let report = file(-23.0, -3.0, -3.0);
        let passed = |channels| judge(&target, JudgedFile { loudness: &report, channels }).passed;
        assert_eq!((passed(1), passed(2), passed(0)), (Some(true), Some(false), Some(true)));
    }
}
