//! Files that wait: for room, for their rest, for one with the same content.

use super::*;
use wavemill_api::Client;
use wavemill_api::socket_path;
use wavemill_store::JobState;

fn states(lab: &Lab) -> Vec<JobState> {
    let mut jobs = lab.jobs();
    jobs.sort_by(|a, b| a.id.cmp(&b.id));
    jobs.iter().map(|job| job.state).collect()
}

#[test]
fn jobs_without_room_are_reported_once_and_shown() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let (mut settings, events) = settings(lab.folder.path(), false);
    settings.free_bytes_min = u64::MAX;
    let stop = settings.stop.clone();
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
    let thread = std::thread::spawn(move || run_with(&settings, plans));
    let running = Running { stop, events, thread };
    let event = running.wait_for(|event| matches!(event, DaemonEvent::SpaceShort { .. }));
    let DaemonEvent::SpaceShort { pipeline, reason, jobs } = event else { panic!("{event:?}") };
    assert_eq!((&*pipeline, jobs), ("test", 1));
    assert!(reason.contains("MiB free; `min_free_mib` requires"), "{reason}");
    let client = Client::connect(&socket_path(&lab.path("state"))).unwrap();
    let status = client.status().unwrap();
    assert!(status.shortages["test"].contains("MiB free"), "{:?}", status.shortages);
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
    assert!(running.events.try_iter().all(|it| !matches!(it, DaemonEvent::SpaceShort { .. })));
}

#[test]
fn empty_file_has_one_failed_job_and_is_taken_when_it_is_whole() {
    let lab = Lab::new();
    lab.write("in/one.wav", "");
    for _ in 0..2 {
        let (summary, events) = lab.run(&plan("a"));
        assert_eq!((summary.incomplete, summary.failed), (1, 0));
        assert!(events.iter().any(|it| matches!(it, DaemonEvent::FileIncomplete { .. })));
        assert_eq!(states(&lab), [JobState::Failed]);
    }
    let reason = lab.jobs()[0].reason.clone().unwrap();
    assert!(
        reason.starts_with("is empty")
            && reason.ends_with("; it will be processed when the rest arrives")
    );
    lab.write("in/one.wav", "sound");
    let (summary, _) = lab.run(&plan("a"));
    assert_eq!((summary.done, summary.incomplete), (1, 0));
    assert_eq!(states(&lab), [JobState::Failed, JobState::Done]);
    // Cut short once more, it is reported once more.
    lab.write("in/one.wav", "");
    lab.run(&plan("a"));
    assert_eq!(states(&lab), [JobState::Failed, JobState::Done, JobState::Failed]);
}

#[test]
fn duplicates_that_come_together_wait_for_the_first() {
    for (text, ends) in [
        ("sound", [JobState::Done, JobState::Skipped, JobState::Skipped]),
        // Nothing came of the first: each gets its turn.
        ("bad", [JobState::Failed; 3]),
    ] {
        let lab = Lab::new();
        let mut plan = plan("a");
        plan.pipeline.watches[0].duplicates = Duplicates::Skip;
        for name in ["one", "two", "three"] {
            lab.write(&format!("in/{name}.wav"), text);
        }
        lab.run(&plan);
        let mut states = states(&lab);
        states.sort();
        assert_eq!(states, ends, "{text}");
        if text == "sound" {
            assert_eq!(lab.names("out").len(), 2);
            let skipped = lab.jobs().into_iter().filter(|job| job.state == JobState::Skipped);
            for job in skipped {
                assert!(job.reason.unwrap().starts_with("has the same content as "));
            }
        }
    }
}
