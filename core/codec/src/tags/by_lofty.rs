//! Tags as lofty reads them, in our model.

use super::read::TagReading;
use super::text::{clean, number_pair, year_of};
use super::{Broadcast, Cue, Field, Picture, Tags, broadcast, markers};
use crate::decode::{DecodeError, Source};
use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::{FileType, TaggedFile, TaggedFileExt};
use lofty::id3::v2::Id3v2Tag;
use lofty::mp4::{AtomData, AtomIdent, Ilst};
use lofty::ogg::tag::VorbisComments;
use lofty::picture::{Picture as LoftyPicture, PictureType};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wavemill_audio::limits::{
    PICTURE_BYTES_MAX, PICTURE_COUNT_MAX, PICTURES_BYTES_MAX, TAG_COUNT_MAX,
};

/// A tag of a file.
pub(super) struct FileTag {
    /// Without its pictures.
    tag: Tag,
    pictures: Vec<LoftyPicture>,
    /// What lofty's common model has no place for.
    cues: Vec<Cue>,
    broadcast: Option<Broadcast>,
    bpm: Option<f64>,
    /// [`TagReading::replay_gain`] of Opus.
    opus_gains: Vec<(&'static str, String)>,
}

/// What players shall do about the level, by the key in [`TagReading::replay_gain`].
const REPLAY_GAIN: [(&str, ItemKey); 4] = [
    ("track_gain", ItemKey::ReplayGainTrackGain),
    ("track_peak", ItemKey::ReplayGainTrackPeak),
    ("album_gain", ItemKey::ReplayGainAlbumGain),
    ("album_peak", ItemKey::ReplayGainAlbumPeak),
];

/// The same in Opus, in steps of 1/256 dB. Source: RFC 7845, 5.2.1.
const OPUS_GAINS: [(&str, &str); 2] =
    [("r128_track_gain", "R128_TRACK_GAIN"), ("r128_album_gain", "R128_ALBUM_GAIN")];

/// What lofty makes of a file: its tags, the format's own kind first, or why there are none.
///
/// For one type of source only: lofty's readers are large, and each type would get its own.
pub(super) fn parse(
    source: &mut dyn Source,
    file_type: FileType,
) -> Result<Result<Vec<FileTag>, String>, DecodeError> {
    source.seek(SeekFrom::Start(0))?;
    // In any other mode one value that is none, as a date in words, costs all tags.
    let options = ParseOptions::new().read_properties(false).parsing_mode(ParsingMode::Relaxed);
    let reader = Filling(BufReader::new(source));
    let result = catch_unwind(AssertUnwindSafe(|| {
        Probe::with_file_type(reader, file_type).options(options).read().map(found)
    }));
    Ok(match result {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(one_line(&error.to_string())),
        Err(_) => Err("the tag reader failed".into()),
    })
}

/// Reads as much as is asked for, as far as it is there: lofty limits atoms of MPEG-4 by counting what reads bring,
/// so that what it made of a damaged one depended on how much came at once.
struct Filling<'a>(BufReader<&'a mut dyn Source>);

impl Read for Filling<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut there = 0;
        while there < bytes.len() {
            match self.0.read(&mut bytes[there..]) {
                Ok(0) => break,
                Ok(count) => there += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(there)
    }
}

impl Seek for Filling<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// A WAVE file that is a chunk of these parts.
pub(super) fn wav_of_chunk(id: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let bytes_of = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let body = 4 + 8 + length + length % 2;
    let mut file = Vec::with_capacity(8 + body);
    file.extend([*b"RIFF", bytes_of(body), *b"WAVE", id, bytes_of(length)].as_flattened());
    for part in parts {
        file.extend_from_slice(part);
    }
    file.resize(8 + body, 0);
    file
}

fn one_line(text: &str) -> String {
    clean(text).unwrap_or_default().replace(['\n', '\r'], " ")
}

/// The tags of a file. The format's own kind comes first, as an `ID3v1` tag is cut to 30 characters.
fn found(mut file: TaggedFile) -> Vec<FileTag> {
    let mut types: Vec<TagType> = file.tags().iter().map(Tag::tag_type).collect();
    let primary = file.primary_tag_type();
    types.sort_by_key(|it| *it != primary);
    types.into_iter().filter_map(|it| file.remove(it)).map(FileTag::new).collect()
}

impl FileTag {
    fn new(mut tag: Tag) -> Self {
        let pictures = (0..tag.pictures().len()).map(|_| tag.remove_picture(0)).collect();
        let mut bpm = None;
        let mut opus_gains = Vec::new();
        let (cues, broadcast) = match tag.tag_type() {
            TagType::Id3v2 => {
                let tag = Id3v2Tag::from(tag.clone());
                (markers::of_id3(&tag), broadcast::of_id3(&tag))
            }
            TagType::VorbisComments => {
                let comments = VorbisComments::from(tag.clone());
                let gain = |(key, name)| Some((key, clean(comments.get(name)?)?));
                opus_gains.extend(OPUS_GAINS.into_iter().filter_map(gain));
                (markers::of_comments(&comments), broadcast::of_comments(&comments))
            }
            TagType::Mp4Ilst => {
                let items = Ilst::from(tag.clone());
                bpm = tempo(&items);
                (Vec::new(), broadcast::of_items(&items))
            }
            _ => (Vec::new(), None),
        };
        Self { tag, pictures, cues, broadcast, bpm, opus_gains }
    }
}

/// The tempo, which is a whole number here.
fn tempo(items: &Ilst) -> Option<f64> {
    let atom = items.get(&AtomIdent::Fourcc(*b"tmpo"))?;
    atom.data().find_map(|data| match data {
        AtomData::SignedInteger(bpm) if *bpm > 0 => Some(f64::from(*bpm)),
        _ => None,
    })
}

