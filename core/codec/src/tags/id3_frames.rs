//! ID3 tags that lofty gives up as a whole for the sake of one frame: all others are read, and so is text whose
//! encoding can be found out.
//!
//! Sources: M. Nilsson, "ID3 tag version 2.4.0 - Main Structure", 3 and 4; the same of 2.3.0 and 2.2.0, 3.

use super::by_lofty::{FileTag, parse, wav_of_chunk};
use super::text::from_latin1;
use crate::decode::DecodeError;
use lofty::file::FileType;
use std::borrow::Cow;
use std::io::Cursor;

/// Bytes before the frames.
const HEADER_BYTES: usize = 10;

/// Bits of a tag's header: every zero behind 0xff was put there; another header follows.
const UNSYNCHRONIZED: u8 = 0x80;
const EXTENDED: u8 = 0x40;

/// Most frames that are tried one by one.
const FRAME_COUNT_MAX: usize = 10_000;

/// Most frames that are named.
const NAME_COUNT_MAX: usize = 4;

/// What is sound in a tag.
pub(super) struct RescuedTags {
    pub(super) found: Vec<FileTag>,
    /// What was left out, where something was.
    pub(super) warning: Option<String>,
}

/// Reads a tag, given with its header, without the frames that cannot be read; `None` where it is no tag or
/// nothing of it can.
///
/// # Errors
/// Never: the bytes are in memory.
pub(super) fn rescue(tag: &[u8]) -> Result<Option<RescuedTags>, DecodeError> {
    let Some(tag) = Tag::of(tag) else { return Ok(None) };
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for frame in tag.frames().take(FRAME_COUNT_MAX) {
        if tag.is_read(frame)? {
            kept.push(Cow::Borrowed(frame));
            continue;
        }
        match tag.reencoded(frame) {
            Some(frame) if tag.is_read(&frame)? => kept.push(Cow::Owned(frame)),
            _ => left_out.push(tag.name(frame)),
        }
    }
    let parts: Vec<&[u8]> = kept.iter().map(AsRef::as_ref).collect();
    let Ok(found) = tag.parse(&parts)? else { return Ok(None) };
    let more = left_out.len().saturating_sub(NAME_COUNT_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    left_out.truncate(NAME_COUNT_MAX);
    let names = left_out.join(", ");
    let warning = (!names.is_empty())
        .then(|| format!("some tags cannot be read: the ID3 frames {names}{more}"));
    Ok(Some(RescuedTags { found, warning }))
}

/// A tag without what its header says of all frames.
struct Tag<'a> {
    /// 2 to 4: the places are as long in 3 as in 4.
    version: u8,
    /// As each frame needs them.
    flags: u8,
    body: Cow<'a, [u8]>,
}

impl<'a> Tag<'a> {
    fn of(tag: &'a [u8]) -> Option<Self> {
        let &[b'I', b'D', b'3', version @ 2..=4, _, flags, a, b, c, d] = tag.first_chunk()? else {
            return None;
        };
        let end = HEADER_BYTES + seven_bits([a, b, c, d]);
        let mut body = Cow::Borrowed(tag.get(HEADER_BYTES..end.min(tag.len()))?);
        // Version 4 has it in each frame, of which the header is given here.
        let mut kept = flags & UNSYNCHRONIZED;
        if version < 4 && kept != 0 {
            body = Cow::Owned(synchronized(&body));
            kept = 0;
        }
        if flags & EXTENDED != 0 {
            let size = *body.first_chunk::<4>()?;
            let skipped = match version {
                // Its size counts itself in version 4.
                4 => seven_bits(size),
                3 => 4 + usize::try_from(u32::from_be_bytes(size)).ok()?,
                // In version 2 it means compression that nobody ever defined.
                _ => return None,
            };
            body = Cow::Owned(body.get(skipped..)?.to_vec());
        }
        Some(Self { version, flags: kept, body })
    }

    const fn frame_header_bytes(&self) -> usize {
        if self.version == 2 { 6 } else { 10 }
    }

