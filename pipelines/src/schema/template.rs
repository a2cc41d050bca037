//! Path templates inside a pipeline file.

use crate::reader::Sink;
use crate::template::{PLACEHOLDERS, Placeholder, Template};
use toml::Spanned;
use wavemill_core::suggestion::did_you_mean;

/// Which placeholders a place knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaceholderScope {
    /// Whether tags and measures are known there.
    content: bool,
    /// Whether it is the path of a file.
    is_path: bool,
    /// Whether nothing but the source's name is known there.
    names_only: bool,
}

/// Exports and reports know everything.
pub(super) const EXPORT: PlaceholderScope =
    PlaceholderScope { content: true, is_path: true, names_only: false };

/// The source is also moved after a failure, when nothing is known of its content.
pub(super) const SOURCE: PlaceholderScope =
    PlaceholderScope { content: false, is_path: true, names_only: false };

/// Tags know what exports know.
pub(super) const TAG: PlaceholderScope =
    PlaceholderScope { content: true, is_path: false, names_only: false };

/// Files that go into exports are opened before anything is known but the source's name.
pub(super) const COMPANION: PlaceholderScope =
    PlaceholderScope { content: false, is_path: true, names_only: true };

/// Checks a template; every mistake is noted.
pub(super) fn read(
    sink: &mut Sink<'_>,
    written: &Spanned<String>,
    known: PlaceholderScope,
) -> Option<Spanned<Template>> {
    let text = written.get_ref();
    let parsed = if known.is_path { Template::parse(text) } else { Template::parse_text(text) };
    let template = match parsed {
        Ok(template) => template,
        Err(errors) => {
            for error in errors {
                let span = sink.inside(written.span(), text, error.span);
                let help = match error.unknown {
                    Some(name) => {
                        let names = PLACEHOLDERS.iter().map(|(name, _)| *name);
                        did_you_mean(&name, "placeholders", names)
                    }
                    None => error.help,
                };
                sink.error(error.code, span, error.message).help(help);
            }
            return None;
        }
    };
    let is_name = |placeholder: &Placeholder| {
        use Placeholder::{Ext, Name, Pipeline, Reldir, Stem};
        matches!(placeholder, Stem | Name | Ext | Reldir | Pipeline)
    };
    if known.names_only && !template.placeholders().all(is_name) {
        let message = "only the source's name is known when this file is read";
        sink.error("unknown-placeholder", written.span(), message)
            .help("use {stem}, {name}, {ext}, {reldir} or {pipeline}");
        return None;
    }
    let is_content = |placeholder: &Placeholder| placeholder.is_tag() || placeholder.is_measure();
    if !known.content && template.placeholders().any(is_content) {
        sink.error(
            "unknown-placeholder",
            written.span(),
            "tags and measurements cannot be used here",
        )
        .help("use {stem}, {name}, {reldir} or {date}");
        return None;
    }
    Some(Spanned::new(written.span(), template))
}
