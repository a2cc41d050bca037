//! What a client reads first: whether everything is as it was asked for.

use super::markup::Text;
use super::number::{self, NONE, fixed, signed};
use super::{PageFile, Scope};
use crate::report::Report;
use crate::report::Verdict as Gate;
use std::fmt::Write as _;
use wavemill_core::delivery::{Judgment, Outcome, Verdict};

/// Most targets that have a card each; more are compared in a table.
const CARDS_MAX: usize = 4;

/// How something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Doubt,
}

impl Tone {
    fn of(passed: Option<bool>) -> Self {
        match passed {
            Some(true) => Self::Good,
            Some(false) => Self::Bad,
            None => Self::Doubt,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
        }
    }

    /// A mark and a word: nothing is said by color alone.
    pub(super) fn badge(self, word: &str) -> String {
        let mark = match self {
            Self::Good => "\u{2713}",
            Self::Bad => "\u{2715}",
            Self::Doubt => "?",
        };
        let class = self.class();
        format!(
            "<span class=\"badge {class}\"><span aria-hidden=\"true\">{mark}</span> {word}</span>"
        )
    }
}

/// The verdicts of a file, and what a person should look at; `None` where there is neither.
pub(super) fn section(file: &PageFile, scope: Scope) -> Option<String> {
    let mut out = headline(file).map(|(tone, line)| banner(tone, &line)).unwrap_or_default();
    if file.judgments.len() <= CARDS_MAX {
        if !file.judgments.is_empty() {
            let cards: String = file.judgments.iter().map(card).collect();
            let _ = write!(out, "<div class=\"cards\">{cards}</div>");
        }
    } else if scope.is_album {
        out.push_str(&missed(&file.judgments));
    } else {
        out.push_str(&table(&file.judgments));
    }
    if file.judgments.iter().any(|judgment| !judgment.is_confirmed) {
        out.push_str("<p class=\"remark\">* The numbers of this target are not its publisher\u{2019}s own.</p>");
    }
    out.push_str(&file.report.as_ref().map(gates).unwrap_or_default());
    out.push_str(&notes(file));
    (!out.is_empty()).then_some(out)
}

/// The verdict in a sentence; `None` where nothing was asked for.
pub(super) fn headline(file: &PageFile) -> Option<(Tone, String)> {
    if let Some(reason) = file.report.as_ref().and_then(|report| report.rejected.as_ref()) {
        return Some((Tone::Bad, format!("Rejected: {reason}")));
    }
    let gates = file.report.iter().flat_map(|report| &report.gates);
    let gates: Vec<Option<bool>> = gates.map(|gate| Some(gate.passed)).collect();
    let targets: Vec<Option<bool>> = file.judgments.iter().map(|it| it.passed).collect();
    let (all, what) = match (gates.is_empty(), targets.is_empty()) {
        (_, false) => (targets, "delivery target"),
        (false, true) => (gates, "requirement"),
        (true, true) => return None,
    };
    let count = |passed| all.iter().filter(|it| **it == passed).count();
    let (failed, open, total) = (count(Some(false)), count(None), all.len());
    let plural = if total == 1 { "" } else { "s" };
    Some(match (failed, open) {
        (0, 0) if total == 1 => (Tone::Good, format!("Meets the {what}")),
        (0, 0) => (Tone::Good, format!("Meets all {total} {what}s")),
        (0, _) => {
            (Tone::Doubt, format!("Not every measure of the {what}{plural} could be checked"))
        }
        _ if total == 1 => (Tone::Bad, format!("Misses the {what}")),
        _ => (Tone::Bad, format!("Misses {failed} of {total} {what}s")),
    })
}

pub(super) fn banner(tone: Tone, line: &str) -> String {
    let word = match tone {
        Tone::Good => "Passed",
        Tone::Bad => "Failed",
        Tone::Doubt => "Open",
    };
    format!("<p class=\"banner {}\">{}<b>{}</b></p>", tone.class(), tone.badge(word), Text(line))
}