    /// The frames, each with its header, as far as they are whole.
    fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.body[..];
        std::iter::from_fn(move || {
            let size = match (self.version, rest) {
                // Zeros fill the tag.
                (_, [0, ..]) => return None,
                (2, [_, _, _, a, b, c, ..]) => u32::from_be_bytes([0, *a, *b, *c]) as usize,
                (3, [_, _, _, _, a, b, c, d, ..]) => u32::from_be_bytes([*a, *b, *c, *d]) as usize,
                (4, [_, _, _, _, a, b, c, d, ..]) => seven_bits([*a, *b, *c, *d]),
                _ => return None,
            };
            let end = self.frame_header_bytes().checked_add(size)?;
            let (frame, after) = rest.split_at_checked(end)?;
            rest = after;
            Some(frame)
        })
    }

    /// What lofty makes of these frames alone.
    fn parse(&self, frames: &[&[u8]]) -> Result<Result<Vec<FileTag>, String>, DecodeError> {
        let size = frames.iter().map(|frame| frame.len()).sum();
        let [a, b, c, d] = of_seven_bits(size);
        let header = [b'I', b'D', b'3', self.version, 0, self.flags, a, b, c, d];
        let mut parts = vec![&header[..]];
        parts.extend(frames);
        parse(&mut Cursor::new(wav_of_chunk(*b"id3 ", &parts)), FileType::Wav)
    }

    fn is_read(&self, frame: &[u8]) -> Result<bool, DecodeError> {
        Ok(self.parse(&[frame])?.is_ok())
    }

    /// A frame's name, fit to be shown.
    fn name(&self, frame: &[u8]) -> String {
        let length = if self.version == 2 { 3 } else { 4 };
        let shown = |&byte: &u8| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '?' };
        frame.iter().take(length).map(shown).collect()
    }

    /// A frame of text in an encoding that every reader knows; `None` where it is none, or nobody can know what
    /// it says.
    fn reencoded(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let name_bytes = if self.version == 2 { 3 } else { 4 };
        let (header, data) = frame.split_at_checked(self.frame_header_bytes())?;
        let is_plain = self.flags == 0 && header.get(8..).is_none_or(|flags| flags == [0; 2]);
        // `TXXX` has two texts.
        if !is_plain || header[0] != b'T' || header[1..3] == *b"XX" {
            return None;
        }
        let text = text_of(data)?;
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        let data: Vec<u8> = [1, 0xff, 0xfe].into_iter().chain(units).collect();
        let size = match self.version {
            4 => of_seven_bits(data.len()),
            _ => u32::try_from(data.len()).ok()?.to_be_bytes(),
        };
        let (size, flags) =
            if self.version == 2 { (&size[1..], &[][..]) } else { (&size[..], &[0; 2][..]) };
        Some([&header[..name_bytes], size, flags, &data].concat())
    }
}

/// What a frame of text says, where its first byte, the encoding, and the others do not agree.
fn text_of(data: &[u8]) -> Option<String> {
    let (encoding, bytes) = data.split_first()?;
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        // Each of several values has a mark of its own.
        String::from_utf16_lossy(&units).replace('\u{feff}', "")
    };
    match (encoding, bytes) {
        (0 | 3, _) => Some(from_latin1(bytes)),
        (1, [0xfe, 0xff, ..]) | (2, _) => Some(utf16(bytes, u16::from_be_bytes)),
        (1, [0xff, 0xfe, ..]) => Some(utf16(bytes, u16::from_le_bytes)),
        (1, _) => {
            // Most letters have a zero in their high byte.
            let zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|it| **it == 0).count();
            let is_big = zeros(0) > zeros(1);
            Some(utf16(bytes, if is_big { u16::from_be_bytes } else { u16::from_le_bytes }))
        }
        _ => None,
    }
}

/// Without the zeros that keep decoders from taking a tag for sound.
fn synchronized(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    for (index, &byte) in bytes.iter().enumerate() {
        if byte != 0 || index == 0 || bytes[index - 1] != 0xff {
            kept.push(byte);
        }
    }
    kept
}

