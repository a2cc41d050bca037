//! What makes samples of a packet: a decoder of Symphonia's, libopus, or syom's for AAC.

use super::{Fault, guard};
use crate::decode::DecodeError;
#[cfg(feature = "mpeg4")]
use crate::decode::aac::AacSetup;
use crate::decode::adpcm::{AdpcmCodec, AdpcmSetup};
#[cfg(feature = "opus")]
use crate::decode::opus::OpusSetup;
#[cfg(any(feature = "matroska", feature = "mpeg4"))]
use crate::decode::pcm::{Coding, PcmCodec};
use crate::encode::crc16;
use std::ops::Range;
use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;
use wavemill_audio::Samples;

/// How a stream is coded: all that a codec is made of.
#[derive(Clone)]
pub(in crate::decode) enum Setup {
    Symphonia {
        params: AudioCodecParameters,
        /// Whether the samples are held against the checksum in `params`, at the end.
        is_verified: bool,
        /// Whether each packet ends in a checksum of FLAC that nobody looked at.
        is_checked: bool,
    },
    #[cfg(feature = "mpeg4")]
    Aac(Box<AacSetup>),
    #[cfg(feature = "opus")]
    Opus(Box<OpusSetup>),
    Adpcm(AdpcmSetup),
    #[cfg(any(feature = "matroska", feature = "mpeg4"))]
    Pcm {
        coding: Coding,
        /// For each channel its index in a stored frame.
        order: Vec<usize>,
    },
}

impl From<AudioCodecParameters> for Setup {
    fn from(params: AudioCodecParameters) -> Self {
        Self::Symphonia { params, is_verified: false, is_checked: false }
    }
}

impl From<AdpcmSetup> for Setup {
    fn from(setup: AdpcmSetup) -> Self {
        Self::Adpcm(setup)
    }
}

#[cfg(feature = "mpeg4")]
impl From<AacSetup> for Setup {
    fn from(setup: AacSetup) -> Self {
        Self::Aac(Box::new(setup))
    }
}

#[cfg(feature = "opus")]
impl From<OpusSetup> for Setup {
    fn from(setup: OpusSetup) -> Self {
        Self::Opus(Box::new(setup))
    }
}

impl Setup {
    /// FLAC whose frames come from a container that does not look at them.
    #[cfg(any(feature = "matroska", feature = "mpeg4"))]
    pub(in crate::decode) fn checked_flac(params: AudioCodecParameters) -> Self {
        Self::Symphonia { params, is_verified: false, is_checked: true }
    }

    /// FLAC whose samples are held against a sum, if `is_verified`.
    pub(in crate::decode) fn verified_flac(
        params: AudioCodecParameters,
        is_verified: bool,
    ) -> Self {
        Self::Symphonia { params, is_verified, is_checked: false }
    }

    /// A codec that knows nothing of any packet yet.
    pub(super) fn make(&self, fault: &Fault) -> Result<Box<dyn Codec>, DecodeError> {
        match self {
            Self::Symphonia { params, is_verified, is_checked } => {
                let decoder = decoder(params, *is_verified, fault)?;
                let (fault, is_checked) = (fault.clone(), *is_checked);
                Ok(Box::new(Symphonia { decoder, fault, is_checked }))
            }
            #[cfg(feature = "mpeg4")]
            Self::Aac(setup) => Ok(Box::new(setup.codec())),
            #[cfg(feature = "opus")]
            Self::Opus(setup) => Ok(Box::new(setup.codec()?)),
            Self::Adpcm(setup) => Ok(Box::new(AdpcmCodec::new(setup.clone()))),
            #[cfg(any(feature = "matroska", feature = "mpeg4"))]
            Self::Pcm { coding, order } => Ok(Box::new(PcmCodec::new(*coding, order))),
        }
    }

    pub(super) fn is_verified(&self) -> bool {
        matches!(self, Self::Symphonia { is_verified: true, .. })
    }

    /// Whether a packet's sound is that of two blocks, so that the first one has none.
    pub(super) fn is_vorbis(&self) -> bool {
        matches!(self, Self::Symphonia { params, .. } if params.codec == CODEC_ID_VORBIS)
    }

