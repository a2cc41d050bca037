//! Reads tags, through lofty except for `bext`.
//!
//! A broken tag never fails a file: what is sound is returned, with a warning for the rest. Tags that
//! describe the samples, as `ReplayGain`, are shown and not kept: processing makes them wrong.

use super::by_lofty::{parse, wav_of_chunk};
use super::id3_frames::{RescuedTags, rescue};
use super::text::clean;
use super::wav_cues::Cues;
use super::{Field, Tags, bext, ixml, markers};
use crate::decode::kind::{self, Kind};
use crate::decode::wav::TagChunk;
use crate::decode::{self, DecodeError, Source};
use lofty::file::FileType;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use wavemill_audio::limits::{PICTURE_BYTES_MAX, TAG_COUNT_MAX};

/// Most bytes of all tag chunks of a WAVE file.
const TAG_CHUNK_BYTES_MAX: usize = 4 * PICTURE_BYTES_MAX;

/// Tags as they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagReading {
    /// What is sound.
    pub tags: Tags,
    /// What players shall do about the level, as it is written; keys as `track_gain`. No output gets it.
    pub replay_gain: BTreeMap<&'static str, String>,
    /// What had to be left out, and why: one line each, without the file's name.
    pub warnings: Vec<String>,
}

/// Reads the tags of a file. `extension` is a hint as in [`decode::open`].
///
/// # Errors
/// When reading fails or it is no file that can be decoded; never because of its tags.
pub fn read(source: &mut dyn Source, extension: Option<&str>) -> Result<TagReading, DecodeError> {
    let byte_count = decode::byte_count(source)?;
    let kind = kind::detect(source, byte_count, extension)?;
    let mut reading = TagReading::default();
    match kind {
        Kind::Wav => return read_wav(source),
        // It has none that anybody writes.
        Kind::Wave64 => {}
        Kind::Caf => {
            reading.tags = read_caf(&mut *source)?;
            reading.tags.cues = markers::of_caf(source)?;
        }
        Kind::Aiff => {
            match parse(&mut *source, FileType::Aiff)? {
                Err(reason) => {
                    let tag = decode::aiff::id3(source, byte_count, TAG_CHUNK_BYTES_MAX)?;
                    reading.add_id3(&tag.unwrap_or_default(), reason)?;
                }
                found => reading.add(found),
            }
            reading.tags.cues = markers::of_aiff(source, byte_count)?;
        }
        Kind::Flac { start } => {
            read_behind_id3(&mut *source, FileType::Flac, &mut reading)?;
            if reading.tags.cues.is_empty() {
                reading.tags.cues = markers::of_flac(source, start)?;
            }
        }
        Kind::Ogg => {
            let file_type = ogg_type(source)?;
            reading.add(parse(source, file_type)?);
        }
        Kind::Mpeg { .. } => read_behind_id3(source, FileType::Mpeg, &mut reading)?,
        #[cfg(feature = "matroska")]
        Kind::Matroska => reading = read_matroska(source)?,
        #[cfg(feature = "mpeg4")]
        Kind::Mpeg4 => {
            reading.add(parse(&mut *source, FileType::Mp4)?);
            reading.tags.cues = decode::mpeg4::chapters(source, byte_count)?;
        }
        #[cfg(feature = "mpeg4")]
        Kind::Adts { .. } => read_behind_id3(source, FileType::Aac, &mut reading)?,
    }
    Ok(reading)
}

/// Reads the tags of a file that an ID3 tag may stand before.
fn read_behind_id3(
    source: &mut dyn Source,
    file_type: FileType,
    reading: &mut TagReading,
) -> Result<(), DecodeError> {
    let reason = match parse(&mut *source, file_type)? {
        Err(reason) => reason,
        found @ Ok(_) => {
            reading.add(found);
            return Ok(());
        }
    };
    let tag = decode::id3::first(source, TAG_CHUNK_BYTES_MAX)?;
    if tag.is_empty() {
        reading.add(Err(reason));
        return Ok(());
    }
    let rest = parse(&mut Tail { start: tag.len() as u64, source }, file_type)?;
    // What is added first counts more: FLAC's own comments, but of MP3 what stands before.
    if file_type == FileType::Flac {
        reading.add(rest);
        return reading.add_id3(&tag, reason);
    }
    reading.add_id3(&tag, reason)?;
    reading.add(rest);
    Ok(())
}

impl TagReading {
    /// Adds what is sound in an ID3 tag that was given up for a reason.
    fn add_id3(&mut self, tag: &[u8], reason: String) -> Result<(), DecodeError> {
        match rescue(tag)? {
            Some(RescuedTags { found, warning }) => {
                self.add(Ok(found));
                self.warnings.extend(warning);
            }
            None => self.add(Err(reason)),
        }
        Ok(())
    }
}

