//! The configuration of an AAC stream.
//!
//! Source: ISO/IEC 14496-3:2019, 1.6.2.1 (`AudioSpecificConfig`), 1.6.3 (tables 1.17 to 1.19) and
//! 4.4.1 (`GASpecificConfig`).

use crate::audio::ChannelLayout;
use crate::decode::bits::Bits;
use crate::decode::{DecodeError, claims};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;

/// Sample rates by their index; the index 15 stands for a rate of 24 bits that follows.
const SAMPLE_RATES_HZ: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/// Index of a rate that is written out.
const RATE_ESCAPE: u32 = 15;

/// Object types.
const LOW_COMPLEXITY: u32 = 2;
const REPLICATION: u32 = 5;
const PARAMETRIC_STEREO: u32 = 29;

/// The extension that announces spectral band replication to those who know it.
const SYNC_REPLICATION: u32 = 0x2b7;

/// The extension of that one that announces parametric stereo.
const SYNC_PARAMETRIC_STEREO: u32 = 0x548;

/// What is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) struct AacConfig {
    pub(in crate::decode) sample_rate_hz: u32,
    /// 1 or 2.
    pub(in crate::decode) channel_count: u8,
}

impl AacConfig {
    /// Reads an `AudioSpecificConfig`.
    ///
    /// # Errors
    /// When it is cut, or of a kind that is not decoded.
    pub(in crate::decode) fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let parsed = Parsed::read(&mut Bits::new(bytes));
        parsed.ok_or_else(|| DecodeError::damaged("its AAC configuration is cut short"))?.check()
    }

    /// Reads the fields of an ADTS header: the object type less 1, the index of the rate and the
    /// channel configuration.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub(in crate::decode) fn of_adts(
        profile: u32,
        rate_index: u32,
        channels: u32,
    ) -> Result<Self, DecodeError> {
        let rate = SAMPLE_RATES_HZ.get(rate_index as usize).copied().unwrap_or(0);
        Parsed {
            object_type: profile + 1,
            sample_rate_hz: rate,
            channels,
            is_short: false,
            is_replicated: false,
            is_parametric: false,
        }
        .check()
    }

    /// The layout of its channels.
    pub(in crate::decode) fn layout(self) -> ChannelLayout {
        ChannelLayout::usual(self.channel_count.into())
    }

    /// What Symphonia is told: a configuration that says no more than is known here.
    pub(in crate::decode) fn params(self) -> AudioCodecParameters {
        // Always with the rate written out: 5 bits of object type, 4 and 24 of rate, 4 of channels and
        // 3 of flags.
        let bits = u64::from(LOW_COMPLEXITY) << 35
            | u64::from(RATE_ESCAPE) << 31
            | u64::from(self.sample_rate_hz) << 7
            | u64::from(self.channel_count) << 3;
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_AAC).with_sample_rate(self.sample_rate_hz);
        params.with_extra_data(bits.to_be_bytes()[3..].into());
        params
    }
}

/// An `AudioSpecificConfig` as it stands there.
struct Parsed {
    object_type: u32,
    sample_rate_hz: u32,
    /// The channel configuration.
    channels: u32,
    /// Whether packets have 960 frames.
    is_short: bool,
    is_replicated: bool,
    is_parametric: bool,
}

impl Parsed {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let mut parsed = Self {
            object_type: object_type(bits)?,
            sample_rate_hz: sample_rate_hz(bits)?,
            channels: bits.read(4)?,
            is_short: false,
            is_replicated: false,
            is_parametric: false,
        };
        if matches!(parsed.object_type, REPLICATION | PARAMETRIC_STEREO) {
            parsed.is_replicated = true;
            parsed.is_parametric = parsed.object_type == PARAMETRIC_STEREO;
            sample_rate_hz(bits)?;
            parsed.object_type = object_type(bits)?;
        }
        if parsed.object_type == LOW_COMPLEXITY {
            parsed.is_short = bits.flag()?;
            let depends_on_core = bits.flag()?;
            if depends_on_core {
                bits.skip(14)?;
            }
            let _extension = bits.flag()?;
            // With a program config element what follows it cannot be found; such streams are refused.
            if !parsed.is_replicated && parsed.channels != 0 {
                parsed.read_extension(bits);
            }
        }
        Some(parsed)
    }

    /// The extension behind the configuration, which may be missing.
    fn read_extension(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        if bits.read(11)? != SYNC_REPLICATION || object_type(bits)? != REPLICATION {
            return None;
        }
        self.is_replicated = bits.flag()?;
        if self.is_replicated {
            sample_rate_hz(bits)?;
            if bits.read(11)? == SYNC_PARAMETRIC_STEREO {
                self.is_parametric = bits.flag()?;
            }
        }
        Some(())
    }

    fn check(&self) -> Result<AacConfig, DecodeError> {
        if self.is_parametric {
            return Err(DecodeError::unsupported("HE-AAC v2 (parametric stereo)"));
        }
        if self.is_replicated {
            return Err(DecodeError::unsupported("HE-AAC (spectral band replication)"));
        }
        if self.object_type != LOW_COMPLEXITY {
            return Err(DecodeError::unsupported(name(self.object_type)));
        }
        if self.is_short {
            return Err(DecodeError::unsupported("AAC with packets of 960 frames"));
        }
        // Configurations 7, 11, 12 and 14 name 8, 7, 8 and 8 channels.
        let channel_count = match self.channels {
            0 => {
                let what = "AAC whose channels are described by a program config element";
                return Err(DecodeError::unsupported(what));
            }
            count @ (1 | 2) => count,
            count @ 3..=6 => return Err(too_many(count)),
            11 => return Err(too_many(7)),
            7 | 12 | 14 => return Err(too_many(8)),
            other => {
                let what = format!("AAC with the channel configuration {other}");
                return Err(DecodeError::unsupported(what));
            }
        };
        let sample_rate_hz = u64::from(self.sample_rate_hz);
        Ok(AacConfig {
            sample_rate_hz: claims::check_stream(sample_rate_hz, channel_count.into())?,
            channel_count: if channel_count == 2 { 2 } else { 1 },
        })
    }
}

