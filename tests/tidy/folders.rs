//! The shape of the repository.

use crate::metadata::root;
use std::collections::BTreeSet;

const FOLDERS: &[&str] = &["core", "effects", "host", "pipelines", "plugin", "tests"];

const FILES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "rust-toolchain.toml",
];

/// What `.gitignore` names: products of the build and of pipelines that ran here.
pub(crate) fn ignored() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix('/'));
    lines.map(|name| name.trim_end_matches('/').to_owned()).collect()
}

#[test]
fn top_level_is_exactly_the_fixed_one() {
    let ignored = ignored();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with('.') && !ignored.contains(&name) {
            found.insert(name);
        }
    }
    let fixed: BTreeSet<String> =
        FOLDERS.iter().chain(FILES).map(|name| (*name).to_owned()).collect();
    assert_eq!(found, fixed);
}

#[test]
fn architecture_fits_in_200_lines() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 200, "ARCHITECTURE.md has {} lines", text.lines().count());
}

#[test]
fn ci_calls_exactly_the_gate() {
    let text = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert_eq!(text, "#!/usr/bin/env bash\nset -euo pipefail\ncargo xtask ci\n");
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("cargo xtask ci\n"), "the README names another test command");
}
