//! Every fixture is what its README says it is.

use crate::metadata::root;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wavemill_tests::sha256;

fn folder() -> PathBuf {
    root().join("tests/fixtures")
}

/// The table of the README: file below `tests/fixtures` -> SHA-256.
fn listed() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "a row is file, origin, license, SHA-256: {row}");
        assert!(!cells[1].is_empty() && !cells[2].is_empty(), "origin or license missing: {row}");
        (cells[0].trim_matches('`').to_owned(), cells[3].trim_matches('`').to_owned())
    })
    .collect()
}

fn present() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder()];
    while let Some(folder_) = folders.pop() {
        for entry in std::fs::read_dir(&folder_).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path != folder().join("README.md") {
                files.insert(below(&path), sha256(&std::fs::read(&path).unwrap()));
            }
        }
    }
    files
}

fn below(path: &Path) -> String {
    path.strip_prefix(folder()).unwrap().to_string_lossy().into_owned()
}

#[test]
fn fixtures_are_listed_with_their_hash() {
    assert_eq!(present(), listed());
}
