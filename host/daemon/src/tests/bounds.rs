//! Files that do harm: what they cost is bounded, and who pays is the file.

use super::crashes::start_daemon;
use super::*;
use std::collections::BTreeMap;
use wavemill_pipelines::Effects;
use wavemill_pipelines::model::Grouping;
use wavemill_store::JobState;

/// The reasons of the failures for good, by file name.
fn failures(events: &Receiver<DaemonEvent>) -> BTreeMap<String, String> {
    let failure = |event| match event {
        DaemonEvent::JobFailed { input, reason, retry_in: None, .. } => {
            Some((input.file_name().unwrap().to_string_lossy().into_owned(), reason))
        }
        _ => None,
    };
    events.try_iter().filter_map(failure).collect()
}

#[test]
fn file_that_makes_its_decoder_loop_fails_long_before_the_timeout() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: what a process did is read from /proc, which is Linux only");
        return;
    }
    let lab = Lab::new();
    lab.write("in/endless.wav", "loop");
    let (mut settings, events) = settings(lab.folder.path(), true);
    settings.worker_stall = Duration::from_millis(300);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
    let summary = run_with(&settings, plans).unwrap();
    assert_eq!(summary.failed, 1);
    let reason = &failures(&events)["endless.wav"];
    let expected = "loops: no progress and no I/O in 0.3 s of processor time";
    assert_eq!(reason, expected);
    assert!(lab.names("out").is_empty());
}

/// Waiting costs no processor time: a share that does not answer is not the file's fault.
#[test]
fn worker_that_only_waits_is_left_to_the_timeout() {
    let lab = Lab::new();
    lab.write("in/slow.wav", "hang");
    let (mut settings, events) = settings(lab.folder.path(), true);
    settings.worker_stall = Duration::from_millis(300);
    let mut plan = plan("a");
    plan.pipeline.timeout = Duration::from_secs(1);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan))).unwrap();
    run_with(&settings, plans).unwrap();
    let reason = &failures(&events)["slow.wav"];
    assert_eq!(reason, "exceeded the pipeline's timeout of 1 s");
}

#[test]
fn worker_gets_no_more_time_by_saying_that_it_measures_again() {
    for mut plan in [plan("a"), album()] {
        let lab = Lab::new();
        lab.write("in/slow.wav", "stretch");
        plan.pipeline.timeout = Duration::from_millis(300);
        let (settings, events) = settings(lab.folder.path(), true);
        let plans = Plans::of(std::iter::once(("test.toml".into(), plan))).unwrap();
        run_with(&settings, plans).unwrap();
        let reason = &failures(&events)["slow.wav"];
        assert_eq!(reason, "exceeded the pipeline's timeout of 0.3 s");
    }
}

#[test]
fn pipeline_bounds_the_memory_of_its_workers() {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: memory is read from /proc, which is Linux only");
        return;
    }
    let lab = Lab::new();
    lab.write("in/fat.wav", "fat");
    let mut plan = plan("a");
    plan.pipeline.memory_bytes_max = Some(200 << 20);
    let (settings, events) = settings(lab.folder.path(), true);
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan))).unwrap();
    run_with(&settings, plans).unwrap();
    let reason = &failures(&events)["fat.wav"];
    assert!(reason.ends_with("MiB of memory; `max_memory_mib` is 200"), "{reason}");
}

#[test]
fn worker_has_few_files_open_and_leaves_no_core() {
    assert_eq!(limits(&plan("a")), serde_json::json!({ "core": 0, "files": 512 }));
}

#[test]
fn pipeline_bounds_the_open_files_of_its_workers() {
    let mut plan = plan("a");
    for files in [100, 700] {
        plan.pipeline.open_files_max = Some(files);
        assert_eq!(limits(&plan), serde_json::json!({ "core": 0, "files": files }));
    }
}

/// What a worker of this plan says of its limits.
fn limits(plan: &Plan) -> serde_json::Value {
    let lab = Lab::new();
    lab.write("in/a.wav", "limits");
    let (_, events) = lab.run(plan);
    let report = events.iter().find_map(|event| match event {
        DaemonEvent::JobDone { report, .. } => report.clone(),
        _ => None,
    });
    report.unwrap().tags["limits"].clone()
}

/// A plan whose files get one gain together.
fn album() -> Plan {
    let text = "version = 1\n[pipeline]\nname = \"test\"\n[[step]]\nuse = \"loudness\"\n\
                with = { target_lufs = -20.0, group = \"folder\" }\n[report]\njson = \"out/x.json\"\n";
    let loaded = wavemill_pipelines::load(text, &Defaults::default(), &Effects::default());
    let mut plan = plan("a");
    plan.pipeline.steps = loaded.unwrap().pipeline.steps;
    plan
}

#[test]
fn file_that_kills_the_worker_that_measures_it_for_others_is_left_out() {
    let lab = Lab::new();
    for (name, source) in [("a", "sound"), ("bomb", "crash-early"), ("c", "sound")] {
        lab.write(&format!("in/{name}.wav"), source);
    }
    let (settings, events) = settings(lab.folder.path(), true);
    let plans = Plans::of(std::iter::once(("test.toml".into(), album()))).unwrap();
    let summary = run_with(&settings, plans).unwrap();
    assert_eq!((summary.done, summary.failed), (2, 1));
    assert_eq!(lab.names("out"), ["a.a", "a.json", "c.a", "c.json"]);
    assert!(failures(&events)["bomb.wav"].starts_with("the decoder crashed (signal 6"));
    let store = lab.store();
    let jobs = store.jobs(&wavemill_store::JobQuery::default()).unwrap();
    for job in jobs {
        let is_bomb = job.input.ends_with("bomb.wav");
        // It counts against the file alone, not against those it was measured for.
        assert_eq!(job.crashes, if is_bomb { 2 } else { 0 }, "{job:?}");
        assert_eq!(job.state == JobState::Done, !is_bomb);
        if !is_bomb {
            let (_, group) = store.group_of(&job.id, Grouping::Folder).unwrap();
            let left_out = group.members.iter().find(|it| it.path.ends_with("bomb.wav")).unwrap();
            let reason = left_out.left_out.as_deref().unwrap();
            assert!(reason.starts_with("the decoder crashed (signal 6"), "{reason}");
        }
    }
}

#[test]
fn worker_dies_with_its_daemon_whatever_it_does() {
    for source in ["hang", "loop"] {
        let lab = Lab::new();
        lab.write("in/one.wav", source);
        let mut daemon = start_daemon(&lab);
        let lock = |wait_max| LockFile::exclusive(&lab.path("state/workers.lock"), wait_max);
        let deadline = Instant::now() + WAIT_MAX;
        while lab.names("out").is_empty() {
            assert!(Instant::now() < deadline, "{source} does not begin");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        assert!(lock(Duration::ZERO).unwrap().is_none(), "no worker holds the lock");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert!(lock(WAIT_MAX).unwrap().is_some(), "a worker outlived its daemon: {source}");
    }
}
