//! Marked places of a CAF file, with their names.
//!
//! Source: Apple, "Apple Core Audio Format Specification 1.0", "Marker Chunk", "Strings Chunk".

use super::read_header;
use crate::decode::chunks::{u32_be, u64_be};
use crate::decode::{Damaged, DecodeError, Source, byte_count};

/// Bytes of the fields before the markers: the kind of times, and how many there are.
const HEAD_BYTES: usize = 8;

/// Bytes of a marker: its kind, frame, number, a time of eight bytes, and a channel.
const MARKER_BYTES: usize = 28;

/// Bytes of what says where a string is: its number, and the place behind all of these.
const STRING_BYTES: usize = 12;

/// Kinds of markers at which something ends: `pend`, `tend`, `rend`, `send`.
const ENDS: [[u8; 4]; 4] = [*b"pend", *b"tend", *b"rend", *b"send"];

/// The places at which something is or begins, at most `count_max`, in frames and with their names; those at
/// which something ends are left out.
pub(crate) fn markers(
    source: &mut dyn Source,
    count_max: usize,
    byte_count_max: usize,
) -> Result<Vec<(u64, Option<String>)>, DecodeError> {
    let byte_count = byte_count(source)?;
    let header = read_header(source, byte_count, Damaged::Refuse)?;
    let Some(range) = header.markers else { return Ok(Vec::new()) };
    let marks = range.read(source, byte_count_max, byte_count)?;
    let strings = match header.strings {
        Some(range) => range.read(source, byte_count_max, byte_count)?,
        None => Vec::new(),
    };
    let count = u32_be(&marks, 4).map_or(0, |count| count as usize).min(count_max);
    let rows = marks.get(HEAD_BYTES..).unwrap_or_default().chunks_exact(MARKER_BYTES).take(count);
    Ok(rows.filter_map(|row| place(row, &strings)).collect())
}

fn place(row: &[u8], strings: &[u8]) -> Option<(u64, Option<String>)> {
    let frame = f64::from_bits(u64_be(row, 4)?);
    if ENDS.iter().any(|end| row.starts_with(end)) || !(0.0..=MOST_FRAMES).contains(&frame) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in the range above"
    )]
    let frame = frame.round() as u64;
    Some((frame, u32_be(row, 12).and_then(|number| string(strings, number))))
}

/// Frames that floats count exactly.
const MOST_FRAMES: f64 = 9_007_199_254_740_992.0;

/// The string of a number; places are counted behind the table of all places.
fn string(strings: &[u8], number: u32) -> Option<String> {
    let count = u32_be(strings, 0)? as usize;
    let table = strings.get(4..)?;
    let texts = table.get(count.checked_mul(STRING_BYTES)?..)?;
    let row =
        table.chunks_exact(STRING_BYTES).take(count).find(|row| u32_be(row, 0) == Some(number))?;
    let text = texts.get(usize::try_from(u64_be(row, 4)?).ok()?..)?;
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    Some(String::from_utf8_lossy(&text[..end]).into_owned())
}
