//! What people ask of a running daemon: submitting, canceling, pausing.

use super::*;
use wavemill_api::Client;
use wavemill_api::socket_path;
use wavemill_api::types::{
    CancelRequest, JobFilter, JobView, PauseRequest, PauseView, SubmitAnswer, SubmitRequest,
};
use wavemill_store::JobState;

/// A pipeline that really loads; the fake worker reads its text as the endings of outputs.
const TOML: &str = "version = 1 # |\n[pipeline]\nname = \"by-hand\"\n[report]\njson = \"x.json\"\n";

impl Lab {
    fn client(&self) -> Client {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match Client::connect(&socket_path(&self.path("state"))) {
                Ok(client) => return client,
                Err(error) if Instant::now() > deadline => panic!("{error}"),
                Err(_) => std::thread::park_timeout(Duration::from_millis(5)),
            }
        }
    }

    fn submit(&self, paths: &[&str]) -> SubmitAnswer {
        let request = SubmitRequest {
            paths: paths.iter().map(|path| self.path(path).display().to_string()).collect(),
            toml: Some(TOML.to_owned()),
            output_root: Some(self.path("").display().to_string()),
            name: Some("monday".to_owned()),
            ..SubmitRequest::default()
        };
        self.client().submit(&request).unwrap()
    }
}

fn job(client: &Client, id: &str) -> JobView {
    client.job(id).unwrap()
}

fn is_over(batch: &str) -> impl Fn(&DaemonEvent) -> bool {
    move |event| matches!(event, DaemonEvent::BatchOver { batch: over, .. } if over == batch)
}

fn end(running: Running) {
    running.stop.raise(StopLevel::Now);
    running.thread.join().unwrap().unwrap();
}

#[test]
fn submitted_files_are_done_once_each_and_reported_as_a_batch() {
    let lab = Lab::new();
    fs::create_dir(lab.path("elsewhere")).unwrap();
    lab.write("elsewhere/one.wav", "sound");
    lab.write("elsewhere/two.wav", "bad");
    let running = lab.start(&plan("a"), false);
    let answer = lab.submit(&["elsewhere/one.wav", "elsewhere/two.wav", "elsewhere/no.wav"]);
    assert_eq!(answer.refused.len(), 1);
    assert!(answer.refused[0].reason.contains("cannot be read"), "{:?}", answer.refused);
    let batch = answer.batch.unwrap();
    assert_eq!((batch.total, batch.is_over), (2, false));
    running.wait_for(is_over(&batch.id));
    let client = lab.client();
    let over = client.batch("monday").unwrap();
    assert_eq!(over.jobs, [(JobState::Done, 1), (JobState::Failed, 1)].into());
    assert!(over.is_over && over.finished.is_some(), "{over:?}");
    assert!((over.progress_percent - 100.0).abs() < 1e-9);
    assert_eq!(over.failures.len(), 1);
    assert!(over.failures[0].input.ends_with("two.wav") && over.failures[0].reason == "is damaged");
    // Sources stay, and what is over can be submitted again.
    assert_eq!(lab.names("elsewhere"), ["one.wav", "two.wav"]);
    let again = lab.submit(&["elsewhere/one.wav"]).batch.unwrap();
    running.wait_for(is_over(&again.id));
    end(running);
    let stored = lab.store().batches(9).unwrap();
    assert_eq!(stored.iter().map(|batch| batch.open).collect::<Vec<_>>(), [0, 0]);
    assert!(lab.jobs().iter().all(|job| job.hash.len() == 64), "read by the first attempt");
}

