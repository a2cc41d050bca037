//! `wavemill analyze` and `wavemill targets` as their users meet them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own with a state, a home and nothing from the real environment.
struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(bytes).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wavemill"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs with these bytes in a pipe at standard input.
    fn feed(&self, args: &[&str], bytes: &[u8]) -> Output {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // The program may refuse its arguments before it reads.
                let _ = pipe.write_all(bytes);
            });
            child.wait_with_output().unwrap()
        })
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.stderr.is_empty(), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

const RATE: u32 = 8000;

/// Four seconds of stereo noise at a 16-bit amplitude, interleaved; the same for the same seed.
fn samples(seed: u32, amplitude: i32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut bytes = Vec::new();
    for _ in 0..4 * RATE * 2 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let sample = i32::try_from(state >> 16).unwrap() - 32_768;
        let sample = i16::try_from(sample * amplitude / 32_768).unwrap();
        bytes.extend(sample.to_le_bytes());
    }
    bytes
}

/// A WAVE file around samples; `length` goes into its length fields.
fn wave(samples: &[u8], length: Option<u32>) -> Vec<u8> {
    let count = u32::try_from(samples.len()).unwrap();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(length.unwrap_or(36 + count).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(length.unwrap_or(count).to_le_bytes());
    bytes.extend(samples);
    bytes
}

/// A file's object without what says where it was.
fn measured(output: &Output) -> Value {
    let mut file = json(output)["files"][0].clone();
    file.as_object_mut().unwrap().remove("path");
    file["file"].as_object_mut().unwrap().remove("path");
    file
}

#[test]
fn folders_are_walked_and_errors_have_a_line_each() {
    let lab = Lab::new();
    lab.write("in/b.wav", &wave(&samples(1, 9000), None));
    lab.write("in/deep/a.WAV", &wave(&samples(2, 9000), None));
    lab.write("in/notes.txt", b"no audio");
    lab.write("in/.hidden.wav", b"no audio");
    lab.write("in/broken.wav", b"RIFF");
    let output = lab.run(&["analyze", "in", "--json"]);
    assert_eq!(code(&output), 3);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let paths: Vec<_> =
        value["files"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    assert_eq!(paths, ["in/b.wav", "in/broken.wav", "in/deep/a.WAV"]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).starts_with("error: in/broken.wav "), "{}", stderr(&output));
}

#[test]
fn pipe_of_unknown_length_measures_as_the_file_does() {
    let lab = Lab::new();
    let samples = samples(3, 9000);
    lab.write("a.wav", &wave(&samples, Some(u32::MAX)));
    let file = measured(&lab.run(&["analyze", "--json", "a.wav"]));
    let pipe = measured(&lab.feed(&["analyze", "--json", "-"], &wave(&samples, Some(u32::MAX))));
    assert_eq!(file, pipe);
    assert_eq!(pipe["file"]["duration_s"], 4.0);
}

#[test]
fn raw_samples_measure_as_a_file_of_them() {
    let lab = Lab::new();
    let samples = samples(4, 9000);
    lab.write("a.wav", &wave(&samples, None));
    let mut file = measured(&lab.run(&["analyze", "--json", "a.wav"]));
    let line = ["analyze", "--json", "-", "--rate", "8000", "--channels", "2"];
    let line: Vec<&str> = line.into_iter().chain(["--sample-format", "s16"]).collect();
    let mut pipe = measured(&lab.feed(&line, &samples));
    assert_eq!(pipe["file"]["format"], "raw");
    assert_eq!(pipe["file"]["blake3"], blake3::hash(&samples).to_hex().as_str());
    for value in [&mut file, &mut pipe] {
        value.as_object_mut().unwrap().remove("file");
    }
    assert_eq!(file, pipe);
}

#[test]
fn raw_samples_that_end_within_a_frame_are_refused() {
    let lab = Lab::new();
    let line = ["analyze", "-", "--rate", "8000", "--channels", "2", "--sample-format", "s16le"];
    let output = lab.feed(&line, &samples(4, 9000)[..4002]);
    assert_eq!(code(&output), 3);
    assert_eq!(
        stderr(&output),
        "error: - has 4002 bytes, which is not a multiple of the frame size, 4 bytes\n"
    );
}

#[test]
fn raw_samples_need_a_whole_description_and_a_stream() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&["analyze", "-", "--rate", "8000"])), 2);
    let described = ["--rate", "8000", "--channels", "2", "--sample-format", "s16"];
    let line: Vec<&str> = ["analyze", "a.wav"].into_iter().chain(described).collect();
    let output = lab.run(&line);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("standard input"), "{}", stderr(&output));
    assert_eq!(code(&lab.run(&["analyze", "-", "-"])), 2);
}

