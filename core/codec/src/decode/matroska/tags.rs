//! What describes a file: texts, chapters and pictures.
//!
//! Source: RFC 9559, 5.1.6 (`Attachments`), 5.1.7 (`Chapters`), 5.1.8 (`Tags`) and 21 (names of pictures);
//! "Matroska Media Container Tag Specifications" (draft-ietf-cellar-tags), target types.

use super::ebml::{Element, Elements, inside, text, unsigned};
use super::header::{self, id};
use crate::decode::{Damaged, DecodeError, Source};
use crate::tags::{CUE_COUNT_MAX, Cue, CueEnd, Picture, Place, clean};
use wavemill_audio::limits::{CHUNK_COUNT_MAX, PICTURES_BYTES_MAX};

/// Bytes of the tags that are read.
const TAGS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Names of elements.
const TAGS: u32 = 0x1254_c367;
const TAG: u32 = 0x7373;
const TARGETS: u32 = 0x63c0;
const TARGET_TYPE: u32 = 0x68ca;
const TARGET_TRACK: u32 = 0x63c5;
const SIMPLE_TAG: u32 = 0x67c8;
const TAG_NAME: u32 = 0x45a3;
const TAG_STRING: u32 = 0x4487;
const SEGMENT_TITLE: u32 = 0x7ba9;
const ATTACHMENTS: u32 = 0x1941_a469;
const ATTACHED_FILE: u32 = 0x61a7;
const FILE_DESCRIPTION: u32 = 0x467e;
const FILE_NAME: u32 = 0x466e;
const FILE_MEDIA_TYPE: u32 = 0x4660;
const FILE_DATA: u32 = 0x465c;
const CHAPTERS: u32 = 0x1043_a770;
const EDITION: u32 = 0x45b9;
const EDITION_IS_DEFAULT: u32 = 0x45db;
const CHAPTER: u32 = 0xb6;
const CHAPTER_START: u32 = 0x91;
const CHAPTER_END: u32 = 0x92;
const CHAPTER_IS_HIDDEN: u32 = 0x98;
const CHAPTER_DISPLAY: u32 = 0x80;
const CHAPTER_NAME: u32 = 0x85;

/// What a tag describes, where nothing is stated: the album, or all there is.
const ALBUM: u64 = 50;

/// A tag of the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextTag {
    /// In upper case, as `ARTIST`.
    pub(crate) name: String,
    pub(crate) value: String,
    /// Whether it is stated of an album.
    pub(crate) is_of_album: bool,
}

/// What describes a file.
#[derive(Debug, Default)]
pub(crate) struct Description {
    /// Its title and its tags.
    pub(crate) texts: Vec<TextTag>,
    /// Its chapters, in the order of time.
    pub(crate) chapters: Vec<Cue>,
    /// The pictures that are attached; those that are too large have been left out.
    pub(crate) pictures: Vec<Picture>,
}

/// What describes a file, wherever it stands.
///
/// # Errors
/// When reading fails; what is broken ends the lists.
pub(crate) fn description(source: &mut dyn Source) -> Result<Description, DecodeError> {
    let byte_count = crate::decode::byte_count(source)?;
    let mut elements = Elements::new(source, byte_count)?;
    let end = match header::segment(&mut elements, Damaged::Repair) {
        Ok(segment) => segment.end.unwrap_or(byte_count),
        Err(DecodeError::Io(error)) => return Err(error.into()),
        Err(_) => return Ok(Description::default()),
    };
    let mut found = Description::default();
    for _ in 0..CHUNK_COUNT_MAX {
        if elements.position() >= end {
            break;
        }
        match next(&mut elements, &mut found) {
            Ok(true) => {}
            Err(DecodeError::Io(error)) => return Err(error.into()),
            Ok(false) | Err(_) => break,
        }
    }
    Ok(found)
}

/// Looks at the next element; `false` at the end.
fn next(
    elements: &mut Elements<&mut dyn Source>,
    found: &mut Description,
) -> Result<bool, DecodeError> {
    let Some(element) = elements.next()? else { return Ok(false) };
    match element.id {
        id::INFO => {
            let info = elements.data(element, TAGS_BYTES_MAX)?;
            let titles = inside(&info).filter(|(id, _)| *id == SEGMENT_TITLE);
            found.texts.extend(titles.map(|(_, title)| TextTag {
                name: "TITLE".to_owned(),
                value: text(title),
                is_of_album: false,
            }));
        }
        TAGS => {
            let tags = elements.data(element, TAGS_BYTES_MAX)?;
            inside(&tags)
                .filter(|(id, _)| *id == TAG)
                .for_each(|(_, tag)| add(tag, &mut found.texts));
        }
        ATTACHMENTS => attachments(elements, element, &mut found.pictures)?,
        CHAPTERS if found.chapters.is_empty() => {
            found.chapters = chapters(&elements.data(element, TAGS_BYTES_MAX)?);
        }
        _ => elements.skip(element)?,
    }
    Ok(true)
}