#[test]
fn submitted_file_is_all_that_its_worker_can_read() {
    if !confined::can_confine() {
        return;
    }
    let (lab, _tcp, _unix) = confined::scene();
    lab.write("other/try.wav", &lab.read("in/a.wav"));
    let running = lab.start(&plan("a"), false);
    let request = SubmitRequest {
        paths: vec![lab.path("other/try.wav").display().to_string()],
        toml: Some(TOML.replace("x.json", "out/x.json")),
        output_root: Some(lab.path("").display().to_string()),
        ..SubmitRequest::default()
    };
    lab.client().submit(&request).unwrap();
    let is_done = |event: &DaemonEvent| matches!(event, DaemonEvent::JobDone { input, .. } if input.ends_with("other/try.wav"));
    let DaemonEvent::JobDone { report, .. } = running.wait_for(is_done) else { unreachable!() };
    let found = report.unwrap().tags;
    // What lies beside it is as far away as anything else, as are the watched folders.
    for act in ["read", "list", "list input folder", "read other input"] {
        assert_eq!(found["tried"][act], "Permission denied (os error 13)", "{found:#}");
    }
    end(running);
}

#[test]
fn submitted_pipeline_goes_on_in_a_daemon_that_does_not_watch_it() {
    let lab = Lab::new();
    lab.write("one.wav", "gate");
    let running = lab.start(&plan("a"), false);
    let batch = lab.submit(&["one.wav"]).batch.unwrap();
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    end(running);
    assert_eq!(lab.jobs()[0].state, JobState::Ready);
    lab.write("go", "");
    let running = lab.start(&plan("a"), true);
    running.wait_for(is_over(&batch.id));
    assert_eq!(running.thread.join().unwrap().unwrap().done, 1);
}

#[test]
fn canceled_job_leaves_nothing_whether_it_waited_or_ran() {
    let lab = Lab::new();
    lab.write("one.wav", "hang");
    lab.write("two.wav", "sound");
    let running = lab.start(&plan("a"), false);
    let client = lab.client();
    let hanging = lab.submit(&["one.wav"]).batch.unwrap();
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    let everything = PauseRequest { pipeline: None };
    client.pause(&everything).unwrap();
    let waiting = lab.submit(&["two.wav"]).batch.unwrap();
    for batch in [&hanging, &waiting] {
        let request = CancelRequest { batch: Some(batch.id.clone()), ..CancelRequest::default() };
        let canceled = client.cancel(&request).unwrap();
        assert_eq!(canceled.jobs.len(), 1);
        running.wait_for(is_over(&batch.id));
        let job = job(&client, &canceled.jobs[0].id);
        assert_eq!(job.state, JobState::Canceled);
        assert_eq!(job.reason.as_deref(), Some("was canceled"));
    }
    assert!(lab.names("out").is_empty(), "{:?}", lab.names("out"));
    end(running);
}

#[test]
fn worker_that_does_not_listen_is_killed_when_its_job_is_canceled() {
    let lab = Lab::new();
    // It waits for a file that never comes, whatever it is asked.
    lab.write("one.wav", "gate");
    let running = lab.start(&plan("a"), false);
    let batch = lab.submit(&["one.wav"]).batch.unwrap();
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    let request = CancelRequest { batch: Some(batch.id.clone()), ..CancelRequest::default() };
    lab.client().cancel(&request).unwrap();
    running.wait_for(is_over(&batch.id));
    end(running);
    assert_eq!(lab.jobs()[0].state, JobState::Canceled);
    assert!(lab.names("out").is_empty());
}

#[test]
fn job_that_was_canceled_before_the_daemon_died_is_canceled_after() {
    let lab = Lab::new();
    lab.write("one.wav", "gate");
    let running = lab.start(&plan("a"), false);
    lab.submit(&["one.wav"]);
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    end(running);
    // As if it had died between the mark and the end of the worker.
    {
        use wavemill_store::{Capacity, Claim, JobQueue};
        let store = lab.store();
        let room = Capacity { free: 1, submitted_only: true, ..Capacity::default() };
        let pipelines = [("by-hand".to_owned(), room)].into();
        let claim = Claim {
            boot_id: "dead".to_owned(),
            now_ms: 1,
            count_max: 1,
            pipelines,
            ..Claim::default()
        };
        let job = store.claim(claim).unwrap().remove(0);
        store.cancel(&job.id, 1).unwrap();
    }
    let (summary, _) = lab.run(&plan("a"));
    assert_eq!((summary.done, summary.canceled), (0, 1));
    assert_eq!(lab.jobs()[0].state, JobState::Canceled);
}

