//! What a daemon does without ending: it takes other pipelines and settings, reports jobs to hooks, and keeps a log.

use serde_json::Value;
use std::path::Path;
use wavemill_tests::lab::{Daemon, Lab, put, wait_until};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// A pipeline that watches a folder and writes a format into `out`.
fn pipeline(name: &str, folder: &str, format: &str) -> String {
    format!(
        "version = 1\n[pipeline]\nname = \"{name}\"\n[[watch]]\npath = \"{folder}\"\n\
         ready = {{ stable_for = \"50ms\" }}\n[[export]]\nformat = \"{format}\"\n\
         path = \"out/{{stem}}.{{ext}}\"\n"
    )
}

fn drop_file(lab: &Lab, path: &str) {
    let aside = lab.aside("sound.wav");
    wav::write(&aside, &signal::pink(4_800, 1, 48_000, 0.3, 1), Stored::Int(16));
    std::fs::rename(aside, lab.path(path)).expect("a file can be dropped");
}

fn done(daemon: &mut Daemon, name: &str) {
    daemon.wait_for(name, |event| {
        event["event"] == "job-done"
            && event["input"].as_str().is_some_and(|input| input.ends_with(name))
    });
}

/// Names in a list of an event.
fn names(event: &Value, list: &str) -> Vec<String> {
    let names = event[list].as_array().expect("a list").iter();
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn daemon_goes_on_with_pipelines_that_were_edited_added_and_removed() {
    let lab = Lab::new();
    let first = lab.pipeline("a", &pipeline("first", "in", "flac"));
    let folder = first.parent().expect("it is in a folder").to_owned();
    lab.pipeline("b", &pipeline("second", "other", "flac"));
    let mut daemon = lab.watch(&[&folder]);
    daemon.wait_until_started();
    drop_file(&lab, "in/1.wav");
    done(&mut daemon, "1.wav");
    // One is edited, one is gone, one is new.
    lab.pipeline("a", &pipeline("first", "in", "aiff"));
    std::fs::remove_file(folder.join("b.toml")).expect("it is there");
    lab.pipeline("c", &pipeline("third", "third", "wav"));
    daemon.hang_up();
    let event = daemon.wait_for("the reload", |event| event["event"] == "reloaded");
    assert_eq!(names(&event, "begun"), ["third"]);
    assert_eq!(names(&event, "changed"), ["first"]);
    assert_eq!(names(&event, "ended"), ["second"]);
    drop_file(&lab, "in/2.wav");
    drop_file(&lab, "third/3.wav");
    drop_file(&lab, "other/4.wav");
    done(&mut daemon, "2.wav");
    done(&mut daemon, "3.wav");
    let status = lab.run(["status", "--json"]).json();
    let watches = status["daemon"]["watches"].as_array().expect("a list").len();
    assert_eq!(watches, 2, "{status}");
    assert_eq!(daemon.terminate(), Some(0));
    // Nothing was done twice, and nobody looked into the folder that is no longer watched.
    assert_eq!(lab.files("out"), ["1.flac", "2.aiff", "3.wav"]);
}

#[test]
fn change_of_a_file_is_noticed_and_one_with_a_mistake_changes_nothing() {
    let lab = Lab::new();
    let path = lab.pipeline("a", &pipeline("first", "in", "flac"));
    let mut daemon = lab.watch(&[&path]);
    daemon.wait_until_started();
    // Valid TOML for another folder, and a second mistake that must keep the first change out.
    put(
        &path,
        format!("{}[[export]]\nformat = \"flak\"\n", pipeline("first", "new", "wav")).as_bytes(),
    );
    let event = daemon.wait_for("the refusal", |event| event["event"] == "reload-refused");
    assert!(event["reason"].as_str().expect("a reason").contains("mistake"), "{event}");
    drop_file(&lab, "in/1.wav");
    done(&mut daemon, "1.wav");
    put(&path, pipeline("first", "new", "wav").as_bytes());
    daemon.wait_for("the reload", |event| event["event"] == "reloaded");
    drop_file(&lab, "new/2.wav");
    done(&mut daemon, "2.wav");
    assert_eq!(daemon.terminate(), Some(0));
    assert_eq!(lab.files("out"), ["1.flac", "2.wav"]);
}

/// The JSON of each line of a file, as a hook or the log wrote it.
fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    whole.collect()
}

