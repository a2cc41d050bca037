//! What a finished file came to, in one line and the paths it made.

use super::Context;
use crate::control::types::OutputView;
use crate::report::{Paint, Tone, counted, one_line, shown};
use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_pipelines::execution::{OutputKind, Prepared, entries, findings, notes};

/// A finished file.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    /// The source.
    pub(super) input: &'a Path,
    /// The run's report.
    pub(super) report: &'a Value,
    /// What was published.
    pub(super) outputs: Vec<Made>,
}

/// A published file.
#[derive(Debug)]
pub(super) struct Made {
    kind: OutputKind,
    path: PathBuf,
}

impl From<&OutputView> for Made {
    fn from(output: &OutputView) -> Self {
        Self { kind: output.kind, path: PathBuf::from(&output.path) }
    }
}

impl From<&Prepared> for Made {
    fn from(output: &Prepared) -> Self {
        Self { kind: output.kind, path: output.path.clone() }
    }
}

impl Outcome<'_> {
    /// The line and the paths.
    pub(super) fn lines(&self, context: &Context) -> Vec<String> {
        let paint = context.report.paint();
        let mut lines = vec![self.headline(paint)];
        lines.extend(
            notes(self.report)
                .iter()
                .map(|note| format!("  {} {}", paint.tone(Tone::Doubt, "note:"), one_line(note))),
        );
        lines.extend(
            self.outputs
                .iter()
                .map(|made| paint.tone(Tone::Faint, format!("  {}", below(&made.path, context)))),
        );
        lines
    }

    /// `episode.wav -> 2 files, -19.8 -> -16.0 LUFS, true peak -1.2 dBTP, gain +3.8 dB`.
    fn headline(&self, paint: Paint) -> String {
        let name = self.input.file_name().map_or(self.input, Path::new);
        let files = self.outputs.iter().filter(|made| made.kind == OutputKind::Export).count();
        let has_report = self.outputs.iter().any(|made| made.kind == OutputKind::Report);
        let what = match (files, has_report) {
            (0, true) => "report".to_owned(),
            (count, _) => counted(count, "file"),
        };
        let numbers = Numbers::of(self.report).words(paint.arrow());
        let all: Vec<_> = std::iter::once(what).chain(numbers).collect();
        let name = paint.tone(Tone::Strong, shown(name));
        format!("{name} {} {}", paint.tone(Tone::Good, paint.arrow()), all.join(", "))
    }
}

/// What a file would come to: numbers before and after, what limits them, and the group.
pub(super) fn rehearsed(input: &Path, report: &Value, context: &Context) -> Vec<String> {
    let paint = context.report.paint();
    let mut words = Numbers::of(report).before_and_after(paint.arrow());
    if words.is_empty() {
        words.push("no loudness".to_owned());
    }
    let name = input.file_name().map_or(input, Path::new);
    let mut lines =
        vec![format!("{}: {}", paint.tone(Tone::Strong, shown(name)), words.join(", "))];
    lines.extend(limits(report).into_iter().map(|line| format!("  {line}")));
    lines.extend(
        notes(report)
            .iter()
            .map(|note| format!("  {} {}", paint.tone(Tone::Doubt, "note:"), one_line(note))),
    );
    lines
}

/// The group, and what keeps a step from giving more.
fn limits(report: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (step, found) in findings(report) {
        let number = |key: &str| found.get(key).and_then(Value::as_f64);
        let files = found.get("group_files").and_then(Value::as_f64);
        if let Some(files) = files {
            let level = |key: &str, unit: &str| {
                number(key).map_or_else(|| "silent".to_owned(), |it| format!("{it:.1} {unit}"))
            };
            let loudness = level("group_integrated_lufs", "LUFS");
            let peak = level("group_true_peak_dbtp", "dBTP");
            lines.push(format!("one gain for a group of {files}: {loudness}, true peak {peak}"));
        }
        if found.get("ceiling_bound").and_then(Value::as_bool) == Some(true) {
            let whose = if files.is_some() { "the group's largest peak" } else { "the ceiling" };
            lines.push(format!("{step}: {whose} limits the gain"));
        }
        if let Some(reduction) = number("reduction_max_db").filter(|reduction| *reduction > 0.0) {
            lines.push(format!("{step}: peaks are turned down by up to {reduction:.1} dB"));
        }
    }
    lines
}

/// A path below the root or the output folder without that; shorter, and what the pipeline says.
pub(super) fn below(path: &Path, context: &Context) -> String {
    let inside = path.strip_prefix(&context.settings.root).ok().filter(|p| p.iter().count() > 0);
    shown(inside.unwrap_or(path))
}

/// What a report says that a person wants to know at once.
#[derive(Debug, Default, PartialEq)]
struct Numbers {
    input_lufs: Option<f64>,
    output_lufs: Option<f64>,
    true_peak_dbtp: Option<f64>,
    /// Of the source.
    input_peak_dbtp: Option<f64>,
    gain_db: Option<f64>,
}

impl Numbers {
    fn of(report: &Value) -> Self {
        let (before, after) = (of_step(report, "measured"), of_step(report, "expected"));
        let input = Loudness::of(report).or(before);
        let output = farthest(report, input.integrated_lufs).unwrap_or_default().or(after);
        Self {
            input_lufs: input.integrated_lufs,
            output_lufs: output.integrated_lufs,
            true_peak_dbtp: output.or(input).true_peak_dbtp,
            input_peak_dbtp: input.true_peak_dbtp,
            gain_db: findings(report).find_map(|(_, found)| found.get("gain_db")?.as_f64()),
        }
    }

