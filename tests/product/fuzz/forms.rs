//! Damaged forms over HTTP: each is answered or its connection closed, and nothing of those that are refused stays.

use crate::api::judged;
use crate::texts;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;
use wavemill_tests::fuzzing::run;
use wavemill_tests::lab::{Lab, wait_until};
use wavemill_tests::signal::Random;

/// Forms of the test in the gate.
const COUNT: u64 = 500;

/// Longest that an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// A form as browsers send it.
fn form(path: &str, parts: &[(&str, &str)]) -> String {
    let body: String = parts
        .iter()
        .map(|(head, text)| {
            format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n")
        })
        .chain(["--edge--\r\n".to_owned()])
        .collect();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=edge\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn corpus() -> Vec<String> {
    let file =
        ("name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", "RIFF\u{4}\0\0\0WAVE");
    vec![
        form("/api/audio/upload", &[file, ("name=\"extract_metadata\"", "false")]),
        form("/api/audio/upload", &[("name=\"extract_metadata\"", "true"), file]),
        form("/api/analyze", &[file, ("name=\"genre\"", "rock")]),
        form(
            "/api/audio/regions",
            &[
                ("name=\"track_id\"", "song"),
                ("name=\"start_time\"", "1.5"),
                ("name=\"gain\"", "0.5"),
            ],
        ),
    ]
}

fn attempt(address: &str, corpus: &[String], seed: u64) -> &'static str {
    let request = texts::damaged(corpus, &mut Random::new(seed));
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(ANSWER_WITHIN)).expect("a limit can be set");
    // It may close the connection before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.take(1 << 20).read_to_end(&mut answer) {
        let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!is_late, "no answer to {request:?}");
    }
    judged(&request, &answer)
}

#[test]
fn damaged_forms_are_answered_and_leave_nothing() {
    let lab = Lab::new();
    let mut daemon = lab.watch(&["--http", "127.0.0.1:0", "--no-token"].map(Path::new));
    daemon.wait_until_started();
    let link = lab.run(["status", "--json"]).json()["daemon"]["login_link"].clone();
    let link = link.as_str().expect("HTTP is served").to_owned();
    let address = link.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let counts = run("forms", COUNT, {
        let address = address.clone();
        move || {
            let (corpus, address) = (corpus(), address.clone());
            move |seed| attempt(&address, &corpus, seed)
        }
    });
    assert!(counts.values().sum::<u64>() > 0, "{counts:?}");
    // None of them is audio. What somebody sent who has gone is removed a moment later.
    let uploads = lab.state().join("http/uploads");
    wait_until("all of it is removed", || fs::read_dir(&uploads).unwrap().count() == 0);
    let status = lab.run(["status", "--json"]).json();
    assert_eq!(status["daemon"]["pid"], daemon.pid().as_raw_nonzero().get(), "{status}");
    assert!(daemon.terminate().is_some());
}