fn passed(judgment: &Judgment) -> String {
    let tone = Tone::of(judgment.passed);
    tone.badge(match tone {
        Tone::Good => "Passed",
        Tone::Bad => "Failed",
        Tone::Doubt => "Not fully checked",
    })
}

/// A target with a line for each of its measures.
fn card(judgment: &Judgment) -> String {
    let star = if judgment.is_confirmed { "" } else { "*" };
    let mut out = format!(
        "<article class=\"card\"><header><h3>{}{star}</h3>{}</header><table><thead class=\"sr\"><tr>\
         <th scope=\"col\">Measure</th><th scope=\"col\">Value</th><th scope=\"col\">Asked</th>\
         <th scope=\"col\">Off by</th></tr></thead><tbody>",
        Text(&judgment.name),
        passed(judgment)
    );
    for verdict in &judgment.verdicts {
        let (name, unit, difference_unit) = words(verdict.measure);
        let digits = if unit.is_empty() { 0 } else { verdict.decimals() };
        let class = match verdict.outcome {
            Outcome::Fail => " class=\"bad\"",
            Outcome::NotMeasured => " class=\"doubt\"",
            Outcome::Pass | Outcome::Info => "",
        };
        let number = number::shown(verdict.value, digits);
        let difference = match (verdict.outcome, verdict.difference) {
            (Outcome::NotMeasured, _) => "dialogue only: not measured".to_owned(),
            (_, Some(value)) => format!("{} {difference_unit}", signed(value, digits.max(1))),
            (_, None) => String::new(),
        };
        let _ = write!(
            out,
            "<tr{class}><th scope=\"row\">{name}</th><td>{number} <small>{unit}</small></td><td>{}</td><td>{difference}</td></tr>",
            asked(verdict)
        );
    }
    out.push_str("</tbody></table>");
    if let Some(gain) = judgment.playback {
        let text = number::typeset(&gain.to_string());
        let _ = write!(out, "<p class=\"remark\">Playback {text}.</p>");
    }
    out + "</article>"
}

/// What a target asks of a measure.
fn asked(verdict: &Verdict) -> String {
    match (verdict.target, verdict.min, verdict.max) {
        (Some(target), Some(min), Some(_)) => {
            let tolerance = target - min;
            let digits = usize::from(tolerance.fract().abs() > 1e-6);
            format!("{} \u{b1}{tolerance:.digits$}", fixed(target, 1))
        }
        (Some(target), ..) => fixed(target, 1),
        (None, Some(min), Some(max)) if (max - min).abs() > 1e-6 => {
            format!("{} to {}", fixed(min, 0), fixed(max, 0))
        }
        (None, Some(min), Some(_)) => fixed(min, 0),
        (None, _, Some(max)) => format!("at most {}", fixed(max, 1)),
        _ => String::new(),
    }
}

/// Name, unit and unit of differences of a measure.
fn words(measure: &str) -> (&'static str, &'static str, &'static str) {
    match measure {
        "integrated_lufs" => ("Integrated", "LUFS", "LU"),
        "short_term_max_lufs" => ("Short-term max", "LUFS", "LU"),
        "momentary_max_lufs" => ("Momentary max", "LUFS", "LU"),
        "loudness_range_lu" => ("Loudness range", "LU", "LU"),
        "true_peak_dbtp" => ("True peak", "dBTP", "dB"),
        "channels" => ("Channels", "", ""),
        "invalid_samples" => ("Invalid samples", "", ""),
        _ => ("Measure", "", ""),
    }
}

