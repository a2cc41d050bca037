//! Long lines on a terminal: broken between words, and never within a number or before its unit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells by which the rest of a broken line is set in further than its beginning.
const INDENT: usize = 4;

/// Letters of the longest unit that stays with its number: `dBTP`, `files`, `outputs`.
const UNIT_LETTERS_MAX: usize = 7;

/// A text whose lines have at most `columns` cells, as far as its words allow; as it is without a terminal.
pub(super) fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| *columns > 2 * INDENT) else {
        return text.to_owned();
    };
    let lines: Vec<_> = text.split('\n').map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, columns: usize) -> String {
    if cells(line) <= columns {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let mut broken = " ".repeat(indent);
    let mut width = indent;
    let mut is_first = true;
    for (gap, piece) in pieces(&line[indent..]) {
        if !is_first && width + gap + cells(&piece) > columns {
            broken.push('\n');
            broken.push_str(&" ".repeat(indent + INDENT));
            width = indent + INDENT;
        } else {
            broken.push_str(&" ".repeat(gap));
            width += gap;
        }
        broken.push_str(&piece);
        width += cells(&piece);
        is_first = false;
    }
    broken
}

/// What stays together, each with the blanks before it.
fn pieces(line: &str) -> Vec<(usize, String)> {
    let mut pieces: Vec<(usize, String)> = Vec::new();
    let mut gap = 0;
    for word in line.split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        match pieces.last_mut().filter(|(_, last)| gap == 1 && belongs_to(word, last)) {
            Some((_, last)) => {
                last.push(' ');
                last.push_str(word);
            }
            None => pieces.push((gap, word.to_owned())),
        }
        gap = 1;
    }
    if let Some((first, _)) = pieces.first_mut() {
        *first = 0;
    }
    pieces
}

/// Whether a word is the unit of the number before it.
fn belongs_to(word: &str, before: &str) -> bool {
    let last = before.rsplit(' ').next().unwrap_or_default();
    let is_number = last.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first))
        && last.ends_with(|last: char| last.is_ascii_digit());
    let letters = word.trim_end_matches([',', ';', '.', ':', ')']);
    let is_unit = letters == "%"
        || (letters.len() <= UNIT_LETTERS_MAX
            && letters.chars().all(|it| it.is_ascii_alphabetic()));
    is_number && is_unit && !letters.is_empty()
}

/// Cells of a text, without the codes of its colors.
fn cells(text: &str) -> usize {
    if !text.contains('\u{1b}') {
        return text.width();
    }
    let mut is_code = false;
    let visible = text.chars().map(|character| match (is_code, character) {
        (false, '\u{1b}') => {
            is_code = true;
            0
        }
        (true, 'm') => {
            is_code = false;
            0
        }
        (true, _) => 0,
        (false, _) => character.width().unwrap_or(0),
    });
    visible.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_broken_between_words_and_numbers_keep_their_units() {
        let line = "  mix.wav -> 2 files, -10.6 -> -16.0 LUFS, true peak -2.4 dBTP";
        assert_eq!(
            wrapped(line, Some(39)),
            "  mix.wav -> 2 files, -10.6 ->\n      -16.0 LUFS, true peak -2.4 dBTP"
        );
        assert_eq!(wrapped("all of the 12 outputs", Some(15)), "all of the\n    12 outputs");
        assert_eq!(wrapped(line, Some(80)), line);
        assert_eq!(wrapped(line, None), line);
    }

    #[test]
    fn colors_take_no_room_and_long_words_stay_whole() {
        let colored = "\u{1b}[36mone\u{1b}[0m two three";
        assert_eq!(wrapped(colored, Some(13)), colored);
        let long = format!("a {} b", "x".repeat(30));
        let lines: Vec<_> = wrapped(&long, Some(20)).lines().map(str::to_owned).collect();
        assert_eq!(lines, ["a".to_owned(), format!("    {}", "x".repeat(30)), "    b".to_owned()]);
    }
}
