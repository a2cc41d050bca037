//! Finds the elements again behind bytes that are none.

use super::ebml::{Element, Elements, split_number};
use super::header::id;
use crate::decode::DecodeError;

/// What stands in a segment or a cluster: blocks and their groups, clusters, times, positions, the sizes
/// of the one before, silent tracks, information, cues, tags, chapters, attachments, seek heads, checksums
/// and room.
///
/// Source: RFC 9559, 5.1.
const KNOWN: [u32; 16] = [
    id::SIMPLE_BLOCK,
    id::BLOCK_GROUP,
    id::CLUSTER,
    id::TIMESTAMP,
    0xa7,
    0xab,
    0x5854,
    id::INFO,
    0x1c53_bb6b,
    0x1254_c367,
    0x1043_a770,
    0x1941_a469,
    0x114d_9b74,
    0xbf,
    0xec,
    id::TRACKS,
];

/// Where a block of `track`, a group or a cluster begins that something known follows, from byte `start`
/// on.
pub(super) fn find(
    elements: &mut Elements,
    start: u64,
    track: u64,
) -> Result<Option<u64>, DecodeError> {
    for at in start..elements.byte_count() {
        if is_begin(elements, at, track)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn is_begin(elements: &mut Elements, at: u64, track: u64) -> Result<bool, DecodeError> {
    let Some(element) = element_at(elements, at)? else { return Ok(false) };
    let holds = match element.id {
        // What it holds follows.
        id::CLUSTER => {
            return Ok(element_at(elements, element.start)?.is_some_and(|first| is_known(&first)));
        }
        id::SIMPLE_BLOCK => {
            let mut head = [0; 8];
            elements.go_to(element.start)?;
            elements.read(&mut head).is_ok()
                && split_number(&head).is_some_and(|(number, _, _)| number == track)
        }
        id::BLOCK_GROUP => {
            element_at(elements, element.start)?.is_some_and(|first| first.id == id::BLOCK)
        }
        _ => false,
    };
    let Some(end) = element.end.filter(|&end| holds && end <= elements.byte_count()) else {
        return Ok(false);
    };
    let is_last = end == elements.byte_count();
    Ok(is_last || element_at(elements, end)?.is_some_and(|next| is_known(&next)))
}

pub(super) fn is_known(element: &Element) -> bool {
    KNOWN.contains(&element.id)
}

/// The element at byte `at`, if one can be there.
fn element_at(elements: &mut Elements, at: u64) -> Result<Option<Element>, DecodeError> {
    if at >= elements.byte_count() {
        return Ok(None);
    }
    elements.go_to(at)?;
    match elements.next() {
        Err(DecodeError::Damaged { .. } | DecodeError::Truncated { .. }) => Ok(None),
        other => other,
    }
}