#[test]
fn paused_jobs_wait_say_why_and_stay_paused_after_a_restart() {
    let lab = Lab::new();
    lab.store().pause(Some("test")).unwrap();
    lab.write("in/one.wav", "sound");
    // Nothing to do that anybody allows: it ends.
    let (summary, _) = lab.run(&plan("a"));
    assert_eq!(summary.done, 0);
    let running = lab.start(&plan("a"), false);
    let client = lab.client();
    running.wait_for(|event| matches!(event, DaemonEvent::Idle));
    let waiting = lab_jobs(&client);
    assert_eq!(waiting[0].state, JobState::Ready);
    assert_eq!(waiting[0].waits.as_deref(), Some("pipeline `test` is paused"));
    let of_test = PauseRequest { pipeline: Some("test".to_owned()) };
    let left = client.resume(&of_test).unwrap();
    assert_eq!(left, PauseView::default());
    running.wait_for(|event| matches!(event, DaemonEvent::JobDone { .. }));
    end(running);
}

#[test]
fn jobs_wait_for_the_hours_of_their_pipeline_and_for_free_space() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let mut closed = plan("a");
    // A window of a minute, half a day away.
    let now = jiff::Zoned::now().datetime();
    let from = (now.hour() + 12) % 24;
    let window = format!("{from:02}:00-{from:02}:01");
    closed.pipeline.hours.push(wavemill_pipelines::hours::Hours::parse(&window).unwrap());
    let waits = |plan: &Plan, free_bytes_min: u64| {
        let (settings, events) = settings(lab.folder.path(), false);
        let settings = DaemonSettings { free_bytes_min, ..settings };
        let stop = settings.stop.clone();
        let plans = Plans::of(std::iter::once(("test.toml".into(), plan.clone()))).unwrap();
        let thread = std::thread::spawn(move || run_with(&settings, plans));
        let running = Running { stop, events, thread };
        let client = lab.client();
        let deadline = Instant::now() + WAIT_MAX;
        let reason = loop {
            let reason = lab_jobs(&client).first().and_then(|job| job.waits.clone());
            if reason.is_some() || Instant::now() > deadline {
                break reason.unwrap();
            }
            std::thread::park_timeout(Duration::from_millis(10));
        };
        end(running);
        reason
    };
    let until = "outside the hours of pipeline `test` until ";
    let reason = waits(&closed, 0);
    assert!(reason.starts_with(until) && reason.ends_with(&format!(" {from:02}:00")), "{reason}");
    let reason = waits(&plan("a"), u64::MAX);
    assert!(reason.contains("MiB free; `min_free_mib` requires"), "{reason}");
    assert_eq!(lab.run(&plan("a")).0.done, 1);
}

fn lab_jobs(client: &Client) -> Vec<JobView> {
    client.jobs(&JobFilter::default()).unwrap().jobs
}

#[test]
fn repeated_job_takes_the_place_of_the_failed_one_in_its_batch() {
    let lab = Lab::new();
    lab.write("one.wav", "bad");
    let running = lab.start(&plan("a"), false);
    let client = lab.client();
    let batch = lab.submit(&["one.wav"]).batch.unwrap();
    running.wait_for(is_over(&batch.id));
    lab.write("one.wav", "sound");
    let request = wavemill_api::types::RetryRequest { all: true, ..Default::default() };
    let again = client.retry(&request).unwrap();
    assert_eq!(again.jobs[0].batch.as_deref(), Some(batch.id.as_str()));
    running.wait_for(is_over(&batch.id));
    let over = client.batch(&batch.id).unwrap();
    assert_eq!(over.jobs, [(JobState::Done, 1)].into());
    end(running);
}
