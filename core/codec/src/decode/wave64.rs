//! Sony Wave64 files: WAVE with lengths of 64 bits.
//!
//! Source: Sony Pictures Digital, "Sony Wave64 White Paper" (2003): chunks are named by GUIDs, whose first
//! four bytes are the letters of WAVE's; a length counts the 24 bytes of name and length as well; chunks
//! begin at multiples of eight bytes.

use super::chunks::{read_up_to, u64_le};
use super::wav::{self, Data, Header};
use super::{Damaged, DecodeError, Decoder, Source};
use wavemill_audio::limits::CHUNK_COUNT_MAX;

/// GUID of the file's outermost chunk.
pub(super) const RIFF: &[u8; 16] = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0";

/// What follows the letters in the GUIDs of the others.
const TAIL: &[u8; 12] = b"\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a";

/// Bytes of name and length.
const HEADER_BYTES: u64 = 24;

/// First byte of the first chunk, after the outermost header and the GUID of the file's type.
const CHUNKS_START: u64 = 40;

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let header = read_header(source.as_mut(), byte_count)?;
    wav::open_samples(source, "w64", header, byte_count, damaged)
}

/// Finds the chunks that matter for decoding.
pub(super) fn read_header(source: &mut dyn Source, byte_count: u64) -> Result<Header, DecodeError> {
    let start = read_up_to(source, 0, 40)?;
    let claimed = u64_le(&start, 16).and_then(length);
    if start.get(24..28) != Some(b"wave") || start.get(28..40) != Some(TAIL) {
        return Err(match claimed {
            Some(claimed) if start.len() < 40 => DecodeError::truncated(
                format_args!("{claimed} bytes"),
                format_args!("{byte_count} bytes"),
            ),
            _ => DecodeError::unsupported("Wave64 without audio"),
        });
    }
    let mut header = Header { promised_bytes: claimed, fmt: None, fact: None, data: None };
    let mut position = CHUNKS_START;
    for _ in 0..CHUNK_COUNT_MAX {
        let head = read_up_to(source, position, RIFF.len() + 8)?;
        let Some(stated) = u64_le(&head, 16) else { return Ok(header) };
        let (start, claimed) = (position + HEADER_BYTES, length(stated));
        if stated < HEADER_BYTES {
            // Zeros that pad a file are no chunks.
            return Ok(header);
        }
        if head[4..16] == *TAIL {
            match &head[..4] {
                b"fmt " if header.fmt.is_none() => {
                    let there = stated.min(HEADER_BYTES + wav::FMT_BYTES as u64) - HEADER_BYTES;
                    let count = usize::try_from(there).expect("is a few bytes");
                    header.fmt = Some(read_up_to(source, start, count)?);
                }
                b"fact" if header.fact.is_none() => {
                    header.fact = u64_le(&read_up_to(source, start, 8)?, 0);
                }
                b"data" if header.data.is_none() => {
                    let claimed = claimed.map(|claimed| claimed - HEADER_BYTES);
                    header.data = Some(Data { start, claimed });
                }
                _ => {}
            }
        }
        // Nothing after samples of unknown length can be found.
        let next = claimed.and_then(|claimed| position.checked_add(claimed));
        let next = next.and_then(|end| end.checked_next_multiple_of(8));
        match next.filter(|&next| next < byte_count) {
            Some(next) if header.fmt.is_none() || header.data.is_none() => position = next,
            _ => return Ok(header),
        }
    }
    Err(DecodeError::damaged(format!("more than {CHUNK_COUNT_MAX} chunks")))
}

/// A length, unless its writer did not know it: into a pipe ffmpeg writes the largest numbers.
fn length(stated: u64) -> Option<u64> {
    (stated >= HEADER_BYTES && stated < i64::MAX.cast_unsigned()).then_some(stated)
}