#[test]
fn second_run_decodes_nothing_and_prints_the_same() {
    let lab = Lab::new();
    lab.write("a.wav", &wave(&samples(5, 9000), None));
    let run = |more: &[&str]| {
        let line = ["analyze", "--json", "--log", "wavemill=debug", "a.wav"];
        let line: Vec<&str> = line.into_iter().chain(more.iter().copied()).collect();
        let output = lab.run(&line);
        (stdout(&output), stderr(&output).contains("Decoding a file."))
    };
    let (first, is_decoded) = run(&[]);
    assert!(is_decoded);
    assert_eq!(run(&[]), (first.clone(), false));
    assert_eq!(run(&["--no-cache"]), (first, true));
}

#[test]
fn csv_has_a_row_for_every_file_and_defuses_formulas() {
    let lab = Lab::new();
    lab.write("=1+1.wav", &wave(&samples(6, 9000), None));
    lab.write("empty, too.wav", b"");
    let output = lab.run(&["analyze", "--csv", "=1+1.wav", "empty, too.wav"]);
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3);
    let columns: Vec<&str> = lines[0].split(',').collect();
    let cells: Vec<&str> = lines[1].split(',').collect();
    assert_eq!(cells.len(), columns.len());
    assert_eq!(cells[0], "'=1+1.wav");
    let rms = columns.iter().position(|name| *name == "level_rms_dbfs").unwrap();
    assert!(cells[rms].parse::<f64>().unwrap() < -10.0);
    assert!(lines[2].starts_with("\"empty, too.wav\",is empty (0 bytes),"), "{}", lines[2]);
}

