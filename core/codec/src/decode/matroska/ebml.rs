//! The elements of Matroska files: a name, a length, data or further elements.
//!
//! Source: RFC 8794, 4 to 7.

use crate::decode::{DecodeError, ReadAhead, Source};
use std::io::{ErrorKind, Read, Seek, SeekFrom};

/// Bytes read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// One element's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    /// With its marker bits, as documents write it.
    pub(super) id: u32,
    /// First byte of its data.
    pub(super) start: u64,
    /// First byte after it; `None` when its writer did not know.
    pub(super) end: Option<u64>,
}

/// Reads elements one after another.
pub(super) struct Elements<S = Box<dyn Source>> {
    reader: ReadAhead<S>,
    position: u64,
    byte_count: u64,
}

impl<S: Read + Seek> Elements<S> {
    /// Begins at the start of a source of `byte_count` bytes.
    pub(super) fn new(source: S, byte_count: u64) -> Result<Self, DecodeError> {
        let mut reader = ReadAhead::new(BUFFER_BYTES, source);
        reader.seek(SeekFrom::Start(0))?;
        Ok(Self { reader, position: 0, byte_count })
    }

    /// Where it reads next.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the source.
    pub(super) fn byte_count(&self) -> u64 {
        self.byte_count
    }

    /// Reads on at byte `to`.
    pub(super) fn go_to(&mut self, to: u64) -> Result<(), DecodeError> {
        self.reader.seek(SeekFrom::Start(to))?;
        self.position = to;
        Ok(())
    }

    /// The element that begins here; `None` at the end of the source.
    pub(super) fn next(&mut self) -> Result<Option<Element>, DecodeError> {
        if self.position >= self.byte_count {
            return Ok(None);
        }
        let at = self.position;
        let bad = || DecodeError::damaged(format!("no element at byte {at}"));
        let (id, _) = self.number(4, false)?.ok_or_else(bad)?;
        let (length, is_unknown) = self.number(8, true)?.ok_or_else(bad)?;
        let start = self.position;
        let end = (!is_unknown).then(|| start.saturating_add(length));
        Ok(Some(Element { id: u32::try_from(id).expect("has four bytes"), start, end }))
    }

    /// A number whose first byte says how many bytes it has, up to `byte_count_max`; whether it is the one
    /// that stands for "unknown".
    fn number(
        &mut self,
        byte_count_max: u32,
        is_unmarked: bool,
    ) -> Result<Option<(u64, bool)>, DecodeError> {
        let mut bytes = [0; 8];
        self.read(&mut bytes[..1])?;
        let count = bytes[0].leading_zeros() + 1;
        if count > byte_count_max {
            return Ok(None);
        }
        let count = count as usize;
        self.read(&mut bytes[1..count])?;
        let marked = u64::from_be_bytes(bytes) >> (64 - 8 * count);
        let value = marked & ((1 << (7 * count)) - 1);
        Ok(Some((if is_unmarked { value } else { marked }, value == (1 << (7 * count)) - 1)))
    }

    /// Fills `buffer`.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<(), DecodeError> {
        let end = self.position + buffer.len() as u64;
        let cut = || {
            DecodeError::truncated(
                format_args!("{end} bytes"),
                format_args!("{} bytes", self.byte_count),
            )
        };
        if end > self.byte_count {
            return Err(cut());
        }
        match self.reader.read_exact(buffer) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(cut()),
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.position = end;
                Ok(())
            }
        }
    }

    /// Reads an element's data and goes behind it.
    ///
    /// # Errors
    /// When it is longer than `byte_count_max` or than the file.
    pub(super) fn data(
        &mut self,
        element: Element,
        byte_count_max: u64,
    ) -> Result<Vec<u8>, DecodeError> {
        let length = element.end.map_or(u64::MAX, |end| end - element.start);
        if length > byte_count_max {
            return Err(DecodeError::damaged(format!(
                "its element {:x} has more than {byte_count_max} bytes",
                element.id
            )));
        }
        let end = element.start.saturating_add(length);
        if end > self.byte_count {
            return Err(DecodeError::truncated(
                format_args!("{end} bytes"),
                format_args!("{} bytes", self.byte_count),
            ));
        }
        self.go_to(element.start)?;
        let mut data = vec![0; usize::try_from(length).expect("is within the limit")];
        self.read(&mut data)?;
        Ok(data)
    }

    /// Goes behind an element.
    pub(super) fn skip(&mut self, element: Element) -> Result<(), DecodeError> {
        let end = element.end.ok_or_else(|| {
            DecodeError::damaged(format!("its element {:x} has no length", element.id))
        })?;
        if end > self.byte_count {
            return Err(DecodeError::truncated(
                format_args!("{end} bytes"),
                format_args!("{} bytes", self.byte_count),
            ));
        }
        self.go_to(end)
    }
}

/// Splits a number off whose first byte says how long it is, and says how long that was.
pub(super) fn split_number(bytes: &[u8]) -> Option<(u64, usize, &[u8])> {
    let count = bytes.first()?.leading_zeros() as usize + 1;
    if count > 8 {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(count)?;
    let marked = number.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    Some((marked & ((1 << (7 * count)) - 1), count, rest))
}

/// The elements in bytes that were read, with their data; ends where they do.
pub(super) fn inside(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let count = rest.first()?.leading_zeros() as usize + 1;
        let (id, after) = rest.split_at_checked(count).filter(|_| count <= 4)?;
        let id = id.iter().fold(0, |id, &byte| id << 8 | u32::from(byte));
        let (length, _, after) = split_number(after)?;
        let (data, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        rest = after;
        Some((id, data))
    })
}

/// An unsigned number of up to eight bytes.
pub(super) fn unsigned(data: &[u8]) -> Option<u64> {
    let is_number = data.len() <= 8;
    is_number.then(|| data.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// A signed number of up to eight bytes.
pub(super) fn signed(data: &[u8]) -> Option<i64> {
    let value = unsigned(data)?;
    match 64 - 8 * data.len() {
        64 => Some(0),
        unused => Some((value << unused).cast_signed() >> unused),
    }
}

/// A float of four or eight bytes.
pub(super) fn float(data: &[u8]) -> Option<f64> {
    match data.len() {
        0 => Some(0.0),
        4 => Some(f32::from_be_bytes(*data.first_chunk()?).into()),
        8 => Some(f64::from_be_bytes(*data.first_chunk()?)),
        _ => None,
    }
}

/// A text, which zeros may end.
pub(super) fn text(data: &[u8]) -> String {
    let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    String::from_utf8_lossy(&data[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_inside_are_split_and_end_where_they_do() {
        let bytes = [0x86, 0x82, 1, 2, 0x42, 0x82, 0x40, 0x01, 9, 0x86, 0x85, 1];
        let found: Vec<_> = inside(&bytes).collect();
        assert_eq!(found, [(0x86, &[1, 2][..]), (0x4282, &[9])]);
        assert_eq!(inside(&[0x01, 0x80]).count(), 0);
    }

    #[test]
    fn numbers_are_read_with_their_signs() {
        assert_eq!(unsigned(&[1, 0]), Some(256));
        assert_eq!(unsigned(&[0; 9]), None);
        assert_eq!(
            (signed(&[0xff]), signed(&[0x7f, 0xff]), signed(&[])),
            (Some(-1), Some(32767), Some(0))
        );
        assert_eq!(float(&[0x3f, 0x80, 0, 0]), Some(1.0));
        assert_eq!(text(b"ab\0c"), "ab");
    }
}