/// Names of the targets that are missed: a table for each file of an album would be too long.
fn missed(judgments: &[Judgment]) -> String {
    let missed = judgments.iter().filter(|judgment| judgment.passed == Some(false));
    let names: Vec<String> = missed.map(|it| Text(&it.name).to_string()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("<p class=\"remark\">Missed: {}</p>", names.join(", "))
}

/// Targets below each other, a line each.
fn table(judgments: &[Judgment]) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Delivery targets\"><table class=\"numbers\"><caption class=\"sr\">Delivery targets</caption><thead><tr>\
         <th scope=\"col\">Target</th><th scope=\"col\" class=\"words\">Verdict</th>\
         <th scope=\"col\">Asked <small>LUFS</small></th><th scope=\"col\">Off by <small>LU</small></th>\
         <th scope=\"col\">Peak at most <small>dBTP</small></th><th scope=\"col\">Over by <small>dB</small></th>\
         <th scope=\"col\">Playback <small>dB</small></th></tr></thead><tbody>",
    );
    for judgment in judgments {
        let find = |measure: &str| judgment.verdicts.iter().find(|one| one.measure == measure);
        let (loudness, peak) = (find("integrated_lufs"), find("true_peak_dbtp"));
        let difference = |one: &Verdict| Some(signed(one.difference?, one.decimals()));
        let over = peak.filter(|one| one.outcome == Outcome::Fail).and_then(difference);
        let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        let star = if judgment.is_confirmed { "" } else { "*" };
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}{star}</th><td class=\"words\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Text(&judgment.name),
            passed(judgment),
            number::shown(loudness.and_then(|one| one.target), 1),
            or_none(loudness.and_then(difference)),
            number::shown(peak.and_then(|one| one.max), 1),
            or_none(over),
            or_none(judgment.playback.map(|gain| signed(gain.gain_db.0, 1))),
        );
    }
    out + "</tbody></table></div>"
}

/// What the gates of a pipeline asked for, and what they found.
fn gates(report: &Report) -> String {
    if report.gates.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Requirements\"><table class=\"numbers\"><caption>Requirements</caption><thead><tr>\
         <th scope=\"col\">Measure</th><th scope=\"col\" class=\"words\">Of</th><th scope=\"col\">Value</th>\
         <th scope=\"col\">Asked</th><th scope=\"col\" class=\"words\">Verdict</th></tr></thead><tbody>",
    );
    for gate in &report.gates {
        let (name, unit) = super::job::name_and_unit(&gate.measure);
        let digits = usize::from(!unit.is_empty());
        let target = gate.target.as_ref().map(|target| format!(" ({})", Text(target)));
        let verdict =
            Tone::of(Some(gate.passed)).badge(if gate.passed { "Passed" } else { "Failed" });
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}{}</th><td class=\"words\">{}</td><td>{} <small>{unit}</small></td><td>{}</td><td class=\"words\">{verdict}</td></tr>",
            Text(&name),
            target.unwrap_or_default(),
            Text(&gate.subject),
            number::shown(gate.value, digits),
            bounds(gate, digits),
        );
    }
    out + "</tbody></table></div>"
}

fn bounds(gate: &Gate, digits: usize) -> String {
    match (gate.min, gate.max) {
        (Some(min), Some(max)) => format!("{} to {}", fixed(min, digits), fixed(max, digits)),
        (Some(min), None) => format!("at least {}", fixed(min, digits)),
        (None, Some(max)) => format!("at most {}", fixed(max, digits)),
        (None, None) => {
            let values: Vec<String> = gate.one_of.iter().map(u64::to_string).collect();
            values.join(" or ")
        }
    }
}

/// What a person should look at, whatever was asked for.
fn notes(file: &PageFile) -> String {
    let analysis = &file.latest().analysis;
    let mut notes = file.report.as_ref().map(Report::notes).unwrap_or_default();
    notes.extend(file.warnings.iter().cloned());
    let clipped = analysis.level.as_ref().map_or(0, |level| level.clipped_samples);
    if clipped > 0 {
        notes.push(format!("{clipped} samples are clipped"));
    }
    if let Some(loudness) = &analysis.loudness {
        let peak = loudness.larger_true_peak().filter(|peak| peak.0 > 0.0);
        if let Some(peak) = peak {
            notes.push(format!("its true peak is {} dB above full scale", fixed(peak.0, 1)));
        }
        if loudness.invalid_samples > 0 {
            notes.push(format!("{} samples are invalid", loudness.invalid_samples));
        }
    }
    if notes.is_empty() {
        return String::new();
    }
    let items = notes.iter().fold(String::new(), |items, note| {
        format!("{items}<li>{}</li>", Text(&super::capitalized(note)))
    });
    format!("<div class=\"notes\"><h3>Please note</h3><ul>{items}</ul></div>")
}