#[test]
fn lab_is_the_chords_of_one_file_and_nothing_else() {
    let lab = Lab::new();
    for name in ["a.wav", "b.wav"] {
        lab.write(name, &wave(&samples(6, 9000), None));
    }
    let output = lab.run(&["analyze", "--lab", "a.wav"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let chords = json(&lab.run(&["analyze", "--only", "chords", "--json", "a.wav"]));
    let chords = chords["files"][0]["chords"].as_array().unwrap();
    let row = |chord: &Value| {
        let time = |key: &str| chord[key].as_f64().unwrap();
        format!(
            "{:.6}\t{:.6}\t{}\n",
            time("start_s"),
            time("end_s"),
            chord["label"].as_str().unwrap()
        )
    };
    let rows: String = chords.iter().map(row).collect();
    assert!(!rows.is_empty());
    assert_eq!(stdout(&output), rows);
    assert_eq!(code(&lab.run(&["analyze", "--lab", "a.wav", "b.wav"])), 2);
    assert_eq!(code(&lab.run(&["analyze", "--lab", "--json", "a.wav"])), 2);
}

/// A target that allows any loudness and no high peaks.
fn house(lab: &Lab) {
    let text = "version = 1\n[[target]]\nid = \"house\"\nname = \"House\"\nintegrated_lufs = -20.0\n\
                tolerance_lu = 30.0\ntrue_peak_max_dbtp = -6.0\n";
    lab.write("house.toml", text.as_bytes());
}

#[test]
fn target_that_is_missed_ends_with_exit_code_3() {
    let lab = Lab::new();
    house(&lab);
    lab.write("soft.wav", &wave(&samples(7, 3000), None));
    lab.write("loud.wav", &wave(&samples(7, 32_000), None));
    let line = |file| ["analyze", "--only", "loudness", "--json", "--target", "house.toml", file];
    let soft = lab.run(&line("soft.wav"));
    assert_eq!(
        (code(&soft), json(&soft)["files"][0]["targets"][0]["passed"].clone()),
        (0, true.into())
    );
    let loud = lab.run(&line("loud.wav"));
    assert_eq!(code(&loud), 3);
    let judged = json(&loud)["files"][0]["targets"][0].clone();
    assert_eq!(judged["target"], "house");
    assert_eq!(judged["verdicts"][0]["outcome"], "pass");
    assert_eq!(judged["verdicts"][1]["outcome"], "fail");
    assert!(judged["verdicts"][1]["difference"].as_f64().unwrap() > 5.0);
    // What was asked for is there, and what the target needed besides is not.
    assert!(json(&loud)["files"][0].get("file").is_none());
}

#[test]
fn all_targets_compare_and_fail_nothing() {
    let lab = Lab::new();
    lab.write("loud.wav", &wave(&samples(7, 32_000), None));
    let output = lab.run(&["analyze", "--target", "all", "loud.wav"]);
    assert_eq!(code(&output), 0);
    for name in ["r128", "spotify", "netflix*", "VERDICT", "from other sources"] {
        assert!(stdout(&output).contains(name), "{name}\n{}", stdout(&output));
    }
}

#[test]
fn playback_is_predicted_by_the_targets_rule() {
    let lab = Lab::new();
    lab.write("loud.wav", &wave(&samples(7, 32_000), None));
    let output = lab.run(&["analyze", "--json", "--target", "youtube,spotify", "loud.wav"]);
    let file = json_of_failed(&output)["files"][0].clone();
    let loudness = file["loudness"]["integrated_lufs"].as_f64().unwrap();
    for judged in file["targets"].as_array().unwrap() {
        let gain = judged["playback"]["gain_db"].as_f64().unwrap();
        assert!((gain - (-14.0 - loudness)).abs() < 0.002, "{judged}");
    }
}

/// The document of a run that ended with exit code 3.
fn json_of_failed(output: &Output) -> Value {
    assert_eq!(code(output), 3);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn unknown_target_is_a_usage_error_with_a_suggestion() {
    let lab = Lab::new();
    for command in [&["analyze", "a.wav", "--target", "spotfy"][..], &["targets", "spotfy"]] {
        let output = lab.run(command);
        assert_eq!(code(&output), 2);
        assert_eq!(
            stderr(&output),
            "error: there is no target `spotfy`; did you mean `spotify`?\n"
        );
    }
}

#[test]
fn mistakes_of_a_targets_file_are_shown_where_they_stand() {
    let lab = Lab::new();
    lab.write("house.toml", b"version = 1\n[[target]]\nid = \"a\"\nname = \"A\"\ntrue_peak = -1\n");
    let output = lab.run(&["targets", "house.toml"]);
    assert_eq!(code(&output), 78);
    assert!(stderr(&output).contains("house.toml:5:1]"), "{}", stderr(&output));
}

#[test]
fn targets_are_listed_with_sources() {
    let lab = Lab::new();
    let value = json(&lab.run(&["targets", "--json"]));
    let targets = value["targets"].as_array().unwrap();
    assert!(targets.len() >= 16);
    assert!(targets.iter().all(|target| target["source"]["url"].is_string()));
    let sheet = stdout(&lab.run(&["targets", "netflix"]));
    assert!(
        sheet.contains("does not measure yet") && sheet.contains("from other sources"),
        "{sheet}"
    );
}

#[test]
fn odd_names_stay_on_their_lines() {
    let lab = Lab::new();
    for name in ["new\nline.wav", "\u{6587}\u{5b57} \u{1f3b5}.wav", "esc\u{1b}[31m.wav"] {
        lab.write(name, &wave(&samples(8, 9000), None));
    }
    let output = lab.run(&["analyze", "."]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 4, "{}", stdout(&output));
    assert!(!stdout(&output).contains('\u{1b}'));
}

/// No key of real output is unknown to the schema that is shipped, and none that it requires is missing.
#[test]
fn real_output_is_what_the_schema_says() {
    let lab = Lab::new();
    lab.write("noise.wav", &wave(&samples(9, 9000), None));
    lab.write("silence.wav", &wave(&samples(9, 0), None));
    lab.write("short.wav", &wave(&samples(9, 9000)[..4], None));
    lab.write("broken.wav", b"RIFF");
    let output = lab.run(&["analyze", "--json", "--target", "all", "."]);
    let value = json_of_failed(&output);
    assert_eq!(value["files"].as_array().unwrap().len(), 4);
    let schema = json(&lab.run(&["schema", "analysis"]));
    let mut complaints = Vec::new();
    schema::check(&schema, &schema, &value, "", &mut complaints);
    assert_eq!(complaints, [""; 0]);
    let mut stranger = value.clone();
    stranger["files"][1]["loudness"]["loudness"] = 1.into();
    schema::check(&schema, &schema, &stranger, "", &mut complaints);
    assert_eq!(complaints, ["/files/1/loudness/loudness is not in the schema"]);
}

mod documents;
mod schema;

#[test]
fn files_that_are_gone_are_named() {
    let lab = Lab::new();
    assert!(!Path::new(&lab.path("gone.wav")).exists());
    let output = lab.run(&["analyze", "gone.wav"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).starts_with("error: gone.wav cannot be read: "), "{}", stderr(&output));
}

#[test]
fn history_has_a_point_every_100_ms_and_a_distribution() {
    let lab = Lab::new();
    lab.write("a.wav", &wave(&samples(10, 9000), None));
    let output = lab.run(&["analyze", "--history", "a.wav"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let rows: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let schema = json(&lab.run(&["schema", "history"]));
    let mut complaints = Vec::new();
    for row in &rows {
        schema::check(&schema, &schema, row, "", &mut complaints);
    }
    assert_eq!(complaints, [""; 0]);
    let points: Vec<&Value> = rows.iter().filter(|row| row["type"] == "point").collect();
    assert_eq!(points.len(), 40);
    assert_eq!(points[39]["at_s"], 4.0);
    // The maximum of the report is found every 10 ms, the curve has a point every 100 ms.
    let report = json(&lab.run(&["analyze", "--json", "--only", "loudness", "a.wav"]));
    let loudness = &report["files"][0]["loudness"];
    let max = |key: &str| points.iter().filter_map(|row| row[key].as_f64()).reduce(f64::max);
    let above = loudness["short_term_max_lufs"].as_f64().unwrap() - max("short_term_lufs").unwrap();
    assert!((0.0..0.1).contains(&above), "{above}");
    assert_eq!(max("true_peak_dbtp"), loudness["true_peak_dbtp"].as_f64());
    let bins = rows.last().unwrap()["bins"].as_array().unwrap().clone();
    let sum: f64 = bins.iter().map(|bin| bin["share"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{bins:?}");
}

#[test]
fn history_of_a_broken_file_ends_with_an_error_row() {
    let lab = Lab::new();
    lab.write("broken.wav", b"RIFF");
    let output = lab.run(&["analyze", "--history", "broken.wav"]);
    assert_eq!(code(&output), 3);
    let last: Value = serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap();
    assert_eq!((last["type"].as_str(), last["path"].as_str()), (Some("error"), Some("broken.wav")));
}
