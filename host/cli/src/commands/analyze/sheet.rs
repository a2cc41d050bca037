//! One file's analysis for people. Groups and their measures come as they are in reports: a new one
//! shows up here by itself.

use super::Record;
use super::reading::{self, NONE, Reading};
use crate::report::{Align, Paint, Table, Tone, duration, one_line, size};
use serde_json::Value;

/// The lines below the file's name.
pub(super) fn lines(record: &Record, paint: Paint) -> Vec<String> {
    let mut lines = facts(record, paint);
    let mut table =
        Table::new(&[("", Align::Left), ("", Align::Right), ("", Align::Left), ("", Align::Left)]);
    let mut is_first = lines.is_empty();
    let mut heads = Vec::new();
    let mut row_count = 0;
    for (name, readings) in groups(record) {
        heads.push((row_count, name, is_first));
        is_first = false;
        row_count += readings.len();
        for reading in readings {
            let Reading { label, number, unit, remark } = reading;
            let is_none = number == NONE;
            table.toned([
                (format!("    {label}"), Some(Tone::Faint)),
                (number, is_none.then_some(Tone::Faint)),
                (unit.to_owned(), Some(Tone::Faint)),
                (remark, Some(Tone::Faint)),
            ]);
        }
    }
    let rows = table.lines(paint);
    for (index, (start, name, is_first)) in heads.iter().enumerate() {
        let end = heads.get(index + 1).map_or(row_count, |(start, ..)| *start);
        if !is_first {
            lines.push(String::new());
        }
        lines.push(format!("  {}", paint.tone(Tone::Strong, name)));
        lines.extend_from_slice(&rows[*start..end]);
    }
    for (name, items) in lists(record) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(list(name, items, paint));
    }
    lines
}

/// Groups of measures: everything but the file's own facts.
fn groups(record: &Record) -> impl Iterator<Item = (&String, Vec<Reading>)> {
    record
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "path" | "file" | "tags"))
        .filter_map(|(name, value)| Some((name, reading::readings(value.as_object()?))))
}

/// Groups that are lists of like objects, as the bands.
fn lists(record: &Record) -> impl Iterator<Item = (&String, &Vec<Value>)> {
    record
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_array()?)))
        .filter(|(_, items)| items.first().is_some_and(Value::is_object))
}

/// What the file is.
fn facts(record: &Record, paint: Paint) -> Vec<String> {
    let mut table = Table::new(&[("", Align::Left); 2]);
    let mut row = |name: &str, text: String| {
        table.toned([(format!("  {name}"), Some(Tone::Faint)), (text, None)]);
    };
    if let Some(file) = record.get("file") {
        row(
            "format",
            format!("{}, {}", format(file), size(file["size_bytes"].as_u64().unwrap_or(0))),
        );
        row("duration", length(file));
    }
    // The tags one looks at first; `wavemill tags` shows all.
    for name in ["title", "artist", "album"] {
        if let Some(text) = record.get("tags").and_then(|tags| tags[name].as_str()) {
            row(name, one_line(text));
        }
    }
    table.lines(paint)
}

/// `wav (pcm), 24-bit, 48000 Hz, stereo`.
pub(super) fn format(file: &Value) -> String {
    let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
    let (format, codec) = (text("format"), text("codec"));
    let codec = if codec == format { String::new() } else { format!(" ({codec})") };
    let bits = match (file["bit_depth"].as_u64(), file["sample_format"].as_str()) {
        (Some(bits), Some("float")) => format!(", {bits}-bit float"),
        (Some(bits), _) => format!(", {bits}-bit"),
        (None, _) => String::new(),
    };
    format!("{format}{codec}{bits}, {} Hz, {}", file["sample_rate_hz"], channels(file))
}

pub(super) fn channels(file: &Value) -> String {
    match file["channels"].as_u64() {
        Some(1) => "mono".to_owned(),
        Some(2) => "stereo".to_owned(),
        count => format!("{} channels", count.unwrap_or(0)),
    }
}

/// As people say it, and the exact seconds where that is something else.
fn length(file: &Value) -> String {
    match file["duration_s"].as_f64() {
        None => NONE.to_owned(),
        Some(seconds) if seconds < 60.0 => duration(seconds),
        Some(seconds) => format!("{} ({seconds:.3} s)", duration(seconds)),
    }
}

/// A table with a line for each object. Units are left to the heads, so that it fits into 80 columns.
fn list(name: &str, items: &[Value], paint: Paint) -> Vec<String> {
    let keys: Vec<&str> = items
        .first()
        .and_then(Value::as_object)
        .map(|item| item.keys().map(String::as_str).filter(|key| *key != HIGH_EDGE).collect())
        .unwrap_or_default();
    let heads: Vec<String> = keys
        .iter()
        .map(|key| match *key {
            "name" => format!("  {name}"),
            LOW_EDGE => "range, Hz".to_owned(),
            "level_dbfs" => "dBFS".to_owned(),
            "energy_share" => "share".to_owned(),
            "crest_factor_db" => "crest".to_owned(),
            "correlation" => "corr.".to_owned(),
            key => reading::label(key),
        })
        .collect();
    let align = |head: &String| if head.starts_with(' ') { Align::Left } else { Align::Right };
    let columns: Vec<(&str, Align)> =
        heads.iter().map(|head| (head.as_str(), align(head))).collect();
    let mut table = Table::new(&columns);
    for item in items {
        table.toned(keys.iter().map(|key| {
            let number = |key: &str| reading::shown(key, &item[key]).0;
            let text = match *key {
                "name" => format!("    {}", number(key)),
                LOW_EDGE => format!("{}-{}", number(LOW_EDGE), number(HIGH_EDGE)),
                key => number(key),
            };
            let tone = (*key == "name" || text == NONE).then_some(Tone::Faint);
            (text, tone)
        }));
    }
    table.lines(paint)
}

/// The keys of a band's edges.
const LOW_EDGE: &str = "low_hz";
const HIGH_EDGE: &str = "high_hz";
