//! `effects.lock`: what it pins stays, or nothing runs.

use crate::bench::Bench;
use crate::module::Source;
use std::path::Path;
use wavemill_tests::lab::{Ended, is_about, put};

fn locked() -> Bench {
    let bench = Bench::with(&Source::gain());
    let ended = lock(&bench);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    bench
}

fn lock(bench: &Bench) -> Ended {
    bench.lab.run([Path::new("effects"), Path::new("lock"), &bench.pipeline])
}

fn lock_text(bench: &Bench) -> String {
    std::fs::read_to_string(bench.pipeline.with_file_name("effects.lock")).unwrap()
}

#[test]
fn lock_names_the_module_as_the_pipeline_does() {
    let bench = locked();
    let text = lock_text(&bench);
    assert!(text.starts_with("# ") && text.contains("[effect.\"fx/test.wasm\"]"), "{text}");
    assert!(text.contains("id = \"com.example.test\"") && text.contains("version = \"1.0.0\""));
    let again = lock(&bench);
    assert!(again.stdout.contains("no changes"), "{again:?}");
    assert_eq!(lock_text(&bench), text);
}

#[test]
fn bundled_effect_is_locked_too_and_another_build_of_it_is_refused() {
    let bench = Bench::new("[[step]]\neffect = \"gate\"\n");
    assert_eq!(lock(&bench).code, Some(0));
    let text = lock_text(&bench);
    let gate = wavemill_runtime::bundled::bundled("gate").unwrap();
    assert!(text.contains("[effect.gate]") && text.contains(gate.sha256), "{text}");
    let check = || bench.lab.run([Path::new("check"), &bench.pipeline]);
    assert_eq!(check().code, Some(0));
    let other = text.replace(gate.sha256, &"0".repeat(64));
    put(&bench.pipeline.with_file_name("effects.lock"), other.as_bytes());
    let ended = check();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains("does not match effects.lock"));
}

#[test]
fn check_hints_at_modules_that_nothing_pins() {
    let bench = Bench::with(&Source::gain());
    let check = || bench.lab.run([Path::new("check"), &bench.pipeline]);
    let ended = check();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("not pinned: fx/test.wasm"), "{ended:?}");
    assert_eq!(lock(&bench).code, Some(0));
    assert_eq!(check().stderr, "");
}

#[test]
fn swapped_module_keeps_check_run_and_watch_from_starting() {
    let bench = locked();
    let input = bench.drop_noise("in/a.wav", 1, 1);
    bench.install(&Source::gain().version("1.0.1").assemble());
    let words: [&[&Path]; 3] = [
        &["check".as_ref(), &bench.pipeline],
        &["run".as_ref(), &bench.pipeline, &input],
        &["watch".as_ref(), "--until-idle".as_ref(), &bench.pipeline],
    ];
    for words in words {
        let ended = bench.lab.run(words);
        assert_eq!(ended.code, Some(78), "{words:?}: {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("does not match effects.lock"), "{words:?}: {said}");
        assert!(said.contains("wavemill effects lock"), "{words:?}: {said}");
    }
    assert_eq!(bench.lab.files("out"), [""; 0]);
    assert_eq!(lock(&bench).code, Some(0));
    assert_eq!(bench.lab.until_idle(&[&bench.pipeline]).code, Some(0));
}

#[test]
fn module_swapped_under_a_running_daemon_fails_the_job_and_keeps_the_input() {
    let bench = locked();
    let mut daemon = bench.lab.watch(&[&bench.pipeline]);
    daemon.wait_until_started();
    bench.install(&Source::gain().version("1.0.1").assemble());
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let failed = daemon.wait_for("the failure", |event| is_about(event, "job-failed", "in/a.wav"));
    let reason = failed["reason"].as_str().unwrap();
    assert!(
        reason.contains("does not match effects.lock") && reason.contains("fx/test.wasm"),
        "{reason}"
    );
    assert!(input.exists());
    assert_eq!(lock(&bench).code, Some(0));
    bench.drop_noise("in/b.wav", 1, 1);
    daemon.wait_for("the next job", |event| is_about(event, "job-done", "in/b.wav"));
    assert_eq!(daemon.terminate(), Some(3), "one file failed");
}

#[test]
fn pin_in_the_pipeline_fails_the_job_of_a_swapped_module() {
    let bench = Bench::with(&Source::gain());
    let described = bench.lab.run(
        ["effects", "describe", "--json"]
            .map(Path::new)
            .iter()
            .copied()
            .chain([bench.module().as_path()]),
    );
    let sha256 = described.json()["effect"]["sha256"].as_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&bench.pipeline).unwrap();
    let pinned = text.replace("effect = ", &format!("sha256 = \"{sha256}\"\neffect = "));
    let pipeline = bench.lab.pipeline("effects", &pinned);
    let mut daemon = bench.lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    bench.install(&Source::gain().version("1.0.1").assemble());
    bench.drop_noise("in/a.wav", 1, 1);
    let failed = daemon.wait_for("the failure", |event| is_about(event, "job-failed", "in/a.wav"));
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("has another SHA-256") && reason.contains("SHA-256"), "{reason}");
    assert_eq!(daemon.terminate(), Some(3), "one file failed");
}
