//! The configuration of an AAC stream.
//!
//! Source: ISO/IEC 14496-3:2019, 1.6.2.1 (`AudioSpecificConfig`), 1.6.3 (tables 1.17 to 1.19) and
//! 4.4.1 (`GASpecificConfig`).

use super::program;
use crate::decode::bits::Bits;
use crate::decode::{DecodeError, claims};

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

/// What the header says of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::decode) struct AacConfig {
    /// Of the packets; the sound has twice as many where its upper half is replicated.
    pub(super) sample_rate_hz: u32,
    pub(super) channels: Channels,
    /// The rate of the sound, where it is said to be replicated.
    pub(super) replicated_hz: Option<u32>,
    pub(super) is_parametric: bool,
}

/// What the header says of the channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    /// A channel configuration from 1 to 7.
    Usual(u8),
    /// The whole `AudioSpecificConfig`, with a program config element.
    Described(Vec<u8>),
    /// The first packet describes them.
    InPacket,
}

impl AacConfig {
    /// Reads an `AudioSpecificConfig`.
    ///
    /// # Errors
    /// When it is cut, or of a kind that is not decoded.
    pub(in crate::decode) fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let parsed = RawConfig::read(&mut Bits::new(bytes));
        let parsed =
            parsed.ok_or_else(|| DecodeError::damaged("its AAC configuration is cut short"))?;
        parsed.check(Channels::Described(bytes.to_vec()))
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
        RawConfig {
            object_type: profile + 1,
            sample_rate_hz: rate,
            channels,
            is_short: false,
            replicated_hz: None,
            is_parametric: false,
        }
        .check(Channels::InPacket)
    }

    /// An `AudioSpecificConfig` that says no more than is known here; `packet` is the first one of the stream.
    pub(super) fn written(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let rate = table_index(self.sample_rate_hz);
        // 5 bits of object type, 4 of rate, 4 of channels.
        let head = |object_type: u32, channels: u8| {
            u64::from(object_type) << 8 | u64::from(rate) << 4 | u64::from(channels)
        };
        let two_bytes = |bits: u64| [bits.to_be_bytes()[6], bits.to_be_bytes()[7]];
        match (&self.channels, self.replicated_hz) {
            // 3 bits of flags.
            (&Channels::Usual(channels), None) => {
                Some(two_bytes(head(LOW_COMPLEXITY, channels) << 3).to_vec())
            }
            (&Channels::Usual(channels), Some(replicated_hz)) => {
                let kind = if self.is_parametric { PARAMETRIC_STEREO } else { REPLICATION };
                let extension =
                    u64::from(table_index(replicated_hz)) << 5 | u64::from(LOW_COMPLEXITY);
                // 3 bits of flags, and 7 to a byte.
                let bits = (head(kind, channels) << 9 | extension) << (3 + 7);
                Some(bits.to_be_bytes()[4..].to_vec())
            }
            (Channels::Described(config), _) => Some(config.clone()),
            (Channels::InPacket, _) => {
                program::copied(two_bytes(head(LOW_COMPLEXITY, 0) << 3), packet)
            }
        }
    }
}

/// The index of the rate whose tables serve a rate.
///
/// Source: ISO/IEC 14496-3:2019, 4.5.1.1, table 4.82.
fn table_index(sample_rate_hz: u32) -> u8 {
    const FROM_HZ: [u32; 11] =
        [92_017, 75_132, 55_426, 46_009, 37_566, 27_713, 23_004, 18_783, 13_856, 11_502, 9_391];
    // The last index, 7350 Hz, has the tables of 8000 Hz.
    let index = FROM_HZ.iter().position(|from| sample_rate_hz >= *from).unwrap_or(FROM_HZ.len());
    u8::try_from(index).expect("is an index of eleven")
}

/// An `AudioSpecificConfig` as it stands there.
struct RawConfig {
    object_type: u32,
    sample_rate_hz: u32,
    /// The channel configuration.
    channels: u32,
    /// Whether packets have 960 frames.
    is_short: bool,
    replicated_hz: Option<u32>,
    is_parametric: bool,
}

