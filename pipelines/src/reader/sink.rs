//! Where the walk over a file leaves what it finds.

use crate::diagnostic::{Diagnostic, Severity};
use std::ops::Range;

/// Collects mistakes, so that the first one stops nothing.
#[derive(Debug)]
pub struct Sink<'t> {
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl<'t> Sink<'t> {
    /// For mistakes in a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a mistake; the result takes its help.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Help<'_> {
        self.push(Severity::Error, code, span, message.into())
    }

    /// Notes a doubt; the result takes its help.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Help<'_> {
        self.push(Severity::Warning, code, span, message.into())
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Range<usize>,
        message: String,
    ) -> Help<'_> {
        self.found.push(Diagnostic::new(self.text, severity, code, span, message));
        Help(self.found.last_mut())
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// The span of bytes `within` the contents of the string written at `span`; all of `span` where
    /// the string was written with escapes, so that its bytes are not those of the file.
    pub(crate) fn inside(
        &self,
        span: Range<usize>,
        contents: &str,
        within: Range<usize>,
    ) -> Range<usize> {
        let written = self.text(span.clone());
        let quote = written.len().saturating_sub(contents.len()) / 2;
        if written.get(quote..quote + contents.len()) == Some(contents) {
            span.start + quote + within.start..span.start + quote + within.end
        } else {
            span
        }
    }

    /// All that was found, in the order of the text.
    pub(crate) fn into_found(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| (found.span.start, found.span.end));
        self.found
    }
}

/// The place for a diagnostic's help.
pub struct Help<'s>(Option<&'s mut Diagnostic>);

impl Help<'_> {
    /// Says what would be right.
    pub fn help(self, help: impl Into<String>) {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(help.into());
        }
    }

    /// Says what would be right, if that is known.
    pub(crate) fn maybe(self, help: Option<String>) {
        if let Some(help) = help {
            self.help(help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_exact_for_plain_strings_and_whole_for_escaped_ones() {
        let text = r#"a = "x/{y}" b = "x\u002f{y}""#;
        let sink = Sink::new(text);
        assert_eq!(sink.text(sink.inside(4..11, "x/{y}", 2..5)), "{y}");
        assert_eq!(sink.inside(16..28, "x/{y}", 2..5), 16..28);
    }
}
