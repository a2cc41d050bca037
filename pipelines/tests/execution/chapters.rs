//! Chapters of the exports, as JSON beside them.

use crate::lab::{Answers, Lab, noise, pipeline, wav};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use wavemill_core::tags::{self, Cue};
use wavemill_core::units::SampleRate;
use wavemill_pipelines::execution::{OutputKind, Places};
use wavemill_pipelines::plan::plan;

const RATE: SampleRate = SampleRate(48_000);

/// Chapters of the source, and how they are written.
const CHAPTERS: &str =
    "[tags]\nchapters = \"{stem}.txt\"\n[chapters]\njson = \"{stem}.chapters.json\"\n";

const WAV: &str = "[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";

const REPORT: &str = "[report]\njson = \"{stem}.json\"\n";

/// Two seconds, the first 4,800 frames and the last 9,600 of them silent, with chapters at 0, 0.5 and 1.25 s.
fn source(lab: &Lab) -> PathBuf {
    let mut plane = noise(3, 96_000);
    plane[..4_800].fill(0.0);
    plane[86_400..].fill(0.0);
    lab.file("one.txt", b"0:00 Hello\n0:00.5 News\n0:01.25 Weather\n");
    lab.file("one.wav", &wav(RATE.0, 16, &[plane]))
}

fn json_of(lab: &Lab, name: &str) -> Value {
    serde_json::from_reader(File::open(lab.path("out").join(name)).unwrap()).unwrap()
}

/// Times and titles.
fn listed(lab: &Lab) -> Vec<(f64, String)> {
    let text = |chapter: &Value| chapter["title"].as_str().unwrap().to_owned();
    let written = json_of(lab, "one.chapters.json");
    assert_eq!(written["version"], "1.2.0");
    let chapters = written["chapters"].as_array().unwrap().iter();
    chapters.map(|chapter| (chapter["startTime"].as_f64().unwrap(), text(chapter))).collect()
}

fn titled(chapters: &[(f64, &str)]) -> Vec<(f64, String)> {
    chapters.iter().map(|&(start, title)| (start, title.to_owned())).collect()
}

fn cues(path: &Path) -> Vec<Cue> {
    let mut file = File::open(path).unwrap();
    tags::read(&mut file, None).unwrap().tags.cues
}

/// Frames of the marked places.
fn frames(path: &Path) -> Vec<u64> {
    cues(path).iter().map(|cue| cue.start.frame(RATE)).collect()
}

fn step(name: &str, with: &str) -> String {
    format!("[[step]]\nuse = \"{name}\"\nwith = {{ {with} }}\n")
}

#[test]
fn chapters_are_those_of_the_source_where_nothing_moves_them() {
    let lab = Lab::new();
    let input = source(&lab);
    let outcome = lab.run(&pipeline(&format!("{WAV}{CHAPTERS}{REPORT}")), &input).unwrap();
    assert_eq!(listed(&lab), titled(&[(0.0, "Hello"), (0.5, "News"), (1.25, "Weather")]));
    let kinds: Vec<_> = outcome.outputs.iter().map(|output| output.kind).collect();
    assert_eq!(kinds, [OutputKind::Export, OutputKind::Chapters, OutputKind::Report]);
    let made = &outcome.outputs[1];
    let expected = json!({
        "path": made.path.to_str().unwrap(),
        "count": 3,
        "size_bytes": std::fs::metadata(&made.path).unwrap().len(),
        "blake3": made.blake3,
    });
    assert_eq!(json_of(&lab, "one.json")["chapters"], expected);
    assert_eq!(outcome.report["chapters"], expected);
}

#[test]
fn chapters_move_with_a_range_and_the_first_begins_with_the_audio() {
    let lab = Lab::new();
    let input = source(&lab);
    let range = step("range", "start_s = 0.25, end_s = 1.0");
    lab.run(&pipeline(&format!("{range}{WAV}{CHAPTERS}")), &input).unwrap();
    assert_eq!(listed(&lab), titled(&[(0.0, "Hello"), (0.25, "News")]));
    assert_eq!(frames(&lab.path("out/one.wav")), [0, 12_000]);
}

#[test]
fn chapters_move_with_silence_that_is_trimmed_and_added() {
    let lab = Lab::new();
    let input = source(&lab);
    let steps = step("trim-silence", "") + &step("pad", "start_s = 0.5");
    lab.run(&pipeline(&format!("{steps}{WAV}{CHAPTERS}")), &input).unwrap();
    // 0.1 s of silence are gone and 0.5 s came; what lost its beginning begins with the audio.
    assert_eq!(listed(&lab), titled(&[(0.0, "Hello"), (0.9, "News"), (1.65, "Weather")]));
    assert_eq!(frames(&lab.path("out/one.wav")), [0, 43_200, 79_200]);
}

/// An export may be taken before the last step, or have another rate: the file holds times behind the last step.
#[test]
fn chapters_are_those_behind_the_last_step() {
    let lab = Lab::new();
    let input = source(&lab);
    let steps = step("range", "start_s = 0.25") + &step("resample", "sample_rate_hz = 44100");
    let raw = "[[export]]\nafter = \"decode\"\nformat = \"flac\"\npath = \"raw.flac\"\n";
    lab.run(&pipeline(&format!("{steps}{WAV}{raw}{CHAPTERS}")), &input).unwrap();
    assert_eq!(listed(&lab), titled(&[(0.0, "Hello"), (0.25, "News"), (1.0, "Weather")]));
    assert_eq!(frames(&lab.path("out/raw.flac")), [0, 24_000, 60_000]);
}

