//! The structure of MPEG-4 and `QuickTime` files: atoms, which hold data or other atoms.
//!
//! Source: ISO/IEC 14496-12:2022, 4.2: a length of 32 bits that counts itself, a name, data. A length of
//! 1 is followed by one of 64 bits; 0 means up to the end of the file.

use crate::decode::chunks::{read_at, u32_be, u64_be};
use crate::decode::{DecodeError, Source};
use wavemill_audio::limits::CHUNK_COUNT_MAX;

/// Most atoms in a row in a file: fragments of a quarter of a second in the longest file accepted.
const FILE_ATOMS_MAX: usize = 3 << 20;

/// Bytes of length and name.
const HEADER_BYTES: u64 = 8;

/// One atom's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) kind: [u8; 4],
    /// First byte of its data.
    pub(super) start: u64,
    /// First byte after it, by its own account.
    pub(super) end: u64,
    /// Whether it says so, and not just that it goes on to the end of the file.
    pub(super) is_length_known: bool,
}

impl Atom {
    /// Bytes of its data.
    pub(super) fn length(self) -> u64 {
        self.end - self.start
    }

    /// Up to `count_max` bytes of its data.
    pub(super) fn data(
        self,
        source: &mut dyn Source,
        count_max: usize,
    ) -> Result<Vec<u8>, DecodeError> {
        let count = usize::try_from(self.length()).unwrap_or(usize::MAX).min(count_max);
        let mut data = vec![0; count];
        read_at(source, self.start, &mut data)?;
        Ok(data)
    }

    /// The atoms inside of it.
    pub(super) fn children(self) -> Atoms {
        Atoms::new(self.start, self.end)
    }
}

/// Walks over atoms that follow each other.
pub(super) struct Atoms {
    position: u64,
    end: u64,
    seen: usize,
    seen_max: usize,
}

impl Atoms {
    /// The atoms in the bytes `[start, end)`.
    pub(super) fn new(start: u64, end: u64) -> Self {
        Self { position: start, end, seen: 0, seen_max: CHUNK_COUNT_MAX }
    }

    /// The same where there may be many: fragments.
    pub(super) fn of_file(end: u64) -> Self {
        Self { seen_max: FILE_ATOMS_MAX, ..Self::new(0, end) }
    }

    /// Where the next one begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next atom, whose own account of its end may lie beyond that of what holds it; `None` when
    /// nothing follows but a few bytes or zeros.
    pub(super) fn next_claimed(
        &mut self,
        source: &mut dyn Source,
    ) -> Result<Option<Atom>, DecodeError> {
        let left = self.end.saturating_sub(self.position);
        if left < HEADER_BYTES {
            return Ok(None);
        }
        self.seen += 1;
        if self.seen > self.seen_max {
            return Err(DecodeError::damaged(format!("more than {} atoms", self.seen_max)));
        }
        let mut header = [0; 16];
        let header_bytes = if left < 16 { 8 } else { 16 };
        read_at(source, self.position, &mut header[..header_bytes])?;
        if header[..8] == [0; 8] {
            return Ok(None);
        }
        let kind = [header[4], header[5], header[6], header[7]];
        let short = u32_be(&header, 0).map_or(0, u64::from);
        let long = u64_be(&header, 8).unwrap_or(0);
        let (header_bytes, length) = match short {
            0 => (HEADER_BYTES, left),
            1 => (2 * HEADER_BYTES, long),
            length => (HEADER_BYTES, length),
        };
        if length < header_bytes {
            return Err(DecodeError::damaged(format!(
                "its atom `{}` claims {length} bytes",
                kind.escape_ascii()
            )));
        }
        let start = self.position + header_bytes;
        let end = self.position.saturating_add(length);
        self.position = end;
        Ok(Some(Atom { kind, start, end, is_length_known: short != 0 }))
    }

    /// The next atom.
    ///
    /// # Errors
    /// When it is longer than what holds it.
    pub(super) fn next(&mut self, source: &mut dyn Source) -> Result<Option<Atom>, DecodeError> {
        let end = self.end;
        match self.next_claimed(source)? {
            Some(atom) if atom.end > end || atom.start > end => Err(DecodeError::damaged(format!(
                "its atom `{}` is longer than the one around it",
                atom.kind.escape_ascii()
            ))),
            other => Ok(other),
        }
    }
}

/// The atoms in bytes that were read, with their data; ends where they do.
pub(super) fn inside(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_be(rest, 0)?).ok()?;
        let kind = *rest.get(4..8)?.first_chunk()?;
        let data = rest.get(8..length)?;
        rest = &rest[length..];
        Some((kind, data))
    })
}
