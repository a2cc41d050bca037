//! `wavemill waveform`.

use super::{Lab, code, json, square_wave, stderr, stdout};
use std::fs::File;
use std::io::Write;

fn lab() -> Lab {
    let lab = Lab::new();
    File::create(lab.path("a.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab
}

fn names(lab: &Lab) -> Vec<String> {
    let entries = std::fs::read_dir(lab.path(".")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn waveform_without_output_prints_json() {
    let output = lab().run(&["waveform", "a.wav", "--points", "4,2"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let document = json(&output);
    assert_eq!(document["levels"][0]["points"], 4);
    assert_eq!(document["levels"][1]["mix"]["max"].as_array().unwrap().len(), 2);
    assert_eq!(document["levels"][0]["mix"]["max"][0], 0.5);
    assert_eq!(document["duration_s"], 1.0);
}

#[test]
fn waveform_is_written_whole_in_every_format() {
    let lab = lab();
    for (name, start) in [
        ("a.png", &b"\x89PNG"[..]),
        ("a.svg", b"<svg "),
        ("a.dat", &[2, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x1f]),
        ("a.json", b"{\"version\":1"),
    ] {
        let output = lab.run(&["waveform", "a.wav", "-o", name]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert!(stdout(&output).starts_with(&format!("a.wav -> {name} (")));
        assert!(std::fs::read(lab.path(name)).unwrap().starts_with(start), "{name}");
    }
    let output = lab.run(&[
        "waveform",
        "a.wav",
        "-o",
        "b.json",
        "--format",
        "audiowaveform-json",
        "--bits",
        "8",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = std::fs::read_to_string(lab.path("b.json")).unwrap();
    assert!(text.contains("\"samples_per_pixel\":8,\"bits\":8,\"length\":1000"), "{text}");
    assert_eq!(names(&lab), ["a.dat", "a.json", "a.png", "a.svg", "a.wav", "b.json"]);
}

#[test]
fn waveform_replaces_nothing_unless_forced() {
    let lab = lab();
    lab.write("a.png", "mine");
    let output = lab.run(&["waveform", "a.wav", "-o", "a.png"]);
    assert_eq!(code(&output), 1);
    assert_eq!(stderr(&output), "error: a.png already exists; replace it with --force\n");
    assert_eq!(std::fs::read(lab.path("a.png")).unwrap(), b"mine");
    assert_eq!(code(&lab.run(&["waveform", "a.wav", "-o", "a.png", "--force"])), 0);
    assert!(std::fs::read(lab.path("a.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn waveform_never_replaces_its_input() {
    let lab = lab();
    let output = lab.run(&["waveform", "a.wav", "-o", "./a.wav", "--format", "png", "--force"]);
    assert_eq!(code(&output), 2);
    assert_eq!(std::fs::read(lab.path("a.wav")).unwrap(), square_wave());
}

#[test]
fn waveform_of_a_range_is_that_range() {
    let output =
        lab().run(&["waveform", "a.wav", "--from", "0.25", "--to", "0:00.75", "--points", "2"]);
    let document = json(&output);
    assert_eq!(document["frames"], 4000);
    assert_eq!(document["from_s"], 0.25);
    assert_eq!(document["levels"][0]["frames_per_point"], 2000.0);
}

#[test]
fn waveform_of_no_time_says_why() {
    let lab = lab();
    let output = lab.run(&["waveform", "a.wav", "--from", "2"]);
    assert_eq!(code(&output), 1);
    assert_eq!(stderr(&output), "error: a.wav ends at 1.000 s, before --from 2.000 s\n");
    let output = lab.run(&["waveform", "a.wav", "--from", "0.5", "--to", "0.5"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("error: --from 0.500 s is not before --to 0.500 s"));
}

#[test]
fn waveform_with_json_says_what_it_wrote() {
    let output = lab().run(&["waveform", "a.wav", "-o", "a.png", "--width", "400", "--json"]);
    let document = json(&output);
    assert_eq!(document["output"], "a.png");
    assert_eq!(document["points"][0], 320);
    assert_eq!(document["format"], "png");
}

#[test]
fn waveform_flags_that_mean_nothing_are_usage_errors() {
    let lab = lab();
    for (args, expected) in [
        (&["--points", "5", "-o", "a.png"][..], "--points is for data"),
        (&["--bits", "8", "-o", "a.json"], "--bits is for dat and audiowaveform-json"),
        (&["--width", "500"], "--width is for pictures"),
        (&["--points", "5,6", "-o", "a.dat"], "several --points is for json"),
        (&["-o", "a.jpg"], "unknown extension `.jpg`"),
        (&["--format", "svg", "--json"], "write the svg to a file with -o"),
        (&["--from", "soon"], "write seconds, 1:30"),
        (&["--points", "0"], "0 is not in 1..=1000000"),
    ] {
        let output = lab.run(&[&["waveform", "a.wav"], args].concat());
        assert_eq!(code(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    assert_eq!(names(&lab), ["a.wav"]);
}

#[test]
fn waveform_of_a_bad_file_names_it() {
    let lab = lab();
    lab.write("b.wav", "not audio");
    let output = lab.run(&["waveform", "b.wav", "-o", "b.png"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).starts_with("error: b.wav is "), "{}", stderr(&output));
    assert_eq!(names(&lab), ["a.wav", "b.wav"]);
}
