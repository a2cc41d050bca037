//! Damaged texts that people write: what all fuzzers of texts share.

use wavemill_tests::signal::Random;

/// Longest text that is made.
const BYTES_MAX: usize = 64 * 1024;

/// What is put in: what means something to TOML, JSON, HTTP, templates and paths, and what means nothing.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "#",
    ":",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\\",
    "\\u0000",
    "\u{0}",
    "\u{7f}",
    "\u{202e}",
    "\u{feff}",
    "\u{e9}",
    "\u{1f3b5}",
    "/",
    "//",
    "../",
    "..",
    "./",
    "~",
    "%",
    "%s",
    "%Y",
    "%Q",
    "%%",
    "{stem}",
    "{date:%Y/%m/%d}",
    "{date:%}",
    "{",
    "{ext",
    "{title}",
    "{reldir}",
    "CON",
    "nul.wav",
    "-",
    "-1",
    "0",
    "1",
    "007",
    "0x10",
    "0b1",
    "1_000",
    "1e308",
    "1e-400",
    "1e999",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "0.1",
    "true",
    "false",
    "null",
    "1979-05-27T07:32:00Z",
    "\"1s\"",
    "\"-1s\"",
    "\"9999999999999d\"",
    "\"0s..0s\"",
    "version = 1",
    "[pipeline]",
    "[[step]]",
    "[[export]]",
    "[[watch]]",
    "[tags]",
    "[report]",
    "[source]",
    "[decode]",
    "[[require]]",
    "[[hook]]",
    "with = {}",
    "when = {}",
    "use = ",
    "format = ",
    "path = ",
    "GET ",
    "POST ",
    " HTTP/1.1",
    "Content-Length: ",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "/v1/jobs",
    "?limit=",
    "&",
    "%00",
    "%2e%2e%2f",
    "*",
];

/// A text of the corpus, damaged in some places, or as it is.
pub(crate) fn damaged(corpus: &[String], random: &mut Random) -> String {
    let mut text: Vec<char> = random.choice(corpus).chars().collect();
    if random.below(16) > 0 {
        for _ in 0..=random.below(6) {
            damage(&mut text, corpus, random);
        }
    }
    let mut text: String = text.into_iter().collect();
    while text.len() > BYTES_MAX {
        text.pop();
    }
    text
}

fn damage(text: &mut Vec<char>, corpus: &[String], random: &mut Random) {
    let at = random.index(text.len() + 1);
    let end = (at + 1 + random.index(24)).min(text.len());
    match random.below(10) {
        0 => drop(text.drain(at..end)),
        1 => {
            let copy = text[at..end].to_vec();
            let count = if random.below(8) == 0 { 500 } else { 1 };
            text.splice(at..at, copy.repeat(count));
        }
        2 => text.truncate(at),
        3 => {
            // A line of another text, or of this one at another place.
            let other = random.choice(corpus);
            let lines: Vec<_> = other.lines().collect();
            if !lines.is_empty() {
                let line = format!("\n{}\n", random.choice(&lines));
                text.splice(at..at, line.chars());
            }
        }
        4 => {
            // A number, or a word, becomes something else.
            let word = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
            let length = text[at..].iter().take_while(|c| word(c)).count();
            let piece = *random.choice(PIECES);
            text.splice(at..at + length, piece.chars());
        }
        5 => {
            let deep = 1 + random.index(2_000);
            let piece = *random.choice(&["[", "{", "{a=", "a.", "[[", "("]);
            text.splice(at..at, piece.repeat(deep).chars());
        }
        _ => {
            let piece = *random.choice(PIECES);
            text.splice(at..at, piece.chars());
        }
    }
}
