//! Which part of a track is shown: its edit list, and what iTunes notes of delay and padding.
//!
//! Sources: ISO/IEC 14496-12:2022, 8.6.6; Apple, "Audio priming and padding" (`QuickTime` File Format,
//! appendix G); for `iTunSMPB`, what iTunes and other programs write: hexadecimal numbers, of which the
//! second is the delay, the third the padding and the fourth the length, all in frames.

use super::atoms::{Atom, inside};
use super::movie::number;
use crate::decode::chunks::{u16_be, u32_be};
use crate::decode::cut::Cut;
use crate::decode::{DecodeError, Source};

/// Edits looked at. One, and one for silence before it, is what music has.
const EDIT_COUNT_MAX: usize = 64;

/// Bytes of the tags looked at for iTunes' note: those of artwork may stand before it.
const TAGS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of the note that are looked at.
const NOTE_BYTES_MAX: usize = 512;

/// An edit of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// In units of the movie's timescale; 0 means up to the end.
    duration: u64,
    /// In units of the track's timescale; `None` for silence.
    start: Option<u64>,
    /// Whether it is shown at its speed.
    is_plain: bool,
}

/// Delay, padding and length by iTunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gaps {
    delay: u64,
    padding: u64,
    /// Frames between delay and padding.
    frame_count: u64,
}

/// What is known of a track's times, in units of its timescale.
pub(super) struct Times {
    pub(super) sample_rate_hz: u32,
    /// Units in a second.
    pub(super) timescale: u32,
    /// Units of the edits' durations in a second.
    pub(super) movie_timescale: u32,
    /// The durations of all packets.
    pub(super) duration: u64,
    /// Frames that are decoded.
    pub(super) decoded: u64,
}

/// Reads an `edts` atom.
pub(super) fn read(source: &mut dyn Source, atom: Atom) -> Result<Vec<Edit>, DecodeError> {
    let mut children = atom.children();
    while let Some(list) = children.next(source)? {
        if &list.kind == b"elst" {
            return Ok(parse(&list.data(source, 8 + 20 * EDIT_COUNT_MAX)?));
        }
    }
    Ok(Vec::new())
}

fn parse(list: &[u8]) -> Vec<Edit> {
    let is_long = list.first() == Some(&1);
    let number_bytes = if is_long { 8 } else { 4 };
    let count = u32_be(list, 4).map_or(0, |count| count as usize);
    let rows = list.get(8..).unwrap_or_default().chunks_exact(2 * number_bytes + 4);
    let edit = |row: &[u8]| {
        let start = number(row, number_bytes, is_long)?;
        let nothing = if is_long { u64::MAX } else { u64::from(u32::MAX) };
        Some(Edit {
            duration: number(row, 0, is_long)?,
            start: (start != nothing).then_some(start),
            is_plain: u16_be(row, 2 * number_bytes)? == 1,
        })
    };
    rows.take(count).filter_map(edit).collect()
}

