//! The binary as its users meet it: outputs, streams and exit codes.

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
    assert_eq!(stderr(&output), "error: there is no step `gian`; did you mean `gain`?\n");
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
