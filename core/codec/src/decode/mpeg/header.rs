//! The header of an MPEG audio frame.
//!
//! Source: ISO/IEC 11172-3, 2.4.1.3 and 2.4.2.3; ISO/IEC 13818-3, 2.4.2.3; MPEG-2.5 as Fraunhofer
//! extended it.

/// Bytes of a frame header.
pub(super) const HEADER_BYTES: usize = 4;

/// What a frame header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) version: Version,
    pub(super) layer: u8,
    pub(super) sample_rate_hz: u32,
    pub(super) channel_count: u8,
    pub(super) has_crc: bool,
    /// Bytes of the whole frame.
    pub(super) frame_bytes: u64,
}

/// Generation of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Mpeg1,
    Mpeg2,
    Mpeg25,
}

/// Why four bytes are no usable frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    Invalid,
    /// Valid, but its length is not stated.
    FreeFormat,
}

/// Bit rates in kbit/s of layer III by index 1 to 14, MPEG-1.
const KBPS_MPEG1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

/// The same for MPEG-2 and 2.5.
const KBPS_MPEG2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

impl FrameHeader {
    /// Reads a header. Only layer III has its `frame_bytes` filled in; the others are not decoded.
    pub(super) fn parse(bytes: [u8; HEADER_BYTES]) -> Result<Self, HeaderError> {
        let word = u32::from_be_bytes(bytes);
        let field = |shift: u32, bits: u32| (word >> shift) & ((1 << bits) - 1);
        let version = match field(19, 2) {
            0 => Version::Mpeg25,
            2 => Version::Mpeg2,
            3 => Version::Mpeg1,
            _ => return Err(HeaderError::Invalid),
        };
        let (layer, rate_index) = (field(17, 2), field(10, 2));
        if field(21, 11) != 0x7ff || layer == 0 || rate_index == 3 || field(0, 2) == 2 {
            return Err(HeaderError::Invalid);
        }
        let kbps_table = if version == Version::Mpeg1 { KBPS_MPEG1 } else { KBPS_MPEG2 };
        let kbps = match field(12, 4) {
            0 => return Err(HeaderError::FreeFormat),
            15 => return Err(HeaderError::Invalid),
            index => kbps_table[index as usize - 1],
        };
        let divisor = match version {
            Version::Mpeg1 => 1,
            Version::Mpeg2 => 2,
            Version::Mpeg25 => 4,
        };
        let sample_rate_hz = [44_100, 48_000, 32_000][rate_index as usize] / divisor;
        let slots = if version == Version::Mpeg1 { 144_000 } else { 72_000 };
        Ok(Self {
            version,
            layer: [0, 3, 2, 1][layer as usize],
            sample_rate_hz,
            channel_count: if field(6, 2) == 3 { 1 } else { 2 },
            has_crc: field(16, 1) == 0,
            frame_bytes: u64::from(slots * kbps / sample_rate_hz + field(9, 1)),
        })
    }

    /// Frames (in the sense of audio) of one MPEG frame of layer III.
    pub(super) fn frame_count(&self) -> u64 {
        if self.version == Version::Mpeg1 { 1152 } else { 576 }
    }

    /// Bytes of side information of layer III.
    pub(super) fn side_info_bytes(&self) -> usize {
        match (self.version, self.channel_count) {
            (Version::Mpeg1, 1) => 17,
            (Version::Mpeg1, _) => 32,
            (_, 1) => 9,
            (_, _) => 17,
        }
    }

    /// Whether `other` can be a later frame of the same stream.
    pub(super) fn continues(&self, other: &Self) -> bool {
        (self.version, self.layer, self.sample_rate_hz, self.channel_count)
            == (other.version, other.layer, other.sample_rate_hz, other.channel_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_of_128_kbps_at_44100_has_417_bytes() {
        let header = FrameHeader::parse([0xff, 0xfb, 0x90, 0x64]).unwrap();
        assert_eq!((header.frame_bytes, header.frame_count()), (417, 1152));
        assert_eq!((header.layer, header.channel_count, header.has_crc), (3, 2, false));
    }

    #[test]
    fn header_of_mpeg_2_has_half_the_frames() {
        let header = FrameHeader::parse([0xff, 0xf3, 0x84, 0xc4]).unwrap();
        assert_eq!((header.sample_rate_hz, header.frame_count()), (24_000, 576));
        assert_eq!((header.frame_bytes, header.side_info_bytes()), (192, 9));
    }

    #[test]
    fn header_with_reserved_fields_is_invalid() {
        for bytes in [[0xff, 0xfb, 0xf0, 0], [0xff, 0xfb, 0x9c, 0], [0xff, 0xeb, 0x90, 0]] {
            assert_eq!(FrameHeader::parse(bytes), Err(HeaderError::Invalid));
        }
        assert_eq!(FrameHeader::parse([0xff, 0xfb, 0x00, 0]), Err(HeaderError::FreeFormat));
    }
}
