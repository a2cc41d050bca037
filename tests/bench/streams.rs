//! Live streams at the pace of a sound card: stereo reverb through a daemon on loopback, its clients on the same cores.

use crate::record::Record;
use crate::usage;
use serde_json::Value;
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Bytes, Message};
use wavemill_tests::lab::Lab;
use wavemill_tests::signal::{Signal, pink};

/// Frames of a message: 20 ms.
const BLOCK_FRAMES: usize = 960;

/// Messages a session: 30 s.
const BLOCKS: usize = 1_500;

/// Sessions at once.
const SESSIONS: [usize; 3] = [1, 32, 64];

/// A block is late when it comes back after so long: what a client that buffers 5 blocks does not hear.
const LATE: Duration = Duration::from_millis(100);

const HELLO: &str = r#"{"sample_rate":48000,"channels":2,"format":"f32","chain":[{"effect":"reverb","preset":"hall"}]}"#;

/// What a session came to.
struct Played {
    /// Each block's time from when it was due to be sent until it was back, s.
    delays_s: Vec<f64>,
    dropped_frames: u64,
}

pub(crate) fn run(_arguments: &[String]) -> Record {
    let columns = vec![
        "sessions",
        "dropped_frames",
        "late_blocks",
        "blocks",
        "median_ms",
        "p99_ms",
        "max_ms",
        "server_cores",
    ];
    let mut record = Record { columns, ..Record::default() };
    let build = if cfg!(debug_assertions) { "the build of tests (opt-level 1)" } else { "release" };
    record.findings.push(format!("built for: {build}; stereo reverb at 48 kHz, blocks of 20 ms"));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    record
        .findings
        .push(format!("programs of others on these cores before: {load} (load average)"));
    let lab = Lab::new();
    let mut daemon = lab.watch(&["--http", "127.0.0.1:0", "--no-token"].map(Path::new));
    daemon.wait_until_started();
    let status = lab.run(["status", "--json"]).json();
    let link = status["daemon"]["login_link"].as_str().expect("HTTP is served").to_owned();
    let address = link.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let pid = daemon.pid().as_raw_nonzero().get().unsigned_abs();
    for count in SESSIONS {
        let before = usage::cpu_s(pid).unwrap_or(0.0);
        let begin = Instant::now();
        let played = play_all(&address, count);
        let server_s = usage::cpu_s(pid).unwrap_or(0.0) - before;
        let cores = server_s / begin.elapsed().as_secs_f64();
        add(&mut record, count, &played, cores);
    }
    daemon.terminate();
    record
}

fn add(record: &mut Record, count: usize, played: &[Played], cores: f64) {
    let dropped: u64 = played.iter().map(|session| session.dropped_frames).sum();
    let mut delays: Vec<f64> =
        played.iter().flat_map(|session| session.delays_s.iter().copied()).collect();
    delays.sort_by(f64::total_cmp);
    let late = delays.iter().filter(|delay| **delay > LATE.as_secs_f64()).count();
    let at = |percent: usize| 1000.0 * delays[(delays.len() - 1) * percent / 100];
    record.findings.push(format!(
        "{count} sessions: {dropped} frames dropped, {late} of {} blocks later than {LATE:?}; median {:.1} ms, 99 % \
         within {:.1} ms, longest {:.1} ms; the daemon takes {cores:.2} cores",
        delays.len(),
        at(50),
        at(99),
        at(100),
    ));
    let numbers = [at(50), at(99), at(100), cores].map(|it| format!("{it:.2}"));
    let counts = [count, usize::try_from(dropped).unwrap_or(usize::MAX), late, delays.len()];
    record.rows.push([counts.map(|it| it.to_string()).to_vec(), numbers.to_vec()].concat());
}

/// Plays on so many sockets at once.
fn play_all(address: &str, count: usize) -> Vec<Played> {
    let signal = bytes(&pink(48_000, 2, BLOCK_FRAMES * 50, 0.3, 1));
    let sockets: Vec<_> = (0..count).map(|_| open(address)).collect();
    let start = Instant::now() + Duration::from_millis(200);
    thread::scope(|scope| {
        let threads: Vec<_> = sockets
            .into_iter()
            .enumerate()
            .map(|(index, socket)| {
                // Sessions are not in step.
                let start = start + Duration::from_micros(20_000 * index as u64 / count as u64);
                let reader = socket.get_ref().try_clone().expect("a socket can be shared");
                let reader = WebSocket::from_raw_socket(reader, Role::Client, None);
                let signal = &signal;
                scope.spawn(move || send(socket, signal, start));
                scope.spawn(move || receive(reader, start))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a client plays")).collect()
    })
}

fn open(address: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).expect("the daemon listens");
    stream.set_nodelay(true).expect("a socket can be set");
    let url = format!("ws://{address}/api/audio/stream");
    let mut socket = tungstenite::client::client(url, stream).expect("a WebSocket").0;
    socket.send(Message::text(HELLO)).expect("the server reads");
    let ready = socket.read().expect("an answer").to_string();
    assert!(ready.contains("\"ready\""), "{ready}");
    socket
}

fn due(start: Instant, block: usize) -> Instant {
    start + Duration::from_millis(20 * block as u64)
}

fn send(mut socket: WebSocket<TcpStream>, signal: &[u8], start: Instant) {
    let blocks = signal.chunks_exact(BLOCK_FRAMES * 8).cycle();
    for (index, block) in blocks.take(BLOCKS).enumerate() {
        thread::park_timeout(due(start, index).saturating_duration_since(Instant::now()));
        let block = Bytes::copy_from_slice(block);
        socket.send(Message::binary(block)).expect("the server reads");
    }
    socket.send(Message::text(r#"{"type":"end"}"#)).expect("the server reads");
}

fn receive(mut socket: WebSocket<TcpStream>, start: Instant) -> Played {
    let mut played = Played { delays_s: Vec::new(), dropped_frames: 0 };
    let mut frames = 0;
    while let Ok(message) = socket.read() {
        let now = Instant::now();
        match message {
            Message::Binary(bytes) => frames += bytes.len() / 8,
            Message::Text(text) => {
                let event: Value = serde_json::from_str(&text).unwrap_or_default();
                assert!(event["type"] != "error" && event["type"] != "broken", "{event}");
                played.dropped_frames += event["frames"].as_u64().unwrap_or(0);
                continue;
            }
            _ => break,
        }
        while played.delays_s.len() < BLOCKS && frames >= (played.delays_s.len() + 1) * BLOCK_FRAMES
        {
            let sent = due(start, played.delays_s.len());
            played.delays_s.push(now.saturating_duration_since(sent).as_secs_f64());
        }
    }
    assert_eq!(played.delays_s.len(), BLOCKS, "blocks that came back");
    played
}

fn bytes(signal: &Signal) -> Vec<u8> {
    let frames = 0..signal.frame_count();
    let samples = frames.flat_map(|frame| signal.planes.iter().map(move |plane| plane[frame]));
    samples.flat_map(f32::to_le_bytes).collect()
}
