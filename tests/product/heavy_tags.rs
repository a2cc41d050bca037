//! Tags that are large, many, wrong or at odds with each other: what is sound is read, in bounded memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;
use std::path::Path;
use wavemill_core::limits::{TAG_COUNT_MAX, TAG_TEXT_BYTES_MAX};
use wavemill_core::tags::{self, TagReading};
use wavemill_tests::fuzzing::{Counting, one_line, peak_of};
use wavemill_tests::lab::{Lab, put, repository};
use wavemill_tests::usage;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes of a large cover.
const COVER_BYTES: usize = 10 << 20;

/// Tags of a file that has too many.
const MANY: usize = 10_000;

/// Bytes held besides three times the file: lofty reserves up to 16 MiB for one picture.
const HELD_BYTES_MAX: usize = 24 << 20;

/// Resident memory of the program besides three times the file.
const RESIDENT_MIB_MAX: f64 = 40.0;

/// A file and what must be read of it.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    check: fn(&TagReading),
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(repository().join("tests/fixtures").join(name)).unwrap()
}

/// An `ID3v2` tag of this version and these frames; sizes of version 4 have seven bits to a byte.
fn id3(version: u8, frames: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let seven = |size: usize| [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f).to_le_bytes()[0]);
    let mut body = Vec::new();
    for (name, data) in frames {
        body.extend(name.as_bytes());
        let plain = u32::try_from(data.len()).unwrap().to_be_bytes();
        body.extend(if version == 4 { seven(data.len()) } else { plain });
        body.extend([0, 0]);
        body.extend(data);
    }
    [b"ID3", &[version, 0, 0][..], &seven(body.len()), &body].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&[3], text.as_bytes()].concat()
}

fn cover(byte_count: usize) -> Vec<u8> {
    let mut frame = b"\x03image/png\0\x03\0".to_vec();
    frame.resize(frame.len() + byte_count, 7);
    frame
}

/// An MP3 file behind these bytes.
fn mp3(before: &[u8]) -> Vec<u8> {
    [before, &fixture("tone-mono-noxing.mp3")].concat()
}

/// A FLAC file whose comments are these bodies, with other blocks.
fn flac(before: &[u8], blocks: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let file = fixture("tone-16.flac");
    let mut bytes = [before, &file[..42]].concat();
    let first = before.len() + 4;
    bytes[first] &= 0x7f;
    for (index, (kind, body)) in blocks.iter().enumerate() {
        let last = if index + 1 == blocks.len() { 0x80 } else { 0 };
        bytes.push(kind | last);
        bytes.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
        bytes.extend(body);
    }
    let mut at = 4;
    loop {
        let header = &file[at..at + 4];
        let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        let is_last = header[0] & 0x80 != 0;
        at += 4 + length;
        if is_last {
            break;
        }
    }
    bytes.extend(&file[at..]);
    bytes
}

const COMMENTS: u8 = 4;

/// The body of a comment block.
fn comments<T: AsRef<[u8]>>(comments: &[T]) -> Vec<u8> {
    let size = |count: usize| u32::try_from(count).unwrap().to_le_bytes();
    let mut body = [&size(1)[..], b"x", &size(comments.len())].concat();
    for comment in comments {
        body.extend(size(comment.as_ref().len()));
        body.extend(comment.as_ref());
    }
    body
}

/// A WAV file with these chunks behind its samples.
fn wav(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let size = |count: usize| u32::try_from(count).unwrap().to_le_bytes();
    let mut body = b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0".to_vec();
    body.extend(b"data\x04\0\0\0\x01\0\x02\0");
    for (name, data) in chunks {
        body.extend(*name);
        body.extend(size(data.len()));
        body.extend(data);
        body.resize(body.len() + data.len() % 2, 0);
    }
    [b"RIFF", &size(body.len())[..], &body].concat()
}

/// An AIFF file with an ID3 chunk before its samples.
fn aiff(tag: &[u8]) -> Vec<u8> {
    let file = fixture("tone.aiff");
    let size = u32::try_from(tag.len()).unwrap().to_be_bytes();
    let mut bytes = [&file[..12], b"ID3 ", &size, tag].concat();
    bytes.resize(bytes.len() + tag.len() % 2, 0);
    bytes.extend(&file[12..]);
    let size = u32::try_from(bytes.len() - 8).unwrap().to_be_bytes();
    bytes[4..8].copy_from_slice(&size);
    bytes
}

