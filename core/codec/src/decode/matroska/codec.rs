//! How a track is coded.
//!
//! Source: "Matroska Media Container Codec Specifications" (draft-ietf-cellar-codec), audio mappings.

use super::header::Track;
use crate::decode::compressed::{Setup, delivered_layout};
#[cfg(feature = "opus")]
use crate::decode::opus::OpusSetup;
use crate::decode::pcm::Coding;
use crate::decode::vorbis_setup::reverse_couplings;
use crate::decode::{DecodeError, claims};
#[cfg(feature = "mpeg4")]
use crate::decode::{
    aac::{AacConfig, AacSetup},
    alac::AlacConfig,
};
#[cfg(feature = "opus")]
use crate::opus::Head;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_VORBIS};
use wavemill_audio::units::SampleRate;
use wavemill_audio::{ChannelLayout, PcmFormat, SampleFormat, StreamSpec};

/// Bytes of the marker and the header of the first block in FLAC's configuration.
const FLAC_HEAD_BYTES: usize = 8;

/// Bytes of FLAC's first block.
const STREAMINFO_BYTES: usize = 34;

/// Bytes of a Vorbis identification header.
const IDENTIFICATION_BYTES: usize = 30;

/// What is decoded.
pub(super) struct TrackCodec {
    pub(super) codec: &'static str,
    pub(super) spec: StreamSpec,
    pub(super) format: PcmFormat,
    pub(super) setup: Setup,
    /// Frames before the sound, where the codec says; the container's word counts otherwise.
    pub(super) delay: Option<u64>,
}

/// A track that is decoded.
pub(super) enum Choice {
    Known(TrackCodec),
    /// What its first packets are listened to for.
    #[cfg(feature = "mpeg4")]
    Aac(AacConfig),
}

impl TrackCodec {
    /// AAC that was listened to.
    #[cfg(feature = "mpeg4")]
    pub(super) fn aac(setup: AacSetup) -> Self {
        Self {
            codec: "aac",
            spec: setup.spec.clone(),
            format: PcmFormat::FLOAT,
            setup: setup.into(),
            delay: None,
        }
    }

    /// Bytes of a frame of PCM.
    pub(super) fn frame_bytes(&self) -> Option<usize> {
        let Setup::Pcm { coding, order } = &self.setup else { return None };
        Some(coding.container_bytes * order.len())
    }
}

impl Track {
    /// What is decoded.
    ///
    /// # Errors
    /// When it is of a kind that is not.
    pub(super) fn choice(&self) -> Result<Choice, DecodeError> {
        #[cfg(feature = "mpeg4")]
        if self.codec == "A_AAC" && !self.is_wrapped {
            return Ok(Choice::Aac(AacConfig::parse(&self.private)?));
        }
        self.coded().map(Choice::Known)
    }

    fn coded(&self) -> Result<TrackCodec, DecodeError> {
        if self.is_wrapped {
            let what = format!("{} in compressed or encrypted Matroska", name(&self.codec));
            return Err(DecodeError::unsupported(what));
        }
        match self.codec.as_str() {
            "A_VORBIS" => self.vorbis(),
            "A_FLAC" => self.flac(),
            "A_MPEG/L3" => self.mp3(),
            #[cfg(feature = "mpeg4")]
            "A_ALAC" => self.alac(),
            #[cfg(not(feature = "mpeg4"))]
            "A_AAC" | "A_ALAC" => Err(crate::decode::kind::not_built(&name(&self.codec), "mpeg4")),
            #[cfg(feature = "opus")]
            "A_OPUS" => self.opus(),
            "A_PCM/INT/LIT" => self.pcm(SampleFormat::Int, false),
            "A_PCM/INT/BIG" => self.pcm(SampleFormat::Int, true),
            "A_PCM/FLOAT/IEEE" => self.pcm(SampleFormat::Float, false),
            other => Err(DecodeError::unsupported(format!("{} in Matroska", name(other)))),
        }
    }

