//! A program that serves HTTP, and requests to it.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use wavemill_tests::lab::{Daemon, Lab, WAIT_MAX};

/// A running server.
pub(crate) struct Server {
    pub(crate) daemon: Daemon,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The link that lets one browser in.
    pub(crate) link: String,
}

impl Server {
    /// Serves a lab on a free port.
    pub(crate) fn start(lab: &Lab, flags: &[&str], pipelines: &[&Path]) -> Self {
        let mut words = vec!["--http", "127.0.0.1:0"];
        words.extend(flags);
        let mut daemon = lab.watch_with(&words, pipelines);
        daemon.wait_until_started();
        let link = lab.run(["status", "--json"]).json()["daemon"]["login_link"].clone();
        let link = link.as_str().expect("HTTP is served").to_owned();
        let end = link[7..].find('/').expect("a path") + 7;
        Self { daemon, url: link[..end].to_owned(), link }
    }

    /// Sends a request as it is, and returns the status, the head and the body of the answer.
    pub(crate) fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.url[7..]).expect("the server listens");
        stream.set_read_timeout(Some(WAIT_MAX)).expect("a limit can be set");
        stream.write_all(request.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("an answer has a status"), head.to_owned(), body.to_owned())
    }

    /// A GET with more lines of its head.
    pub(crate) fn get(&self, path: &str, head: &str) -> (u16, String, String) {
        let host = &self.url[7..];
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{head}\r\n"
        ))
    }

    /// A POST of JSON.
    pub(crate) fn post(&self, path: &str, head: &str, body: &Value) -> (u16, String, String) {
        let (host, body) = (&self.url[7..], body.to_string());
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{head}\r\n{body}"
        ))
    }
}
