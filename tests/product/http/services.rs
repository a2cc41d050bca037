//! The services' clients, in Python, unchanged but for the address.

use crate::Server;
use std::fs;
use std::path::Path;
use wavemill_tests::external::Tool;
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// Names a Python.
const PYTHON: &str = "WAVEMILL_PYTHON";

#[test]
fn services_clients_are_answered_as_before() {
    let Some(python) = Tool::named(PYTHON).filter(|python| python.imports("httpx")) else { return };
    let lab = Lab::new();
    let file = lab.aside("take.wav");
    wav::write(&file, &signal::music(48_000, 2, 480_000, 0.5, 7), Stored::Int(16));
    give_title(&file, "Monday");
    let broken = lab.aside("broken.wav");
    lab::put(&broken, b"this is no audio");
    let script = lab.aside("services.py");
    lab::put(&script, include_bytes!("services.py"));
    let mut server = Server::of(lab, &["--no-token"]);
    let url = format!("http://{}", server.address);
    let output = python.output(&[&script, Path::new(&url), &file, &broken]);
    assert!(String::from_utf8_lossy(&output).contains("as documented"));
    assert!(server.daemon.terminate().is_some());
    let lab = &server.lab;
    let made = lab.state().join("http/processed");
    for name in ["plain.wav", "a/b.flac", "c.mp3", "d.ogg", "e {x}.aiff", "song.wav", "region.wav"]
    {
        assert!(made.join(name).is_file(), "{name}");
    }
    // 10 s, and 10 s from 9 s on.
    let song = lab.run(["analyze", "--json", &made.join("song.wav").display().to_string()]).json();
    assert_eq!(song["files"][0]["file"]["duration_s"], 19.0);
    assert_eq!(fs::read_dir(made.join("batch")).unwrap().count(), 2);
}

/// Appends a list of facts with a title, as Microsoft's description of RIFF has it.
fn give_title(path: &Path, title: &str) {
    let mut bytes = fs::read(path).unwrap();
    let mut text = title.as_bytes().to_vec();
    text.resize(title.len() + 2 - title.len() % 2, 0);
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    bytes.extend(b"LIST");
    bytes.extend(length(4 + 8 + text.len()));
    bytes.extend(b"INFOINAM");
    bytes.extend(length(text.len()));
    bytes.extend(text);
    let size = length(bytes.len() - 8);
    bytes[4..8].copy_from_slice(&size);
    lab::put(path, &bytes);
}
