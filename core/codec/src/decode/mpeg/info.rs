//! The frame without sound that encoders put first, with the length and the gaps of the file.
//!
//! Sources: Xing, "VBR Header SDK"; G. Gandhi, "MP3 Info Tag revision 1 specifications" (LAME);
//! Fraunhofer's `VBRI` as described by G. Karlsson.

use super::header::FrameHeader;
use crate::decode::chunks::u32_be;

/// What the frame says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InfoTag {
    /// MPEG frames of sound after it.
    pub(super) mpeg_frame_count: Option<u64>,
    /// Bytes from its start to the end of the sound.
    pub(super) byte_count: Option<u64>,
    /// Frames the encoder put before and after the sound.
    pub(super) gaps: Option<Gaps>,
}

/// Frames the encoder added, without the decoder's own delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gaps {
    pub(super) delay: u64,
    pub(super) padding: u64,
}

/// Bytes from the start of the encoder's name to its delay and padding.
const GAPS_OFFSET: usize = 21;

impl InfoTag {
    /// Reads the tag from a whole MPEG frame, if it is one.
    pub(super) fn parse(header: &FrameHeader, frame: &[u8]) -> Option<Self> {
        // Encoders disagree whether the checksum of a protected frame moves the tag.
        let offsets = [4, 6].into_iter().take(1 + usize::from(header.has_crc));
        let mut offsets = offsets.map(|offset| offset + header.side_info_bytes());
        offsets.find_map(|offset| Self::parse_xing(frame.get(offset..)?)).or_else(|| {
            // Only its presence matters: it states no gaps, and its counts are not always there.
            let is_vbri = frame.get(36..40) == Some(b"VBRI");
            is_vbri.then(Self::default)
        })
    }

    fn parse_xing(tag: &[u8]) -> Option<Self> {
        if !tag.starts_with(b"Xing") && !tag.starts_with(b"Info") {
            return None;
        }
        let flags = u32_be(tag, 4)?;
        let mut offset = 8;
        let mut field = |bit: u32, length: usize| {
            let is_there = flags & bit != 0;
            let start = offset;
            offset += if is_there { length } else { 0 };
            is_there.then_some(start)
        };
        let (frames, bytes) = (field(1, 4), field(2, 4));
        let (_toc, _quality) = (field(4, 100), field(8, 4));
        let number = |start: Option<usize>| {
            start.and_then(|start| u32_be(tag, start)).filter(|&n| n != 0).map(u64::from)
        };
        Some(Self {
            mpeg_frame_count: number(frames),
            byte_count: number(bytes),
            gaps: tag.get(offset..).and_then(Gaps::parse),
        })
    }
}

impl Gaps {
    fn parse(encoder: &[u8]) -> Option<Self> {
        // Others use the place for something else.
        if ![b"LAME", b"Lavf", b"Lavc"].iter().any(|name| encoder.starts_with(*name)) {
            return None;
        }
        let packed = u32_be(encoder, GAPS_OFFSET)? >> 8;
        Some(Self { delay: u64::from(packed >> 12), padding: u64::from(packed & 0xfff) })
    }
}
