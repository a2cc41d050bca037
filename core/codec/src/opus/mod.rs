//! The Opus codec, and the header that states how a stream is to be decoded.
//!
//! The only place that knows the library: libopus 1.3.1 in Rust, translated by a machine, with the
//! interface of C.

mod head;

pub(crate) use head::Head;

use std::ptr::NonNull;
use unsafe_libopus::{self as unsafe_library, OpusMSDecoder, OpusMSEncoder, varargs};

/// Frames a second of what is decoded, and of all that a stream says of time.
pub(crate) const RATE_HZ: u32 = 48_000;

/// Rates that are encoded, in Hz.
pub(crate) const INPUT_RATES_HZ: &[u32] = &[8_000, 12_000, 16_000, 24_000, RATE_HZ];

/// Frames of the longest packet: 120 ms. Source: RFC 6716, 2.1.4.
pub(crate) const PACKET_FRAMES_MAX: u16 = 5760;

/// Most bytes of one stream's part of a packet of 20 ms. Source: RFC 6716, 3.2.1, and two bytes of length.
const STREAM_BYTES_MAX: usize = 1275 + 2;

/// An encoder of all channels of a stream.
pub(crate) struct Encoder {
    state: NonNull<OpusMSEncoder>,
    channel_count: usize,
    stream_count: u8,
}

// SAFETY: the state is memory of its own, without thread-local parts, reached only through `&mut`.
unsafe impl Send for Encoder {}

impl Encoder {
    /// For `channel_count` channels in Vorbis order, with what a header says of it; the header's pre-skip
    /// is the encoder's delay. `None` where the library refuses.
    pub(crate) fn new(rate_hz: u32, channel_count: usize) -> Option<(Self, Head)> {
        let mut head = Head::new(u8::try_from(channel_count).ok()?, rate_hz);
        let (mut streams, mut coupled, mut error) = (0, 0, 0);
        // SAFETY: the mapping has room for every channel of the family, at most 255.
        let state = unsafe {
            unsafe_library::opus_multistream_surround_encoder_create(
                i32::try_from(rate_hz).ok()?,
                i32::from(head.channel_count),
                i32::from(head.family),
                &raw mut streams,
                &raw mut coupled,
                head.mapping.as_mut_ptr(),
                unsafe_library::OPUS_APPLICATION_AUDIO,
                &raw mut error,
            )
        };
        head.stream_count = u8::try_from(streams).ok()?;
        head.coupled_count = u8::try_from(coupled).ok()?;
        let mut encoder =
            Self { state: NonNull::new(state)?, channel_count, stream_count: head.stream_count };
        head.pre_skip = u16::try_from(encoder.delay()? * RATE_HZ / rate_hz).ok()?;
        Some((encoder, head))
    }

    /// Sets the bit rate, in bits a second, on average or in every packet, and the greatest effort.
    /// `false` where the library refuses.
    pub(crate) fn set(&mut self, bits_a_second: i32, is_constant: bool) -> bool {
        let settings = [
            (unsafe_library::OPUS_SET_BITRATE_REQUEST, bits_a_second),
            (unsafe_library::OPUS_SET_VBR_REQUEST, i32::from(!is_constant)),
            (unsafe_library::OPUS_SET_VBR_CONSTRAINT_REQUEST, 0),
            (unsafe_library::OPUS_SET_COMPLEXITY_REQUEST, 10),
            (unsafe_library::OPUS_SET_LSB_DEPTH_REQUEST, 24),
        ];
        settings.into_iter().all(|(request, value)| {
            // SAFETY: each of these requests takes one integer.
            let result = unsafe {
                unsafe_library::opus_multistream_encoder_ctl_impl(
                    self.state.as_ptr(),
                    request,
                    varargs!(value),
                )
            };
            result == unsafe_library::OPUS_OK
        })
    }

    /// Frames, at the encoder's rate, by which what is decoded comes later.
    fn delay(&mut self) -> Option<u32> {
        let mut delay = 0;
        // SAFETY: the request takes the address of one integer.
        let result = unsafe {
            unsafe_library::opus_multistream_encoder_ctl_impl(
                self.state.as_ptr(),
                unsafe_library::OPUS_GET_LOOKAHEAD_REQUEST,
                varargs!(&mut delay),
            )
        };
        u32::try_from(delay).ok().filter(|_| result == unsafe_library::OPUS_OK)
    }

