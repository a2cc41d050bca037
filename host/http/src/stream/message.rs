//! What is sent to a client, and what it says besides its hello.

use super::hello::SampleType;
use super::limits::{CHANGES_MAX, MESSAGE_BYTES_MAX, SESSIONS_MAX, SILENCE_MAX, TEXT_BYTES_MAX};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wavemill_core::units::{Dbtp, Lufs};
use wavemill_rack::SLOT_COUNT;

/// Why a session ends: a title and one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) title: &'static str,
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(title: &'static str, detail: impl Into<String>) -> Self {
        Self { title, detail: detail.into() }
    }
}

/// What a session says besides audio.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// The answer to the hello.
    Ready {
        session: String,
        /// Frames of the input by which the output is late.
        latency_frames: u64,
        latency_ms: f64,
        /// Hz.
        sample_rate: u32,
        channels: usize,
        format: SampleType,
        limits: Limits,
    },
    /// Loudness of the output so far.
    Meters {
        /// Output measured, s.
        at_s: f64,
        momentary_lufs: Option<Lufs>,
        short_term_lufs: Option<Lufs>,
        integrated_lufs: Option<Lufs>,
        true_peak_dbtp: Option<Dbtp>,
    },
    /// Frames of the input that gave way to newer ones.
    Dropped {
        /// Since the last such message.
        frames: u64,
        total: u64,
    },
    /// An entry of the chain broke.
    Broken {
        /// From 0.
        index: usize,
        detail: String,
        /// Whether it passes on what comes from now on; else a new instance takes over.
        is_dry: bool,
    },
    /// Everything was sent.
    End { frames_in: u64, frames_out: u64 },
    /// The session ends here.
    Error { title: &'static str, detail: String },
}

impl From<Refusal> for Event {
    fn from(refusal: Refusal) -> Self {
        Self::Error { title: refusal.title, detail: refusal.detail }
    }
}

/// What a session may do.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Limits {
    message_bytes: usize,
    text_bytes: usize,
    /// Frames that wait to be processed.
    ring_frames: usize,
    block_frames: usize,
    silence_s: u64,
    sessions: usize,
    chain: usize,
    waiting_changes: usize,
}

impl Limits {
    pub(crate) fn new(ring_frames: usize, block_frames: usize) -> Self {
        Self {
            message_bytes: MESSAGE_BYTES_MAX,
            text_bytes: TEXT_BYTES_MAX,
            ring_frames,
            block_frames,
            silence_s: SILENCE_MAX.as_secs(),
            sessions: SESSIONS_MAX,
            chain: SLOT_COUNT,
            waiting_changes: CHANGES_MAX,
        }
    }
}

/// What a client says after its hello.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Order {
    /// A parameter has another value from a frame of the input on.
    Set {
        /// Which entry of the chain, from 0.
        index: usize,
        key: String,
        /// A number, a switch, or a word.
        value: Value,
        /// Where it is absent or past: the next frame that is processed.
        #[serde(default)]
        frame: u64,
    },
    /// The input is complete.
    End,
}

impl Order {
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > TEXT_BYTES_MAX {
            let detail = format!("text messages have at most {TEXT_BYTES_MAX} bytes");
            return Err(Refusal::new("bad message", detail));
        }
        serde_json::from_str(text).map_err(|error| Refusal::new("bad message", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_and_others_refused() {
        let set = r#"{"type":"set","index":0,"key":"mix","value":0.5,"frame":48000}"#;
        assert!(matches!(Order::parse(set), Ok(Order::Set { frame: 48_000, .. })));
        assert_eq!(Order::parse(r#"{"type":"end"}"#), Ok(Order::End));
        for text in ["", "{}", r#"{"type":"stop"}"#, r#"{"type":"set","index":-1}"#, "[1]"] {
            assert_eq!(Order::parse(text).unwrap_err().title, "bad message", "{text}");
        }
    }
}
