//! Analyses of several files, one line each.

use super::reading::{NONE, fixed};
use super::sheet::channels;
use super::{Analyzed, Record, verdicts};
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

/// Fewest columns that a path is cut to.
const PATH_COLUMNS_MIN: usize = 16;

/// Columns that a narrow terminal does without, in this order.
const DISPENSABLE: &[&str] = &["FORMAT", "CREST", "RMS", "S MAX", "CLIPPED", "LRA", "LENGTH"];

/// Most targets that have columns of their own.
const TARGETS_MAX: usize = 4;

/// The files' lines under a head, for a terminal so wide; `None` is as wide as it takes. Columns that no
/// file has something for are left out.
pub(super) fn lines(
    files: &[(&Path, &Analyzed)],
    paint: Paint,
    width: Option<usize>,
) -> Vec<String> {
    let records: Vec<&Record> = files.iter().map(|(_, file)| &file.record).collect();
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| records.iter().any(|record| (column.cell)(record).is_some()))
        .collect();
    let judgements = files.first().map_or(0, |(_, file)| file.judgements.len());
    let has_target_columns = judgements <= TARGETS_MAX;
    let mut columns = columns;
    let mut table = build(files, &columns, has_target_columns);
    if let Some(width) = width {
        for head in DISPENSABLE {
            if table.excess(width, PATH_COLUMNS_MIN) == 0 {
                break;
            }
            columns.retain(|column| column.head != *head);
            table = build(files, &columns, has_target_columns);
        }
        table.fit_first(width, PATH_COLUMNS_MIN);
    }
    let mut lines = table.lines(paint);
    if !has_target_columns {
        for (path, file) in files {
            lines.extend([String::new(), paint.tone(Tone::Strong, shown(path))]);
            lines.extend(verdicts::lines(&file.judgements, paint));
        }
    }
    lines
}

fn build(files: &[(&Path, &Analyzed)], columns: &[&Column], has_targets: bool) -> Table {
    let align = |head: &str| if head == "FORMAT" { Align::Left } else { Align::Right };
    let mut heads = vec![("FILE".to_owned(), Align::Left)];
    heads.extend(columns.iter().map(|column| (column.head.to_owned(), align(column.head))));
    let judgements = |file: &Analyzed| file.judgements.clone().into_iter().filter(|_| has_targets);
    for judgement in files.first().into_iter().flat_map(|(_, file)| judgements(file)) {
        heads.push((judgement.target.to_uppercase(), Align::Right));
    }
    let heads: Vec<(&str, Align)> =
        heads.iter().map(|(head, align)| (head.as_str(), *align)).collect();
    let mut table = Table::new(&heads);
    for (path, file) in files {
        let cells = columns.iter().map(|column| match (column.cell)(&file.record) {
            Some(cell) => (cell, None),
            None => (NONE.to_owned(), Some(Tone::Faint)),
        });
        let verdicts = judgements(file).map(|judgement| verdicts::cell(&judgement));
        table.toned([(shown(path), None)].into_iter().chain(cells).chain(verdicts));
    }
    table
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
