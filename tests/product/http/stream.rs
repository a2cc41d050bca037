//! Live streams: what comes out is what a run makes of the same audio.

use crate::Server;
use crate::client::{Client, bytes, hello};
use crate::module::Source;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::thread;
use std::time::Instant;
use wavemill_tests::lab::{Lab, WAIT_MAX};
use wavemill_tests::signal::{Signal, pink};
use wavemill_tests::wav::{self, Stored};

fn noise(frames: usize, seed: u64) -> Signal {
    pink(48_000, 2, frames, 0.4, seed)
}

/// What `wavemill run` makes of a signal, as it would be sent.
fn of_run(chain: &Value, signal: &Signal, format: &str) -> Vec<u8> {
    let lab = Lab::new();
    let mut text = "version = 1\n[pipeline]\nname = \"a\"\n".to_owned();
    for entry in chain.as_array().unwrap() {
        let (key, name) = match &entry["effect"] {
            Value::Null => ("use", &entry["step"]),
            name => ("effect", name),
        };
        let _ = writeln!(text, "[[step]]\n{key} = {name}");
        if let Some(preset) = entry["preset"].as_str() {
            let _ = writeln!(text, "preset = \"{preset}\"");
        }
        let values = entry["with"].as_object().into_iter().flatten();
        let values: Vec<_> = values.map(|(key, value)| format!("{key} = {value}")).collect();
        let _ = writeln!(text, "with = {{ {} }}", values.join(", "));
    }
    let (stored, depth) = match format {
        "f32" => (Stored::Float, "\"FLOAT\""),
        _ => (Stored::Int(16), "16\ndither = \"none\""),
    };
    let _ = writeln!(text, "[[export]]\nformat = \"wav\"\nbit_depth = {depth}\npath = \"b.wav\"");
    let pipeline = lab.pipeline("a", &text);
    let input = lab.path("a.wav");
    wav::write(&input, signal, stored);
    let ended = lab.run(["run".as_ref(), pipeline.as_os_str(), input.as_os_str()]);
    assert_eq!(ended.code, Some(0), "{ended:?}\n{text}");
    bytes(&wav::read(&lab.path("b.wav")).signal, format)
}

fn assert_same(one: &[u8], other: &[u8], what: &str) {
    let differing = one.iter().zip(other).position(|(one, other)| one != other);
    assert_eq!((differing, one.len()), (None, other.len()), "first differing byte of {what}");
}

/// A chain for each kind of thing that can go wrong: none, filters and a look-ahead, a tail, and all of it.
fn chains() -> Vec<Value> {
    vec![
        json!([{"step": "gain", "with": {"gain_db": -3.0}}]),
        json!([
            {"step": "high-pass", "with": {"cutoff_hz": 120}},
            {"step": "limit", "with": {"ceiling_dbtp": -12.0}},
        ]),
        json!([{"effect": "reverb", "preset": "hall", "with": {"wet": 0.3}}]),
        json!([
            {"effect": "reverb", "with": {"wet": 0.5}},
            {"effect": "compressor", "with": {"lookahead_ms": 5, "ratio": 8, "threshold_db": -30}},
            {"step": "high-pass", "with": {"cutoff_hz": 60}},
            {"step": "limit", "with": {"ceiling_dbtp": -9.0}},
        ]),
    ]
}

#[test]
fn output_has_the_bits_of_run() {
    let server = Server::start();
    let signal = noise(60_000, 1);
    for chain in chains() {
        for format in ["f32", "s16"] {
            let mut client = Client::open(&server, &hello(format, &chain)).unwrap();
            client.play(&bytes(&signal, format));
            let end = client.end();
            let expected = of_run(&chain, &signal, format);
            assert_same(&client.audio, &expected, &format!("{format} {chain}"));
            let frames = expected.len() / if format == "f32" { 8 } else { 4 };
            assert_eq!(end, json!({"type": "end", "frames_in": 60_000, "frames_out": frames}));
            assert!(client.events("dropped").is_empty() && client.events("broken").is_empty());
        }
    }
    assert_eq!(server.json("/api/audio/buffers")["count"], 0);
}

#[test]
fn unaligned_output_is_late_by_the_latency_that_was_said() {
    let server = Server::start();
    let (signal, chain) = (noise(30_000, 2), &chains()[1]);
    let mut asked = hello("f32", chain);
    asked["align"] = json!(false);
    let mut client = Client::open(&server, &asked).unwrap();
    client.play(&bytes(&signal, "f32"));
    client.end();
    let late = usize::try_from(client.ready["latency_frames"].as_u64().unwrap()).unwrap();
    assert!(late > 0, "{}", client.ready);
    assert_same(&client.audio[8 * late..], &of_run(chain, &signal, "f32"), "what is late");
}

