//! The binary as its users meet it: outputs, streams and exit codes.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod again;
mod batches;
mod chapters;
mod confined;
mod daemon;
mod dry_run;
mod export;
mod files;
mod formats;
mod groups;
mod references;
mod replay_gain;
mod schema;
mod waveform;

use std::fs::File;
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

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
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

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_command_prints_the_help_and_is_a_usage_error() {
    let output = Lab::new().run(&[]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("Usage: wavemill"));
    assert!(stdout(&output).is_empty());
}

#[test]
fn unknown_flag_is_a_usage_error() {
    assert_eq!(code(&Lab::new().run(&["steps", "--colour"])), 2);
}

#[test]
fn unknown_step_is_a_usage_error_with_a_suggestion() {
    let output = Lab::new().run(&["steps", "gian"]);
    assert_eq!(code(&output), 2);
    assert_eq!(stderr(&output), "error: unknown step `gian`; did you mean `gain`?\n");
}

#[test]
fn json_of_steps_is_versioned_and_complete() {
    let output = Lab::new().run(&["steps", "--json"]);
    assert_eq!(code(&output), 0);
    let value = json(&output);
    assert_eq!(value["version"], 1);
    let names: Vec<_> =
        value["steps"].as_array().unwrap().iter().map(|step| step["name"].clone()).collect();
    let known: Vec<_> = wavemill_core::processors::STEPS.iter().map(|step| step.name).collect();
    assert_eq!(names, known);
}

#[test]
fn bad_variable_is_a_configuration_error_in_one_line() {
    let lab = Lab::new();
    for (name, value) in [("WAVEMILL_TARGET_LUFS", "loud"), ("WAVEMILL_NORMALIZE", "maybe")] {
        let output = lab.command(&["steps"]).env(name, value).output().unwrap();
        assert_eq!(code(&output), 78);
        assert_eq!(stderr(&output).lines().count(), 1);
        assert!(stderr(&output).contains(name));
        assert!(stdout(&output).is_empty());
    }
}

#[test]
fn configuration_file_with_mistakes_shows_each_where_it_stands() {
    let lab = Lab::new();
    lab.write(".config/wavemill/config.toml", "worker = 2\ntarget_lufs = \"loud\"\n");
    let output = lab.run(&["steps"]);
    assert_eq!(code(&output), 78);
    let text = stderr(&output);
    assert!(text.contains("config.toml:1:1]"), "{text}");
    assert!(text.contains("did you mean `workers`?"), "{text}");
    assert!(text.contains("config.toml:2:15]"), "{text}");
}

#[test]
fn configuration_file_that_was_named_must_exist() {
    let output = Lab::new().run(&["--config", "missing.toml", "steps"]);
    assert_eq!(code(&output), 78);
    assert!(stderr(&output).contains("missing.toml"));
}

#[test]
fn log_level_that_is_none_is_a_configuration_error() {
    let output = Lab::new().run(&["--log", "wavemill=loudly", "steps"]);
    assert_eq!(code(&output), 78);
    assert!(stderr(&output).contains("wavemill=loudly"));
}

