//! Damaged hellos, orders and frames of live streams: each is answered or its connection closed, none harms a session
//! that goes on beside.

use crate::texts;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use tungstenite::protocol::WebSocket;
use tungstenite::{Bytes, Error, Message};
use wavemill_tests::fuzzing::run;
use wavemill_tests::lab::Lab;
use wavemill_tests::signal::Random;

/// Sessions of the test in the gate.
const COUNT: u64 = 1_000;

/// Longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

const STEADY: &str = r#"{"sample_rate":48000,"channels":2,"format":"f32","chain":[{"step":"gain","with":{"gain_db":0.0}}]}"#;

fn hellos() -> Vec<String> {
    [
        STEADY,
        r#"{"type":"hello","sample_rate":48000,"channels":2,"format":"f32","chain":[{"effect":"reverb","preset":"hall","with":{"wet":0.3}},{"step":"gain","with":{"gain_db":-3}}]}"#,
        r#"{"sample_rate":44100,"channels":1,"format":"s16","chain_rate":48000,"block_frames":64,"align":false,"chain":[{"effect":"compressor","with":{"detector":"rms","auto_release":true}},{"step":"limit"}]}"#,
        r#"{"sample_rate":8000,"channels":8,"format":"s16","overflow":"wait","pipeline":"podcast"}"#,
        r#"{"sample_rate":192000,"channels":2,"format":"f32","chain":[]}"#,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn orders() -> Vec<String> {
    [
        r#"{"type":"set","index":0,"key":"gain_db","value":-6.5,"frame":4800}"#,
        r#"{"type":"set","index":0,"key":"wet","value":0.5}"#,
        r#"{"type":"set","index":1,"key":"ceiling_dbtp","value":-3,"frame":0}"#,
        r#"{"type":"set","index":0,"key":"detector","value":"peak","frame":100}"#,
        r#"{"type":"end"}"#,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn connect(address: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).expect("the daemon listens");
    stream.set_read_timeout(Some(ANSWER_WITHIN)).expect("a limit can be set");
    let url = format!("ws://{address}/api/audio/stream");
    tungstenite::client::client(url, stream).expect("the server speaks WebSocket").0
}

/// What comes is an event that says what it is, audio, or the end.
fn take(socket: &mut WebSocket<TcpStream>) -> Option<Value> {
    match socket.read() {
        Ok(Message::Text(text)) => {
            let event: Value = serde_json::from_str(&text).expect("events are JSON");
            let kind = event["type"].as_str().expect("events have a type");
            if kind == "error" {
                assert_ne!(event["title"], "internal error", "{event}");
                assert!(event["title"].is_string() && event["detail"].is_string(), "{event}");
            }
            Some(event)
        }
        Ok(Message::Close(_)) => None,
        Ok(_) => Some(Value::Null),
        Err(Error::Io(error)) => {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "no answer");
            None
        }
        Err(_) => None,
    }
}

/// Says damaged things in a session: audio, orders, raw bytes where frames should be.
fn attempt(address: &str, seed: u64) -> &'static str {
    let mut random = Random::new(seed);
    let mut socket = connect(address);
    let hello = match random.below(3) {
        0 => texts::damaged(&hellos(), &mut random),
        _ => random.choice(&hellos()).clone(),
    };
    if socket.send(Message::text(hello)).is_err() {
        return "closed";
    }
    let Some(answer) = take(&mut socket) else { return "closed" };
    if answer["type"] != "ready" {
        return "refused";
    }
    let mut is_torn = false;
    for _ in 0..random.below(8) {
        let sent = match random.below(20) {
            0 => socket.send(Message::text(texts::damaged(&orders(), &mut random))),
            1..5 => socket.send(Message::text(random.choice(&orders()).clone())),
            5 => {
                let bytes: Vec<u8> = (0..random.below(4_000)).map(|_| random.byte()).collect();
                socket.send(Message::binary(bytes))
            }
            6 => {
                is_torn = true;
                let raw: Vec<u8> = (0..random.below(64)).map(|_| random.byte()).collect();
                socket.get_mut().write_all(&raw).map_err(Error::Io)
            }
            7 => socket.send(Message::Ping(Bytes::from_static(b"?"))),
            _ => {
                let frames = usize::try_from(random.below(2_000)).expect("small");
                socket.send(Message::binary(vec![0; frames * 16]))
            }
        };
        if sent.is_err() {
            break;
        }
    }
    if random.below(4) == 0 {
        // Without a farewell.
        return "vanished";
    }
    let _ = socket.send(Message::text(r#"{"type":"end"}"#));
    if is_torn {
        // The server may wait for the rest of a frame.
        let _ = socket.get_ref().shutdown(std::net::Shutdown::Write);
    }
    let mut last = Value::Null;
    while let Some(event) = take(&mut socket) {
        last = if event.is_null() { last } else { event };
    }
    match last["type"].as_str() {
        Some("end") => "ended",
        Some("error") => "error",
        _ => "closed",
    }
}

fn address(lab: &Lab) -> String {
    let status = lab.run(["status", "--json"]).json();
    let link = status["daemon"]["login_link"].as_str().expect("HTTP is served").to_owned();
    link.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// The answer of `/api/audio/buffers`.
fn buffers(address: &str) -> Value {
    let mut stream = TcpStream::connect(address).expect("the daemon listens");
    let request = format!("GET /api/audio/buffers HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request can be written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer can be read");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    serde_json::from_str(body).expect("buffers are JSON")
}

#[test]
fn damaged_streams_are_answered_and_another_goes_on() {
    let lab = Lab::new();
    let words = ["--http", "127.0.0.1:0", "--no-token"].map(Path::new);
    let mut daemon = lab.watch(&words);
    daemon.wait_until_started();
    let address = address(&lab);
    let mut steady = connect(&address);
    steady.send(Message::text(STEADY)).unwrap();
    assert_eq!(take(&mut steady).unwrap()["type"], "ready");
    let to = address.clone();
    let counts = run("streams", COUNT, move || move |seed| attempt(&to, seed));
    let block: Vec<u8> = (0..4_800u16).flat_map(|at| f32::from(at).to_le_bytes()).collect();
    steady.send(Message::binary(block.clone())).unwrap();
    steady.send(Message::text(r#"{"type":"end"}"#)).unwrap();
    let mut played = Vec::new();
    while let Ok(message) = steady.read() {
        if let Message::Binary(bytes) = message {
            played.extend(bytes);
        }
    }
    assert_eq!(played, block);
    drop(steady);
    wavemill_tests::lab::wait_until("all ends", || buffers(&address)["count"] == 0);
    assert_eq!(daemon.terminate(), Some(0));
    let total: u64 = counts.values().sum();
    if total >= COUNT {
        for came in ["refused", "ended", "error", "vanished"] {
            let count = counts.get(came).copied().unwrap_or(0);
            assert!(count >= 10, "only {count} of {total} came to `{came}`: {counts:?}");
        }
    }
}