    fn before_and_after(&self, arrow: &str) -> Vec<String> {
        let peaks = self.input_peak_dbtp.zip(self.true_peak_dbtp);
        let peaks = peaks.map(|(from, to)| format!("true peak {from:.1} {arrow} {to:.1} dBTP"));
        let is_peak = |word: &String| word.starts_with("true peak");
        let mut words = self.words(arrow);
        if let (Some(peaks), Some(word)) = (peaks, words.iter_mut().find(|word| is_peak(word))) {
            *word = peaks;
        }
        words
    }

    fn words(&self, arrow: &str) -> Vec<String> {
        let loudness = match (self.input_lufs, self.output_lufs) {
            (Some(input), Some(output)) => Some(format!("{input:.1} {arrow} {output:.1} LUFS")),
            (Some(only), None) | (None, Some(only)) => Some(format!("{only:.1} LUFS")),
            (None, None) => None,
        };
        [
            loudness,
            self.true_peak_dbtp.map(|peak| format!("true peak {peak:.1} dBTP")),
            self.gain_db.map(|gain| format!("gain {gain:+.1} dB")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Loudness {
    integrated_lufs: Option<f64>,
    true_peak_dbtp: Option<f64>,
}

impl Loudness {
    /// The `loudness` of a part of a report; of both true peaks the larger, on which ceilings hold.
    fn of(part: &Value) -> Self {
        let number = |key| part.pointer(key).and_then(Value::as_f64);
        Self {
            integrated_lufs: number("/loudness/integrated_lufs"),
            true_peak_dbtp: ["/loudness/true_peak_dbtp", "/loudness/true_peak_precise_dbtp"]
                .into_iter()
                .filter_map(number)
                .reduce(f64::max),
        }
    }

    /// These values, or the other's where there are none.
    fn or(self, other: Self) -> Self {
        Self {
            integrated_lufs: self.integrated_lufs.or(other.integrated_lufs),
            true_peak_dbtp: self.true_peak_dbtp.or(other.true_peak_dbtp),
        }
    }
}

/// What the loudness step measured, or expects of its output: a run measures its files only where
/// the pipeline asks for a report or a gate.
fn of_step(report: &Value, which: &str) -> Loudness {
    let found = findings(report).find_map(|(step, found)| (step == "loudness").then_some(found));
    let number = |key: &str| found?.get(format!("{which}_{key}"))?.as_f64();
    Loudness {
        integrated_lufs: number("integrated_lufs"),
        true_peak_dbtp: number("true_peak_dbtp"),
    }
}

/// The output whose loudness differs most from the source's: that one shows what was done, where an
/// untouched copy is made beside it.
fn farthest(report: &Value, input_lufs: Option<f64>) -> Option<Loudness> {
    let change = |output: &Loudness| match (output.integrated_lufs, input_lufs) {
        (Some(output), Some(input)) => (output - input).abs(),
        _ => 0.0,
    };
    entries(report, "outputs")
        .filter(|output| output.get("loudness").is_some_and(|loudness| !loudness.is_null()))
        .map(Loudness::of)
        .reduce(|best, next| if change(&next) > change(&best) { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_a_report_become_words() {
        let report = json!({
            "loudness": { "integrated_lufs": -19.83, "true_peak_dbtp": -5.0 },
            "steps": [{ "use": "loudness", "findings": { "gain_db": 3.83 } }],
            "outputs": [
                { "loudness": { "integrated_lufs": -19.83, "true_peak_dbtp": -5.0 } },
                { "loudness": { "integrated_lufs": -16.0, "true_peak_dbtp": -1.17 } },
                { "skipped": "exists already" },
            ],
        });
        let words = Numbers::of(&report).words("->").join(", ");
        assert_eq!(words, "-19.8 -> -16.0 LUFS, true peak -1.2 dBTP, gain +3.8 dB");
    }

    #[test]
    fn numbers_of_a_run_that_measured_no_files_are_those_of_its_loudness_step() {
        let report = json!({
            "loudness": null,
            "steps": [{ "use": "loudness", "findings": {
                "measured_integrated_lufs": -25.09, "gain_db": 10.54,
                "expected_integrated_lufs": -14.55, "expected_true_peak_dbtp": -1.0,
            } }],
            "outputs": [{ "loudness": null }],
        });
        let words = Numbers::of(&report).words("->").join(", ");
        assert_eq!(words, "-25.1 -> -14.6 LUFS, true peak -1.0 dBTP, gain +10.5 dB");
    }

    #[test]
    fn rehearsal_tells_both_peaks_the_group_and_what_limits_the_gain() {
        let report = json!({
            "loudness": { "integrated_lufs": -19.8, "true_peak_dbtp": -5.0 },
            "steps": [{ "use": "loudness", "findings": {
                "gain_db": 1.5, "ceiling_bound": true, "group_files": 3.0,
                "group_integrated_lufs": -18.0, "group_true_peak_dbtp": -2.5,
            } }],
            "outputs": [{ "loudness": { "integrated_lufs": -18.3, "true_peak_dbtp": -3.5 } }],
        });
        let words = Numbers::of(&report).before_and_after("->").join(", ");
        assert_eq!(words, "-19.8 -> -18.3 LUFS, true peak -5.0 -> -3.5 dBTP, gain +1.5 dB");
        assert_eq!(
            limits(&report),
            [
                "one gain for a group of 3: -18.0 LUFS, true peak -2.5 dBTP",
                "loudness: the group's largest peak limits the gain",
            ]
        );
    }

    #[test]
    fn report_without_numbers_has_no_words() {
        assert!(Numbers::of(&Value::Null).words("->").is_empty());
    }
}
