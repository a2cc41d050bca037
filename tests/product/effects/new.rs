//! `wavemill effects new`: a project that builds, passes its tests and `effects check`, as it is.

use std::path::{Path, PathBuf};
use wavemill_runtime::check::check;
use wavemill_runtime::limits::MEMORY_MIB;
use wavemill_tests::compilers::{cargo, cargo_for_wasm, make_with_clang, make_with_zig, succeed};
use wavemill_tests::lab::{Ended, Lab};

fn new(lab: &Lab, words: &[&str]) -> Ended {
    lab.run([&["effects", "new"], words].concat())
}

/// A project of this language, in the lab's root.
fn project(lab: &Lab, language: &str) -> PathBuf {
    let ended = new(lab, &["tape-echo", "--language", language]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lab.root().join("tape-echo")
}

/// What `effects check` asks of the module that a project has built.
fn assert_passes_check(module: &Path) {
    let report = check(&std::fs::read(module).unwrap(), MEMORY_MIB);
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{}: {failures:?}", module.display());
}

#[test]
fn new_project_in_rust_has_the_kit_and_says_what_comes_next() {
    let lab = Lab::new();
    let ended = new(&lab, &["tape-echo"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("cargo wasm"), "{ended:?}");
    let files = lab.files("tape-echo");
    for file in ["Cargo.toml", "README.md", "src/lib.rs", ".cargo/config.toml"] {
        assert!(files.contains(&file.to_owned()), "{files:?}");
    }
    let manifest = lab.root().join("tape-echo/wavemill-effect/Cargo.toml");
    assert!(std::fs::read_to_string(manifest).unwrap().contains("name = \"wavemill-effect\""));
}

#[test]
fn new_project_is_listed_as_json() {
    let lab = Lab::new();
    let json = new(&lab, &["tape-echo", "--language", "c", "--json"]).json();
    assert_eq!(json["language"], "c");
    assert_eq!(json["module"], "tape-echo.wasm");
    let files = json["files"].as_array().unwrap();
    let mut listed: Vec<_> = files.iter().map(|file| file.as_str().unwrap().to_owned()).collect();
    listed.sort();
    assert_eq!(listed, lab.files("tape-echo"));
}

#[test]
fn new_project_overwrites_nothing() {
    let lab = Lab::new();
    let path = lab.path("tape-echo/effect.c");
    std::fs::copy(wavemill_tests::lab::repository().join("README.md"), &path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let ended = new(&lab, &["tape-echo", "--language", "c"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("not empty"), "{ended:?}");
    assert_eq!(lab.files("tape-echo"), ["effect.c"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn name_that_is_none_is_a_mistake_of_usage() {
    let lab = Lab::new();
    for name in ["Tape", "fn", "a b"] {
        let ended = new(&lab, &[name]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{ended:?}");
    }
    assert_eq!(lab.files(""), Vec::<String>::new());
}

#[test]
fn new_project_in_rust_passes_its_own_tests() {
    let lab = Lab::new();
    let folder = project(&lab, "rust");
    succeed(cargo().current_dir(folder).args(["test", "--offline", "--quiet"]));
}

#[test]
fn new_project_in_rust_builds_a_module_that_passes_check() {
    let Some(mut cargo) = cargo_for_wasm() else { return };
    let lab = Lab::new();
    let folder = project(&lab, "rust");
    succeed(cargo.current_dir(&folder).args(["wasm", "--offline", "--quiet"]));
    let module = "target/wasm32-unknown-unknown/release/tape_echo.wasm";
    assert_passes_check(&folder.join(module));
}

#[test]
fn new_project_in_c_builds_a_module_that_passes_check() {
    let Some(mut make) = make_with_clang() else { return };
    let lab = Lab::new();
    let folder = project(&lab, "c");
    succeed(make.current_dir(&folder));
    assert_passes_check(&folder.join("tape-echo.wasm"));
}

#[test]
fn new_project_in_c_builds_by_zig_too() {
    let Some(mut make) = make_with_zig() else { return };
    let lab = Lab::new();
    let folder = project(&lab, "c");
    succeed(make.current_dir(&folder).arg("COMPILER=zig"));
    assert_passes_check(&folder.join("tape-echo.wasm"));
}