    /// The rate and the number of channels that the container states.
    fn stated(&self) -> Result<(u32, usize), DecodeError> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of floats ends at the largest and smallest numbers, and NaN becomes 0"
        )]
        let rate = self.sample_rate_hz.round() as u64;
        let rate = claims::check_stream(rate, self.channel_count)?;
        Ok((rate, usize::try_from(self.channel_count).expect("was just checked")))
    }

    /// Three headers in the lacing of Xiph.
    fn vorbis(&self) -> Result<TrackCodec, DecodeError> {
        let bad = || DecodeError::damaged("its Vorbis headers cannot be read");
        let (identification, setup) = vorbis_headers(&self.private).ok_or_else(bad)?;
        let channel_count = *identification.get(11).ok_or_else(bad)?;
        let rate = identification.get(12..16).and_then(<[u8]>::first_chunk).ok_or_else(bad)?;
        let rate = u32::from_le_bytes(*rate);
        claims::check_stream(rate.into(), channel_count.into())?;
        let mut headers = [identification, setup].concat();
        if channel_count > 2 {
            let setup = &mut headers[IDENTIFICATION_BYTES..];
            reverse_couplings(setup, channel_count.into()).ok_or_else(bad)?;
        }
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_VORBIS).with_sample_rate(rate).with_extra_data(headers.into());
        Ok(TrackCodec {
            codec: "vorbis",
            spec: spec(rate, delivered_layout(&params)?),
            format: PcmFormat::FLOAT,
            setup: params.into(),
            delay: None,
        })
    }

    /// A FLAC file's start.
    fn flac(&self) -> Result<TrackCodec, DecodeError> {
        let bad = || DecodeError::damaged("its FLAC configuration cannot be read");
        let end = FLAC_HEAD_BYTES + STREAMINFO_BYTES;
        let head = self.private.get(..end).filter(|head| head.starts_with(b"fLaC"));
        let block = &head.ok_or_else(bad)?[FLAC_HEAD_BYTES..];
        // 20 bits of rate, 3 of channels - 1, 5 of depth - 1.
        let packed = u32::from_be_bytes([block[10], block[11], block[12], block[13]]);
        let (rate, channels) = (packed >> 12, (packed >> 9 & 7) + 1);
        let bit_depth = u16::try_from((packed >> 4 & 31) + 1).expect("has 6 bits");
        claims::check_stream(rate.into(), channels.into())?;
        if bit_depth == 32 && channels == 2 {
            // See `flac::needs_checksum`; none can be had here.
            return Err(DecodeError::unsupported("32-bit stereo FLAC in Matroska"));
        }
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_FLAC).with_sample_rate(rate).with_extra_data(block.into());
        Ok(TrackCodec {
            codec: "flac",
            spec: spec(rate, ChannelLayout::usual(channels as usize)),
            format: PcmFormat::int(bit_depth.max(8)),
            setup: Setup::checked_flac(params),
            delay: None,
        })
    }

    fn mp3(&self) -> Result<TrackCodec, DecodeError> {
        let (rate, channel_count) = self.stated()?;
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_MP3).with_sample_rate(rate);
        Ok(TrackCodec {
            codec: "mp3",
            spec: StreamSpec::new(rate, channel_count),
            format: PcmFormat::FLOAT,
            setup: params.into(),
            delay: None,
        })
    }

    #[cfg(feature = "opus")]
    fn opus(&self) -> Result<TrackCodec, DecodeError> {
        let bad = || DecodeError::damaged("its Opus header cannot be read");
        let setup = OpusSetup::new(Head::parse(&self.private).ok_or_else(bad)?)?;
        Ok(TrackCodec {
            codec: "opus",
            spec: setup.spec.clone(),
            format: PcmFormat::FLOAT,
            delay: (self.delay_ns == 0).then(|| setup.head.pre_skip.into()),
            setup: setup.into(),
        })
    }

    #[cfg(feature = "mpeg4")]
    fn alac(&self) -> Result<TrackCodec, DecodeError> {
        let config = AlacConfig::parse(&self.private)?;
        Ok(TrackCodec {
            codec: "alac",
            spec: spec(config.sample_rate_hz, config.layout()),
            format: PcmFormat::int(config.bit_depth),
            setup: config.params().into(),
            delay: None,
        })
    }

    fn pcm(
        &self,
        sample_format: SampleFormat,
        big_endian: bool,
    ) -> Result<TrackCodec, DecodeError> {
        let (rate, channel_count) = self.stated()?;
        let container_bytes = match (sample_format, self.bit_depth) {
            (SampleFormat::Int, 8 | 16 | 24 | 32) | (SampleFormat::Float, 32 | 64) => {
                usize::try_from(self.bit_depth / 8).expect("is a few bytes")
            }
            (_, bits) => {
                return Err(DecodeError::unsupported(format!("{bits}-bit PCM in Matroska")));
            }
        };
        let bit_depth = u16::try_from(self.bit_depth).expect("was just compared");
        let format = PcmFormat { sample_format, bit_depth };
        // 8 bits without a byte order are unsigned, as in WAVE.
        let is_unsigned = container_bytes == 1;
        Ok(TrackCodec {
            codec: "pcm",
            spec: StreamSpec::new(rate, channel_count),
            format,
            setup: Setup::Pcm {
                coding: Coding { format, container_bytes, big_endian, is_unsigned, law: None },
                order: (0..channel_count).collect(),
            },
            delay: None,
        })
    }
}

