//! What users of comparable tools complain of most: none of it may be true of us. One test each, named after
//! the complaint; the issues are on GitHub.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use wavemill_tests::audit::count_frames;
use wavemill_tests::lab::{Ended, Lab, is_about, put, wait_until};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const COPY: &str = r#"
version = 1

[pipeline]
name = "copy"
retry = { attempts = 2, backoff = "50ms..50ms" }

[[watch]]
path = "in"
ready = { stable_for = "100ms" }

[[export]]
format = "flac"
path = "out/{stem}.{ext}"
"#;

/// Frames of most inputs.
const FRAMES: usize = 4800;

fn tone(path: &Path, hz: f64) {
    wav::write(path, &signal::sine(48_000, 1, FRAMES, hz, 0.5), Stored::Int(16));
}

fn states(lab: &Lab) -> Vec<String> {
    let state = |job: &Value| job["state"].as_str().unwrap().to_owned();
    lab.jobs().iter().map(state).collect()
}

/// Works until nothing is left to do, with this exit code.
fn work(lab: &Lab, pipeline: &Path, code: i32) -> Ended {
    let ended = lab.until_idle(&[pipeline]);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    ended
}

/// A lab in which `in/a.wav` was processed by a pipeline.
fn processed(text: &str) -> (Lab, PathBuf) {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", text);
    tone(&lab.path("in/a.wav"), 440.0);
    work(&lab, &pipeline, 0);
    assert_eq!(states(&lab), ["done"]);
    (lab, pipeline)
}

/// Unmanic/unmanic#540, Unmanic/unmanic#441, HaveAGitGat/Tdarr#1122.
#[test]
fn complaint_01_processed_while_still_copying() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    tone(&lab.aside("a.wav"), 440.0);
    let bytes = fs::read(lab.aside("a.wav")).unwrap();
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    let mut copy = File::create(lab.path("in/a.wav")).unwrap();
    for piece in bytes.chunks(bytes.len() / 4) {
        copy.write_all(piece).unwrap();
        // Longer than a file must be at rest: what is missing is known from its header.
        daemon.observe(Duration::from_millis(300));
        let is_whole = copy.metadata().unwrap().len() == bytes.len() as u64;
        let started = daemon.events().iter().any(|event| event["event"] == "job-started");
        assert!(is_whole || !started, "{:#?}", daemon.events());
    }
    drop(copy);
    daemon.wait_for("its job", |event| is_about(event, "job-done", "in/a.wav"));
    assert_eq!(count_frames(&lab.root().join("out/a.flac")), Ok(FRAMES as u64));
    // A pause longer than the time at rest may be reported; nothing is made of what is there by then.
    let states = states(&lab);
    assert_eq!(states.iter().filter(|state| *state == "done").count(), 1, "{states:?}");
    assert!(states.iter().all(|state| state == "done" || state == "failed"), "{states:?}");
}

/// HaveAGitGat/Tdarr#1207, HaveAGitGat/Tdarr#416, HaveAGitGat/Tdarr#776, Unmanic/unmanic#425.
#[test]
fn complaint_02_whole_library_queued_again_after_an_edit() {
    let (lab, pipeline) = processed(COPY);
    work(&lab, &pipeline, 0);
    let edited = lab.pipeline("copy", &COPY.replace("\"flac\"", "\"wav\""));
    work(&lab, &edited, 0);
    assert_eq!(states(&lab), ["done"]);
    assert_eq!(lab.files("out"), ["a.flac"]);
}

/// HaveAGitGat/Tdarr#866, Unmanic/unmanic-plugins#172, ocrmypdf/OCRmyPDF#484.
#[test]
fn complaint_03_endless_loop_when_the_source_is_kept_or_the_output_lies_in_the_input() {
    let (lab, _) = processed(COPY);
    let looping = lab.pipeline("copy", &COPY.replace("\"out/", "\"in/done/"));
    let ended = lab.until_idle(&[&looping]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("in/done"), "{ended:?}");
    // Outputs that the folder does not take are none of its files.
    let excluding = COPY
        .replace("\"out/", "\"in/done/")
        .replace("path = \"in\"\n", "path = \"in\"\nrescan = \"1s\"\n")
        .replace("\"100ms\" }", "\"100ms\", ignore = [\"done/**\"] }");
    let excluding = lab.pipeline("copy", &excluding);
    tone(&lab.path("in/b.wav"), 440.0);
    let mut daemon = lab.watch(&[&excluding]);
    daemon.wait_for("its job", |event| is_about(event, "job-done", "in/b.wav"));
    // Two more looks at the folder.
    daemon.observe(Duration::from_millis(2500));
    assert_eq!(states(&lab), ["done", "done"]);
    assert_eq!(lab.files("in"), ["a.wav", "b.wav", "done/b.flac"]);
}

