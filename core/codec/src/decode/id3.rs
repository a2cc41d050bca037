//! `ID3v2` tags in front of the audio: how many bytes to skip.
//!
//! Source: M. Nilsson, "ID3 tag version 2.4.0 - Main Structure", 3.1.

use super::chunks::read_up_to;
use super::{DecodeError, Source};

/// Most tags skipped in a row; taggers that do not see each other write two or three.
const TAG_COUNT_MAX: usize = 16;

/// First byte after the tags at the start of `source`.
///
/// # Errors
/// When a tag promises more bytes than there are.
pub(super) fn skip(source: &mut dyn Source, byte_count: u64) -> Result<u64, DecodeError> {
    let mut position = 0;
    for _ in 0..TAG_COUNT_MAX {
        let Some(length) = tag_length(&read_up_to(source, position, 10)?) else {
            return Ok(position);
        };
        position += length;
        if position > byte_count {
            return Err(DecodeError::truncated(
                format_args!("{position} bytes of ID3 tag"),
                format_args!("{byte_count} bytes"),
            ));
        }
    }
    Ok(position)
}

/// The tag at the start of `source`, its header included; nothing where there is none, or one that is longer
/// than `byte_count_max`.
pub(crate) fn first(
    source: &mut dyn Source,
    byte_count_max: usize,
) -> Result<Vec<u8>, DecodeError> {
    let length = tag_length(&read_up_to(source, 0, 10)?).unwrap_or(0);
    match usize::try_from(length) {
        Ok(length) if length <= byte_count_max => read_up_to(source, 0, length),
        _ => Ok(Vec::new()),
    }
}

/// Bytes of the tag that `header` starts, its header and footer included.
pub(super) fn tag_length(header: &[u8]) -> Option<u64> {
    let &[b'I', b'D', b'3', major, revision, flags, a, b, c, d] = header.first_chunk::<10>()?
    else {
        return None;
    };
    let sizes = [a, b, c, d];
    if major == 0xff || revision == 0xff || sizes.iter().any(|byte| byte & 0x80 != 0) {
        return None;
    }
    let body = sizes.iter().fold(0, |sum, &byte| sum << 7 | u64::from(byte));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    Some(10 + body + footer)
}
