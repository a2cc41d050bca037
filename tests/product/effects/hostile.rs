//! Modules that mean harm: one line, the input kept, other jobs and the daemon unharmed.

use crate::bench::Bench;
use crate::module::Source;
use wavemill_tests::lab::is_about;

/// Seconds of the inputs: the effect turns hostile in the middle.
const SECONDS: usize = 1;
const MIDDLE: usize = 20_000;

/// The daemon starts with a good module, which is then replaced by `bytes`; the reason of the job's
/// failure, one line.
fn failure(bytes: &[u8]) -> String {
    let good = Source::gain();
    let bench = Bench::with(&good);
    let mut daemon = bench.lab.watch(&[&bench.pipeline, &bench.other]);
    daemon.wait_until_started();
    bench.install(bytes);
    let input = bench.drop_noise("in/bad.wav", SECONDS, 1);
    bench.drop_noise("other/unharmed.wav", SECONDS, 2);
    let failed =
        daemon.wait_for("the failure", |event| is_about(event, "job-failed", "in/bad.wav"));
    let reason = failed["reason"].as_str().unwrap().to_owned();
    assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
    assert!(input.exists(), "the input is kept");
    daemon.wait_for("another's job", |event| is_about(event, "job-done", "other/unharmed.wav"));
    bench.install(&good.assemble());
    bench.drop_noise("in/good.wav", SECONDS, 3);
    daemon.wait_for("the next job", |event| is_about(event, "job-done", "in/good.wav"));
    assert_eq!(bench.lab.files("out"), ["good.json", "good.wav"]);
    let job = failed["job"].as_str().unwrap();
    let shown = bench.lab.run(["jobs", "show", job, "--json"]).json();
    assert_eq!(shown["job"]["reason"], reason.as_str());
    assert_eq!(daemon.terminate(), Some(3), "one file failed");
    reason
}

#[test]
fn endless_loop_in_the_middle_of_a_file_is_stopped() {
    let endless = Source::gain().after(MIDDLE, "(loop $endless (br $endless))");
    let reason = failure(&endless.assemble());
    assert!(reason.contains("`Test`") && reason.contains("took too long"), "{reason}");
    assert!(reason.contains("at frame 16384"), "{reason}");
}

#[test]
fn trap_in_the_middle_of_a_file_fails_its_job() {
    let reason = failure(&Source::gain().after(MIDDLE, "(unreachable)").assemble());
    assert!(reason.contains("`Test`") && reason.contains("at frame 16384"), "{reason}");
}

#[test]
fn address_beyond_the_memory_fails_its_job() {
    let beyond = "(i32.store (i32.const -4) (i32.const 1))";
    let reason = failure(&Source::gain().after(MIDDLE, beyond).assemble());
    assert!(reason.contains("`Test`") && reason.contains("memory out of bounds"), "{reason}");
}

#[test]
fn endless_recursion_fails_its_job() {
    let mut source = Source::gain().after(MIDDLE, "(call $deeper)");
    source = source.function("(func $deeper (call $deeper) (call $deeper))");
    let reason = failure(&source.assemble());
    assert!(reason.contains("`Test`") && reason.contains("stack"), "{reason}");
}

#[test]
fn nan_in_the_output_fails_its_job() {
    let nan = "(f32.store (i32.const 65536) (f32.const nan)) (return (i32.const 0))";
    let reason = failure(&Source::gain().after(MIDDLE, nan).assemble());
    assert!(reason.contains("NaN") && reason.contains("channel 0"), "{reason}");
}

#[test]
fn absurdly_loud_output_fails_its_job() {
    let loud = "(f32.store (i32.const 65536) (f32.const 1e30)) (return (i32.const 0))";
    let reason = failure(&Source::gain().after(MIDDLE, loud).assemble());
    assert!(reason.contains("1e30"), "{reason}");
}

#[test]
fn unknown_import_fails_the_job_and_names_it() {
    let reason = failure(&Source::gain().import("wasi_snapshot_preview1", "fd_write").assemble());
    assert!(reason.contains("wasi_snapshot_preview1.fd_write"), "{reason}");
}

#[test]
fn module_of_one_byte_too_many_fails_the_job() {
    let mut big = Source::gain().assemble();
    big.resize((16 << 20) + 1, 0);
    let reason = failure(&big);
    assert!(reason.contains("16777216"), "{reason}");
}

#[test]
fn bytes_that_are_no_module_fail_the_job() {
    let reason = failure(b"MZ\x90\0 this is something else");
    assert!(reason.contains("fx/test.wasm") && reason.contains("WebAssembly"), "{reason}");
}

#[test]
fn watch_does_not_start_with_a_module_that_cannot_be_used() {
    let bench = Bench::with(&Source::gain().import("env", "powf"));
    let ended = bench.lab.until_idle(&[&bench.pipeline]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(
        ended.stderr.contains("env.powf") && ended.stderr.contains("effects.toml:10"),
        "{ended:?}"
    );
}
