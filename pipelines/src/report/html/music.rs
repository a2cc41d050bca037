//! Tempo, key and chords.

use super::markup::Text;
use super::number::{NONE, clock, fixed, signed};
use super::{PageFile, Scope};
use std::fmt::Write as _;
use wavemill_core::analysis::Analysis;
use wavemill_core::music::{Chord, RhythmReport, TonalityReport};

/// Most chords that are listed.
const CHORDS_MAX: usize = 120;

/// Smallest change from the beginning to the end that is a drift: what is still steady.
const DRIFT_PERCENT_MIN: f64 = 2.0;

/// A figure: its name, its value, its unit, and a line below.
type Figure = (&'static str, String, &'static str, String);

/// What was measured of it; `None` where that is nothing.
pub(super) fn section(file: &PageFile, _scope: Scope) -> Option<String> {
    let Analysis { rhythm, tonality, chords, .. } = &file.latest().analysis;
    let figures = rhythm.iter().flat_map(of_rhythm).chain(tonality.iter().flat_map(of_tonality));
    let figures = figures.fold(String::new(), |mut out, (name, value, unit, below)| {
        let _ = write!(
            out,
            "<div><dt>{name}</dt><dd>{} <small>{unit}</small></dd><dd class=\"below\">{}</dd></div>",
            Text(&value),
            Text(&below)
        );
        out
    });
    let mut out = String::new();
    if !figures.is_empty() {
        let _ = write!(out, "<dl class=\"figures four\">{figures}</dl>");
    }
    out.push_str(&chords.as_deref().map(listed).unwrap_or_default());
    (!out.is_empty()).then_some(out)
}

fn of_rhythm(rhythm: &RhythmReport) -> [Figure; 2] {
    let Some(tempo) = rhythm.tempo_bpm else {
        let reason = rhythm.reason.as_deref().unwrap_or_default().to_owned();
        return [("Tempo", NONE.to_owned(), "", reason), absent("Bar")];
    };
    let others = rhythm.alternatives.iter().take(2).map(|other| fixed(other.tempo_bpm, 1));
    let steady = match (rhythm.is_steady, rhythm.tempo_drift_percent) {
        (Some(true), _) => "steady".to_owned(),
        (_, Some(drift)) if drift.abs() >= DRIFT_PERCENT_MIN => {
            format!("drifts by {} %", signed(drift, 1))
        }
        (Some(false), _) => "varies".to_owned(),
        _ => String::new(),
    };
    let bar = rhythm.beats_per_bar.map_or(NONE.to_owned(), |beats| beats.to_string());
    let unit = if bar == NONE { "" } else { "beats" };
    [
        ("Tempo", fixed(tempo, 1), "BPM", below(rhythm.confidence, others)),
        ("Bar", bar, unit, steady),
    ]
}

fn of_tonality(tonality: &TonalityReport) -> [Figure; 2] {
    let Some(key) = &tonality.key else {
        let reason = tonality.reason.as_deref().unwrap_or_default().to_owned();
        return [("Key", NONE.to_owned(), "", reason), absent("Tuning")];
    };
    let others = tonality.alternatives.iter().take(2).map(|other| other.key.clone());
    let camelot = tonality.camelot.as_deref().unwrap_or_default();
    let changes = tonality.changes.iter().take(3);
    let changes = changes.map(|change| format!("; {} from {}", change.key, clock(change.time_s)));
    let below = changes.fold(below(tonality.confidence, others), |out, change| out + &change);
    let tuning = tonality.tuning_hz.map_or(NONE.to_owned(), |hertz| fixed(hertz, 1));
    let unit = if tuning == NONE { "" } else { "Hz" };
    let value = format!("{key} {camelot}").trim_end().to_owned();
    [("Key", value, "", below), ("Tuning of A4", tuning, unit, String::new())]
}

fn absent(name: &'static str) -> Figure {
    (name, NONE.to_owned(), "", String::new())
}

/// How certain it is, and what else it may be.
fn below(confidence: Option<f64>, others: impl Iterator<Item = String>) -> String {
    let certain = confidence.map(|it| format!("{} % certain", fixed(it * 100.0, 0)));
    let others: Vec<String> = others.collect();
    let others = (!others.is_empty()).then(|| format!("or {}", others.join(", ")));
    certain.into_iter().chain(others).collect::<Vec<_>>().join("; ")
}

/// The chords with the times at which they begin.
fn listed(chords: &[Chord]) -> String {
    let mut out = String::new();
    for chord in chords.iter().take(CHORDS_MAX) {
        let (time, name) = (clock(chord.start_s), written(&chord.label));
        let _ = write!(out, "<span><small>{time}</small> <b>{}</b></span> ", Text(&name));
    }
    if let Some(rest) = chords.len().checked_sub(CHORDS_MAX).filter(|rest| *rest > 0) {
        let _ = write!(out, "<span><small>and {rest} more</small></span>");
    }
    if out.is_empty() { out } else { format!("<p class=\"chords\">{out}</p>") }
}

/// A chord as musicians write it: `A:min7` is `Am7`.
fn written(label: &str) -> String {
    let Some((root, quality)) = label.split_once(':') else { return NONE.to_owned() };
    let quality = match quality {
        "maj" => "",
        "min" => "m",
        "min7" => "m7",
        other => other,
    };
    format!("{root}{quality}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_written_as_musicians_write_them() {
        let names = ["A:min7", "C:maj", "F#:min", "G:7", "N"].map(written);
        assert_eq!(names, ["Am7", "C", "F#m", "G7", "-"]);
    }
}
