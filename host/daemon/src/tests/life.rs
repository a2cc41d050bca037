//! The life of files, from the watched folder to the outputs.

use super::*;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use wavemill_pipelines::model::SourceAction;
use wavemill_pipelines::template::Template;
use wavemill_store::JobState;
use wavemill_store::SourceRecord;

fn failure(events: &[DaemonEvent]) -> String {
    let mut reasons = events.iter().filter_map(|event| match event {
        DaemonEvent::JobFailed { reason, retry_in: None, .. } => Some(reason.clone()),
        _ => None,
    });
    reasons.next_back().expect("a failure for good")
}

#[test]
fn dropped_file_comes_out_once_and_only_once() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let (summary, events) = lab.run(&plan("a b"));
    assert_eq!(summary, Summary { done: 1, ..Summary::default() });
    assert_eq!(lab.names("out"), ["one.a", "one.b", "one.json"]);
    assert!(lab.read("out/one.a").ends_with("sound"));
    let done = events.iter().find_map(|event| match event {
        DaemonEvent::JobDone { outputs, report, .. } => Some((outputs.clone(), report.clone())),
        _ => None,
    });
    let (outputs, report) = done.unwrap();
    assert!(outputs.iter().all(|output| output.is_published));
    assert_eq!(report.unwrap().tags["source"], "sound");
    // Again, with the pipeline edited.
    let (summary, _) = lab.run(&plan("a b c"));
    assert_eq!(summary, Summary::default());
    assert_eq!(lab.names("out"), ["one.a", "one.b", "one.json"]);
}

#[test]
fn watched_folder_that_is_away_at_the_start_is_not_made_anew() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    lab.run(&plan("a"));
    fs::rename(lab.path("in"), lab.path("away")).unwrap();
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::RootOffline { .. }));
    assert!(!lab.path("in").exists());
    fs::rename(lab.path("away"), lab.path("in")).unwrap();
    running.wait_for(|event| matches!(event, DaemonEvent::RootOnline { .. }));
    lab.write("in/two.wav", "sound of two");
    running.wait_for(|event| matches!(event, DaemonEvent::JobDone { .. }));
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
    assert_eq!(lab.jobs().len(), 2);
}

#[test]
fn watched_folders_are_made_before_the_start_is_reported() {
    let lab = Lab::new();
    fs::remove_dir(lab.path("in")).unwrap();
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::Started { .. }));
    assert!(lab.path("in").is_dir());
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
}

#[test]
fn file_whose_name_is_not_utf_8_comes_out_under_that_name() {
    let lab = Lab::new();
    let name = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
    let mut file = File::create(lab.path("in").join(name(b"caf\xe9.wav"))).unwrap();
    file.write_all(b"sound").unwrap();
    drop(file);
    let (summary, _) = lab.run(&plan("a"));
    assert_eq!(summary, Summary { done: 1, ..Summary::default() });
    let output = fs::read_to_string(lab.path("out").join(name(b"caf\xe9.a"))).unwrap();
    assert!(output.ends_with("sound"), "{output}");
    assert!(lab.path("out").join(name(b"caf\xe9.json")).exists());
}

#[test]
fn dropping_a_file_again_replaces_our_own_outputs() {
    let lab = Lab::new();
    lab.write("in/one.wav", "first");
    lab.run(&plan("a"));
    lab.write("in/one.wav", "second");
    let (summary, _) = lab.run(&plan("a"));
    assert_eq!(summary.done, 1);
    assert!(lab.read("out/one.a").ends_with("second"));
    assert_eq!(lab.names("out"), ["one.a", "one.json"]);
}

#[test]
fn output_that_a_user_edited_is_not_replaced() {
    let lab = Lab::new();
    lab.write("in/one.wav", "first");
    lab.run(&plan("a"));
    lab.write("out/one.a", "edited by hand");
    lab.write("in/one.wav", "second");
    let (summary, events) = lab.run(&plan("a"));
    assert_eq!(summary.failed, 1);
    assert!(failure(&events).contains("one.a was changed since job"), "{}", failure(&events));
    assert_eq!(lab.read("out/one.a"), "edited by hand");
}

