//! Chapters of ID3 tags and Vorbis comments, cue sheets of FLAC, and markers of AIFF and CAF.
//!
//! Sources: `ID3v2` Chapter Frame Addendum, version 1.0 (2005); Xiph.Org, "Chapter Extension" of Vorbis comments
//! (`CHAPTERxxx=HH:MM:SS.mmm`); Apple, "Audio Interchange File Format: AIFF", version 1.3, "Marker Chunk"; RFC 9639,
//! 8.7 (cue sheets).

use super::text::{clean, from_latin1};
use super::{CUE_COUNT_MAX, Cue, CueEnd, Place};
use crate::decode::{DecodeError, Source, aiff, caf, flac};
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::ogg::tag::VorbisComments;
use std::collections::BTreeMap;

const NS_A_MS: u64 = 1_000_000;

/// The chapters of an ID3 tag, in the order of time.
pub(super) fn of_id3(tag: &Id3v2Tag) -> Vec<Cue> {
    let chapter = |frame: &Frame<'_>| {
        let Frame::Chapter(chapter) = frame else { return None };
        let place = |ms: u32| Place::Nanoseconds(u64::from(ms) * NS_A_MS);
        Some(Cue {
            start: place(chapter.times.start),
            end: CueEnd::At(place(chapter.times.end.max(chapter.times.start))),
            label: chapter.title().and_then(clean),
        })
    };
    sorted(tag.into_iter().filter_map(chapter).take(CUE_COUNT_MAX).collect())
}

/// The chapters of Vorbis comments, in the order of time.
pub(super) fn of_comments(comments: &VorbisComments) -> Vec<Cue> {
    let mut chapters: BTreeMap<u32, (Option<u64>, Option<String>)> = BTreeMap::new();
    for (name, value) in comments.items() {
        let Some((number, rest)) = chapter_number(name) else { continue };
        if chapters.len() == CUE_COUNT_MAX && !chapters.contains_key(&number) {
            continue;
        }
        let chapter = chapters.entry(number).or_default();
        if rest.is_empty() {
            chapter.0 = chapter.0.or(time(value));
        } else if rest.eq_ignore_ascii_case("NAME") {
            chapter.1 = chapter.1.take().or(clean(value));
        }
    }
    let cue = |(start, label): (Option<u64>, _)| {
        Some(Cue { start: Place::Nanoseconds(start?), end: CueEnd::Next, label })
    };
    sorted(chapters.into_values().filter_map(cue).collect())
}

/// The number of `CHAPTER007NAME`, and what follows it.
fn chapter_number(name: &str) -> Option<(u32, &str)> {
    let (head, rest) = name.split_at_checked(7)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(end);
    head.eq_ignore_ascii_case("CHAPTER").then_some((number.parse().ok()?, rest))
}

/// `HH:MM:SS.mmm` in nanoseconds; hours and fractions may be left out.
fn time(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let mut seconds = 0u64;
    for part in whole.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9.9}").parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// The markers of an AIFF file, in the order of time.
pub(super) fn of_aiff(source: &mut dyn Source, byte_count: u64) -> Result<Vec<Cue>, DecodeError> {
    let Some(data) = aiff::markers(source, byte_count)? else { return Ok(Vec::new()) };
    Ok(sorted(aiff_markers(&data)))
}

/// A number of markers, then each: identifier, frame, and a Pascal string of an even number of bytes with its
/// length.
fn aiff_markers(data: &[u8]) -> Vec<Cue> {
    let mut rest = data.get(2..).unwrap_or_default();
    let count = data.first_chunk().map_or(0, |count| u16::from_be_bytes(*count));
    let mut cues = Vec::new();
    for _ in 0..usize::from(count).min(CUE_COUNT_MAX) {
        let Some([_, _, a, b, c, d, length]) = rest.first_chunk::<7>() else { break };
        let frame = u32::from_be_bytes([*a, *b, *c, *d]);
        let length = usize::from(*length);
        let Some(name) = rest.get(7..7 + length) else { break };
        cues.push(Cue::point(Place::Frame(frame.into()), clean(&from_latin1(name))));
        rest = rest.get(7 + length + (length + 1) % 2..).unwrap_or_default();
    }
    cues
}

/// The tracks of a cue sheet in FLAC, in the order of time: each begins at its index 1.
pub(super) fn of_flac(source: &mut dyn Source, start: u64) -> Result<Vec<Cue>, DecodeError> {
    let block = flac::metadata_block(source, start, CUE_SHEET, CUE_SHEET_BYTES_MAX)?;
    Ok(sorted(tracks(&block.unwrap_or_default())))
}

