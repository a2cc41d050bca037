//! The control API as a program without our client meets it.

use super::*;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use wavemill_store::JobState;

/// Asks over a connection and returns status, head and body.
fn ask(mut stream: impl Read + Write, request: &str, headers: &str) -> (u16, String, String) {
    write!(stream, "{request} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

impl Lab {
    fn socket(&self) -> UnixStream {
        let path = wavemill_api::socket_path(&self.path("state"));
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match UnixStream::connect(&path) {
                Ok(stream) => return stream,
                Err(error) if Instant::now() > deadline => panic!("{error}"),
                Err(_) => std::thread::park_timeout(Duration::from_millis(5)),
            }
        }
    }

    fn get(&self, path: &str) -> (u16, String, String) {
        ask(self.socket(), &format!("GET {path}"), "Host: x\r\n")
    }
}

fn end(running: Running) {
    running.stop.raise(StopLevel::Now);
    running.thread.join().unwrap().unwrap();
}

#[test]
fn refusals_are_problem_details_and_the_document_names_every_path() {
    let lab = Lab::new();
    let running = lab.start(&plan("a"), false);
    for (path, status) in [
        ("/v1/jobs/nothing", 404),
        ("/v1/jobs?limit=many", 400),
        ("/v1/jobs?only=1", 400),
        ("/v1/stop", 405),
        ("/v2/jobs", 404),
    ] {
        let (found, head, body) = lab.get(path);
        assert_eq!(found, status, "{path}: {body}");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].as_str().unwrap().starts_with("urn:wavemill:problem:"), "{body}");
    }
    let (status, _, document) = lab.get("/v1/openapi.json");
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let paths = document["paths"].as_object().unwrap();
    // Every path that is read without an argument answers as the document says.
    let mut asked = 0;
    for (path, operations) in paths {
        let is_stream = path == "/v1/events";
        if path.contains('{') || operations.get("get").is_none() || is_stream {
            continue;
        }
        asked += 1;
        assert_eq!(lab.get(path).0, 200, "{path}");
    }
    assert!(asked >= 6 && paths.len() >= 16, "{asked} of {}", paths.len());
    end(running);
}

#[test]
fn metrics_count_jobs_and_health_follows_the_scheduler() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::Idle));
    let (status, head, text) = lab.get("/v1/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for line in [
        "wavemill_jobs{state=\"done\"} 1",
        "wavemill_jobs{state=\"ready\"} 0",
        "wavemill_oldest_ready_seconds 0",
        "wavemill_retries_total 0",
        "# TYPE wavemill_worker_memory_bytes gauge",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert_eq!((lab.get("/v1/health").0, lab.get("/v1/ready").0), (200, 200));
    end(running);
}

#[test]
fn draining_daemon_is_well_but_not_ready() {
    let lab = Lab::new();
    lab.write("in/one.wav", "gate");
    let running = lab.start(&plan("a"), false);
    running.wait_for(|event| matches!(event, DaemonEvent::JobStarted { .. }));
    running.stop.raise(StopLevel::Drain);
    running.wait_for(|event| matches!(event, DaemonEvent::Stopping { .. }));
    assert_eq!((lab.get("/v1/health").0, lab.get("/v1/ready").0), (200, 503));
    lab.write("go", "");
    running.thread.join().unwrap().unwrap();
}

#[test]
fn events_are_streamed_as_they_happen() {
    let lab = Lab::new();
    let running = lab.start(&plan("a"), false);
    let mut stream = lab.socket();
    write!(stream, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("200"));
    lines.by_ref().find(String::is_empty).unwrap();
    lab.write("in/one.wav", "sound");
    let mut names = Vec::new();
    for line in lines {
        let Some(json) = line.strip_prefix("data: ") else { continue };
        let event: Value = serde_json::from_str(json).unwrap();
        let name = event["event"].as_str().unwrap().to_owned();
        if name == "job-done" || name == "job-started" {
            names.push(name);
        }
        if names.len() == 2 {
            break;
        }
    }
    assert_eq!(names, ["job-started", "job-done"]);
    end(running);
    assert_eq!(lab.jobs()[0].state, JobState::Done);
}
