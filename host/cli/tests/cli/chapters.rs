//! Chapters beside the exports, by `run`, `watch` and `export`.

use super::{Lab, code, square_wave, stderr, stdout};
use serde_json::Value;
use std::fs::File;
use std::io::Write;

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"talk\"\n[[watch]]\npath = \"in\"\n\
                        ready = { stable_for = \"50ms\" }\n\
                        [[step]]\nuse = \"range\"\nwith = { start_s = 0.25, end_s = 0.75 }\n\
                        [[export]]\nformat = \"wav\"\npath = \"out/{stem}.{ext}\"\n\
                        [tags]\nchapters = \"{stem}.txt\"\n\
                        [chapters]\njson = \"out/{stem}.chapters.json\"\n\
                        [report]\njson = \"out/{stem}.json\"\n";

const ALL: [&str; 3] = ["a.chapters.json", "a.json", "a.wav"];

/// A second of sound with two chapters that the pipeline keeps.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("p.toml", PIPELINE);
    lab.write("in/a.txt", "0:00 Hello\n0:00.5 News\n");
    File::create(lab.path("in/a.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab
}

fn succeeds(lab: &Lab, args: &[&str]) -> String {
    let output = lab.run(args);
    assert_eq!(code(&output), 0, "{args:?}: {}{}", stdout(&output), stderr(&output));
    stdout(&output)
}

fn names(lab: &Lab) -> Vec<String> {
    let entries = std::fs::read_dir(lab.path("out")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Starts and titles.
fn listed(lab: &Lab, name: &str) -> Vec<(f64, String)> {
    let written: Value = serde_json::from_reader(File::open(lab.path(name)).unwrap()).unwrap();
    let chapters = written["chapters"].as_array().unwrap().iter();
    let title = |chapter: &Value| chapter["title"].as_str().unwrap().to_owned();
    chapters.map(|chapter| (chapter["startTime"].as_f64().unwrap(), title(chapter))).collect()
}

#[test]
fn second_run_replaces_the_chapters_of_the_first() {
    let lab = lab();
    let run = ["run", "p.toml", "in/a.wav"];
    let printed = succeeds(&lab, &run);
    assert!(printed.contains("a.wav -> 1 file"), "{printed}");
    assert!(printed.contains("  out/a.chapters.json"), "{printed}");
    assert_eq!(names(&lab), ALL);
    let expected = [(0.0, "Hello".to_owned()), (0.25, "News".to_owned())];
    assert_eq!(listed(&lab, "out/a.chapters.json"), expected);
    lab.write("in/a.txt", "0:00.5 Later\n");
    succeeds(&lab, &run);
    assert_eq!(names(&lab), ALL);
    assert_eq!(listed(&lab, "out/a.chapters.json"), [(0.25, "Later".to_owned())]);
    lab.write("out/a.chapters.json", "mine");
    let output = lab.run(&run);
    assert_eq!(code(&output), 3);
    let reason = "out/a.chapters.json was changed since it was written; replace it with --force";
    assert!(stderr(&output).contains(reason), "{}", stderr(&output));
}

#[test]
fn daemon_publishes_chapters_and_none_where_the_steps_left_none() {
    let lab = lab();
    File::create(lab.path("in/b.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab.write("in/b.txt", "0:00.9 Too late\n");
    succeeds(&lab, &["watch", "p.toml", "--until-idle"]);
    assert_eq!(names(&lab), ["a.chapters.json", "a.json", "a.wav", "b.json", "b.wav"]);
    assert_eq!(listed(&lab, "out/a.chapters.json").len(), 2);
}

#[test]
fn dry_run_names_the_chapters_that_a_run_writes() {
    let lab = lab();
    let dry = ["run", "p.toml", "in/a.wav", "--dry-run"];
    assert!(succeeds(&lab, &dry).contains("would write out/a.chapters.json"));
    lab.write("in/a.txt", "0:00.9 Too late\n");
    let printed = succeeds(&lab, &dry);
    assert!(
        printed.contains("would write out/a.wav") && !printed.contains("chapters"),
        "{printed}"
    );
    assert!(!lab.path("out").exists());
}

#[test]
fn flag_of_export_writes_the_chapters_of_the_file_it_makes() {
    let lab = lab();
    let flags = ["export", "in/a.wav", "b.flac", "--chapters", "in/a.txt", "--start", "0.25"];
    let flags = [&flags[..], &["--chapters-json", "b {x}.json"]].concat();
    succeeds(&lab, &flags);
    let expected = [(0.0, "Hello".to_owned()), (0.25, "News".to_owned())];
    assert_eq!(listed(&lab, "b {x}.json"), expected);
    let printed = succeeds(&lab, &[&flags[..], &["--print-pipeline"]].concat());
    assert!(printed.ends_with("\n[chapters]\njson = \"b {{x}}.json\"\n"), "{printed}");
    // They are outputs as the export is: replaced by --force only.
    lab.write("b {x}.json", "mine");
    assert_eq!(code(&lab.run(&flags)), 3);
    succeeds(&lab, &[&flags[..], &["--force"]].concat());
    assert_eq!(listed(&lab, "b {x}.json"), expected);
}
