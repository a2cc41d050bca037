//! Analyses of several files, one line each.

use super::reading::NONE;
use super::sheet::channels;
use super::{FileResult, Record, verdicts};
use crate::analysis::Part;
use crate::report::{Align, Paint, Table, Tone, duration, one_line, shown};
use serde_json::Value;
use std::path::Path;
use wavemill_pipelines::number::fixed;

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

/// Further columns of the parts that `--only` names.
const FURTHER: &[(&str, Column)] = &[
    ("tags", Column { head: "TITLE", cell: |record| tag(record, "title") }),
    ("tags", Column { head: "ARTIST", cell: |record| tag(record, "artist") }),
    ("tags", Column { head: "ALBUM", cell: |record| tag(record, "album") }),
    ("loudness", Column { head: "M MAX", cell: |it| level(it, "loudness", "momentary_max_lufs") }),
    ("loudness", Column { head: "PLR", cell: |it| level(it, "loudness", "peak_to_loudness_lu") }),
    ("loudness", Column { head: "PSR", cell: |it| level(it, "loudness", "peak_to_short_term_lu") }),
    ("level", Column { head: "FLOOR", cell: |it| level(it, "level", "noise_floor_dbfs") }),
    ("level", Column { head: "DR14", cell: |it| number(it, "level", "dr14", 0) }),
    ("level", Column { head: "DC", cell: |it| number(it, "level", "dc_offset", 6) }),
    ("spectrum", Column { head: "CENTROID", cell: |it| number(it, "spectrum", "centroid_hz", 0) }),
    (
        "spectrum",
        Column { head: "BANDWIDTH", cell: |it| number(it, "spectrum", "bandwidth_hz", 0) },
    ),
    ("spectrum", Column { head: "ROLLOFF", cell: |it| number(it, "spectrum", "rolloff_hz", 0) }),
    ("spectrum", Column { head: "FLATNESS", cell: |it| number(it, "spectrum", "flatness", 6) }),
    ("stereo", Column { head: "WIDTH", cell: |it| number(it, "stereo", "width", 3) }),
    ("stereo", Column { head: "CORRELATION", cell: |it| number(it, "stereo", "correlation", 3) }),
    ("stereo", Column { head: "BALANCE", cell: |it| level(it, "stereo", "balance_db") }),
    ("bands", Column { head: "LOW", cell: |it| band(it, "low") }),
    ("bands", Column { head: "LOW MID", cell: |it| band(it, "low_mid") }),
    ("bands", Column { head: "MID", cell: |it| band(it, "mid") }),
    ("bands", Column { head: "HIGH MID", cell: |it| band(it, "high_mid") }),
    ("bands", Column { head: "HIGH", cell: |it| band(it, "high") }),
    ("transient", Column { head: "ATTACK MS", cell: |it| level(it, "transient", "attack_ms") }),
    ("transient", Column { head: "PER S", cell: |it| number(it, "transient", "density_per_s", 2) }),
    (
        "transient",
        Column { head: "PRESERVATION", cell: |it| number(it, "transient", "preservation", 3) },
    ),
    ("harmonic", Column { head: "THD %", cell: |it| number(it, "harmonic", "thd_percent", 2) }),
    (
        "harmonic",
        Column { head: "HARMONIC", cell: |it| number(it, "harmonic", "harmonic_ratio", 3) },
    ),
    ("rhythm", Column { head: "BPM", cell: |it| number(it, "rhythm", "tempo_bpm", 1) }),
    ("rhythm", Column { head: "CONF.", cell: |it| number(it, "rhythm", "confidence", 2) }),
    ("tonality", Column { head: "KEY", cell: key }),
    ("tonality", Column { head: "CONF.", cell: |it| number(it, "tonality", "confidence", 2) }),
    ("tonality", Column { head: "A4, HZ", cell: |it| number(it, "tonality", "tuning_hz", 1) }),
    ("chords", Column { head: "CHORDS", cell: chord_count }),
    ("features", Column { head: "FLUX", cell: |it| number(it, "features", "flux_db", 2) }),
    ("features", Column { head: "QUIET", cell: |it| number(it, "features", "quiet_share", 3) }),
];

/// Fewest columns that a path is cut to.
const PATH_COLUMNS_MIN: usize = 16;

/// Columns that a narrow terminal does without, in this order.
const DISPENSABLE: &[&str] = &["FORMAT", "CREST", "RMS", "S MAX", "CLIPPED", "LRA", "LENGTH"];

