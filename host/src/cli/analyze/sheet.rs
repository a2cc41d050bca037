//! Analyses for people: a sheet for one file, a table for several.

use crate::analysis::{Analysis, AnalyzeError};
use crate::report::{Align, Paint, Table, Tone, duration, one_line, shown, size};
use std::fmt::Display;
use std::path::Path;
use wavemill_core::audio::SampleFormat;
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::measure::LevelReport;
use wavemill_core::tags::Tags;
use wavemill_pipelines::execution::FileFacts;

/// Shown where a value does not exist, as the loudness of silence.
const NONE: &str = "-";

/// The analyzed files' lines; failed ones are left to the errors.
pub(super) fn lines(
    files: &[(&Path, &Result<Analysis, AnalyzeError>)],
    paint: Paint,
) -> Vec<String> {
    let analyzed: Vec<(&Path, &Analysis)> = files
        .iter()
        .filter_map(|(path, result)| result.as_ref().ok().map(|analysis| (*path, analysis)))
        .collect();
    match analyzed.as_slice() {
        [] => Vec::new(),
        [(path, analysis)] => sheet(path, analysis, paint),
        several => table(several).lines(paint),
    }
}

fn sheet(path: &Path, analysis: &Analysis, paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[("", Align::Left); 2]);
    let mut rows = Vec::new();
    if let Some(file) = &analysis.file {
        rows.extend(file_rows(file));
    }
    if let Some(tags) = &analysis.tags {
        rows.extend(tag_rows(tags));
    }
    if let Some(loudness) = &analysis.loudness {
        rows.extend(loudness_rows(loudness));
    }
    if let Some(level) = &analysis.level {
        rows.extend(level_rows(level));
    }
    for (name, value, remark) in rows {
        table.toned([
            (format!("  {name}"), Some(Tone::Faint)),
            (if remark.is_empty() { value } else { format!("{value}, {remark}") }, None),
        ]);
    }
    let mut lines = vec![paint.tone(Tone::Strong, shown(path))];
    lines.extend(table.lines(paint));
    lines
}

type Entry = (&'static str, String, String);

fn file_rows(file: &FileFacts) -> Vec<Entry> {
    let bits = match (file.bit_depth, file.sample_format) {
        (Some(bits), Some(SampleFormat::Float)) => format!(", {bits}-bit float"),
        (Some(bits), _) => format!(", {bits}-bit"),
        (None, _) => String::new(),
    };
    let codec =
        if file.codec == file.format { String::new() } else { format!(" ({})", file.codec) };
    let rate = file.sample_rate_hz;
    let format = format!("{}{codec}{bits}, {rate} Hz, {}", file.format, channels(file));
    vec![
        ("format", format!("{format}, {}", size(file.size_bytes)), String::new()),
        (
            "duration",
            file.duration_s.map_or(NONE.to_owned(), duration),
            file.duration_s.map(seconds_remark).unwrap_or_default(),
        ),
    ]
}

/// The tags one looks at first; `wavemill tags` shows all.
fn tag_rows(tags: &Tags) -> Vec<Entry> {
    [("title", &tags.title), ("artist", &tags.artist), ("album", &tags.album)]
        .into_iter()
        .filter_map(|(name, text)| Some((name, one_line(text.as_deref()?), String::new())))
        .collect()
}

fn channels(file: &FileFacts) -> String {
    match file.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        count => format!("{count} channels"),
    }
}

/// The exact seconds, where the duration is shown otherwise.
fn seconds_remark(seconds: f64) -> String {
    if seconds < 60.0 { String::new() } else { format!("{seconds:.3} s") }
}

fn loudness_rows(report: &LoudnessReport) -> Vec<Entry> {
    let at = |seconds: Option<wavemill_core::units::Seconds>| {
        seconds.map(|seconds| format!("at {}", duration(seconds.0))).unwrap_or_default()
    };
    let row = |name, value, remark| (name, value, remark);
    vec![
        row("integrated", value(report.integrated_lufs, 1), String::new()),
        row("loudness range", value(report.loudness_range_lu, 1), String::new()),
        row("momentary max", value(report.momentary_max_lufs, 1), at(report.momentary_max_at_s)),
        row("short-term max", value(report.short_term_max_lufs, 1), at(report.short_term_max_at_s)),
        row("true peak", value(report.true_peak_dbtp, 1), String::new()),
        row("sample peak", value(report.sample_peak_dbfs, 1), String::new()),
        row("peak to loudness", value(report.peak_to_loudness_lu, 1), String::new()),
    ]
}

fn level_rows(report: &LevelReport) -> Vec<Entry> {
    let clipped = report.clipped_samples;
    vec![
        ("RMS", value(report.rms_dbfs, 1), String::new()),
        ("crest factor", value(report.crest_factor_db, 1), String::new()),
        (
            "dynamic range",
            report.dr14.map_or(NONE.to_owned(), |dr| format!("DR{dr}")),
            String::new(),
        ),
        ("DC offset", report.dc_offset.map_or(NONE.to_owned(), dc_offset), String::new()),
        (
            "clipped",
            if clipped == 0 { "no samples".to_owned() } else { format!("{clipped} samples") },
            String::new(),
        ),
    ]
}

/// Millionths of full scale are below anything audible.
fn dc_offset(offset: f64) -> String {
    if offset.abs() < 1e-6 { "none".to_owned() } else { format!("{offset:.6}") }
}

fn value(value: Option<impl Display>, digits: usize) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.digits$}"))
}

fn table(files: &[(&Path, &Analysis)]) -> Table {
    let columns = [
        ("FILE", Align::Left),
        ("LENGTH", Align::Right),
        ("FORMAT", Align::Left),
        ("LUFS", Align::Right),
        ("LRA", Align::Right),
        ("DBTP", Align::Right),
        ("RMS", Align::Right),
        ("CREST", Align::Right),
        ("CLIPPED", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for (path, analysis) in files {
        let file = analysis.file.as_ref();
        let loudness = analysis.loudness.as_ref();
        let level = analysis.level.as_ref();
        let number =
            |value: Option<f64>| value.map_or(NONE.to_owned(), |value| format!("{value:.1}"));
        table.row([
            shown(path),
            file.and_then(|file| file.duration_s).map_or(NONE.to_owned(), duration),
            file.map_or(NONE.to_owned(), |file| {
                format!("{} {} Hz {}", file.format, file.sample_rate_hz, channels(file))
            }),
            number(loudness.and_then(|report| report.integrated_lufs).map(|lufs| lufs.0)),
            number(loudness.and_then(|report| report.loudness_range_lu).map(|lu| lu.0)),
            number(loudness.and_then(|report| report.true_peak_dbtp).map(|peak| peak.0)),
            number(level.and_then(|report| report.rms_dbfs).map(|rms| rms.0)),
            number(level.and_then(|report| report.crest_factor_db).map(|crest| crest.0)),
            level.map_or(NONE.to_owned(), |report| report.clipped_samples.to_string()),
        ]);
    }
    table
}
