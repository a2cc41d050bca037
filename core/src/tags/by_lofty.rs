//! Tags as lofty reads them, in our model.

use super::read::TagReading;
use super::text::{clean, number_pair, year_of};
use super::{Cue, Picture, Tags, markers};
use crate::decode::DecodeError;
use crate::limits::{PICTURE_BYTES_MAX, PICTURE_COUNT_MAX, PICTURES_BYTES_MAX, TAG_COUNT_MAX};
use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::{FileType, TaggedFile, TaggedFileExt};
use lofty::id3::v2::Id3v2Tag;
use lofty::ogg::tag::VorbisComments;
use lofty::picture::{Picture as LoftyPicture, PictureType};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A tag of a file.
pub(super) struct Found {
    /// Without its pictures.
    tag: Tag,
    pictures: Vec<LoftyPicture>,
    /// What only this kind of tag has.
    cues: Vec<Cue>,
}

/// What lofty makes of a file: its tags, the format's own kind first, or why there are none.
pub(super) fn parse<R: Read + Seek>(
    mut source: R,
    file_type: FileType,
) -> Result<Result<Vec<Found>, String>, DecodeError> {
    source.seek(SeekFrom::Start(0))?;
    // In any other mode one value that is none, as a date in words, costs all tags.
    let options = ParseOptions::new().read_properties(false).parsing_mode(ParsingMode::Relaxed);
    let reader = BufReader::new(source);
    let result = catch_unwind(AssertUnwindSafe(|| {
        Probe::with_file_type(reader, file_type).options(options).read().map(found)
    }));
    Ok(match result {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(one_line(&error.to_string())),
        Err(_) => Err("the tag reader gave up on them".into()),
    })
}

fn one_line(text: &str) -> String {
    clean(text).unwrap_or_default().replace(['\n', '\r'], " ")
}

/// The tags of a file. The format's own kind comes first, as an `ID3v1` tag is cut to 30 characters.
fn found(mut file: TaggedFile) -> Vec<Found> {
    let mut types: Vec<TagType> = file.tags().iter().map(Tag::tag_type).collect();
    let primary = file.primary_tag_type();
    types.sort_by_key(|it| *it != primary);
    types.into_iter().filter_map(|it| file.remove(it)).map(Found::new).collect()
}

impl Found {
    fn new(mut tag: Tag) -> Self {
        let pictures = (0..tag.pictures().len()).map(|_| tag.remove_picture(0)).collect();
        let cues = match tag.tag_type() {
            TagType::Id3v2 => markers::of_id3(&Id3v2Tag::from(tag.clone())),
            TagType::VorbisComments => markers::of_comments(&VorbisComments::from(tag.clone())),
            _ => Vec::new(),
        };
        Self { tag, pictures, cues }
    }
}

impl TagReading {
    /// Fills in what is still missing.
    pub(super) fn add(&mut self, parsed: Result<Vec<Found>, String>) {
        let found = match parsed {
            Ok(found) => found,
            Err(reason) => {
                return self.warnings.push(format!("some tags cannot be read: {reason}"));
            }
        };
        for Found { tag, pictures, cues } in found {
            let count = tag.items().len();
            if count > TAG_COUNT_MAX {
                self.warnings.push(format!("only {TAG_COUNT_MAX} of {count} tags are kept"));
            }
            fill(&mut self.tags, &tag);
            if self.tags.cues.is_empty() {
                self.tags.cues = cues;
            }
            self.add_pictures(&pictures);
        }
    }

    fn add_pictures(&mut self, pictures: &[LoftyPicture]) {
        if !self.tags.pictures.is_empty() {
            return;
        }
        let mut left = PICTURES_BYTES_MAX;
        for picture in pictures {
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
                    // Media types are ASCII: RFC 6838, 4.2.
                    .filter(|it| it.is_ascii())
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

    fn reading(byte_counts: &[usize]) -> TagReading {
        let picture = |&count: &usize| LoftyPicture::unchecked(vec![0; count]).build();
        let pictures: Vec<_> = byte_counts.iter().map(picture).collect();
        let mut reading = TagReading::default();
        reading.add_pictures(&pictures);
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
