//! The effect modules that come with the program.

use crate::metadata::root;
use std::collections::BTreeSet;
use std::path::Path;
use wavemill_tests::sha256;

fn names(folder: &Path, is_one: impl Fn(&Path) -> bool) -> BTreeSet<String> {
    let entries =
        std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let ones = entries.filter(|path| is_one(path));
    ones.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn modules() -> BTreeSet<String> {
    names(Path::new("effects/bundled"), |path| path.extension() == Some("wasm".as_ref()))
}

#[test]
fn bundled_modules_match_their_hashes() {
    let folder = root().join("effects/bundled");
    let text = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let mut listed = BTreeSet::new();
    for line in text.lines() {
        let (hash, file) = line.split_once("  ").unwrap();
        let bytes = std::fs::read(folder.join(file)).unwrap();
        assert_eq!(sha256::hex(&bytes), hash, "{file}: run `cargo xtask effects`");
        listed.insert(file.strip_suffix(".wasm").unwrap().to_owned());
    }
    assert_eq!(listed, modules());
}

#[test]
fn every_module_with_a_source_is_bundled() {
    // A folder without any of these holds what several modules share.
    let sources = names(Path::new("effects/modules"), |folder| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let files = ["effect.c", "effect.ts"];
        manifest.contains("\"cdylib\"") || files.iter().any(|file| folder.join(file).exists())
    });
    assert_eq!(sources, modules(), "run `cargo xtask effects`");
}