#[test]
fn foreign_output_meets_each_rule() {
    for (rule, expected, names) in [
        ("error", JobState::Failed, vec!["one.a"]),
        ("skip", JobState::Skipped, vec!["one.a", "one.json"]),
        ("suffix", JobState::Done, vec!["one-2.a", "one.a", "one.json"]),
        ("replace", JobState::Done, vec!["one.a", "one.json"]),
    ] {
        let lab = Lab::new();
        lab.write("out/one.a", "foreign");
        lab.write("in/one.wav", "sound");
        lab.run(&plan(&format!("a | {rule}")));
        assert_eq!(lab.jobs()[0].state, expected, "{rule}");
        assert_eq!(lab.names("out"), names, "{rule}");
        assert_eq!(lab.read("out/one.a") == "foreign", rule != "replace", "{rule}");
    }
}

#[test]
fn two_files_with_one_output_name_are_distinguished_by_both_names() {
    let lab = Lab::new();
    for folder in ["in/x", "in/y"] {
        fs::create_dir(lab.path(folder)).unwrap();
        lab.write(&format!("{folder}/one.wav"), folder);
    }
    let (summary, events) = lab.run(&plan("a"));
    assert_eq!((summary.done, summary.failed), (1, 1));
    let reason = failure(&events);
    let failed = events.iter().find_map(|event| match event {
        DaemonEvent::JobFailed { input, .. } => Some(input.clone()),
        _ => None,
    });
    let other = if failed.unwrap().starts_with(lab.path("in/x")) { "in/y" } else { "in/x" };
    assert!(
        reason.contains("out/one.a") && reason.contains(&format!("{other}/one.wav")),
        "{reason}"
    );
}

#[test]
fn files_that_differ_in_extension_both_come_out_and_keep_their_names() {
    let lab = Lab::new();
    let mut plan = plan("a");
    plan.pipeline.watches[0].include.push("*.flac".to_owned());
    let mut first = Vec::new();
    for round in ["first", "second"] {
        lab.write("in/one.wav", &format!("wav {round}"));
        lab.write("in/one.flac", &format!("flac {round}"));
        let (summary, events) = lab.run(&plan);
        assert_eq!((summary.done, summary.failed), (2, 0), "{events:?}");
        let names = lab.names("out");
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names.contains(&"one.a".to_owned()), "{names:?}");
        for name in &names {
            assert!(lab.read(&format!("out/{name}")).contains(round), "{name}");
        }
        if round == "first" {
            first = names.clone();
        }
        assert_eq!(names, first);
        let full = if names.contains(&"one.flac.a".to_owned()) { "flac" } else { "wav" };
        assert!(lab.read(&format!("out/one.{full}.a")).contains(full), "{names:?}");
    }
}

#[test]
fn bad_file_fails_at_once_and_others_are_unharmed() {
    let lab = Lab::new();
    lab.write("in/bad.wav", "bad");
    lab.write("in/good.wav", "sound");
    let (summary, events) = lab.run(&plan("a"));
    assert_eq!((summary.done, summary.failed), (1, 1));
    assert_eq!(failure(&events), "is damaged");
    assert_eq!(lab.names("out"), ["good.a", "good.json"]);
    assert_eq!(lab.jobs().iter().map(|job| job.attempt).max(), Some(1));
}

#[test]
fn crashing_file_gets_a_second_worker_and_then_fails() {
    let lab = Lab::new();
    lab.write("in/bomb.wav", "crash");
    lab.write("in/early.wav", "crash-early");
    lab.write("in/once.wav", "crash-once");
    lab.write("in/good.wav", "sound");
    let (summary, events) = lab.run(&plan("a"));
    assert_eq!((summary.done, summary.failed), (2, 2));
    assert!(failure(&events).starts_with("the decoder crashed (signal 6"), "{}", failure(&events));
    assert_eq!(lab.names("out"), ["good.a", "good.json", "once.a", "once.json"]);
    for job in lab.jobs().iter().filter(|job| job.state == JobState::Failed) {
        assert_eq!((job.attempt, job.crashes), (2, 2));
    }
}

#[test]
fn worker_killed_from_outside_speaks_not_against_the_file() {
    let lab = Lab::new();
    lab.write("in/one.wav", "killed");
    let (summary, events) = lab.run(&plan("a"));
    assert_eq!(summary.done, 1);
    let job = lab.jobs().remove(0);
    assert_eq!((job.attempt, job.crashes, job.tries, job.deaths), (4, 0, 0, 3));
    assert!(events.iter().any(|event| matches!(event, DaemonEvent::JobFailed { reason, .. }
        if reason == "the worker was killed (signal 9)")));
}

