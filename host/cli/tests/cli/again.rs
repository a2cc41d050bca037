//! Trying again: outputs of before are replaced while nobody changed them.

use super::{Lab, code, square_wave, stderr, stdout};
use std::fs::File;
use std::io::Write;

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"again\"\n[[watch]]\npath = \"in\"\n\
                        ready = { stable_for = \"50ms\" }\n\
                        [[export]]\nformat = \"wav\"\npath = \"out/{stem}.{ext}\"\n\
                        [report]\njson = \"out/{stem}.json\"\n";

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("p.toml", PIPELINE);
    for folder in ["in", "out", "copy"] {
        std::fs::create_dir(lab.path(folder)).unwrap();
    }
    lab
}

fn drop_file(lab: &Lab, name: &str) {
    File::create(lab.path(name)).unwrap().write_all(&square_wave()).unwrap();
}

fn succeeds(lab: &Lab, args: &[&str]) {
    let output = lab.run(args);
    assert_eq!(code(&output), 0, "{args:?}: {}{}", stdout(&output), stderr(&output));
}

fn fails(lab: &Lab, args: &[&str], reason: &str) {
    let output = lab.run(args);
    assert_eq!(code(&output), 3, "{args:?}");
    assert!(stderr(&output).contains(reason), "{}", stderr(&output));
}

fn names(lab: &Lab) -> Vec<String> {
    let entries = std::fs::read_dir(lab.path("out")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn second_run_replaces_what_the_first_made_and_nothing_that_was_changed() {
    let lab = lab();
    drop_file(&lab, "a.wav");
    let run = ["run", "p.toml", "a.wav"];
    succeeds(&lab, &run);
    let first = std::fs::read(lab.path("out/a.wav")).unwrap();
    succeeds(&lab, &["run", "p.toml", "a.wav", "--dry-run"]);
    succeeds(&lab, &run);
    assert_eq!(std::fs::read(lab.path("out/a.wav")).unwrap(), first);
    assert_eq!(names(&lab), ["a.json", "a.wav"]);
    lab.write("out/a.wav", "edited");
    let changed = "out/a.wav was changed since it was written; replace it with --force";
    fails(&lab, &run, changed);
    assert_eq!(std::fs::read(lab.path("out/a.wav")).unwrap(), b"edited");
    succeeds(&lab, &["run", "p.toml", "a.wav", "--force"]);
    assert_eq!(std::fs::read(lab.path("out/a.wav")).unwrap(), first);
}

#[test]
fn file_of_others_is_replaced_by_force_only() {
    let lab = lab();
    drop_file(&lab, "a.wav");
    lab.write("out/a.json", "mine");
    fails(&lab, &["run", "p.toml", "a.wav"], "out/a.json already exists; replace it with --force");
    assert_eq!(names(&lab), ["a.json"]);
    succeeds(&lab, &["run", "p.toml", "a.wav", "--force"]);
    assert_eq!(names(&lab), ["a.json", "a.wav"]);
}

#[test]
fn run_and_watch_replace_what_the_other_made_of_the_same_file() {
    let lab = lab();
    drop_file(&lab, "in/a.wav");
    let watch = ["watch", "p.toml", "--until-idle"];
    succeeds(&lab, &watch);
    succeeds(&lab, &["run", "p.toml", "in/a.wav"]);
    // The same content elsewhere, as a source that was moved.
    drop_file(&lab, "copy/a.wav");
    succeeds(&lab, &["run", "p.toml", "copy/a.wav"]);
    succeeds(&lab, &["run", "p.toml", "in/a.wav"]);
    std::fs::remove_file(lab.path("in/a.wav")).unwrap();
    succeeds(&lab, &watch);
    drop_file(&lab, "in/a.wav");
    succeeds(&lab, &watch);
    assert_eq!(names(&lab), ["a.json", "a.wav"]);
}

#[test]
fn report_of_a_rejection_does_not_stand_in_the_way() {
    let lab = lab();
    drop_file(&lab, "a.wav");
    lab.write("p.toml", &format!("{PIPELINE}[[require]]\nduration = {{ min = \"9h\" }}\n"));
    for _ in 0..2 {
        fails(&lab, &["run", "p.toml", "a.wav"], "rejected");
        assert_eq!(names(&lab), ["a.json"]);
    }
    lab.write("p.toml", PIPELINE);
    succeeds(&lab, &["run", "p.toml", "a.wav"]);
}

#[test]
fn files_that_differ_in_extension_both_come_out_under_the_same_names_each_time() {
    let lab = lab();
    drop_file(&lab, "a.wav");
    succeeds(&lab, &["export", "a.wav", "a.flac"]);
    let all = ["a.flac.json", "a.flac.wav", "a.json", "a.wav"];
    for _ in 0..2 {
        succeeds(&lab, &["run", "p.toml", "a.wav", "a.flac"]);
        assert_eq!(names(&lab), all);
    }
    succeeds(&lab, &["run", "p.toml", "a.flac", "a.wav", "--force"]);
    assert_eq!(names(&lab), all);
    let twice = ["run", "p.toml", "a.wav", "a.flac", "--dry-run", "--output", "else"];
    let dry = lab.run(&twice);
    assert_eq!(code(&dry), 0);
    assert!(stdout(&dry).contains("else/out/a.flac.wav"), "{}", stdout(&dry));
}
