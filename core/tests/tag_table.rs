//! The manual's table of tags: every cell of it, in every format that is written.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{encode, music, settings};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::encode::{self as formats, EncodeSettings};
use wavemill_core::tags::{self, Broadcast, Cue, CueEnd, Field, Picture, Place, Tags};

const MANUAL: &str = include_str!("../../README.md");

/// The formats of each column of the table.
const COLUMNS: [(&str, &[&str]); 3] = [
    ("FLAC, Ogg", &["flac", "vorbis", "opus"]),
    ("MP3, AIFF", &["mp3", "aiff"]),
    ("WAV", &["wav"]),
];

/// The rows of the table: the tag, and what stands for it in each column.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let head = "| tag | FLAC, Ogg | MP3, AIFF | WAV |";
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
    let samples = if descriptor.is_lossless() {
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
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
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
    let expected =
        Field::ALL.iter().map(|(name, _)| *name).chain(["pictures", "broadcast", "cues"]);
    assert_eq!(names, expected.collect::<Vec<_>>());
}

#[test]
fn every_tag_is_where_the_manual_says_and_comes_back() {
    let mut checked = 0;
    for (name, cells) in rows() {
        let Some(field) = Field::named(name) else { continue };
        for (cell, (_, column)) in cells.iter().zip(COLUMNS) {
            for format in column.iter().filter(|format| formats::format(format).is_some()) {
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
        let found = read(&file(format.name, tags)).pictures;
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
fn broadcast_information_is_where_the_manual_says() {
    let broadcast = Broadcast {
        description: Some("Take 3".to_owned()),
        time_reference: Some(172_800_000),
        ..Broadcast::default()
    };
    let tags = Tags { broadcast: Some(broadcast.clone()), ..Tags::default() };
    assert_eq!(read(&file("wav", tags.clone())).broadcast, Some(broadcast));
    let flac = file("flac", tags.clone());
    assert!(
        count(&flac, "DESCRIPTION=Take 3") == 1 && count(&flac, "TIMEREFERENCE=172800000") == 1
    );
    assert_eq!(count(&file("aiff", tags), "Take 3"), 0);
}