/// A source without its first bytes.
struct Tail<'a> {
    source: &'a mut dyn Source,
    start: u64,
}

impl Read for Tail<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.source.read(bytes)
    }
}

impl Seek for Tail<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(at.saturating_add(self.start)),
            other => other,
        };
        let at = self.source.seek(to)?;
        at.checked_sub(self.start).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

/// Which of the kinds that lofty distinguishes.
fn ogg_type(source: &mut dyn Source) -> Result<FileType, DecodeError> {
    let head = decode::head(source)?;
    let packet = decode::first_packet(&head).unwrap_or_default();
    Ok(if packet.starts_with(b"OpusHead") { FileType::Opus } else { FileType::Vorbis })
}

/// The tag chunks of a WAVE file are handed to lofty as a small file of their own: it knows no RF64,
/// and streams whose lengths were never filled in would lead it astray.
fn read_wav(source: &mut dyn Source) -> Result<TagReading, DecodeError> {
    let mut reading = TagReading::default();
    let (mut broadcast, mut recording) = (None, None);
    let mut cues = Cues::default();
    for TagChunk { id, data } in decode::wav::tag_chunks(source, TAG_CHUNK_BYTES_MAX)? {
        if &id == b"bext" {
            broadcast = broadcast.or_else(|| bext::parse(&data));
            continue;
        }
        if &id == b"iXML" {
            recording = recording.or_else(|| ixml::parse(&data));
            continue;
        }
        if &id == b"cue " {
            cues.add_points(&data);
            continue;
        }
        if &id == b"LIST" && cues.add_labels(&data) {
            continue;
        }
        // One at a time: a broken chunk shall not hide a sound one.
        let mut file = Cursor::new(wav_of_chunk(id, &[&data]));
        match parse(&mut file, FileType::Wav)? {
            Err(reason) if id.eq_ignore_ascii_case(b"id3 ") => reading.add_id3(&data, reason)?,
            found => reading.add(found),
        }
    }
    reading.tags.broadcast = broadcast.or(reading.tags.broadcast.take());
    reading.tags.recording = recording;
    let cues = cues.finish();
    if !cues.is_empty() {
        reading.tags.cues = cues;
    }
    Ok(reading)
}

/// The `info` chunk of CAF, which lofty does not know.
///
/// Source: Apple, "Apple Core Audio Format Specification 1.0", "Information Chunk".
fn read_caf(source: &mut dyn Source) -> Result<Tags, DecodeError> {
    let pairs = match decode::caf::information(source, TAG_CHUNK_BYTES_MAX) {
        Err(DecodeError::Io(error)) => return Err(error.into()),
        other => other.unwrap_or_default(),
    };
    let mut tags = Tags::default();
    for (name, value) in pairs.iter().take(TAG_COUNT_MAX) {
        set_named(&mut tags, &name.to_ascii_lowercase(), value);
    }
    Ok(tags)
}

/// The tags of Matroska, which lofty does not know.
#[cfg(feature = "matroska")]
fn read_matroska(source: &mut dyn Source) -> Result<TagReading, DecodeError> {
    let found = decode::matroska::description(source)?;
    let mut tags = Tags { cues: found.chapters, ..Tags::default() };
    for tag in found.texts.iter().take(TAG_COUNT_MAX) {
        let name = match (tag.name.as_str(), tag.is_of_album) {
            ("TITLE", true) => "album",
            ("TITLE", false) => "title",
            ("ARTIST", true) | ("ALBUM_ARTIST", _) => "album artist",
            ("DATE_RECORDED" | "DATE_RELEASED" | "DATE", _) => "date",
            ("PART_NUMBER" | "TRACK", false) => "track",
            ("INITIAL_KEY", _) => "key signature",
            ("BPM", _) => "tempo",
            (other, _) => &other.to_ascii_lowercase(),
        };
        set_named(&mut tags, name, &tag.value);
    }
    let mut reading = TagReading { tags, ..TagReading::default() };
    reading.add_pictures(found.pictures);
    Ok(reading)
}

/// Fills the field that goes by `name`, if it is empty or can have several values. What is no number where one
/// belongs says nothing.
fn set_named(tags: &mut Tags, name: &str, value: &str) {
    let field = match name {
        "album artist" => Some(Field::AlbumArtist),
        "year" | "recorded date" => Some(Field::Date),
        "key signature" => Some(Field::Key),
        "comments" => Some(Field::Comment),
        "tempo" => Some(Field::Bpm),
        "track number" => Some(Field::Track),
        other => Field::named(other),
    };
    let Some(field) = field else { return };
    let mut values = tags.values(field);
    let value = clean(value).unwrap_or_default();
    if values.is_empty() {
        let _ = field.set(tags, &value);
    } else if field.has_several() && !value.is_empty() && !values.contains(&value) {
        values.push(value);
        tags.set_values(field, values);
    }
}
