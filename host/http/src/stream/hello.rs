//! The first message of a session: what comes, and what shall become of it.

use super::limits::{
    BLOCK_FRAMES, BLOCK_FRAMES_MAX, BLOCK_FRAMES_MIN, CHANNELS_MAX, HELLO_BYTES_MAX,
    SAMPLE_RATE_HZ_MAX, SAMPLE_RATE_HZ_MIN,
};
use super::message::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use wavemill_rack::SLOT_COUNT;

/// How samples are written, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SampleType {
    /// 32-bit floats, full scale 1.0.
    F32,
    /// 16-bit integers.
    S16,
}

impl SampleType {
    /// Bytes of a sample.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::S16 => 2,
        }
    }
}

/// What becomes of audio that comes faster than it is processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Overflow {
    /// The oldest gives way, and is counted: what is live must not be late.
    #[default]
    DropOldest,
    /// The socket is not read until there is room: every frame is processed.
    Wait,
}

/// An effect or a step of a chain.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Name of a bundled effect, or the path of a module.
    pub(crate) effect: Option<String>,
    /// Name of a built-in step.
    pub(crate) step: Option<String>,
    /// Preset of the effect.
    pub(crate) preset: Option<String>,
    /// Values, as a pipeline has them.
    #[serde(default)]
    pub(crate) with: Map<String, Value>,
}

/// The hello, with everything in its range.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {
    /// May be `hello`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Hz.
    pub(crate) sample_rate: u32,
    pub(crate) channels: usize,
    pub(crate) format: SampleType,
    pub(crate) chain: Option<Vec<Entry>>,
    /// Name of a pipeline whose steps are the chain.
    pub(crate) pipeline: Option<String>,
    /// Rate that the chain works at, Hz.
    pub(crate) chain_rate: Option<u32>,
    /// Most frames that are processed at once.
    #[serde(default = "block_frames")]
    pub(crate) block_frames: usize,
    /// Whether latency is cut off at the start, as in files.
    #[serde(default = "is_aligned")]
    pub(crate) align: bool,
    #[serde(default)]
    pub(crate) overflow: Overflow,
}

fn block_frames() -> usize {
    BLOCK_FRAMES
}

fn is_aligned() -> bool {
    true
}

impl Hello {
    /// Reads and checks a hello.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = |reason: String| Refusal::new("bad hello", reason);
        if text.len() > HELLO_BYTES_MAX {
            return Err(refused(format!("the hello is longer than {HELLO_BYTES_MAX} bytes")));
        }
        let hello: Self = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
        hello.check().map_err(refused)?;
        Ok(hello)
    }

    fn check(&self) -> Result<(), String> {
        if self.kind.as_ref().is_some_and(|kind| kind != "hello") {
            return Err("the first message must be the hello".to_owned());
        }
        let rates = SAMPLE_RATE_HZ_MIN..=SAMPLE_RATE_HZ_MAX;
        within("sample_rate", self.sample_rate, &rates)?;
        self.chain_rate.map_or(Ok(()), |rate| within("chain_rate", rate, &rates))?;
        within("channels", self.channels, &(1..=CHANNELS_MAX))?;
        within("block_frames", self.block_frames, &(BLOCK_FRAMES_MIN..=BLOCK_FRAMES_MAX))?;
        match (&self.chain, &self.pipeline) {
            (Some(_), Some(_)) | (None, None) => {
                Err("give either `chain` or `pipeline`".to_owned())
            }
            (Some(chain), None) if chain.len() > SLOT_COUNT => {
                Err(format!("`chain` has {} entries; at most {SLOT_COUNT}", chain.len()))
            }
            _ => Ok(()),
        }
    }
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    key: &str,
    value: T,
    range: &RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("`{key}` is {value}; it must be from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_has_defaults() {
        let text = r#"{"sample_rate":48000,"channels":2,"format":"s16","chain":[{"effect":"reverb","with":{"mix":0.3}}]}"#;
        let hello = Hello::parse(text).unwrap();
        assert_eq!((hello.block_frames, hello.align), (BLOCK_FRAMES, true));
        assert_eq!((hello.format, hello.overflow), (SampleType::S16, Overflow::DropOldest));
        assert_eq!(hello.chain.unwrap()[0].with["mix"], 0.3);
    }

    #[test]
    fn mistakes_are_named_with_what_would_be_right() {
        let nine = format!("[{}]", [r#"{"step":"gain"}"#; 9].join(","));
        for (more, expected) in [
            (r#""sample_rate":7999,"channels":2,"format":"f32","chain":[]"#, "8000 to 192000"),
            (r#""sample_rate":48000,"channels":9,"format":"f32","chain":[]"#, "from 1 to 8"),
            (r#""sample_rate":48000,"channels":2,"format":"u8","chain":[]"#, "`f32` or `s16`"),
            (r#""sample_rate":48000,"channels":2,"format":"f32""#, "`chain` or `pipeline`"),
            (r#""sample_rate":48000,"channels":2,"format":"f32","chian":[]"#, "`chian`"),
            (
                r#""sample_rate":48000,"channels":2,"format":"f32","chain":[],"block_frames":9"#,
                "from 32 to 4096",
            ),
            (
                &format!(r#""sample_rate":48000,"channels":2,"format":"f32","chain":{nine}"#),
                "at most 8",
            ),
        ] {
            let refusal = Hello::parse(&format!("{{{more}}}")).unwrap_err();
            assert!(refusal.detail.contains(expected), "{more}: {}", refusal.detail);
        }
    }
}