/// paperless-ngx/paperless-ngx#1975, paperless-ngx/paperless-ngx#7969, paperless-ngx/paperless-ngx#13146.
///
/// Shares notify nobody of what others write. They are recognized by their file system (a test of
/// `host/watch/src` has the list), and then nothing but looking is relied on, as here.
#[test]
fn complaint_04_network_folders_stay_silent() {
    let lab = Lab::new();
    let polling =
        COPY.replace("path = \"in\"\n", "path = \"in\"\nmode = \"poll\"\nrescan = \"1s\"\n");
    // One folder by looking, one by events, in one daemon.
    let pipeline = lab.pipeline(
        "copy",
        &(polling + "\n[[watch]]\npath = \"local\"\nready = { stable_for = \"100ms\" }\n"),
    );
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    tone(&lab.path("in/deep/er/a.wav"), 440.0);
    tone(&lab.path("local/deep/er/b.wav"), 440.0);
    daemon.wait_for("the job of the one", |event| is_about(event, "job-done", "in/deep/er/a.wav"));
    daemon
        .wait_for("that of the other", |event| is_about(event, "job-done", "local/deep/er/b.wav"));
    assert_eq!(states(&lab).len(), 2);
}

/// HaveAGitGat/Tdarr#915.
#[test]
fn complaint_05_outage_of_the_share_wipes_the_index() {
    let text = COPY.replace("path = \"in\"\n", "path = \"in\"\nrescan = \"1s\"\n");
    let (lab, pipeline) = processed(&text);
    let rename = |from: &str, to: &str| {
        fs::rename(lab.root().join(from), lab.root().join(to)).unwrap();
    };
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    rename("in", "gone");
    daemon.wait_for("the outage", |event| event["event"] == "root-offline");
    rename("gone", "in");
    tone(&lab.path("in/b.wav"), 440.0);
    daemon.wait_for("the new file", |event| is_about(event, "job-done", "in/b.wav"));
    assert_eq!(daemon.terminate(), Some(0));
    // While nothing runs, and an empty folder stands in its place, as a mount point does.
    rename("in", "gone");
    fs::create_dir(lab.root().join("in")).unwrap();
    fs::remove_dir(lab.root().join("in")).unwrap();
    rename("gone", "in");
    work(&lab, &pipeline, 0);
    assert_eq!(states(&lab), ["done", "done"]);
}

/// jonaswinkler/paperless-ng#1159.
#[test]
fn complaint_06_file_that_settled_too_slowly_is_ignored_forever() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    tone(&lab.aside("a.wav"), 440.0);
    let bytes = fs::read(lab.aside("a.wav")).unwrap();
    put(&lab.path("in/a.wav"), &bytes[..bytes.len() / 2]);
    // Two daemons see half of it, and say so.
    for _ in 0..2 {
        let ended = work(&lab, &pipeline, 3);
        assert!(ended.stdout.contains("\"incomplete\":1"), "{ended:?}");
    }
    assert_eq!(states(&lab), ["failed"]);
    put(&lab.path("in/a.wav"), &bytes);
    work(&lab, &pipeline, 0);
    assert_eq!(states(&lab), ["done", "failed"]);
}

/// paperless-ngx/paperless-ngx#494.
#[test]
fn complaint_07_same_file_consumed_twice() {
    let lab = Lab::new();
    let text = COPY.replace("path = \"in\"\n", "path = \"in\"\nrescan = \"1s\"\n");
    let pipeline = lab.pipeline("copy", &text);
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    tone(&lab.path("in/a.wav"), 440.0);
    // Opened for writing and closed again and again, and looked at, while it is taken.
    for _ in 0..20 {
        drop(File::options().append(true).open(lab.root().join("in/a.wav")).unwrap());
        let _ = fs::read(lab.root().join("in/a.wav")).unwrap();
        daemon.observe(Duration::from_millis(20));
    }
    daemon.wait_for("its job", |event| event["event"] == "job-done");
    // Two more looks at the folder.
    daemon.observe(Duration::from_millis(2500));
    assert_eq!(daemon.terminate(), Some(0));
    work(&lab, &pipeline, 0);
    assert_eq!(states(&lab), ["done"]);
}

/// The most free space that a configuration can ask for, in MiB: a terabyte.
const FREE_MIB_MAX: u64 = 1 << 20;