#[test]
fn file_that_takes_too_long_fails_with_the_reason() {
    let lab = Lab::new();
    lab.write("in/slow.wav", "hang");
    let mut plan = plan("a");
    plan.pipeline.timeout = Duration::from_millis(300);
    let (summary, events) = lab.run(&plan);
    assert_eq!(summary.failed, 1);
    assert_eq!(failure(&events), "exceeded the pipeline's timeout of 0.3 s");
    assert!(lab.names("out").is_empty());
}

#[test]
fn worker_that_takes_too_much_memory_is_ended() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: memory is read from /proc, which is Linux only");
        return;
    }
    let lab = Lab::new();
    lab.write("in/fat.wav", "fat");
    let (mut settings, events) = settings(lab.folder.path(), true);
    settings.worker_rss_bytes_max = 200 << 20;
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
    let summary = run_with(&settings, plans).unwrap();
    assert_eq!(summary.failed, 1);
    let reason = failure(&events.try_iter().collect::<Vec<_>>());
    assert!(reason.ends_with("MiB of memory; `max_memory_mib` is 200"), "{reason}");
}

#[test]
fn transient_error_is_tried_again() {
    let lab = Lab::new();
    lab.write("in/one.wav", "flaky");
    let (summary, _) = lab.run(&plan("a"));
    assert_eq!(summary.done, 1);
    let job = lab.jobs().remove(0);
    assert_eq!((job.attempt, job.tries), (2, 1));
}

#[test]
fn rejected_file_delivers_its_report_only() {
    let lab = Lab::new();
    lab.write("in/one.wav", "reject");
    let (summary, _) = lab.run(&plan("a b"));
    assert_eq!(summary.rejected, 1);
    assert_eq!(lab.names("out"), ["one.json"]);
    assert_eq!(lab.jobs()[0].reason.as_deref(), Some("is too loud"));
}

#[test]
fn sources_are_moved_as_the_pipeline_says() {
    let lab = Lab::new();
    lab.write("in/good.wav", "sound");
    lab.write("in/bad.wav", "bad");
    lab.write("in/short.wav", "short");
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("in/.done").unwrap());
    plan.pipeline.source.on_failure = SourceAction::Move(Template::parse("failed").unwrap());
    let (summary, _) = lab.run(&plan);
    assert_eq!((summary.done, summary.failed), (1, 2));
    // What was cut short may still be completed, so it stays.
    assert_eq!(lab.names("in"), [".done", "short.wav"]);
    assert_eq!(lab.names("in/.done"), ["good.wav"]);
    assert_eq!(lab.names("failed"), ["bad.wav", "bad.wav.reason.txt"]);
    let reason = format!("{}: is damaged\n", lab.path("in/bad.wav").display());
    assert_eq!(lab.read("failed/bad.wav.reason.txt"), reason);
    let (summary, _) = lab.run(&plan);
    assert_eq!(summary, Summary::default());
}

#[test]
fn source_that_was_moved_and_is_put_back_unchanged_is_taken_again() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("moved").unwrap());
    assert_eq!(lab.run(&plan).0.done, 1);
    // The same inode with the same time, as `mv` brings it back.
    fs::rename(lab.path("moved/one.wav"), lab.path("in/one.wav")).unwrap();
    assert_eq!(lab.run(&plan).0.done, 1);
    assert_eq!(lab.names("moved"), ["one.wav"]);
    assert!(lab.names("in").is_empty());
}

#[test]
fn failed_source_that_was_moved_can_be_tried_again_from_there() {
    let lab = Lab::new();
    lab.write("in/one.wav", "bad");
    let mut plan = plan("a");
    plan.pipeline.source.on_failure = SourceAction::Move(Template::parse("failed").unwrap());
    lab.run(&plan);
    let store = lab.store();
    let failed = store.failed_jobs(None).unwrap().remove(0);
    let again = store.retry_job(&failed).unwrap();
    assert_eq!(again.input, lab.path("failed/one.wav"));
    drop(store);
    let (summary, _) = lab.run(&plan);
    assert_eq!(summary.failed, 1);
    // It is where it belongs already.
    assert!(matches!(&lab.jobs()[0].source, SourceRecord::Moved { to }
        if *to == lab.path("failed/one.wav")));
    assert_eq!(lab.names("failed"), ["one.wav", "one.wav.reason.txt"]);
}

