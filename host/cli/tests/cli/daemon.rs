//! A running daemon, and what is asked of it.

use super::{Lab, code, json, square_wave, stderr, stdout};
use std::fs::File;
use std::io::Write;
use std::process::{Child, Stdio};

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"moving\"\n[source]\n\
                        on_success = \"move:done\"\n[[watch]]\npath = \"in\"\n\
                        ready = { stable_for = \"50ms\" }\n\
                        [[export]]\nformat = \"wav\"\npath = \"out/{stem}.{ext}\"\n";

/// A daemon that ends with the test.
struct Daemon(Child);

impl Daemon {
    fn start(lab: &Lab) -> Self {
        let mut command = lab.command(&["watch", "p", "--log", "off"]);
        let daemon = Self(command.stderr(Stdio::null()).spawn().unwrap());
        let pid = || json(&lab.run(&["status", "--json"]))["daemon"]["pid"].as_u64();
        while !lab.run(&["status", "--json"]).status.success() || pid() != Some(daemon.pid()) {
            std::thread::yield_now();
        }
        daemon
    }

    fn pid(&self) -> u64 {
        self.0.id().into()
    }

    fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("p/moving.toml", PIPELINE);
    std::fs::create_dir(lab.path("in")).unwrap();
    lab
}

fn drop_file(lab: &Lab, name: &str) {
    File::create(lab.path(name)).unwrap().write_all(&square_wave()).unwrap();
}

/// Asks until the answer is so.
fn wait_for(lab: &Lab, command: &[&str], part: &str) -> String {
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        let answer = stdout(&lab.run(command));
        if answer.contains(part) {
            return answer;
        }
        assert!(std::time::Instant::now() < deadline, "no `{part}` in\n{answer}");
        std::thread::yield_now();
    }
}