/// HaveAGitGat/Tdarr#812, HaveAGitGat/Tdarr#619, HaveAGitGat/Tdarr#150, HaveAGitGat/Tdarr#883.
///
/// That kills leave nothing behind is shown by `product/torture`.
#[test]
fn complaint_08_temporary_files_stay_and_jobs_begin_on_a_full_disk() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    tone(&lab.path("in/a.wav"), 440.0);
    let room = rustix::fs::statvfs(lab.root_path()).unwrap();
    if room.f_bavail.saturating_mul(room.f_frsize) >> 20 >= FREE_MIB_MAX {
        eprintln!("skipped: more is free here than a configuration can ask for");
        return;
    }
    put(&lab.aside("config.toml"), format!("min_free_mib = {FREE_MIB_MAX}\n").as_bytes());
    let words = [Path::new("watch"), Path::new("--config"), &lab.aside("config.toml"), &pipeline];
    let mut daemon = lab.command(words).spawn().unwrap();
    wait_until("the job waits for room", || {
        lab.jobs().first().is_some_and(|job| {
            job["waits"].as_str().is_some_and(|reason| reason.contains("MiB free"))
        })
    });
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    wait_until("nothing runs", || lab.processes().is_empty());
    assert_eq!(lab.files("out"), Vec::<String>::new());
    work(&lab, &pipeline, 0);
    assert_eq!(lab.files("out"), ["a.flac"]);
    assert_eq!(fs::read_dir(lab.state().join("spool")).unwrap().count(), 0);
}

