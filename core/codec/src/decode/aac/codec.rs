//! Samples of AAC packets, by the crate `syom`.
//!
//! What a header says of AAC is only half of it: the upper half of the spectrum (HE-AAC) and the second of two
//! channels may come from data in packets that no header announces. So the first packets of a stream are decoded
//! when it is opened, and what they sound like is what the stream is.

use super::AacConfig;
use super::config::Channels;
use crate::decode::compressed::Codec;
use crate::decode::{DecodeError, claims};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::packet::Packet;
use syom::{Channel, DecodeOptions};
use wavemill_audio::units::SampleRate;
use wavemill_audio::{ChannelLayout, ChannelPosition, Samples, StreamSpec};

/// Frames of a packet before replication doubles them.
///
/// Source: ISO/IEC 14496-3, 4.5.1.1, with `frameLengthFlag` 0.
const PACKET_FRAMES: u64 = 1024;

/// A stream whose first packets were decoded.
#[derive(Clone, Debug)]
pub(in crate::decode) struct AacSetup {
    /// An `AudioSpecificConfig`.
    config: Vec<u8>,
    pub(in crate::decode) spec: StreamSpec,
    /// Frames of every packet.
    pub(in crate::decode) packet_frames: u64,
    /// For each channel which one of the decoder's it is.
    order: Vec<usize>,
}

/// What a packet sounds like.
#[derive(Clone, Debug)]
struct Sound {
    frame_count: usize,
    /// As the decoder orders them.
    channels: Vec<ChannelPosition>,
}

impl AacConfig {
    /// Listens to the first packets of a stream.
    ///
    /// # Errors
    /// When the channels are nowhere described, or are more than a stream may have.
    pub(in crate::decode) fn probed(
        mut self,
        packets: &[Vec<u8>],
    ) -> Result<AacSetup, DecodeError> {
        let first = packets.first().map_or(&[][..], Vec::as_slice);
        let undescribed = || DecodeError::damaged("its first packet does not state its channels");
        let mut config = self.written(first).ok_or_else(undescribed)?;
        let sound = match richest(&config, packets) {
            Some(sound) => sound,
            // Where nothing can be decoded the driver says so; until then the header is believed.
            None => self.stated().ok_or_else(undescribed)?,
        };
        let is_doubled = sound.frame_count as u64 == 2 * PACKET_FRAMES;
        let rate = match self.replicated_hz {
            Some(rate) => rate,
            None if is_doubled => 2 * self.sample_rate_hz,
            None => self.sample_rate_hz,
        };
        if is_doubled && matches!(self.channels, Channels::Usual(_)) {
            // So that packets without such data are doubled too.
            self.is_parametric |= self.channels == Channels::Usual(1) && sound.channels.len() == 2;
            self.replicated_hz = Some(rate);
            config = self.written(first).ok_or_else(undescribed)?;
        }
        let rate = claims::check_stream(rate.into(), sound.channels.len() as u64)?;
        let packet_frames = sound.frame_count as u64;
        let (layout, order) = layout(sound.channels);
        let spec = StreamSpec { sample_rate: SampleRate(rate), layout };
        Ok(AacSetup { config, spec, packet_frames, order })
    }

    /// What the header alone says.
    fn stated(&self) -> Option<Sound> {
        let Channels::Usual(number) = self.channels else { return None };
        let labels =
            if self.is_parametric { syom::mpeg_channels(2) } else { syom::mpeg_channels(number) };
        let is_doubled = self.replicated_hz.is_some_and(|rate| rate > self.sample_rate_hz);
        let frame_count = if is_doubled { 2 * PACKET_FRAMES } else { PACKET_FRAMES };
        let channels = labels.iter().map(|&label| position(label)).collect();
        Some(Sound { frame_count: usize::try_from(frame_count).expect("is small"), channels })
    }
}

/// The channels in the mask's order, and for each which one of the decoder's it is. Where the place of one is not
/// known, the decoder's order is kept: it is that of the mask as far as is known.
fn layout(channels: Vec<ChannelPosition>) -> (ChannelLayout, Vec<usize>) {
    if channels.contains(&ChannelPosition::Unknown) {
        let order = (0..channels.len()).collect();
        return (ChannelLayout::new(channels), order);
    }
    ChannelLayout::new(channels).into_mask_order()
}