#[test]
fn sources_that_were_moved_are_reprocessed_by_pipeline_and_by_name() {
    let lab = lab();
    drop_file(&lab, "in/a.wav");
    drop_file(&lab, "in/b.wav");
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert!(lab.path("done/a.wav").exists() && !lab.path("in/a.wav").exists());
    let all = json(&lab.run(&["jobs", "reprocess", "--pipeline", "moving", "--json"]));
    assert_eq!(all["jobs"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert!(lab.path("done/a.wav").exists() && !lab.path("done/a-2.wav").exists());
    for name in ["in/a.wav", "done/b.wav"] {
        let one = json(&lab.run(&["jobs", "reprocess", name, "--json"]));
        assert_eq!(one["jobs"].as_array().unwrap().len(), 1, "{one}");
    }
    let output = lab.run(&["jobs", "reprocess", "in/c.wav"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("this file is in no watched folder"), "{}", stderr(&output));
    let done = || json(&lab.run(&["status", "--json"]))["jobs"]["done"].clone();
    assert_eq!(done(), 4);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert_eq!(done(), 6);
    let created = json(&lab.run(&["jobs", "list", "--json"]))["jobs"][0]["created"].clone();
    assert!(!created.as_str().unwrap().contains('['), "{created}");
}

#[test]
fn submitted_files_are_reprocessed_by_the_pipeline_of_today_unless_they_were_canceled() {
    let lab = lab();
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    drop_file(&lab, "kept.wav");
    drop_file(&lab, "canceled.wav");
    let submit = |name: &str| code(&lab.run(&["jobs", "submit", "-p", "moving", name]));
    assert_eq!(submit("canceled.wav"), 0);
    assert_eq!(code(&lab.run(&["jobs", "cancel", "--waiting"])), 0);
    assert_eq!(submit("kept.wav"), 0);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert!(lab.path("out/kept.wav").exists());
    lab.write("p/moving.toml", &PIPELINE.replace("out/", "made/"));
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    let again = json(&lab.run(&["jobs", "reprocess", "--pipeline", "moving", "--json"]));
    assert_eq!(again["jobs"].as_array().unwrap().len(), 1, "{again}");
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert!(lab.path("made/kept.wav").exists() && lab.path("kept.wav").exists());
    assert!(!lab.path("out/canceled.wav").exists() && !lab.path("made/canceled.wav").exists());
    // By the name it was submitted under, which leads through a link.
    std::os::unix::fs::symlink(lab.path(""), lab.path("link")).unwrap();
    let named = json(&lab.run(&["jobs", "reprocess", "link/kept.wav", "--json"]));
    assert_eq!(named["jobs"].as_array().unwrap().len(), 1, "{named}");
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    // One that is not known keeps the others from nothing.
    let id = again["jobs"][0]["id"].as_str().unwrap();
    let some = lab.run(&["jobs", "retry", "bogus", id, "nothing"]);
    assert_eq!(code(&some), 3);
    for line in ["error: job bogus is not known", "error: job nothing is not known", "1 new job"] {
        assert!(stderr(&some).contains(line), "{line}: {}", stderr(&some));
    }
    let none = lab.run(&["jobs", "retry", "bogus", "nothing"]);
    assert_eq!(code(&none), 1);
    assert_eq!(stderr(&none), "error: job bogus is not known; job nothing is not known\n");
    let ready = json(&lab.run(&["jobs", "list", "--only", "ready", "--json"]));
    let waiting = ready["jobs"][0]["id"].as_str().unwrap();
    let canceled = lab.run(&["jobs", "cancel", "bogus", id, waiting]);
    assert_eq!(code(&canceled), 3, "{}", stderr(&canceled));
    assert!(stdout(&canceled).contains(waiting), "{}", stdout(&canceled));
    assert!(stderr(&canceled).contains("cannot be canceled: it is done"), "{}", stderr(&canceled));
    // One whose repeat was canceled was not canceled itself.
    assert_eq!(code(&lab.run(&["jobs", "reprocess", "--pipeline", "moving"])), 0);
    assert_eq!(json(&lab.run(&["status", "--json"]))["jobs"]["ready"], 1);
}

#[test]
fn file_that_was_submitted_with_a_text_is_reprocessed_with_that() {
    let lab = lab();
    drop_file(&lab, "kept.wav");
    lab.write("mine.toml", &PIPELINE.replace("out/", "mine/"));
    assert_eq!(code(&lab.run(&["jobs", "submit", "-p", "mine.toml", "kept.wav"])), 0);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    std::fs::remove_dir_all(lab.path("mine")).unwrap();
    assert_eq!(code(&lab.run(&["jobs", "reprocess", "--pipeline", "moving"])), 0);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert!(lab.path("mine/kept.wav").exists() && !lab.path("out/kept.wav").exists());
}

#[test]
fn pipelines_that_are_not_there_are_named() {
    let lab = lab();
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    for words in [
        &["jobs", "pause", "--pipeline", "moveing"][..],
        &["jobs", "resume", "--pipeline", "moveing"],
        &["jobs", "reprocess", "--pipeline", "moveing"],
        &["jobs", "retry", "--failed", "--pipeline", "moveing"],
        &["jobs", "cancel", "--waiting", "--pipeline", "moveing"],
    ] {
        let output = lab.run(words);
        assert_eq!(code(&output), 1, "{words:?}");
        assert_eq!(stderr(&output), "error: unknown pipeline `moveing`\n", "{words:?}");
    }
    assert_eq!(stderr(&lab.run(&["jobs", "resume"])), "nothing is paused\n");
}

#[test]
fn mistake_in_the_configuration_file_keeps_nobody_from_looking_or_controlling() {
    let lab = lab();
    let _daemon = Daemon::start(&lab);
    lab.write(".config/wavemill/config.toml", "wokers = 2\nlog = \"silent!\"\n");
    let output = lab.run(&["status", "--running"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("0 of "), "{}", stdout(&output));
    assert!(stderr(&output).contains("did you mean `workers`?"), "{}", stderr(&output));
    let doctor = lab.run(&["doctor"]);
    assert_eq!(code(&doctor), 3);
    assert!(stdout(&doctor).contains("config.toml"), "{}", stdout(&doctor));
    for words in [&["jobs", "submit", "-p", "moving", "kept.wav"][..], &["watch", "p"]] {
        assert_eq!(code(&lab.run(words)), 78, "{words:?}");
    }
    for slip in ["log = \"silent!\"\n", "output_dir = \"/srv/station\"\nwokers = 2\n"] {
        lab.write(".config/wavemill/config.toml", slip);
        assert_eq!(code(&lab.run(&["status", "--running"])), 0, "{slip}");
        assert_eq!(code(&lab.run(&["doctor"])), 3, "{slip}");
        for words in
            [&["jobs", "pause"][..], &["jobs", "resume"], &["files", "list"], &["log", "info"]]
        {
            assert_eq!(code(&lab.run(words)), 0, "{words:?} {slip}");
        }
    }
    // What may be about the state folder is not guessed: another one has another daemon.
    for slip in [
        "STATE = 5\n",
        "log = \"info\" state = \"s\"\n",
        "stat = \"s\"\n",
        "state = 5\n",
        "[watch]\nstate = \"s\"\n",
        "sate = \"s\"\n",
    ] {
        lab.write(".config/wavemill/config.toml", slip);
        assert_eq!(code(&lab.run(&["status", "--running"])), 78, "{slip}");
        let here = lab.path(".local/state/wavemill");
        let named = ["--state", here.to_str().unwrap(), "status", "--running"];
        assert_eq!(code(&lab.run(&named)), 0, "{slip}");
    }
    assert_eq!(code(&lab.run(&["--config", "gone.toml", "status", "--running"])), 78);
}

#[test]
fn second_state_folder_on_the_same_watched_folder_is_reported() {
    let lab = lab();
    let _daemon = Daemon::start(&lab);
    // Its own daemon is no other.
    assert!(!stdout(&lab.run(&["doctor", "p"])).contains("another state folder"));
    let doctor = lab.run(&["--state", "other", "doctor", "p"]);
    assert!(stdout(&doctor).contains("watched by a daemon with another state folder"));
    let watch = lab.run(&["--state", "other", "watch", "p", "--until-idle"]);
    assert_eq!(code(&watch), 0);
    assert!(stderr(&watch).contains("files are processed twice"), "{}", stderr(&watch));
}

#[test]
fn root_that_is_not_there_is_an_error_and_not_made() {
    let lab = lab();
    lab.write("a.wav", "");
    let missing = lab.path("missing");
    let root = missing.to_str().unwrap();
    for words in [&["watch", "p", "--until-idle"][..], &["run", "p/moving.toml", "a.wav"]] {
        let output = lab.run(&[&["--root", root][..], words].concat());
        assert_eq!(code(&output), 78, "{words:?}");
        assert!(stderr(&output).contains("does not exist; create it with"), "{}", stderr(&output));
    }
    assert!(!missing.exists());
    assert_eq!(code(&lab.run(&["--root", root, "doctor"])), 3);
}

#[test]
fn reload_that_was_refused_is_shown_until_one_succeeds() {
    let lab = lab();
    let daemon = Daemon::start(&lab);
    lab.write("p/moving.toml", &PIPELINE.replace("wav\"\n", "wavs\"\n"));
    daemon.hang_up();
    wait_for(&lab, &["status"], "not reloaded: ");
    assert_eq!(code(&lab.run(&["status", "--running"])), 0);
    lab.write("p/moving.toml", &PIPELINE.replace("out/", "made/"));
    daemon.hang_up();
    wait_for(&lab, &["status", "--json"], "/made");
    assert!(!stdout(&lab.run(&["status"])).contains("not reloaded"));
}

#[test]
fn doctor_looks_at_all_folders_of_the_daemon_that_runs() {
    let lab = lab();
    let _daemon = Daemon::start(&lab);
    // In the place of the folder of outputs.
    lab.write("out", "");
    let doctor = lab.run(&["doctor"]);
    assert_eq!(code(&doctor), 3, "{}", stdout(&doctor));
    let is_told = |line: &str| line.contains("output") && line.contains("is not a folder");
    assert!(stdout(&doctor).lines().any(is_told), "{}", stdout(&doctor));
}