/// Makes jobs again for these files, or all: how many, and the names that no file has.
fn reprocess(lab: &Lab, paths: &[PathBuf]) -> (usize, Vec<PathBuf>) {
    let store = lab.store();
    let (files, missing) = store.files_to_reprocess(Some("test"), paths).unwrap();
    (store.reprocess_files(files).unwrap().len(), missing)
}

#[test]
fn reason_goes_when_a_moved_source_is_delivered_where_it_is() {
    let lab = Lab::new();
    lab.write("out/one.a", "foreign");
    lab.write("in/one.wav", "sound");
    let mut plan = plan("a");
    plan.pipeline.source.on_failure = SourceAction::Move(Template::parse("failed").unwrap());
    assert_eq!(lab.run(&plan).0.failed, 1);
    assert_eq!(lab.names("failed"), ["one.wav", "one.wav.reason.txt"]);
    fs::remove_file(lab.path("out/one.a")).unwrap();
    assert_eq!(reprocess(&lab, &[]).0, 1);
    assert_eq!(lab.run(&plan).0.done, 1);
    assert_eq!(lab.names("failed"), ["one.wav"]);
    assert_eq!(lab.names("out"), ["one.a", "one.json"]);
}

#[test]
fn text_that_no_job_wrote_beside_a_moved_source_stays() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("done").unwrap());
    assert_eq!(lab.run(&plan).0.done, 1);
    lab.write("done/one.wav.reason.txt", "mine");
    // Fails where it is, without a reason beside it, then succeeds.
    lab.write("out/one.a", "edited");
    assert_eq!(reprocess(&lab, &[]).0, 1);
    assert_eq!(lab.run(&plan).0.failed, 1);
    fs::remove_file(lab.path("out/one.a")).unwrap();
    assert_eq!(reprocess(&lab, &[]).0, 1);
    assert_eq!(lab.run(&plan).0.done, 1);
    assert_eq!(lab.read("done/one.wav.reason.txt"), "mine");
}

#[test]
fn of_files_that_were_moved_to_one_name_the_last_one_is_there() {
    let lab = Lab::new();
    let mut plan = plan("a | replace");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("done").unwrap());
    for folder in ["in/1", "in/2"] {
        fs::create_dir(lab.path(folder)).unwrap();
        lab.write(&format!("{folder}/show.wav"), folder);
        assert_eq!(lab.run(&plan).0.done, 1);
        if folder == "in/1" {
            fs::rename(lab.path("done/show.wav"), lab.path("archived.wav")).unwrap();
        }
    }
    assert_eq!(lab.names("done"), ["show.wav"]);
    assert_eq!(reprocess(&lab, &[]).0, 1);
    assert_eq!(lab.run(&plan).0.done, 1);
    assert_eq!(lab.read("archived.wav"), "in/1");
    // What lies there now is no file of any job.
    lab.write("done/show.wav", "a longer one");
    assert_eq!(reprocess(&lab, &[]).0, 0);
}

#[test]
fn sources_that_their_jobs_moved_are_processed_again_where_they_are() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    lab.write("in/two.wav", "sound");
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("done").unwrap());
    assert_eq!(lab.run(&plan).0.done, 2);
    assert_eq!(reprocess(&lab, &[]), (2, Vec::new()));
    assert_eq!(reprocess(&lab, &[]), (0, Vec::new()), "they wait already");
    assert_eq!(lab.run(&plan).0.done, 2);
    assert_eq!(lab.names("done"), ["one.wav", "two.wav"]);
    // By the name it was found by, by the one it has now, and by one that nothing has.
    let names = ["in/one.wav", "done/two.wav", "in/three.wav"].map(|name| lab.path(name));
    assert_eq!(reprocess(&lab, &names), (2, vec![lab.path("in/three.wav")]));
    assert_eq!(lab.run(&plan).0.done, 2);
    fs::remove_file(lab.path("done/one.wav")).unwrap();
    assert_eq!(reprocess(&lab, &[]).0, 1, "what is gone cannot be processed");
}

#[test]
fn moved_name_never_stands_for_the_newer_file_that_has_its_old_one() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let mut moving = plan("a");
    moving.pipeline.source.on_success = SourceAction::Move(Template::parse("done").unwrap());
    assert_eq!(lab.run(&moving).0.done, 1);
    lab.write("in/one.wav", "newer");
    assert_eq!(lab.run(&plan("a")).0.done, 1);
    let moved = lab.path("done/one.wav");
    assert_eq!(reprocess(&lab, std::slice::from_ref(&moved)), (0, vec![moved]));
    assert_eq!(reprocess(&lab, &[lab.path("in/one.wav")]), (1, Vec::new()));
}

