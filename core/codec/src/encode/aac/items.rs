//! The tags of a file, its chapters, and what iTunes notes of delay and padding.
//!
//! Sources: Apple, "`QuickTime` File Format Specification", "Metadata"; names as iTunes and taggers use them; the
//! list of chapters `chpl` as Nero's programs write it.

use super::atoms::{atom, full};
use crate::encode::{EncodeSettings, id3::part_of};
use crate::tags::{Broadcast, Field, Picture, ReplayGain, Tags};

/// Room behind the tags for taggers, and for gains that are known after the samples.
const ROOM_BYTES: usize = 2048;

/// Kinds of values. Source: `QuickTime` File Format Specification, "Well-known types".
const NUMBERS: u32 = 0;
const TEXT: u32 = 1;
const JPEG: u32 = 13;
const PNG: u32 = 14;
const INTEGER: u32 = 21;

/// Most chapters: their number has 8 bits, as has the length of a name.
const CHAPTER_COUNT_MAX: usize = 255;

/// The item that states delay, padding and length; its name stands in front of its text.
const NOTE_NAME: &str = "iTunSMPB";

/// What a player leaves out, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gaps {
    /// Before the sound.
    pub(super) lead: u64,
    /// Behind it.
    pub(super) padding: u64,
    /// Of the sound.
    pub(super) frame_count: u64,
}

impl Gaps {
    /// As iTunes writes it, always as long.
    pub(super) fn note(self) -> String {
        let Self { lead, padding, frame_count } = self;
        let rest = " 00000000".repeat(8);
        format!(" 00000000 {lead:08X} {padding:08X} {frame_count:016X}{rest}")
    }
}

/// Finds the note in a `udta` atom that [`user_data`] made.
pub(super) fn note_in(user_data: &[u8]) -> Option<String> {
    const DATA_HEAD_BYTES: usize = 16;
    let name = NOTE_NAME.as_bytes();
    let at = user_data.windows(name.len()).position(|window| window == name)?;
    let start = at + name.len() + DATA_HEAD_BYTES;
    let length = Gaps { lead: 0, padding: 0, frame_count: 0 }.note().len();
    String::from_utf8(user_data.get(start..start + length)?.to_vec()).ok()
}

/// The `udta` atom, of one size whatever the gains and the numbers of the note are.
pub(super) fn user_data(settings: &EncodeSettings, note: &str) -> Vec<u8> {
    let tags = &settings.tags;
    // The note comes first, so that no text of a tag is taken for it.
    let items = [own(NOTE_NAME, note), items(tags)].concat();
    let gains = tags.replay_gain.as_ref().map(gains).unwrap_or_default();
    let room = vec![0; ROOM_BYTES.saturating_sub(gains.len())];
    let handler: [&[u8]; 4] = [&[0; 4], b"mdir", b"appl", &[0; 9]];
    let meta = full(
        *b"meta",
        0,
        0,
        &[
            &full(*b"hdlr", 0, 0, &handler),
            &atom(*b"ilst", &[&items, &gains]),
            &atom(*b"free", &[&room]),
        ],
    );
    atom(*b"udta", &[&meta, &chapters(settings)])
}

fn gains(gain: &ReplayGain) -> Vec<u8> {
    let fields = gain.fields().into_iter();
    fields.flat_map(|(name, value)| own(&name.to_ascii_lowercase(), &value)).collect()
}