impl RawConfig {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let mut parsed = Self {
            object_type: object_type(bits)?,
            sample_rate_hz: sample_rate_hz(bits)?,
            channels: bits.read(4)?,
            is_short: false,
            replicated_hz: None,
            is_parametric: false,
        };
        if matches!(parsed.object_type, REPLICATION | PARAMETRIC_STEREO) {
            parsed.is_parametric = parsed.object_type == PARAMETRIC_STEREO;
            parsed.replicated_hz = Some(sample_rate_hz(bits)?);
            parsed.object_type = object_type(bits)?;
        }
        if parsed.object_type == LOW_COMPLEXITY {
            parsed.is_short = bits.flag()?;
            let depends_on_core = bits.flag()?;
            if depends_on_core {
                bits.skip(14)?;
            }
            let _extension = bits.flag()?;
            // What follows a program config element is found by listening.
            if parsed.replicated_hz.is_none() && parsed.channels != 0 {
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
        if bits.flag()? {
            self.replicated_hz = Some(sample_rate_hz(bits)?);
            if bits.read(11)? == SYNC_PARAMETRIC_STEREO {
                self.is_parametric = bits.flag()?;
            }
        }
        Some(())
    }

    /// Takes channels that no number stands for as `described`.
    fn check(&self, described: Channels) -> Result<AacConfig, DecodeError> {
        if self.object_type != LOW_COMPLEXITY {
            return Err(DecodeError::unsupported(name(self.object_type)));
        }
        if self.is_short {
            return Err(DecodeError::unsupported("AAC with packets of 960 frames"));
        }
        let channels = match self.channels {
            0 => described,
            count @ 1..=7 => Channels::Usual(u8::try_from(count).expect("is at most 7")),
            other => {
                let what = format!("AAC with the channel configuration {other}");
                return Err(DecodeError::unsupported(what));
            }
        };
        let rate = |rate: u32| claims::check_stream(rate.into(), 1);
        Ok(AacConfig {
            sample_rate_hz: rate(self.sample_rate_hz)?,
            channels,
            replicated_hz: self.replicated_hz.map(rate).transpose()?,
            is_parametric: self.is_parametric,
        })
    }
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

    fn config(sample_rate_hz: u32, channels: u8, replicated_hz: Option<u32>) -> AacConfig {
        let channels = Channels::Usual(channels);
        AacConfig { sample_rate_hz, channels, replicated_hz, is_parametric: false }
    }

    #[test]
    fn low_complexity_is_read_with_its_rate_and_channels() {
        assert_eq!(AacConfig::parse(&[0x12, 0x10]).unwrap(), config(44100, 2, None));
        assert_eq!(AacConfig::parse(&[0x11, 0x88]).unwrap(), config(48000, 1, None));
        assert_eq!(AacConfig::parse(&[0x12, 0x30]).unwrap(), config(44100, 6, None));
        // An extension that says there is no replication.
        let extended = [0x12, 0x10, 0x56, 0xe5, 0x00];
        assert_eq!(AacConfig::parse(&extended).unwrap(), config(44100, 2, None));
    }

    #[test]
    fn replication_is_read_however_it_is_announced() {
        // Object type 5, 22.05 -> 44.1 kHz.
        let hierarchical = AacConfig::parse(&[0x2b, 0x92, 0x08, 0x00]).unwrap();
        assert_eq!(hierarchical, config(22050, 2, Some(44100)));
        // Object type 2 at 22.05 kHz, then the extension 0x2b7.
        let compatible = AacConfig::parse(&[0x13, 0x90, 0x56, 0xe5, 0xa0]).unwrap();
        assert_eq!(compatible, config(22050, 2, Some(44100)));
        // The same of one channel, then 0x548; object type 29.
        let parametric = AacConfig { is_parametric: true, ..config(22050, 1, Some(44100)) };
        assert_eq!(
            AacConfig::parse(&[0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80]).unwrap(),
            parametric
        );
        assert_eq!(AacConfig::parse(&[0xeb, 0x8a, 0x08, 0x00]).unwrap(), parametric);
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let parametric = AacConfig { is_parametric: true, ..config(24000, 1, Some(48000)) };
        for config in [
            config(44100, 2, None),
            config(8000, 7, None),
            config(22050, 6, Some(44100)),
            parametric,
        ] {
            let written = config.written(&[]).unwrap();
            assert_eq!(AacConfig::parse(&written).unwrap(), config, "{written:x?}");
        }
        // A rate without an index has the tables of its neighbor.
        assert_eq!(config(45000, 2, None).written(&[]), config(44100, 2, None).written(&[]));
    }

    #[test]
    fn other_object_types_and_channels_are_named() {
        assert!(refusal(&[0x0a, 0x10]).contains("AAC Main"));
        // Object type 42: 31 and 10.
        assert!(refusal(&[0xf9, 0x48, 0x40, 0, 0]).contains("xHE-AAC"));
        assert!(refusal(&[0x12, 0x58]).contains("channel configuration 11"));
        assert!(refusal(&[0x12, 0x14]).contains("960 frames"));
        assert!(refusal(&[0x12]).contains("cut short"));
        // An index without a rate.
        assert!(refusal(&[0x16, 0x90]).contains("Hz of sample rate"));
    }
}
