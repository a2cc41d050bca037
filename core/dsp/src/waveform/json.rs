//! Our own data: extremes and RMS as numbers from -1 to 1, at several resolutions.
//!
//! `waveform.schema.json` beside this file says what each key means.

use super::{Lane, Level, Waveform};
use serde::Serialize;
use wavemill_audio::units::Seconds;

/// Version of the document.
pub(crate) const JSON_VERSION: u32 = 1;

/// A waveform to be serialized.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'a> {
    version: u32,
    path: &'a str,
    sample_rate_hz: u32,
    channels: usize,
    from_s: f64,
    duration_s: f64,
    frames: u64,
    levels: Vec<JsonLevel>,
}

#[derive(Clone, Debug, Serialize)]
struct JsonLevel {
    points: usize,
    frames_per_point: Option<f64>,
    mix: JsonLane,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<JsonLane>>,
}

#[derive(Clone, Debug, Serialize)]
struct JsonLane {
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<wavemill_audio::ChannelPosition>,
    min: Vec<f32>,
    max: Vec<f32>,
    rms: Vec<f32>,
    clipped: Vec<usize>,
}

impl<'a> Document<'a> {
    /// The waveform of a file that begins `from` its start, with its channels if `is_split`.
    pub fn new(path: &'a str, waveform: &Waveform, from: Seconds, is_split: bool) -> Self {
        Self {
            version: JSON_VERSION,
            path,
            sample_rate_hz: waveform.sample_rate.0,
            channels: waveform.layout.channel_count(),
            from_s: from.0,
            duration_s: waveform.frame_count.duration(waveform.sample_rate).0,
            frames: waveform.frame_count.0,
            levels: waveform
                .levels
                .iter()
                .map(|level| json_level(waveform, level, is_split))
                .collect(),
        }
    }
}

fn json_level(waveform: &Waveform, level: &Level, is_split: bool) -> JsonLevel {
    let points = level.mix.len();
    let positions = waveform.layout.positions().iter();
    let channels =
        positions.zip(&level.channels).map(|(&position, lane)| json_lane(lane, Some(position)));
    JsonLevel {
        points,
        frames_per_point: (points > 0).then(|| waveform.frame_count.0 as f64 / points as f64),
        mix: json_lane(&level.mix, None),
        channels: is_split.then(|| channels.collect()),
    }
}

fn json_lane(lane: &Lane, position: Option<wavemill_audio::ChannelPosition>) -> JsonLane {
    #[expect(clippy::cast_possible_truncation, reason = "of samples that are f32")]
    let rms = lane.iter().map(|point| point.rms() as f32).collect();
    let clipped = lane.iter().enumerate().filter(|(_, point)| point.is_clipped);
    JsonLane {
        position,
        min: lane.iter().map(|point| point.min).collect(),
        max: lane.iter().map(|point| point.max).collect(),
        rms,
        clipped: clipped.map(|(index, _)| index).collect(),
    }
}