#[test]
fn old_job_is_repeated_where_a_later_one_moved_its_file() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    lab.write("out/one.a", "foreign");
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("done").unwrap());
    assert_eq!(lab.run(&plan).0.failed, 1);
    fs::remove_file(lab.path("out/one.a")).unwrap();
    let failed = lab.store().failed_jobs(None).unwrap().remove(0);
    for _ in 0..2 {
        lab.store().retry_job(&failed).unwrap();
        assert_eq!(lab.run(&plan).0.done, 1);
        assert_eq!(lab.names("done"), ["one.wav"]);
    }
    assert_eq!(reprocess(&lab, &[lab.path("done/one.wav")]).0, 1);
}

#[test]
fn repeat_of_an_older_file_never_replaces_what_a_newer_one_of_its_name_made() {
    for says in ["a", "a | replace"] {
        let lab = Lab::new();
        lab.write("in/one.wav", "flaky");
        let mut plan = plan(says);
        plan.pipeline.source.on_success = SourceAction::Move(Template::parse("done").unwrap());
        assert_eq!(lab.run(&plan).0.done, 1);
        // Its repeat fails once and waits, while the newer one is done.
        plan.pipeline.retry.backoff_min = Duration::from_secs(2);
        plan.pipeline.retry.backoff_max = Duration::from_secs(2);
        assert_eq!(reprocess(&lab, &[]).0, 1);
        lab.write("in/one.wav", "newer");
        let (summary, events) = lab.run(&plan);
        assert_eq!((summary.done, summary.failed), (1, 1));
        assert!(lab.read("out/one.a").ends_with("newer"), "{}", lab.read("out/one.a"));
        assert!(failure(&events).contains("was made from"), "{}", failure(&events));
    }
}

#[test]
fn daemon_that_was_killed_and_still_ends_is_waited_for() {
    let lab = Lab::new();
    let state = lab.path("state");
    let dying = Store::open(&state).unwrap();
    // Connected to, as long as the process is there, but nobody answers.
    let _socket = std::os::unix::net::UnixListener::bind(socket_path(&state)).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::park_timeout(Duration::from_millis(1500));
            drop(dying);
        });
        open_store(&state).unwrap();
    });
}

#[test]
fn output_folder_that_cannot_be_written_fails_with_its_name() {
    let lab = Lab::new();
    fs::remove_dir(lab.path("out")).unwrap();
    lab.write("out", "a file where a folder should be");
    lab.write("in/one.wav", "sound");
    let (summary, events) = lab.run(&plan("a"));
    assert_eq!(summary.failed, 1);
    assert!(failure(&events).contains("/out"), "{}", failure(&events));
}

#[test]
fn stopping_now_loses_nothing_and_counts_nothing() {
    let lab = Lab::new();
    lab.write("in/slow.wav", "hang");
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    running.stop.escalate();
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
    let job = lab.jobs().remove(0);
    assert_eq!((job.state, job.tries, job.crashes, job.deaths), (JobState::Ready, 0, 0, 0));
    assert!(lab.names("out").is_empty());
}

#[test]
fn draining_finishes_what_runs() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    running.stop.escalate();
    let summary = running.thread.join().unwrap().unwrap();
    assert_eq!(summary.done, 1);
}

#[test]
fn second_daemon_on_a_state_is_refused() {
    let lab = Lab::new();
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::Started { .. }));
    let (settings, _events) = settings(lab.folder.path(), true);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
    let error = run_with(&settings, plans).unwrap_err();
    let message = format!("another wavemill uses this state folder (pid {})", std::process::id());
    assert!(error.to_string().starts_with(&message), "{error}");
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
}

#[test]
fn outputs_into_the_watched_folder_are_refused() {
    let lab = Lab::new();
    let mut plan = plan("a");
    plan.pipeline.source.on_success = SourceAction::Move(Template::parse("in").unwrap());
    let (settings, _events) = settings(lab.folder.path(), true);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan))).unwrap();
    let error = run_with(&settings, plans).unwrap_err();
    assert!(matches!(error, DaemonError::Conflict { .. }), "{error}");
}

/// A pipeline whose folder is walked at the start only: later files are found by events.
fn plan_without_walks() -> Plan {
    let mut plan = plan("a");
    plan.pipeline.watches[0].rescan = Some(Duration::from_hours(1));
    plan
}

