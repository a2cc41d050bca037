//! The blocks in front of the frames.
//!
//! Source: RFC 9639, 8.

use crate::encode::{EncodeError, EncodeSettings, Sink, comments};
use crate::tags::ReplayGain;
use std::io::SeekFrom;
use wavemill_audio::ChannelLayout;

/// Bytes of a block's header.
const HEADER_BYTES: usize = 4;

/// Bytes of STREAMINFO without its header.
const STREAMINFO_BYTES: usize = 34;

/// Most bytes of a block: its length has 24 bits.
const BLOCK_BYTES_MAX: usize = (1 << 24) - 1;

/// Bytes of padding: some fields more, and the `ReplayGain` that is known after the samples.
const PADDING_BYTES: usize = 1024;

/// Seek points are this far apart, in seconds; players interpolate in between.
const SEEK_POINT_EVERY_S: u64 = 10;

/// Most seek points: 6 hours at the usual distance; longer files get them farther apart.
const SEEK_POINTS_MAX: u64 = 2160;

/// Bytes of a seek point.
const SEEK_POINT_BYTES: usize = 18;

/// Where in the file STREAMINFO begins: after `fLaC` and its header.
pub(super) const STREAMINFO_AT: u64 = 8;

/// What STREAMINFO says of the whole stream; complete only after the last frame.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamFacts {
    pub(super) frame_bytes_min: u32,
    pub(super) frame_bytes_max: u32,
    pub(super) frame_count: u64,
    pub(super) md5: [u8; 16],
}

/// A seek point: a frame's first sample, its distance from the first frame, its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeekPoint {
    pub(super) first: u64,
    pub(super) offset: u64,
    pub(super) length: u16,
}

/// Everything before the first frame; STREAMINFO and the seek points are filled in at the end.
pub(super) struct Preamble {
    pub(super) bytes: Vec<u8>,
    /// Where the seek points begin, and how many have room.
    pub(super) seek_table_at: u64,
    pub(super) seek_points: u64,
}

pub(super) fn preamble(settings: &EncodeSettings, block_length: u16) -> Preamble {
    let mut bytes = b"fLaC".to_vec();
    put_block(&mut bytes, 0, &stream_info(settings, block_length, &StreamFacts::default()));
    let seek_points = seek_point_count(settings);
    let seek_table_at = (bytes.len() + HEADER_BYTES) as u64;
    if seek_points > 0 {
        let placeholders = (0..seek_points).flat_map(|_| placeholder()).collect::<Vec<_>>();
        put_block(&mut bytes, 3, &placeholders);
    }
    put_tags(&mut bytes, settings);
    Preamble { bytes, seek_table_at, seek_points }
}

/// Comments, pictures, and room for more, as long whether or not `ReplayGain` is known yet.
fn put_tags(bytes: &mut Vec<u8>, settings: &EncodeSettings) {
    let comment = vorbis_comment(settings, settings.tags.replay_gain.as_ref());
    let later = comment.len() - vorbis_comment(settings, None).len();
    put_block(bytes, 4, &comment);
    for picture in &settings.tags.pictures {
        let block = comments::picture(picture);
        if block.len() <= BLOCK_BYTES_MAX {
            put_block(bytes, 6, &block);
        }
    }
    // Room for taggers, so that editing a title does not rewrite the file; also the last block.
    put_block(bytes, 0x80 | 1, &vec![0; PADDING_BYTES.saturating_sub(later)]);
}

/// See [`crate::encode::Retag`].
pub(super) fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let seek_points = seek_point_count(settings);
    let mut tags_at = STREAMINFO_AT + STREAMINFO_BYTES as u64;
    if seek_points > 0 {
        tags_at += HEADER_BYTES as u64 + seek_points * SEEK_POINT_BYTES as u64;
    }
    let mut bytes = Vec::new();
    put_tags(&mut bytes, settings);
    sink.seek(SeekFrom::Start(tags_at))?;
    sink.write_all(&bytes)?;
    sink.flush()?;
    Ok(())
}

