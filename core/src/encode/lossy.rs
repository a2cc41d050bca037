//! What lossy formats are asked for.

use super::Refusal;
use crate::audio::StreamSpec;
use std::fmt;

/// How many bits a lossy format spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossyQuality {
    /// The same bit rate throughout, in kbit/s (1 kbit = 1000 bits).
    BitRateKbps(u16),
    /// As many bits as the sound needs for one quality, on the format's own scale.
    Vbr(u8),
}

impl fmt::Display for LossyQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BitRateKbps(kbps) => write!(f, "{kbps} kbit/s"),
            Self::Vbr(quality) => write!(f, "VBR quality {quality}"),
        }
    }
}

/// What a lossy format can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Lossy {
    /// Its bit rates in kbit/s, ascending; not each of them at every sample rate.
    pub bit_rates_kbps: &'static [u16],
    /// Its qualities of variable bit rate: of the best sound, and of the smallest files; `None` where
    /// it has no variable bit rate.
    pub vbr_qualities: Option<(u8, u8)>,
    /// What holds when a pipeline names none, in words.
    pub default: &'static str,
    /// What is spent on such a stream: what was asked for, else the default.
    ///
    /// # Errors
    /// When the format cannot do it for this stream.
    pub resolve: fn(&StreamSpec, Option<LossyQuality>) -> Result<LossyQuality, Refusal>,
}
