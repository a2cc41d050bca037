//! Comments and pictures as FLAC, Vorbis and Opus carry them.
//!
//! Source: Xiph.Org, "Ogg Vorbis I format specification: comment field and header specification"; RFC 9639,
//! 8.6 and 8.8.

use super::EncodeSettings;
use crate::tags::{Broadcast, Picture, ReplayGain, Tags};
use std::borrow::Cow;

/// The body of a comment header: who wrote it, then the fields. The names are those most taggers use.
pub(super) fn body(fields: impl IntoIterator<Item = Field>) -> Vec<u8> {
    let fields: Vec<_> = fields.into_iter().collect();
    let mut bytes = Vec::new();
    put_text(&mut bytes, concat!("Wavemill ", env!("CARGO_PKG_VERSION")));
    bytes.extend_from_slice(&u32::try_from(fields.len()).expect("few fields").to_le_bytes());
    for (name, value) in fields {
        put_text(&mut bytes, &format!("{name}={value}"));
    }
    bytes
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&u32::try_from(text.len()).expect("capped text").to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// A field: its name and what it says.
pub(super) type Field = (Cow<'static, str>, String);

/// The tags that are text, and the chapters.
pub(super) fn texts(settings: &EncodeSettings) -> impl Iterator<Item = Field> {
    let named = |(name, value): (&'static str, String)| (Cow::from(name), value);
    named_texts(&settings.tags).map(named).chain(chapters(settings))
}

/// Most chapters that the names of their fields can count.
const CHAPTER_COUNT_MAX: usize = 999;

/// Two fields a chapter: when it begins, and its name.
///
/// Source: Xiph.Org, "Chapter Extension" of Vorbis comments.
fn chapters(settings: &EncodeSettings) -> Vec<Field> {
    let chapters = settings.chapters();
    let numbered = chapters.iter().take(CHAPTER_COUNT_MAX).zip(1..);
    let fields = numbered.flat_map(|(chapter, number)| {
        let name = format!("CHAPTER{number:03}");
        let label = (format!("{name}NAME"), chapter.label.unwrap_or_default().to_owned());
        [(name, time(chapter.start)), label]
    });
    fields.map(|(name, value)| (Cow::from(name), value)).collect()
}

/// `HH:MM:SS.mmm`, rounded.
fn time(ns: u64) -> String {
    let ms = (ns + 500_000) / 1_000_000;
    let (s, m, h) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    format!("{h:02}:{m:02}:{s:02}.{:03}", ms % 1000)
}

/// The tags that are text; one that has several values has as many fields.
fn named_texts(tags: &Tags) -> impl Iterator<Item = (&'static str, String)> {
    use crate::tags::Field::{
        Album, AlbumArtist, Artist, Bpm, Comment, Composer, Copyright, Date, Disc, DiscTotal,
        Genre, Isrc, Key, Lyrics, Title, Track, TrackTotal, Year,
    };
    #[rustfmt::skip]
    let names = [
        ("TITLE", Title), ("ARTIST", Artist), ("ALBUM", Album), ("ALBUMARTIST", AlbumArtist),
        ("COMPOSER", Composer), ("GENRE", Genre), ("DATE", if tags.date.is_some() { Date } else { Year }),
        ("TRACKNUMBER", Track), ("TRACKTOTAL", TrackTotal), ("DISCNUMBER", Disc), ("DISCTOTAL", DiscTotal),
        ("BPM", Bpm), ("INITIALKEY", Key), ("ISRC", Isrc), ("COMMENT", Comment), ("COPYRIGHT", Copyright),
        ("LYRICS", Lyrics),
    ];
    let fields = names
        .into_iter()
        .flat_map(|(name, field)| tags.values(field).into_iter().map(move |value| (name, value)));
    fields.chain(tags.broadcast.iter().flat_map(Broadcast::fields))
}

/// The fields of `ReplayGain`.
pub(super) fn gains(gain: &ReplayGain) -> Vec<Field> {
    gain.fields().into_iter().map(|(name, value)| (Cow::from(name), value)).collect()
}

/// The body of a picture block.
pub(super) fn picture(picture: &Picture) -> Vec<u8> {
    let kind: u32 = match picture.kind {
        "front cover" => 3,
        "back cover" => 4,
        _ => 0,
    };
    let mut bytes = kind.to_be_bytes().to_vec();
    let description = picture.description.as_deref().unwrap_or_default();
    for text in [picture.media_type.as_bytes(), description.as_bytes()] {
        bytes.extend_from_slice(&u32::try_from(text.len()).expect("capped text").to_be_bytes());
        bytes.extend_from_slice(text);
    }
    // Width, height, depth and colors may be left zero: "unknown".
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(&u32::try_from(picture.bytes.len()).expect("capped").to_be_bytes());
    bytes.extend_from_slice(&picture.bytes);
    bytes
}

/// The pictures as fields, each in base64, as far as they fit so many bytes together.
#[cfg(any(feature = "opus", feature = "vorbis"))]
pub(super) fn pictures_within(tags: &Tags, mut byte_count: usize) -> impl Iterator<Item = Field> {
    const NAME: Cow<'static, str> = Cow::Borrowed("METADATA_BLOCK_PICTURE");
    let fields = tags.pictures.iter().map(|one| (NAME, base64(&picture(one))));
    fields.filter(move |(_, text)| {
        let fits = text.len() <= byte_count;
        byte_count -= if fits { text.len() } else { 0 };
        fits
    })
}

/// Source: RFC 4648, 4.
#[cfg(any(feature = "opus", feature = "vorbis"))]
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = char::from(LETTERS[(bits >> shift & 63) as usize]);
            text.push(if index <= group.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(all(test, any(feature = "opus", feature = "vorbis")))]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard_s_examples() {
        let pairs =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
