//! Analyses of several files, one line each.

use super::Record;
use super::reading::{NONE, fixed};
use super::sheet::channels;
use crate::report::{Align, Paint, Table, Tone, duration, shown};
use serde_json::Value;
use std::path::Path;

/// A column: its head, and its cell in a record; `None` where the record has nothing for it.
struct Column {
    head: &'static str,
    cell: fn(&Record) -> Option<String>,
}

const COLUMNS: &[Column] = &[
    Column { head: "LENGTH", cell: |record| Some(duration(file(record)?["duration_s"].as_f64()?)) },
    Column { head: "FORMAT", cell: format },
    Column { head: "LUFS", cell: |record| level(record, "loudness", "integrated_lufs") },
    Column { head: "LRA", cell: |record| level(record, "loudness", "loudness_range_lu") },
    Column { head: "S MAX", cell: |record| level(record, "loudness", "short_term_max_lufs") },
    Column { head: "DBTP", cell: true_peak },
    Column { head: "RMS", cell: |record| level(record, "level", "rms_dbfs") },
    Column { head: "CREST", cell: |record| level(record, "level", "crest_factor_db") },
    Column {
        head: "CLIPPED",
        cell: |record| Some(record.get("level")?.get("clipped_samples")?.to_string()),
    },
];

/// The files' lines under a head. Columns that no file has something for are left out.
pub(super) fn lines(files: &[(&Path, &Record)], paint: Paint) -> Vec<String> {
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| files.iter().any(|(_, record)| (column.cell)(record).is_some()))
        .collect();
    let align = |head: &str| if head == "FORMAT" { Align::Left } else { Align::Right };
    let mut heads = vec![("FILE", Align::Left)];
    heads.extend(columns.iter().map(|column| (column.head, align(column.head))));
    let mut table = Table::new(&heads);
    for (path, record) in files {
        let cells = columns.iter().map(|column| match (column.cell)(record) {
            Some(cell) => (cell, None),
            None => (NONE.to_owned(), Some(Tone::Faint)),
        });
        table.toned([(shown(path), None)].into_iter().chain(cells));
    }
    table.lines(paint)
}

fn file(record: &Record) -> Option<&Value> {
    record.get("file")
}

fn format(record: &Record) -> Option<String> {
    let file = file(record)?;
    let kilohertz = file["sample_rate_hz"].as_f64()? / 1000.0;
    Some(format!("{} {kilohertz} kHz {}", file["format"].as_str()?, channels(file)))
}

/// The larger of both true peaks: ceilings hold on that.
fn true_peak(record: &Record) -> Option<String> {
    let peak = |key: &str| record.get("loudness")?.get(key)?.as_f64();
    let peaks = [peak("true_peak_dbtp"), peak("true_peak_precise_dbtp")];
    peaks.into_iter().flatten().reduce(f64::max).map(|peak| fixed(peak, 1))
}

fn level(record: &Record, group: &str, key: &str) -> Option<String> {
    record.get(group)?.get(key)?.as_f64().map(|level| fixed(level, 1))
}