/// A `LIST` chunk of type `INFO`.
fn info(name: &str, value: &[u8]) -> Vec<u8> {
    let size = u32::try_from(value.len()).unwrap().to_le_bytes();
    let mut list = [b"INFO", name.as_bytes(), &size, value].concat();
    list.resize(list.len() + value.len() % 2, 0);
    list
}

fn title(reading: &TagReading) -> Option<&str> {
    reading.tags.title.as_deref()
}

fn has_the_cover(reading: &TagReading) {
    let sizes: Vec<_> = reading.tags.pictures.iter().map(|picture| picture.bytes.len()).collect();
    assert_eq!(sizes, [COVER_BYTES]);
    assert_eq!(title(reading), Some("Name"));
}

fn is_named(reading: &TagReading) {
    assert_eq!(title(reading), Some("Name"), "{:?}", reading.warnings);
}

fn is_cut(reading: &TagReading) {
    let length = title(reading).map_or(0, str::len);
    assert!((1..=TAG_TEXT_BYTES_MAX).contains(&length), "{length} bytes");
}

/// Only a warning may remain, and no nonsense.
fn is_none(reading: &TagReading) {
    assert_eq!((title(reading), reading.tags.pictures.len()), (None, 0));
}

fn flac_picture(byte_count: usize) -> Vec<u8> {
    let mut body = [&[0, 0, 0, 3, 0, 0, 0, 9][..], b"image/png", &[0; 20]].concat();
    body.extend(u32::try_from(byte_count).unwrap().to_be_bytes());
    body.resize(body.len() + byte_count, 7);
    body
}

/// Large and many.
fn heavy() -> Vec<Case> {
    let name = || ("TIT2", text("Name"));
    let many = |index: usize| ("TXXX", text(&format!("KEY{index}\0value")));
    let many_frames: Vec<_> = std::iter::once(name()).chain((0..MANY).map(many)).collect();
    let titles: Vec<String> =
        (0..MANY).map(|index| format!("TITLE=Title number {index}")).collect();
    let keys = (0..MANY).map(|index| format!("KEY{index}=value"));
    let keys: Vec<String> = std::iter::once("TITLE=Name".to_owned()).chain(keys).collect();
    let named = comments(&["TITLE=Name"]);
    let picture = flac_picture(COVER_BYTES);
    let with_cover = id3(4, &[name(), ("APIC", cover(COVER_BYTES))]);
    #[rustfmt::skip]
    let cases = vec![
        Case { name: "mp3 with a cover of 10 MB", bytes: mp3(&with_cover), check: has_the_cover },
        Case { name: "flac with a cover of 10 MB", bytes: flac(b"", &[(COMMENTS, named), (6, picture)]), check: has_the_cover },
        Case { name: "wav with a cover of 10 MB", bytes: wav(&[(b"id3 ", with_cover)]), check: has_the_cover },
        Case { name: "mp3 with 10,000 tags", bytes: mp3(&id3(4, &many_frames)), check: is_named },
        Case { name: "flac with 10,000 tags", bytes: flac(b"", &[(COMMENTS, comments(&keys))]), check: is_named },
        Case { name: "flac with 10,000 titles", bytes: flac(b"", &[(COMMENTS, comments(&titles))]), check: is_cut },
        Case { name: "mp3 with a title of 10 MB", bytes: mp3(&id3(4, &[("TIT2", text(&"x".repeat(COVER_BYTES)))])), check: is_cut },
    ];
    cases
}

/// The other frame is read, whatever became of this one.
fn has_its_artist(reading: &TagReading) {
    assert_eq!(reading.tags.artist.as_deref(), Some("Maker"), "{reading:?}");
    let is_odd = title(reading).unwrap_or_default().contains(char::is_control);
    assert!(!is_odd, "{:?}", title(reading));
}

/// The title cannot be read, which is reported of it alone.
fn lacks_its_title(reading: &TagReading) {
    has_its_artist(reading);
    assert_eq!(title(reading), None);
    assert_eq!(reading.warnings, ["some tags cannot be read: the ID3 frames TIT2"]);
}

fn is_named_by_its_artist(reading: &TagReading) {
    has_its_artist(reading);
    is_named(reading);
}

