//! Reads tags, through lofty except for `bext`.
//!
//! A broken tag never fails a file: what is sound is returned, with a warning for the rest. Tags that
//! describe the samples, as `ReplayGain`, are not read: processing makes them wrong.

use super::cue::Cues;
use super::text::{clean, number_pair, year_of};
use super::{Field, Picture, Tags, bext};
use crate::decode::kind::{self, Kind};
use crate::decode::wav::TagChunk;
use crate::decode::{self, DecodeError, Source};
use crate::limits::{PICTURE_BYTES_MAX, PICTURE_COUNT_MAX, PICTURES_BYTES_MAX, TAG_COUNT_MAX};
use lofty::config::ParseOptions;
use lofty::file::{FileType, TaggedFile, TaggedFileExt};
use lofty::picture::PictureType;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag};
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most bytes of all tag chunks of a WAVE file.
const TAG_CHUNK_BYTES_MAX: usize = 4 * PICTURE_BYTES_MAX;

/// Tags as they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagReading {
    /// What is sound.
    pub tags: Tags,
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
        Kind::Caf => reading.tags = read_caf(source)?,
        Kind::Aiff => reading.add(parse(source, FileType::Aiff)?),
        Kind::Flac { .. } => reading.add(parse(source, FileType::Flac)?),
        Kind::Ogg => {
            let file_type = ogg_type(source)?;
            reading.add(parse(source, file_type)?);
        }
        Kind::Mpeg { .. } => reading.add(parse(source, FileType::Mpeg)?),
        #[cfg(feature = "matroska")]
        Kind::Matroska => reading.tags = read_matroska(source)?,
        #[cfg(feature = "mpeg4")]
        Kind::Mpeg4 => reading.add(parse(source, FileType::Mp4)?),
        #[cfg(feature = "mpeg4")]
        Kind::Adts { .. } => reading.add(parse(source, FileType::Aac)?),
    }
    Ok(reading)
}

/// Which of the kinds that lofty tells apart.
fn ogg_type(source: &mut dyn Source) -> Result<FileType, DecodeError> {
    let head = decode::head(source)?;
    let packet = decode::first_packet(&head).unwrap_or_default();
    Ok(if packet.starts_with(b"OpusHead") { FileType::Opus } else { FileType::Vorbis })
}

