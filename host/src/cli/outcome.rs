//! What a finished file came to, in one line and the paths it made.

use super::Context;
use crate::control::types::OutputView;
use crate::report::{Paint, Tone, counted, one_line, shown};
use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_pipelines::execution::{OutputKind, Prepared};

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
    gain_db: Option<f64>,
}

impl Numbers {
    fn of(report: &Value) -> Self {
        let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64);
        Self {
            input_lufs: number("/input/loudness/integrated_lufs"),
            output_lufs: number("/outputs/0/loudness/integrated_lufs"),
            true_peak_dbtp: number("/outputs/0/loudness/true_peak_dbtp")
                .or_else(|| number("/input/loudness/true_peak_dbtp")),
            gain_db: report.get("steps").and_then(Value::as_array).and_then(|steps| {
                steps.iter().find_map(|step| step.get("gain_db").and_then(Value::as_f64))
            }),
        }
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

/// What the run wants a person to know: a shortfall, a step left out.
fn notes(report: &Value) -> impl Iterator<Item = &str> {
    let notes = report.get("notes").and_then(Value::as_array);
    notes.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_a_report_become_words() {
        let report = json!({
            "input": { "loudness": { "integrated_lufs": -19.83, "true_peak_dbtp": -5.0 } },
            "steps": [{ "use": "loudness", "gain_db": 3.83 }],
            "outputs": [{ "loudness": { "integrated_lufs": -16.0, "true_peak_dbtp": -1.17 } }],
        });
        let words = Numbers::of(&report).words("->").join(", ");
        assert_eq!(words, "-19.8 -> -16.0 LUFS, true peak -1.2 dBTP, gain +3.8 dB");
    }

    #[test]
    fn report_without_numbers_has_no_words() {
        assert!(Numbers::of(&Value::Null).words("->").is_empty());
        assert_eq!(notes(&Value::Null).count(), 0);
    }
}
