//! Damaged requests to a running daemon: each is answered or its connection closed, none ends or harms it.

use crate::texts;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_tests::fuzzing::run;
use wavemill_tests::lab::Lab;
use wavemill_tests::signal::Random;

/// Requests of the test in the gate.
const COUNT: u64 = 2_000;

const PIPELINE: &str = "version = 1\n[pipeline]\nname = \"a\"\n[[watch]]\npath = \"in\"\n\
                        [[export]]\nformat = \"flac\"\npath = \"out/{stem}.{ext}\"\n";

/// Longest that an answer may take: the daemon reads no slower than this machine's worst.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Nothing here ends the daemon: that is not what is looked for.
fn corpus() -> Vec<String> {
    let get =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    vec![
        get("/v1/status"),
        get("/v1/jobs?state=done&limit=3&pipeline=a"),
        get("/v1/jobs/1m2k8r0vd4qxa"),
        get("/v1/batches"),
        get("/v1/batches/monday"),
        get("/v1/files?since=2026-01-01&until=7d&ext=flac&limit=2&sort=loudness"),
        get("/v1/files/stats"),
        get("/v1/pipelines/a"),
        get("/v1/health"),
        get("/v1/metrics"),
        post("/v1/jobs/retry", r#"{"ids": ["1m2k"], "all": true, "pipeline": "a"}"#),
        post("/v1/jobs/reprocess", r#"{"pipeline": "a", "paths": ["/in/a.wav"]}"#),
        post("/v1/jobs/cancel", r#"{"ids": ["1m2k"], "all": false}"#),
        post("/v1/jobs/pause", r#"{"pipeline": "b"}"#),
        post("/v1/jobs/resume", r#"{"pipeline": null}"#),
        post("/v1/batches", r#"{"name": "x", "pipeline": "a", "paths": ["/no/such.wav"]}"#),
        post(
            "/v1/batches",
            r#"{"toml": "version = 1\n[pipeline]\nname = \"z\"", "paths": ["/x"]}"#,
        ),
        post("/v1/files/move", r#"{"from": "/a", "to": "/b", "copy": false}"#),
        post("/v1/files/delete", r#"{"paths": ["/a"], "empty_folders": true}"#),
        post("/v1/files/adopt", r#"{"paths": ["/dev/null", "relative"]}"#),
        get("/v1/references?artist=ada&genre=deep%20house&year=2001&limit=2"),
        get("/v1/references/nothing"),
        post("/v1/references/remove", r#"{"names": ["a"]}"#),
        post("/v1/references/similar", r#"{"features": {"version": 1, "values": [0.5, null]}}"#),
        post("/v1/log", r#"{"level": "warn"}"#),
    ]
}

fn attempt(socket: &Path, corpus: &[String], seed: u64) -> &'static str {
    let request = texts::damaged(corpus, &mut Random::new(seed));
    // The one order that ends it.
    if request.contains("/v1/stop") {
        return "left out";
    }
    let mut stream = UnixStream::connect(socket).expect("the daemon listens");
    stream.set_read_timeout(Some(ANSWER_WITHIN)).expect("a limit can be set");
    // It may close the connection before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    // A stream of events has no end.
    if let Err(error) = stream.take(1 << 20).read_to_end(&mut answer) {
        assert!(
            !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
                || request.contains("/v1/events"),
            "no answer to {request:?}"
        );
    }
    judged(&request, &answer)
}

/// What an answer is; panics where it is an error of the server, or no answer at all.
pub(super) fn judged(request: &str, answer: &[u8]) -> &'static str {
    let answer = String::from_utf8_lossy(answer);
    let Some(line) = answer.lines().next() else { return "closed" };
    let status: Option<u16> = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{request:?} is answered {line:?}"));
    assert!(status < 500, "{request:?} is answered {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    // What follows is the answer to what it took for a second request.
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    let body = length.and_then(|length| body.get(..length)).unwrap_or(body);
    if status >= 400 && head.contains("application/problem+json") {
        let problem: serde_json::Value = serde_json::from_str(body).expect("a problem is JSON");
        assert_eq!(problem["status"], status, "{answer}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{answer}");
        return "refused";
    }
    if status >= 400 { "no HTTP" } else { "answered" }
}

#[test]
fn damaged_requests_are_answered_and_the_daemon_goes_on() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("a", PIPELINE);
    let mut daemon = lab.watch(&[&pipeline]);
    daemon.wait_until_started();
    let socket: PathBuf = lab.state().join("control.sock");
    let counts = run("api", COUNT, {
        let socket = socket.clone();
        move || {
            let corpus = corpus();
            move |seed| attempt(&socket, &corpus, seed)
        }
    });
    let health = attempt(&socket, &corpus()[8..9], 0);
    assert!(["answered", "refused", "no HTTP", "closed"].contains(&health));
    let status = lab.run(["status", "--json"]).json();
    assert_eq!(status["daemon"]["pid"], daemon.pid().as_raw_nonzero().get(), "{status}");
    assert_eq!(daemon.terminate(), Some(0));
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        // Each way is gone. How often differs: the server lets go of a client that has shut down its side,
        // and on a busy machine it notices that before an answer is ready.
        for came in ["answered", "refused", "no HTTP"] {
            let count = counts.get(came).copied().unwrap_or(0);
            assert!(count >= 10, "only {count} of {total} came to `{came}`: {counts:?}");
        }
    }
}
