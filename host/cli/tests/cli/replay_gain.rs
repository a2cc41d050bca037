//! `ReplayGain` tags: what was stored, measured, in the files themselves.

use super::groups::{FILES, album, concatenate, loudness, piece};
use super::{Lab, code, json, stderr, stdout};
use serde_json::Value;
use std::process::Command;

/// How far a rounded gain and another meter's may lie apart.
const GAIN_DB: f64 = 0.02;

fn write_pipeline(lab: &Lab, steps: &str, formats: &[&str]) {
    let exports = formats.iter().fold(String::new(), |exports, format| {
        exports
            + "[[export]]\nreplay_gain = true\npath = \"out/{stem}.{ext}\"\nformat = \""
            + format
            + "\"\n"
    });
    let text = format!(
        "version = 1\n[pipeline]\nname = \"tags\"\n{steps}\n{exports}\
         [report]\njson = \"out/{{stem}}.json\"\n"
    );
    lab.write("tags.toml", &text);
}

fn run(lab: &Lab, files: &[&str]) {
    let output = lab.run(&[&["run", "tags.toml"], files].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

fn outputs(lab: &Lab, stem: &str) -> Vec<Value> {
    let bytes = std::fs::read(lab.path(&format!("out/{stem}.json"))).unwrap();
    let report: Value = serde_json::from_slice(&bytes).unwrap();
    report["outputs"].as_array().unwrap().clone()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// Whether a file holds these bytes.
fn holds(lab: &Lab, name: &str, needle: &[u8]) -> bool {
    let bytes = std::fs::read(lab.path(name)).unwrap();
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// A tag as the reference tool for FLAC reads it; `None` where there is none, or no tool.
fn metaflac(lab: &Lab, name: &str, tag: &str) -> Option<String> {
    let output = Command::new("metaflac")
        .arg(format!("--show-tag={tag}"))
        .arg(lab.path(name))
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().split_once('=').map(|(_, value)| value.to_owned())
}

#[expect(clippy::print_stderr, reason = "the gate counts lines that say what was skipped")]
fn has(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok();
    if !is_there {
        eprintln!("skipped: {tool} is not installed");
    }
    is_there
}

#[test]
fn tags_state_what_was_stored_in_every_format() {
    let lab = Lab::new();
    piece(&lab, "a.wav", 5, 0.2);
    let step = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -25.0 }";
    let mut formats = vec!["flac", "wav"];
    if wavemill_core::encode::format("mp3").is_some() {
        formats.push("mp3");
    }
    write_pipeline(&lab, step, &formats);
    run(&lab, &["a.wav"]);
    for (output, format) in outputs(&lab, "a").iter().zip(formats) {
        let gain = &output["replay_gain"];
        assert!(gain["album_gain_db"].is_null(), "{gain}");
        // -18 - -25, by hand; what an MP3 leaves out of noise is less than 0.2 dB.
        let slack = if format == "mp3" { 0.2 } else { 0.005 };
        let track = number(gain, "track_gain_db");
        assert!((track - 7.0).abs() <= slack, "{format}: {track}");
        let text = format!("{track:.2} dB");
        let separator = if format == "flac" { '=' } else { '\0' };
        let tag = format!("REPLAYGAIN_TRACK_GAIN{separator}{text}");
        assert!(holds(&lab, &format!("out/a.{format}"), tag.as_bytes()), "{format}: {tag}");
        let peak = format!("REPLAYGAIN_TRACK_PEAK{separator}{:.6}", number(gain, "track_peak"));
        assert!(holds(&lab, &format!("out/a.{format}"), peak.as_bytes()), "{format}: {peak}");
        // `wavemill tags` hid them.
        let shown = lab.run(&["tags", &format!("out/a.{format}")]);
        let shown = stdout(&shown);
        assert!(shown.contains("track gain") && shown.contains(&text), "{shown}");
        let shown = json(&lab.run(&["tags", "--json", &format!("out/a.{format}")]));
        assert_eq!(shown["files"][0]["replay_gain"]["track_gain"], text);
    }
}

#[test]
fn reference_tool_reads_the_tags_and_another_scanner_finds_the_same() {
    if !has("metaflac") || !has("loudgain") {
        return;
    }
    let lab = Lab::new();
    album(&lab);
    write_pipeline(&lab, "[[step]]\nuse = \"measure\"\nwith = { group = \"batch\" }", &["flac"]);
    run(&lab, &FILES);
    let outputs: Vec<_> =
        ["1 loud", "2 soft", "3 softer"].iter().map(|stem| format!("out/{stem}.flac")).collect();
    let decibels = |text: Option<String>| -> f64 {
        text.unwrap().strip_suffix(" dB").unwrap().parse().unwrap()
    };
    let of = |tag: &str| -> Vec<f64> {
        outputs.iter().map(|name| decibels(metaflac(&lab, name, tag))).collect()
    };
    let ours = [of("REPLAYGAIN_TRACK_GAIN"), of("REPLAYGAIN_ALBUM_GAIN")];
    assert!(ours[1].iter().all(|gain| (gain - ours[1][0]).abs() < 1e-9), "{ours:?}");
    // Album mode, as ReplayGain 2.0, written over ours.
    let scanned = Command::new("loudgain")
        .args(["-q", "-a", "-s", "i"])
        .args(outputs.iter().map(|name| lab.path(name)))
        .output()
        .unwrap();
    assert!(scanned.status.success(), "{scanned:?}");
    let theirs = [of("REPLAYGAIN_TRACK_GAIN"), of("REPLAYGAIN_ALBUM_GAIN")];
    for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
        assert!((ours - theirs).abs() <= GAIN_DB, "{ours} {theirs}");
    }
}

#[test]
fn measured_album_keeps_every_sample_and_states_the_gain_of_the_whole() {
    let lab = Lab::new();
    album(&lab);
    write_pipeline(&lab, "[[step]]\nuse = \"measure\"\nwith = { group = \"folder\" }", &["wav"]);
    run(&lab, &FILES);
    concatenate(&lab, &FILES, "all.wav");
    let whole = -18.0 - loudness(&lab, "all.wav");
    for stem in ["1 loud", "2 soft", "3 softer"] {
        let output = outputs(&lab, stem).remove(0);
        let album = number(&output["replay_gain"], "album_gain_db");
        // Blocks across the two joins are in the concatenation only.
        assert!((album - whole).abs() < 0.05, "{album} {whole}");
        assert_eq!(output["dither"], "none");
        let read = |name: String| -> Vec<i32> {
            let mut reader = hound::WavReader::open(lab.path(&name)).unwrap();
            reader.samples::<i32>().map(Result::unwrap).collect()
        };
        assert!(read(format!("out/{stem}.wav")) == read(format!("album/{stem}.wav")), "{stem}");
    }
}

#[test]
fn album_that_was_brought_to_a_target_says_so() {
    let lab = Lab::new();
    album(&lab);
    let step = |more: &str| {
        format!(
            "[[step]]\nuse = \"loudness\"\nwith = {{ target_lufs = -23, group = \"batch\" }}\n{more}"
        )
    };
    write_pipeline(&lab, &step(""), &["flac"]);
    run(&lab, &FILES);
    let gains: Vec<Value> = ["1 loud", "2 soft", "3 softer"]
        .iter()
        .map(|stem| outputs(&lab, stem)[0]["replay_gain"].clone())
        .collect();
    // -18 - -23, by hand.
    assert!(
        gains.iter().all(|gain| (number(gain, "album_gain_db") - 5.0).abs() < 0.011),
        "{gains:?}"
    );
    let largest = gains.iter().map(|gain| number(gain, "track_peak")).fold(0.0, f64::max);
    let album_peak = number(&gains[1], "album_peak");
    assert!((album_peak / largest - 1.0).abs() < 0.001, "{album_peak} {largest}");
    // What a step behind it makes of the other files is not known.
    std::fs::remove_dir_all(lab.path("out")).unwrap();
    let late = "[[step]]\nuse = \"high-pass\"\nwith = { cutoff_hz = 1000 }\n";
    write_pipeline(&lab, &step(late), &["flac"]);
    run(&lab, &FILES);
    assert!(outputs(&lab, "1 loud")[0]["replay_gain"]["album_gain_db"].is_null());
}

#[test]
fn gain_of_a_source_is_not_carried_over() {
    let lab = Lab::new();
    piece(&lab, "a.wav", 3, 0.2);
    write_pipeline(&lab, "", &["flac"]);
    run(&lab, &["a.wav"]);
    assert!(holds(&lab, "out/a.flac", b"REPLAYGAIN_TRACK_GAIN"));
    let output = lab.run(&["export", "out/a.flac", "louder.flac", "--gain", "3"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(!holds(&lab, "louder.flac", b"REPLAYGAIN"));
}