/// Most targets that have columns of their own.
const TARGETS_MAX: usize = 4;

/// The files' lines under a head, for a terminal so wide; `None` is as wide as it takes. Columns that no
/// file has a part for are left out, further ones but for parts that are asked for by name.
pub(super) fn lines(
    files: &[(&Path, &FileResult)],
    only: &[Part],
    paint: Paint,
    width: Option<usize>,
) -> Vec<String> {
    let records: Vec<&Record> = files.iter().map(|(_, file)| &file.record).collect();
    let usual = COLUMNS.iter().filter(|one| records.iter().any(|it| (one.cell)(it).is_some()));
    let is_asked = |name: &str| only.iter().any(|part| part.name() == name);
    let further = FURTHER.iter().filter(|(part, _)| is_asked(part)).map(|(_, column)| column);
    let columns: Vec<&Column> = usual.chain(further).collect();
    let judgments = files.first().map_or(0, |(_, file)| file.judgments.len());
    let has_target_columns = judgments <= TARGETS_MAX;
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
            lines.extend(verdicts::lines(&file.judgments, paint));
        }
    }
    lines
}

fn build(files: &[(&Path, &FileResult)], columns: &[&Column], has_targets: bool) -> Table {
    let is_text = |head: &str| matches!(head, "FORMAT" | "TITLE" | "ARTIST" | "ALBUM");
    let align = |head: &str| if is_text(head) { Align::Left } else { Align::Right };
    let mut heads = vec![("FILE".to_owned(), Align::Left)];
    heads.extend(columns.iter().map(|column| (column.head.to_owned(), align(column.head))));
    let judgments = |file: &FileResult| file.judgments.clone().into_iter().filter(|_| has_targets);
    for judgment in files.first().into_iter().flat_map(|(_, file)| judgments(file)) {
        heads.push((judgment.target.to_uppercase(), Align::Right));
    }
    let heads: Vec<(&str, Align)> =
        heads.iter().map(|(head, align)| (head.as_str(), *align)).collect();
    let mut table = Table::new(&heads);
    for (path, file) in files {
        let cells = columns.iter().map(|column| match (column.cell)(&file.record) {
            Some(cell) => (cell, None),
            None => (NONE.to_owned(), Some(Tone::Faint)),
        });
        let verdicts = judgments(file).map(|judgment| verdicts::cell(&judgment));
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
    number(record, group, key, 1)
}

fn number(record: &Record, group: &str, key: &str, digits: usize) -> Option<String> {
    record.get(group)?.get(key)?.as_f64().map(|number| fixed(number, digits))
}

fn tag(record: &Record, key: &str) -> Option<String> {
    record.get("tags")?.get(key)?.as_str().map(one_line)
}

fn key(record: &Record) -> Option<String> {
    record.get("tonality")?.get("key")?.as_str().map(one_line)
}

fn chord_count(record: &Record) -> Option<String> {
    Some(record.get("chords")?.as_array()?.len().to_string())
}

/// The level of a band.
fn band(record: &Record, name: &str) -> Option<String> {
    let bands = record.get("bands")?.as_array()?;
    let band = bands.iter().find(|band| band["name"] == name)?;
    band["level_dbfs"].as_f64().map(|level| fixed(level, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analyze;
    use crate::analysis::{Input, RawFormat};
    use wavemill_core::music::RhythmOptions;

    /// `analyze a b --only spectrum` printed names alone.
    #[test]
    fn every_part_that_is_asked_for_has_columns() {
        let raw = RawFormat::of(Some(48_000), Some(2), Some(crate::analysis::SampleCoding::S16));
        let bytes: Vec<u8> = (0..8 * 48_000u32)
            .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let input = Input::stream(&bytes[..], raw.unwrap(), folder.path()).unwrap();
        for part in Part::all() {
            let record =
                analyze(&input, &[*part], RhythmOptions::default(), None, &mut |_| ()).unwrap();
            let file = FileResult { record, judgments: Vec::new(), advised: None };
            let files = [(Path::new("a.wav"), &file), (Path::new("b.wav"), &file)];
            let lines = lines(&files, &[*part], Paint::PLAIN, None);
            let columns = lines[0].split("  ").filter(|head| !head.trim().is_empty()).count();
            // A column besides the name.
            assert!(columns >= 2, "{}: {lines:?}", part.name());
        }
    }
}
