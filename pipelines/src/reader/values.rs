//! The walk: a TOML table against its table of keys, every mistake noted, what is right kept.

use super::key::{Key, Kind, names};
use super::scalar::{
    boolean, bounds, bounds_of_durations, duration_range, duration_value, integer, list, number,
    text, text_map, word, wrong_type,
};
use super::sink::Sink;
use crate::model::Bounds;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wavemill_core::suggestion::{did_you_mean, nearest};

/// What a table says, checked against its keys. Keys with mistakes are absent.
#[derive(Debug)]
pub struct Values<'t> {
    /// The section's header, or the inline table.
    pub span: Range<usize>,
    entries: Vec<Entry<'t>>,
    /// Known keys that were written, whether or not their values were right.
    written: Vec<(&'static str, Range<usize>)>,
}

#[derive(Debug)]
struct Entry<'t> {
    name: &'static str,
    span: Range<usize>,
    value: Value<'t>,
}

/// A value of the type its key takes.
#[derive(Debug)]
pub(crate) enum Value<'t> {
    Integer(i64),
    Integers(Vec<Spanned<i64>>),
    Number(f64),
    Bool(bool),
    Text(String),
    Texts(Vec<Spanned<String>>),
    Word(&'static str),
    Words(Vec<&'static str>),
    Duration(Duration),
    DurationRange(Duration, Duration),
    Bounds(Bounds),
    TextMap(Vec<(String, String)>),
    Table(Values<'t>),
    Tables(Vec<Values<'t>>),
    Raw(&'t DeValue<'t>),
}

/// An accessor for one variant; a key is only asked for the type its table gives it.
macro_rules! accessor {
    ($name:ident, $variant:ident, $type:ty) => {
        #[doc = concat!("The key's value with its span; `None` where it is absent or wrong.")]
        pub fn $name(&self, key: &str) -> Option<Spanned<$type>> {
            self.entry(key).and_then(|entry| match &entry.value {
                Value::$variant(value) => Some(Spanned::new(entry.span.clone(), value.clone())),
                _ => None,
            })
        }
    };
}

impl<'t> Values<'t> {
    accessor!(integer, Integer, i64);
    accessor!(integers, Integers, Vec<Spanned<i64>>);
    accessor!(number, Number, f64);
    accessor!(text, Text, String);
    accessor!(texts, Texts, Vec<Spanned<String>>);
    accessor!(word, Word, &'static str);
    accessor!(words, Words, Vec<&'static str>);
    accessor!(duration, Duration, Duration);
    accessor!(bounds, Bounds, Bounds);
    accessor!(text_map, TextMap, Vec<(String, String)>);
    accessor!(truth, Bool, bool);
    accessor!(raw, Raw, &'t DeValue<'t>);

    /// Whether the key was written and is true.
    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.entry(key).map(|entry| &entry.value), Some(Value::Bool(true)))
    }

    /// Two durations.
    pub(crate) fn duration_range(&self, key: &str) -> Option<(Duration, Duration)> {
        match self.entry(key)?.value {
            Value::DurationRange(from, to) => Some((from, to)),
            _ => None,
        }
    }

    /// A section below this one.
    pub fn table(&self, key: &str) -> Option<&Values<'t>> {
        match &self.entry(key)?.value {
            Value::Table(values) => Some(values),
            _ => None,
        }
    }

    /// A raw value that must be a table.
    pub(crate) fn raw_table(&self, sink: &mut Sink<'_>, key: &str) -> Option<&'t DeTable<'t>> {
        let raw = self.raw(key)?;
        let table = raw.get_ref().as_table();
        if table.is_none() {
            wrong_type(sink, key, &Spanned::new(raw.span(), (*raw.get_ref()).clone()), "a table");
        }
        table
    }

    /// The sections of a list.
    pub fn tables(&self, key: &str) -> &[Values<'t>] {
        match self.entry(key).map(|entry| &entry.value) {
            Some(Value::Tables(tables)) => tables,
            _ => &[],
        }
    }

    /// Where a key was written, right or wrong.
    pub fn written(&self, key: &str) -> Option<Range<usize>> {
        self.written.iter().find(|(name, _)| *name == key).map(|(_, span)| span.clone())
    }

    /// The numbers of a list key, as another type.
    pub(crate) fn numbers<T>(&self, key: &str, convert: impl Fn(i64) -> Option<T>) -> Vec<T> {
        let numbers = self.integers(key).map(Spanned::into_inner).unwrap_or_default();
        numbers.into_iter().filter_map(|number| convert(number.into_inner())).collect()
    }

    fn entry(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries.iter().find(|entry| entry.name == key)
    }
}

/// Reads `table`, called `place` in messages, against its keys.
pub(crate) fn read<'t>(
    sink: &mut Sink<'_>,
    table: &'t DeTable<'t>,
    span: Range<usize>,
    keys: &'static [Key],
    place: &str,
) -> Values<'t> {
    let mut values = Values { span: span.clone(), entries: Vec::new(), written: Vec::new() };
    for (name, value) in table {
        let Some(key) = keys.iter().find(|key| key.name == name.get_ref().as_ref()) else {
            sink.error(
                "unknown-key",
                name.span(),
                format!("unknown key `{}` in {place}", name.get_ref()),
            )
            .help(did_you_mean(name.get_ref(), "known keys", names(keys)));
            // A misspelled key is there; that it is missing as well would be the same mistake twice.
            if let Some(meant) = nearest(name.get_ref(), names(keys)) {
                values.written.push((meant, name.span()));
            }
            continue;
        };
        values.written.push((key.name, name.span()));
        if let Some(read) = read_value(sink, key, name.span(), value, place) {
            values.entries.push(Entry { name: key.name, span: value.span(), value: read });
        }
    }
    for key in keys.iter().filter(|key| key.required && values.written(key.name).is_none()) {
        sink.error("missing-key", span.clone(), format!("{place} has no `{}`", key.name))
            .help(format!("add `{}`: {}", key.name, key.summary));
    }
    values
}