#[test]
fn pipeline_that_is_not_there_is_named() {
    let output = Lab::new().run(&["check", "podcats"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("podcats"), "{}", stderr(&output));
}

#[test]
fn folder_without_pipelines_is_an_error() {
    let lab = Lab::new();
    lab.write("empty/Cargo.toml", "");
    let output = lab.run(&["check", "empty"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("empty"));
}

#[test]
fn reader_that_goes_away_ends_the_output_without_a_panic() {
    let lab = Lab::new();
    let mut child = lab
        .command(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(stderr(&output), "");
}

#[test]
fn completions_name_every_shown_command() {
    let output = Lab::new().run(&["completions", "bash"]);
    for command in ["watch", "check", "steps", "jobs", "status"] {
        assert!(stdout(&output).contains(command), "{command}");
    }
}

#[test]
fn name_with_a_line_break_stays_on_one_line() {
    let output = Lab::new().run(&["check", "a\nb.toml"]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}

#[test]
fn state_below_a_relative_path_is_not_made_by_reading_commands() {
    let lab = Lab::new();
    lab.run(&["--state", "state", "steps"]);
    assert!(!Path::new(&lab.path("state")).exists());
}

/// A WAVE file of one second: 16 bit, mono, 8 kHz, a square wave of half full scale.
fn square_wave() -> Vec<u8> {
    let samples: Vec<u8> = (0..8000i32)
        .flat_map(|frame| if frame / 4 % 2 == 0 { 16384i16 } else { -16384 }.to_le_bytes())
        .collect();
    let size = u32::try_from(samples.len()).unwrap();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend(16000u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples);
    bytes
}

#[test]
fn analyze_reports_good_files_beside_bad_ones() {
    let lab = Lab::new();
    File::create(lab.path("good.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab.write("empty.wav", "");
    let output = lab.run(&["analyze", "--json", "empty.wav", "good.wav", "gone.wav"]);
    assert_eq!(code(&output), 3);
    let value = json(&output);
    let files = value["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(
        (&files[0]["path"], &files[0]["error"]),
        (&"empty.wav".into(), &"is empty (0 bytes)".into())
    );
    assert_eq!(files[1]["file"]["duration_s"], 1.0);
    assert_eq!(files[1]["file"]["channels"], 1);
    assert_eq!(files[1]["level"]["peak_amplitude"], 0.5);
    assert!(files[2]["error"].is_string());
    let errors = stderr(&output);
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert!(errors.contains("error: empty.wav is empty"), "{errors}");
}

#[test]
fn analyze_of_parts_leaves_the_others_out() {
    let lab = Lab::new();
    File::create(lab.path("good.wav")).unwrap().write_all(&square_wave()).unwrap();
    let output = lab.run(&["analyze", "--json", "--only", "level", "good.wav"]);
    let file = &json(&output)["files"][0];
    assert!(file.get("loudness").is_none() && file.get("file").is_none(), "{file}");
    // A square wave's RMS is its peak: half full scale is -6.02 dB.
    let rms = file["level"]["rms_dbfs"].as_f64().unwrap();
    assert!((rms + 6.0206).abs() < 1e-3, "{rms}");
}

#[test]
fn analyze_of_a_damaged_file_refuses_it_or_says_what_was_repaired() {
    let lab = Lab::new();
    let whole = square_wave();
    File::create(lab.path("cut.wav")).unwrap().write_all(&whole[..whole.len() / 2]).unwrap();
    let output = lab.run(&["analyze", "--json", "cut.wav"]);
    assert_eq!(code(&output), 3);
    // Whatever is asked for, and from the kept results as well.
    for _ in 0..2 {
        let output =
            lab.run(&["analyze", "--json", "--only", "level", "--damaged", "repair", "cut.wav"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let file = &json(&output)["files"][0];
        assert_eq!(file["level"]["peak_amplitude"], 0.5);
        assert_eq!(file["repairs"][0]["kind"], "cut-short");
        assert!(file.get("file").is_none());
        assert!(stderr(&output).contains("cut.wav: repaired: it is cut short"));
    }
    let output = lab.run(&["analyze", "--damaged", "repair", "--only", "file", "cut.wav"]);
    assert!(stderr(&output).contains("repaired: it is cut short"), "{}", stderr(&output));
    assert_eq!(code(&lab.run(&["analyze", "--json", "cut.wav"])), 3);
    let output = lab.run(&["analyze", "--damaged", "fix", "cut.wav"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn analyze_of_a_device_or_an_empty_folder_says_so_at_once() {
    let output = Lab::new().run(&["analyze", "/dev/zero", "."]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("/dev/zero is a pipe, socket or device"));
    assert!(stderr(&output).contains(". contains no audio files"));
}

const EIGHT_MISTAKES: &str = r#"version = 1

[pipeline]
nmae = "podcast"
concurrency = 0

[[step]]
use = "high-pas"

[[step]]
use = "loudness"
with = { target_lufs = 12.0, ceiling_dbtp = 3.0 }

[[export]]
format = "flak"
path = "out/{stme}.{ext}"
on_conflict = "sufix"
"#;

/// Line and column of each mistake above, in the order of the text.
const PLACES: [(u64, u64); 8] =
    [(4, 1), (5, 15), (8, 7), (12, 24), (12, 45), (15, 10), (16, 13), (17, 15)];

#[test]
fn check_of_eight_mistakes_shows_eight_with_place_and_help() {
    let lab = Lab::new();
    lab.write("a.toml", EIGHT_MISTAKES);
    let output = lab.run(&["check", "a.toml"]);
    assert_eq!(code(&output), 78);
    let text = stdout(&output);
    for (line, column) in PLACES {
        assert!(text.contains(&format!(",-[a.toml:{line}:{column}]\n")), "{line}:{column}\n{text}");
    }
    assert_eq!(text.matches(",-[").count(), 8, "{text}");
    assert_eq!(text.matches("\n  help: ").count(), 8, "{text}");
    assert!(text.ends_with("no  a.toml  8 mistakes\n"), "{text}");
}

#[test]
fn check_as_json_gives_one_object_for_each_mistake() {
    let lab = Lab::new();
    lab.write("a.toml", EIGHT_MISTAKES);
    let output = lab.run(&["check", "--json", "a.toml"]);
    assert_eq!(code(&output), 78);
    let value = json(&output);
    let diagnostics = value["diagnostics"].as_array().unwrap();
    let places: Vec<_> = diagnostics
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["column"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, PLACES);
    assert!(diagnostics.iter().all(|one| one["help"].is_string() && one["path"] == "a.toml"));
    assert_eq!(value["pipelines"][0]["ok"], false);
}

const CLEAN: &str = r#"version = 1
[pipeline]
name = "quiet"
[[watch]]
path = "inbox"
[[step]]
use = "gain"
with = { gain_db = -6.0 }
[[export]]
format = "flac"
path = "outbox/{stem}.{ext}"
"#;

#[test]
fn check_of_a_clean_file_says_what_it_does_and_makes_nothing() {
    let lab = Lab::new();
    lab.write("pipelines/quiet.toml", CLEAN);
    for argument in ["pipelines/quiet.toml", "pipelines", "quiet"] {
        let output = lab.run(&["check", argument]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let expected = "ok  pipelines/quiet.toml  quiet: inbox -> gain -> flac\n";
        assert_eq!(stdout(&output), expected);
    }
    assert!(!lab.path("inbox").exists() && !lab.path("outbox").exists());
}

#[test]
fn jobs_without_a_state_folder_are_none_and_none_is_made() {
    let lab = Lab::new();
    let output = lab.run(&["jobs", "list", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(json(&output), serde_json::json!({ "version": 1, "jobs": [] }));
    assert_eq!(code(&lab.run(&["jobs", "show", "7"])), 1);
    assert!(!lab.path(".local").exists());
}

#[test]
fn jobs_are_read_from_the_store_while_no_daemon_runs() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("state")).unwrap();
    let output = lab.run(&["--state", "state", "jobs", "list"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, "no jobs\n"));
    let output = lab.run(&["--state", "state", "jobs", "show", "7"]);
    assert_eq!(code(&output), 1);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    let output = lab.run(&["--state", "state", "status"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, "no daemon is running\nno jobs\n"));
    let output = lab.run(&["--state", "state", "jobs", "reprocess", "inbox/unknown.wav"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("inbox/unknown.wav"), "{}", stderr(&output));
}

#[test]
fn store_that_is_held_by_a_process_without_a_socket_is_unreachable() {
    let lab = Lab::new();
    let _held = wavemill_store::Store::open(&lab.path("state")).unwrap();
    let output = lab.run(&["--state", "state", "jobs", "list"]);
    assert_eq!(code(&output), 10);
    assert!(stderr(&output).contains("does not answer"), "{}", stderr(&output));
}

#[test]
fn retry_needs_jobs_to_retry() {
    assert_eq!(code(&Lab::new().run(&["jobs", "retry"])), 2);
    assert_eq!(code(&Lab::new().run(&["jobs", "retry", "7", "--failed"])), 2);
    assert_eq!(code(&Lab::new().run(&["jobs", "list", "--only", "lost"])), 2);
}

const LOUDER: &str = r#"version = 1
[pipeline]
name = "louder"
[[step]]
use = "loudness"
with = { target_lufs = -10.0, ceiling_dbtp = -1.0 }
[[export]]
format = "wav"
path = "out/{stem}.{ext}"
"#;

#[test]
fn run_delivers_good_files_and_names_bad_ones() {
    let lab = Lab::new();
    lab.write("louder.toml", LOUDER);
    File::create(lab.path("good.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab.write("text.wav", "not audio");
    let output = lab.run(&["run", "louder.toml", "text.wav", "good.wav", "gone.wav"]);
    assert_eq!(code(&output), 3);
    let lines = stdout(&output);
    assert!(lines.starts_with("good.wav -> 1 file, "), "{lines}");
    assert!(lines.contains("LUFS, true peak "), "{lines}");
    assert!(lines.contains("\n  out/good.wav\n"), "{lines}");
    let errors = stderr(&output);
    assert!(errors.contains("error: text.wav: is not an audio file"), "{errors}");
    assert!(errors.contains("error: gone.wav: cannot be read"), "{errors}");
    assert!(errors.contains("1 done, 2 failed"), "{errors}");
    assert!(lab.path("out/good.wav").exists());
    assert_eq!(std::fs::read_dir(lab.path("out")).unwrap().count(), 1);
}

#[test]
fn output_folder_follows_flag_then_environment_then_root() {
    let lab = Lab::new();
    lab.write("louder.toml", LOUDER);
    File::create(lab.path("good.wav")).unwrap().write_all(&square_wave()).unwrap();
    std::fs::create_dir(lab.path("root")).unwrap();
    let run = |args: &[&str], variable: Option<&str>| {
        let mut command = lab.command(args);
        command.envs(variable.map(|value| ("WAVEMILL_OUTPUT_DIR", value)));
        assert_eq!(code(&command.output().unwrap()), 0);
    };
    run(&["run", "louder.toml", "good.wav", "--root", "root"], None);
    run(&["run", "louder.toml", "good.wav", "--root", "root"], Some("variable"));
    run(&["run", "louder.toml", "good.wav", "--output", "flag"], Some("variable"));
    for folder in ["root", "variable", "flag"] {
        assert!(lab.path(folder).join("out/good.wav").exists(), "{folder}");
    }
}

#[test]
fn run_as_json_is_one_event_a_line() {
    let lab = Lab::new();
    lab.write("louder.toml", LOUDER);
    File::create(lab.path("good.wav")).unwrap().write_all(&square_wave()).unwrap();
    let output = lab.run(&["run", "--json", "louder.toml", "good.wav", "gone.wav"]);
    let events: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["version"] == 1));
    let named = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    assert_eq!(named("job-done")["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(named("job-done")["report"]["steps"][0]["use"], "loudness");
    assert!(named("job-failed")["reason"].as_str().unwrap().starts_with("cannot be read"));
    assert_eq!(events.last().unwrap()["event"], "summary");
    assert_eq!(
        (&events.last().unwrap()["done"], &events.last().unwrap()["failed"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn plan_shows_the_outputs_and_makes_none() {
    let lab = Lab::new();
    lab.write("louder.toml", LOUDER);
    File::create(lab.path("good.wav")).unwrap().write_all(&square_wave()).unwrap();
    let output = lab.run(&["plan", "--json", "louder.toml", "good.wav"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let plan = &json(&output)["plan"];
    assert!(plan["exports"][0]["path"].as_str().unwrap().ends_with("/out/good.wav"), "{plan}");
    assert!(!lab.path("out").exists());
}

/// A WAVE file of silence that takes a while and no room: its samples are a hole.
#[cfg(unix)]
fn write_long_silence(path: &Path) {
    const BYTES: u32 = 400 << 20;
    let mut header = square_wave();
    header.truncate(44);
    header[40..44].copy_from_slice(&BYTES.to_le_bytes());
    header[4..8].copy_from_slice(&(36 + BYTES).to_le_bytes());
    let mut file = File::create(path).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(44 + u64::from(BYTES)).unwrap();
}

#[cfg(unix)]
#[test]
fn run_that_is_interrupted_leaves_nothing() {
    use std::io::{BufRead, BufReader};
    let lab = Lab::new();
    lab.write("louder.toml", LOUDER);
    write_long_silence(&lab.path("long.wav"));
    let mut child = lab
        .command(&["run", "--json", "louder.toml", "long.wav"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"progress\"")));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("\"job-canceled\"")), "{rest:?}");
    let made = std::fs::read_dir(lab.path("out")).map_or(0, Iterator::count);
    assert_eq!(made, 0);
}

#[test]
fn check_finds_two_pipelines_of_one_name() {
    let lab = Lab::new();
    lab.write("pipelines/a.toml", CLEAN);
    lab.write("pipelines/b.toml", CLEAN);
    let output = lab.run(&["check", "pipelines"]);
    assert_eq!(code(&output), 78);
    let text = stdout(&output);
    assert!(text.contains("pipelines/a.toml also has the name `quiet`"), "{text}");
    assert!(text.contains(",-[pipelines/b.toml:3:8]"), "{text}");
}

#[test]
fn watch_until_idle_shows_what_became_of_each_file() {
    let lab = Lab::new();
    lab.write("quiet.toml", CLEAN);
    std::fs::create_dir(lab.path("inbox")).unwrap();
    File::create(lab.path("inbox/good.wav")).unwrap().write_all(&square_wave()).unwrap();
    lab.write("inbox/text.wav", "not audio, but long enough to be looked at as if it were");
    let output = lab.run(&["watch", "--until-idle", "quiet.toml"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("good.wav -> 1 file"), "{}", stdout(&output));
    let errors = stderr(&output);
    assert!(errors.contains("  inbox  -> outbox"), "{errors}");
    assert!(errors.contains("inbox/text.wav"), "{errors}");
    assert!(lab.path("outbox/good.flac").exists());

    // A second time there is nothing to do, and the jobs are known.
    let output = lab.run(&["watch", "--until-idle", "--json", "quiet.toml"]);
    let events: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["version"] == 1 && event["event"] != "job-done"));
    assert_eq!(events[0]["event"], "started");
    assert_eq!(events.last().unwrap()["done"], 0);
    let jobs = json(&lab.run(&["jobs", "list", "--json", "--only", "done"]));
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "{jobs}");
    let id = jobs["jobs"][0]["id"].as_str().unwrap().to_owned();
    let shown = stdout(&lab.run(&["jobs", "show", &id]));
    assert!(shown.contains("outbox/good.flac") && shown.contains("published"), "{shown}");
    let again = lab.run(&["jobs", "reprocess", "inbox/good.wav"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stderr(&again).contains("the next `wavemill watch`"), "{}", stderr(&again));
    let output = lab.run(&["watch", "--until-idle", "quiet.toml"]);
    assert!(stdout(&output).starts_with("good.wav -> 1 file"), "{}", stderr(&output));
}

#[test]
fn watch_without_a_watched_folder_is_a_usage_error() {
    let lab = Lab::new();
    lab.write("louder.toml", LOUDER);
    let output = lab.run(&["watch", "louder.toml"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("wavemill run"), "{}", stderr(&output));
}

#[test]
fn log_word_that_is_no_level_is_not_taken_for_a_module() {
    let output = Lab::new().run(&["--log", "verbose", "steps"]);
    assert_eq!(code(&output), 78);
    assert!(stderr(&output).contains("error, warn, info"), "{}", stderr(&output));
    assert_eq!(code(&Lab::new().run(&["--log", "INFO", "steps"])), 0);
}
