//! From a template's text to its parts, or to all of its mistakes.

use super::component::COMPONENT_BYTES_MAX;
use super::{Part, Placeholder};
use jiff::fmt::strtime;
use std::ops::Range;

/// Every placeholder with what it stands for, in the order of the manual.
#[rustfmt::skip]
pub(crate) const PLACEHOLDERS: &[(&str, &str)] = &[
    ("stem", "the source's file name without its extension"),
    ("name", "the source's file name"),
    ("ext", "the extension of the file to write"),
    ("reldir", "the path of the source's folder below the watched folder"),
    ("date", "the date the job was created; {date:%Y/%m/%d} creates folders"),
    ("job_id", "the job's identifier"),
    ("hash8", "the first eight digits of the source's BLAKE3 hash"),
    ("pipeline", "the pipeline's name"),
    ("title", "the source's title tag"),
    ("artist", "the source's artist tag"),
    ("album", "the source's album tag"),
    ("genre", "the source's genre tag"),
    ("year", "the source's year tag"),
    ("track", "the source's track number, two digits"),
    ("lufs", "the source's integrated loudness, such as -18.3"),
    ("true_peak", "the source's true peak in dBTP, such as -1.2"),
];

/// Format of a `{date}` that names none.
const DATE_FORMAT: &str = "%Y-%m-%d";

/// Longest template accepted, in bytes: the longest path Linux opens (`PATH_MAX`).
const TEMPLATE_BYTES_MAX: usize = 4096;

/// A mistake in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Stable name of the kind of mistake.
    pub code: &'static str,
    /// One line, lower case.
    pub message: String,
    /// What would be right; empty where a caller knows better.
    pub help: String,
    /// The placeholder's name, where one was not known.
    pub unknown: Option<String>,
    /// Bytes of the template it is about.
    pub span: Range<usize>,
}

impl TemplateError {
    fn new(code: &'static str, span: Range<usize>, message: String, help: &str) -> Self {
        Self { code, message, help: help.to_owned(), unknown: None, span }
    }
}

/// The parts of a path.
pub(super) fn path(text: &str) -> Result<Vec<Part>, Vec<TemplateError>> {
    let (parts, mut errors) = split(text);
    check_folders(text, &parts, &mut errors);
    if errors.is_empty() { Ok(parts) } else { Err(errors) }
}

/// The parts of text that is no path.
pub(super) fn text(text: &str) -> Result<Vec<Part>, Vec<TemplateError>> {
    let (parts, errors) = split(text);
    if errors.is_empty() { Ok(parts) } else { Err(errors) }
}

fn split(text: &str) -> (Vec<Part>, Vec<TemplateError>) {
    let mut parts = Vec::new();
    let mut errors = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            push_literal(&mut parts, &rest[..1]);
            at += 2;
        } else if rest.starts_with('{') {
            let Some(length) = rest.find('}') else {
                errors.push(TemplateError::new(
                    "bad-template",
                    at..text.len(),
                    "a placeholder has no closing brace".to_owned(),
                    "close it with `}`, or write `{{` for a literal brace",
                ));
                break;
            };
            match placeholder(&rest[1..length], at..at + length + 1) {
                Ok(placeholder) => parts.push(Part::Placeholder(placeholder)),
                Err(error) => {
                    errors.push(error);
                    // Stands in, so that the path as a whole can still be judged.
                    push_literal(&mut parts, "x");
                }
            }
            at += length + 1;
        } else if rest.starts_with('}') {
            errors.push(TemplateError::new(
                "bad-template",
                at..at + 1,
                "`}` has no opening brace".to_owned(),
                "write `}}` for a literal brace",
            ));
            at += 1;
        } else {
            let length = rest.find(['{', '}']).unwrap_or(rest.len());
            push_literal(&mut parts, &rest[..length]);
            at += length;
        }
    }
    (parts, errors)
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Literal(literal)) => literal.push_str(text),
        _ => parts.push(Part::Literal(text.to_owned())),
    }
}

