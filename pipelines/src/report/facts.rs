//! Facts as JSON: the shapes that `analyze` prints and reports hold.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::path::Path;
use wavemill_core::audio::SampleFormat;
use wavemill_core::decode::StreamInfo;
use wavemill_core::units::Seconds;

/// The group `file`: what a file is.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    /// As it was named.
    pub path: String,
    /// Container: `wav`, `flac`...
    pub format: Cow<'static, str>,
    /// Codec: `pcm`, `flac`, `mp3`...
    pub codec: Cow<'static, str>,
    /// Size.
    pub size_bytes: u64,
    /// Exact, by decoding where the header cannot be held to it; `None` where only that would show it.
    pub duration_s: Option<f64>,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: usize,
    /// Bits of a stored sample; `None` for lossy codecs, which store none.
    pub bit_depth: Option<u16>,
    /// Integers or floats; `None` for lossy codecs.
    pub sample_format: Option<SampleFormat>,
    /// BLAKE3 of the file's bytes, 64 hex digits.
    pub blake3: String,
}

impl FileFacts {
    /// What is known of the file at `path`.
    pub fn new(
        path: &Path,
        info: &StreamInfo,
        size_bytes: u64,
        duration: Option<Seconds>,
        blake3: String,
    ) -> Self {
        let stored = info.lossless.then_some(info.format);
        Self {
            path: path.to_string_lossy().into_owned(),
            format: info.container.into(),
            codec: info.codec.into(),
            size_bytes,
            duration_s: duration.map(|duration| duration.0),
            sample_rate_hz: info.spec.sample_rate.0,
            channels: info.spec.channel_count(),
            bit_depth: stored.map(|format| format.bit_depth),
            sample_format: stored.map(|format| format.sample_format),
            blake3,
        }
    }
}

/// A report of measures; levels rounded to thousandths, as more is neither audible nor read.
pub fn measures(report: &impl Serialize) -> Value {
    serde_json::to_value(report).map_or(Value::Null, tidy)
}

/// Rounds what carries a logarithmic unit or a time in its name.
fn tidy(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(tidy_member).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        other => other,
    }
}

fn tidy_member((key, value): (String, Value)) -> (String, Value) {
    // Parameters stay as they were given.
    if key == "params" {
        return (key, value);
    }
    let places = match key.rsplit('_').next() {
        Some("lufs" | "lu" | "db" | "dbfs" | "dbtp") => 1e3,
        Some("s") => 1e6,
        _ => return (key, tidy(value)),
    };
    let rounded = match value.as_f64() {
        // Adding zero turns -0.0 into 0.0.
        Some(number) => json!((number * places).round() / places + 0.0),
        None => tidy(value),
    };
    (key, rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_levels_and_times_are_rounded() {
        let tidied = tidy(json!({
            "gain_db": -0.0001, "a": { "target_lufs": -16.00049 }, "duration_s": 1.23456789,
            "rms_amplitude": 0.123456789, "list": [{ "x_lu": null }],
        }));
        assert_eq!(
            tidied.to_string(),
            r#"{"gain_db":0.0,"a":{"target_lufs":-16.0},"duration_s":1.234568,"rms_amplitude":0.123456789,"list":[{"x_lu":null}]}"#
        );
    }
}
