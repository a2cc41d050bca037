//! Colors and characters a terminal can show.

use std::fmt::Display;

/// What an output may use beyond plain ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    /// ANSI colors.
    pub color: bool,
    /// Box drawing and the like.
    pub unicode: bool,
}

/// What a color says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done.
    Good,
    /// Failed.
    Bad,
    /// Look at it.
    Doubt,
    /// A heading.
    Strong,
    /// Less important.
    Faint,
    /// A name one can type.
    Name,
}

impl Paint {
    /// Neither colors nor other characters.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { color: false, unicode: false };

    /// What this process' environment allows.
    pub(crate) fn of(is_terminal: bool) -> Self {
        Self::from_environment(is_terminal, &|name| std::env::var(name).ok())
    }

    /// As [`Self::of`], for any environment. `NO_COLOR` counts when it is not empty (no-color.org).
    pub(crate) fn from_environment(
        is_terminal: bool,
        get: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let term = get("TERM").unwrap_or_default();
        let is_refused = get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_able = is_terminal && term != "dumb";
        Self {
            color: is_able && !is_refused && !(cfg!(unix) && term.is_empty()),
            unicode: is_able && term != "linux" && (cfg!(windows) || is_utf8_locale(get)),
        }
    }

    /// `text` in a tone, if colors may be used.
    pub(crate) fn tone(self, tone: Tone, text: impl Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Doubt => "33",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Name => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The first where Unicode may be used, else the second.
    pub(crate) fn glyph(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// `->`, or an arrow.
    pub(crate) fn arrow(self) -> &'static str {
        self.glyph("\u{2192}", "->")
    }
}

/// POSIX: the first of the three that is set decides.
fn is_utf8_locale(get: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| get(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(is_terminal: bool, variables: &[(&str, &str)]) -> Paint {
        Paint::from_environment(is_terminal, &|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn paint_of_a_pipe_is_plain() {
        assert_eq!(paint(false, &[("TERM", "xterm"), ("LANG", "C.UTF-8")]), Paint::PLAIN);
    }

    #[test]
    fn paint_of_a_terminal_follows_no_color_and_the_locale() {
        let variables = [("TERM", "xterm"), ("LANG", "de_DE.UTF-8")];
        assert_eq!(paint(true, &variables), Paint { color: true, unicode: true });
        let variables = [("TERM", "xterm"), ("NO_COLOR", "1"), ("LC_ALL", "C")];
        assert_eq!(paint(true, &variables), Paint::PLAIN);
    }

    #[test]
    fn tone_without_color_is_the_text_itself() {
        assert_eq!(Paint::PLAIN.tone(Tone::Bad, "no"), "no");
    }
}
