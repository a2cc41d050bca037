//! What a finished file came to, in one line and the paths it made.

use super::Context;
use crate::report::{Paint, Tone, counted, one_line, shown};
use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_api::types::OutputView;
use wavemill_core::units::Plain;
use wavemill_pipelines::execution::{OutputKind, Prepared, entries, findings, notes};

/// A finished file.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    /// The source.
    pub(super) input: &'a Path,
    /// The run's report.
    pub(super) report: &'a Value,
    /// What was published.
    pub(super) outputs: Vec<PublishedFile>,
}

/// A published file.
#[derive(Debug)]
pub(super) struct PublishedFile {
    kind: OutputKind,
    path: PathBuf,
}

impl From<&OutputView> for PublishedFile {
    fn from(output: &OutputView) -> Self {
        Self { kind: output.kind, path: PathBuf::from(&output.path) }
    }
}

impl From<&Prepared> for PublishedFile {
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
        let heard = ExportLevels::all(self.report);
        let numbers = |made: &PublishedFile| {
            let is_this = |heard: &&ExportLevels<'_>| {
                heard.path.is_some_and(|path| Path::new(path) == made.path)
            };
            let numbers = heard.iter().find(is_this).filter(|_| differ(&heard, self.report));
            numbers.map_or_else(String::new, |it| format!("  {}", it.loudness.words()))
        };
        lines.extend(self.outputs.iter().map(|made| {
            let path = paint.tone(Tone::Faint, format!("  {}", below(&made.path, context)));
            format!("{path}{}", numbers(made))
        }));
        lines
    }

    /// `episode.wav -> 2 files, -19.8 -> -16.0 LUFS, true peak -1.2 dBTP, gain +3.8 dB`.
    fn headline(&self, paint: Paint) -> String {
        let name = self.input.file_name().map_or(self.input, Path::new);
        let files = self.outputs.iter().filter(|made| made.kind == OutputKind::Export).count();
        let has = |kind| self.outputs.iter().any(|made| made.kind == kind);
        let what = match files {
            0 if has(OutputKind::Report) => "report".to_owned(),
            0 if has(OutputKind::Chapters) => "chapters".to_owned(),
            count => counted(count, "file"),
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
    let heard = ExportLevels::all(report);
    if differ(&heard, report) {
        let line = |it: &ExportLevels<'_>| format!("  {}: {}", it.format, it.loudness.words());
        lines.extend(heard.iter().map(line));
    }
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
                number(key)
                    .map_or_else(|| "silent".to_owned(), |it| format!("{:.1} {unit}", Plain(it)))
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
    /// Whether the exports came out differently: then only the source's numbers are here.
    outputs_differ: bool,
}

impl Numbers {
    fn of(report: &Value) -> Self {
        let (before, after) = (of_step(report, "measured"), of_step(report, "expected"));
        let input = Loudness::of(report).or(before);
        let heard = ExportLevels::all(report);
        let gain_db = findings(report).find_map(|(_, found)| found.get("gain_db")?.as_f64());
        if differ(&heard, report) {
            // Each export says its own.
            let input_lufs = input.integrated_lufs;
            return Self { input_lufs, gain_db, outputs_differ: true, ..Self::default() };
        }
        let output = heard.first().map(|heard| heard.loudness).unwrap_or_default().or(after);
        Self {
            outputs_differ: false,
            input_lufs: input.integrated_lufs,
            output_lufs: output.integrated_lufs,
            true_peak_dbtp: output.or(input).true_peak_dbtp,
            input_peak_dbtp: input.true_peak_dbtp,
            gain_db,
        }
    }

    fn before_and_after(&self, arrow: &str) -> Vec<String> {
        let peaks = self.input_peak_dbtp.zip(self.true_peak_dbtp);
        let peaks = peaks.map(|(from, to)| {
            format!("true peak {:.1} {arrow} {:.1} dBTP", Plain(from), Plain(to))
        });
        let is_peak = |word: &String| word.starts_with("true peak");
        let mut words = self.words(arrow);
        if let (Some(peaks), Some(word)) = (peaks, words.iter_mut().find(|word| is_peak(word))) {
            *word = peaks;
        }
        words
    }

    fn words(&self, arrow: &str) -> Vec<String> {
        let loudness = match (self.input_lufs, self.output_lufs) {
            (Some(input), Some(output)) => {
                Some(format!("{:.1} {arrow} {:.1} LUFS", Plain(input), Plain(output)))
            }
            (Some(only), None) if self.outputs_differ => {
                Some(format!("source {:.1} LUFS", Plain(only)))
            }
            (Some(only), None) | (None, Some(only)) => Some(format!("{:.1} LUFS", Plain(only))),
            (None, None) => None,
        };
        [
            loudness,
            self.true_peak_dbtp.map(peak_words),
            self.gain_db.map(|gain| format!("gain {:+.1} dB", Plain(gain))),
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

    /// Of an export: what a lossy one decodes to, else what was stored.
    fn heard(output: &Value) -> Self {
        let number = |key| output.get(key).and_then(Value::as_f64);
        let decoded = Self {
            integrated_lufs: number("decoded_integrated_lufs"),
            true_peak_dbtp: number("decoded_true_peak_dbtp"),
        };
        if decoded.integrated_lufs.is_some() { decoded } else { Self::of(output) }
    }

    fn words(self) -> String {
        let loudness = self.integrated_lufs.map(|lufs| format!("{:.1} LUFS", Plain(lufs)));
        let words = loudness.into_iter().chain(self.true_peak_dbtp.map(peak_words));
        words.collect::<Vec<_>>().join(", ")
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

/// An export as it will be heard.
struct ExportLevels<'a> {
    path: Option<&'a str>,
    format: &'a str,
    loudness: Loudness,
}

impl<'a> ExportLevels<'a> {
    /// Those of a report whose loudness is known.
    fn all(report: &'a Value) -> Vec<Self> {
        let text = |output: &'a Value, key| output.get(key).and_then(Value::as_str);
        let heard = |output| Self {
            path: text(output, "path"),
            format: text(output, "format").unwrap_or_default(),
            loudness: Loudness::heard(output),
        };
        let outputs = entries(report, "outputs").map(heard);
        outputs.filter(|output| output.loudness.integrated_lufs.is_some()).collect()
    }
}

/// Whether exports came out differently, or one so that it says nothing of those that were not measured.
fn differ(heard: &[ExportLevels<'_>], report: &Value) -> bool {
    let Some(first) = heard.first().map(|heard| heard.loudness.words()) else { return false };
    let is_written = |output: &&Value| output.get("skipped").is_none();
    let is_all = entries(report, "outputs").filter(is_written).count() == heard.len();
    let expected = of_step(report, "expected").words();
    let is_other = |heard: &ExportLevels<'_>| heard.loudness.words() != first;
    heard.iter().any(is_other) || !(is_all || first == expected)
}

fn peak_words(peak_dbtp: f64) -> String {
    format!("true peak {:.1} dBTP", Plain(peak_dbtp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_a_report_become_words() {
        let mut report = json!({
            "loudness": { "integrated_lufs": -19.83, "true_peak_dbtp": -5.0 },
            "steps": [{ "use": "loudness", "findings": { "gain_db": 3.83 } }],
            "outputs": [
                { "path": "a.flac", "loudness": { "integrated_lufs": -16.0, "true_peak_dbtp": -1.17 } },
                { "path": "a.mp3", "loudness": { "integrated_lufs": -15.5, "true_peak_dbtp": -0.3 },
                  "decoded_integrated_lufs": -16.03, "decoded_true_peak_dbtp": -1.2 },
                { "skipped": "exists already" },
            ],
        });
        let words = |report: &Value| Numbers::of(report).words("->").join(", ");
        assert_eq!(words(&report), "-19.8 -> -16.0 LUFS, true peak -1.2 dBTP, gain +3.8 dB");
        // Where exports differ, each says its own.
        report["outputs"][1]["decoded_integrated_lufs"] = json!(-16.3);
        assert_eq!(words(&report), "source -19.8 LUFS, gain +3.8 dB");
        let heard = ExportLevels::all(&report);
        assert!(differ(&heard, &report));
        assert_eq!(heard[1].loudness.words(), "-16.3 LUFS, true peak -1.2 dBTP");
        assert_eq!(heard[1].path, Some("a.mp3"));
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
    fn rehearsal_shows_both_peaks_the_group_and_what_limits_the_gain() {
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