#[test]
fn more_than_the_ring_holds_waits_where_that_is_asked_for() {
    let server = Server::start();
    // Twice what the ring, the outbox and the buffers of the system hold.
    let (signal, chain) = (noise(48_000 * 60, 3), &chains()[0]);
    let mut asked = hello("f32", chain);
    asked["overflow"] = json!("wait");
    let mut client = Client::open(&server, &asked).unwrap();
    let mut reader = client.reader();
    let reading = thread::spawn(move || {
        reader.last();
        reader
    });
    for block in bytes(&signal, "f32").chunks(1 << 19) {
        client.socket.send(tungstenite::Message::binary(block.to_vec())).unwrap();
    }
    client.say(&json!({"type": "end"}));
    let reader = reading.join().unwrap();
    assert!(reader.events("dropped").is_empty());
    assert_same(&reader.audio, &of_run(chain, &signal, "f32"), "a minute at once");
}

/// A server that may load modules of a folder, which holds one that multiplies.
fn with_module(source: &Source) -> Server {
    let lab = Lab::new();
    let module = lab.path("fx/gain.wasm");
    wavemill_tests::lab::put(&module, &source.assemble());
    let root = module.parent().unwrap().display();
    lab.configure(&format!("[http]\nroots = [\"{root}\"]\n"));
    Server::of(lab, &["--no-token"])
}

#[test]
fn change_comes_at_its_frame() {
    let server = with_module(&Source::gain().automatable());
    let signal = noise(20_000, 4);
    let chain = json!([
        {"effect": "gain.wasm", "with": {"gain_lin": 0.5}},
        {"effect": "gain.wasm", "with": {"gain_lin": 1.0}},
        {"step": "gain", "with": {"gain_db": 0.0}},
    ]);
    let mut client = Client::open(&server, &hello("f32", &chain)).unwrap();
    let set = |index: usize, key: &str, value: f64, frame: usize| json!({"type": "set", "index": index, "key": key, "value": value, "frame": frame});
    client.say(&set(1, "gain_lin", 4.0, 9_001));
    client.say(&set(0, "gain_lin", 2.0, 4_097));
    client.say(&set(2, "gain_db", -96.0, 12_345));
    client.play(&bytes(&signal, "f32"));
    client.end();
    let played = client.samples();
    assert_eq!(played.len(), 40_000);
    // A step is faded into one with the new value, in 10 ms.
    let faded = 12_345..12_345 + 480;
    let silenced = 10f32.powf(-96.0 / 20.0);
    for (index, sample) in played.iter().enumerate() {
        let (frame, came) = (index / 2, signal.planes[index % 2][index / 2]);
        let first = if frame < 4_097 { 0.5 } else { 2.0 };
        let second = if frame < 9_001 { 1.0 } else { 4.0 };
        let expected = came * first * second;
        if frame < faded.start {
            assert_eq!(sample.to_bits(), expected.to_bits(), "frame {frame}");
        } else if frame >= faded.end {
            assert!((sample - expected * silenced).abs() < 1e-9, "frame {frame}: {sample}");
        } else {
            assert!(sample.abs() <= expected.abs() + 1e-9, "frame {frame}");
        }
    }
}

#[test]
fn change_of_the_latency_ends_the_session() {
    let server = Server::start();
    let chain = json!([{"effect": "compressor", "with": {"lookahead_ms": 5}}]);
    let mut client = Client::open(&server, &hello("f32", &chain)).unwrap();
    client.say(&json!({"type": "set", "index": 0, "key": "lookahead_ms", "value": 6}));
    client.play(&bytes(&noise(4_800, 8), "f32"));
    let error = client.last();
    assert_eq!(error["title"], "bad parameter", "{error}");
    assert!(error["detail"].as_str().unwrap().contains("288"), "{error}");
}