fn read_value<'t>(
    sink: &mut Sink<'_>,
    key: &Key,
    key_span: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
    place: &str,
) -> Option<Value<'t>> {
    let name = key.name;
    match key.kind {
        Kind::Integer { min, max } => integer(sink, name, value, min, max).map(Value::Integer),
        Kind::Integers { min, max } => list(sink, name, value, |sink, one| {
            integer(sink, name, one, min, max).map(|number| Spanned::new(one.span(), number))
        })
        .map(Value::Integers),
        Kind::Number { unit, min, max } => {
            number(sink, name, value, unit, min, max).map(Value::Number)
        }
        Kind::Bool => boolean(sink, name, value).map(Value::Bool),
        Kind::Text => text(sink, name, value).map(Value::Text),
        Kind::Texts => list(sink, name, value, |sink, one| {
            text(sink, name, one).map(|text| Spanned::new(one.span(), text))
        })
        .map(Value::Texts),
        Kind::Word(words) => word(sink, name, value, words).map(Value::Word),
        Kind::Words(words) => {
            list(sink, name, value, |sink, one| word(sink, name, one, words)).map(Value::Words)
        }
        Kind::Duration { min, max } => {
            duration_value(sink, name, value, min, max).map(Value::Duration)
        }
        Kind::DurationRange { min, max } => duration_range(sink, name, value, min, max)
            .map(|(from, to)| Value::DurationRange(from, to)),
        Kind::DurationBounds { min, max } => {
            bounds_of_durations(sink, name, value, min, max).map(Value::Bounds)
        }
        Kind::Bounds { unit, min, max } => {
            bounds(sink, name, value, unit, min, max).map(Value::Bounds)
        }
        Kind::TextMap => text_map(sink, name, value).map(Value::TextMap),
        Kind::Table(keys) => read_section(sink, name, key_span, value, keys, place),
        Kind::Tables(keys) => read_sections(sink, name, value, keys),
        Kind::Params | Kind::BitDepth => Some(Value::Raw(value.get_ref())),
    }
}

fn read_section<'t>(
    sink: &mut Sink<'_>,
    name: &str,
    key_span: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
    keys: &'static [Key],
    place: &str,
) -> Option<Value<'t>> {
    let Some(table) = value.get_ref().as_table() else {
        wrong_type(sink, name, value, "a table");
        return None;
    };
    // At the top level, where a file is meant and no section.
    let here = if place.starts_with('[') || place.starts_with('`') {
        format!("`{name}`")
    } else {
        format!("[{name}]")
    };
    // Tables made by dotted keys (`retry.attempts = 3`) have an empty span of their own.
    let span = if value.span().is_empty() { key_span } else { value.span() };
    Some(Value::Table(read(sink, table, span, keys, &here)))
}

fn read_sections<'t>(
    sink: &mut Sink<'_>,
    name: &str,
    value: &'t Spanned<DeValue<'t>>,
    keys: &'static [Key],
) -> Option<Value<'t>> {
    let here = format!("[[{name}]]");
    let tables: Vec<(&DeTable<'_>, Range<usize>)> = match value.get_ref() {
        DeValue::Array(array) => array
            .iter()
            .filter_map(|one| {
                if one.get_ref().as_table().is_none() {
                    wrong_type(sink, name, one, "a table");
                }
                one.get_ref().as_table().map(|table| (table, one.span()))
            })
            .collect(),
        DeValue::Table(table) => {
            sink.error("wrong-type", value.span(), format!("`{name}` must be a list of sections"))
                .help(format!("write [[{name}]] with double brackets"));
            vec![(table, value.span())]
        }
        _ => {
            wrong_type(sink, name, value, &format!("sections, each written as [[{name}]]"));
            return None;
        }
    };
    let read = tables.into_iter().map(|(table, span)| read(sink, table, span, keys, &here));
    Some(Value::Tables(read.collect()))
}
