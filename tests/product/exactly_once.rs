//! What makes a job and what does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_tests::lab::{Lab, put, shipped};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// A pipeline that is quick to settle and overwrites nothing.
const COPY: &str = r#"
version = 1

[pipeline]
name = "copy"

[[watch]]
path = "in"
ready = { stable_for = "100ms" }

[[export]]
format = "wav"
path = "out/{stem}.{ext}"
"#;

fn tone(path: &Path, hz: f64) {
    wav::write(path, &signal::sine(48_000, 1, 4800, hz, 0.5), Stored::Int(16));
}

/// A lab in which `in/a.wav` was processed by the pipeline.
fn processed() -> (Lab, PathBuf) {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    tone(&lab.path("in/a.wav"), 440.0);
    let ended = lab.until_idle(&[&pipeline]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(states(&lab), ["done"]);
    (lab, pipeline)
}

fn states(lab: &Lab) -> Vec<String> {
    let state = |job: &Value| job["state"].as_str().unwrap().to_owned();
    lab.jobs().iter().map(state).collect()
}

fn watch_again(lab: &Lab, pipeline: &Path) {
    let ended = lab.until_idle(&[pipeline]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn watching_again_redoes_nothing() {
    let (lab, pipeline) = processed();
    let modified = |lab: &Lab| lab.root().join("out/a.wav").metadata().unwrap().modified().unwrap();
    let before = modified(&lab);
    watch_again(&lab, &pipeline);
    assert_eq!(states(&lab), ["done"]);
    assert_eq!(modified(&lab), before);
}

#[test]
fn editing_a_shipped_pipeline_redoes_nothing() {
    let lab = Lab::new();
    let two_seconds = signal::sine(48_000, 1, 96_000, 440.0, 0.1);
    wav::write(&lab.path("inbox/podcast/a.wav"), &two_seconds, Stored::Int(16));
    watch_again(&lab, &shipped("podcast"));
    let text = std::fs::read_to_string(shipped("podcast")).unwrap();
    assert!(text.contains("-16"), "the target can be edited");
    let edited = lab.pipeline("podcast", &text.replace("-16", "-18"));
    watch_again(&lab, &edited);
    assert_eq!(states(&lab), ["done"]);
}

#[test]
fn reprocess_starts_a_new_job() {
    let (lab, pipeline) = processed();
    let input = lab.root().join("in/a.wav");
    let ended = lab.run([Path::new("jobs"), Path::new("reprocess"), &input]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    watch_again(&lab, &pipeline);
    assert_eq!(states(&lab), ["done", "done"]);
    assert_eq!(lab.files("out"), ["a.wav"]);
}

#[test]
fn retry_starts_a_new_job() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    put(&lab.path("in/a.wav"), b"no audio at all");
    let ended = lab.until_idle(&[&pipeline]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let jobs = lab.jobs();
    let failed = jobs[0]["id"].as_str().unwrap();
    let ended = lab.run(["jobs", "retry", failed]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lab.until_idle(&[&pipeline]);
    let jobs = lab.jobs();
    assert_eq!(jobs.len(), 2, "{jobs:#?}");
    assert!(jobs.iter().any(|job| job["retry_of"] == failed), "{jobs:#?}");
}

#[test]
fn a_file_dropped_again_starts_a_new_job() {
    let (lab, pipeline) = processed();
    let (input, aside) = (lab.root().join("in/a.wav"), lab.aside("a.wav"));
    std::fs::rename(&input, &aside).unwrap();
    watch_again(&lab, &pipeline);
    std::fs::rename(&aside, &input).unwrap();
    watch_again(&lab, &pipeline);
    assert_eq!(states(&lab), ["done", "done"]);
}

#[test]
fn a_rewritten_file_starts_a_new_job() {
    let (lab, _) = processed();
    let replacing = COPY.replace("{ext}\"", "{ext}\"\non_conflict = \"replace\"");
    tone(&lab.root().join("in/a.wav"), 880.0);
    watch_again(&lab, &lab.pipeline("copy", &replacing));
    assert_eq!(states(&lab), ["done", "done"]);
}

#[test]
fn a_copy_under_a_new_name_starts_a_new_job() {
    let (lab, pipeline) = processed();
    std::fs::copy(lab.root().join("in/a.wav"), lab.root().join("in/b.wav")).unwrap();
    watch_again(&lab, &pipeline);
    assert_eq!(states(&lab), ["done", "done"]);
    assert_eq!(lab.files("out"), ["a.wav", "b.wav"]);
}

#[test]
fn a_touched_file_redoes_nothing() {
    let (lab, pipeline) = processed();
    let input = lab.root().join("in/a.wav");
    let file = std::fs::File::options().write(true).open(&input).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    watch_again(&lab, &pipeline);
    assert_eq!(lab.files("out"), ["a.wav"]);
}
