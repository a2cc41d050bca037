//! Live streams whose clients lie, flood, stall or vanish: each is ended with a reason, or loses its own audio alone.

use crate::Server;
use crate::client::{Client, bytes, hello, text};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::{ClientRequestBuilder, Message};
use wavemill_tests::lab::{Lab, wait_until};
use wavemill_tests::signal::pink;

/// Nothing to do but to be sent back.
fn plain() -> Value {
    hello("f32", &json!([{"step": "gain", "with": {"gain_db": 0.0}}]))
}

fn session(server: &Server, client: &Client) -> Value {
    let buffers = server.json("/api/audio/buffers");
    let sessions = buffers["sessions"].as_array().unwrap();
    sessions.iter().find(|it| it["id"] == client.ready["session"]).unwrap().clone()
}

#[test]
fn client_that_does_not_read_loses_its_oldest_audio_and_that_is_counted() {
    let server = Server::start();
    let mut client = Client::open(&server, &plain()).unwrap();
    // A minute: the ring holds 5 s, and buffers of the system some 20 s more.
    let frames: u32 = 48_000 * 60;
    #[expect(clippy::cast_precision_loss, reason = "below 2^24, so exact")]
    let samples = (0..frames).flat_map(|frame| [frame as f32, -(frame as f32)]);
    let sent: Vec<u8> = samples.flat_map(|it| (it * 1e-7).to_le_bytes()).collect();
    for block in sent.chunks(1 << 16) {
        client.socket.send(Message::binary(block.to_vec())).unwrap();
    }
    wait_until("drops", || session(&server, &client)["dropped_frames"].as_u64() > Some(0));
    let end = client.end();
    let shown = session_of(&client);
    assert!(shown > 0, "no drop was reported");
    assert_eq!(end["frames_in"], frames);
    let played = client.audio.len() as u64 / 8;
    assert_eq!(played + shown, u64::from(frames));
    assert_eq!(end["frames_out"], played);
    // What was not dropped came in order, as it was sent, up to the last frame.
    let mut at = 0;
    for frame in client.audio.chunks_exact(8) {
        while sent[at..at + 8] != *frame {
            at += 8;
        }
        at += 8;
    }
    assert_eq!(at, sent.len());
}

/// Frames reported as dropped to a client: the total of the last message.
fn session_of(client: &Client) -> u64 {
    let dropped = client.events("dropped");
    let sum: u64 = dropped.iter().map(|event| event["frames"].as_u64().unwrap()).sum();
    let total = dropped.last().map_or(0, |event| event["total"].as_u64().unwrap());
    assert_eq!(sum, total);
    total
}

#[test]
fn lies_are_answered_with_a_reason_and_others_go_on() {
    let server = Server::start();
    let mut other = Client::open(&server, &plain()).unwrap();
    let audio = bytes(&pink(48_000, 2, 48_000, 0.4, 1), "f32");
    let nan = [0.0f32, f32::NAN].map(f32::to_le_bytes).concat();
    let set = |index: usize, key: &str, value: Value| {
        Message::text(
            json!({"type": "set", "index": index, "key": key, "value": value}).to_string(),
        )
    };
    let lies = [
        (Message::binary(vec![0; 13]), "bad audio", "not whole frames"),
        (Message::binary(nan), "bad audio", "NaN"),
        (Message::text("RIFF"), "bad message", "expected value"),
        (Message::text("{\"type\":\"stop\"}"), "bad message", "unknown variant"),
        (Message::text(" ".repeat(5_000)), "bad message", "at most 4096 bytes"),
        (set(1, "gain_db", json!(1)), "bad parameter", "no entry 1"),
        (set(0, "volume", json!(1)), "bad parameter", "none of gain_db"),
        (set(0, "gain_db", json!(1000)), "bad parameter", "must be from"),
        (set(0, "gain_db", json!([1])), "bad parameter", "must be a number"),
        (Message::binary(vec![0; (1 << 20) + 8]), "bad frame", "at most 1048576 bytes"),
    ];
    for (lie, title, detail) in lies {
        let mut client = Client::open(&server, &plain()).unwrap();
        client.socket.send(lie).unwrap();
        let error = client.last();
        assert_eq!((&error["type"], &error["title"]), (&json!("error"), &json!(title)), "{error}");
        assert!(error["detail"].as_str().unwrap().contains(detail), "{error}");
        other.play(&audio);
    }
    other.end();
    assert_eq!(other.audio, audio.repeat(10));
}

#[test]
fn hello_that_cannot_be_met_is_refused_in_one_line() {
    let server = Server::start();
    let chain = |entry: Value| hello("f32", &json!([entry]));
    for (asked, title, detail) in [
        (json!({}), "bad hello", "missing field"),
        (json!(["hello"]), "bad hello", "invalid"),
        (
            json!({"sample_rate": 1, "channels": 2, "format": "f32", "chain": []}),
            "bad hello",
            "8000",
        ),
        (chain(json!({"effect": "revreb"})), "bad chain", "did you mean `reverb`"),
        (chain(json!({"step": "gian"})), "bad chain", "chain[0]"),
        (chain(json!({"step": "gain", "with": {"gain_db": 999}})), "bad chain", "chain[0]"),
        (chain(json!({"step": "trim-silence"})), "bad chain", "trim-silence: needs the whole file"),
        (
            chain(json!({"step": "match", "with": {"reference": "/etc/passwd"}})),
            "bad chain",
            "whole file",
        ),
        (chain(json!({"effect": "/etc/passwd"})), "bad chain", "in `roots`"),
        (chain(json!({"effect": "../x.wasm"})), "bad chain", "in `roots`"),
        (chain(json!({"effect": "reverb", "preset": "/etc/passwd"})), "bad chain", "preset"),
        (chain(json!({"effect": "reverb", "preset": "nothing"})), "bad chain", "nothing"),
        (chain(json!({"effect": "reverb", "step": "gain"})), "bad chain", "either"),
    ] {
        let refused = Client::open(&server, &asked).err().unwrap();
        assert_eq!(refused["title"], title, "{asked}: {refused}");
        let reason = refused["detail"].as_str().unwrap();
        assert!(reason.contains(detail) && !reason.contains('\n'), "{asked}: {reason}");
    }
    let mut socket = Client::socket(&server);
    socket.send(Message::binary(vec![0; 8])).unwrap();
    assert_eq!(text(&socket.read().unwrap())["title"], "bad hello");
}