    /// Whether times say no more than those of players: see [`super::HELD_BACK`].
    pub(super) fn holds_back(&self) -> bool {
        matches!(self, Self::Symphonia { .. })
    }
}

/// Makes samples of packets.
pub(in crate::decode) trait Codec: Send {
    /// Decodes a packet.
    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError>;

    /// Frames of the packet decoded last.
    fn frame_count(&self) -> usize;

    /// Channels of the packet decoded last.
    fn channel_count(&self) -> usize;

    /// Replaces `out` with some of these frames.
    fn copy(&self, range: Range<usize>, out: &mut Samples) -> Result<(), DecodeError>;

    /// Forgets what came before.
    fn forget(&mut self) -> Result<(), DecodeError>;

    /// Whether a checksum of all samples was right.
    fn is_right(&mut self) -> bool {
        true
    }
}

struct Symphonia {
    decoder: Box<dyn AudioDecoder>,
    fault: Fault,
    is_checked: bool,
}

impl Codec for Symphonia {
    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        // A checksum of what ends in its own checksum is 0.
        if self.is_checked && crc16(&packet.data) != 0 {
            return Err(DecodeError::damaged("the checksum of a packet is wrong"));
        }
        let decoder = &mut self.decoder;
        guard(&self.fault, || decoder.decode(packet).map(|_| ()))
    }

    fn frame_count(&self) -> usize {
        self.decoder.last_decoded().frames()
    }

    fn channel_count(&self) -> usize {
        self.decoder.last_decoded().num_planes()
    }

    fn copy(&self, range: Range<usize>, out: &mut Samples) -> Result<(), DecodeError> {
        match (out, self.decoder.last_decoded()) {
            (Samples::Int { bit_depth, planes }, GenericAudioBufferRef::S32(buffer)) => {
                // Symphonia widens integers to the top of 32 bits.
                let shift = 32 - u32::from(*bit_depth);
                for (out, plane) in planes.iter_mut().zip(buffer.iter_planes()) {
                    out.resize(range.len(), 0);
                    for (out, &sample) in out.iter_mut().zip(&plane[range.clone()]) {
                        *out = sample >> shift;
                    }
                }
            }
            (Samples::Float { planes }, GenericAudioBufferRef::F32(buffer)) => {
                for (out, plane) in planes.iter_mut().zip(buffer.iter_planes()) {
                    out.clear();
                    out.extend_from_slice(&plane[range.clone()]);
                }
            }
            _ => return Err(DecodeError::unsupported("another sample format")),
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), DecodeError> {
        let decoder = &mut self.decoder;
        guard(&self.fault, || {
            decoder.reset();
            Ok(())
        })
    }

    fn is_right(&mut self) -> bool {
        self.decoder.finalize().verify_ok == Some(true)
    }
}

/// Replaces `out` with silence.
pub(super) fn silence(out: &mut Samples, frame_count: usize) {
    out.clear();
    match out {
        Samples::Int { planes, .. } => {
            for plane in planes {
                plane.resize(frame_count, 0);
            }
        }
        Samples::Float { planes } => {
            for plane in planes {
                plane.resize(frame_count, 0.0);
            }
        }
    }
}

/// The channels that a decoder of Symphonia's delivers.
pub(super) fn delivered_layout(
    params: &AudioCodecParameters,
) -> Result<wavemill_audio::ChannelLayout, DecodeError> {
    let codec = decoder(params, false, &Fault::default())?;
    Ok(super::layout(codec.last_decoded().spec().channels()))
}

fn decoder(
    params: &AudioCodecParameters,
    is_verified: bool,
    fault: &Fault,
) -> Result<Box<dyn AudioDecoder>, DecodeError> {
    // The packets' trims are applied by the driver, for all codecs alike.
    let options = AudioDecoderOptions::default().gapless(false).verify(is_verified);
    guard(fault, || symphonia::default::get_codecs().make_audio_decoder(params, &options))
}
