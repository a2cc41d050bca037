//! What is wrong with a pipeline file, as data; the host draws it.

use serde::Serialize;
use std::ops::Range;

/// One mistake (or doubt) in a pipeline file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnostic {
    /// Stable name of the kind of mistake, `kebab-case`: `unknown-key`, `out-of-range`...
    pub code: &'static str,
    /// Whether it keeps the pipeline from running.
    pub severity: Severity,
    /// One line, lower case, no full stop.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
    /// Bytes of the text it is about.
    pub span: Range<usize>,
    /// Line of the span's start, from 1.
    pub line: usize,
    /// Column of the span's start in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The pipeline is refused.
    Error,
    /// The pipeline runs, perhaps not as meant.
    Warning,
}

impl Diagnostic {
    /// A mistake at `span` of `text`; a span beyond the text or inside a character is moved to the
    /// nearest place before it.
    pub fn new(
        text: &str,
        severity: Severity,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let start = char_boundary(text, span.start);
        let end = char_boundary(text, span.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            code,
            severity,
            message: message.into(),
            help: None,
            span: start..end,
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
        }
    }
}

/// The nearest character boundary at or before `index`.
fn char_boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_counts_characters_not_bytes() {
        let text = "# ünï\nnäme = 1";
        let at = text.find("= 1").unwrap();
        let found = Diagnostic::new(text, Severity::Error, "x", at..at + 1, "y");
        assert_eq!((found.line, found.column), (2, 6));
    }

    #[test]
    fn span_beyond_the_text_is_moved_to_its_end() {
        let found = Diagnostic::new("ab\nä", Severity::Error, "x", 4..99, "y");
        assert_eq!((found.span, found.line, found.column), (3..5, 2, 1));
    }
}
