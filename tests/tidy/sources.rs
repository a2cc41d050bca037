//! What must not stand in any file.

use crate::folders::ignored;
use crate::metadata::root;
use std::path::{Path, PathBuf};

/// Longest file; past 500 look for the second noun.
const LINES_MAX: usize = 800;

/// A text that is forbidden, and what to do instead. Written in two parts, so that this table does not
/// find itself.
struct Forbidden {
    text: [&'static str; 2],
    instead: &'static str,
}

#[rustfmt::skip]
const IN_RUST: &[Forbidden] = &[
    Forbidden { text: ["thread::", "sleep"], instead: "wait for an event or a condition" },
    Forbidden { text: ["#[ig", "nore"], instead: "print `skipped: ` with the reason and return" },
    Forbidden { text: ["link", "me::"], instead: "an explicit list: link-time registries lose entries" },
    Forbidden { text: ["inven", "tory::"], instead: "an explicit list: link-time registries lose entries" },
];

#[rustfmt::skip]
const IN_ALL: &[Forbidden] = &[
    Forbidden { text: ["/ro", "ot/"], instead: "no paths of one machine" },
    Forbidden { text: [" /wo", "rk/"], instead: "no paths of one machine" },
    Forbidden { text: ["\"/wo", "rk/"], instead: "no paths of one machine" },
    Forbidden { text: ["`/wo", "rk/"], instead: "no paths of one machine" },
    Forbidden { text: ["FIX", "ME"], instead: "fix it, or TODO(owner)" },
];

/// Every text file of the repository that people write, with its path below the root.
pub(crate) fn texts() -> Vec<(PathBuf, String)> {
    let (root, ignored) = (root(), ignored());
    let mut texts = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(&root).unwrap().to_path_buf();
            if is_foreign(&below) || ignored.iter().any(|name| below == Path::new(name)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                texts.push((below, text));
            }
        }
    }
    texts
}

/// Fixtures, records and what others wrote.
fn is_foreign(below: &Path) -> bool {
    let foreign = [
        ".git",
        "tests/fixtures",
        "tests/bench/runs",
        "host/http/page/dist",
        "host/http/page/package-lock.json",
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ];
    foreign.iter().any(|name| below == Path::new(name))
        || below.extension() == Some("wasm".as_ref())
}

fn is_rust(path: &Path) -> bool {
    path.extension() == Some("rs".as_ref())
}

fn findings(path: &Path, text: &str, table: &[Forbidden]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for forbidden in table.iter().filter(|forbidden| line.contains(&forbidden.text.concat())) {
            let place = format!("{}:{}", path.display(), index + 1);
            found.push(format!("{place}: `{}`: {}", forbidden.text.concat(), forbidden.instead));
        }
    }
    found
}

#[test]
fn forbidden_texts_are_absent() {
    let mut wrong = Vec::new();
    for (path, text) in texts() {
        wrong.extend(findings(&path, &text, IN_ALL));
        if is_rust(&path) {
            wrong.extend(findings(&path, &text, IN_RUST));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_todo_has_an_owner() {
    let word = ["TO", "DO"].concat();
    for (path, text) in texts() {
        if !is_rust(&path) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let owned = line.split(&word).skip(1).all(|rest| rest.starts_with('('));
            assert!(owned, "{}:{}: {word} without an owner", path.display(), index + 1);
        }
    }
}

#[test]
fn files_stay_below_800_lines() {
    for (path, text) in texts() {
        let lines = text.lines().count();
        // None is read from one end to the other.
        let is_list = path == Path::new("CHANGELOG.md")
            || path == Path::new("core/dsp/src/music/rhythm/trees.rs")
            || path.to_string_lossy().ends_with(".schema.json");
        assert!(lines <= LINES_MAX || is_list, "{} has {lines} lines", path.display());
    }
}

#[test]
fn texts_end_with_one_newline_and_have_no_tabs_in_rust() {
    for (path, text) in texts() {
        let ends_well = text.is_empty() || (text.ends_with('\n') && !text.ends_with("\n\n"));
        assert!(ends_well, "{} must end with one newline", path.display());
        assert!(!is_rust(&path) || !text.contains('\t'), "{} has a tab", path.display());
    }
}

#[test]
fn a_forbidden_text_is_found_with_its_line() {
    let text = format!("fine\nstd::{}(x)\n", IN_RUST[0].text.concat());
    let found = findings(Path::new("a.rs"), &text, IN_RUST);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a.rs:2: "), "{found:?}");
}