/// A size of four bytes with seven bits each.
fn seven_bits(bytes: [u8; 4]) -> usize {
    bytes.iter().fold(0, |size, &byte| size << 7 | usize::from(byte & 0x7f))
}

fn of_seven_bits(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f).to_le_bytes()[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::TagReading;

    fn tag(version: u8, flags: u8, frames: &[&[u8]]) -> Vec<u8> {
        let body = frames.concat();
        [b"ID3", &[version, 0, flags][..], &of_seven_bits(body.len()), &body].concat()
    }

    fn frame(version: u8, name: &str, data: &[u8]) -> Vec<u8> {
        let size = u32::try_from(data.len()).unwrap().to_be_bytes();
        let (size, flags): (&[u8], &[u8]) =
            if version == 2 { (&size[1..], &[]) } else { (&size, &[0; 2]) };
        [name.as_bytes(), size, flags, data].concat()
    }

    fn read(tag: &[u8]) -> Option<TagReading> {
        let mut reading = TagReading::default();
        let RescuedTags { found, warning } = rescue(tag).unwrap()?;
        reading.add(Ok(found));
        reading.warnings.extend(warning);
        Some(reading)
    }

    #[test]
    fn frame_that_cannot_be_read_costs_itself_only_in_every_version() {
        for (version, title, artist) in
            [(2, "TT2", "TP1"), (3, "TIT2", "TPE1"), (4, "TIT2", "TPE1")]
        {
            let bad = frame(version, title, b"\x09Name");
            let good = frame(version, artist, b"\0Maker");
            for flags in [0, UNSYNCHRONIZED] {
                let reading = read(&tag(version, flags, &[&bad, &good])).unwrap();
                assert_eq!(reading.tags.artist.as_deref(), Some("Maker"), "version {version}");
                let expected = format!("some tags cannot be read: the ID3 frames {title}");
                assert_eq!(reading.warnings, [expected]);
            }
        }
    }

    #[test]
    fn text_encoding_is_detected_from_its_bytes() {
        for (data, text) in [
            (&b"\x01N\0a\0m\0e\0"[..], "Name"),
            (b"\x01\0N\0a\0m\0e", "Name"),
            (b"\x01\xff\xfeN\0a\0m\0e", "Nam"),
            (b"\x01\xff\xfe\x00\xd8N\0", "\u{fffd}N"),
            (b"\x03Gr\xfc\xdfe", "Gr\u{fc}\u{df}e"),
            (b"\x01\xff\xfeA\0\0\0\xff\xfeB\0", "A\0B"),
        ] {
            assert_eq!(text_of(data).as_deref(), Some(text), "{data:?}");
        }
        assert_eq!(text_of(b"\x09Name"), None);
        assert_eq!(text_of(b""), None);
    }

    #[test]
    fn extended_headers_and_filling_are_no_frames() {
        let title = frame(3, "TIT2", b"\x01N\0a\0m\0e\0");
        let extended = [&6u32.to_be_bytes()[..], &[0; 6]].concat();
        let reading = read(&tag(3, EXTENDED, &[&extended, &title, &[0; 30]])).unwrap();
        assert_eq!((reading.tags.title.as_deref(), reading.warnings.len()), (Some("Name"), 0));
    }

    #[test]
    fn what_is_no_tag_is_none() {
        for bytes in [&b""[..], b"ID3", b"ID3\x05\0\0\0\0\0\0", b"ID3\x03\0\x40\0\0\0\0", b"TAG"] {
            assert!(read(bytes).is_none());
        }
        // What promises more than there is ends where the bytes do.
        let cut = &tag(3, 0, &[&frame(3, "TIT2", b"\0Name"), &frame(3, "TPE1", b"\0Maker")])[..30];
        assert_eq!(read(cut).unwrap().tags.title.as_deref(), Some("Name"));
    }
}
