//! An ID3v2.4 tag: before the sound of MP3, and in WAV for what a `LIST` chunk has no names for.
//!
//! Sources: M. Nilsson, "ID3 tag version 2.4.0: main structure" and "native frames" (2000); C. Newell, "`ID3v2`
//! Chapter Frame Addendum", version 1.0 (2005).

use crate::tags::{Broadcast, Chapter, Field, Picture, Tags};

/// Text encoding 3: UTF-8.
const UTF_8: u8 = 3;

/// Language of texts that have one: unknown. Source: ISO 639-2, as the standard asks.
const LANGUAGE: &[u8; 3] = b"XXX";

/// Largest size a tag or frame can state: 28 bits.
const SIZE_MAX: usize = (1 << 28) - 1;

/// Room for four frames of `ReplayGain`, each with a header of 10 bytes, a name of 21 and a value of up to 10.
const REPLAY_GAIN_BYTES: usize = 256;

/// What the file around a tag has no place for itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ExtraTags<'a> {
    pub(super) chapters: &'a [Chapter<'a>],
    pub(super) broadcast: Option<&'a Broadcast>,
}

/// A tag with all text and pictures, and with what is `further` to be said, or `None` when there is nothing.
/// Pictures that do not fit any more are left out.
pub(super) fn tag(tags: &Tags, further: ExtraTags<'_>) -> Option<Vec<u8>> {
    let mut frames = Vec::new();
    for (id, text) in texts(tags) {
        if let Some(text) = text {
            push(&mut frames, id, &[&[UTF_8], text.as_bytes()].concat());
        }
    }
    for (id, text) in [(*b"COMM", &tags.comment), (*b"USLT", &tags.lyrics)] {
        if let Some(text) = text {
            // An empty description, then the text.
            push(&mut frames, id, &[&[UTF_8], &LANGUAGE[..], &[0], text.as_bytes()].concat());
        }
    }
    for (name, value) in further.broadcast.into_iter().flat_map(Broadcast::fields) {
        push_named(&mut frames, name, &value);
    }
    push_chapters(&mut frames, further.chapters);
    for picture in &tags.pictures {
        push(&mut frames, *b"APIC", &picture_body(picture));
    }
    if let Some(replay_gain) = &tags.replay_gain {
        // The same size whatever the values are: they are known only after the samples.
        let byte_count = frames.len() + REPLAY_GAIN_BYTES;
        for (name, value) in replay_gain.fields() {
            push_named(&mut frames, name, &value);
        }
        frames.resize(byte_count, 0);
    }
    if frames.is_empty() {
        return None;
    }
    let mut tag = b"ID3\x04\0\0".to_vec();
    tag.extend(synchsafe(frames.len()));
    tag.extend(frames);
    Some(tag)
}

fn texts(tags: &Tags) -> [([u8; 4], Option<String>); 13] {
    // Several values are separated by a zero, which must not stand in one of them.
    let all = |field| {
        let values = tags.values(field).into_iter().map(|value| value.replace('\0', ""));
        let text = values.collect::<Vec<_>>().join("\0");
        (!text.is_empty()).then_some(text)
    };
    [
        (*b"TIT2", all(Field::Title)),
        (*b"TPE1", all(Field::Artist)),
        (*b"TALB", all(Field::Album)),
        (*b"TPE2", all(Field::AlbumArtist)),
        (*b"TCOM", all(Field::Composer)),
        (*b"TCON", all(Field::Genre)),
        (*b"TDRC", all(Field::Date).or_else(|| all(Field::Year))),
        (*b"TRCK", part_of(tags.track, tags.track_total)),
        (*b"TPOS", part_of(tags.disc, tags.disc_total)),
        (*b"TBPM", all(Field::Bpm)),
        (*b"TKEY", all(Field::Key)),
        (*b"TSRC", all(Field::Isrc)),
        (*b"TCOP", all(Field::Copyright)),
    ]
}

/// `3`, or `3/9`.
pub(super) fn part_of(part: Option<u32>, total: Option<u32>) -> Option<String> {
    part.map(|part| total.map_or_else(|| part.to_string(), |total| format!("{part}/{total}")))
}

/// Appends a text that has a name of its own.
fn push_named(frames: &mut Vec<u8>, name: &str, value: &str) {
    push(frames, *b"TXXX", &[&[UTF_8], name.as_bytes(), &[0], value.as_bytes()].concat());
}

/// What a chapter says instead of a place in bytes: look at the times.
const NO_OFFSET: [u8; 4] = [0xff; 4];

/// Most entries that a table of contents can count.
const ENTRIES_MAX: usize = 255;

