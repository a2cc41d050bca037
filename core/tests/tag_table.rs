//! The manual's table of tags: every cell of it, in every format that is written.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::readers::OnDisk;
use common::{encode, music, run_tool, settings};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::encode::{self as formats, EncodeSettings};
use wavemill_core::tags::{self, Broadcast, Cue, CueEnd, Field, Picture, Place, Recording, Tags};

const MANUAL: &str = include_str!("../../pipelines/README.md");

/// The formats of each column of the table.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("FLAC, Ogg", &["flac", "vorbis", "opus"]),
    ("MP3, AIFF", &["mp3", "aiff"]),
    ("WAV", &["wav"]),
    ("M4A", &["aac"]),
];

/// The rows of the table: the tag, and what stands for it in each column.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let head = "| tag | FLAC, Ogg | MP3, AIFF | WAV | M4A |";
    let table = MANUAL.split_once(head).expect("the manual has the table").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
        (cells.next().unwrap(), cells.collect())
    })
    .collect()
}

/// A short file of a format with these tags.
fn file(format: &str, tags: Tags) -> Vec<u8> {
    let descriptor = formats::format(format).unwrap();
    let samples = if descriptor.formats.contains(&PcmFormat::int(16)) {
        Samples::Int { bit_depth: 16, planes: vec![vec![1, -2, 3]; 2] }
    } else {
        music(PcmFormat::FLOAT, 2, 4_800)
    };
    let mut settings = EncodeSettings { tags: Arc::new(tags), ..settings(&samples) };
    settings.spec.sample_rate.0 = 48_000;
    encode(format, &samples, settings, 4_096).unwrap()
}

fn read(bytes: &[u8]) -> Tags {
    let reading = tags::read(&mut Cursor::new(bytes), None).unwrap();
    assert_eq!(reading.warnings, [""; 0]);
    reading.tags
}

fn count(bytes: &[u8], text: &str) -> usize {
    // Names in MPEG-4 may begin with a sign that is no ASCII.
    let name: Vec<u8> = text.chars().map(|sign| u8::try_from(sign).unwrap()).collect();
    bytes.windows(name.len()).filter(|window| *window == name).count()
}

/// A value that is one for the tag; totals come with their number.
fn tagged(field: Field) -> (Tags, String) {
    let value = match field {
        Field::Year => "2026",
        Field::Date => "2026-11-22",
        Field::Track | Field::TrackTotal | Field::Disc | Field::DiscTotal => "7",
        Field::Bpm => "99.5",
        _ => "Gr\u{fc}\u{df}e",
    };
    let mut tags = Tags::default();
    field.set(&mut tags, value).unwrap();
    match field {
        Field::TrackTotal => tags.track = Some(3),
        Field::DiscTotal => tags.disc = Some(3),
        _ => {}
    }
    (tags, value.to_owned())
}

#[test]
fn manual_has_a_row_for_every_tag() {
    let names: Vec<&str> = rows().iter().map(|(name, _)| *name).collect();
    let expected = Field::ALL.iter().map(|(name, _)| *name).chain([
        "pictures",
        "broadcast",
        "recording",
        "cues",
    ]);
    assert_eq!(names, expected.collect::<Vec<_>>());
}

#[test]
fn every_tag_is_where_the_manual_says_and_comes_back() {
    let mut checked = 0;
    for (name, cells) in rows() {
        let Some(field) = Field::named(name) else { continue };
        for (cell, (_, column)) in cells.iter().zip(COLUMNS) {
            for format in column.iter().filter(|format| formats::format(format).is_some()) {
                // A freeform atom of MPEG-4 has its name in a box of its own.
                let cell = cell.trim_start_matches("----:com.apple.iTunes:");
                let (tags, value) = tagged(field);
                let bytes = file(format, tags);
                // The samples of AIFF have a chunk `COMM` as well.
                let without = count(&file(format, Tags::default()), cell);
                assert!(count(&bytes, cell) > without, "{name} in {format} as {cell}");
                let found = field.get(&read(&bytes));
                assert_eq!(found.as_deref(), Some(value.as_str()), "{name} in {format}");
                checked += 1;
            }
        }
    }
    println!("{checked} cells");
    assert!(checked >= 3 * Field::ALL.len(), "{checked}");
}

