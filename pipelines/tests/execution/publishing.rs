//! What lies in the folders after runs that end early, and what is proposed.

use crate::lab::{Answers, Lab, floats, noise, pipeline, wav};
use std::fs::File;
use std::io::Write;
use wavemill_pipelines::execution::RunError;

const BODY: &str = r#"
[[step]]
use = "high-pass"
with = { cutoff_hz = 80.0 }
[[step]]
use = "loudness"
with = { target_lufs = -16.0 }
[[export]]
format = "wav"
path = "{date:%Y/%m}/{stem}_{lufs}.{ext}"
[[export]]
after = "decode"
format = "flac"
path = "keep/{hash8}.{ext}"
[report]
json = "{stem}.json"
"#;

fn input(lab: &Lab) -> std::path::PathBuf {
    lab.file("a.wav", &wav(48_000, 16, &[noise(1, 480_000), noise(2, 480_000)]))
}

#[test]
fn names_are_proposed_with_the_sources_measures() {
    let lab = Lab::new();
    let mut answers = Answers::new();
    lab.run_with(&pipeline(BODY), &input(&lab), &mut answers).unwrap();
    let files = lab.files("out");
    assert_eq!(files.len(), 3);
    assert!(files[0].starts_with("2026/03/a_-") && files[0].contains(".wav"), "{files:?}");
    assert_eq!(files[1], "a.json");
    assert!(files[2].starts_with("keep/"));
    assert!(answers.shares.is_sorted(), "progress never goes back");
    assert!((answers.shares.last().unwrap() - 1.0).abs() < 1e-9);
}

#[test]
fn canceled_run_leaves_nothing() {
    for at in [0.0, 0.3, 0.5, 0.7, 0.95] {
        let lab = Lab::new();
        let input = input(&lab);
        let mut answers = Answers::new();
        answers.cancel_at = Some((at, &lab.cancel));
        let error = lab.run_with(&pipeline(BODY), &input, &mut answers).unwrap_err();
        assert!(matches!(error, RunError::Canceled), "{error}");
        assert_eq!(lab.files("out"), [""; 0], "canceled at {at}");
        assert_eq!(lab.files("spool"), [""; 0]);
    }
}

#[test]
fn skipped_outputs_are_left_out_and_reported() {
    let lab = Lab::new();
    let mut answers = Answers::new();
    answers.skip = vec![0];
    let outcome = lab.run_with(&pipeline(BODY), &input(&lab), &mut answers).unwrap();
    assert_eq!(outcome.outputs.len(), 2);
    assert_eq!(outcome.report["outputs"][0]["skipped"], "taken");
    assert_eq!(lab.files("out").len(), 2);
}

#[test]
fn nothing_is_decoded_when_every_output_is_skipped() {
    let body = "[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let lab = Lab::new();
    let mut answers = Answers::new();
    answers.skip = vec![0];
    let outcome = lab.run_with(&pipeline(body), &input(&lab), &mut answers).unwrap();
    assert_eq!(outcome.outputs, []);
    assert_eq!(answers.shares, [1.0]);
}

#[test]
fn folder_that_cannot_be_made_refuses_the_job_and_leaves_nothing() {
    let lab = Lab::new();
    let input = input(&lab);
    std::fs::create_dir(lab.path("out")).unwrap();
    File::create(lab.path("out/keep")).unwrap().write_all(b"in the way").unwrap();
    let error = lab.run(&pipeline(BODY), &input).unwrap_err();
    let RunError::Refused { reason } = &error else { panic!("{error:?}") };
    assert!(reason.contains("out/keep"), "{reason}");
    assert_eq!(lab.files("out"), ["keep"]);
}

#[test]
fn source_that_grows_while_it_is_read_is_tried_again() {
    let lab = Lab::new();
    let input = input(&lab);
    let mut answers = Answers::new();
    let path = input.clone();
    answers.at_start = Some(Box::new(move || {
        File::options().append(true).open(&path).unwrap().write_all(&[0; 4096]).unwrap();
    }));
    let error = lab.run_with(&pipeline(BODY), &input, &mut answers).unwrap_err();
    assert!(
        matches!(&error, RunError::Transient { reason } if reason.contains("changed")),
        "{error}"
    );
    assert_eq!(lab.files("out"), [""; 0]);
}

#[test]
fn source_that_vanishes_while_it_is_read_fails_its_job() {
    let lab = Lab::new();
    let input = input(&lab);
    let mut answers = Answers::new();
    let path = input.clone();
    answers.at_start = Some(Box::new(move || std::fs::remove_file(&path).unwrap()));
    let error = lab.run_with(&pipeline(BODY), &input, &mut answers).unwrap_err();
    assert!(
        matches!(&error, RunError::Input { reason, .. } if reason.contains("was deleted")),
        "{error}"
    );
    assert_eq!(lab.files("out"), [""; 0]);
}

#[test]
fn steps_named_by_after_are_tapped_where_they_stand() {
    let body = r#"
[[step]]
id = "half"
use = "gain"
with = { gain_db = -6.0206 }
[[step]]
use = "gain"
with = { gain_db = -6.0206 }
[[export]]
after = "half"
format = "wav"
path = "half.wav"
[[export]]
format = "wav"
path = "quarter.wav"
"#;
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 0, &[vec![0.8; 5000]]));
    lab.run(&pipeline(body), &input).unwrap();
    let sample = |name: &str| floats(&lab.path("out").join(name)).1[4999];
    assert!((sample("half.wav") - 0.4).abs() < 1e-4);
    assert!((sample("quarter.wav") - 0.2).abs() < 1e-4);
}