#[test]
fn chapters_that_were_written_are_read_again_as_the_same() {
    let lab = Lab::new();
    let input = source(&lab);
    let steps = step("range", "start_s = 0.123456");
    lab.run(&pipeline(&format!("{steps}{WAV}{CHAPTERS}")), &input).unwrap();
    let (first, first_cues) = (json_of(&lab, "one.chapters.json"), cues(&lab.path("out/one.wav")));
    let written = std::fs::read(lab.path("out/one.chapters.json")).unwrap();
    lab.file("one.chapters.json", &written);
    let made = std::fs::read(lab.path("out/one.wav")).unwrap();
    let again = lab.file("one.wav", &made);
    let from_json = CHAPTERS.replacen("{stem}.txt", "{stem}.chapters.json", 1);
    lab.run(&pipeline(&format!("{WAV}{from_json}")), &again).unwrap();
    assert_eq!(json_of(&lab, "one.chapters.json"), first);
    assert_eq!(cues(&lab.path("out/one.wav")), first_cues);
    assert_eq!(first_cues.len(), 3);
}

#[test]
fn regions_of_a_file_have_an_end() {
    let lab = Lab::new();
    let input = source(&lab);
    lab.file("one.txt", br#"{"chapters": [{"startTime": 0.5, "endTime": 1.0, "title": "News"}]}"#);
    lab.run(&pipeline(&format!("{WAV}{CHAPTERS}")), &input).unwrap();
    let tagged = lab.file("two.wav", &std::fs::read(lab.path("out/one.wav")).unwrap());
    let body = format!("{}{WAV}[chapters]\njson = \"c.json\"\n", step("range", "start_s = 0.25"));
    lab.run(&pipeline(&body), &tagged).unwrap();
    let expected = json!([{ "startTime": 0.25, "endTime": 0.75, "title": "News" }]);
    assert_eq!(json_of(&lab, "c.json")["chapters"], expected);
}

#[test]
fn audio_without_chapters_has_no_file_of_them() {
    let json = "[chapters]\njson = \"{stem}.chapters.json\"\n";
    let removed = format!("{json}[tags]\nremove = [\"cues\"]\n");
    let gone = format!("{}{CHAPTERS}", step("range", "start_s = 0.1, end_s = 0.4"));
    for (body, text, proposed) in [
        (json, "", 1),
        (&removed, "", 1),
        // Both chapters lie behind what is kept, which is known only at the end.
        (&gone, "0:00.5 News\n0:01.25 Weather\n", 2),
    ] {
        let lab = Lab::new();
        let input = source(&lab);
        lab.file("one.txt", text.as_bytes());
        let mut answers = Answers::new();
        let body = format!("{WAV}{body}");
        let outcome = lab.run_with(&pipeline(&body), &input, &mut answers).unwrap();
        assert_eq!(answers.proposals.len(), proposed, "{body}");
        assert_eq!(lab.files("out"), ["one.wav"], "{body}");
        assert_eq!(outcome.report["chapters"], json!({ "count": 0 }), "{body}");
    }
}

#[test]
fn rejected_file_leaves_no_chapters() {
    let lab = Lab::new();
    let input = source(&lab);
    let gate = "[[require]]\non = \"output\"\ntrue_peak_dbtp = { max = -60.0 }\n";
    let outcome = lab.run(&pipeline(&format!("{gate}{WAV}{CHAPTERS}{REPORT}")), &input).unwrap();
    assert!(outcome.rejected.is_some());
    assert_eq!(lab.files("out"), ["one.json"]);
}

#[test]
fn chapters_whose_name_is_taken_are_left_out_and_noted() {
    let lab = Lab::new();
    let input = source(&lab);
    let mut answers = Answers { skip: vec![1], ..Answers::new() };
    let pipeline = pipeline(&format!("{WAV}{CHAPTERS}{REPORT}"));
    let outcome = lab.run_with(&pipeline, &input, &mut answers).unwrap();
    assert_eq!(lab.files("out"), ["one.json", "one.wav"]);
    assert_eq!(outcome.report["chapters"], json!({ "skipped": "taken" }));
}

#[test]
fn chapters_may_be_all_that_a_pipeline_makes() {
    let lab = Lab::new();
    let input = source(&lab);
    let body = format!("{}{CHAPTERS}", step("trim-silence", ""));
    lab.run(&pipeline(&body), &input).unwrap();
    assert_eq!(lab.files("out"), ["one.chapters.json"]);
    assert_eq!(listed(&lab), titled(&[(0.0, "Hello"), (0.4, "News"), (1.15, "Weather")]));
}

#[test]
fn plan_names_the_file_where_there_are_chapters() {
    let lab = Lab::new();
    let input = source(&lab);
    let (output_root, spool) = (lab.path("out"), lab.path("spool"));
    let places = Places {
        output_root: &output_root,
        spool: &spool,
        cancel: &lab.cancel,
        access: Places::direct(),
    };
    let planned = |body: &str| {
        let pipeline = pipeline(&format!("{WAV}{body}"));
        plan(&pipeline, &Lab::job(&input), &places, &mut |_| {}).unwrap()
    };
    let path = output_root.join("one.chapters.json");
    let with = planned(CHAPTERS);
    assert_eq!(with.chapters.as_deref(), Some(&*path));
    assert!(with.to_string().contains(&format!("\nchapters: {}\n", path.display())), "{with}");
    assert_eq!(planned("[chapters]\njson = \"{stem}.chapters.json\"\n").chapters, None);
}