/// The tag chunks of a WAVE file are handed to lofty as a small file of their own: it knows no RF64,
/// and streams whose lengths were never filled in would lead it astray.
fn read_wav(source: &mut dyn Source) -> Result<TagReading, DecodeError> {
    let mut reading = TagReading::default();
    let mut broadcast = None;
    let mut cues = Cues::default();
    for TagChunk { id, data } in decode::wav::tag_chunks(source, TAG_CHUNK_BYTES_MAX)? {
        if &id == b"bext" {
            broadcast = broadcast.or_else(|| bext::parse(&data));
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
        let mut file = Cursor::new(wav_of_chunk(id, &data));
        reading.add(parse(&mut file, FileType::Wav)?);
    }
    reading.tags.broadcast = broadcast;
    reading.tags.cues = cues.finish();
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

/// The tags of Matroska, which lofty does not know. Pictures are not read.
#[cfg(feature = "matroska")]
fn read_matroska(source: &mut dyn Source) -> Result<Tags, DecodeError> {
    let mut tags = Tags::default();
    for tag in decode::matroska::text_tags(source)?.iter().take(TAG_COUNT_MAX) {
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
    Ok(tags)
}

/// Fills the field that goes by `name`, if it is empty. What is no number where one belongs says nothing.
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
    if let Some(field) = field.filter(|field| field.get(tags).is_none()) {
        let _ = field.set(tags, value);
    }
}

fn wav_of_chunk(id: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let padding = &[0][..data.len() & 1];
    let body = 4 + 8 + data.len() + padding.len();
    [b"RIFF", &length(body)[..], b"WAVE", &id, &length(data.len()), data, padding].concat()
}

/// What lofty makes of a file: its tags, or why there are none.
fn parse<R: Read + Seek>(
    mut source: R,
    file_type: FileType,
) -> Result<Result<TaggedFile, String>, DecodeError> {
    source.seek(SeekFrom::Start(0))?;
    let options = ParseOptions::new().read_properties(false);
    let reader = BufReader::new(source);
    let result = catch_unwind(AssertUnwindSafe(|| {
        Probe::with_file_type(reader, file_type).options(options).read()
    }));
    Ok(match result {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(error)) => Err(one_line(&error.to_string())),
        Err(_) => Err("the tag reader gave up on them".into()),
    })
}

fn one_line(text: &str) -> String {
    clean(text).unwrap_or_default().replace(['\n', '\r'], " ")
}

impl TagReading {
    /// Fills in what is still missing.
    fn add(&mut self, parsed: Result<TaggedFile, String>) {
        let file = match parsed {
            Ok(file) => file,
            Err(reason) => {
                return self.warnings.push(format!("some tags cannot be read: {reason}"));
            }
        };
        // The format's own kind of tag comes first, as an ID3v1 tag is cut to 30 characters.
        let primary = file.primary_tag();
        let is_primary = |tag: &&Tag| primary.is_some_and(|it| it.tag_type() == tag.tag_type());
        let others = file.tags().iter().filter(|tag| !is_primary(tag));
        for tag in primary.into_iter().chain(others) {
            if tag.items().len() > TAG_COUNT_MAX {
                self.warnings
                    .push(format!("only {TAG_COUNT_MAX} of {} tags are kept", tag.items().len()));
            }
            fill(&mut self.tags, tag);
            self.add_pictures(tag);
        }
    }

    fn add_pictures(&mut self, tag: &Tag) {
        if !self.tags.pictures.is_empty() {
            return;
        }
        let mut left = PICTURES_BYTES_MAX;
        for picture in tag.pictures() {
            let count = picture.data().len();
            if count > PICTURE_BYTES_MAX {
                self.warnings.push(format!(
                    "a picture of {count} bytes is left out; at most {PICTURE_BYTES_MAX} are kept"
                ));
                continue;
            }
            if self.tags.pictures.len() == PICTURE_COUNT_MAX {
                self.warnings.push(format!("only {PICTURE_COUNT_MAX} pictures are kept"));
                return;
            }
            if count > left {
                self.warnings.push(format!(
                    "a picture of {count} bytes is left out; at most {PICTURES_BYTES_MAX} of all \
                     pictures are kept"
                ));
                continue;
            }
            left -= count;
            self.tags.pictures.push(Picture {
                kind: kind_of(picture.pic_type()),
                media_type: picture
                    .mime_type()
                    .and_then(|it| clean(it.as_str()))
                    .unwrap_or_default(),
                description: picture.description().and_then(clean),
                bytes: picture.data().to_vec(),
            });
        }
    }
}

/// Fills the fields of `tags` that are still empty.
fn fill(tags: &mut Tags, tag: &Tag) {
    let text = |keys: &[ItemKey]| keys.iter().find_map(|&key| joined(tag, key));
    let set = |field: &mut Option<String>, keys: &[ItemKey]| {
        if field.is_none() {
            *field = text(keys);
        }
    };
    set(&mut tags.title, &[ItemKey::TrackTitle]);
    set(&mut tags.artist, &[ItemKey::TrackArtist]);
    set(&mut tags.album, &[ItemKey::AlbumTitle]);
    set(&mut tags.album_artist, &[ItemKey::AlbumArtist]);
    set(&mut tags.composer, &[ItemKey::Composer]);
    set(&mut tags.genre, &[ItemKey::Genre]);
    set(&mut tags.date, &[ItemKey::RecordingDate, ItemKey::ReleaseDate, ItemKey::Year]);
    set(&mut tags.key, &[ItemKey::InitialKey]);
    set(&mut tags.isrc, &[ItemKey::Isrc]);
    set(&mut tags.comment, &[ItemKey::Comment, ItemKey::Description]);
    set(&mut tags.copyright, &[ItemKey::CopyrightMessage]);
    set(&mut tags.lyrics, &[ItemKey::UnsyncLyrics, ItemKey::Lyrics]);
    let year = text(&[ItemKey::Year]).or_else(|| tags.date.clone());
    tags.year = tags.year.or_else(|| year.as_deref().and_then(year_of));
    let bpm = text(&[ItemKey::Bpm, ItemKey::IntegerBpm]).and_then(|bpm| bpm.parse::<f64>().ok());
    tags.bpm = tags.bpm.or(bpm.filter(|bpm| bpm.is_finite() && *bpm > 0.0));
    let pair = |keys: [ItemKey; 2]| {
        let (number, of) = text(&keys[..1]).map_or((None, None), |text| number_pair(&text));
        (number, text(&keys[1..]).and_then(|text| number_pair(&text).0).or(of))
    };
    let (track, track_total) = pair([ItemKey::TrackNumber, ItemKey::TrackTotal]);
    let (disc, disc_total) = pair([ItemKey::DiscNumber, ItemKey::DiscTotal]);
    tags.track = tags.track.or(track);
    tags.track_total = tags.track_total.or(track_total);
    tags.disc = tags.disc.or(disc);
    tags.disc_total = tags.disc_total.or(disc_total);
}

/// All values of a key, joined.
fn joined(tag: &Tag, key: ItemKey) -> Option<String> {
    let items = tag.items().take(TAG_COUNT_MAX).filter(|item| item.key() == key);
    // Comments with a description are notes of programs, as iTunes' normalization data.
    let items = items.filter(|item| key != ItemKey::Comment || item.description().is_empty());
    let values = items.filter_map(|item| item.value().text()).filter_map(clean);
    clean(&values.collect::<Vec<_>>().join("\0"))
}

fn kind_of(kind: PictureType) -> &'static str {
    match kind {
        PictureType::Icon => "icon",
        PictureType::OtherIcon => "other icon",
        PictureType::CoverFront => "front cover",
        PictureType::CoverBack => "back cover",
        PictureType::Leaflet => "leaflet",
        PictureType::Media => "media",
        PictureType::LeadArtist => "lead artist",
        PictureType::Artist => "artist",
        PictureType::Conductor => "conductor",
        PictureType::Band => "band",
        PictureType::Composer => "composer",
        PictureType::Lyricist => "lyricist",
        PictureType::RecordingLocation => "recording location",
        PictureType::DuringRecording => "during recording",
        PictureType::DuringPerformance => "during performance",
        PictureType::ScreenCapture => "screen capture",
        PictureType::BrightFish => "bright fish",
        PictureType::Illustration => "illustration",
        PictureType::BandLogo => "band logo",
        PictureType::PublisherLogo => "publisher logo",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lofty::tag::TagType;

    fn reading(byte_counts: &[usize]) -> TagReading {
        let mut tag = Tag::new(TagType::Id3v2);
        for &byte_count in byte_counts {
            tag.push_picture(lofty::picture::Picture::unchecked(vec![0; byte_count]).build());
        }
        let mut reading = TagReading::default();
        reading.add_pictures(&tag);
        reading
    }

    fn kept(reading: &TagReading) -> Vec<usize> {
        reading.tags.pictures.iter().map(|picture| picture.bytes.len()).collect()
    }

    #[test]
    fn picture_that_fits_no_flac_block_is_left_out_with_a_warning() {
        let reading = reading(&[PICTURE_BYTES_MAX + 1, PICTURE_BYTES_MAX]);
        assert_eq!(kept(&reading), [PICTURE_BYTES_MAX]);
        assert_eq!(reading.warnings.len(), 1, "{:?}", reading.warnings);
    }

    #[test]
    fn pictures_beyond_their_total_are_left_out_with_a_warning() {
        const MIB: usize = 1 << 20;
        let reading = reading(&[12 * MIB, 12 * MIB, 12 * MIB, 8 * MIB]);
        assert_eq!(kept(&reading), [12 * MIB, 12 * MIB, 8 * MIB]);
        assert_eq!(reading.warnings.len(), 1, "{:?}", reading.warnings);
    }
}