#[test]
fn pictures_come_back_from_every_format() {
    let picture = Picture {
        kind: "front cover",
        media_type: "image/png".to_owned(),
        description: Some("Front".to_owned()),
        bytes: (0..20_000u32).map(|byte| byte.to_le_bytes()[0]).collect(),
    };
    for format in formats::FORMATS {
        let tags = Tags { pictures: vec![picture.clone()], ..Tags::default() };
        let mut found = read(&file(format.name, tags)).pictures;
        if format.name == "aac" {
            // It has no place for it.
            assert_eq!(found[0].description, None);
            found[0].description.clone_from(&picture.description);
        }
        assert_eq!(found, std::slice::from_ref(&picture), "{}", format.name);
    }
}

#[test]
fn cues_are_where_the_manual_says() {
    let rows = rows();
    let cells = &rows.iter().find(|(name, _)| *name == "cues").expect("a row").1;
    let mut cue = Cue::point(Place::Frame(1), Some("here".to_owned()));
    cue.end = CueEnd::At(Place::Frame(2));
    for (cell, (_, column)) in cells.iter().zip(COLUMNS) {
        for format in column.iter().filter(|format| formats::format(format).is_some()) {
            let bytes = file(format, Tags { cues: vec![cue.clone()], ..Tags::default() });
            // Names that hold for one of the formats only stand behind its name.
            let mut names: Vec<&str> =
                cell.split(", ").map(|name| name.trim_matches('`')).collect();
            if let Some(own) = names.iter().find(|name| name.starts_with(&format.to_uppercase())) {
                names = vec![own.split_once(" `").unwrap().1];
            }
            for name in names {
                assert!(count(&bytes, name.trim_end_matches("`..")) > 0, "{name} in {format}");
            }
            assert_eq!(read(&bytes).cues[0].label, cue.label, "{format}");
        }
    }
}

#[test]
fn broadcast_information_is_where_the_manual_says_and_comes_back() {
    let text = |text: &str| Some(text.to_owned());
    let broadcast = Broadcast {
        description: text("Take 3"),
        originator: text("Desk"),
        reference: text("DE123"),
        date: text("2024-05-01"),
        time: text("12:30:00"),
        time_reference: Some(172_800_000),
        coding_history: text("A=ANALOGUE"),
        loudness: None,
    };
    let tags = Tags { broadcast: Some(broadcast.clone()), ..Tags::default() };
    let names = rows().into_iter().find(|(name, _)| *name == "broadcast").expect("a row").1;
    for (cell, (_, column)) in names.into_iter().zip(COLUMNS) {
        for format in column.iter().filter(|format| formats::format(format).is_some()) {
            let bytes = file(format, tags.clone());
            for name in cell.split("`, `").map(|name| name.trim_end_matches("`..")) {
                assert!(count(&bytes, name) > 0, "{name} in {format}");
            }
            let found = read(&bytes);
            assert_eq!(found.comment, None, "{format}");
            let mut found = found.broadcast.unwrap();
            if *format == "wav" {
                // This process added its line.
                let history = "A=ANALOGUE\r\nA=PCM,F=48000,W=16,M=stereo,T=Wavemill";
                assert_eq!(found.coding_history.as_deref(), Some(history));
                found.coding_history.clone_from(&broadcast.coding_history);
            }
            assert_eq!(found, broadcast, "{format}");
        }
    }
}

#[test]
fn broadcast_time_in_opus_is_counted_as_it_is_decoded() {
    let samples = music(PcmFormat::FLOAT, 1, 2_400);
    let broadcast = Broadcast { time_reference: Some(24_000), ..Broadcast::default() };
    let tags = Tags { broadcast: Some(broadcast), ..Tags::default() };
    let mut settings = EncodeSettings { tags: Arc::new(tags), ..settings(&samples) };
    settings.spec.sample_rate.0 = 24_000;
    let bytes = encode("opus", &samples, settings, 4_096).unwrap();
    assert_eq!(read(&bytes).broadcast.unwrap().time_reference, Some(48_000));
}

