//! Files held against delivery targets.

use super::Record;
use super::reading::NONE;
use crate::commands::{CliError, Context};
use crate::diagnostics;
use crate::report::{Align, Paint, Table, Tone};
use std::path::Path;
use wavemill_core::delivery::{JudgedFile, Judgment, Outcome, Target, Verdict, judge};
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::units::{Dbtp, Lu, Lufs};
use wavemill_pipelines::delivery::{self, TargetError};
use wavemill_pipelines::number::{fixed, signed};

/// What stands for every target that comes with Wavemill.
pub(in crate::commands) const ALL: &str = "all";

/// Most targets whose measures are shown one by one; more are compared in a table.
const DETAILED_MAX: usize = 3;

/// The targets that a user named.
///
/// # Errors
/// When there is none of a name, or a file of targets has mistakes; those are shown.
pub(in crate::commands) fn find(
    names: &[String],
    context: &Context,
) -> Result<Vec<Target>, CliError> {
    let mut targets: Vec<Target> = Vec::new();
    for name in names {
        let found = if name == ALL {
            delivery::shipped().to_vec()
        } else {
            delivery::find(name, Path::new("")).map_err(|error| target_error(error, context))?
        };
        for target in found {
            if !targets.iter().any(|other| other.id == target.id) {
                targets.push(target);
            }
        }
    }
    Ok(targets)
}

fn target_error(error: TargetError, context: &Context) -> CliError {
    match error {
        TargetError::Mistakes { path, text, all, .. } => {
            let paint = context.report.note_paint();
            context.report.raw_error(&diagnostics::draw(&path, &text, &all, paint));
            CliError::Mistakes { path, count: all.len() }
        }
        TargetError::Unreadable { path, error } => CliError::path(&path, error),
        other => CliError::usage(other.to_string()),
    }
}

/// Holds a record against targets.
pub(super) fn judge_all(record: &Record, targets: &[Target]) -> Vec<Judgment> {
    let loudness = report(record);
    let channels = record.get("file").and_then(|file| file["channels"].as_u64());
    let channels = channels.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let measured = JudgedFile { loudness: &loudness, channels };
    targets.iter().map(|target| judge(target, measured)).collect()
}

/// The measures that targets ask for, from a record.
fn report(record: &Record) -> LoudnessReport {
    let number = |key: &str| record.get("loudness")?.get(key)?.as_f64();
    LoudnessReport {
        integrated_lufs: number("integrated_lufs").map(Lufs),
        loudness_range_lu: number("loudness_range_lu").map(Lu),
        momentary_max_lufs: number("momentary_max_lufs").map(Lufs),
        short_term_max_lufs: number("short_term_max_lufs").map(Lufs),
        true_peak_dbtp: number("true_peak_dbtp").map(Dbtp),
        true_peak_precise_dbtp: number("true_peak_precise_dbtp").map(Dbtp),
        invalid_samples: record
            .get("loudness")
            .and_then(|loudness| loudness.get("invalid_samples")?.as_u64())
            .unwrap_or_default(),
        ..LoudnessReport::default()
    }
}

/// The lines of one file's judgments.
pub(super) fn lines(judgments: &[Judgment], paint: Paint) -> Vec<String> {
    if judgments.is_empty() {
        return Vec::new();
    }
    let mut lines = if judgments.len() <= DETAILED_MAX {
        judgments.iter().flat_map(|judgment| detailed(judgment, paint)).collect()
    } else {
        compared(judgments, paint)
    };
    if judgments.iter().any(|judgment| !judgment.is_confirmed) {
        let remark = "  * numbers from other sources than the publisher: see wavemill targets NAME";
        lines.extend([String::new(), paint.tone(Tone::Faint, remark)]);
    }
    lines
}

/// A target with a line for each of its measures.
fn detailed(judgment: &Judgment, paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
        ("", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
    ]);
    for verdict in &judgment.verdicts {
        let (name, unit, difference_unit) = words(verdict.measure);
        let digits = if unit.is_empty() { 0 } else { verdict.decimals() };
        let number = verdict.value.map_or(NONE.to_owned(), |value| fixed(value, digits));
        let difference = verdict.difference.map_or(String::new(), |value| {
            format!("{} {difference_unit}", signed(value, digits.max(1)))
        });
        table.toned([
            (format!("    {name}"), Some(Tone::Faint)),
            (number, None),
            (unit.to_owned(), Some(Tone::Faint)),
            (asked(verdict), Some(Tone::Faint)),
            (difference, None),
            outcome(verdict.outcome),
        ]);
    }
    let mut lines = vec![String::new(), format!("  {}", heading(judgment, paint))];
    lines.extend(table.lines(paint));
    lines.extend(judgment.playback.map(|gain| format!("    playback {gain}")));
    lines
}

fn heading(judgment: &Judgment, paint: Paint) -> String {
    let Judgment { target, name, .. } = judgment;
    let star = if judgment.is_confirmed { "" } else { "*" };
    let (word, tone) = passed(judgment);
    let name = paint.tone(Tone::Strong, format!("{name}{star}"));
    format!("{name} ({target}): {}", paint.tone(tone, word))
}

fn passed(judgment: &Judgment) -> (&'static str, Tone) {
    match judgment.passed {
        Some(true) => ("passed", Tone::Good),
        Some(false) => ("failed", Tone::Bad),
        None => ("not fully checked", Tone::Doubt),
    }
}

fn outcome(outcome: Outcome) -> (String, Option<Tone>) {
    let (word, tone) = match outcome {
        Outcome::Pass => ("ok", Tone::Good),
        Outcome::Fail => ("failed", Tone::Bad),
        Outcome::Info => ("", Tone::Faint),
        Outcome::NotMeasured => ("dialogue only: not measured", Tone::Doubt),
    };
    (word.to_owned(), Some(tone))
}

