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
        "What is gated: the file as it came (default), or every export decoded again.",
    ),
    Key::optional(
        "duration",
        Kind::DurationBounds { min: Duration::ZERO, max: Duration::from_hours(100) },
        "Bounds of the duration, as { min = \"1s\", max = \"2h\" }.",
    ),
    Key::optional(
        "channels",
        Kind::Integers { min: 1, max: CHANNEL_COUNT_MAX },
        "Channel counts that pass, as [1, 2].",
    ),
    Key::optional(
        "sample_rate_hz",
        Kind::Integers {
            min: limits::SAMPLE_RATE_HZ_MIN as i64,
            max: limits::SAMPLE_RATE_HZ_MAX as i64,
        },
        "Sample rates that pass, as [44100, 48000].",
    ),
    Key::optional(
        "integrated_lufs",
        Kind::Bounds { unit: "LUFS", min: -70.0, max: 10.0 },
        "Bounds of the integrated loudness, as { target = -23.0, tolerance = 0.2 }.",
    ),
    Key::optional(
        "true_peak_dbtp",
        Kind::Bounds { unit: "dBTP", min: -120.0, max: 40.0 },
        "Bounds of the true peak, as { max = -1.0 }.",
    ),
    Key::optional(
        "loudness_range_lu",
        Kind::Bounds { unit: "LU", min: 0.0, max: 100.0 },
        "Bounds of the loudness range, as { max = 15.0 }.",
    ),
    Key::optional(
        "rms_dbfs",
        Kind::Bounds { unit: "dBFS", min: -120.0, max: 0.0 },
        "Bounds of the RMS of all channels, as { min = -23.0, max = -18.0 }; a full-scale sine has -3.01.",
    ),
    Key::optional(
        "noise_floor_dbfs",
        Kind::Bounds { unit: "dBFS", min: -120.0, max: 0.0 },
        "Bounds of the RMS of the softest half second, as { max = -60.0 }; digital silence passes.",
    ),
    Key::optional(
        "target",
        Kind::Text,
        "A delivery target whose limits must all hold: a name of `wavemill targets`, or a file of yours.",
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
        sink.warning("empty-section", values.span.clone(), "[[require]] requires nothing")
            .help("add a bound such as duration = { min = \"1s\" }, or leave the section out");
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
                    "asks for the dialogue's loudness, which is not measured"
                } else {
                    "names no tolerance"
                };
                let message = format!("the loudness is not judged: `{}` {why}", target.id);
                sink.warning("not-judged", name.span(), message).help(
                    "add integrated_lufs = { target = .., tolerance = .. } if it must hold; \
                     the other limits do",
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
                .help("paths of targets are relative to the pipeline file");
            None
        }
    }
}
