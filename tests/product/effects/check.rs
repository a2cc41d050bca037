//! `wavemill effects check`.

use crate::module::Source;
use std::path::Path;
use wavemill_tests::lab::{Lab, put};

/// Writes a module into the lab and returns its name there.
fn install(lab: &Lab, name: &str, bytes: &[u8]) -> String {
    let path = lab.path(name);
    put(&path, bytes);
    path.to_string_lossy().into_owned()
}

#[test]
fn module_that_keeps_its_promises_passes() {
    let lab = Lab::new();
    let good = install(&lab, "echo.wasm", &Source::gain().assemble());
    let ended = lab.run(["effects", "check", &good]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].contains("echo.wasm: Test 1.0.0 (com.example.test), "), "{ended:?}");
    for check in ["loads", "block-sizes", "latency", "tail", "cost"] {
        let row = lines.iter().find(|line| line.split_whitespace().nth(1) == Some(check));
        assert!(row.is_some_and(|row| row.starts_with("  ok    ")), "{check}: {ended:?}");
    }
    assert!(lines.last().unwrap().starts_with("ok  "), "{ended:?}");
}

#[test]
fn module_that_breaks_a_promise_is_reported_with_the_promise_and_exit_code_3() {
    let lab = Lab::new();
    let tail = "(func (export \"fx_latency\") (result i32) (i32.const 64))";
    let bad = install(&lab, "late.wasm", &Source::gain().function(tail).assemble());
    let good = install(&lab, "good.wasm", &Source::gain().assemble());
    let ended = lab.run(["effects", "check", &bad, &good]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let row = ended.stdout.lines().find(|line| line.starts_with("  no    "));
    assert!(row.is_some_and(|row| row.contains("latency")), "{ended:?}");
    let text = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("but fx_latency says 64; it must return 0"), "{ended:?}");
}

#[test]
fn report_as_json_names_every_check_with_its_verdict() {
    let lab = Lab::new();
    let bad = install(&lab, "bad.wasm", b"no module");
    let good = install(&lab, "good.wasm", &Source::gain().assemble());
    let ended = lab.run(["effects", "check", "--json", &good, &bad]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let json = ended.json();
    let effects = json["effects"].as_array().unwrap();
    assert_eq!((&effects[0]["ok"], &effects[1]["ok"]), (&true.into(), &false.into()));
    assert!(effects[0]["fuel_per_frame"].as_f64().unwrap() > 1.0);
    assert_eq!(effects[0]["module"]["description"]["id"], "com.example.test");
    assert_eq!(
        effects[0]["results"].as_array().unwrap().len(),
        wavemill_runtime::check::names().len()
    );
    assert_eq!(effects[1]["results"][0]["name"], "loads");
    assert_eq!(effects[1]["results"][0]["verdict"], "failed");
    assert!(
        effects[1]["results"][0]["reason"].as_str().unwrap().contains("not a WebAssembly module")
    );
}

#[test]
fn endless_loop_is_found_and_does_not_hang_the_check() {
    let lab = Lab::new();
    let source = Source::gain().after(10_000, "(loop $endless (br $endless))");
    let bad = install(&lab, "endless.wasm", &source.assemble());
    let ended = lab.run(["effects", "check", "--quiet", &bad]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.contains("took too long"), "{ended:?}");
}

#[test]
fn missing_file_is_named_and_the_others_are_checked() {
    let lab = Lab::new();
    let good = install(&lab, "good.wasm", &Source::gain().assemble());
    let ended = lab.run([
        Path::new("effects"),
        Path::new("check"),
        Path::new("nosuch.wasm"),
        Path::new(&good),
    ]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("nosuch.wasm: "), "{ended:?}");
    assert!(ended.stdout.contains("good.wasm"), "{ended:?}");
}
