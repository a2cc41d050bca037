//! `[[watch]]`: folders whose files are taken.

use super::globs;
use crate::model::{Duplicates, Watch, WatchMode};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{Key, Kind};
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

pub(super) const KEYS: &[Key] = &[
    Key::required("path", Kind::Text, "The folder; relative paths are below --root."),
    Key::optional(
        "include",
        Kind::Texts,
        "Globs for paths below the folder, case-insensitive; default: all formats that can be \
        decoded.",
    ),
    Key::optional(
        "mode",
        Kind::Word(&["auto", "events", "poll"]),
        "How changes are detected; `auto` by default.",
    ),
    Key::optional(
        "rescan",
        Kind::Duration { min: Duration::from_secs(1), max: DAY },
        "Time between full scans, such as \"60s\"; the default depends on the file system.",
    ),
    Key::optional("ready", Kind::Table(READY_KEYS), "When a file is complete."),
    Key::optional(
        "duplicates",
        Kind::Word(&["process", "skip"]),
        "What to do with a copy of a file under a new name; `process` by default.",
    ),
];

const READY_KEYS: &[Key] = &[
    Key::optional(
        "stable_for",
        Kind::Duration { min: Duration::ZERO, max: HOUR },
        "How long a file must stay unchanged, such as \"2s\".",
    ),
    Key::optional(
        "marker",
        Kind::Text,
        "A file that must exist beside it, such as \"{name}.done\".",
    ),
    Key::optional("ignore", Kind::Texts, "Globs for files to ignore."),
];

pub(super) fn read(sink: &mut Sink<'_>, values: &Values<'_>) -> Option<Watch> {
    let ready = values.table("ready");
    let marker = ready.and_then(|ready| read_marker(sink, ready));
    let watch = Watch {
        path: PathBuf::from(values.text("path").map(Spanned::into_inner).unwrap_or_default()),
        include: read_globs(sink, values, "include"),
        ignore: ready.map(|ready| read_globs(sink, ready, "ignore")).unwrap_or_default(),
        mode: match values.word("mode").map(Spanned::into_inner) {
            Some("events") => WatchMode::Events,
            Some("poll") => WatchMode::Poll,
            _ => WatchMode::Auto,
        },
        rescan: values.duration("rescan").map(Spanned::into_inner),
        stable_for: ready.and_then(|ready| ready.duration("stable_for")).map(Spanned::into_inner),
        marker,
        duplicates: match values.word("duplicates").map(Spanned::into_inner) {
            Some("skip") => Duplicates::Skip,
            _ => Duplicates::Process,
        },
    };
    (!watch.path.as_os_str().is_empty()).then_some(watch)
}

fn read_globs(sink: &mut Sink<'_>, values: &Values<'_>, key: &str) -> Vec<String> {
    let mut accepted = Vec::new();
    for glob in values.texts(key).map(Spanned::into_inner).unwrap_or_default() {
        match globs::problem(glob.get_ref()) {
            None => accepted.push(glob.into_inner()),
            Some(problem) => sink
                .error("bad-glob", glob.span(), format!("`{}` is not a valid glob", glob.get_ref()))
                .help(problem),
        }
    }
    accepted
}

fn read_marker(sink: &mut Sink<'_>, ready: &Values<'_>) -> Option<String> {
    let marker = ready.text("marker")?;
    let text = marker.get_ref();
    // Without the file's name one marker would release every file of the folder.
    let rest = text.replacen("{name}", "", 1);
    if text.contains("{name}") && !rest.contains(['{', '}', '/']) {
        return Some(marker.into_inner());
    }
    sink.error("bad-template", marker.span(), format!("`{text}` is not a marker name"))
        .help("write a file name that contains {name}, such as \"{name}.done\"");
    None
}
