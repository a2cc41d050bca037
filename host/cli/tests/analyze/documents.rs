//! Files that `analyze` writes: pages and pipelines.

use super::{Lab, code, json, samples, stderr, stdout, wave};
use serde_json::Value;
use std::fs;

/// A folder with `a.wav`, noise at -18 dBFS or so.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("a.wav", &wave(&samples(1, 9000), None));
    lab
}

#[test]
fn page_stands_alone_and_is_not_replaced_unasked() {
    let lab = lab();
    let line = ["analyze", "a.wav", "--html", "a.html", "--title", "Mill & Sons"];
    let output = lab.run(&line);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let page = fs::read_to_string(lab.path("a.html")).unwrap();
    for part in ["<!DOCTYPE html>", "Mill &amp; Sons", "a.wav", "<svg"] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "src=\"http", "href=\"http", "@import", "NaN"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.len() < 400_000, "{} bytes", page.len());
    let again = lab.run(&line);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("a.html already exists"), "{}", stderr(&again));
    assert_eq!(fs::read_to_string(lab.path("a.html")).unwrap(), page);
    let forced: Vec<&str> = line.into_iter().chain(["--force"]).collect();
    assert_eq!(code(&lab.run(&forced)), 0);
    let onto_itself = lab.run(&["analyze", "a.wav", "--html", "a.wav", "--force"]);
    assert_ne!(code(&onto_itself), 0);
    assert_eq!(fs::read(lab.path("a.wav")).unwrap(), wave(&samples(1, 9000), None));
}

#[test]
fn advice_becomes_a_pipeline_without_mistakes() {
    let lab = lab();
    let line = ["analyze", "a.wav", "--recommend", "--genre", "techno", "--apply", "fix.toml"];
    let output = lab.run(&line);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("Advice by Techno, peak-time"), "{}", stdout(&output));
    assert!(stderr(&output).contains("next: wavemill run fix.toml a.wav"), "{}", stderr(&output));
    let checked = lab.run(&["check", "fix.toml"]);
    assert_eq!(code(&checked), 0, "{}{}", stdout(&checked), stderr(&checked));
    let again = lab.run(&line);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("fix.toml already exists"), "{}", stderr(&again));
}

#[test]
fn track_advises_nothing_against_itself() {
    let lab = lab();
    let value =
        json(&lab.run(&["analyze", "a.wav", "--recommend", "--reference", "a.wav", "--json"]));
    let file = &value["files"][0];
    assert_eq!((&file["profile"], &file["advice"]), (&"reference".into(), &serde_json::json!([])));
}

#[test]
fn unknown_genre_gets_general_advice() {
    let output = lab().run(&["analyze", "a.wav", "--recommend", "--genre", "rock", "--json"]);
    assert_eq!(code(&output), 0);
    assert!(stderr(&output).starts_with("warning: no profile for `rock`"), "{}", stderr(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["files"][0]["profile"], "general");
}

#[test]
fn pipeline_of_advice_is_refused_before_the_work() {
    let lab = lab();
    for (args, reason) in [
        (&["a.wav", "--recommend", "--apply", "fix.txt"][..], "name it FILE.toml"),
        (&["a.wav", "a.wav", "--recommend", "--apply", "fix.toml"], "for one file"),
        (&["a.wav", "--recommend", "--reference", "b.wav"], "b.wav"),
        (&["a.wav", "--genre", "techno"], "--recommend"),
    ] {
        let output = lab.run(&[&["analyze"], args].concat());
        assert_ne!(code(&output), 0, "{args:?}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
        assert!(!lab.path("fix.toml").exists());
    }
}
