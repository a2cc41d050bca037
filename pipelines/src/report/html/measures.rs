//! The numbers: those that matter first as large figures, all others in tables.

use super::number::{self, NONE, fixed, signed};
use super::{PageFile, Scope};
use std::fmt::Write as _;
use wavemill_core::analysis::Analysis;
use wavemill_core::loudness::LoudnessReport;

/// A measure as a page shows it.
pub(super) struct Measure {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    digits: usize,
    value: fn(&Analysis) -> Option<f64>,
}

const fn measure(
    name: &'static str,
    unit: &'static str,
    digits: usize,
    value: fn(&Analysis) -> Option<f64>,
) -> Measure {
    Measure { name, unit, digits, value }
}

/// What is asked of every master first.
pub(super) const MAIN: &[Measure] = &[
    measure("Integrated loudness", "LUFS", 1, |all| {
        Some(all.loudness.as_ref()?.integrated_lufs?.0)
    }),
    measure("True peak", "dBTP", 1, |all| {
        all.loudness.as_ref().and_then(LoudnessReport::larger_true_peak).map(|peak| peak.0)
    }),
    measure("Loudness range", "LU", 1, |all| Some(all.loudness.as_ref()?.loudness_range_lu?.0)),
    measure("Peak to loudness", "LU", 1, |all| Some(all.loudness.as_ref()?.peak_to_loudness_lu?.0)),
    measure("Short-term max", "LUFS", 1, |all| Some(all.loudness.as_ref()?.short_term_max_lufs?.0)),
    measure("Dynamic range", "DR", 0, |all| all.level.as_ref()?.dr14.map(f64::from)),
];

/// Everything else. Adding a group of measures: its lines here.
const OTHERS: &[Measure] = &[
    measure("Momentary max", "LUFS", 1, |all| Some(all.loudness.as_ref()?.momentary_max_lufs?.0)),
    measure("Peak to short-term", "LU", 1, |all| {
        Some(all.loudness.as_ref()?.peak_to_short_term_lu?.0)
    }),
    measure("Sample peak", "dBFS", 1, |all| Some(all.loudness.as_ref()?.sample_peak_dbfs?.0)),
    measure("RMS", "dBFS", 1, |all| Some(all.level.as_ref()?.rms_dbfs?.0)),
    measure("Crest factor", "dB", 1, |all| Some(all.level.as_ref()?.crest_factor_db?.0)),
    measure("Noise floor", "dBFS", 1, |all| Some(all.level.as_ref()?.noise_floor_dbfs?.0)),
    measure("DC offset", "", 6, |all| all.level.as_ref()?.dc_offset),
    measure("Clipped samples", "", 0, |all| Some(all.level.as_ref()?.clipped_samples as f64)),
    measure("Spectral centroid", "Hz", 0, |all| Some(all.spectrum.as_ref()?.centroid_hz?.0)),
    measure("Bandwidth", "Hz", 0, |all| Some(all.spectrum.as_ref()?.bandwidth_hz?.0)),
    measure("Rolloff", "Hz", 0, |all| Some(all.spectrum.as_ref()?.rolloff_hz?.0)),
    measure("Flatness", "", 4, |all| all.spectrum.as_ref()?.flatness),
    measure("Attack", "ms", 1, |all| all.transient.as_ref()?.attack_ms),
    measure("Onsets", "per second", 2, |all| all.transient.as_ref()?.density_per_s),
    measure("Transient content", "", 2, |all| all.transient.as_ref()?.preservation),
    measure("Harmonic share", "", 2, |all| all.harmonic.as_ref()?.harmonic_ratio),
    measure("THD", "%", 3, |all| all.harmonic.as_ref()?.thd_percent),
];

impl Measure {
    /// Its number in an analysis, or "-".
    pub(super) fn shown(&self, analysis: &Analysis) -> String {
        number::shown((self.value)(analysis), self.digits)
    }

    fn exists_in(&self, file: &PageFile) -> bool {
        let has = |analysis| (self.value)(analysis).is_some();
        has(&file.source.analysis) || file.export.as_ref().is_some_and(|it| has(&it.analysis))
    }
}

/// The main measures, large. Of a job: before, after and change, as a table.
pub(super) fn main(file: &PageFile, _scope: Scope) -> Option<String> {
    if let Some(export) = &file.export {
        return compared(file, &export.analysis, MAIN, "Main measures");
    }
    let analysis = &file.source.analysis;
    if analysis.loudness.is_none() && analysis.level.is_none() {
        return None;
    }
    let is_measured = |measure: &&Measure| measure.unit != "DR" || analysis.level.is_some();
    let mut out = String::from("<dl class=\"figures\">");
    for measure in MAIN.iter().filter(is_measured) {
        let (name, number) = (measure.name, measure.shown(analysis));
        let unit = if number == NONE { "" } else { measure.unit };
        let _ = write!(out, "<div><dt>{name}</dt><dd>{number} <small>{unit}</small></dd></div>");
    }
    Some(out + "</dl>")
}

/// All other measures that exist.
pub(super) fn others(file: &PageFile, _scope: Scope) -> Option<String> {
    if let Some(export) = &file.export {
        return compared(file, &export.analysis, OTHERS, "Further measures");
    }
    let mut out = String::new();
    for measure in OTHERS.iter().filter(|measure| measure.exists_in(file)) {
        let Measure { name, unit, .. } = measure;
        let number = measure.shown(&file.source.analysis);
        let _ = write!(out, "<div><dt>{name}</dt><dd>{number} <small>{unit}</small></dd></div>");
    }
    (!out.is_empty()).then(|| format!("<dl class=\"facts\">{out}</dl>"))
}

/// A table of what exists before or after a job.
fn compared(
    file: &PageFile,
    after: &Analysis,
    measures: &[Measure],
    caption: &str,
) -> Option<String> {
    let before = &file.source.analysis;
    let mut rows = String::new();
    for measure in measures.iter().filter(|measure| measure.exists_in(file)) {
        let Measure { name, unit, digits, value } = measure;
        let change = value(before).zip(value(after)).map(|(was, is)| is - was);
        let change = change.map_or(NONE.to_owned(), |change| signed(change, *digits));
        let shown = |analysis| value(analysis).map_or(NONE.to_owned(), |it| fixed(it, *digits));
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{name} <small>{unit}</small></th><td>{}</td><td><b>{}</b></td><td>{change}</td></tr>",
            shown(before),
            shown(after)
        );
    }
    (!rows.is_empty()).then(|| {
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\"><table class=\"numbers compared\"><caption class=\"sr\">{caption}</caption><thead><tr>\
             <th scope=\"col\">Measure</th><th scope=\"col\">Source</th><th scope=\"col\">Export</th>\
             <th scope=\"col\">Change</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    })
}