/// HaveAGitGat/Tdarr#408, HaveAGitGat/Tdarr#511, Unmanic/unmanic#639.
#[test]
fn complaint_09_original_is_replaced_by_a_truncated_output() {
    let lab = Lab::new();
    // States its length, but not in a header that says so from the start: a FLAC that was cut.
    tone(&lab.aside("a.wav"), 440.0);
    let ended = lab.run([Path::new("export"), &lab.aside("a.wav"), &lab.path("aside.flac")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let bytes = fs::read(lab.root().join("aside.flac")).unwrap();
    let cut = &bytes[..bytes.len() * 2 / 3];
    put(&lab.path("in/a.flac"), cut);
    let deleting = format!("{COPY}\n[source]\non_success = \"delete\"\n");
    let pipeline = lab.pipeline("copy", &deleting);
    work(&lab, &pipeline, 3);
    assert_eq!(lab.files("out"), Vec::<String>::new());
    assert_eq!(fs::read(lab.root().join("in/a.flac")).unwrap(), cut);
    // Over itself nothing is written either.
    let source = lab.root().join("aside.flac");
    let ended = lab.run([Path::new("export"), &source, &source]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs::read(&source).unwrap(), bytes);
}

/// HaveAGitGat/Tdarr#180, HaveAGitGat/Tdarr#784, HaveAGitGat/Tdarr#186.
#[test]
fn complaint_10_source_is_not_kept_and_failures_have_no_folder() {
    let source =
        "\n[source]\non_success = \"move:archive/{reldir}\"\non_failure = \"move:failed\"\n";
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", &format!("{COPY}{source}"));
    tone(&lab.path("in/day/a.wav"), 440.0);
    put(&lab.path("in/b.wav"), b"no audio at all");
    work(&lab, &pipeline, 3);
    assert_eq!(lab.files("in"), Vec::<String>::new());
    assert_eq!(lab.files("archive"), ["day/a.wav"]);
    assert_eq!(lab.files("failed"), ["b.wav", "b.wav.reason.txt"]);
    let reason = fs::read_to_string(lab.root().join("failed/b.wav.reason.txt")).unwrap();
    assert!(reason.contains("is not an audio file"), "{reason}");
    // Kept where nothing is said.
    let (kept, _) = processed(COPY);
    assert_eq!(kept.files("in"), ["a.wav"]);
}

/// Unmanic/unmanic#213, jlesage/docker-handbrake#29.
#[test]
fn complaint_11_failures_cannot_be_retried_together_and_done_files_not_repeated() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    put(&lab.path("out"), b"a file where a folder should be");
    for name in ["a", "b", "c"] {
        tone(&lab.path(&format!("in/{name}.wav")), 440.0);
    }
    work(&lab, &pipeline, 3);
    assert_eq!(states(&lab), ["failed", "failed", "failed"]);
    fs::remove_file(lab.root().join("out")).unwrap();
    let ended = lab.run(["jobs", "retry", "--failed"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    work(&lab, &pipeline, 0);
    assert_eq!(lab.files("out"), ["a.flac", "b.flac", "c.flac"]);
    // Nothing failed is left to be retried; what is done is done again when asked.
    let ended = lab.run([Path::new("jobs"), Path::new("reprocess"), &lab.root().join("in/a.wav")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    work(&lab, &pipeline, 0);
    assert_eq!(states(&lab).iter().filter(|state| *state == "done").count(), 4);
}

/// Unmanic/unmanic#489, Unmanic/unmanic#629.
#[test]
fn complaint_12_permissions_ignore_the_umask() {
    for (mask, file, folder) in [("027", 0o640, 0o750), ("002", 0o664, 0o775)] {
        let lab = Lab::new();
        let nested = COPY.replace("out/{stem}", "out/new/{stem}");
        let pipeline = lab.pipeline("copy", &nested);
        tone(&lab.path("in/a.wav"), 440.0);
        let mut wrapper = Command::new("sh");
        wrapper.args(["-c", &format!("umask {mask}; exec \"$@\""), "sh"]);
        let ended = lab.run_wrapped(wrapper, &["watch", "--until-idle"], &pipeline);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let mode =
            |path: &str| lab.root().join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("out/new/a.flac"), mode("out/new")), (file, folder), "umask {mask}");
    }
}

/// apsun/AniConvert#3, enzo1982/freac#719; tags: slhck/ffmpeg-normalize#86, slhck/ffmpeg-normalize#107.
#[test]
fn complaint_13_files_of_one_stem_overwrite_each_other_and_tags_are_lost() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    tone(&lab.aside("a.wav"), 440.0);
    let tagged = ["--tag", "title=Kept", "--tag", "artist=Both"];
    let mut export = lab.command(["export"]);
    export.args([lab.aside("a.wav"), lab.path("in/a.aiff")]).args(tagged);
    assert!(export.status().unwrap().success());
    work(&lab, &pipeline, 0);
    let first = fs::read(lab.root().join("out/a.flac")).unwrap();
    let tags = lab.run(["tags", "out/a.flac", "--json"]);
    assert!(tags.stdout.contains("Kept") && tags.stdout.contains("Both"), "{tags:?}");
    tone(&lab.path("in/a.wav"), 880.0);
    work(&lab, &pipeline, 0);
    assert_eq!(lab.files("out"), ["a.flac", "a.wav.flac"]);
    assert_eq!(fs::read(lab.root().join("out/a.flac")).unwrap(), first);
}

/// HaveAGitGat/Tdarr#1099, HaveAGitGat/Tdarr#945, HaveAGitGat/Tdarr#1206.
///
/// A pipeline names paths below a root, so the same file works where the root is another one, and what a worker
/// gets are the paths of the daemon that started it.
#[test]
fn complaint_14_paths_differ_from_machine_to_machine() {
    let labs = [Lab::new(), Lab::new()];
    let pipeline = labs[0].pipeline("copy", COPY);
    for lab in &labs {
        tone(&lab.path("in/day/a.wav"), 440.0);
        work(lab, &pipeline, 0);
        assert_eq!(lab.files(""), ["in/day/a.wav", "out/a.flac"]);
    }
    let output = |lab: &Lab| fs::read(lab.root().join("out/a.flac")).unwrap();
    assert_eq!(output(&labs[0]), output(&labs[1]));
}

/// HaveAGitGat/Tdarr#166, HaveAGitGat/Tdarr#853, Unmanic/unmanic#610, beetbox/beets#3791.
#[test]
fn complaint_15_no_metrics_no_webhook_no_drain_no_headless_daemon() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("copy", COPY);
    let message = lab.aside("message");
    lab.configure(&format!(
        "[[hook]]\nname = \"desk\"\non = [\"done\"]\ncommand = [\"sh\", \"-c\", \"cat > '{}'\"]\n",
        message.display()
    ));
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    tone(&lab.path("in/a.wav"), 440.0);
    daemon.wait_for("its job", |event| event["event"] == "job-done");
    let mut socket = UnixStream::connect(lab.state().join("control.sock")).unwrap();
    let request = "GET /v1/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let is_counted =
        |line: &str| line.starts_with("wavemill_") && line.contains("done") && line.ends_with(" 1");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.lines().any(is_counted), "{answer}");
    let ended = lab.run(["jobs", "drain"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    daemon.wait_for("the end", |event| event["event"] == "summary");
    wait_until("the daemon has ended", || lab.processes().is_empty());
    // Kept until it was sent, be it as the last thing.
    let text = fs::read_to_string(message).unwrap();
    assert!(text.contains("\"type\":\"job.done\""), "{text}");
}
