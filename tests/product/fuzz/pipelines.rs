//! Damaged pipelines: a mistake is reported at its place, whatever the text.

use crate::texts;
use std::path::Path;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::{Diagnostic, Effects, shipped};
use wavemill_tests::fuzzing::run;
use wavemill_tests::signal::Random;

/// Texts of the test in the gate.
const COUNT: u64 = 4_000;

/// Keys that the shipped pipelines do not have.
const MORE: &str = r#"
version = 1
[pipeline]
name = "more"
concurrency = 3
priority = 5
timeout = "1h30m"
max_memory_mib = 512
timezone = "Europe/Berlin"
hours = ["mon-fri 20:00-06:00", "sat-sun"]
keep_for = "90d"
retry = { attempts = 4, backoff = "10s..5m" }
[[watch]]
path = "inbox/more"
include = ["*.wav", "*.flac"]
mode = "poll"
rescan = "60s"
ready = { stable_for = "2s", marker = "{name}.done", ignore = ["tmp/**"] }
duplicates = "skip"
[decode]
damaged = "repair"
[[require]]
duration = { min = "1s" }
channels = [1, 2]
[[step]]
id = "louder"
use = "gain"
with = { gain_db = 3 }
when = { min_duration = "30s", channels = 2, min_lufs = -40, tag = { genre = "Talk" } }
[[export]]
format = "wav"
bit_depth = "PCM_24"
dither = "triangular"
path = "outbox/{date:%Y/%m/%d}/{stem}.{ext}"
on_conflict = "suffix"
[tags]
set = { title = "{stem}" }
[report]
json = "outbox/{stem}.json"
[source]
on_success = "move:done/{date:%Y-%m}"
on_failure = "keep"
"#;

fn corpus() -> Vec<String> {
    let shipped = shipped::PIPELINES.iter().map(|pipeline| pipeline.text.to_owned());
    shipped.chain([MORE.to_owned(), MORE.to_owned()]).collect()
}

fn attempt(corpus: &[String], effects: &Effects, seed: u64) -> &'static str {
    let text = texts::damaged(corpus, &mut Random::new(seed));
    let load = || wavemill_pipelines::load(&text, &Defaults::default(), effects);
    match (load(), load()) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first.pipeline.hash, second.pipeline.hash);
            are_reported(&text, &first.warnings);
            for folder in first.pipeline.output_folders(Path::new("/out")) {
                assert!(folder.is_absolute(), "{}", folder.display());
            }
            if first.warnings.is_empty() { "right" } else { "right with doubts" }
        }
        (Err(first), Err(second)) => {
            assert_eq!(first, second);
            assert!(!first.is_empty(), "refused without a reason");
            are_reported(&text, &first);
            if first.iter().any(|mistake| mistake.code == "syntax") { "no TOML" } else { "wrong" }
        }
        _ => panic!("read twice, two meanings"),
    }
}

/// Each in one line, at a place of the text that its line and column name too.
fn are_reported(text: &str, mistakes: &[Diagnostic]) {
    for mistake in mistakes {
        let Diagnostic { message, help, span, line, column, .. } = mistake;
        for part in std::iter::once(message).chain(help) {
            assert!(!part.trim().is_empty(), "{mistake:?}");
        }
        assert!(span.start <= span.end && span.end <= text.len(), "{mistake:?}");
        let before = text.get(..span.start).unwrap_or_else(|| panic!("{mistake:?}"));
        assert_eq!(*line, before.matches('\n').count() + 1, "{mistake:?}");
        let start = before.rfind('\n').map_or(0, |index| index + 1);
        assert_eq!(*column, before[start..].chars().count() + 1, "{mistake:?}");
    }
}

#[test]
fn damaged_pipelines_are_refused_with_the_place_of_every_mistake() {
    let counts = run("pipelines", COUNT, || {
        let (corpus, effects) = (corpus(), Effects::default());
        move |seed| attempt(&corpus, &effects, seed)
    });
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        for came in ["right", "wrong", "no TOML"] {
            let share = counts.get(came).copied().unwrap_or(0) * 100 / total;
            assert!(share >= 2, "only {share} % of {total} texts came to `{came}`: {counts:?}");
        }
    }
}