/// The frames that are shown.
///
/// # Errors
/// When they are no single part of the track at its own speed.
pub(super) fn cut(edits: &[Edit], gaps: Option<Gaps>, times: &Times) -> Result<Cut, DecodeError> {
    // Silence before a track puts it in time to other tracks.
    let shown: Vec<_> = edits.iter().filter(|edit| edit.start.is_some()).collect();
    let edit = match shown[..] {
        [] => {
            let gaps = gaps.unwrap_or(Gaps { delay: 0, padding: 0, frame_count: u64::MAX });
            return Ok(gaps.cut(times.decoded));
        }
        [edit] if edit.is_plain => *edit,
        [_] => return Err(DecodeError::unsupported("an edit that changes the speed")),
        _ => return Err(DecodeError::unsupported("an edit list of several parts")),
    };
    let media_start = edit.start.unwrap_or(0);
    let start = times.frames(media_start.into());
    let rest = times.frames(times.duration.saturating_sub(media_start).into());
    if edit.duration == 0 || times.movie_timescale == 0 {
        return Ok(Cut::new(start, start.saturating_add(rest), times.decoded));
    }
    // A duration in units of the movie, often milliseconds, says no more than how long it is within
    // one of them. What is exact, and no further away, is what was meant.
    let rate = u128::from(times.sample_rate_hz);
    let unit = u128::from(times.movie_timescale);
    let length = times.rounded(u128::from(edit.duration) * rate, unit);
    let is_exact = unit.is_multiple_of(rate);
    let tolerance =
        if is_exact { 0 } else { u64::try_from(rate.div_ceil(unit)).unwrap_or(u64::MAX) };
    let noted = gaps.filter(|gaps| gaps.delay == start).map(|gaps| gaps.frame_count);
    // Writers are known that give the last packet no duration.
    let held = times.decoded.saturating_sub(start);
    let exact = [noted, Some(rest), Some(held)].into_iter().flatten();
    let exact = exact.into_iter().find(|&exact| exact.abs_diff(length) <= tolerance);
    let length = exact.unwrap_or_else(|| length.min(rest.max(held)));
    Ok(Cut::new(start, start.saturating_add(length), times.decoded))
}

impl Gaps {
    /// A delay, and nothing else.
    #[cfg(feature = "opus")]
    pub(super) fn of_delay(delay: u64) -> Self {
        Self { delay, padding: 0, frame_count: u64::MAX }
    }

    fn cut(self, decoded: u64) -> Cut {
        let end = match self.frame_count {
            0 | u64::MAX => decoded.saturating_sub(self.padding),
            count => self.delay.saturating_add(count),
        };
        Cut::new(self.delay, end, decoded)
    }

    /// Reads the note's text.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().skip(1);
        let mut next = || u64::from_str_radix(numbers.next()?, 16).ok();
        Some(Self { delay: next()?, padding: next()?, frame_count: next()? })
    }
}

impl Times {
    /// Units of the track's timescale in frames.
    fn frames(&self, units: u128) -> u64 {
        self.rounded(units * u128::from(self.sample_rate_hz), self.timescale.into())
    }

    #[expect(clippy::unused_self, reason = "reads beside `frames`")]
    fn rounded(&self, value: u128, divisor: u128) -> u64 {
        let divisor = divisor.max(1);
        u64::try_from((value + divisor / 2) / divisor).unwrap_or(u64::MAX)
    }
}

/// Finds iTunes' note in a `udta` atom: `meta` (with four bytes before its atoms, or without them),
/// `ilst`, and there an entry of the name `iTunSMPB`.
pub(super) fn itunes_gaps(
    source: &mut dyn Source,
    user_data: Atom,
) -> Result<Option<Gaps>, DecodeError> {
    let result = find_note(source, user_data);
    // Tags never fail a file.
    if let Err(DecodeError::Io(error)) = result {
        Err(error.into())
    } else {
        Ok(result.ok().flatten())
    }
}

fn find_note(source: &mut dyn Source, user_data: Atom) -> Result<Option<Gaps>, DecodeError> {
    if user_data.length() > TAGS_BYTES_MAX {
        return Ok(None);
    }
    let mut children = user_data.children();
    while let Some(meta) = children.next(source)? {
        if &meta.kind != b"meta" {
            continue;
        }
        let start =
            meta.start + if meta.data(source, 8)?.get(4..8) == Some(b"hdlr") { 0 } else { 4 };
        let mut inner = Atom { start: start.min(meta.end), ..meta }.children();
        while let Some(list) = inner.next(source)? {
            if &list.kind != b"ilst" {
                continue;
            }
            let mut tags = list.children();
            while let Some(tag) = tags.next(source)? {
                if &tag.kind == b"----"
                    && let Some(gaps) = note(&tag.data(source, NOTE_BYTES_MAX)?)
                {
                    return Ok(Some(gaps));
                }
            }
        }
    }
    Ok(None)
}

