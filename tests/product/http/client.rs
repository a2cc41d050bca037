//! A client of live streams.

use crate::Server;
use serde_json::{Value, json};
use std::net::TcpStream;
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Bytes, Message};
use wavemill_tests::lab::WAIT_MAX;
use wavemill_tests::signal::Signal;

/// Frames that a client sends ahead of what comes back: less than the server's ring and this machine's buffers hold.
const AHEAD_FRAMES: usize = 48_000;

/// Sizes of blocks, in frames, again and again.
pub(crate) const SIZES: &[usize] = &[1, 64, 7, 512, 4096, 333, 32, 2, 1024, 20_000];

/// An open session.
pub(crate) struct Client {
    pub(crate) socket: WebSocket<TcpStream>,
    /// The answer to the hello.
    pub(crate) ready: Value,
    /// Other events so far.
    pub(crate) events: Vec<Value>,
    /// Audio so far.
    pub(crate) audio: Vec<u8>,
    frame_bytes: usize,
    sent: usize,
}

/// The hello of a stereo stream at 48 kHz.
pub(crate) fn hello(format: &str, chain: &Value) -> Value {
    json!({"sample_rate": 48_000, "channels": 2, "format": format, "chain": chain})
}

/// Interleaved samples as they are sent.
pub(crate) fn bytes(signal: &Signal, format: &str) -> Vec<u8> {
    let frames = 0..signal.frame_count();
    let samples = frames.flat_map(|frame| signal.planes.iter().map(move |plane| plane[frame]));
    if format == "f32" {
        return samples.flat_map(f32::to_le_bytes).collect();
    }
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, as is meant")]
    samples.flat_map(|sample| ((sample * 32_768.0).round() as i16).to_le_bytes()).collect()
}

impl Client {
    /// A socket that has said nothing yet.
    pub(crate) fn socket(server: &Server) -> WebSocket<TcpStream> {
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://{}/api/audio/stream", server.address);
        tungstenite::client::client(url, stream).unwrap().0
    }

    /// A session.
    ///
    /// # Errors
    /// What is answered instead of `ready`.
    pub(crate) fn open(server: &Server, hello: &Value) -> Result<Self, Value> {
        let mut socket = Self::socket(server);
        socket.send(Message::text(hello.to_string())).unwrap();
        let ready = text(&socket.read().unwrap());
        if ready["type"] != "ready" {
            return Err(ready);
        }
        let sample_bytes = if hello["format"] == "s16" { 2 } else { 4 };
        let channels = usize::try_from(hello["channels"].as_u64().unwrap()).unwrap();
        Ok(Self {
            socket,
            ready,
            events: Vec::new(),
            audio: Vec::new(),
            frame_bytes: sample_bytes * channels,
            sent: 0,
        })
    }

    pub(crate) fn say(&mut self, order: &Value) {
        self.socket.send(Message::text(order.to_string())).unwrap();
    }

    /// Sends audio in blocks of [`SIZES`] and takes what comes back.
    pub(crate) fn play(&mut self, bytes: &[u8]) {
        let (mut rest, mut sizes) = (bytes, SIZES.iter().cycle());
        while !rest.is_empty() {
            let count = (sizes.next().unwrap() * self.frame_bytes).min(rest.len());
            let (block, behind) = rest.split_at(count);
            rest = behind;
            self.socket.send(Message::binary(Bytes::copy_from_slice(block))).unwrap();
            self.sent += count / self.frame_bytes;
            let late = usize::try_from(self.ready["latency_frames"].as_u64().unwrap()).unwrap();
            while self.sent > self.audio.len() / self.frame_bytes + late + AHEAD_FRAMES {
                assert!(self.take(), "the server closed: {:?}", self.events);
            }
        }
    }

    /// Takes a message; whether there may be more.
    pub(crate) fn take(&mut self) -> bool {
        match self.socket.read() {
            Ok(Message::Binary(bytes)) => self.audio.extend(&bytes),
            Ok(message @ Message::Text(_)) => self.events.push(text(&message)),
            Ok(Message::Close(_)) | Err(tungstenite::Error::ConnectionClosed) => return false,
            Ok(_) => {}
            Err(error) => panic!("{error}: {:?}", self.events),
        }
        true
    }

    /// Says that this was all, and takes the rest; the last event.
    pub(crate) fn end(&mut self) -> Value {
        self.say(&json!({"type": "end"}));
        self.last()
    }

    /// Takes everything; the last event.
    pub(crate) fn last(&mut self) -> Value {
        while self.take() {}
        self.events.last().cloned().unwrap_or_default()
    }

    /// Events of a kind so far.
    pub(crate) fn events(&self, kind: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["type"] == kind).collect()
    }

    /// The audio so far as samples, where it is floats.
    pub(crate) fn samples(&self) -> Vec<f32> {
        self.audio.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    /// The same socket for another thread, which only reads.
    pub(crate) fn reader(&self) -> Self {
        let stream = self.socket.get_ref().try_clone().unwrap();
        Self {
            socket: WebSocket::from_raw_socket(stream, Role::Client, None),
            ready: self.ready.clone(),
            events: Vec::new(),
            audio: Vec::new(),
            frame_bytes: self.frame_bytes,
            sent: 0,
        }
    }
}

/// An event.
pub(crate) fn text(message: &Message) -> Value {
    match message {
        Message::Text(text) => serde_json::from_str(text).unwrap(),
        other => panic!("no event: {other:?}"),
    }
}
