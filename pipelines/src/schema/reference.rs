//! The tables of keys as Markdown, for the reference manual.

use super::ROOT_KEYS;
use super::export::{BIT_DEPTH_NAMES, BIT_DEPTHS};
use crate::markdown::{code, quoted, table, words};
use crate::reader::{Key, Kind};
use std::time::Duration;

/// A section for every table that a pipeline file may have.
pub(crate) fn key_tables() -> String {
    let mut text = String::new();
    section(&mut text, "", ROOT_KEYS);
    text
}

/// The table of `keys`, then those of the tables inside it.
fn section(text: &mut String, path: &str, keys: &[Key]) {
    if !path.is_empty() {
        text.extend(["\n### ", path, "\n"]);
    }
    // Keys that differ in their names only, such as tags, share a row.
    let mut rows: Vec<[String; 3]> = Vec::new();
    for [name, value, summary] in keys.iter().map(row) {
        match rows.iter_mut().find(|row| row[1] == value && row[2] == summary) {
            Some(row) => row[0].extend([", ", &name]),
            None => rows.push([name, value, summary]),
        }
    }
    *text += "\n";
    *text += &table(["Key", "Value", "Description"], rows);
    let name = path.trim_matches(['[', ']']);
    for key in keys {
        let below =
            if name.is_empty() { key.name.to_owned() } else { format!("{name}.{}", key.name) };
        match key.kind {
            Kind::Table(keys) => section(text, &format!("[{below}]"), keys),
            Kind::Tables(keys) => section(text, &format!("[[{below}]]"), keys),
            _ => {}
        }
    }
}

fn row(key: &Key) -> [String; 3] {
    let required = if key.required { ", required" } else { "" };
    [code(key.name), value(&key.kind) + required, key.summary.to_owned()]
}

fn value(kind: &Kind) -> String {
    let texts = |list: &[&str]| words(list.iter().map(quoted), ", ");
    match *kind {
        Kind::Integer { min: i64::MIN, .. } => "integer".to_owned(),
        Kind::Integer { min, max } => format!("integer, {min} to {max}"),
        Kind::Integers { min, max } => format!("integer or list, {min} to {max}"),
        Kind::Number { unit, min, max } => format!("{min} to {max} {unit}"),
        Kind::Bool => "`true` or `false`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Texts => "text or list".to_owned(),
        Kind::Word(list) => texts(list),
        Kind::Words(list) => format!("one or a list of {}", texts(list)),
        Kind::Duration { min, max } => format!("duration, {} to {}", span(min), span(max)),
        Kind::DurationRange { min, max } => {
            format!("duration, or `\"FROM..TO\"`, {} to {}", span(min), span(max))
        }
        Kind::DurationBounds { max, .. } => format!("`{{ min, max }}`, up to {}", span(max)),
        Kind::Bounds { unit, min, max } => {
            format!("`{{ min, max }}` or `{{ target, tolerance }}`, {min} to {max} {unit}")
        }
        Kind::TextMap => "table of strings".to_owned(),
        Kind::Table(_) => "table".to_owned(),
        Kind::Tables(_) => "tables".to_owned(),
        Kind::Params => "table, see [Steps](#steps) and [Effects](#effects)".to_owned(),
        Kind::BitDepth => {
            let names: Vec<&str> = BIT_DEPTH_NAMES.iter().map(|(name, _)| *name).collect();
            let depths: Vec<String> = BIT_DEPTHS.iter().map(ToString::to_string).collect();
            format!("{}, {}", depths.join(", "), texts(&names))
        }
    }
}

/// A duration as pipelines write it, in the largest unit that is whole.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let whole = units.iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    whole.map_or("0".to_owned(), |(unit, name)| format!("{}{name}", seconds / unit))
}
