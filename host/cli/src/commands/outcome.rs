//! What a finished file came to, in one line and the paths it made.

use super::Context;
use crate::report::{Paint, Tone, counted, one_line, shown};
use std::path::{Path, PathBuf};
use wavemill_api::types::OutputView;
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::units::Plain;
use wavemill_pipelines::execution::{OutputKind, PreparedOutput};
use wavemill_pipelines::report::{Findings, Report, WrittenEntry};

/// A finished file.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    /// The source.
    pub(super) input: &'a Path,
    /// The run's report.
    pub(super) report: &'a Report,
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

impl From<&PreparedOutput> for PublishedFile {
    fn from(output: &PreparedOutput) -> Self {
        Self { kind: output.kind, path: output.path.clone() }
    }
}

impl Outcome<'_> {
    /// The line and the paths.
    pub(super) fn lines(&self, context: &Context) -> Vec<String> {
        let paint = context.report.paint();
        let mut lines = vec![self.headline(paint)];
        lines.extend(
            self.report
                .notes()
                .iter()
                .map(|note| format!("  {} {}", paint.tone(Tone::Doubt, "note:"), one_line(note))),
        );
        let exports = ExportLevels::all(self.report);
        let numbers = |made: &PublishedFile| {
            let is_this = |export: &&ExportLevels<'_>| Path::new(export.path) == made.path;
            let numbers = exports.iter().find(is_this).filter(|_| differ(&exports, self.report));
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
            0 if has(OutputKind::Report) || has(OutputKind::Page) => "report".to_owned(),
            0 if has(OutputKind::Chapters) => "chapters".to_owned(),
            count => counted(count, "file"),
        };
        let numbers = Numbers::of(self.report).words(paint.arrow());
        let matched = self.report.findings().find_map(|(_, found)| distance(found, paint.arrow()));
        let all: Vec<_> = std::iter::once(what).chain(numbers).chain(matched).collect();
        let name = paint.tone(Tone::Strong, shown(name));
        format!("{name} {} {}", paint.tone(Tone::Good, paint.arrow()), all.join(", "))
    }
}

/// What a file would come to: numbers before and after, what limits them, and the group.
pub(super) fn rehearsed(input: &Path, report: &Report, context: &Context) -> Vec<String> {
    let paint = context.report.paint();
    let mut words = Numbers::of(report).before_and_after(paint.arrow());
    if words.is_empty() {
        words.push("no loudness".to_owned());
    }
    let name = input.file_name().map_or(input, Path::new);
    let mut lines =
        vec![format!("{}: {}", paint.tone(Tone::Strong, shown(name)), words.join(", "))];
    let exports = ExportLevels::all(report);
    if differ(&exports, report) {
        let line = |it: &ExportLevels<'_>| format!("  {}: {}", it.format, it.loudness.words());
        lines.extend(exports.iter().map(line));
    }
    lines.extend(limits(report, paint.arrow()).into_iter().map(|line| format!("  {line}")));
    lines.extend(
        report
            .notes()
            .iter()
            .map(|note| format!("  {} {}", paint.tone(Tone::Doubt, "note:"), one_line(note))),
    );
    lines
}

/// The group, and what keeps a step from giving more.
fn limits(report: &Report, arrow: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (step, found) in report.findings() {
        let number = |key: &str| found.number(key);
        let files = number("group_files");
        if let Some(files) = files {
            let level = |key: &str, unit: &str| {
                number(key)
                    .map_or_else(|| "silent".to_owned(), |it| format!("{:.1} {unit}", Plain(it)))
            };
            let loudness = level("group_integrated_lufs", "LUFS");
            let peak = level("group_true_peak_dbtp", "dBTP");
            lines.push(format!("one gain for a group of {files}: {loudness}, true peak {peak}"));
        }
        if found.flag("ceiling_bound") == Some(true) {
            let whose = if files.is_some() { "the group's largest peak" } else { "the ceiling" };
            lines.push(format!("{step}: {whose} limits the gain"));
        }
        lines.extend(match_line(step, found, arrow));
        if let Some(reduction) = number("reduction_max_db").filter(|reduction| *reduction > 0.0) {
            lines.push(format!("{step}: peaks are limited by up to {reduction:.1} dB"));
        }
    }
    lines
}