/// A frame a chapter, and a table of contents that is a table of tables where one cannot count them.
fn push_chapters(frames: &mut Vec<u8>, chapters: &[Chapter<'_>]) {
    if chapters.is_empty() {
        return;
    }
    let ms = |ns: u64| u32::try_from((ns + 500_000) / 1_000_000).unwrap_or(u32::MAX - 1);
    let ids: Vec<String> = (0..chapters.len()).map(|index| format!("ch{index}")).collect();
    let groups: Vec<&[String]> = ids.chunks(ENTRIES_MAX).collect();
    let tables: Vec<String> = (0..groups.len()).map(|index| format!("toc{index}")).collect();
    if groups.len() == 1 {
        push_contents(frames, "toc", IS_TOP | IS_ORDERED, &ids);
    } else {
        push_contents(frames, "toc", IS_TOP | IS_ORDERED, &tables);
        for (table, group) in tables.iter().zip(groups) {
            push_contents(frames, table, IS_ORDERED, group);
        }
    }
    for (id, chapter) in ids.iter().zip(chapters) {
        let mut body = [id.as_bytes(), &[0]].concat();
        body.extend([ms(chapter.start), ms(chapter.end)].map(u32::to_be_bytes).concat());
        body.extend([NO_OFFSET, NO_OFFSET].concat());
        if let Some(label) = chapter.label {
            push(&mut body, *b"TIT2", &[&[UTF_8], label.as_bytes()].concat());
        }
        push(frames, *b"CHAP", &body);
    }
}

/// Flags of a table of contents.
const IS_ORDERED: u8 = 1;
const IS_TOP: u8 = 2;

fn push_contents(frames: &mut Vec<u8>, id: &str, flags: u8, entries: &[String]) {
    let mut body = [id.as_bytes(), &[0, flags]].concat();
    body.push(u8::try_from(entries.len()).expect("are cut into so many"));
    for entry in entries {
        body.extend(entry.bytes().chain([0]));
    }
    push(frames, *b"CTOC", &body);
}

fn picture_body(picture: &Picture) -> Vec<u8> {
    let kind: u8 = match picture.kind {
        "front cover" => 3,
        "back cover" => 4,
        _ => 0,
    };
    // Texts before the picture end with a zero, so they must not hold one.
    let media_type = picture.media_type.replace('\0', "");
    let description = picture.description.as_deref().unwrap_or_default().replace('\0', "");
    let mut body = vec![UTF_8];
    body.extend(media_type.bytes());
    body.extend([0, kind]);
    body.extend(description.bytes());
    body.push(0);
    body.extend(&picture.bytes);
    body
}

/// Appends a frame, unless the tag would become too large.
fn push(frames: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    const FRAME_HEADER_BYTES: usize = 10;
    if frames.len() + FRAME_HEADER_BYTES + body.len() > SIZE_MAX {
        return;
    }
    frames.extend(id);
    frames.extend(synchsafe(body.len()));
    frames.extend([0, 0]); // no flags
    frames.extend(body);
}

/// A size of at most 28 bits, seven to a byte.
fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| u8::try_from(size >> shift & 0x7f).expect("seven bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_of_nothing_is_left_out() {
        assert_eq!(tag(&Tags::default(), ExtraTags::default()), None);
    }

    #[test]
    fn tag_with_replay_gain_has_one_size_before_and_after_it_is_known() {
        use crate::tags::{GainBasis, ReplayGain};
        use wavemill_audio::units::{Dbtp, Lufs};
        let tag_of = |replay_gain| {
            tag(&Tags { replay_gain: Some(replay_gain), ..Tags::default() }, ExtraTags::default())
                .unwrap()
        };
        let before = tag_of(ReplayGain::default());
        let leveled = Some(GainBasis { loudness: Lufs(-70.0), true_peak: Dbtp(40.0) });
        let after = tag_of(ReplayGain { track: leveled, album: leveled });
        assert_eq!(before.len(), after.len());
        assert_eq!(after.len(), 10 + REPLAY_GAIN_BYTES);
        assert!(after.ends_with(&[0; 16]), "the room is large enough for the largest values");
    }

    #[test]
    fn tag_holds_frames_with_synchsafe_sizes() {
        let isrc = "x".repeat(200);
        let tags = Tags { isrc: Some(isrc.clone()), ..Tags::default() };
        let tag = tag(&tags, ExtraTags::default()).unwrap();
        // 211 bytes of frames are 1 * 128 + 83, the 201 of the body 1 * 128 + 73.
        let mut expected = b"ID3\x04\0\0\0\0\x01\x53".to_vec();
        expected.extend(b"TSRC\0\0\x01\x49\0\0\x03");
        expected.extend(isrc.bytes());
        assert_eq!(tag, expected);
    }
}