#[test]
fn recording_stands_in_wav_with_the_numbers_of_the_file() {
    let text = |text: &str| Some(text.to_owned());
    let recording = Recording {
        project: text("Tom & Jerry"),
        scene: text("12A"),
        take: text("3"),
        tape: text("240501"),
        note: text("<loud>"),
        circled: Some(false),
        file_uid: text("ABC"),
        timecode_rate: text("25/1"),
        timecode_flag: text("NDF"),
        time_reference: Some(0x1_0000_0002),
    };
    let tags = Tags { recording: Some(recording.clone()), ..Tags::default() };
    for format in formats::FORMATS {
        let bytes = file(format.name, tags.clone());
        assert_eq!(count(&bytes, "iXML"), usize::from(format.name == "wav"), "{}", format.name);
    }
    let bytes = file("wav", tags);
    assert_eq!(count(&bytes, "<FILE_SAMPLE_RATE>48000<"), 1);
    assert_eq!(count(&bytes, "<AUDIO_BIT_DEPTH>16<"), 1);
    assert_eq!(count(&bytes, "<PARENT_UID>ABC<"), 1);
    // It is a file of its own.
    assert_eq!(read(&bytes).recording, Some(Recording { file_uid: None, ..recording }));
}

#[test]
fn several_values_come_back_from_every_format() {
    let all = |prefix: &str| [format!("{prefix} one"), format!("{prefix}; two")].to_vec();
    let fields = Field::ALL.into_iter().filter(|(_, field)| field.has_several());
    let fields: Vec<(&str, Field)> = fields.collect();
    assert!(fields.iter().any(|(name, _)| *name == "artist"));
    let source = {
        let mut comments = Vec::new();
        for (name, _) in &fields {
            let name = name.replace('_', "");
            comments.extend(all("x").into_iter().map(|value| format!("{name}={value}")));
        }
        flac_with(&comments)
    };
    let tags = read(&source);
    for format in formats::FORMATS {
        let found = read(&file(format.name, tags.clone()));
        for (name, field) in &fields {
            assert_eq!(found.values(*field), all("x"), "{name} in {}", format.name);
            assert_eq!(field.get(&found).as_deref(), Some("x one; x; two"), "{}", format.name);
        }
    }
    let mut edited = tags;
    Field::Artist.set(&mut edited, "else").unwrap();
    assert_eq!(edited.values(Field::Artist), ["else"]);
}

/// A FLAC file with these comments, in place of those of our own.
fn flac_with(comments: &[String]) -> Vec<u8> {
    let plain = file("flac", Tags::default());
    let mut at = 4;
    while plain[at] & 0x7f != 4 {
        at += 4 + u32::from_be_bytes([0, plain[at + 1], plain[at + 2], plain[at + 3]]) as usize;
    }
    let length = u32::from_be_bytes([0, plain[at + 1], plain[at + 2], plain[at + 3]]) as usize;
    let mut block = vec![0; 4]; // no vendor
    block.extend(u32::try_from(comments.len()).unwrap().to_le_bytes());
    for comment in comments {
        block.extend(u32::try_from(comment.len()).unwrap().to_le_bytes());
        block.extend(comment.bytes());
    }
    let head = u32::try_from(block.len()).unwrap().to_be_bytes();
    [&plain[..=at], &head[1..], &block, &plain[at + 4 + length..]].concat()
}

#[test]
fn pictures_attached_to_matroska_and_fields_of_ffmpeg_are_read() {
    let broadcast = Broadcast {
        description: Some("Take 3".to_owned()),
        time_reference: Some(172_800_000),
        ..Broadcast::default()
    };
    let tags = Tags { broadcast: Some(broadcast), ..Tags::default() };
    let (sound, cover) =
        (OnDisk::new(&file("wav", tags), "wav"), OnDisk::new(b"not a JPEG", "jpg"));
    let attachment = ["-attach", cover.path(), "-metadata:s:1", "filename=cover.jpg"];
    let type_of = ["-metadata:s:1", "mimetype=image/jpeg", "-metadata:s:1", "title=Front"];
    for (extension, further) in [("mka", [attachment, type_of].concat()), ("flac", Vec::new())] {
        let out = OnDisk::new(&[], extension);
        let before = ["-v", "error", "-y", "-i", sound.path(), "-c:a", "flac"];
        let arguments = [&before[..], &further, &[out.path()]].concat();
        let Some(output) = run_tool("ffmpeg", &arguments, &[]) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found = read(&std::fs::read(out.path()).unwrap());
        if extension == "flac" {
            let found = found.broadcast.unwrap();
            assert_eq!(found.description.as_deref(), Some("Take 3"));
            assert_eq!(found.time_reference, Some(172_800_000));
        } else {
            let picture = Picture {
                kind: "front cover",
                media_type: "image/jpeg".to_owned(),
                description: Some("Front".to_owned()),
                bytes: b"not a JPEG".to_vec(),
            };
            assert_eq!(found.pictures, [picture]);
        }
    }
}