impl TagReading {
    /// Fills in what is still missing.
    pub(super) fn add(&mut self, parsed: Result<Vec<FileTag>, String>) {
        let found = match parsed {
            Ok(found) => found,
            Err(reason) => {
                return self.warnings.push(format!("some tags cannot be read: {reason}"));
            }
        };
        for FileTag { tag, pictures, cues, broadcast, bpm, opus_gains } in found {
            let count = tag.items().len();
            if count > TAG_COUNT_MAX {
                self.warnings.push(format!("only {TAG_COUNT_MAX} of {count} tags were kept"));
            }
            fill(&mut self.tags, &tag, broadcast.is_some());
            self.tags.broadcast = self.tags.broadcast.take().or(broadcast);
            self.tags.bpm = self.tags.bpm.or(bpm);
            let gain = |(key, item)| Some((key, joined(&tag, item)?));
            for (key, text) in REPLAY_GAIN.into_iter().filter_map(gain).chain(opus_gains) {
                self.replay_gain.entry(key).or_insert(text);
            }
            if self.tags.cues.is_empty() {
                self.tags.cues = cues;
            }
            let is_mpeg4 = tag.tag_type() == TagType::Mp4Ilst;
            self.add_pictures(pictures.into_iter().map(picture).enumerate().map(|(index, it)| {
                // MPEG-4 has covers, without saying more of them.
                let is_cover = is_mpeg4 && index == 0;
                Picture { kind: if is_cover { "front cover" } else { it.kind }, ..it }
            }));
        }
    }

    /// Keeps pictures, as far as they are not too many and too large, unless there are some already.
    pub(super) fn add_pictures(&mut self, pictures: impl IntoIterator<Item = Picture>) {
        if !self.tags.pictures.is_empty() {
            return;
        }
        let mut left = PICTURES_BYTES_MAX;
        for picture in pictures {
            let count = picture.bytes.len();
            if count > PICTURE_BYTES_MAX {
                self.warnings.push(format!(
                    "a picture of {count} bytes was dropped; the limit is {PICTURE_BYTES_MAX} bytes"
                ));
                continue;
            }
            if self.tags.pictures.len() == PICTURE_COUNT_MAX {
                self.warnings.push(format!("only {PICTURE_COUNT_MAX} pictures were kept"));
                return;
            }
            if count > left {
                self.warnings.push(format!(
                    "a picture of {count} bytes was dropped; the limit for all pictures is \
                    {PICTURES_BYTES_MAX} bytes"
                ));
                continue;
            }
            left -= count;
            self.tags.pictures.push(picture);
        }
    }
}

fn picture(picture: LoftyPicture) -> Picture {
    Picture {
        kind: kind_of(picture.pic_type()),
        // Media types are ASCII: RFC 6838, 4.2.
        media_type: picture
            .mime_type()
            .and_then(|it| clean(it.as_str()))
            .filter(|it| it.is_ascii())
            .unwrap_or_default(),
        description: picture.description().and_then(clean),
        bytes: picture.into_data(),
    }
}

/// Fills the fields of `tags` that are still empty. A description of a broadcast is no comment.
fn fill(tags: &mut Tags, tag: &Tag, has_broadcast: bool) {
    let text = |keys: &[ItemKey]| keys.iter().find_map(|&key| joined(tag, key));
    let comments: &[ItemKey] =
        if has_broadcast { &[ItemKey::Comment] } else { &[ItemKey::Comment, ItemKey::Description] };
    #[rustfmt::skip]
    let fields: [(Field, &[ItemKey]); 12] = [
        (Field::Title, &[ItemKey::TrackTitle]),
        (Field::Artist, &[ItemKey::TrackArtist]),
        (Field::Album, &[ItemKey::AlbumTitle]),
        (Field::AlbumArtist, &[ItemKey::AlbumArtist]),
        (Field::Composer, &[ItemKey::Composer]),
        (Field::Genre, &[ItemKey::Genre]),
        (Field::Date, &[ItemKey::RecordingDate, ItemKey::ReleaseDate, ItemKey::Year]),
        (Field::Key, &[ItemKey::InitialKey]),
        (Field::Isrc, &[ItemKey::Isrc]),
        (Field::Comment, comments),
        (Field::Copyright, &[ItemKey::CopyrightMessage]),
        (Field::Lyrics, &[ItemKey::UnsyncLyrics, ItemKey::Lyrics]),
    ];
    for (field, keys) in fields {
        let values = keys.iter().map(|&key| values(tag, key)).find(|values| !values.is_empty());
        let Some(values) = values else { continue };
        // Several values of what another kind of tag has joined are the same, stated better.
        let is_known = field.get(tags).is_some_and(|known| known != super::joined(&values));
        if !is_known {
            tags.set_values(field, values);
        }
    }
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

/// All values of a key.
fn values(tag: &Tag, key: ItemKey) -> Vec<String> {
    let items = tag.items().take(TAG_COUNT_MAX).filter(|item| item.key() == key);
    // Comments with a description are notes of programs, as iTunes' normalization data.
    let items = items.filter(|item| key != ItemKey::Comment || item.description().is_empty());
    let texts = items.filter_map(|item| item.value().text());
    // ID3v2.4 separates several values by a zero.
    texts.flat_map(|text| text.split('\0')).filter_map(clean).collect()
}

/// All values of a key, joined.
fn joined(tag: &Tag, key: ItemKey) -> Option<String> {
    clean(&super::joined(&values(tag, key)))
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
        let of = |&count: &usize| LoftyPicture::unchecked(vec![0; count]).build();
        let pictures: Vec<_> = byte_counts.iter().map(of).collect();
        let mut reading = TagReading::default();
        reading.add_pictures(pictures.into_iter().map(picture));
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
