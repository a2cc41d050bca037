//! `--dry-run`: what would come out, measured, and nothing written.

use super::groups::{FILES, album, pipeline};
use super::{Lab, code, stderr, stdout};
use serde_json::Value;

fn lines(output: &std::process::Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {value}"))
}

#[test]
fn dry_run_shows_what_the_run_then_makes_and_writes_nothing() {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -23.0, group = \"folder\"");
    let words = |more: &[&'static str]| [&["run", "album.toml"], &FILES[..], more].concat();
    let dry = lab.run(&words(&["--dry-run", "--json"]));
    assert_eq!(code(&dry), 0, "{}", stderr(&dry));
    assert!(!lab.path("out").exists());
    let planned = lines(&dry);
    assert_eq!(planned.len(), 3);
    assert_eq!(code(&lab.run(&words(&[]))), 0);
    for (planned, stem) in planned.iter().zip(["1 loud", "2 soft", "3 softer"]) {
        assert_eq!(planned["event"], "dry-run");
        assert!(planned["outputs"][0]["conflict"].is_null());
        let bytes = std::fs::read(lab.path(&format!("out/{stem}.json"))).unwrap();
        let made: Value = serde_json::from_slice(&bytes).unwrap();
        for same in ["/steps", "/loudness", "/outputs/0/loudness", "/outputs/0/frames"] {
            assert_eq!(planned["report"].pointer(same), made.pointer(same), "{stem}: {same}");
        }
        assert!(planned["report"]["outputs"][0]["blake3"].is_null());
        let path = made["outputs"][0]["path"].as_str().unwrap();
        assert_eq!(planned["outputs"][0]["path"].as_str().unwrap(), path);
    }
}

#[test]
fn dry_run_says_what_limits_the_gain_and_which_names_are_taken() {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -5.0, group = \"batch\"");
    lab.write("out/2 soft.wav", "mine");
    let output = lab.run(&[&["run", "album.toml", "--dry-run"], &FILES[..]].concat());
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    assert!(text.contains("one gain for a group of 3: "), "{text}");
    assert!(text.contains("loudness: the group's largest peak limits the gain"), "{text}");
    assert!(text.contains(" would write out/1 loud.wav"), "{text}");
    assert!(text.contains("2 soft.wav already exists"), "{text}");
    assert_eq!(text.matches(" would fail: ").count(), 1, "{text}");
    assert_eq!(std::fs::read_dir(lab.path("out")).unwrap().count(), 1);
}

#[test]
fn two_sources_of_one_name_collide_in_a_dry_run_as_in_a_run() {
    let lab = Lab::new();
    super::groups::piece(&lab, "a/x.wav", 1, 0.1);
    super::groups::piece(&lab, "b/x.wav", 1, 0.1);
    pipeline(&lab, "target_lufs = -23.0");
    let files = ["run", "album.toml", "a/x.wav", "b/x.wav"];
    let dry = lab.run(&[&files[..], &["--dry-run", "--json"]].concat());
    assert_eq!(code(&dry), 3);
    let planned = lines(&dry);
    assert!(planned[0]["outputs"][0]["conflict"].is_null());
    let conflict = planned[1]["outputs"][0]["conflict"].as_str().unwrap();
    assert!(conflict.contains("would be written by an earlier file"), "{conflict}");
    assert_eq!(code(&lab.run(&files)), 3);
}

#[test]
fn dry_run_of_an_export_measures_what_the_flags_make() {
    let lab = Lab::new();
    super::groups::piece(&lab, "in.wav", 3, 0.1);
    let flags = ["export", "in.wav", "out.flac", "--loudness", "-14", "--dry-run"];
    let output = lab.run(&flags);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("-> -14.0 LUFS") || text.contains("limits the gain"), "{text}");
    assert!(text.contains("would write out.flac"), "{text}");
    assert!(!lab.path("out.flac").exists());
    let planned = lines(&lab.run(&[&flags[..], &["--json"]].concat())).remove(0);
    let before = number(&planned, "/report/loudness/integrated_lufs");
    let gain = number(&planned, "/report/steps/0/findings/gain_db");
    let after = number(&planned, "/report/outputs/0/loudness/integrated_lufs");
    assert!((before + gain - after).abs() < 0.01, "{before} {gain} {after}");
}

#[test]
fn dry_run_of_a_broken_or_rejected_file_says_so() {
    let lab = Lab::new();
    super::groups::piece(&lab, "short.wav", 1, 0.1);
    lab.write("broken.wav", "no audio");
    pipeline(&lab, "target_lufs = -23.0");
    let text = std::fs::read_to_string(lab.path("album.toml")).unwrap();
    lab.write("album.toml", &format!("{text}[[require]]\nduration = {{ min = \"2s\" }}\n"));
    let output = lab.run(&["run", "album.toml", "short.wav", "broken.wav", "--dry-run"]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("would be rejected: "), "{}", stdout(&output));
    assert!(!stdout(&output).contains("would write out/short.wav"), "{}", stdout(&output));
    assert!(stderr(&output).contains("broken.wav"), "{}", stderr(&output));
}