/// What a target asks of a measure.
fn asked(verdict: &Verdict) -> String {
    match (verdict.target, verdict.min, verdict.max) {
        (Some(target), Some(min), Some(_)) => {
            let tolerance = target - min;
            let digits = usize::from(tolerance.fract().abs() > 1e-6);
            format!("{target:.1} +-{tolerance:.digits$}")
        }
        (Some(target), ..) => format!("{target:.1}"),
        (None, Some(min), Some(max)) if (max - min).abs() > 1e-6 => format!("{min} to {max}"),
        (None, Some(min), Some(_)) => format!("{min}"),
        (None, _, Some(max)) => format!("at most {max:.1}"),
        _ => String::new(),
    }
}

/// Name, unit and unit of differences of a measure.
fn words(measure: &str) -> (String, &'static str, &'static str) {
    let (unit, difference) = match measure.rsplit('_').next() {
        Some("lufs") => ("LUFS", "LU"),
        Some("lu") => ("LU", "LU"),
        Some("dbtp") => ("dBTP", "dB"),
        _ => ("", ""),
    };
    (super::reading::label(measure), unit, difference)
}

/// Targets beside each other, a line each.
fn compared(judgments: &[Judgment], paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[
        ("  TARGET", Align::Left),
        ("LUFS", Align::Right),
        ("OFF BY", Align::Right),
        ("DBTP MAX", Align::Right),
        ("OVER BY", Align::Right),
        ("PLAYBACK", Align::Right),
        ("VERDICT", Align::Left),
    ]);
    for judgment in judgments {
        let find = |measure: &str| judgment.verdicts.iter().find(|one| one.measure == measure);
        let (loudness, peak) = (find("integrated_lufs"), find("true_peak_dbtp"));
        let shown = |text: Option<String>| {
            text.map_or((NONE.to_owned(), Some(Tone::Faint)), |text| (text, None))
        };
        let difference = |one: &Verdict| Some(signed(one.difference?, one.decimals()));
        let over = peak.filter(|one| one.outcome == Outcome::Fail).and_then(difference);
        let star = if judgment.is_confirmed { "" } else { "*" };
        table.toned([
            (format!("  {}{star}", judgment.target), Some(Tone::Name)),
            shown(loudness.and_then(|one| one.target).map(|value| fixed(value, 1))),
            shown(loudness.and_then(difference)),
            shown(peak.and_then(|one| one.max).map(|value| fixed(value, 1))),
            (over.unwrap_or_default(), None),
            judgment.playback.map_or((String::new(), None), |gain| {
                (format!("{} dB", signed(gain.gain_db.0, 1)), None)
            }),
            reason(judgment),
        ]);
    }
    let mut lines = vec![String::new()];
    lines.extend(table.lines(paint));
    lines
}

/// The verdict in a word or two.
fn reason(judgment: &Judgment) -> (String, Option<Tone>) {
    let (word, tone) = passed(judgment);
    let failed: Vec<String> = judgment
        .verdicts
        .iter()
        .filter(|verdict| verdict.outcome == Outcome::Fail)
        .map(|verdict| match verdict.measure {
            "integrated_lufs" => "loudness".to_owned(),
            measure => super::reading::label(measure),
        })
        .collect();
    let text = match judgment.passed {
        Some(false) => format!("{word}: {}", failed.join(", ")),
        None => "dialogue loudness not measured".to_owned(),
        Some(true) => word.to_owned(),
    };
    (text, Some(tone))
}

/// A cell for a table of several files: whether the target is met, and what playback does.
pub(super) fn cell(judgment: &Judgment) -> (String, Option<Tone>) {
    match (judgment.passed, judgment.playback) {
        (Some(false), _) => ("failed".to_owned(), Some(Tone::Bad)),
        (None, _) => (NONE.to_owned(), Some(Tone::Doubt)),
        (Some(true), Some(gain)) => (format!("{} dB", signed(gain.gain_db.0, 1)), None),
        (Some(true), None) => ("ok".to_owned(), Some(Tone::Good)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "-18.0 at most -18.0, 0.0 LU failed" showed no miss.
    #[test]
    fn miss_is_seen_however_small_it_is() {
        let target = Target {
            short_term_max_lufs: Some(Lufs(-18.0)),
            integrated_lufs: Some(Lufs(-23.0)),
            tolerance_lu: Some(Lu(0.2)),
            ..Target::default()
        };
        let shown = |short_term: f64, integrated: f64| {
            let loudness = LoudnessReport {
                short_term_max_lufs: Some(Lufs(short_term)),
                integrated_lufs: Some(Lufs(integrated)),
                ..LoudnessReport::default()
            };
            let judgment = judge(&target, JudgedFile { loudness: &loudness, channels: 2 });
            detailed(&judgment, Paint::PLAIN)[2..].join("\n")
        };
        let has = |text: &str, words: &[&str]| {
            assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
        };
        has(&shown(-17.96, -23.0), &["-17.96", "at most -18.0", "+0.04 LU", "-23.0", "0.0 LU"]);
        has(&shown(-17.997, -23.203), &["-17.997", "+0.003 LU", "-23.203", "-0.203 LU"]);
        has(&shown(-17.5, -22.7), &["-17.5 ", "+0.5 LU", "-22.7 ", "+0.3 LU"]);
        // What passes has no miss to show.
        has(&shown(-18.004, -23.199), &["-18.0 ", "0.0 LU", "-23.2 ", "-0.2 LU"]);
    }
}
