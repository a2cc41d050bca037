//! The effect modules that come with the program.

use crate::metadata::root;
use std::collections::BTreeSet;
use std::path::Path;
use wavemill_tests::sha256;

/// Where machines keep what people build. Written in two parts, so that no other test finds this table.
#[rustfmt::skip]
const FOLDERS: [[&str; 2]; 14] = [
    ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"], ["/us", "r/"], ["/tm", "p/"], ["/va", "r/"], ["/op", "t/"],
    ["/mn", "t/"], ["/sr", "v/"], ["/wo", "rk/"], ["/bui", "lds/"], [":", "\\"], ["rust", "lib"], [".car", "go"],
];

/// Where the sources lie whose names may stand in a module: the workspace's, the standard library's by
/// `cargo xtask wasm-toolchain` and by rustup, and those of crates.
const SOURCES: [&str; 4] = ["effects/", "rust/", "/rustc/", "registry/"];

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
        assert_eq!(sha256(&bytes), hash, "{file}: run `cargo xtask effects`");
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

/// The paths in a module that reveal on which machine it was built.
fn machine_paths(module: &[u8]) -> Vec<String> {
    // Some languages write two bytes a letter.
    let half = |start: usize| module.iter().skip(start).step_by(2).copied().collect::<Vec<u8>>();
    let mut found = Vec::new();
    for bytes in [module.to_vec(), half(0), half(1)] {
        for text in bytes.split(|byte| !is_of_path(*byte)) {
            let text = String::from_utf8_lossy(text).into_owned();
            let is_below =
                FOLDERS.iter().any(|folder| text.len() > 4 && text.contains(&folder.concat()));
            if is_below || is_foreign_source(&text) {
                found.push(text);
            }
        }
    }
    found
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/\\:._-+@~".contains(&byte)
}

/// Whether it is the name of a source that does not begin as in [`SOURCES`]. A text may stand directly
/// before the name.
fn is_foreign_source(text: &str) -> bool {
    let Some(end) = text.find(".rs") else { return false };
    let start = SOURCES.iter().filter_map(|source| text.find(source)).min();
    start.map_or(end > 0, |start| text[..start].contains('/'))
}

#[test]
fn bundled_modules_name_no_machine() {
    let mut wrong = Vec::new();
    for name in modules() {
        let bytes = std::fs::read(root().join(format!("effects/bundled/{name}.wasm"))).unwrap();
        let found = machine_paths(&bytes).into_iter();
        wrong.extend(found.map(|path| format!("effects/bundled/{name}.wasm: `{path}`")));
    }
    let what = "build them with a toolchain of `cargo xtask wasm-toolchain`, or rustup's";
    assert!(wrong.is_empty(), "{}\n{what}", wrong.join("\n"));
}

#[test]
fn paths_of_a_machine_are_found_in_a_module() {
    let folder = FOLDERS[0].concat();
    let wide: String = folder.chars().flat_map(|letter| [letter, '\0']).collect();
    let modules = [
        format!("\0overflow{folder}a/usr/alloc.rs\0"),
        format!("\0{folder}key\0"),
        format!("odd{wide}k\0e\0y\0"),
        "\0/data/tc/rust/library/core/src/option.rs\0".to_owned(),
        "\0src/lib.rs\0".to_owned(),
        "\0C:\\code\\effect.c\0".to_owned(),
    ];
    for module in modules {
        assert_eq!(machine_paths(module.as_bytes()).len(), 1, "{module:?}");
    }
}

#[test]
fn paths_that_are_the_same_everywhere_are_no_findings() {
    let module = "\0effects/sdk/src/block.rs\0overflowrust/library/core/src/option.rs\0\
        /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/alloc/src/alloc.rs\0dB/oct\0";
    assert_eq!(machine_paths(module.as_bytes()), Vec::<String>::new());
}