fn spec(sample_rate_hz: u32, layout: ChannelLayout) -> StreamSpec {
    StreamSpec { sample_rate: SampleRate(sample_rate_hz), layout }
}

/// The identification and the setup header: a 2, the lengths of the first two of three headers by
/// bytes of which 255 go on, the headers.
fn vorbis_headers(private: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&2, mut rest) = private.split_first()? else { return None };
    let mut lengths = [0usize; 2];
    for length in &mut lengths {
        loop {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            *length += usize::from(byte);
            if byte < 255 {
                break;
            }
        }
    }
    let (identification, rest) = rest.split_at_checked(lengths[0])?;
    let (_comment, setup) = rest.split_at_checked(lengths[1])?;
    let is_whole = identification.len() == IDENTIFICATION_BYTES
        && identification.starts_with(b"\x01vorbis")
        && setup.starts_with(b"\x05vorbis");
    is_whole.then_some((identification, setup))
}

/// The name of a codec.
///
/// Source: the codec mappings named above.
pub(super) fn name(codec: &str) -> String {
    let name = match codec {
        "A_VORBIS" => "Vorbis",
        "A_OPUS" => "Opus",
        "A_FLAC" => "FLAC",
        "A_ALAC" => "ALAC",
        "A_MPEG/L3" => "MP3",
        "A_MPEG/L2" => "MPEG audio layer 2",
        "A_MPEG/L1" => "MPEG audio layer 1",
        "A_AC3" => "AC-3",
        "A_EAC3" => "E-AC-3",
        "A_TRUEHD" => "TrueHD",
        "A_TTA1" => "True Audio (TTA)",
        "A_WAVPACK4" => "WavPack",
        "A_MS/ACM" => "a codec of Windows",
        "A_QUICKTIME" => "a codec of QuickTime",
        _ if codec.starts_with("A_PCM") => "PCM",
        _ if codec.starts_with("A_AAC") => "AAC",
        _ if codec.starts_with("A_DTS") => "DTS",
        _ if codec.starts_with("A_REAL") => "RealAudio",
        other => {
            let shown: String = other.chars().take(32).collect();
            return format!("codec `{}`", shown.escape_default());
        }
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vorbis_headers_that_lie_are_none() {
        assert_eq!(vorbis_headers(&[]), None);
        assert_eq!(vorbis_headers(&[2, 255]), None);
        assert_eq!(vorbis_headers(&[2, 30, 200, 1]), None);
        assert_eq!(vorbis_headers(&[1, 0, 0]), None);
    }

    #[test]
    fn names_are_one_line() {
        assert_eq!(name("A_OPUS"), "Opus");
        assert_eq!(name("A_AAC/MPEG4/LC"), "AAC");
        assert_eq!(name("A_\n"), "codec `A_\\n`");
    }
}
