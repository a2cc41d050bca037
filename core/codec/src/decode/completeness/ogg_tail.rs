//! Whether the last page of an Ogg file is there.
//!
//! Source: RFC 3533, 6.

use super::Completeness;
use crate::decode::chunks::read_up_to;
use crate::decode::{DecodeError, Source};

/// Longest page: a header of 27 bytes, 255 segment lengths, 255 segments of 255 bytes.
const PAGE_BYTES_MAX: usize = 27 + 255 + 255 * 255;

/// Header flag of a stream's last page.
const LAST_PAGE: u8 = 4;

pub(super) fn check(source: &mut dyn Source, byte_count: u64) -> Result<Completeness, DecodeError> {
    let start = byte_count.saturating_sub(PAGE_BYTES_MAX as u64);
    let tail = read_up_to(source, start, PAGE_BYTES_MAX)?;
    let page = (0..tail.len()).rev().find(|&offset| is_page(&tail[offset..]));
    let Some(page) = page.map(|offset| &tail[offset..]) else { return Ok(Completeness::Unknown) };
    let Some(length) = page_length(page) else {
        return Ok(Completeness::incomplete("a whole last page", "only the start of one"));
    };
    if length > page.len() {
        return Ok(Completeness::incomplete(
            format_args!("{length} bytes of its last page"),
            page.len(),
        ));
    }
    if page[5] & LAST_PAGE == 0 {
        return Ok(Completeness::incomplete("a page that ends the stream", "none"));
    }
    Ok(Completeness::Complete)
}

/// Whether a page header, or as much of it as is there, starts here.
fn is_page(bytes: &[u8]) -> bool {
    // Version 0, and no more than the three flags that exist.
    bytes.starts_with(b"OggS\0") && bytes.get(5).is_none_or(|&flags| flags <= 7)
}

/// Length of a page by its header, if all of that is there.
fn page_length(page: &[u8]) -> Option<usize> {
    let segment_count = usize::from(*page.get(26)?);
    let lengths = page.get(27..27 + segment_count)?;
    let body: usize = lengths.iter().map(|&length| usize::from(length)).sum();
    Some(27 + segment_count + body)
}