fn too_many(channel_count: u32) -> DecodeError {
    DecodeError::unsupported(format!("AAC with {channel_count} channels (one and two are decoded)"))
}

fn object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.read(5)? {
        31 => Some(32 + bits.read(6)?),
        object_type => Some(object_type),
    }
}

fn sample_rate_hz(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.read(4)? {
        RATE_ESCAPE => bits.read(24),
        // A rate that does not exist is refused by its claim, as 0 Hz.
        index => Some(SAMPLE_RATES_HZ.get(index as usize).copied().unwrap_or(0)),
    }
}

/// Names of object types that are not decoded.
///
/// Source: ISO/IEC 14496-3:2019, table 1.17.
fn name(object_type: u32) -> String {
    let name = match object_type {
        1 => "AAC Main",
        3 => "AAC SSR",
        4 => "AAC LTP",
        6 | 20 => "AAC Scalable",
        7 | 21 => "TwinVQ",
        8 | 24 => "CELP",
        9 | 25 => "HVXC",
        17 => "error resilient AAC-LC",
        19 => "error resilient AAC LTP",
        22 => "BSAC",
        23 => "AAC-LD",
        32..=34 => return format!("MPEG audio layer {} in MPEG-4", object_type - 31),
        35 => "DST",
        36 => "MPEG-4 ALS",
        37 | 38 => "MPEG-4 SLS",
        39 => "AAC-ELD",
        42 => "xHE-AAC",
        _ => return format!("MPEG-4 audio of object type {object_type}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        AacConfig::parse(bytes).unwrap_err().to_string()
    }

    #[test]
    fn low_complexity_is_read_with_its_rate_and_channels() {
        let config = |sample_rate_hz, channel_count| AacConfig { sample_rate_hz, channel_count };
        assert_eq!(AacConfig::parse(&[0x12, 0x10]).unwrap(), config(44100, 2));
        assert_eq!(AacConfig::parse(&[0x11, 0x88]).unwrap(), config(48000, 1));
        // An extension that says there is no replication.
        let extended = [0x12, 0x10, 0x56, 0xe5, 0x00];
        assert_eq!(AacConfig::parse(&extended).unwrap(), config(44100, 2));
    }

    #[test]
    fn what_symphonia_is_told_means_the_same() {
        let config = AacConfig { sample_rate_hz: 45000, channel_count: 2 };
        let params = config.params();
        assert_eq!(AacConfig::parse(params.extra_data.as_ref().unwrap()).unwrap(), config);
    }

    #[test]
    fn replication_is_named_however_it_is_announced() {
        // Object type 5, 22.05 -> 44.1 kHz.
        assert_eq!(
            refusal(&[0x2b, 0x92, 0x08, 0x00]),
            "uses HE-AAC (spectral band replication), which is not supported"
        );
        // Object type 2 at 22.05 kHz, then the extension 0x2b7.
        assert!(refusal(&[0x13, 0x90, 0x56, 0xe5, 0xa0]).contains("HE-AAC (spectral"));
        // The same, then 0x548.
        assert!(refusal(&[0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80]).contains("HE-AAC v2"));
        // Object type 29.
        assert!(refusal(&[0xeb, 0x8a, 0x08, 0x00]).contains("HE-AAC v2"));
    }

    #[test]
    fn other_object_types_and_channels_are_named() {
        assert!(refusal(&[0x0a, 0x10]).contains("AAC Main"));
        // Object type 42: 31 and 10.
        assert!(refusal(&[0xf9, 0x48, 0x40, 0, 0]).contains("xHE-AAC"));
        assert!(refusal(&[0x12, 0x30]).contains("AAC with 6 channels"));
        assert!(refusal(&[0x12, 0x00]).contains("program config element"));
        assert!(refusal(&[0x12, 0x14]).contains("960 frames"));
        assert!(refusal(&[0x12]).contains("cut short"));
        // An index without a rate.
        assert!(refusal(&[0x16, 0x90]).contains("Hz of sample rate"));
    }
}