/// What a tag of free form says, if it is iTunes' note.
fn note(tag: &[u8]) -> Option<Gaps> {
    let part = |kind: &[u8; 4]| inside(tag).find(|(found, _)| found == kind).map(|(_, data)| data);
    if part(b"name")?.get(4..)? != b"iTunSMPB" {
        return None;
    }
    // Type and locale.
    Gaps::parse(std::str::from_utf8(part(b"data")?.get(8..)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        sample_rate_hz: 44_100,
        timescale: 44_100,
        movie_timescale: 1000,
        duration: 46_981,
        decoded: 47_104,
    };

    fn edit(start: u64, duration: u64) -> Edit {
        Edit { duration, start: Some(start), is_plain: true }
    }

    fn range(edits: &[Edit], gaps: Option<Gaps>, times: &Times) -> (u64, u64) {
        let cut = cut(edits, gaps, times).unwrap();
        (cut.start, cut.end)
    }

    #[test]
    fn edit_in_milliseconds_means_the_exact_end_next_to_it() {
        // 45957 frames are 1042.1 ms.
        assert_eq!(range(&[edit(1024, 1042)], None, &TIMES), (1024, 46_981));
        let gaps = Gaps { delay: 1024, padding: 130, frame_count: 45_950 };
        assert_eq!(range(&[edit(1024, 1042)], Some(gaps), &TIMES), (1024, 46_974));
        // Half a second: nothing exact is near.
        assert_eq!(range(&[edit(1024, 500)], Some(gaps), &TIMES), (1024, 1024 + 22_050));
        // Longer than there is: all that is decoded.
        assert_eq!(range(&[edit(1024, 90_000)], None, &TIMES), (1024, 47_104));
        // A last packet without duration.
        let times = Times { duration: 46_080, decoded: 46_500, ..TIMES };
        assert_eq!(range(&[edit(0, 1054)], None, &times), (0, 46_500));
    }

    #[test]
    fn edit_in_frames_is_exact() {
        let times = Times { movie_timescale: 44_100, ..TIMES };
        assert_eq!(range(&[edit(2112, 40_000)], None, &times), (2112, 42_112));
        assert_eq!(range(&[edit(1024, 45_956)], None, &times), (1024, 46_980));
    }

    #[test]
    fn silence_before_the_track_is_left_out() {
        let silence = Edit { duration: 300, start: None, is_plain: true };
        assert_eq!(range(&[silence, edit(0, 0)], None, &TIMES), (0, 46_981));
    }

    #[test]
    fn without_edits_the_note_counts_and_without_it_everything() {
        let gaps = Gaps { delay: 2112, padding: 500, frame_count: 40_000 };
        assert_eq!(range(&[], Some(gaps), &TIMES), (2112, 42_112));
        assert_eq!(range(&[], Some(Gaps { frame_count: 0, ..gaps }), &TIMES), (2112, 46_604));
        assert_eq!(range(&[], None, &TIMES), (0, 47_104));
    }

    #[test]
    fn several_parts_and_other_speeds_are_refused() {
        assert!(cut(&[edit(0, 10), edit(1000, 10)], None, &TIMES).is_err());
        assert!(cut(&[Edit { is_plain: false, ..edit(0, 10) }], None, &TIMES).is_err());
    }

    #[test]
    fn note_of_itunes_is_read() {
        let text = " 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000";
        let expected = Gaps { delay: 0x840, padding: 0x1ca, frame_count: 0x3f31f6 };
        assert_eq!(Gaps::parse(text), Some(expected));
        assert_eq!(Gaps::parse(" 0 0"), None);
    }

    #[test]
    fn list_that_claims_more_than_it_has_is_cut() {
        let list = [&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff][..], &[0; 12], &[1; 7]].concat();
        assert_eq!(parse(&list).len(), 1);
        assert_eq!(parse(&[]), []);
    }
}
