//! The data files of the program `audiowaveform`, which players in browsers read.
//!
//! Source: BBC, audiowaveform, "Waveform data file format", version 2.

use super::{Lane, Level, Point};
use std::fmt::Write as _;
use wavemill_audio::units::SampleRate;

/// Version of the format: the one with channels.
const VERSION: i32 = 2;

/// Bit of the flags that says values have 8 bits.
const FLAG_8_BIT: u32 = 1;

/// Bits of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// -128 to 127.
    Eight,
    /// -32768 to 32767.
    Sixteen,
}

/// A waveform as `audiowaveform` sees it: extremes of lanes in whole numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    sample_rate: SampleRate,
    frames_per_point: u64,
    channel_count: usize,
    bits: Bits,
    /// Minimum and maximum of each lane of each point.
    values: Vec<i16>,
}

impl Data {
    /// The data of a level whose points all have one length: of every channel, or of their mean.
    /// `None` when they have not.
    ///
    /// Samples are cut to 16 bit as that program's are: those of a channel rounded down, those of the
    /// mean towards zero; values of 8 bit are those of 16, over 256, rounded towards zero.
    pub fn new(sample_rate: SampleRate, level: &Level, is_split: bool, bits: Bits) -> Option<Self> {
        let frames_per_point = level.frames_per_point?;
        let round: fn(f32) -> f32 = if is_split { f32::floor } else { f32::trunc };
        let lanes: Vec<&Lane> =
            if is_split { level.channels.iter().collect() } else { vec![&level.mix] };
        let point_count = level.mix.len();
        let extremes =
            |point: &Point| [point.min, point.max].map(|value| narrow(value, round, bits));
        let values = (0..point_count)
            .flat_map(|index| lanes.iter().flat_map(move |lane| extremes(&lane[index])))
            .collect();
        Some(Self { sample_rate, frames_per_point, channel_count: lanes.len(), bits, values })
    }

    /// Points of each channel.
    pub(crate) fn point_count(&self) -> usize {
        self.values.len() / (2 * self.channel_count).max(1)
    }

    /// A `.dat` file.
    pub fn to_dat(&self) -> Vec<u8> {
        let flags = if self.bits == Bits::Eight { FLAG_8_BIT } else { 0 };
        let mut bytes = Vec::with_capacity(24 + 2 * self.values.len());
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        bytes.extend(saturated(u64::from(self.sample_rate.0)).to_le_bytes());
        bytes.extend(saturated(self.frames_per_point).to_le_bytes());
        bytes.extend(saturated(self.point_count() as u64).to_le_bytes());
        bytes.extend(saturated(self.channel_count as u64).to_le_bytes());
        for value in &self.values {
            let pair = value.to_le_bytes();
            // A value of 8 bits is in the lower byte, in two's complement.
            bytes.extend(if self.bits == Bits::Eight { &pair[..1] } else { &pair[..] });
        }
        bytes
    }

    /// A `.json` file.
    pub fn to_json(&self) -> String {
        let bits = if self.bits == Bits::Eight { 8 } else { 16 };
        let mut json = format!(
            "{{\"version\":{VERSION},\"channels\":{},\"sample_rate\":{},\"samples_per_pixel\":{},\
             \"bits\":{bits},\"length\":{},\"data\":[",
            self.channel_count,
            self.sample_rate.0,
            self.frames_per_point,
            self.point_count()
        );
        for (index, value) in self.values.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(json, "{comma}{value}");
        }
        json.push_str("]}\n");
        json
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
fn narrow(sample: f32, round: fn(f32) -> f32, bits: Bits) -> i16 {
    let value = round(sample * 32_768.0).clamp(-32_768.0, 32_767.0) as i16;
    if bits == Bits::Eight { value / 256 } else { value }
}

/// Counts are 32-bit in the format; nothing that [`wavemill_audio::limits`] lets in needs more.
fn saturated(value: u64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
