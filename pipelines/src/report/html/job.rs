//! What a job did: its steps, and the files it made.

use super::markup::Text;
use super::number::{self, NONE, fixed};
use super::{PageFile, Scope};
use crate::report::{Findings, OutputEntry, StepEntry, WrittenEntry};
use std::fmt::Write as _;
use wavemill_core::audio::SampleFormat;
use wavemill_core::processor::FindingValue;

/// Endings of keys and the units they stand for; the first that fits counts.
const UNITS: &[(&str, &str)] = &[
    ("_lufs", "LUFS"),
    ("_lu", "LU"),
    ("_dbtp", "dBTP"),
    ("_dbfs", "dBFS"),
    ("_db", "dB"),
    ("_hz", "Hz"),
    ("_ms", "ms"),
    ("_s", "s"),
    ("_percent", "%"),
];

/// The words of a key, and its unit.
pub(super) fn name_and_unit(key: &str) -> (String, &'static str) {
    let unit = UNITS.iter().find(|(ending, _)| key.ends_with(ending));
    let (ending, unit) = unit.copied().unwrap_or_default();
    let words = key.strip_suffix(ending).unwrap_or(key).replace('_', " ");
    (super::capitalized(&words), unit)
}

/// The files that were made.
pub(super) fn exports(file: &PageFile, _scope: Scope) -> Option<String> {
    let outputs = &file.report.as_ref()?.outputs;
    if outputs.is_empty() {
        return None;
    }
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Exports\"><table class=\"numbers\"><caption class=\"sr\">Exports</caption><thead><tr>\
         <th scope=\"col\">File</th><th scope=\"col\" class=\"words\">Format</th>\
         <th scope=\"col\">Loudness <small>LUFS</small></th><th scope=\"col\">True peak <small>dBTP</small></th>\
         <th scope=\"col\">Size</th></tr></thead><tbody>",
    );
    for output in outputs {
        match output {
            OutputEntry::Written(entry) => out.push_str(&written(entry)),
            OutputEntry::Skipped { format, skipped } => {
                let _ = write!(
                    out,
                    "<tr><th scope=\"row\">{}</th><td class=\"words\" colspan=\"4\">Left out: {}</td></tr>",
                    Text(&format.to_uppercase()),
                    Text(skipped)
                );
            }
        }
    }
    Some(out + "</tbody></table></div>")
}

fn written(entry: &WrittenEntry) -> String {
    let loudness = entry.loudness.as_ref();
    // What a lossy file sounds like is what counts.
    let integrated =
        entry.decoded_integrated_lufs.or(loudness.and_then(|it| Some(it.integrated_lufs?.0)));
    let peak =
        entry.decoded_true_peak_dbtp.or(loudness.and_then(|it| Some(it.larger_true_peak()?.0)));
    let hash = entry
        .blake3
        .as_ref()
        .map(|hash| format!("<small class=\"hash\">BLAKE3 {}</small>", Text(hash)));
    format!(
        "<tr><th scope=\"row\">{}{}</th><td class=\"words\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        Text(&super::facts::file_name(&entry.path)),
        hash.unwrap_or_default(),
        Text(&format(entry)),
        number::shown(integrated, 1),
        number::shown(peak, 1),
        entry.size_bytes.map_or(NONE.to_owned(), number::size),
    )
}

/// `FLAC, 24-bit, 44.1 kHz, stereo`.
fn format(entry: &WrittenEntry) -> String {
    let mut parts = vec![super::facts::format_name(&entry.format)];
    match (entry.bit_depth, entry.sample_format) {
        (Some(bits), Some(SampleFormat::Float)) => parts.push(format!("{bits}-bit float")),
        (Some(bits), _) => parts.push(format!("{bits}-bit")),
        (None, _) => {}
    }
    if let Some(kbps) = entry.bit_rate_kbps {
        let mode =
            entry.bit_rate_mode.as_deref().map_or(String::new(), |mode| mode.to_uppercase() + " ");
        parts.push(format!("{mode}{kbps} kbit/s"));
    }
    parts.extend(entry.vbr_quality.map(|quality| format!("V{quality}")));
    parts.push(super::facts::rate(entry.sample_rate_hz));
    parts.push(super::facts::channels(entry.channels));
    if entry.dither != "none" && !entry.dither.is_empty() && entry.bit_depth.is_some() {
        parts.push(format!("{} dither", entry.dither));
    }
    parts.join(", ")
}

/// What was done, in order.
pub(super) fn steps(file: &PageFile, _scope: Scope) -> Option<String> {
    let steps = &file.report.as_ref()?.steps;
    if steps.is_empty() {
        return None;
    }
    let items = steps.iter().fold(String::new(), |items, entry| items + &step(entry));
    Some(format!("<ol class=\"steps\">{items}</ol>"))
}

fn step(entry: &StepEntry) -> String {
    let what = &entry.what;
    let name = match (&what.step, &what.module) {
        (Some(step), _) => step.replace('-', " "),
        (None, Some(module)) => format!("{} {}", module.name, module.version),
        (None, None) => what.effect.clone().unwrap_or_default(),
    };
    let mut out = format!("<li><b>{}</b>", Text(&super::capitalized(&name)));
    if let Some(preset) = &what.preset {
        let _ = write!(out, " <span>Preset {}</span>", Text(preset));
    }
    if let Some(reason) = &entry.skipped {
        let _ = write!(out, " <span>Did not run: {}</span>", Text(reason));
    }
    for (name, value) in entry.findings.iter().flat_map(shown) {
        let _ = write!(out, " <span>{} {}</span>", Text(&name), Text(&value));
    }
    for (key, value) in what.params.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (name, unit) = name_and_unit(key);
        let _ = write!(out, " <span>{} {} {unit}</span>", Text(&name), Text(&value));
    }
    out + "</li>"
}

/// What a step found, as words and values.
fn shown(findings: &Findings) -> Vec<(String, String)> {
    let value = |value: &FindingValue, unit: &str| match value {
        FindingValue::Number(number) if unit.is_empty() && number.fract() == 0.0 => {
            Some(fixed(*number, 0))
        }
        FindingValue::Number(number) => Some(format!("{} {unit}", fixed(*number, 1))),
        FindingValue::Bool(is) => Some(if *is { "yes" } else { "no" }.to_owned()),
        FindingValue::Text(text) => Some(text.clone()),
        FindingValue::None => None,
    };
    let rows = findings.0.iter().filter_map(|finding| {
        let (name, unit) = name_and_unit(&finding.key);
        Some((name, value(&finding.value, unit)?))
    });
    rows.collect()
}