fn put_block(bytes: &mut Vec<u8>, kind: u8, block: &[u8]) {
    let length = u32::try_from(block.len()).expect("blocks are bounded");
    bytes.push(kind);
    bytes.extend_from_slice(&length.to_be_bytes()[1..]);
    bytes.extend_from_slice(block);
}

/// STREAMINFO without its header.
pub(super) fn stream_info(
    settings: &EncodeSettings,
    block_length: u16,
    facts: &StreamFacts,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(STREAMINFO_BYTES);
    bytes.extend_from_slice(&block_length.to_be_bytes());
    bytes.extend_from_slice(&block_length.to_be_bytes());
    bytes.extend_from_slice(&facts.frame_bytes_min.to_be_bytes()[1..]);
    bytes.extend_from_slice(&facts.frame_bytes_max.to_be_bytes()[1..]);
    let packed = u64::from(settings.spec.sample_rate.0) << 44
        | (settings.spec.channel_count() as u64 - 1) << 41
        | u64::from(settings.format.bit_depth - 1) << 36
        | facts.frame_count & ((1 << 36) - 1);
    bytes.extend_from_slice(&packed.to_be_bytes());
    bytes.extend_from_slice(&facts.md5);
    bytes
}

/// Points for a file of this length; none when the length is not known beforehand.
fn seek_point_count(settings: &EncodeSettings) -> u64 {
    settings.frame_count.map_or(0, |frames| frames.0.div_ceil(seek_distance(settings, frames.0)))
}

/// Frames between two points.
pub(super) fn seek_distance(settings: &EncodeSettings, frame_count: u64) -> u64 {
    let usual = u64::from(settings.spec.sample_rate.0) * SEEK_POINT_EVERY_S;
    usual.max(frame_count.div_ceil(SEEK_POINTS_MAX)).max(1)
}

fn placeholder() -> [u8; SEEK_POINT_BYTES] {
    let mut bytes = [0; SEEK_POINT_BYTES];
    bytes[..8].fill(0xff);
    bytes
}

/// The seek table's content: the points, then placeholders.
pub(super) fn seek_table(points: &[SeekPoint], room: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let room = usize::try_from(room).expect("bounded by SEEK_POINTS_MAX");
    for point in points.iter().take(room) {
        bytes.extend_from_slice(&point.first.to_be_bytes());
        bytes.extend_from_slice(&point.offset.to_be_bytes());
        bytes.extend_from_slice(&point.length.to_be_bytes());
    }
    for _ in points.len()..room {
        bytes.extend_from_slice(&placeholder());
    }
    bytes
}

/// The comments, with the layout where it is not the usual one.
fn vorbis_comment(settings: &EncodeSettings, replay_gain: Option<&ReplayGain>) -> Vec<u8> {
    let mask = unusual_mask(&settings.spec.layout);
    let mask = mask.map(|mask| ("WAVEFORMATEXTENSIBLE_CHANNEL_MASK".into(), mask));
    let gains = replay_gain.map(comments::gains).unwrap_or_default();
    comments::body(comments::texts(settings).chain(mask).chain(gains))
}

/// FLAC has one layout for each channel count; any other needs the mask in words.
fn unusual_mask(layout: &ChannelLayout) -> Option<String> {
    let is_usual = *layout == ChannelLayout::usual(layout.channel_count());
    layout.mask().filter(|_| !is_usual).map(|mask| format!("0x{mask:04X}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::Picture;
    use wavemill_audio::limits::{PICTURE_BYTES_MAX, TAG_TEXT_BYTES_MAX};

    #[test]
    fn largest_picture_a_reader_keeps_just_fits_a_block() {
        let picture = Picture {
            kind: "front cover",
            media_type: "x".repeat(TAG_TEXT_BYTES_MAX),
            description: Some("x".repeat(TAG_TEXT_BYTES_MAX)),
            bytes: vec![0; PICTURE_BYTES_MAX],
        };
        assert_eq!(comments::picture(&picture).len(), BLOCK_BYTES_MAX);
    }
}
