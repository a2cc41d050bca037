//! Tags as Vorbis comments and picture blocks.

use crate::encode::EncodeSettings;
use crate::tags::{Picture, Tags};
use flac_codec::metadata::{self, PictureType, VorbisComment};

/// The comments for `settings`.
///
/// The names are those most taggers use. Source: Xiph.Org, "Ogg Vorbis I format specification:
/// comment field and header specification"; RFC 9639, 8.6.
pub(super) fn comments(settings: &EncodeSettings) -> VorbisComment {
    let mut comment = VorbisComment {
        vendor_string: concat!("Wavemill ", env!("CARGO_PKG_VERSION")).to_owned(),
        fields: Vec::new(),
    };
    for (name, value) in fields(&settings.tags) {
        comment.insert(name, value);
    }
    // FLAC has fixed layouts per channel count; any other needs the mask in words.
    let layout = &settings.spec.layout;
    if *layout != crate::audio::ChannelLayout::usual(layout.channel_count())
        && let Some(mask) = layout.mask()
    {
        comment.insert("WAVEFORMATEXTENSIBLE_CHANNEL_MASK", format!("0x{mask:04X}"));
    }
    comment
}

fn fields(tags: &Tags) -> Vec<(&'static str, String)> {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let broadcast = tags.broadcast.as_ref();
    let all: [(&'static str, Option<String>); 22] = [
        ("TITLE", tags.title.clone()),
        ("ARTIST", tags.artist.clone()),
        ("ALBUM", tags.album.clone()),
        ("ALBUMARTIST", tags.album_artist.clone()),
        ("COMPOSER", tags.composer.clone()),
        ("GENRE", tags.genre.clone()),
        ("DATE", tags.date.clone().or_else(|| number(tags.year))),
        ("TRACKNUMBER", number(tags.track)),
        ("TRACKTOTAL", number(tags.track_total)),
        ("DISCNUMBER", number(tags.disc)),
        ("DISCTOTAL", number(tags.disc_total)),
        ("BPM", tags.bpm.map(|bpm| bpm.to_string())),
        ("INITIALKEY", tags.key.clone()),
        ("ISRC", tags.isrc.clone()),
        ("COMMENT", tags.comment.clone()),
        ("COPYRIGHT", tags.copyright.clone()),
        ("LYRICS", tags.lyrics.clone()),
        ("DESCRIPTION", broadcast.and_then(|b| b.description.clone())),
        ("ENCODED-BY", broadcast.and_then(|b| b.originator.clone())),
        ("ORIGINATORREFERENCE", broadcast.and_then(|b| b.reference.clone())),
        ("ORIGINATIONDATE", broadcast.and_then(|b| b.date.clone())),
        ("TIMEREFERENCE", broadcast.and_then(|b| b.time_reference).map(|time| time.to_string())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A picture block, or `None` when it exceeds what a block holds (16 MiB less its header).
///
/// The size in pixels stays 0, "unknown", for media the library cannot look into.
pub(super) fn picture(picture: &Picture) -> Option<metadata::Picture> {
    /// Room for the fields before the data, generously.
    const HEADER_BYTES_MAX: usize = 64 * 1024;
    const BLOCK_BYTES_MAX: usize = (1 << 24) - 1;
    let description = picture.description.clone().unwrap_or_default();
    let text_bytes = description.len() + picture.media_type.len();
    if text_bytes > HEADER_BYTES_MAX / 2 || picture.bytes.len() > BLOCK_BYTES_MAX - HEADER_BYTES_MAX
    {
        return None;
    }
    let picture_type = match picture.kind {
        "front cover" => PictureType::FrontCover,
        "back cover" => PictureType::BackCover,
        _ => PictureType::Other,
    };
    let known = metadata::Picture::new(picture_type, description.clone(), picture.bytes.clone());
    Some(known.unwrap_or_else(|_| metadata::Picture {
        picture_type,
        media_type: picture.media_type.clone(),
        description,
        width: 0,
        height: 0,
        color_depth: 0,
        colors_used: None,
        data: picture.bytes.clone(),
    }))
}
