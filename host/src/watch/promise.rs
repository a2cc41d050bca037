//! Whether a file holds the bytes its header promises.

use std::fs::File;
use std::io;

/// What is missing from a file of this size, to be read after its name; `None` if nothing is.
pub(super) fn missing(file: &mut File, size_bytes: u64) -> io::Result<Option<String>> {
    if size_bytes == 0 {
        return Ok(Some("is empty (0 bytes)".into()));
    }
    riff::missing(file, size_bytes)
}

/// RIFF/WAVE and FORM/AIFF, by their chunks.
mod riff {
    use std::fs::File;
    use std::io::{self, Read, Seek, SeekFrom};

    /// Chunks looked at before giving up: real files have some dozens.
    const CHUNKS_MAX: usize = 4096;

    /// Sizes from here on are what streaming writers leave before they know better.
    const SIZE_UNKNOWN: u32 = 0xffff_0000;

    pub(super) fn missing(file: &mut File, size_bytes: u64) -> io::Result<Option<String>> {
        let mut head = [0; 12];
        file.rewind()?;
        if size_bytes < 12 {
            return Ok(None);
        }
        file.read_exact(&mut head)?;
        let data_id = match (&head[..4], &head[8..]) {
            (b"RIFF", b"WAVE") => b"data",
            (b"FORM", b"AIFF" | b"AIFC") => b"SSND",
            _ => return Ok(None),
        };
        let is_big_endian = &head[..4] == b"FORM";
        let end = data_end(file, size_bytes, *data_id, is_big_endian)?;
        Ok(end.filter(|end| *end > size_bytes).map(|end| {
            format!("is cut short: its header promises {end} bytes, there are {size_bytes}")
        }))
    }

    /// Where the chunk with the samples, or the last chunk before it, ends.
    fn data_end(
        file: &mut File,
        size_bytes: u64,
        data_id: [u8; 4],
        is_big_endian: bool,
    ) -> io::Result<Option<u64>> {
        let mut offset = 12_u64;
        for _ in 0..CHUNKS_MAX {
            if offset + 8 > size_bytes {
                return Ok(None);
            }
            let mut head = [0; 8];
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut head)?;
            let [a, b, c, d, size @ ..] = head;
            let length =
                if is_big_endian { u32::from_be_bytes(size) } else { u32::from_le_bytes(size) };
            let end = offset + 8 + u64::from(length);
            if [a, b, c, d] == data_id {
                return Ok((length < SIZE_UNKNOWN).then_some(end));
            }
            offset = end + end % 2;
        }
        Ok(None)
    }
}