/// What a step changed to match a reference.
fn match_line(step: &str, found: &Findings, arrow: &str) -> Option<String> {
    let number = |key: &str| found.number(key);
    let (min, max) = number("eq_min_db").zip(number("eq_max_db"))?;
    let side = number("side_gain_db").filter(|gain| *gain != 0.0);
    let side = side.map(|gain| format!(", sides {:+.1} dB", Plain(gain))).unwrap_or_default();
    let distance = distance(found, arrow).map(|words| format!(", {words}")).unwrap_or_default();
    let (min, max) = (Plain(min), Plain(max));
    Some(format!("{step}: bands {min:+.1} to {max:+.1} dB{side}{distance}"))
}

/// Distance of the spectra before and after a match.
fn distance(found: &Findings, arrow: &str) -> Option<String> {
    let number = |when: &str| found.number(&format!("spectrum_distance_{when}_db"));
    let (before, after) = (Plain(number("before")?), Plain(number("after")?));
    Some(format!("spectrum {before:.1} {arrow} {after:.1} dB from the reference"))
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
    fn of(report: &Report) -> Self {
        let (before, after) = (of_step(report, "measured"), of_step(report, "expected"));
        let input = Loudness::of(report.loudness.as_ref()).or(before);
        let exports = ExportLevels::all(report);
        let gain_db = report.findings().find_map(|(_, found)| found.number("gain_db"));
        if differ(&exports, report) {
            // Each export says its own.
            let input_lufs = input.integrated_lufs;
            return Self { input_lufs, gain_db, outputs_differ: true, ..Self::default() };
        }
        let output = exports.first().map(|export| export.loudness).unwrap_or_default().or(after);
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
    /// Of a measured signal; of both true peaks the larger, on which ceilings hold.
    fn of(report: Option<&LoudnessReport>) -> Self {
        Self {
            integrated_lufs: report.and_then(|it| it.integrated_lufs).map(|lufs| lufs.0),
            true_peak_dbtp: report.and_then(LoudnessReport::larger_true_peak).map(|peak| peak.0),
        }
    }

    /// Of an export: what a lossy one decodes to, else what was stored.
    fn of_export(output: &WrittenEntry) -> Self {
        let decoded = Self {
            integrated_lufs: output.decoded_integrated_lufs,
            true_peak_dbtp: output.decoded_true_peak_dbtp,
        };
        if decoded.integrated_lufs.is_some() { decoded } else { Self::of(output.loudness.as_ref()) }
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

/// Steps that bring a signal to a loudness.
const IS_LOUD: [&str; 2] = ["loudness", "match"];

/// What the loudness step measured, or expects of its output: a run measures its files only where
/// the pipeline asks for a report or a gate.
fn of_step(report: &Report, which: &str) -> Loudness {
    let found =
        report.findings().find_map(|(step, found)| IS_LOUD.contains(&step).then_some(found));
    let number = |key: &str| found?.number(&format!("{which}_{key}"));
    Loudness {
        integrated_lufs: number("integrated_lufs"),
        true_peak_dbtp: number("true_peak_dbtp"),
    }
}

/// Levels of an export as it plays.
struct ExportLevels<'a> {
    path: &'a str,
    format: &'a str,
    loudness: Loudness,
}

impl<'a> ExportLevels<'a> {
    /// Those of a report whose loudness is known.
    fn all(report: &'a Report) -> Vec<Self> {
        let levels = |output: &'a WrittenEntry| Self {
            path: &output.path,
            format: &output.format,
            loudness: Loudness::of_export(output),
        };
        let outputs = report.written().map(levels);
        outputs.filter(|output| output.loudness.integrated_lufs.is_some()).collect()
    }
}

/// Whether exports came out differently, or one so that it says nothing of those that were not measured.
fn differ(exports: &[ExportLevels<'_>], report: &Report) -> bool {
    let Some(first) = exports.first().map(|export| export.loudness.words()) else { return false };
    let is_all = report.written().count() == exports.len();
    let expected = of_step(report, "expected").words();
    let is_other = |export: &ExportLevels<'_>| export.loudness.words() != first;
    exports.iter().any(is_other) || !(is_all || first == expected)
}

fn peak_words(peak_dbtp: f64) -> String {
    format!("true peak {:.1} dBTP", Plain(peak_dbtp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::processor::Finding;
    use wavemill_core::units::{Dbtp, Lufs};
    use wavemill_pipelines::report::{OutputEntry, StepEntry, StepFacts};

    fn loudness(integrated_lufs: f64, true_peak_dbtp: f64) -> LoudnessReport {
        LoudnessReport {
            integrated_lufs: Some(Lufs(integrated_lufs)),
            true_peak_dbtp: Some(Dbtp(true_peak_dbtp)),
            ..LoudnessReport::default()
        }
    }

    /// A run with a `loudness` step that found this.
    fn report(findings: Vec<Finding>, exports: Vec<WrittenEntry>) -> Report {
        let what = StepFacts { step: Some("loudness".to_owned()), ..StepFacts::default() };
        let step = StepEntry { what, findings: Some(Findings(findings)), ..StepEntry::default() };
        let outputs = exports.into_iter().map(|export| OutputEntry::Written(Box::new(export)));
        Report { steps: vec![step], outputs: outputs.collect(), ..Report::default() }
    }

    fn export(path: &str, loudness: LoudnessReport) -> WrittenEntry {
        WrittenEntry { path: path.into(), loudness: Some(loudness), ..WrittenEntry::default() }
    }

    #[test]
    fn numbers_of_a_report_become_words() {
        let with_mp3_at = |lufs: f64| {
            let mp3 = WrittenEntry {
                decoded_integrated_lufs: Some(lufs),
                decoded_true_peak_dbtp: Some(-1.2),
                ..export("a.mp3", loudness(-15.5, -0.3))
            };
            let exports = vec![export("a.flac", loudness(-16.0, -1.17)), mp3];
            let mut report = report(vec![Finding::number("gain_db", 3.83)], exports);
            let (format, skipped) = ("wav".to_owned(), "already exists".to_owned());
            report.outputs.push(OutputEntry::Skipped { format, skipped });
            report.loudness = Some(loudness(-19.83, -5.0));
            report
        };
        let words = |report: &Report| Numbers::of(report).words("->").join(", ");
        assert_eq!(
            words(&with_mp3_at(-16.03)),
            "-19.8 -> -16.0 LUFS, true peak -1.2 dBTP, gain +3.8 dB"
        );
        // Where exports differ, each says its own.
        let report = with_mp3_at(-16.3);
        assert_eq!(words(&report), "source -19.8 LUFS, gain +3.8 dB");
        let exports = ExportLevels::all(&report);
        assert!(differ(&exports, &report));
        assert_eq!(exports[1].loudness.words(), "-16.3 LUFS, true peak -1.2 dBTP");
        assert_eq!(exports[1].path, "a.mp3");
    }

    #[test]
    fn numbers_of_a_run_that_measured_no_files_are_those_of_its_loudness_step() {
        let found = vec![
            Finding::number("measured_integrated_lufs", -25.09),
            Finding::number("gain_db", 10.54),
            Finding::number("expected_integrated_lufs", -14.55),
            Finding::number("expected_true_peak_dbtp", -1.0),
        ];
        let words = Numbers::of(&report(found, vec![WrittenEntry::default()])).words("->");
        assert_eq!(words.join(", "), "-25.1 -> -14.6 LUFS, true peak -1.0 dBTP, gain +10.5 dB");
    }

    #[test]
    fn rehearsal_shows_both_peaks_the_group_and_what_limits_the_gain() {
        let found = vec![
            Finding::number("gain_db", 1.5),
            Finding::flag("ceiling_bound", true),
            Finding::number("group_files", 3.0),
            Finding::number("group_integrated_lufs", -18.0),
            Finding::number("group_true_peak_dbtp", -2.5),
        ];
        let mut report = report(found, vec![export("a.wav", loudness(-18.3, -3.5))]);
        report.loudness = Some(loudness(-19.8, -5.0));
        let words = Numbers::of(&report).before_and_after("->").join(", ");
        assert_eq!(words, "-19.8 -> -18.3 LUFS, true peak -5.0 -> -3.5 dBTP, gain +1.5 dB");
        assert_eq!(
            limits(&report, "->"),
            [
                "one gain for a group of 3: -18.0 LUFS, true peak -2.5 dBTP",
                "loudness: the group's largest peak limits the gain",
            ]
        );
    }

    #[test]
    fn report_without_numbers_has_no_words() {
        assert!(Numbers::of(&Report::default()).words("->").is_empty());
    }
}
