//! What lossy formats are asked for.

use super::{Refusal, list};
use std::fmt;
use wavemill_audio::StreamSpec;

/// How many bits a lossy format spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossyQuality {
    /// The same bit rate throughout, in kbit/s (1 kbit = 1000 bits).
    BitRateKbps(u16),
    /// This bit rate on average, in kbit/s: more where the sound needs it, less where it does not.
    AverageKbps(u16),
    /// As many bits as the sound needs for one quality, on the format's own scale.
    Vbr(u8),
}

impl LossyQuality {
    /// Its bit rate in kbit/s and how that is meant, where it is one.
    pub fn bit_rate(self) -> Option<(u16, BitRateMode)> {
        match self {
            Self::BitRateKbps(kbps) => Some((kbps, BitRateMode::Constant)),
            Self::AverageKbps(kbps) => Some((kbps, BitRateMode::Average)),
            Self::Vbr(_) => None,
        }
    }
}

impl fmt::Display for LossyQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BitRateKbps(kbps) => write!(f, "{kbps} kbit/s"),
            Self::AverageKbps(kbps) => write!(f, "{kbps} kbit/s on average"),
            Self::Vbr(quality) => write!(f, "VBR quality {quality}"),
        }
    }
}

/// How a bit rate is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitRateMode {
    /// The same throughout.
    Constant,
    /// On average.
    Average,
}

impl BitRateMode {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Constant, Self::Average];

    /// Its name in a pipeline.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Average => "average",
        }
    }

    /// A bit rate meant so.
    pub const fn of(self, kbps: u16) -> LossyQuality {
        match self {
            Self::Constant => LossyQuality::BitRateKbps(kbps),
            Self::Average => LossyQuality::AverageKbps(kbps),
        }
    }
}

/// Bit rates in kbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitRates {
    /// These, ascending.
    Of(&'static [u16]),
    /// Every whole number from the first to the last.
    Between(u16, u16),
}

impl BitRates {
    /// Whether this is one of them.
    pub fn contain(&self, kbps: u16) -> bool {
        match self {
            Self::Of(rates) => rates.contains(&kbps),
            Self::Between(min, max) => (min..=max).contains(&&kbps),
        }
    }
}

impl fmt::Display for BitRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(rates) => f.write_str(&list(rates, ", ")),
            Self::Between(min, max) => write!(f, "{min} to {max}"),
        }
    }
}

/// What a lossy format can be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Lossy {
    /// Its bit rates; not each of them for every stream.
    pub bit_rates_kbps: BitRates,
    /// How a bit rate may be meant; the first one is meant when nothing is said.
    pub bit_rate_modes: &'static [BitRateMode],
    /// Its qualities of variable bit rate: of the best sound, and of the smallest files; `None` where
    /// it has no such scale.
    pub vbr_qualities: Option<(u8, u8)>,
    /// What holds when a pipeline names none, in words.
    pub default: &'static str,
    /// Bit rate of stereo music at the default, in kbit/s; about.
    pub usual_kbps: u16,
    /// Rate in Hz of what its files decode to, whatever went in; `None` where it is what went in.
    pub decoded_rate_hz: Option<u32>,
    /// What is spent on such a stream: what was asked for, else the default.
    ///
    /// # Errors
    /// When the format cannot do it for this stream.
    pub resolve: fn(&StreamSpec, Option<LossyQuality>) -> Result<LossyQuality, Refusal>,
}

impl Lossy {
    /// What a bit rate means when nothing else is said.
    pub fn usual_mode(&self) -> BitRateMode {
        self.bit_rate_modes.first().copied().unwrap_or(BitRateMode::Constant)
    }
}
