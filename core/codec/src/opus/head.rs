//! The identification header of a stream.
//!
//! Source: RFC 7845, 5.1.

/// `OpusHead`.
const MAGIC: &[u8; 8] = b"OpusHead";

/// Bytes of the header without a channel mapping table.
const SHORT_BYTES: usize = 19;

/// How a stream is to be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) channel_count: u8,
    /// Frames at 48 kHz to leave out at the start.
    pub(crate) pre_skip: u16,
    /// Rate of what was encoded, in Hz: for information only.
    pub(crate) input_rate_hz: u32,
    /// What is to be applied to everything decoded, in 1/256 dB.
    pub(crate) gain_q8: i16,
    /// 0: mono and stereo; 1: up to 8 channels in Vorbis order; 255: channels without places.
    pub(crate) family: u8,
    pub(crate) stream_count: u8,
    /// How many of the streams have two channels.
    pub(crate) coupled_count: u8,
    /// For each channel where it comes from among the streams' channels.
    pub(crate) mapping: [u8; 255],
}

impl Head {
    /// Of a stream to be encoded; the encoder decides on its streams.
    pub(super) fn new(channel_count: u8, input_rate_hz: u32) -> Self {
        Self {
            channel_count,
            pre_skip: 0,
            input_rate_hz,
            gain_q8: 0,
            family: u8::from(channel_count > 2),
            stream_count: 0,
            coupled_count: 0,
            mapping: [0; 255],
        }
    }

    /// Reads the header's packet; `None` where it is none, or contradicts the standard.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; SHORT_BYTES] = packet.first_chunk()?;
        // Other minor versions must be readable.
        if !fixed.starts_with(MAGIC) || fixed[8] >> 4 != 0 {
            return None;
        }
        let mut head = Self {
            channel_count: fixed[9],
            pre_skip: u16::from_le_bytes([fixed[10], fixed[11]]),
            input_rate_hz: u32::from_le_bytes([fixed[12], fixed[13], fixed[14], fixed[15]]),
            gain_q8: i16::from_le_bytes([fixed[16], fixed[17]]),
            family: fixed[18],
            stream_count: 1,
            coupled_count: u8::from(fixed[9] == 2),
            mapping: [0; 255],
        };
        head.mapping[1] = 1;
        let count = usize::from(head.channel_count);
        if head.family > 0 {
            let [streams, coupled, mapping @ ..] = packet.get(SHORT_BYTES..)? else { return None };
            head.stream_count = *streams;
            head.coupled_count = *coupled;
            head.mapping[..count].copy_from_slice(mapping.get(..count)?);
        }
        head.is_sound().then_some(head)
    }

    /// Reads the header as MPEG-4 has it: without its name, version 0, numbers with the high byte first.
    ///
    /// Source: Xiph.Org, "Encapsulation of Opus in ISO Base Media File Format", 4.3.2.
    #[cfg(feature = "mpeg4")]
    pub(crate) fn parse_big_endian(fields: &[u8]) -> Option<Self> {
        let &[0, channels, s1, s0, r3, r2, r1, r0, g1, g0, ref rest @ ..] = fields else {
            return None;
        };
        let fixed = [1, channels, s0, s1, r0, r1, r2, r3, g0, g1];
        Self::parse(&[MAGIC, &fixed[..], rest].concat())
    }

    fn is_sound(&self) -> bool {
        let inputs = u16::from(self.stream_count) + u16::from(self.coupled_count);
        let is_mapped = |&from: &u8| from == 255 || u16::from(from) < inputs;
        let channels_max = match self.family {
            0 => 2,
            1 => 8,
            _ => 255,
        };
        self.channel_count > 0
            && self.channel_count <= channels_max
            && self.stream_count > 0
            && self.coupled_count <= self.stream_count
            && inputs <= 255
            && self.mapping[..usize::from(self.channel_count)].iter().all(is_mapped)
    }

    /// The header's packet.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        const VERSION: u8 = 1;
        let mut bytes = MAGIC.to_vec();
        bytes.extend([VERSION, self.channel_count]);
        bytes.extend(self.pre_skip.to_le_bytes());
        bytes.extend(self.input_rate_hz.to_le_bytes());
        bytes.extend(self.gain_q8.to_le_bytes());
        bytes.push(self.family);
        if self.family > 0 {
            bytes.extend([self.stream_count, self.coupled_count]);
            bytes.extend(&self.mapping[..usize::from(self.channel_count)]);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read_as_it_is_written() {
        let stereo = Head {
            pre_skip: 312,
            gain_q8: -512,
            stream_count: 1,
            coupled_count: 1,
            mapping: {
                let mut mapping = [0; 255];
                mapping[1] = 1;
                mapping
            },
            ..Head::new(2, 48_000)
        };
        let bytes = stereo.to_bytes();
        assert_eq!(bytes, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\xfe\0");
        assert_eq!(Head::parse(&bytes), Some(stereo.clone()));
        let mut five = Head { stream_count: 3, coupled_count: 2, ..Head::new(5, 16_000) };
        five.mapping[..5].copy_from_slice(&[0, 4, 1, 2, 3]);
        assert_eq!(five.to_bytes().len(), 26);
        assert_eq!(Head::parse(&five.to_bytes()), Some(five));
    }

    #[test]
    fn header_that_contradicts_itself_is_none() {
        let good = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\xfe\0";
        let with = |at: usize, byte: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            Head::parse(&bytes)
        };
        assert!(with(8, 15).is_some(), "a minor version");
        assert_eq!((with(0, b'o'), with(8, 16), with(9, 0), with(9, 3)), (None, None, None, None));
        assert_eq!(with(18, 1), None, "a family whose table is missing");
        assert_eq!(Head::parse(&good[..18]), None);
        let table = [&good[..18], &[1, 1, 0, 0, 1]].concat();
        assert_eq!(Head::parse(&table), None, "channel 1 of a stream that has only channel 0");
        let table = [&good[..18], &[1, 1, 2, 0, 1]].concat();
        assert_eq!(Head::parse(&table), None, "more coupled streams than streams");
    }
}