#[test]
fn client_that_vanishes_leaves_nothing_behind_and_others_go_on() {
    let server = Server::start();
    let audio = bytes(&pink(48_000, 2, 20_000, 0.4, 2), "f32");
    let mut clients: Vec<_> = (0..3).map(|_| Client::open(&server, &plain()).unwrap()).collect();
    assert_eq!(server.json("/api/audio/buffers")["count"], 3);
    for client in &mut clients {
        client.play(&audio);
    }
    // Without a farewell, with audio on its way.
    drop(clients.pop());
    wait_until("its end", || server.json("/api/audio/buffers")["count"] == 2);
    for client in &mut clients {
        client.play(&audio);
        client.end();
        assert_eq!(client.audio, audio.repeat(2));
    }
    wait_until("all ends", || server.json("/api/audio/buffers")["count"] == 0);
}

#[test]
fn stalled_and_flooding_clients_do_not_delay_a_live_one() {
    let server = Server::start();
    let audio = bytes(&pink(48_000, 2, 48_000 * 4, 0.4, 3), "f32");
    // Half-open: sockets without a hello, sessions that say nothing, one that reads nothing.
    let silent: Vec<_> = (0..20).map(|_| Client::socket(&server)).collect();
    let idle: Vec<_> = (0..10).map(|_| Client::open(&server, &plain()).unwrap()).collect();
    let floods: Vec<_> = (0..4)
        .map(|_| {
            let mut client = Client::open(&server, &plain()).unwrap();
            let audio = audio.clone();
            thread::spawn(move || {
                for block in audio.repeat(10).chunks(1 << 18) {
                    if client.socket.send(Message::binary(block.to_vec())).is_err() {
                        break;
                    }
                }
                client
            })
        })
        .collect();
    let mut live = Client::open(&server, &plain()).unwrap();
    let start = Instant::now();
    for (index, block) in audio.chunks(8 * 480).enumerate() {
        let due = start + Duration::from_millis(10) * u32::try_from(index).unwrap();
        thread::park_timeout(due.saturating_duration_since(Instant::now()));
        live.socket.send(Message::binary(block.to_vec())).unwrap();
        while live.audio.len() < (index + 1) * 8 * 480 {
            live.take();
        }
    }
    let late = start.elapsed().saturating_sub(Duration::from_secs(4));
    assert!(late < Duration::from_secs(1), "4 s took {late:?} more");
    live.end();
    assert_eq!(live.audio, audio);
    assert!(live.events("dropped").is_empty());
    drop((silent, idle, floods.into_iter().map(|flood| flood.join().unwrap()).collect::<Vec<_>>()));
}

#[test]
fn sessions_are_limited() {
    let mut server = Server::start();
    let asked = hello("s16", &json!([]));
    let clients: Vec<_> = (0..64).map(|_| Client::open(&server, &asked).unwrap()).collect();
    let refused = Client::open(&server, &asked).err().unwrap();
    assert_eq!(refused["title"], "too many sessions", "{refused}");
    drop(clients);
    wait_until("their ends", || server.json("/api/audio/buffers")["count"] == 0);
    let open = Client::open(&server, &asked);
    assert!(open.is_ok());
    // An open session does not keep the daemon.
    assert_eq!(server.daemon.terminate(), Some(0));
    drop(open);
}

#[test]
fn pages_of_other_origins_and_strangers_do_not_connect() {
    let server = Server::of(Lab::new(), &[]);
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let token = std::fs::read_to_string(server.lab.state().join("control.token")).unwrap();
    let token = format!("Authorization: Bearer {}\r\n", token.trim());
    let status = |headers: &str| server.get("/api/audio/stream", headers).0;
    assert_eq!(status(upgrade), 401);
    assert_eq!(status(&format!("{upgrade}{token}Origin: http://evil.example\r\n")), 403);
    assert_eq!(status(&token), 400, "no WebSocket");
    let (status, _) = server.get("/api/audio/buffers", "");
    assert_eq!(status, 401);
    // A page of the server itself may, with what it knows.
    let stream = std::net::TcpStream::connect(&server.address).unwrap();
    let request = ClientRequestBuilder::new(
        format!("ws://{}/api/audio/stream", server.address).parse().unwrap(),
    );
    let (name, value) = token.trim().split_once(": ").unwrap();
    let request = request
        .with_header(name, value)
        .with_header("Origin", format!("http://{}", server.address));
    assert!(tungstenite::client::client(request, stream).is_ok());
}
