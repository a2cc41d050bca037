//! HTTP as clients use it: the real daemon on a loopback address.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
#[path = "../effects/module.rs"]
#[allow(dead_code, reason = "the tests of effects use all of it")]
mod module;
mod stream;
mod stream_faults;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use wavemill_tests::lab::{Daemon, Lab, WAIT_MAX};

/// A daemon that serves HTTP.
pub(crate) struct Server {
    /// Where it lives.
    pub(crate) lab: Lab,
    /// Address and port.
    pub(crate) address: String,
    /// The daemon.
    pub(crate) daemon: Daemon,
}

impl Server {
    /// One that asks for no token.
    pub(crate) fn start() -> Self {
        Self::of(Lab::new(), &["--no-token"])
    }

    /// One in a prepared lab, with more words for `watch`.
    pub(crate) fn of(lab: Lab, words: &[&str]) -> Self {
        let words: Vec<&Path> =
            ["--http", "127.0.0.1:0"].iter().chain(words).map(Path::new).collect();
        let mut daemon = lab.watch(&words);
        daemon.wait_until_started();
        let status = lab.run(["status", "--json"]).json();
        let link = status["daemon"]["login_link"].as_str().unwrap_or_else(|| panic!("{status}"));
        let address = link.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        Self { lab, address, daemon }
    }

    /// The answer to a request without a body: status and body.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        let host = &self.address;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, body.to_owned())
    }

    /// The answer to a request, as JSON.
    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}