/// The kind of block, and the most bytes that its length can state.
const CUE_SHEET: u8 = 5;
const CUE_SHEET_BYTES_MAX: usize = (1 << 24) - 1;

/// Bytes before the tracks, and of a track and an index point.
const CUE_SHEET_HEAD_BYTES: usize = 128 + 8 + 259;
const TRACK_BYTES: usize = 36;
const INDEX_BYTES: usize = 12;

/// Frames that `STREAMINFO` can count.
const FRAME_COUNT_MAX: u64 = 1 << 36;

/// Numbers of the track behind the last one, of a CD and of anything else.
const LEAD_OUT: [u8; 2] = [170, 255];

fn tracks(block: &[u8]) -> Vec<Cue> {
    let number_at = |bytes: &[u8]| bytes.first_chunk().map(|it| u64::from_be_bytes(*it));
    let count = block.get(CUE_SHEET_HEAD_BYTES).copied().unwrap_or(0);
    let mut rest = block.get(CUE_SHEET_HEAD_BYTES + 1..).unwrap_or_default();
    let mut cues = Vec::new();
    for _ in 0..count {
        let Some((track, after)) = rest.split_at_checked(TRACK_BYTES) else { break };
        let points = usize::from(track[TRACK_BYTES - 1]) * INDEX_BYTES;
        let Some((points, after)) = after.split_at_checked(points) else { break };
        rest = after;
        let first =
            points.chunks_exact(INDEX_BYTES).find(|point| point[8] == 1).and_then(number_at);
        let begin = number_at(track).and_then(|track| track.checked_add(first.unwrap_or(0)));
        let is_sound = |begin: &u64| *begin < FRAME_COUNT_MAX && !LEAD_OUT.contains(&track[8]);
        if let Some(begin) = begin.filter(is_sound) {
            cues.push(Cue { start: Place::Frame(begin), end: CueEnd::Next, label: None });
        }
    }
    cues
}

/// The markers of a CAF file, in the order of time.
pub(super) fn of_caf(source: &mut dyn Source) -> Result<Vec<Cue>, DecodeError> {
    let markers = match caf::markers(source, CUE_COUNT_MAX, CUE_SHEET_BYTES_MAX) {
        Err(DecodeError::Io(error)) => return Err(error.into()),
        other => other.unwrap_or_default(),
    };
    let cue = |(frame, name): (u64, Option<String>)| {
        Cue::point(Place::Frame(frame), name.as_deref().and_then(clean))
    };
    Ok(sorted(markers.into_iter().map(cue).collect()))
}

fn sorted(mut cues: Vec<Cue>) -> Vec<Cue> {
    cues.sort_by_key(|cue| match cue.start {
        Place::Frame(place) | Place::Nanoseconds(place) => place,
    });
    cues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        assert_eq!(time("01:02:03.5"), Some(3_723_500_000_000));
        assert_eq!(time("00:00:00.000"), Some(0));
        assert_eq!(time("2:03"), Some(123_000_000_000));
        assert_eq!(time(" 7.1234567899 "), Some(7_123_456_789));
        for wrong in ["", "a:b:c", "1:2:3.x", "-1", "99999999999999:00:00"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn chapters_of_comments_are_in_order_with_their_names() {
        let mut comments = VorbisComments::new();
        for (name, value) in [
            ("CHAPTER002NAME", "Two"),
            ("chapter002", "00:01:00.000"),
            ("CHAPTER001", "00:00:00.000"),
            ("CHAPTER003", "nonsense"),
            ("CHAPTERS", "1"),
        ] {
            comments.push(name.to_owned(), value.to_owned());
        }
        let chapter = |ns, label: Option<&str>| Cue {
            start: Place::Nanoseconds(ns),
            end: CueEnd::Next,
            label: label.map(str::to_owned),
        };
        assert_eq!(
            of_comments(&comments),
            [chapter(0, None), chapter(60_000_000_000, Some("Two"))]
        );
    }

    #[test]
    fn markers_of_aiff_end_where_their_bytes_do() {
        let mut data = b"\0\x03\0\x01\0\0\0\x64\x02hi\0".to_vec();
        data.extend(b"\0\x02\0\0\0\xc8\x01x\0\x03\0\0");
        let cues = aiff_markers(&data);
        let label = |cue: &Cue| cue.label.clone().unwrap();
        assert_eq!(cues.iter().map(label).collect::<Vec<_>>(), ["hi", "x"]);
        assert_eq!(cues[1].start, Place::Frame(200));
        assert_eq!(aiff_markers(b"\xff"), []);
    }
}
