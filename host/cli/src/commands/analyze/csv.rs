//! Analyses as CSV: one row a file, a column for everything that has one value.
//!
//! RFC 4180 with CRLF, UTF-8 without a mark. Numbers are plain and have a point in every locale; units
//! stand in the columns' names, which are the keys of the JSON joined by `_`.

use super::Record;
use crate::analysis::Part;
use serde_json::{Map, Value};
use std::path::Path;
use wavemill_core::analysis::{Analyzer, Options};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::tags::{Broadcast, Tags};
use wavemill_pipelines::report;

/// Columns that every table has.
const FIRST: [&str; 2] = ["path", "error"];

/// The whole table: its columns depend on what was asked for, not on what the files have.
pub(super) fn table<'a>(
    files: impl IntoIterator<Item = (&'a Path, Result<Record, &'a str>)>,
    parts: &[Part],
) -> String {
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for (path, outcome) in files {
        let mut row = Map::new();
        row.insert("path".to_owned(), path.to_string_lossy().into());
        match outcome {
            Ok(record) => {
                for (name, value) in &record {
                    flatten(name, value, &mut row);
                }
            }
            Err(reason) => {
                row.insert("error".to_owned(), reason.into());
            }
        }
        rows.push(row);
    }
    let mut columns: Vec<String> = FIRST.map(str::to_owned).to_vec();
    columns.extend(columns_of(parts));
    for name in rows.iter().flat_map(Map::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let head = columns.iter().map(|name| quoted(name));
    let mut text = line(head);
    for row in &rows {
        text += &line(columns.iter().map(|name| cell(row.get(name).unwrap_or(&Value::Null))));
    }
    text
}

/// The columns of these parts, whether or not any file has a value for them.
fn columns_of(parts: &[Part]) -> Vec<String> {
    let groups = parts.iter().filter_map(|part| match part {
        Part::Measures(group) => Some(*group),
        Part::File | Part::Tags => None,
    });
    let options = Options { groups: groups.collect(), ..Options::default() };
    let nothing = Analyzer::new(&StreamSpec::new(48_000, 2), PcmFormat::FLOAT, &options).finish();
    let mut row = Map::new();
    if parts.contains(&Part::File) {
        for key in FILE_KEYS {
            row.insert(format!("file_{key}"), Value::Null);
        }
    }
    if parts.contains(&Part::Tags) {
        let tags = Tags { broadcast: Some(Broadcast::default()), ..Tags::default() };
        flatten(Part::Tags.name(), &report::measures(&tags), &mut row);
    }
    if let Value::Object(measures) = report::measures(&nothing) {
        for (name, value) in &measures {
            flatten(name, value, &mut row);
        }
    }
    row.into_iter().map(|(name, _)| name).collect()
}

/// What a file's facts hold besides the path.
const FILE_KEYS: [&str; 9] = [
    "format",
    "codec",
    "size_bytes",
    "duration_s",
    "sample_rate_hz",
    "channels",
    "bit_depth",
    "sample_format",
    "blake3",
];

/// Adds the columns of a value. Items of a list are called by their name; lists of pictures and the
/// like, whose number differs from file to file, have no columns.
fn flatten(name: &str, value: &Value, row: &mut Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                // The path stands in a column of its own.
                if (name, key.as_str()) != ("file", "path") {
                    flatten(&format!("{name}_{key}"), value, row);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let Value::Object(members) = item else { continue };
                let is_target = members.contains_key("target");
                let label = members.get(if is_target { "target" } else { "name" });
                let Some(label) = label.and_then(Value::as_str) else { continue };
                for (key, value) in members {
                    if key != "name" && key != "target" && !(is_target && key == "verdicts") {
                        flatten(&format!("{name}_{label}_{key}"), value, row);
                    }
                }
            }
        }
        // A missing part of a file would leave a column with its bare name.
        Value::Null if matches!(name, "tags_broadcast") || name.ends_with("_playback") => {}
        plain => {
            row.insert(name.to_owned(), plain.clone());
        }
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(&defused(text)),
        other => other.to_string(),
    }
}

/// Text that a spreadsheet would take for a formula is given an apostrophe, which spreadsheets do not
/// show: names and tags come from strangers.
///
/// Source: OWASP, "CSV Injection".
fn defused(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

fn quoted(text: &str) -> String {
    let is_plain = !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(value: Value) -> String {
        let Value::Object(record) = value else { unreachable!() };
        let text = table([(Path::new("a.wav"), Ok(record))], &[]);
        text.lines().nth(1).unwrap().to_owned()
    }

    #[test]
    fn text_that_could_be_a_formula_is_defused() {
        for start in ["=", "+", "-", "@", "\t"] {
            let title = format!("{start}HYPERLINK");
            let line = row(json!({ "tags": { "title": title } }));
            assert!(line.contains(&format!("'{start}HYPERLINK")), "{line}");
        }
        assert_eq!(row(json!({ "level": { "rms_dbfs": -12.5 } })), "a.wav,,-12.5");
    }

    #[test]
    fn quotes_commas_and_breaks_are_quoted() {
        let text = table([(Path::new("a,b.wav"), Err("is \"odd\"\nand long"))], &[]);
        assert_eq!(text, "path,error\r\n\"a,b.wav\",\"is \"\"odd\"\"\nand long\"\r\n");
    }

    #[test]
    fn columns_do_not_depend_on_the_files() {
        let head = |text: String| text.lines().next().unwrap().to_owned();
        let failed = head(table([(Path::new("a.wav"), Err("is empty"))], Part::all()));
        assert!(failed.contains(",loudness_integrated_lufs,"), "{failed}");
        assert!(failed.contains(",file_duration_s,"), "{failed}");
        assert_eq!(failed, head(table([], Part::all())));
    }

    #[test]
    fn items_of_a_list_have_columns_by_their_names() {
        let record = json!({ "bands": [{ "name": "low", "level_dbfs": -20.5, "width": null }] });
        assert_eq!(row(record), "a.wav,,-20.5,");
    }
}