/// Encodings that are not what the tag says.
fn wrong_encodings() -> Vec<Case> {
    let frame =
        |bytes: &[u8]| mp3(&id3(3, &[("TIT2", bytes.to_vec()), ("TPE1", b"\0Maker".to_vec())]));
    let marked = [("TIT2", b"\x01N\0a\0m\0e\0".to_vec()), ("TPE1", b"\0Maker".to_vec())];
    #[rustfmt::skip]
    let cases = vec![
        Case { name: "latin 1", bytes: frame(b"\0Gr\xfc\xdfe"), check: |it| assert_eq!(title(it), Some("Gr\u{fc}\u{df}e")) },
        Case { name: "utf-16 with a mark", bytes: frame(b"\x01\xff\xfeN\0a\0m\0e\0"), check: is_named },
        Case { name: "utf-16 without a mark", bytes: frame(b"\x01N\0a\0m\0e\0"), check: is_named_by_its_artist },
        Case { name: "utf-16 without a mark before FLAC", bytes: flac(&id3(3, &marked), &[(1, vec![0; 8])]), check: is_named_by_its_artist },
        Case { name: "utf-16 without a mark in WAV", bytes: wav(&[(b"id3 ", id3(3, &marked))]), check: is_named_by_its_artist },
        Case { name: "utf-16 without a mark in AIFF", bytes: aiff(&id3(3, &marked)), check: is_named_by_its_artist },
        Case { name: "utf-16 of an odd length", bytes: frame(b"\x01\xff\xfeN\0a\0m\0e"), check: has_its_artist },
        Case { name: "half a pair of utf-16", bytes: frame(b"\x01\xff\xfe\x00\xd8N\0"), check: has_its_artist },
        Case { name: "utf-8 that is none", bytes: frame(b"\x03Gr\xfc\xdfe"), check: has_its_artist },
        Case { name: "an encoding that is none", bytes: frame(b"\x09Name"), check: lacks_its_title },
        Case { name: "comments that are not utf-8", bytes: flac(b"", &[(COMMENTS, comments(&[&b"TITLE=Gr\xfc\xdfe"[..], b"ARTIST=Maker"]))]), check: has_its_artist },
        Case { name: "INFO in latin 1", bytes: wav(&[(b"LIST", info("INAM", b"Gr\xfc\xdfe\0")), (b"LIST", info("IART", b"Maker\0"))]), check: has_its_artist },
    ];
    cases
}

/// Tags twice, at odds with each other, and where they do not belong.
fn contradictions() -> Vec<Case> {
    let named = || id3(4, &[("TIT2", text("Name"))]);
    let other = || id3(3, &[("TIT2", b"\0Other".to_vec())]);
    let mut id3v1 = b"TAGCut to thirty characters".to_vec();
    id3v1.resize(128, 0);
    let titled = |title: &str| (COMMENTS, comments(&[format!("TITLE={title}")]));
    #[rustfmt::skip]
    let cases = vec![
        Case { name: "ID3v2 against ID3v1", bytes: [mp3(&named()), id3v1].concat(), check: is_named },
        Case { name: "the same frame twice", bytes: mp3(&id3(4, &[("TIT2", text("Other")), ("TIT2", text("Name"))])), check: |it| assert!(title(it).is_some()) },
        Case { name: "two ID3 tags", bytes: mp3(&[other(), named()].concat()), check: |it| assert!(title(it).is_some()) },
        Case { name: "comments against ID3 in FLAC", bytes: flac(&other(), &[titled("Name")]), check: is_named },
        Case { name: "only ID3 in FLAC", bytes: flac(&named(), &[(1, vec![0; 8])]), check: is_named },
        Case { name: "two blocks of comments", bytes: flac(b"", &[titled("Name"), titled("Other")]), check: |it| assert!(title(it).is_some()) },
        Case { name: "ID3 in WAV", bytes: wav(&[(b"id3 ", named())]), check: is_named },
        Case { name: "ID3 in WAV by its other name", bytes: wav(&[(b"ID3 ", named())]), check: is_named },
        Case { name: "INFO before ID3 in WAV", bytes: wav(&[(b"LIST", info("INAM", b"Name\0")), (b"id3 ", other())]), check: |it| assert!(title(it).is_some()) },
        Case { name: "track 7 of 3", bytes: mp3(&id3(4, &[("TIT2", text("Name")), ("TRCK", text("7/3"))])), check: |it| assert_eq!((it.tags.track, it.tags.track_total), (Some(7), Some(3))) },
    ];
    cases
}

