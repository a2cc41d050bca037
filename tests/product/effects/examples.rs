//! The examples of effects in several languages: each builds and passes `effects check`.

use std::path::{Path, PathBuf};
use wavemill_runtime::check::check;
use wavemill_runtime::limits::MEMORY_MIB;
use wavemill_tests::compilers::{asc, make_with_clang, make_with_zig, succeed};
use wavemill_tests::lab::repository;

fn example(language: &str) -> PathBuf {
    repository().join("effects/examples").join(language)
}

fn output(folder: &Path) -> String {
    format!("OUTPUT={}", folder.display())
}

fn assert_passes_check(module: &Path) {
    let report = check(&std::fs::read(module).unwrap(), MEMORY_MIB);
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{}: {failures:?}", module.display());
}

#[test]
fn example_in_c_builds_by_clang_and_passes_check() {
    let Some(mut make) = make_with_clang() else { return };
    let folder = tempfile::tempdir().unwrap();
    succeed(make.current_dir(example("c")).arg(output(folder.path())));
    assert_passes_check(&folder.path().join("tremolo.wasm"));
}

#[test]
fn example_in_c_builds_by_zig_and_passes_check() {
    let Some(mut make) = make_with_zig() else { return };
    let folder = tempfile::tempdir().unwrap();
    succeed(make.current_dir(example("c")).arg("COMPILER=zig").arg(output(folder.path())));
    assert_passes_check(&folder.path().join("tremolo.wasm"));
}

#[test]
fn example_in_zig_builds_and_passes_check() {
    let Some(mut make) = make_with_zig() else { return };
    let folder = tempfile::tempdir().unwrap();
    succeed(make.current_dir(example("zig")).arg(output(folder.path())));
    assert_passes_check(&folder.path().join("echo.wasm"));
}

#[test]
fn example_in_assemblyscript_builds_and_passes_check() {
    let Some(mut asc) = asc() else { return };
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("drive.wasm");
    // The options of `npm run build`.
    let manifest = std::fs::read_to_string(example("assemblyscript").join("package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let line = manifest["scripts"]["build"].as_str().unwrap();
    let options = line.strip_prefix("asc ").unwrap().strip_suffix(" drive.wasm").unwrap();
    succeed(
        asc.current_dir(example("assemblyscript")).args(options.split_whitespace()).arg(&module),
    );
    assert_passes_check(&module);
}