#[test]
fn hook_that_was_added_while_running_is_notified_of_jobs_and_batches() {
    let lab = Lab::new();
    let path = lab.pipeline("a", &pipeline("first", "in", "flac"));
    lab.configure("");
    let mut daemon = lab.watch(&[&path]);
    daemon.wait_until_started();
    let log = lab.path("messages");
    lab.configure(&format!(
        "[[hook]]\nname = \"desk\"\non = [\"done\", \"failed\", \"batch-done\"]\n\
         command = [\"sh\", \"-c\", \"cat >> '{0}'; echo >> '{0}'\"]\n",
        log.display()
    ));
    daemon.hang_up();
    daemon.wait_for("the reload", |event| event["event"] == "reloaded");
    drop_file(&lab, "in/good.wav");
    put(&lab.path("in/bad.wav"), b"no sound at all");
    let aside = lab.aside("one.wav");
    wav::write(&aside, &signal::pink(4_800, 1, 48_000, 0.3, 1), Stored::Int(16));
    let aside = aside.to_str().expect("a path of the lab is text");
    let ended = lab.run(["jobs", "submit", "--pipeline", "first", "--name", "monday", aside]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    wait_until("four messages", || json_lines(&log).len() == 4);
    let mut kinds: Vec<_> = json_lines(&log).iter().map(|it| it["type"].to_string()).collect();
    kinds.sort();
    assert_eq!(kinds, ["\"batch.done\"", "\"job.done\"", "\"job.done\"", "\"job.failed\""]);
    let failed = json_lines(&log).into_iter().find(|it| it["type"] == "job.failed").expect("one");
    assert!(failed["text"].as_str().expect("a line").starts_with("bad.wav (first): failed: "));
    let batch = json_lines(&log).into_iter().find(|it| it["type"] == "batch.done").expect("one");
    assert_eq!(
        (&batch["data"]["name"], &batch["data"]["is_over"]),
        (&"monday".into(), &true.into())
    );
    wait_until("nothing left to send", || {
        let hooks = lab.run(["hooks", "list", "--json"]).json();
        hooks["hooks"][0]["name"] == "desk" && hooks["hooks"][0]["waiting"] == 0
    });
    // One of them failed.
    assert_eq!(daemon.terminate(), Some(3));
    let ended = lab.run(["hooks", "test", "desk"]);
    assert_eq!((ended.code, json_lines(&log).len()), (Some(0), 5), "{ended:?}");
    let ended = lab.run(["hooks", "test", "desc"]);
    assert!(ended.code == Some(2) && ended.stderr.contains("hooks are desk"), "{ended:?}");
}

#[test]
fn daemon_keeps_a_log_of_every_job() {
    let lab = Lab::new();
    let path = lab.pipeline("a", &pipeline("first", "in", "flac"));
    drop_file(&lab, "in/1.wav");
    put(&lab.path("in/bad.wav"), b"no sound at all");
    lab.until_idle(&[&path]);
    let lines = json_lines(&lab.state().join("wavemill.log"));
    let of = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    assert_eq!((of("Job begins."), of("Job done."), of("Job failed.")), (2, 1, 1), "{lines:?}");
    for line in &lines {
        for field in ["timestamp", "level", "target"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    lab.configure("log_files = 0\n");
    drop_file(&lab, "in/2.wav");
    lab.until_idle(&[&path]);
    assert_eq!(json_lines(&lab.state().join("wavemill.log")).len(), lines.len());
}
