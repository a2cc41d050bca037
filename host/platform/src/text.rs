//! Text from outside, for people: one line, and nothing that changes the terminal.

use std::path::Path;

/// A path for people, on one line: control characters are escaped, so that a file's name can
/// neither break a line nor control the terminal.
pub fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy())
}

/// A text for people, on one line; see [`shown`].
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_direction_mark(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Characters that reorder what stands around them.
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_with_control_characters_stays_on_one_line() {
        assert_eq!(shown(Path::new("a\nb\u{1b}[31m.wav")), "a\\nb\\u{1b}[31m.wav");
        assert_eq!(shown(Path::new("Lied \u{1f3b5}.wav")), "Lied \u{1f3b5}.wav");
    }

    #[test]
    fn path_with_direction_marks_shows_them() {
        assert_eq!(shown(Path::new("a\u{202e}vaw.b")), "a\\u{202e}vaw.b");
    }
}