/// Adds what one `Tag` states, unless it is of one track only.
fn add(tag: &[u8], found: &mut Vec<TextTag>) {
    let targets = inside(tag).find(|(id, _)| *id == TARGETS).map_or(&[][..], |(_, data)| data);
    let target = |name| {
        let target = inside(targets).find(|(id, _)| *id == name);
        target.and_then(|(_, data)| unsigned(data))
    };
    if target(TARGET_TRACK).is_some_and(|track| track != 0) {
        return;
    }
    let is_of_album = target(TARGET_TYPE) == Some(ALBUM);
    for (_, simple) in inside(tag).filter(|(id, _)| *id == SIMPLE_TAG) {
        let part = |name| inside(simple).find(|(id, _)| *id == name).map(|(_, data)| text(data));
        if let (Some(name), Some(value)) = (part(TAG_NAME), part(TAG_STRING)) {
            found.push(TextTag { name: name.to_ascii_uppercase(), value, is_of_album });
        }
    }
}

/// Adds the pictures among the attached files. Other files, fonts for one, may be as large as they like.
fn attachments(
    elements: &mut Elements<&mut dyn Source>,
    attachments: Element,
    pictures: &mut Vec<Picture>,
) -> Result<(), DecodeError> {
    let end = attachments.end.ok_or_else(|| DecodeError::damaged("its attachments do not end"))?;
    let mut left = PICTURES_BYTES_MAX as u64;
    for _ in 0..CHUNK_COUNT_MAX {
        if elements.position() >= end {
            break;
        }
        let Some(element) = elements.next()? else { break };
        let length = element.end.map_or(u64::MAX, |end| end - element.start);
        if element.id != ATTACHED_FILE || length > left {
            elements.skip(element)?;
            continue;
        }
        let file = elements.data(element, length)?;
        if let Some(picture) = attached_picture(&file) {
            left -= length;
            pictures.push(picture);
        }
    }
    elements.go_to(end)
}

/// An attached file, if it is a picture; its name says what it shows.
fn attached_picture(file: &[u8]) -> Option<Picture> {
    let part = |name| inside(file).find(|(id, _)| *id == name).map(|(_, data)| data);
    let media_type = clean(&text(part(FILE_MEDIA_TYPE)?))?;
    if !media_type.starts_with("image/") || !media_type.is_ascii() {
        return None;
    }
    let name = part(FILE_NAME).map(text).unwrap_or_default().to_ascii_lowercase();
    let is_cover = name.starts_with("cover.") || name.starts_with("cover_land.");
    Some(Picture {
        kind: if is_cover { "front cover" } else { "other" },
        media_type,
        description: part(FILE_DESCRIPTION).and_then(|data| clean(&text(data))),
        bytes: part(FILE_DATA)?.to_vec(),
    })
}

/// The chapters of the edition that is meant, which is the first where none is.
fn chapters(data: &[u8]) -> Vec<Cue> {
    let editions = || inside(data).filter(|(id, _)| *id == EDITION).map(|(_, edition)| edition);
    let is_meant = |edition: &&[u8]| number_in(edition, EDITION_IS_DEFAULT) == Some(1);
    let edition = editions().find(is_meant).or_else(|| editions().next());
    let entries = inside(edition.unwrap_or_default()).filter(|(id, _)| *id == CHAPTER);
    let mut chapters: Vec<Cue> =
        entries.filter_map(|(_, entry)| chapter(entry)).take(CUE_COUNT_MAX).collect();
    chapters.sort_by_key(|chapter| chapter.start);
    chapters
}

/// A chapter; `None` where it is hidden. Those inside of it are left out.
fn chapter(entry: &[u8]) -> Option<Cue> {
    if number_in(entry, CHAPTER_IS_HIDDEN) == Some(1) {
        return None;
    }
    let display = inside(entry).find(|(id, _)| *id == CHAPTER_DISPLAY);
    let name = display.and_then(|(_, data)| inside(data).find(|(id, _)| *id == CHAPTER_NAME));
    let end = number_in(entry, CHAPTER_END).map(|ns| CueEnd::At(Place::Nanoseconds(ns)));
    Some(Cue {
        start: Place::Nanoseconds(number_in(entry, CHAPTER_START)?),
        end: end.unwrap_or(CueEnd::Next),
        label: name.and_then(|(_, name)| clean(&text(name))),
    })
}

fn number_in(data: &[u8], name: u32) -> Option<u64> {
    inside(data).find(|(id, _)| *id == name).and_then(|(_, data)| unsigned(data))
}
