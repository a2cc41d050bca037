//! Facts as JSON: the shapes that `analyze` prints and reports hold.

use super::source::{Input, duration};
use serde::Serialize;
use serde_json::{Map, Value, json};
use wavemill_core::audio::SampleFormat;
use wavemill_core::units::Frames;

/// The group `file`.
pub(super) fn file(input: &Input, frames: Option<Frames>, blake3: &str) -> Value {
    let info = &input.info;
    // A lossy codec stores no samples, so it has neither bits nor a format of them.
    let stored = info.lossless.then_some(info.format);
    tidy(json!({
        "path": input.path().to_string_lossy(),
        "format": info.container,
        "codec": info.codec,
        "size_bytes": input.size_bytes(),
        "duration_s": duration(info, frames).map(|seconds| seconds.0),
        "sample_rate_hz": info.spec.sample_rate.0,
        "channels": info.spec.channel_count(),
        "bit_depth": stored.map(|format| format.bit_depth),
        "sample_format": stored.map(|format| match format.sample_format {
            SampleFormat::Int => "int",
            SampleFormat::Float => "float",
        }),
        "blake3": blake3,
    }))
}

/// A report of measures; levels rounded to thousandths, as nobody hears or reads more.
pub fn measures(report: &impl Serialize) -> Value {
    serde_json::to_value(report).map_or(Value::Null, tidy)
}

/// Rounds what carries a logarithmic unit or a time in its name.
pub(super) fn tidy(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(tidy_member).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        other => other,
    }
}

fn tidy_member((key, value): (String, Value)) -> (String, Value) {
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
