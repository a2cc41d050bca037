//! Chunks that carry tags.

use crate::encode::id3;
use crate::tags::{Broadcast, Tags};

/// Appends a chunk with its header and, after an odd number of bytes, a pad byte.
///
/// # Panics
/// When the body exceeds 4 GB; tags are bounded far below.
pub(super) fn push(bytes: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    let size = u32::try_from(body.len()).expect("tags are bounded by the limits");
    bytes.extend(id);
    bytes.extend(size.to_le_bytes());
    bytes.extend(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
}

/// Appends a `LIST` chunk of type `INFO` with the tags it has names for, or nothing when there are
/// none. Text is UTF-8, as current tools write and read it.
///
/// Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"; `ITRK`
/// and `IFRM` are what taggers use for track numbers.
pub(super) fn push_info(bytes: &mut Vec<u8>, tags: &Tags) {
    let track = id3::part_of(tags.track, tags.track_total);
    let year = tags.year.map(|year| year.to_string());
    let entries: [(&[u8; 4], Option<&str>); 9] = [
        (b"INAM", tags.title.as_deref()),
        (b"IART", tags.artist.as_deref()),
        (b"IPRD", tags.album.as_deref()),
        (b"IMUS", tags.composer.as_deref()),
        (b"IGNR", tags.genre.as_deref()),
        (b"ICRD", tags.date.as_deref().or(year.as_deref())),
        (b"ITRK", track.as_deref()),
        (b"ICMT", tags.comment.as_deref()),
        (b"ICOP", tags.copyright.as_deref()),
    ];
    let mut list = b"INFO".to_vec();
    for (id, text) in entries {
        if let Some(text) = text {
            // Text ends with a zero, so one inside would cut it.
            let mut body: Vec<u8> = text.bytes().filter(|&byte| byte != 0).collect();
            body.push(0);
            push(&mut list, *id, &body);
        }
    }
    if list.len() > 4 {
        push(bytes, *b"LIST", &list);
    }
}

/// An ID3 tag, which taggers keep in a chunk called `id3 `; `None` when a `LIST` chunk carries
/// everything there is.
pub(super) fn id3_tag(tags: &Tags) -> Option<Vec<u8>> {
    let is_needed = tags.album_artist.is_some()
        || tags.disc.is_some()
        || tags.bpm.is_some()
        || tags.key.is_some()
        || tags.isrc.is_some()
        || tags.lyrics.is_some()
        || !tags.pictures.is_empty()
        || tags.replay_gain.is_some();
    is_needed.then(|| id3::tag(tags)).flatten()
}

/// The body of a `bext` chunk of version 1: without loudness fields, because those of the source
/// would no longer be true.
///
/// Source: EBU Tech 3285 v2.
pub(super) fn bext(broadcast: &Broadcast) -> Vec<u8> {
    const VERSION: u16 = 1;
    const UMID_LOUDNESS_AND_RESERVED_BYTES: usize = 64 + 10 + 180;
    let mut body = Vec::with_capacity(602);
    push_text(&mut body, broadcast.description.as_deref(), 256);
    push_text(&mut body, broadcast.originator.as_deref(), 32);
    push_text(&mut body, broadcast.reference.as_deref(), 32);
    push_text(&mut body, broadcast.date.as_deref(), 10);
    push_text(&mut body, broadcast.time.as_deref(), 8);
    body.extend(broadcast.time_reference.unwrap_or(0).to_le_bytes());
    body.extend(VERSION.to_le_bytes());
    body.resize(body.len() + UMID_LOUDNESS_AND_RESERVED_BYTES, 0);
    body
}

/// Appends a text field of `size` bytes, padded with zeros; longer text is cut between characters.
fn push_text(body: &mut Vec<u8>, text: Option<&str>, size: usize) {
    let text = text.unwrap_or_default();
    let cut = text.floor_char_boundary(size);
    let end = body.len() + size;
    body.extend(text[..cut].bytes());
    body.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id3_tag_is_left_out_where_a_list_chunk_says_everything() {
        let tags = Tags { title: Some("x".to_owned()), track: Some(1), ..Tags::default() };
        assert_eq!(id3_tag(&tags), None);
        assert!(id3_tag(&Tags { isrc: Some("x".to_owned()), ..tags }).is_some());
    }
}
