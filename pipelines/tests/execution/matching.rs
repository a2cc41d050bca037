//! Steps that go by another file.

use crate::lab::{Lab, dull, integers, noise, pipeline, wav};
use serde_json::Value;
use std::path::Path;
use wavemill_pipelines::execution::{RunError, identity};
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::{Effects, load, profiles};

const FRAMES: usize = 96_000;

fn to(reference: &Path) -> String {
    format!(
        "[[step]]\nuse = \"match\"\nwith = {{ reference = {:?} }}\n\
         [[export]]\nformat = \"wav\"\npath = \"out.wav\"\n",
        reference.to_str().unwrap()
    )
}

/// A file of noise, and one that is duller and half as loud.
fn files(lab: &Lab) -> [std::path::PathBuf; 2] {
    let quiet = dull(FRAMES).map(|plane| plane.iter().map(|sample| sample * 0.5).collect());
    let bright = [noise(1, FRAMES), noise(2, FRAMES)];
    let bright = bright.map(|plane| plane.iter().map(|sample| sample * 0.2).collect());
    [
        lab.file("in.wav", &wav(48_000, 24, &bright)),
        lab.file("reference.wav", &wav(44_100, 24, &quiet)),
    ]
}

fn finding(report: &Value, key: &str) -> f64 {
    report["steps"][0]["findings"][key].as_f64().unwrap_or_else(|| panic!("{key}: {report}"))
}

#[test]
fn export_is_closer_to_the_reference_and_the_report_says_how_much() {
    let lab = Lab::new();
    let [input, reference] = files(&lab);
    let finished = lab.run(&pipeline(&to(&reference)), &input).unwrap();
    let before = finding(&finished.report, "spectrum_distance_before_db");
    let after = finding(&finished.report, "spectrum_distance_after_db");
    assert!(after < before * 0.7, "{before} {after}");
    assert!(finding(&finished.report, "eq_8000_hz_db") < finding(&finished.report, "eq_250_hz_db"));
    let wanted = finding(&finished.report, "reference_integrated_lufs");
    let expected = finding(&finished.report, "expected_integrated_lufs");
    assert!((wanted - expected).abs() < 0.1, "{wanted} {expected}");
    assert_eq!(integers(&lab.path("out/out.wav")).1.len(), 2 * FRAMES);
}

/// Noise has far more treble than techno, and less loudness.
#[test]
fn genre_profile_is_a_reference_too_that_no_file_is_read_for() {
    let lab = Lab::new();
    let [input, _] = files(&lab);
    let pipeline = pipeline(&to(Path::new("profile:techno-deep")));
    assert!(pipeline.companion_paths(&Lab::job(&input)).is_empty());
    let finished = lab.run(&pipeline, &input).unwrap();
    let after = finding(&finished.report, "spectrum_distance_after_db");
    assert!(after < finding(&finished.report, "spectrum_distance_before_db") * 0.7, "{after}");
    assert!(finding(&finished.report, "eq_8000_hz_db") < finding(&finished.report, "eq_63_hz_db"));
    let profile = profiles::of_reference("profile:techno-deep").unwrap().unwrap();
    let wanted = finding(&finished.report, "reference_integrated_lufs");
    assert_eq!(Some(wanted), profile.integrated_lufs.min.map(|lufs| lufs.0));
}

#[test]
fn genre_without_a_profile_is_a_mistake_of_the_pipeline() {
    let text = format!("version = 1\n[pipeline]\nname = \"m\"\n{}", to(Path::new("profile:tecno")));
    let mistakes = load(&text, &Defaults::default(), &Effects::default()).unwrap_err();
    assert_eq!(mistakes[0].code, "unknown-profile");
    assert_eq!(mistakes[0].message, "no profile for `tecno`; did you mean `techno`?");
}

#[test]
fn reference_is_a_file_that_a_job_reads() {
    let lab = Lab::new();
    let [input, reference] = files(&lab);
    let pipeline = pipeline(&to(&reference));
    assert_eq!(pipeline.companion_paths(&Lab::job(&input)), [reference]);
}

#[test]
fn what_is_known_of_a_group_does_not_outlive_a_changed_reference() {
    let lab = Lab::new();
    let [_, reference] = files(&lab);
    let pipeline = pipeline(&to(&reference));
    let before = identity(&pipeline);
    assert_eq!(identity(&pipeline), before);
    lab.file("reference.wav", &wav(44_100, 24, &dull(FRAMES / 2)));
    assert_ne!(identity(&pipeline), before);
}

#[test]
fn reference_that_is_missing_is_a_mistake_of_the_pipeline() {
    let text = format!("version = 1\n[pipeline]\nname = \"m\"\n{}", to(Path::new("none.wav")));
    let mistakes = load(&text, &Defaults::default(), &Effects::default()).unwrap_err();
    assert_eq!(mistakes[0].code, "missing-file");
    assert!(mistakes[0].message.contains("none.wav"), "{mistakes:?}");
}

#[test]
fn reference_that_is_silent_or_no_audio_fails_the_job_in_one_line() {
    let lab = Lab::new();
    let [input, reference] = files(&lab);
    let pipeline = pipeline(&to(&reference));
    for (bytes, what) in [
        (wav(44_100, 16, &[vec![0.0; FRAMES]]), "has no loudness"),
        (b"no audio at all".to_vec(), "reference.wav"),
    ] {
        lab.file("reference.wav", &bytes);
        let Err(RunError::Refused { reason }) = lab.run(&pipeline, &input) else {
            panic!("it was processed");
        };
        assert!(reason.starts_with("step `match`: the reference "), "{reason}");
        assert!(reason.contains(what) && !reason.contains('\n'), "{reason}");
    }
}
