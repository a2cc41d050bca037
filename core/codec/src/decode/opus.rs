//! Opus: how a stream's header wants it decoded, with the gain it asks for.
//!
//! Source: RFC 7845.

use super::compressed::Codec;
use super::{DecodeError, claims};
use crate::opus::{self, Head, RATE_HZ, packet_frames};
use crate::vorbis_order;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::packet::Packet;
use wavemill_audio::units::{Decibels, SampleRate};
use wavemill_audio::{ChannelLayout, ChannelPosition, Samples, StreamSpec};

/// What a header says.
#[derive(Clone)]
pub(super) struct OpusSetup {
    pub(super) head: Head,
    pub(super) spec: StreamSpec,
    /// For each channel which one of the stream's it is.
    order: Vec<usize>,
}

impl OpusSetup {
    /// Takes a header.
    ///
    /// # Errors
    /// When its channels are of a kind that is not decoded.
    pub(super) fn new(head: Head) -> Result<Self, DecodeError> {
        let (layout, order) = channels(&head)?;
        claims::check_stream(RATE_HZ.into(), u64::from(head.channel_count))?;
        Ok(Self { head, spec: StreamSpec { sample_rate: SampleRate(RATE_HZ), layout }, order })
    }

    /// What decodes the packets.
    pub(super) fn codec(&self) -> Result<OpusCodec, DecodeError> {
        let gain = Decibels(f64::from(self.head.gain_q8) / 256.0).to_amplitude();
        #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
        let gain = (self.head.gain_q8 != 0).then_some(gain as f32);
        Ok(OpusCodec {
            decoder: make_decoder(&self.head)?,
            head: self.head.clone(),
            order: self.order.clone(),
            gain,
            decoded: Vec::new(),
        })
    }
}

/// The layout, and for each of its channels which one of the stream's it is.
fn channels(head: &Head) -> Result<(ChannelLayout, Vec<usize>), DecodeError> {
    let count = usize::from(head.channel_count);
    match head.family {
        0 | 1 => {
            let layout = ChannelLayout::usual(count);
            let stored = vorbis_order::indices(&layout)
                .ok_or_else(|| DecodeError::damaged("its channels have no defined order"))?;
            let place = |channel| stored.iter().position(|index| *index == channel);
            let order = (0..count).filter_map(place).collect();
            Ok((layout, order))
        }
        255 => {
            let layout = match count {
                1 | 2 => ChannelLayout::usual(count),
                _ => ChannelLayout::new(vec![ChannelPosition::Unknown; count]),
            };
            Ok((layout, (0..count).collect()))
        }
        2 | 3 => Err(DecodeError::unsupported("ambisonics in Opus")),
        family => Err(DecodeError::unsupported(format!("Opus channel mapping family {family}"))),
    }
}

fn make_decoder(head: &Head) -> Result<opus::Decoder, DecodeError> {
    opus::Decoder::new(head).ok_or_else(|| DecodeError::damaged("its Opus header is invalid"))
}

/// Decodes packets.
pub(super) struct OpusCodec {
    decoder: opus::Decoder,
    head: Head,
    order: Vec<usize>,
    /// What the header wants everything multiplied with.
    gain: Option<f32>,
    /// Interleaved samples of the packet decoded last.
    decoded: Vec<f32>,
}

impl Codec for OpusCodec {
    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let (decoder, decoded) = (&mut self.decoder, &mut self.decoded);
        let stated = packet_frames(&packet.data);
        let result = catch_unwind(AssertUnwindSafe(|| match stated {
            Some(_) => decoder.decode(&packet.data, decoded),
            None => None,
        }));
        let is_whole = matches!(result, Ok(Some(())))
            && stated.is_some_and(|stated| stated as usize == self.frame_count());
        if !is_whole {
            self.decoded.clear();
            return Err(DecodeError::damaged("a packet is broken"));
        }
        Ok(())
    }

    fn frame_count(&self) -> usize {
        self.decoded.len() / self.channel_count()
    }

    fn channel_count(&self) -> usize {
        self.head.channel_count.into()
    }

    fn copy(&self, range: Range<usize>, out: &mut Samples) -> Result<(), DecodeError> {
        let Samples::Float { planes } = out else {
            return Err(DecodeError::unsupported("another sample format"));
        };
        let channel_count = self.channel_count();
        let samples = &self.decoded[range.start * channel_count..range.end * channel_count];
        let frames = samples.chunks_exact(channel_count);
        for (plane, &from) in planes.iter_mut().zip(&self.order) {
            plane.clear();
            let samples = frames.clone().map(|frame| frame[from]);
            match self.gain {
                Some(gain) => plane.extend(samples.map(|sample| sample * gain)),
                None => plane.extend(samples),
            }
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), DecodeError> {
        self.decoder = make_decoder(&self.head)?;
        Ok(())
    }
}
