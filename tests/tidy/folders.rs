//! The shape of the repository.

use crate::metadata::root;
use std::collections::BTreeSet;

const FOLDERS: &[&str] = &["core", "effects", "host", "pipelines", "plugin", "tests"];

const FILES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
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
fn architecture_fits_in_220_lines() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 230, "ARCHITECTURE.md has {} lines", text.lines().count());
}

#[test]
fn ci_calls_exactly_the_gate() {
    let text = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert_eq!(text, "#!/usr/bin/env bash\nset -euo pipefail\ncargo xtask ci\n");
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("cargo xtask ci\n"), "the README names another test command");
}

/// A module with modules of its own is the `mod.rs` of its folder, so that all of it lies in one place.
#[test]
fn module_and_its_folder_are_not_apart() {
    let mut folders: Vec<_> = FOLDERS.iter().map(|folder| root().join(folder)).collect();
    let mut apart = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // Authors of effects get the kit as it is.
            if path.is_dir() && !path.ends_with("effects/sdk") && !path.ends_with("target") {
                let is_apart = path.with_extension("rs").is_file();
                apart.extend(is_apart.then(|| path.clone()));
                folders.push(path);
            }
        }
    }
    assert!(apart.is_empty(), "beside `NAME.rs`: move it to `NAME/mod.rs`: {apart:?}");
}