/// Blocks that end before they should, and counts that lie.
fn truncations() -> Vec<Case> {
    let lie = |count: u32| {
        [&1u32.to_le_bytes()[..], b"x", &count.to_le_bytes(), b"\x0a\0\0\0TITLE=Name"].concat()
    };
    let long =
        [&2u32.to_le_bytes()[..], b"xx", &1u32.to_le_bytes(), &[0xff, 0xff, 0xff, 0x7f], b"TITLE="]
            .concat();
    let mut tag = id3(4, &[("TIT2", text("Name")), ("APIC", cover(100))]);
    let at = tag.len() - 100 - 13 - 6;
    tag[at..at + 4].copy_from_slice(&[0x7f; 4]);
    let mut list = info("INAM", b"Name\0");
    list[8..12].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    let mut cut = wav(&[(b"LIST", info("INAM", b"Name\0"))]);
    cut.truncate(cut.len() - 4);
    #[rustfmt::skip]
    let cases = vec![
        Case { name: "a frame longer than its tag", bytes: mp3(&tag), check: is_named },
        Case { name: "fewer comments than stated", bytes: flac(b"", &[(COMMENTS, lie(u32::MAX))]), check: |it| assert!(it.tags.pictures.is_empty()) },
        Case { name: "a comment longer than its block", bytes: flac(b"", &[(COMMENTS, long)]), check: is_none },
        Case { name: "a picture longer than its block", bytes: flac(b"", &[(COMMENTS, comments(&["TITLE=Name"])), (6, flac_picture(100)[..60].to_vec())]), check: |it| assert!(it.tags.pictures.is_empty()) },
        Case { name: "an INFO entry longer than its chunk", bytes: wav(&[(b"LIST", list), (b"id3 ", id3(4, &[("TIT2", text("Name"))]))]), check: is_named },
        Case { name: "a chunk that the file ends in", bytes: cut, check: |it| assert!(it.tags.pictures.is_empty()) },
    ];
    cases
}

#[expect(clippy::print_stdout, reason = "what it took")]
fn assert_all(cases: &[Case]) {
    for case in cases {
        let read = || tags::read(&mut Cursor::new(&case.bytes), None);
        let (reading, held) = peak_of(read);
        let reading = reading.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let most = HELD_BYTES_MAX + 3 * case.bytes.len();
        assert!(held <= most, "{}: {held} bytes held of {}", case.name, case.bytes.len());
        reading.warnings.iter().for_each(|warning| one_line(warning));
        assert!(reading.warnings.len() <= 8, "{}: {:?}", case.name, reading.warnings);
        println!("{}: {held} bytes held, {} warnings", case.name, reading.warnings.len());
        (case.check)(&reading);
    }
}

#[test]
fn large_and_many_tags_are_read_within_the_limits() {
    const { assert!(MANY > TAG_COUNT_MAX) };
    assert_all(&heavy());
}

#[test]
fn wrong_encodings_make_no_nonsense() {
    assert_all(&wrong_encodings());
}

#[test]
fn contradicting_tags_are_distinguished() {
    assert_all(&contradictions());
}

#[test]
fn truncated_tags_cost_nothing_else() {
    assert_all(&truncations());
}

#[test]
fn program_reads_heavy_tags_in_little_memory() {
    let lab = Lab::new();
    let heavy = heavy();
    // Smaller ones are read before anybody can look at the process.
    let large = heavy.iter().filter(|case| case.bytes.len() >= COVER_BYTES);
    for (index, case) in large.enumerate() {
        let path = lab.aside(&format!("{index}"));
        put(&path, &case.bytes);
        let usage = usage::of(&mut lab.command([Path::new("tags"), &path]));
        let most = RESIDENT_MIB_MAX + 3.0 * case.bytes.len() as f64 / f64::from(1 << 20);
        assert!(usage.resident_mib_max <= most, "{}: {usage:?}, at most {most}", case.name);
        println!("{}: {:.1} MiB resident", case.name, usage.resident_mib_max);
    }
}
