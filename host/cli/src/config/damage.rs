//! Damaged configuration files: every mistake has its place, and nothing panics.

use super::ConfigFile;
use crate::diagnostics;
use crate::report::Paint;
use fastrand::Rng;
use std::path::Path;
use std::time::{Duration, Instant};

/// Texts of the gate; `cargo xtask fuzz config --seconds N` tries more.
const COUNT: u64 = 3_000;

const CONFIG: &str = r#"
state = "s"
root = "/srv"
output_dir = "out"
log = "info"
log_file = "w.log"
log_file_mib = 2
log_files = 3
workers = 3
min_free_mib = 2048
history = "90d"
history_jobs = 100000
confine = false
target_lufs = -16
normalize = false
[[hook]]
name = "desk"
on = ["done", "batch-done"]
command = ["notify", "-v"]
[[hook]]
name = "chat"
on = ["failed"]
pipelines = ["more"]
url = "https://example.com/a"
"#;

const PIECES: &[&str] = &[
    "\"",
    "'",
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
    "\n",
    "\r\n",
    "\u{0}",
    "\u{202e}",
    "\u{e9}",
    "-1",
    "1e999",
    "nan",
    "9223372036854775808",
    "0x10",
    "true",
    "[[hook]]",
    "[hook]",
    "hook = 3",
    "url = ",
    "\"ftp://x\"",
    "\"http://\"",
    "command = []",
    "on = [\"nothing\"]",
    "workers = ",
    "\"\"\"",
    "\\u0000",
    "\"/dev/zero\"",
    "secret_file = ",
];

fn damaged(random: &mut Rng) -> String {
    let mut text: Vec<char> = CONFIG.chars().collect();
    for _ in 0..random.usize(..6) {
        let at = random.usize(..=text.len());
        let end = (at + 1 + random.usize(..24)).min(text.len());
        match random.usize(..5) {
            0 => drop(text.drain(at..end)),
            1 => {
                let copy = text[at..end].to_vec();
                let count = if random.usize(..8) == 0 { 300 } else { 1 };
                text.splice(at..at, copy.repeat(count));
            }
            2 => {
                let length = text[at..].iter().take_while(|c| c.is_alphanumeric()).count();
                text.splice(at..at + length, PIECES[random.usize(..PIECES.len())].chars());
            }
            3 => drop(text.splice(at..at, "[".repeat(random.usize(..2_000)).chars())),
            _ => drop(text.splice(at..at, PIECES[random.usize(..PIECES.len())].chars())),
        }
    }
    text.into_iter().collect()
}

#[test]
fn damaged_configuration_is_refused_with_the_place_of_every_mistake() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let until = number("WAVEMILL_FUZZ_SECONDS")
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (mut tried, mut right) = (0, 0);
    for seed in number("WAVEMILL_FUZZ_SEED").unwrap_or(1).. {
        if until.map_or(tried >= COUNT, |until| Instant::now() >= until) {
            break;
        }
        let text = damaged(&mut Rng::with_seed(seed));
        tried += 1;
        let Err(mistakes) = ConfigFile::parse(&text, Path::new("/nowhere")) else {
            right += 1;
            continue;
        };
        assert!(!mistakes.is_empty(), "seed {seed}");
        for mistake in &mistakes {
            let before = text.get(..mistake.span.start).unwrap_or_else(|| panic!("seed {seed}"));
            assert!(text.get(mistake.span.clone()).is_some(), "seed {seed}: {mistake:?}");
            assert_eq!(mistake.line, before.matches('\n').count() + 1, "seed {seed}: {mistake:?}");
            let head = diagnostics::headline(Path::new("config.toml"), mistake);
            assert!(!head.contains(char::is_control), "seed {seed}: {head:?}");
        }
        let drawn = diagnostics::draw(Path::new("config.toml"), &text, &mistakes, Paint::PLAIN);
        assert!(!drawn.trim().is_empty(), "seed {seed}");
    }
    println!("config: {tried} texts, {right} of them right");
    assert!(tried < COUNT || (right * 20 > tried && right * 2 < tried));
}