fn is_done(event: &DaemonEvent, name: &str) -> bool {
    matches!(event, DaemonEvent::JobDone { input, .. } if input.ends_with(name))
}

/// Asks for the status until it contains `part`.
fn wait_for_status(lab: &Lab, part: &str) {
    let deadline = Instant::now() + WAIT_MAX;
    loop {
        let status = http(&lab.path("state/control.sock"), "GET /v1/status HTTP/1.1");
        if status.contains(part) {
            return;
        }
        assert!(Instant::now() < deadline, "no {part} in {status}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn status_counts_files_that_came_since_the_last_walk() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let running = lab.start(&plan_without_walks(), false);
    running.wait_for(|event| is_done(event, "in/one.wav"));
    wait_for_status(&lab, "\"files\":1");
    lab.write("in/two.wav", "sound");
    running.wait_for(|event| is_done(event, "in/two.wav"));
    wait_for_status(&lab, "\"files\":2");
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
}

#[test]
fn until_idle_waits_for_a_file_that_settles_while_the_last_job_ends() {
    let lab = Lab::new();
    lab.write("in/one.wav", "gate");
    let running = lab.start(&plan_without_walks(), true);
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    // The folder came to rest with one file, and with two.
    lab.write("in/two.wav", "sound");
    wait_for_status(&lab, "\"files\":2");
    // A file that is kept open settles until it is closed; it was found before the next one.
    let mut late = File::create(lab.path("in/late.wav")).unwrap();
    late.write_all(b"sound").unwrap();
    lab.write("in/three.wav", "sound");
    running.wait_for(|event| is_done(event, "in/three.wav"));
    lab.write("go", "");
    running.wait_for(|event| is_done(event, "in/one.wav"));
    drop(late);
    let summary = running.thread.join().unwrap().unwrap();
    assert_eq!(summary, Summary { done: 4, ..Summary::default() });
}

#[test]
fn job_of_a_pipeline_that_is_not_watched_waits_and_says_so() {
    let lab = Lab::new();
    lab.write("in/one.wav", "hang");
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    running.stop.raise(StopLevel::Now);
    running.thread.join().unwrap().unwrap();
    let mut other = plan("a");
    other.pipeline.name = "other".to_owned();
    other.pipeline.watches[0].path = "in-other".into();
    // It ends although a job waits.
    let (summary, events) = lab.run(&other);
    assert_eq!(summary, Summary::default());
    let expected = DaemonEvent::PipelineUnwatched { pipeline: "test".to_owned(), jobs: 1 };
    assert!(events.contains(&expected), "{events:?}");
    let running = lab.start(&other, false);
    running.wait_for(|event| matches!(event, DaemonEvent::Started { .. }));
    wait_for_status(&lab, "\"unwatched\":{\"test\":1}");
    let jobs = http(&lab.path("state/control.sock"), "GET /v1/jobs HTTP/1.1");
    assert!(jobs.contains("\"waits\":\"pipeline `test` is not watched\""), "{jobs}");
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
}

#[test]
fn control_socket_answers_and_takes_orders() {
    let lab = Lab::new();
    lab.write("in/one.wav", "bad");
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::JobFailed { .. }));
    let ask = |request: &str| http(&lab.path("state/control.sock"), request);
    let status = ask("GET /v1/status HTTP/1.1");
    assert!(status.contains("\"failed\":1"), "{status}");
    let retried = ask("POST /v1/jobs/retry HTTP/1.1\n{\"all\":true}");
    assert!(retried.contains("\"retry_of\":"), "{retried}");
    running.wait_for(|event| matches!(event, DaemonEvent::JobFailed { .. }));
    let missing = ask("GET /v1/jobs/nothing HTTP/1.1");
    assert!(missing.contains("404") && missing.contains("\"title\":\"not found\""), "{missing}");
    assert!(ask("GET /v1/jobs?state=sleeping HTTP/1.1").contains("\"status\":400"));
    ask("POST /v1/stop HTTP/1.1\n{\"now\":false}");
    running.thread.join().unwrap().unwrap();
    assert!(!lab.path("state/control.sock").exists());
}

/// Asks and reads the answer; a second line of `request` is the body.
fn http(socket: &Path, request: &str) -> String {
    use std::io::Read;
    let (line, body) = request.split_once('\n').unwrap_or((request, ""));
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let head = format!(
        "{line}\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
