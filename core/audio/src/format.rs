//! How samples are stored, and what a stream of them is.

use crate::units::SampleRate;
use crate::{ChannelLayout, convert::int_scale};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether samples are stored as integers or as IEEE floats.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleFormat {
    /// Signed (in memory) integers of `bit_depth` bits.
    Int,
    /// IEEE 754 floats.
    Float,
}

/// Storage of one sample: format and bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PcmFormat {
    /// Integer or float.
    pub sample_format: SampleFormat,
    /// Valid bits: 8 to 32 for integers, 32 or 64 for floats.
    pub bit_depth: u16,
}

impl PcmFormat {
    /// Integers of `bit_depth` bits.
    pub const fn int(bit_depth: u16) -> Self {
        Self { sample_format: SampleFormat::Int, bit_depth }
    }

    /// Absolute value from which a sample is at full scale: integers from their largest positive value
    /// on, floats from 1.0.
    pub fn full_scale(self) -> f32 {
        let step = match self.sample_format {
            SampleFormat::Int => int_scale(self.bit_depth),
            SampleFormat::Float => 0.0,
        };
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let full_scale = (1.0 - step) as f32;
        full_scale
    }

    /// 32-bit floats.
    pub const FLOAT: Self = Self { sample_format: SampleFormat::Float, bit_depth: 32 };

    /// Whether every sample of `self` can be stored in `other` unchanged.
    pub fn fits(self, other: Self) -> bool {
        match (self.sample_format, other.sample_format) {
            (SampleFormat::Int, SampleFormat::Int) | (SampleFormat::Float, SampleFormat::Float) => {
                self.bit_depth <= other.bit_depth
            }
            // The significand of a 32-bit float holds 25 bits with the sign.
            (SampleFormat::Int, SampleFormat::Float) => self.bit_depth <= 25,
            (SampleFormat::Float, SampleFormat::Int) => false,
        }
    }
}

impl fmt::Display for PcmFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sample_format {
            SampleFormat::Int => write!(f, "{}-bit", self.bit_depth),
            SampleFormat::Float => write!(f, "{}-bit float", self.bit_depth),
        }
    }
}

/// What every block of a stream has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    /// Frames per second.
    pub sample_rate: SampleRate,
    /// What each channel is.
    pub layout: ChannelLayout,
}

impl StreamSpec {
    /// A stream of `channel_count` channels in their usual layout.
    pub fn new(sample_rate_hz: u32, channel_count: usize) -> Self {
        Self {
            sample_rate: SampleRate(sample_rate_hz),
            layout: ChannelLayout::usual(channel_count),
        }
    }

    /// Number of channels.
    pub fn channel_count(&self) -> usize {
        self.layout.channel_count()
    }
}
