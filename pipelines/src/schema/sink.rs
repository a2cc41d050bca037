//! Where the walk over a pipeline file leaves what it finds.

use crate::diagnostic::{Diagnostic, Severity};
use std::ops::Range;

/// Collects mistakes, so that the first one stops nothing.
#[derive(Debug)]
pub(super) struct Sink<'t> {
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl<'t> Sink<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a mistake; the result takes its help.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Help<'_> {
        self.push(Severity::Error, code, span, message.into())
    }

    /// Notes a doubt; the result takes its help.
    pub(super) fn warning(
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
    pub(super) fn text(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// The span of bytes `within` the contents of the string written at `span`; all of `span` where
    /// the string was written with escapes, so that its bytes are not those of the file.
    pub(super) fn inside(
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
    pub(super) fn into_found(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| (found.span.start, found.span.end));
        self.found
    }
}

/// The place for a diagnostic's help.
pub(super) struct Help<'s>(Option<&'s mut Diagnostic>);

impl Help<'_> {
    /// Says what would be right.
    pub(super) fn help(self, help: impl Into<String>) {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(help.into());
        }
    }

    /// Says what would be right, if that is known.
    pub(super) fn maybe(self, help: Option<String>) {
        if let Some(help) = help {
            self.help(help);
        }
    }
}

/// The known word nearest to a misspelled one, if one is near enough to be meant.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let typed = word.to_lowercase().replace('_', "-");
    known
        .map(|known| (strsim::jaro_winkler(&typed, &known.replace('_', "-")), known))
        .filter(|&(likeness, _)| likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Jaro-Winkler likeness from which a word counts as a misspelling of another: one or two wrong
/// letters in a word of six pass, unrelated words do not.
const LIKENESS_MIN: f64 = 0.8;

/// `did you mean ...?`, or the list of what is known.
pub(crate) fn did_you_mean<'w>(
    word: &str,
    what: &str,
    known: impl Iterator<Item = &'w str> + Clone,
) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// As [`did_you_mean`], of names that are made of words: where none is near, those with a word of the one that was
/// typed, as `podcast` and `apple-music` for `apple-podcasts`.
pub(crate) fn did_you_mean_one_of<'w>(
    word: &str,
    what: &str,
    known: impl Iterator<Item = &'w str> + Clone,
) -> String {
    let typed = word.to_lowercase().replace(['_', ' '], "-");
    let is_near = |near: &str| strsim::jaro_winkler(&typed, near) >= NAME_LIKENESS_MIN;
    if nearest(word, known.clone()).is_some_and(is_near) {
        return did_you_mean(word, what, known);
    }
    // The share of words in common; names that come first are the better known.
    let share = |name: &str| {
        let words = name.split('-');
        let common =
            words.clone().filter(|word| typed.split('-').any(|typed| is_same(typed, word)));
        common.count() as f64 / words.count() as f64
    };
    let mut names: Vec<_> = known.clone().filter(|name| share(name) > 0.0).collect();
    names.sort_by(|a, b| share(b).total_cmp(&share(a)));
    names.truncate(NAMES_MAX);
    match names.as_slice() {
        [] => did_you_mean(word, what, known),
        [name] => format!("did you mean `{name}`?"),
        [names @ .., last] => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {} or `{last}`?", names.join(", "))
        }
    }
}

/// Jaro-Winkler likeness from which a name of several words is surely misspelled: `aple-music` has 0.97,
/// `apple-podcasts` 0.83 with `apple-music`.
const NAME_LIKENESS_MIN: f64 = 0.9;

/// Most names that are suggested at once.
const NAMES_MAX: usize = 3;

/// Whether two words are the same but for a plural.
fn is_same(typed: &str, known: &str) -> bool {
    !typed.is_empty() && (typed == known || typed.strip_suffix('s') == Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_misspelling_and_leaves_strangers_alone() {
        let known = ["cutoff_hz", "gain_db"];
        assert_eq!(nearest("cutof_hz", known.into_iter()), Some("cutoff_hz"));
        assert_eq!(nearest("cutoff-hz", known.into_iter()), Some("cutoff_hz"));
        assert_eq!(nearest("colour", known.into_iter()), None);
    }

    #[test]
    fn inside_is_exact_for_plain_strings_and_whole_for_escaped_ones() {
        let text = r#"a = "x/{y}" b = "x\u002f{y}""#;
        let sink = Sink::new(text);
        assert_eq!(sink.text(sink.inside(4..11, "x/{y}", 2..5)), "{y}");
        assert_eq!(sink.inside(16..28, "x/{y}", 2..5), 16..28);
    }
}
