//! The chunk structure that RIFF and IFF files share.
//!
//! Source: Electronic Arts, "EA IFF 85"; Microsoft/IBM, "Multimedia Programming Interface and Data
//! Specifications 1.0": identifier, length, data, padded to an even length.

use super::{DecodeError, Source};
#[cfg(feature = "mpeg4")]
use std::io::ErrorKind;
use std::io::{Read, SeekFrom};
use wavemill_audio::limits::CHUNK_COUNT_MAX;

/// Byte order of the lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// One chunk's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) id: [u8; 4],
    /// First byte of its data.
    pub(super) start: u64,
    /// Length it states.
    pub(super) claimed: u64,
}

/// Bytes of identifier and length.
pub(super) const HEADER_BYTES: u64 = 8;

/// Walks the chunks of a file.
pub(super) struct Chunks<'a> {
    source: &'a mut dyn Source,
    order: Order,
    position: u64,
    byte_count: u64,
    seen: usize,
}

impl<'a> Chunks<'a> {
    /// Starts at the chunk at byte `position` of a source of `byte_count` bytes.
    pub(super) fn new(
        source: &'a mut dyn Source,
        order: Order,
        position: u64,
        byte_count: u64,
    ) -> Self {
        Self { source, order, position, byte_count, seen: 0 }
    }

    /// The next chunk; `None` when no further header fits into the file.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, DecodeError> {
        if self.position.saturating_add(HEADER_BYTES) > self.byte_count {
            return Ok(None);
        }
        self.seen += 1;
        if self.seen > CHUNK_COUNT_MAX {
            return Err(DecodeError::damaged(format!("more than {CHUNK_COUNT_MAX} chunks")));
        }
        let mut header = [0; 8];
        read_at(self.source, self.position, &mut header)?;
        let [a, b, c, d, length @ ..] = header;
        let claimed = match self.order {
            Order::Little => u32::from_le_bytes(length),
            Order::Big => u32::from_be_bytes(length),
        };
        let start = self.position + HEADER_BYTES;
        let chunk = Chunk { id: [a, b, c, d], start, claimed: u64::from(claimed) };
        self.skip(chunk, chunk.claimed);
        Ok(Some(chunk))
    }

    /// Continues after `length` bytes of `chunk`, where its own header is known to be wrong.
    pub(super) fn skip(&mut self, chunk: Chunk, length: u64) {
        self.position = chunk.start.saturating_add(length).saturating_add(length & 1);
    }

    /// Reads up to `count_max` bytes of a chunk's data; fewer when the chunk or the file is shorter.
    pub(super) fn data(&mut self, chunk: Chunk, count_max: usize) -> Result<Vec<u8>, DecodeError> {
        let there = self.byte_count.saturating_sub(chunk.start).min(chunk.claimed);
        let count = usize::try_from(there).unwrap_or(usize::MAX).min(count_max);
        let mut data = vec![0; count];
        read_at(self.source, chunk.start, &mut data)?;
        Ok(data)
    }
}

/// What a file without the chunk `name` is: cut short, where it promises more bytes than are there.
pub(super) fn missing(name: &str, promised_bytes: Option<u64>, byte_count: u64) -> DecodeError {
    match promised_bytes {
        Some(promised) if promised > byte_count => DecodeError::truncated(
            format_args!("{promised} bytes"),
            format_args!("{byte_count} bytes"),
        ),
        _ => DecodeError::damaged(format!("it has no `{name}` chunk")),
    }
}

/// Fills `buffer` from byte `position`.
pub(super) fn read_at(
    source: &mut dyn Source,
    position: u64,
    buffer: &mut [u8],
) -> Result<(), DecodeError> {
    source.seek(SeekFrom::Start(position))?;
    Ok(source.read_exact(buffer)?)
}

/// Reads the next `length` bytes, those of a packet.
#[cfg(feature = "mpeg4")]
pub(super) fn read_packet(reader: &mut impl Read, length: usize) -> Result<Vec<u8>, DecodeError> {
    let mut data = vec![0; length];
    reader.read_exact(&mut data).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => {
            DecodeError::truncated(format_args!("a packet of {length} bytes"), "fewer")
        }
        _ => DecodeError::Io(error),
    })?;
    Ok(data)
}

/// Reads up to `buffer.len()` bytes from byte `position`; fewer at the end of the file.
pub(super) fn read_up_to(
    source: &mut dyn Source,
    position: u64,
    count_max: usize,
) -> Result<Vec<u8>, DecodeError> {
    source.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    source.take(count_max as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The little-endian 16-bit number at `offset`, if it is there.
pub(super) fn u16_le(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

/// The little-endian 32-bit number at `offset`, if it is there.
pub(super) fn u32_le(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The little-endian 64-bit number at `offset`, if it is there.
pub(super) fn u64_le(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The big-endian 16-bit number at `offset`, if it is there.
pub(super) fn u16_be(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// The big-endian 32-bit number at `offset`, if it is there.
pub(super) fn u32_be(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The big-endian 64-bit number at `offset`, if it is there.
pub(super) fn u64_be(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}
