//! `[[require]]`: gates that a file or its outputs must pass.

use crate::delivery::{self, TargetError};
use crate::model::{Require, RequireOn};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{CHANNEL_COUNT_MAX, Key, Kind};
use std::path::Path;
use std::time::Duration;
use toml::Spanned;
use wavemill_core::delivery::Target;
use wavemill_core::limits;

pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "on",
        Kind::Word(&["input", "output"]),
        "What to check: the source (default), or every export after decoding it.",
    ),
    Key::optional(
        "duration",
        Kind::DurationBounds { min: Duration::ZERO, max: Duration::from_hours(100) },
        "Limits of the duration, such as { min = \"1s\", max = \"2h\" }.",
    ),
    Key::optional(
        "channels",
        Kind::Integers { min: 1, max: CHANNEL_COUNT_MAX },
        "Allowed channel counts, such as [1, 2].",
    ),
    Key::optional(
        "sample_rate_hz",
        Kind::Integers {
            min: limits::SAMPLE_RATE_HZ_MIN as i64,
            max: limits::SAMPLE_RATE_HZ_MAX as i64,
        },
        "Allowed sample rates, such as [44100, 48000].",
    ),
    Key::optional(
        "integrated_lufs",
        Kind::Bounds { unit: "LUFS", min: -70.0, max: 10.0 },
        "Limits of the integrated loudness, such as { target = -23.0, tolerance = 0.2 }.",
    ),
    Key::optional(
        "true_peak_dbtp",
        Kind::Bounds { unit: "dBTP", min: -120.0, max: 40.0 },
        "Limits of the true peak, such as { max = -1.0 }.",
    ),
    Key::optional(
        "loudness_range_lu",
        Kind::Bounds { unit: "LU", min: 0.0, max: 100.0 },
        "Limits of the loudness range, such as { max = 15.0 }.",
    ),
    Key::optional(
        "rms_dbfs",
        Kind::Bounds { unit: "dBFS", min: -120.0, max: 0.0 },
        "Limits of the RMS over all channels, such as { min = -23.0, max = -18.0 }; a full-scale \
        sine is at -3.01.",
    ),
    Key::optional(
        "noise_floor_dbfs",
        Kind::Bounds { unit: "dBFS", min: -120.0, max: 0.0 },
        "Limits of the RMS of the quietest half second, such as { max = -60.0 }; digital silence \
        passes.",
    ),
    Key::optional(
        "target",
        Kind::Text,
        "A delivery target that must be met: a name from `wavemill targets`, or a targets file.",
    ),
];

pub(super) fn read(sink: &mut Sink<'_>, values: &Values<'_>, folder: &Path) -> Require {
    let require = Require {
        on: match values.word("on").map(Spanned::into_inner) {
            Some("output") => RequireOn::Output,
            _ => RequireOn::Input,
        },
        duration_s: values.bounds("duration").map(Spanned::into_inner),
        channels: values.numbers("channels", |count| usize::try_from(count).ok()),
        sample_rates_hz: values.numbers("sample_rate_hz", |rate| u32::try_from(rate).ok()),
        integrated_lufs: values.bounds("integrated_lufs").map(Spanned::into_inner),
        true_peak_dbtp: values.bounds("true_peak_dbtp").map(Spanned::into_inner),
        loudness_range_lu: values.bounds("loudness_range_lu").map(Spanned::into_inner),
        rms_dbfs: values.bounds("rms_dbfs").map(Spanned::into_inner),
        noise_floor_dbfs: values.bounds("noise_floor_dbfs").map(Spanned::into_inner),
        target: values.text("target").and_then(|name| read_target(sink, &name, values, folder)),
    };
    let says_something =
        KEYS.iter().any(|key| key.name != "on" && values.written(key.name).is_some());
    if !says_something {
        sink.warning("empty-section", values.span.clone(), "[[require]] has no limits")
            .help("add a limit such as duration = { min = \"1s\" }, or remove the section");
    }
    require
}

fn read_target(
    sink: &mut Sink<'_>,
    name: &Spanned<String>,
    values: &Values<'_>,
    folder: &Path,
) -> Option<Target> {
    match delivery::find_one(name.get_ref(), folder) {
        Ok(target) => {
            let is_judged = target.tolerance_lu.is_some() && !target.is_dialogue_gated;
            if !is_judged && values.written("integrated_lufs").is_none() {
                let why = if target.is_dialogue_gated {
                    "limits the loudness of the dialogue, which Wavemill does not measure"
                } else {
                    "has no tolerance"
                };
                let message = format!("the loudness is not checked: `{}` {why}", target.id);
                sink.warning("not-judged", name.span(), message).help(
                    "to check it, add integrated_lufs = { target = .., tolerance = .. }; all other \
                    limits apply",
                );
            }
            Some(target)
        }
        Err(TargetError::Unknown { name: unknown, help }) => {
            let message = format!("unknown target `{unknown}`");
            sink.error("unknown-target", name.span(), message).help(help);
            None
        }
        Err(error) => {
            sink.error("bad-target", name.span(), error.to_string())
                .help("target paths are relative to the pipeline file");
            None
        }
    }
}
