//! Whether the last frame of a FLAC file is there.
//!
//! Source: RFC 9639, 9.1 (frame header) and 9.3 (frame footer).

use super::Completeness;
use crate::decode::chunks::read_up_to;
use crate::decode::flac::{StreamFacts, read_facts};
use crate::decode::{DecodeError, Source};
use crate::encode::crc16;
use wavemill_audio::units::Frames;

/// Most bytes looked at. The largest frame a usual encoder writes, 4608 frames of 8 channels at 32 bits,
/// has 144 KiB.
const TAIL_BYTES: usize = 256 * 1024;

/// Most frame headers held against their frame's checksum. Some 64 MiB of noise look like
/// a header once by chance; a file with many was made to.
const CANDIDATE_COUNT_MAX: usize = 64;

/// Bytes of an `ID3v1` tag, which some taggers append to any file.
const ID3V1_BYTES: usize = 128;

pub(super) fn check(
    source: &mut dyn Source,
    start: u64,
    byte_count: u64,
) -> Result<Completeness, DecodeError> {
    let facts = read_facts(source, start, byte_count)?;
    let reach = reach(&facts);
    let tail_start = facts.audio_start.max(byte_count.saturating_sub(reach as u64));
    let tail = read_up_to(source, tail_start, reach)?;
    let tail = without_id3v1(&tail);
    if tail.is_empty() {
        return Ok(match facts.frame_count {
            Some(total) => Completeness::incomplete(Frames(total), "none"),
            None => Completeness::Unknown,
        });
    }
    Ok(of_tail(tail, &facts))
}

/// Bytes from the file's end in which its last frame begins.
fn reach(facts: &StreamFacts) -> usize {
    facts.frame_bytes_max.map_or(TAIL_BYTES, |count| TAIL_BYTES.min(count + ID3V1_BYTES))
}

fn of_tail(tail: &[u8], facts: &StreamFacts) -> Completeness {
    let total = facts.frame_count;
    // Bytes of a frame can look like a header. Only a header that starts a whole frame is certain;
    // one that does not is the best guess for the message.
    let mut last = None;
    let mut candidate_count = 0;
    for offset in (0..tail.len()).rev() {
        let Some(frame) = FrameStart::parse(&tail[offset..], facts) else { continue };
        candidate_count += 1;
        if candidate_count > CANDIDATE_COUNT_MAX {
            return Completeness::Unknown;
        }
        if crc16(&tail[offset..]) == 0 {
            return of_end(total, frame.first + frame.frame_count);
        }
        last = last.or(Some(frame.first));
    }
    match (total, last) {
        (Some(total), Some(first)) => Completeness::incomplete(Frames(total), Frames(first)),
        _ => Completeness::Unknown,
    }
}

fn of_end(total: Option<u64>, end: u64) -> Completeness {
    match total {
        Some(total) if end < total => Completeness::incomplete(Frames(total), Frames(end)),
        _ => Completeness::Complete,
    }
}

fn without_id3v1(tail: &[u8]) -> &[u8] {
    match tail.len().checked_sub(ID3V1_BYTES) {
        Some(end) if tail[end..].starts_with(b"TAG") => &tail[..end],
        _ => tail,
    }
}

/// What a frame header says about its place.
struct FrameStart {
    /// First frame of audio in it.
    first: u64,
    frame_count: u64,
}

impl FrameStart {
    /// Reads a header whose checksum is right and which belongs to the stream.
    fn parse(bytes: &[u8], facts: &StreamFacts) -> Option<Self> {
        let Header { number, is_variable, frame_count } = Header::parse(bytes, facts)?;
        let first = if is_variable { number } else { number * facts.block_frames? };
        Some(Self { first, frame_count })
    }
}

/// A frame header.
struct Header {
    /// Of the frame or, where they vary in length, of its first frame of audio.
    number: u64,
    is_variable: bool,
    frame_count: u64,
}

/// Frames of audio in a packet that begins with a header whose checksum is right and which belongs to the
/// stream.
pub(in crate::decode) fn flac_frames(packet: &[u8], facts: &StreamFacts) -> Option<u64> {
    Header::parse(packet, facts).map(|header| header.frame_count)
}

