//! A program that serves HTTP, and requests to it.

use serde_json::Value;
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
    /// The link that lets one browser in.
    pub(crate) link: String,
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
        Self { address, link: link.to_owned(), lab, daemon }
    }

    /// Sends a request as it is; status, head and body of the answer.
    pub(crate) fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    /// The answer to a request without a body: status, head and body.
    pub(crate) fn ask(&self, path: &str, headers: &str) -> (u16, String, String) {
        let host = &self.address;
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    /// The same: status and body.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (u16, String) {
        let (status, _, body) = self.ask(path, headers);
        (status, body)
    }

    /// The answer to a request with JSON: status, head and body.
    pub(crate) fn post(&self, path: &str, headers: &str, body: &Value) -> (u16, String, String) {
        let (host, body) = (&self.address, body.to_string());
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    /// The answer to a request, as JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}
