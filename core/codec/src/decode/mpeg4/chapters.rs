//! Chapters: a track of texts that another one refers to, or a list.
//!
//! Sources: Apple, "`QuickTime` File Format Specification" (2012), "Chapter Lists" and "Text Media"; ISO/IEC
//! 14496-12:2022, 8.3.2 (`tkhd`), 8.3.3 (`tref`); the list `chpl` as Nero's programs write it: times in
//! 100 ns, and texts whose lengths have 8 bits.

use super::atoms::{Atom, inside};
use super::movie::{self, FIELDS_BYTES, Track};
use super::table::{PacketTable, Place as Bytes};
use crate::decode::chunks::{read_at, u16_be, u32_be, u64_be};
use crate::decode::{DecodeError, Source};
use crate::tags::{CUE_COUNT_MAX, Cue, CueEnd, Place, clean};
use wavemill_audio::limits::TAG_TEXT_BYTES_MAX;

/// Bytes of atoms with references or times that are read.
const LIST_BYTES_MAX: usize = 1024 * 1024;

const NS_A_SECOND: u128 = 1_000_000_000;

/// The chapters of a file, in the order of time; none where they cannot be read.
///
/// # Errors
/// When reading fails.
pub(crate) fn chapters(source: &mut dyn Source, byte_count: u64) -> Result<Vec<Cue>, DecodeError> {
    let found = movie::places(source, byte_count).and_then(|places| match places.movie {
        Some(movie) => of_movie(source, movie, byte_count),
        None => Ok(Vec::new()),
    });
    match found {
        Err(DecodeError::Io(error)) => Err(error.into()),
        other => Ok(other.unwrap_or_default()),
    }
}

fn of_movie(
    source: &mut dyn Source,
    movie: Atom,
    byte_count: u64,
) -> Result<Vec<Cue>, DecodeError> {
    let (mut list, mut referred, mut tracks) = (Vec::new(), None, Vec::new());
    let mut children = movie.children();
    while let Some(atom) = children.next(source)? {
        match &atom.kind {
            b"udta" => list = of_list(source, atom)?,
            b"trak" => {
                let (id, chapters) = references(source, atom)?;
                referred = referred.or(chapters);
                tracks.push((id, atom));
            }
            _ => {}
        }
    }
    let track = tracks.iter().find(|(id, _)| id.is_some() && *id == referred);
    let Some((_, track)) = track else { return Ok(list) };
    let chapters = of_track(source, *track, byte_count)?;
    Ok(if chapters.is_empty() { list } else { chapters })
}

/// The number of a track, and that of the track with its chapters.
fn references(
    source: &mut dyn Source,
    track: Atom,
) -> Result<(Option<u32>, Option<u32>), DecodeError> {
    let (mut id, mut chapters) = (None, None);
    let mut children = track.children();
    while let Some(atom) = children.next(source)? {
        match &atom.kind {
            b"tkhd" => {
                let fields = atom.data(source, FIELDS_BYTES)?;
                id = u32_be(&fields, if fields.first() == Some(&1) { 20 } else { 12 });
            }
            b"tref" => {
                let lists = atom.data(source, LIST_BYTES_MAX)?;
                let list = inside(&lists).find(|(kind, _)| kind == b"chap");
                chapters = list.and_then(|(_, list)| u32_be(list, 0));
            }
            _ => {}
        }
    }
    Ok((id, chapters))
}