impl Header {
    fn parse(bytes: &[u8], facts: &StreamFacts) -> Option<Self> {
        let &[0xff, sync, sizes, channels, ..] = bytes else { return None };
        if sync & 0xfe != 0xf8 || channels & 1 != 0 {
            return None;
        }
        let is_variable = sync & 1 == 1;
        let (number, number_bytes) = coded_number(&bytes[4..])?;
        let mut end = 4 + number_bytes;
        let frame_count = match sizes >> 4 {
            0 => return None,
            1 => 192,
            code @ 2..=5 => 144 << code,
            6 => u64::from(*take(bytes, &mut end, 1)?.first()?) + 1,
            7 => big_endian(take(bytes, &mut end, 2)?) + 1,
            code => 1 << code,
        };
        match sizes & 0xf {
            12 => _ = take(bytes, &mut end, 1)?,
            13 | 14 => _ = take(bytes, &mut end, 2)?,
            15 => return None,
            _ => {}
        }
        let checksum = *take(bytes, &mut end, 1)?.first()?;
        if crc8(&bytes[..end - 1]) != checksum || !fits(channels, facts) {
            return None;
        }
        Some(Self { number, is_variable, frame_count })
    }
}

/// Whether the channel assignment is one of the stream's channel count.
fn fits(channels: u8, facts: &StreamFacts) -> bool {
    match channels >> 4 {
        code @ 0..=7 => code + 1 == facts.channel_count,
        8..=10 => facts.channel_count == 2,
        _ => false,
    }
}

fn take<'a>(bytes: &'a [u8], end: &mut usize, count: usize) -> Option<&'a [u8]> {
    let taken = bytes.get(*end..*end + count)?;
    *end += count;
    Some(taken)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))
}

/// A number coded like UTF-8, extended to 36 bits, and the bytes it takes.
fn coded_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let ones = first.leading_ones() as usize;
    let length = match ones {
        0 => return Some((u64::from(first), 1)),
        2..=7 => ones,
        _ => return None,
    };
    // The length's ones and the zero after them; a first byte of 0xfe holds no bits of the number.
    let head = u64::from(first) & ((1 << (7 - ones)) - 1);
    let rest = bytes.get(1..length)?;
    let number = rest.iter().try_fold(head, |sum, &byte| {
        (byte & 0xc0 == 0x80).then_some(sum << 6 | u64::from(byte & 0x3f))
    });
    number.map(|number| (number, length))
}

/// CRC-8 with polynomial 0x07.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_the_catalog_check_string() {
        // The check value of CRC-8/SMBUS.
        assert_eq!(crc8(b"123456789"), 0xf4);
    }

    fn facts() -> StreamFacts {
        StreamFacts {
            sample_rate_hz: 44_100,
            channel_count: 1,
            bit_depth: 16,
            frame_count: Some(1 << 20),
            is_empty: false,
            block_frames: Some(4096),
            frame_bytes_max: None,
            audio_start: 0,
        }
    }

    /// Headers of frame 0, 4096 long, one channel, each with a right checksum.
    fn headers(count: usize) -> Vec<u8> {
        let mut header = vec![0xff, 0xf8, 0xc9, 0x08, 0];
        header.push(crc8(&header));
        let mut bytes = header.repeat(count);
        // What follows ends in no frame's checksum.
        bytes.push(1);
        bytes
    }

    #[test]
    fn tail_with_too_many_headers_is_unknown_and_with_a_few_incomplete() {
        let few = of_tail(&headers(CANDIDATE_COUNT_MAX), &facts());
        assert!(matches!(few, Completeness::Incomplete { .. }), "{few:?}");
        assert_eq!(of_tail(&headers(CANDIDATE_COUNT_MAX + 1), &facts()), Completeness::Unknown);
    }

    #[test]
    fn reach_is_the_largest_frame_where_it_is_known() {
        assert_eq!(reach(&facts()), TAIL_BYTES);
        let known = StreamFacts { frame_bytes_max: Some(9000), ..facts() };
        assert_eq!(reach(&known), 9128);
        let huge = StreamFacts { frame_bytes_max: Some((1 << 24) - 1), ..facts() };
        assert_eq!(reach(&huge), TAIL_BYTES);
    }

    #[test]
    fn coded_numbers_are_read_like_utf_8() {
        assert_eq!(coded_number(&[0x7f]), Some((0x7f, 1)));
        assert_eq!(coded_number("\u{1f600}".as_bytes()), Some((0x1f600, 4)));
        assert_eq!(
            coded_number(&[0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]),
            Some((0xf_ffff_ffff, 7))
        );
        assert_eq!(coded_number(&[0x80]), None);
        assert_eq!(coded_number(&[0xc2]), None);
    }
}