    /// Encodes 20 ms of interleaved samples; `None` where the library fails.
    pub(crate) fn encode(&mut self, interleaved: &[f32], packet: &mut Vec<u8>) -> Option<()> {
        let frame_count = i32::try_from(interleaved.len() / self.channel_count).ok()?;
        let room = STREAM_BYTES_MAX * usize::from(self.stream_count);
        packet.resize(room, 0);
        // SAFETY: there are `frame_count` frames of every channel, and the packet has the room stated.
        let byte_count = unsafe {
            unsafe_library::opus_multistream_encode_float(
                self.state.as_ptr(),
                interleaved.as_ptr(),
                frame_count,
                packet.as_mut_ptr(),
                i32::try_from(room).ok()?,
            )
        };
        packet.truncate(usize::try_from(byte_count).ok()?);
        (!packet.is_empty()).then_some(())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: it was created by the library and is not used afterwards.
        unsafe { unsafe_library::opus_multistream_encoder_destroy(self.state.as_ptr()) };
    }
}

/// A decoder of all channels of a stream.
pub(crate) struct Decoder {
    state: NonNull<OpusMSDecoder>,
    channel_count: usize,
}

// SAFETY: the state is memory of its own, without thread-local parts, reached only through `&mut`.
unsafe impl Send for Decoder {}

impl Decoder {
    /// For streams with this header; `None` where the library refuses it.
    pub(crate) fn new(head: &Head) -> Option<Self> {
        let mut error = 0;
        // SAFETY: the mapping has an entry for every channel.
        let state = unsafe {
            unsafe_library::opus_multistream_decoder_create(
                RATE_HZ.cast_signed(),
                i32::from(head.channel_count),
                i32::from(head.stream_count),
                i32::from(head.coupled_count),
                head.mapping.as_ptr(),
                &raw mut error,
            )
        };
        let channel_count = usize::from(head.channel_count);
        Some(Self { state: NonNull::new(state)?, channel_count })
    }

    /// Decodes a packet into interleaved samples; `None` where it is none.
    pub(crate) fn decode(&mut self, packet: &[u8], interleaved: &mut Vec<f32>) -> Option<()> {
        interleaved.resize(usize::from(PACKET_FRAMES_MAX) * self.channel_count, 0.0);
        // SAFETY: the packet has the length stated, and there is room for the longest.
        let frame_count = unsafe {
            unsafe_library::opus_multistream_decode_float(
                self.state.as_mut(),
                packet.as_ptr(),
                i32::try_from(packet.len()).ok()?,
                interleaved.as_mut_ptr(),
                PACKET_FRAMES_MAX.into(),
                0,
            )
        };
        interleaved.truncate(usize::try_from(frame_count).ok()? * self.channel_count);
        Some(())
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: it was created by the library and is not used afterwards.
        unsafe { unsafe_library::opus_multistream_decoder_destroy(self.state.as_ptr()) };
    }
}

/// Frames of a packet at [`RATE_HZ`], by its first two bytes; `None` where they contradict the standard.
///
/// Source: RFC 6716, 3.1 and 3.2.
pub(crate) fn packet_frames(packet: &[u8]) -> Option<u32> {
    let first = *packet.first()?;
    let (kind, size) = (first >> 5, u32::from(first >> 3 & 3));
    let frames = match kind {
        // SILK: 10, 20, 40 or 60 ms; hybrid: 10 or 20 ms; CELT: 2.5, 5, 10 or 20 ms.
        0..=2 => [480, 960, 1920, 2880][size as usize],
        3 => [480, 960][(size & 1) as usize],
        _ => 120 << size,
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    let total = frames * count;
    (total > 0 && total <= PACKET_FRAMES_MAX.into()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_say_how_long_they_are() {
        // Configurations 0, 3, 12, 15, 16 and 31 of RFC 6716, table 2; codes 0 to 3.
        assert_eq!(packet_frames(&[0]), Some(480));
        assert_eq!(packet_frames(&[3 << 3]), Some(2880));
        assert_eq!(packet_frames(&[12 << 3]), Some(480));
        assert_eq!(packet_frames(&[15 << 3]), Some(960));
        assert_eq!(packet_frames(&[16 << 3]), Some(120));
        assert_eq!(packet_frames(&[31 << 3 | 1]), Some(1920));
        assert_eq!(packet_frames(&[16 << 3 | 3, 48]), Some(5760));
        assert_eq!(packet_frames(&[16 << 3 | 3, 49]), None);
        assert_eq!(packet_frames(&[3 << 3 | 3, 0]), None);
        assert_eq!((packet_frames(&[]), packet_frames(&[3])), (None, None));
    }

    #[test]
    fn encoder_s_delay_is_the_pre_skip_at_48_khz_whatever_the_rate() {
        for rate_hz in INPUT_RATES_HZ {
            let (_, head) = Encoder::new(*rate_hz, 2).unwrap();
            assert_eq!(head.pre_skip, 312, "{rate_hz}");
        }
        assert!(Encoder::new(44_100, 2).is_none());
        assert!(Encoder::new(48_000, 9).is_none());
    }
}