fn items(tags: &Tags) -> Vec<u8> {
    let mut items = Vec::new();
    let names: [(&[u8; 4], Field); 10] = [
        (b"\xa9nam", Field::Title),
        (b"\xa9ART", Field::Artist),
        (b"\xa9alb", Field::Album),
        (b"aART", Field::AlbumArtist),
        (b"\xa9wrt", Field::Composer),
        (b"\xa9gen", Field::Genre),
        (b"\xa9day", if tags.date.is_some() { Field::Date } else { Field::Year }),
        (b"\xa9cmt", Field::Comment),
        (b"cprt", Field::Copyright),
        (b"\xa9lyr", Field::Lyrics),
    ];
    for (name, field) in names {
        let values: Vec<_> =
            tags.values(field).iter().map(|value| data(TEXT, value.as_bytes())).collect();
        if !values.is_empty() {
            items.extend(atom(*name, &[&values.concat()]));
        }
    }
    for (name, part, total) in
        [(b"trkn", tags.track, tags.track_total), (b"disk", tags.disc, tags.disc_total)]
    {
        // Two zeros, both numbers, and in that of tracks two zeros again.
        if part_of(part, total).is_some() {
            let number = |value: Option<u32>| u16::try_from(value.unwrap_or(0)).unwrap_or(0);
            let numbers = [0, number(part), number(total), 0].map(u16::to_be_bytes).concat();
            let end = if name == b"trkn" { 8 } else { 6 };
            items.extend(atom(*name, &[&data(NUMBERS, &numbers[..end])]));
        }
    }
    if let Some(bpm) = tags.bpm {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, as is meant"
        )]
        let whole = bpm.round() as u16;
        items.extend(atom(*b"tmpo", &[&data(INTEGER, &whole.to_be_bytes())]));
        if f64::from(whole).to_bits() != bpm.to_bits() {
            items.extend(own("BPM", &bpm.to_string()));
        }
    }
    for (name, field) in [("initialkey", Field::Key), ("ISRC", Field::Isrc)] {
        items.extend(own_values(name, &tags.values(field)));
    }
    for (name, value) in tags.broadcast.iter().flat_map(Broadcast::fields) {
        items.extend(own(name, &value));
    }
    let tool = concat!("Wavemill ", env!("CARGO_PKG_VERSION"));
    items.extend(atom(*b"\xa9too", &[&data(TEXT, tool.as_bytes())]));
    let covers: Vec<_> = tags.pictures.iter().map(cover).collect();
    if !covers.is_empty() {
        items.extend(atom(*b"covr", &[&covers.concat()]));
    }
    items
}

fn cover(picture: &Picture) -> Vec<u8> {
    let kind = match picture.media_type.as_str() {
        "image/jpeg" | "image/jpg" => JPEG,
        "image/png" => PNG,
        _ => NUMBERS,
    };
    data(kind, &picture.bytes)
}

/// A value: what kind it is, no country, and itself.
fn data(kind: u32, value: &[u8]) -> Vec<u8> {
    atom(*b"data", &[&kind.to_be_bytes(), &[0; 4], value])
}

/// An item whose name has more than four letters.
fn own(name: &str, value: &str) -> Vec<u8> {
    own_values(name, &[value.to_owned()])
}

fn own_values(name: &str, values: &[String]) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let values: Vec<_> = values.iter().map(|value| data(TEXT, value.as_bytes())).collect();
    let mean = full(*b"mean", 0, 0, &[b"com.apple.iTunes"]);
    atom(*b"----", &[&mean, &full(*b"name", 0, 0, &[name.as_bytes()]), &values.concat()])
}

/// A list of chapters; nothing where there are none.
fn chapters(settings: &EncodeSettings) -> Vec<u8> {
    let chapters = settings.chapters();
    if chapters.is_empty() {
        return Vec::new();
    }
    let mut list = vec![0; 4];
    list.push(u8::try_from(chapters.len().min(CHAPTER_COUNT_MAX)).expect("was cut to fewer"));
    for chapter in chapters.iter().take(CHAPTER_COUNT_MAX) {
        let name = chapter.label.unwrap_or_default();
        let name = &name[..name.floor_char_boundary(usize::from(u8::MAX))];
        list.extend(((chapter.start + 50) / 100).to_be_bytes());
        list.push(u8::try_from(name.len()).expect("was cut to fewer"));
        list.extend(name.bytes());
    }
    full(*b"chpl", 1, 0, &[&list])
}
