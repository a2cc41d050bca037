//! Reads TOML files that people write: pipelines, targets, the configuration. A file's tables are walked against tables of
//! keys; every mistake is noted at its place, and what is right is kept.

pub(crate) mod duration;
mod key;
pub(crate) mod scalar;
mod sink;
mod values;

pub(crate) use key::{CHANNEL_COUNT_MAX, VERSION_KEY};
pub use key::{Key, Kind};
pub use sink::{Help, Sink};
pub use values::Values;

use crate::diagnostic::Diagnostic;
use toml::de::DeTable;

/// Longest file accepted; the longest ever typed will have a few kilobytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Reads a text, called `place` in messages, against the keys of its top level. `read` is given what is right, and adds
/// the mistakes that it finds itself. All mistakes come in `found`, in the order of the text.
pub fn read_document(
    text: &str,
    keys: &'static [Key],
    place: &str,
    found: &mut Vec<Diagnostic>,
    read: impl FnOnce(&mut Sink<'_>, &Values<'_>),
) {
    let mut sink = Sink::new(text);
    if text.len() > TEXT_BYTES_MAX {
        sink.error("too-long", 0..0, format!("{place} has {} bytes", text.len()))
            .help(format!("it may have at most {TEXT_BYTES_MAX}"));
    } else {
        let (document, errors) = DeTable::parse_recoverable(text);
        syntax_errors(&mut sink, &errors);
        let root = values::read(&mut sink, document.get_ref(), 0..0, keys, place);
        read(&mut sink, &root);
    }
    found.extend(without_echoes(sink.into_found()));
}

/// Notes what is no TOML.
fn syntax_errors(sink: &mut Sink<'_>, errors: &[toml::de::Error]) {
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        sink.error(SYNTAX, span, one_line(error.message())).maybe(None);
    }
}

/// Notes a version that this program does not know.
pub(crate) fn check_version(sink: &mut Sink<'_>, root: &Values<'_>, known: i64) {
    if let Some(version) = root.integer("version")
        && *version.get_ref() != known
    {
        let message = format!("unknown version {}", version.get_ref());
        sink.error("unknown-version", version.span(), message)
            .help(format!("write version = {known}; for a newer file, update Wavemill"));
    }
}

/// The code of mistakes the TOML parser finds.
const SYNTAX: &str = "syntax";

/// A syntax error swallows text, so that keys seem to be missing and its line makes no sense: those
/// mistakes would only hide the real one.
fn without_echoes(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    // One slip of the pen often gives several of them; the first of a line says it.
    found.dedup_by(|later, first| {
        later.code == SYNTAX && first.code == SYNTAX && later.line == first.line
    });
    let broken: Vec<usize> =
        found.iter().filter(|found| found.code == SYNTAX).map(|found| found.line).collect();
    if !broken.is_empty() {
        found.retain(|found| {
            found.code == SYNTAX
                || !(matches!(found.code, "missing-key" | "no-output" | "empty-section")
                    || broken.contains(&found.line))
        });
    }
    found
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}