#[test]
fn module_that_loops_is_dry_and_others_go_on() {
    let server = with_module(&Source::gain().after(10_000, "(loop $forever (br $forever))"));
    let (signal, reverb) = (noise(60_000, 5), &chains()[2]);
    let mut other = Client::open(&server, &hello("f32", reverb)).unwrap();
    let looping = json!([{"effect": "gain.wasm", "with": {"gain_lin": 0.25}}]);
    let mut client = Client::open(&server, &hello("f32", &looping)).unwrap();
    let sent = bytes(&signal, "f32");
    for piece in sent.chunks(8 * 1_000) {
        client.play(piece);
        other.play(piece);
    }
    other.end();
    assert_same(&other.audio, &of_run(reverb, &signal, "f32"), "the other");
    // Each new instance loops again, and the third one was the last.
    let start = Instant::now();
    while client.events("broken").len() < 3 {
        assert!(start.elapsed() < WAIT_MAX, "{:?}", client.events("broken"));
        client.play(&sent[..8 * 1_000]);
    }
    client.play(&sent);
    let end = client.end();
    assert_eq!(end["frames_in"], end["frames_out"]);
    let broken = client.events("broken");
    assert!(broken.iter().all(|event| event["index"] == 0), "{broken:?}");
    assert!(!broken[0]["detail"].as_str().unwrap().contains("/fx/"), "{broken:?}");
    let are_dry: Vec<_> = broken.iter().map(|event| event["is_dry"] == true).collect();
    assert_eq!(are_dry, [false, false, true]);
    let played = client.samples();
    assert_eq!(played[0].to_bits(), (signal.planes[0][0] * 0.25).to_bits());
    assert_eq!(played.last().unwrap().to_bits(), signal.planes[1][59_999].to_bits());
}

#[test]
fn steps_of_a_pipeline_are_played_or_refused_by_name() {
    let lab = Lab::new();
    let text = "version = 1\n[pipeline]\nname = \"quiet\"\n[[step]]\nuse = \"gain\"\n\
        with = { gain_db = -3.0 }\n[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let pipeline = lab.pipeline("quiet", text);
    let path = pipeline.to_str().unwrap().to_owned();
    let server = Server::of(lab, &["--no-token", &path]);
    let by_name = |name: &str| json!({"sample_rate": 48_000, "channels": 2, "format": "f32", "pipeline": name});
    let signal = noise(5_000, 6);
    let mut client = Client::open(&server, &by_name("quiet")).unwrap();
    client.play(&bytes(&signal, "f32"));
    client.end();
    assert_same(&client.audio, &of_run(&chains()[0], &signal, "f32"), "the pipeline");
    let refused = Client::open(&server, &by_name("podcast")).err().unwrap();
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("loudness: needs the whole file"), "{detail}");
    let refused = Client::open(&server, &by_name("nothing")).err().unwrap();
    assert_eq!(refused["detail"], "there is no pipeline `nothing`");
}

#[test]
fn chain_works_at_its_own_rate() {
    let server = Server::start();
    let frames = 44_100;
    let tone = wavemill_tests::signal::sine(44_100, 2, frames, 1_000.0, 0.5);
    let mut asked = hello("f32", &json!([{"step": "gain", "with": {"gain_db": 0.0}}]));
    asked["sample_rate"] = json!(44_100);
    asked["chain_rate"] = json!(48_000);
    let mut client = Client::open(&server, &asked).unwrap();
    assert!(client.ready["latency_frames"].as_u64().unwrap() > 0, "{}", client.ready);
    client.play(&bytes(&tone, "f32"));
    let end = client.end();
    assert_eq!(end, json!({"type": "end", "frames_in": frames, "frames_out": frames}));
    let played = client.samples();
    // The ends of a tone that is cut off ring.
    for frame in 4_000..frames - 4_000 {
        let error = (played[2 * frame] - tone.planes[0][frame]).abs();
        assert!(error < 1e-4, "frame {frame}: {error}");
    }
}

#[test]
fn meters_come_ten_a_second_and_are_those_of_the_output() {
    let server = Server::start();
    let (signal, chain) = (noise(48_000 * 4, 7), &chains()[0]);
    let mut client = Client::open(&server, &hello("f32", chain)).unwrap();
    client.play(&bytes(&signal, "f32"));
    client.end();
    let meters = client.events("meters");
    assert_eq!(meters.len(), 40);
    assert_eq!((&meters[0]["at_s"], &meters[39]["at_s"]), (&json!(0.1), &json!(4.0)));
    let mut oracle = ebur128::EbuR128::new(2, 48_000, ebur128::Mode::all()).unwrap();
    oracle.add_frames_f32(&client.samples()).unwrap();
    let number = |key: &str| meters[39][key].as_f64().unwrap();
    assert!((number("integrated_lufs") - oracle.loudness_global().unwrap()).abs() < 0.05);
    assert!((number("momentary_lufs") - oracle.loudness_momentary().unwrap()).abs() < 0.05);
    assert!((number("short_term_lufs") - oracle.loudness_shortterm().unwrap()).abs() < 0.05);
    let peak = oracle.true_peak(0).unwrap().max(oracle.true_peak(1).unwrap());
    // Within 0.4 dB: EBU Tech 3341, as both are within 0.2 dB.
    let ratio = 10f64.powf(number("true_peak_dbtp") / 20.0) / peak;
    assert!((0.955..1.047).contains(&ratio), "{ratio}");
}