/// The texts of a track, each of which lasts until the next one.
fn of_track(
    source: &mut dyn Source,
    track: Atom,
    byte_count: u64,
) -> Result<Vec<Cue>, DecodeError> {
    let (timescale, tables) = Track::of_texts(source, track)?;
    let (Some(timescale), Some(durations)) = (timescale.filter(|&it| it > 0), tables.durations)
    else {
        return Ok(Vec::new());
    };
    let durations = durations.data(source, LIST_BYTES_MAX)?;
    let mut durations = durations.get(8..).unwrap_or_default().chunks_exact(8).flat_map(|row| {
        let (count, duration) = (u32_be(row, 0).unwrap_or(0), u32_be(row, 4).unwrap_or(0));
        std::iter::repeat_n(duration, count as usize)
    });
    let place = |at: u64| {
        let ns = u128::from(at) * NS_A_SECOND / u128::from(timescale);
        Place::Nanoseconds(u64::try_from(ns).unwrap_or(u64::MAX))
    };
    let mut packets = PacketTable::new(source, &tables, None)?;
    let (mut cues, mut at) = (Vec::new(), 0u64);
    while cues.len() < CUE_COUNT_MAX
        && let (Some(packet), Some(duration)) = (packets.next(source)?, durations.next())
        && packet.start.saturating_add(packet.length) <= byte_count
    {
        let end = at + u64::from(duration);
        let label = text(source, packet)?;
        cues.push(Cue { start: place(at), end: CueEnd::At(place(end)), label });
        at = end;
    }
    Ok(cues)
}

/// A length of 16 bits, and the text: UTF-8, or UTF-16 with a mark.
fn text(source: &mut dyn Source, packet: Bytes) -> Result<Option<String>, DecodeError> {
    let there = usize::try_from(packet.length).unwrap_or(usize::MAX);
    let mut data = vec![0; there.min(TAG_TEXT_BYTES_MAX)];
    read_at(source, packet.start, &mut data)?;
    let length = usize::from(u16_be(&data, 0).unwrap_or(0));
    let text = data.get(2..).unwrap_or_default();
    let text = text.get(..length).unwrap_or(text);
    let text = match text {
        [0xfe, 0xff, units @ ..] => {
            let units = units.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            String::from_utf16_lossy(&units.collect::<Vec<_>>())
        }
        other => String::from_utf8_lossy(other).into_owned(),
    };
    Ok(clean(&text))
}

/// The list in user data.
fn of_list(source: &mut dyn Source, user_data: Atom) -> Result<Vec<Cue>, DecodeError> {
    let mut children = user_data.children();
    while let Some(atom) = children.next(source)? {
        if &atom.kind == b"chpl" {
            return Ok(entries(&atom.data(source, LIST_BYTES_MAX)?));
        }
    }
    Ok(Vec::new())
}

/// Version and flags, in version 1 four bytes that mean nothing, and a number of entries of 8 bits.
fn entries(data: &[u8]) -> Vec<Cue> {
    let head_bytes = if data.first() == Some(&1) { 8 } else { 4 };
    let count = data.get(head_bytes).copied().unwrap_or(0);
    let mut rest = data.get(head_bytes + 1..).unwrap_or_default();
    let mut cues = Vec::new();
    for _ in 0..count {
        let (Some(start), Some(length)) = (u64_be(rest, 0), rest.get(8)) else { break };
        let Some(label) = rest.get(9..9 + usize::from(*length)) else { break };
        cues.push(Cue {
            start: Place::Nanoseconds(start.saturating_mul(100)),
            end: CueEnd::Next,
            label: clean(&String::from_utf8_lossy(label)),
        });
        rest = &rest[9 + usize::from(*length)..];
    }
    cues.sort_by_key(|cue| cue.start);
    cues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_read_in_both_versions_as_far_as_it_goes() {
        let mut data = vec![1, 0, 0, 0, 0, 0, 0, 0, 3];
        for (start, name) in [(20_000_000u64, "Two"), (0, "One")] {
            data.extend(start.to_be_bytes());
            data.push(u8::try_from(name.len()).unwrap());
            data.extend(name.bytes());
        }
        let found = entries(&data);
        let starts: Vec<_> = found.iter().map(|cue| cue.start).collect();
        assert_eq!(starts, [Place::Nanoseconds(0), Place::Nanoseconds(2_000_000_000)]);
        assert_eq!(found[1].label.as_deref(), Some("Two"));
        let old = [&[0, 0, 0, 0][..], &data[8..]].concat();
        assert_eq!(entries(&old), found);
        assert_eq!(entries(&[]), []);
    }
}