/// The richest sound found: the first packets of a stream may lack what later ones have.
fn richest(config: &[u8], packets: &[Vec<u8>]) -> Option<Sound> {
    let mut decoder = None;
    let mut sounds = Vec::new();
    for packet in packets {
        let mut sound = None;
        let result = with_decoder(&mut decoder, config, packet, |frame| {
            let mut channels: Vec<_> = frame.meta.labels().map(position).collect();
            channels.resize(frame.planar.len(), ChannelPosition::Unknown);
            // Of parametric stereo the coded channel has the label of one in front.
            if channels.len() == 2 {
                channels = ChannelLayout::usual(2).positions().to_vec();
            }
            sound = Some(Sound { frame_count: frame.samples, channels });
        });
        if result.is_err() {
            decoder = None;
        }
        sounds.extend(sound);
    }
    sounds.into_iter().max_by_key(|sound| (sound.frame_count, sound.channels.len()))
}

/// Decodes a packet, by a new decoder where there is none; a panic of it becomes an error.
fn with_decoder(
    decoder: &mut Option<syom::Decoder>,
    config: &[u8],
    packet: &[u8],
    mut take: impl FnMut(&syom::Frame<'_>),
) -> Result<(), DecodeError> {
    let decode = AssertUnwindSafe(|| {
        let decoder = match decoder {
            Some(decoder) => decoder,
            None => decoder.insert(syom::Decoder::from_asc(config, DecodeOptions::unbounded())?),
        };
        decoder.decode_au(packet, |frame| {
            take(&frame);
            Ok(())
        })
    });
    match catch_unwind(decode) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(DecodeError::damaged("a packet is broken")),
    }
}

fn position(label: Channel) -> ChannelPosition {
    use ChannelPosition as P;
    match label {
        Channel::FrontLeft => P::FrontLeft,
        Channel::FrontRight => P::FrontRight,
        Channel::FrontCenter => P::FrontCenter,
        Channel::Lfe => P::LowFrequency,
        Channel::BackLeft => P::BackLeft,
        Channel::BackRight => P::BackRight,
        Channel::BackCenter => P::BackCenter,
        Channel::SideLeft => P::SideLeft,
        Channel::SideRight => P::SideRight,
        _ => P::Unknown,
    }
}

impl AacSetup {
    /// What decodes the packets.
    pub(in crate::decode) fn codec(&self) -> AacCodec {
        let planes = vec![Vec::new(); self.order.len()];
        AacCodec { decoder: None, setup: self.clone(), planes }
    }
}

/// Decodes packets.
pub(in crate::decode) struct AacCodec {
    /// None before the first packet and after one that could not be decoded.
    decoder: Option<syom::Decoder>,
    setup: AacSetup,
    /// The packet decoded last, in the decoder's order.
    planes: Vec<Vec<f32>>,
}

impl Codec for AacCodec {
    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let (setup, planes) = (&self.setup, &mut self.planes);
        planes.iter_mut().for_each(Vec::clear);
        let mut is_same = false;
        let result = with_decoder(&mut self.decoder, &setup.config, &packet.data, |frame| {
            is_same =
                frame.planar.len() == planes.len() && frame.samples as u64 == setup.packet_frames;
            for (plane, decoded) in planes.iter_mut().zip(frame.planar) {
                plane.extend_from_slice(decoded);
            }
        });
        let other = || DecodeError::damaged("a packet belongs to another stream");
        let result = result.and_then(|()| is_same.then_some(()).ok_or_else(other));
        if result.is_err() {
            self.planes.iter_mut().for_each(Vec::clear);
            self.decoder = None;
        }
        result
    }

    fn frame_count(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    fn channel_count(&self) -> usize {
        self.planes.len()
    }

    fn copy(&self, range: Range<usize>, out: &mut Samples) -> Result<(), DecodeError> {
        let Samples::Float { planes } = out else {
            return Err(DecodeError::unsupported("another sample format"));
        };
        for (plane, &from) in planes.iter_mut().zip(&self.setup.order) {
            plane.clear();
            plane.extend_from_slice(&self.planes[from][range.clone()]);
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), DecodeError> {
        self.decoder = None;
        Ok(())
    }
}
