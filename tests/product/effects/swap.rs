//! A module that is replaced while the program runs.

use crate::bench::Bench;
use crate::module::Source;
use wavemill_tests::lab::is_about;

/// Takes some tens of milliseconds a block, so that there is a middle of the file.
fn slow(version: &'static str) -> Source {
    Source::gain().version(version).idle(3_000_000)
}

#[test]
fn module_swapped_while_a_job_runs_is_taken_by_the_next_job() {
    let bench = Bench::with(&slow("1.0.0"));
    let mut daemon = bench.lab.watch(&[&bench.pipeline]);
    daemon.wait_until_started();
    bench.drop_noise("in/first.wav", 4, 1);
    daemon.wait_for("progress", |event| event["event"] == "progress");
    bench.install(&Source::gain().version("2.0.0").assemble());
    daemon.wait_for("the first", |event| is_about(event, "job-done", "in/first.wav"));
    bench.drop_noise("in/second.wav", 1, 1);
    daemon.wait_for("the second", |event| is_about(event, "job-done", "in/second.wav"));
    let version = |name: &str| bench.report(name)["steps"][0]["module"]["version"].clone();
    assert_eq!((version("first"), version("second")), ("1.0.0".into(), "2.0.0".into()));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn module_that_lost_a_parameter_fails_the_next_job_with_the_reason() {
    let bench = Bench::new("[[step]]\neffect = \"fx/test.wasm\"\nwith = { gain_lin = 1.0 }\n");
    let right = Source::gain().assemble();
    bench.install(&right);
    let mut daemon = bench.lab.watch(&[&bench.pipeline]);
    daemon.wait_until_started();
    let renamed = String::from_utf8_lossy(&right).contains("gain_lin");
    assert!(renamed, "the description is plain text");
    let at = right.windows(8).position(|bytes| bytes == b"gain_lin").unwrap();
    let mut other = right.clone();
    // Twice: the parameter and the preset that names it.
    other[at..at + 8].copy_from_slice(b"loud_lin");
    let at = right.windows(8).rposition(|bytes| bytes == b"gain_lin").unwrap();
    other[at..at + 8].copy_from_slice(b"loud_lin");
    bench.install(&other);
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let failed = daemon.wait_for("the failure", |event| is_about(event, "job-failed", "in/a.wav"));
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("no parameter `gain_lin`"), "{reason}");
    assert!(input.exists());
    assert_eq!(daemon.terminate(), Some(3));
}