fn placeholder(inner: &str, span: Range<usize>) -> Result<Placeholder, TemplateError> {
    let (name, format) = match inner.split_once(':') {
        Some((name, format)) => (name, Some(format)),
        None => (inner, None),
    };
    if format.is_some() && name != "date" {
        return Err(TemplateError::new(
            "unknown-placeholder",
            span,
            format!("`{{{name}}}` takes no format"),
            "only {date:..} takes one",
        ));
    }
    Ok(match name {
        "stem" => Placeholder::Stem,
        "name" => Placeholder::Name,
        "ext" => Placeholder::Ext,
        "reldir" => Placeholder::Reldir,
        "date" => Placeholder::Date(date_format(format.unwrap_or(DATE_FORMAT), span)?),
        "job_id" => Placeholder::JobId,
        "hash8" => Placeholder::Hash8,
        "pipeline" => Placeholder::Pipeline,
        "title" => Placeholder::Title,
        "artist" => Placeholder::Artist,
        "album" => Placeholder::Album,
        "genre" => Placeholder::Genre,
        "year" => Placeholder::Year,
        "track" => Placeholder::Track,
        "lufs" => Placeholder::Lufs,
        "true_peak" => Placeholder::TruePeak,
        _ => {
            let message = format!("unknown placeholder `{{{name}}}`");
            let mut error = TemplateError::new("unknown-placeholder", span, message, "");
            error.unknown = Some(name.to_owned());
            return Err(error);
        }
    })
}

/// A `strftime` format that this build can write.
fn date_format(format: &str, span: Range<usize>) -> Result<String, TemplateError> {
    let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    let help = "use %Y, %m, %d, %H, %M, %S, %j, %V as in strftime; `/` creates folders";
    match strtime::format(format, &sample) {
        Ok(text) if text.split('/').all(|part| !part.is_empty() && part != "." && part != "..") => {
            Ok(format.to_owned())
        }
        Ok(_) => {
            let message = format!("the date format `{format}` has an empty folder name");
            Err(TemplateError::new("bad-date-format", span, message, help))
        }
        Err(error) => {
            let message = format!("the date format `{format}` is invalid: {error}");
            Err(TemplateError::new("bad-date-format", span, message, help))
        }
    }
}

/// Mistakes of the path as a whole.
fn check_folders(text: &str, parts: &[Part], errors: &mut Vec<TemplateError>) {
    let whole = 0..text.len();
    if text.len() > TEMPLATE_BYTES_MAX {
        let message = format!("the path has {} bytes", text.len());
        let help = format!("it may have at most {TEMPLATE_BYTES_MAX}");
        errors.push(TemplateError::new("bad-template", whole.clone(), message, &help));
    }
    let literals: Vec<&str> = parts
        .iter()
        .map(|part| if let Part::Literal(text) = part { text.as_str() } else { "x" })
        .collect();
    let path = literals.concat();
    if path.split('/').any(|folder| folder == "..") {
        errors.push(TemplateError::new(
            "bad-template",
            whole.clone(),
            "`..` leads out of the output folder".to_owned(),
            "write a path without `..`, or an absolute path",
        ));
    }
    let is_dots = |name: &str| name.len() > 2 && name.bytes().all(|byte| byte == b'.');
    if let Some(name) = path.split('/').find(|name| is_dots(name)) {
        errors.push(TemplateError::new(
            "bad-template",
            whole.clone(),
            format!("`{name}` is not a valid name"),
            "a name must not consist of dots; some systems take it for a parent folder",
        ));
    }
    // What a placeholder adds is cut to fit; what the user wrote has to.
    if path.split('/').any(|name| name.len() > COMPONENT_BYTES_MAX) {
        let message = format!("a name has more than {COMPONENT_BYTES_MAX} bytes");
        let help = "file systems do not allow that; write a shorter name";
        errors.push(TemplateError::new("bad-template", whole.clone(), message, help));
    }
    if path.chars().any(char::is_control) {
        errors.push(TemplateError::new(
            "bad-template",
            whole.clone(),
            "the path contains a control character".to_owned(),
            "remove it",
        ));
    }
    if path.is_empty() || path.ends_with('/') {
        errors.push(TemplateError::new(
            "bad-template",
            whole,
            "the path ends without a file name".to_owned(),
            "end it with a name, such as outbox/{stem}.{ext}",
        ));
    }
}
