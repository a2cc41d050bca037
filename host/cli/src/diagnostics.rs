//! Draws the mistakes of a pipeline or configuration file into the user's own text.

use crate::report::{Paint, one_line, shown};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use wavemill_pipelines::Diagnostic;
use wavemill_pipelines::diagnostic::Severity;

/// Columns used when the terminal does not say how wide it is.
const WIDTH: usize = 100;

/// A file's diagnostics as one text: each with file, line and column, the line itself with the
/// place underlined, and what would be right.
pub(crate) fn draw(path: &Path, text: &str, diagnostics: &[Diagnostic], paint: Paint) -> String {
    let handler = handler(paint);
    let source = WholeLines { name: shown(path), text };
    let mut drawn = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if index > 0 {
            drawn.push('\n');
        }
        let one = DiagnosticView { diagnostic, source: &source, text };
        // Writing to a string does not fail; a span outside the text still leaves the message.
        if handler.render_report(&mut drawn, &one).is_err() {
            drawn.push_str(&headline(path, diagnostic));
            drawn.push('\n');
        }
    }
    drawn
}

/// `file:line:column: error: message`, for logs and one-line reasons.
pub(crate) fn headline(path: &Path, diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let Diagnostic { line, column, message, .. } = diagnostic;
    format!("{}:{line}:{column}: {severity}: {}", shown(path), one_line(message))
}

fn handler(paint: Paint) -> GraphicalReportHandler {
    let characters =
        if paint.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if paint.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(WIDTH)
        .with_links(false)
        .with_break_words(false)
}

/// The part of a span that is underlined: at least one character inside the text, at most one line
/// (a whole table would bury its own mistake).
fn underlined(text: &str, span: &Range<usize>) -> Range<usize> {
    // miette refuses a place behind the text, where a missing end is reported.
    let mut start = span.start.min(text.len().saturating_sub(1));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let first_length = text[start..].chars().next().map_or(0, char::len_utf8);
    let end = text.get(start..span.end.clamp(start, text.len())).unwrap_or_default();
    let line_length = end.lines().next().unwrap_or_default().trim_end().len();
    start..start + line_length.max(first_length)
}

/// A text of which miette is shown the whole lines of a span and no more: one line says enough
/// where a file may have many mistakes.
struct WholeLines<'a> {
    name: String,
    text: &'a str,
}

impl SourceCode for WholeLines<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let before = self.text.get(..start).ok_or(MietteError::OutOfBounds)?;
        let after = self.text.get(end..).ok_or(MietteError::OutOfBounds)?;
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        // Without context miette asks for the place to print in its header.
        let is_header = lines_before == 0 && lines_after == 0;
        let column = if is_header { before[line_start..].chars().count() } else { 0 };
        let line_end = after.find('\n').map_or(self.text.len(), |index| end + index);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[line_start..line_end],
            SourceSpan::from(line_start..line_end),
            before.matches('\n').count(),
            column,
            1,
        )))
    }
}

/// What miette needs to know of a diagnostic.
struct DiagnosticView<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a WholeLines<'a>,
    text: &'a str,
}

impl fmt::Debug for DiagnosticView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl fmt::Display for DiagnosticView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.diagnostic.message))
    }
}

impl std::error::Error for DiagnosticView<'_> {}

impl miette::Diagnostic for DiagnosticView<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.diagnostic.help.as_deref()?;
        Some(Box::new(one_line(help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = underlined(self.text, &self.diagnostic.span);
        let label = LabeledSpan::new(None, span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version = 1\n[pipeline]\nnmae = \"a\"\nconcurrency = 0\n";

    fn diagnostic(span: Range<usize>, line: usize, column: usize) -> Diagnostic {
        Diagnostic {
            code: "unknown-key",
            severity: Severity::Error,
            message: "there is no key `nmae`".to_owned(),
            help: Some("did you mean `name`?".to_owned()),
            span,
            line,
            column,
        }
    }

    #[test]
    fn plain_drawing_underlines_the_place_and_says_what_would_be_right() {
        let drawn = draw(Path::new("a.toml"), TEXT, &[diagnostic(23..27, 3, 1)], Paint::PLAIN);
        let expected = [
            "  x there is no key `nmae`",
            "   ,-[a.toml:3:1]",
            " 3 | nmae = \"a\"",
            "   : ^^^^",
            "   `----",
            "  help: did you mean `name`?",
        ];
        assert_eq!(drawn.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn diagnostics_of_a_file_are_drawn_one_below_the_other() {
        let two = [diagnostic(23..27, 3, 1), diagnostic(34..50, 4, 1)];
        let drawn = draw(Path::new("a.toml"), TEXT, &two, Paint::PLAIN);
        assert_eq!(drawn.matches(",-[a.toml:").count(), 2);
        assert!(drawn.contains("\n\n  x "), "{drawn}");
    }

    #[test]
    fn places_outside_the_text_still_show_the_message() {
        for span in [TEXT.len()..TEXT.len(), 500..600, 0..TEXT.len()] {
            let drawn = draw(Path::new("a.toml"), TEXT, &[diagnostic(span, 5, 1)], Paint::PLAIN);
            assert!(drawn.contains("there is no key"), "{drawn}");
        }
        let drawn = draw(Path::new("empty.toml"), "", &[diagnostic(0..0, 1, 1)], Paint::PLAIN);
        assert!(drawn.contains("there is no key"), "{drawn}");
    }

    #[test]
    fn place_in_the_middle_of_a_character_is_drawn() {
        let text = "name = \"\u{6587}\"\n";
        let drawn = draw(Path::new("a.toml"), text, &[diagnostic(9..10, 1, 9)], Paint::PLAIN);
        assert!(drawn.contains("\u{6587}"), "{drawn}");
    }
}
