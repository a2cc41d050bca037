//! Tags of every format, whole and broken.

use crate::support::{
    Scratch, fixture, fmt, has_tools, hound_wav, read_file, riff, run, samples_of_every_format,
    signal, write_file,
};
use std::io::Cursor;
use wavemill_core::tags::{self, TagReading, Tags};

fn read(bytes: &[u8]) -> TagReading {
    tags::read(&mut Cursor::new(bytes), None).unwrap()
}

#[test]
fn tags_of_fixtures_are_read() {
    for name in ["tone-16.flac", "tone-lame.mp3", "tone.ogg"] {
        let reading = read(&fixture(name));
        assert_eq!(reading.warnings, Vec::<String>::new(), "{name}");
        assert_eq!(reading.tags.title.as_deref(), Some("Tone"), "{name}");
        assert_eq!(reading.tags.artist.as_deref(), Some("Wavemill"), "{name}");
        assert_eq!(reading.tags.track, Some(3), "{name}");
    }
    #[cfg(feature = "mpeg4")]
    assert_eq!(read(&fixture("tone-aac.m4a")).tags, read(&fixture("tone.ogg")).tags);
    let mp3 = read(&fixture("tone-lame.mp3")).tags;
    assert_eq!((mp3.track_total, mp3.year), (Some(12), Some(2026)));
    assert_eq!(mp3.date.as_deref(), Some("2026"));
}

#[test]
fn files_without_tags_have_none() {
    for bytes in [fixture("tone-sowt.aifc"), hound_wav(&signal(1, 10, 16), 44_100, 16)] {
        assert_eq!(read(&bytes), TagReading::default());
    }
}

#[test]
fn tags_of_ffmpeg_are_read_from_every_format() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("tags");
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(2, 5000, 16), 44_100, 16));
    let names = [
        "a.wav",
        "a.flac",
        "a.mp3",
        "a.ogg",
        "a.caf",
        #[cfg(feature = "mpeg4")]
        "a.m4a",
        #[cfg(feature = "matroska")]
        "a.mka",
    ];
    for name in names {
        let path = scratch.path(name);
        let mut arguments = vec!["-v", "error", "-y", "-i", source.to_str().unwrap()];
        for tag in
            ["title=T\u{f8}ne", "artist=A", "album=B", "genre=Jazz", "date=2024", "comment=C"]
        {
            arguments.extend(["-metadata", tag]);
        }
        arguments.push(path.to_str().unwrap());
        run("ffmpeg", &arguments);
        let expected = Tags {
            title: Some("T\u{f8}ne".into()),
            artist: Some("A".into()),
            album: Some("B".into()),
            genre: Some("Jazz".into()),
            date: Some("2024".into()),
            year: Some(2024),
            // ffmpeg puts the comment of an MP3 file into a frame of the user's own.
            comment: (name != "a.mp3").then(|| "C".into()),
            ..Tags::default()
        };
        assert_eq!(read(&read_file(&path)).tags, expected, "{name}");
    }
}

/// An `id3 ` chunk's data with a title and a front cover.
fn id3_with_picture(title: &str) -> Vec<u8> {
    let frame = |id: &[u8; 4], body: &[u8]| {
        let length = body.len();
        let syncsafe = [21, 14, 7, 0].map(|shift| ((length >> shift) & 0x7f) as u8);
        [&id[..], &syncsafe, &[0, 0], body].concat()
    };
    let picture = [&b"\x03image/png\0\x03cover\0"[..], b"\x89PNG\r\n\x1a\n1234"].concat();
    let text = [&b"\x03"[..], title.as_bytes()].concat();
    let frames = [frame(b"TIT2", &text), frame(b"APIC", &picture)].concat();
    let syncsafe = [21, 14, 7, 0].map(|shift| ((frames.len() >> shift) & 0x7f) as u8);
    [&b"ID3\x04\0\0"[..], &syncsafe, &frames].concat()
}

#[test]
fn wav_with_id3_info_and_bext_gives_all() {
    let mut bext = vec![0; 602];
    bext[..4].copy_from_slice(b"Desc");
    bext[338] = 5;
    let info = [&b"INFOIART\x03\0\0\0Me\0\0"[..]].concat();
    let chunks = [
        (b"bext", bext),
        (b"fmt ", fmt(1, 1, 48_000, 16)),
        (b"data", vec![0; 4]),
        (b"LIST", info),
        (b"id3 ", id3_with_picture("Name")),
    ];
    for id in [b"RIFF", b"RF64"] {
        let mut file = riff(&chunks);
        file[..4].copy_from_slice(id);
        let reading = read(&file);
        assert_eq!(reading.warnings, Vec::<String>::new());
        assert_eq!(reading.tags.title.as_deref(), Some("Name"));
        assert_eq!(reading.tags.artist.as_deref(), Some("Me"));
        let broadcast = reading.tags.broadcast.unwrap();
        assert_eq!(broadcast.description.as_deref(), Some("Desc"));
        assert_eq!(broadcast.time_reference, Some(5));
        let picture = &reading.tags.pictures[0];
        assert_eq!((picture.kind, picture.media_type.as_str()), ("front cover", "image/png"));
        assert_eq!(picture.bytes, b"\x89PNG\r\n\x1a\n1234");
    }
}

#[test]
fn broken_tag_leaves_the_others_and_a_warning() {
    let mut list = b"INFOIART\x03\0\0\0Me\0\0".to_vec();
    list.truncate(3);
    let chunks = [
        (b"LIST", list),
        (b"fmt ", fmt(1, 1, 48_000, 16)),
        (b"data", vec![0; 4]),
        (b"id3 ", id3_with_picture("Name")),
    ];
    let reading = read(&riff(&chunks));
    assert_eq!(reading.tags.title.as_deref(), Some("Name"));
    assert_eq!(reading.warnings.len(), 1, "{:?}", reading.warnings);
    assert!(!reading.warnings[0].contains('\n'));
}

#[test]
fn wav_padded_with_zeros_after_its_samples_keeps_its_tags() {
    let chunks = [
        (b"fmt ", fmt(1, 1, 48_000, 16)),
        (b"id3 ", id3_with_picture("Name")),
        (b"data", vec![0; 4]),
    ];
    let mut file = riff(&chunks);
    file.extend(vec![0; 64 * 1024]);
    let reading = read(&file);
    assert_eq!(reading.tags.title.as_deref(), Some("Name"));
    assert_eq!(reading.warnings, Vec::<String>::new());
}

#[test]
fn wav_with_countless_chunks_after_its_samples_keeps_its_tags() {
    let mut chunks = vec![
        (b"fmt ", fmt(1, 1, 48_000, 16)),
        (b"id3 ", id3_with_picture("Name")),
        (b"data", vec![0; 4]),
    ];
    chunks.extend(vec![(b"junk", Vec::new()); 5000]);
    assert_eq!(read(&riff(&chunks)).tags.title.as_deref(), Some("Name"));
}

#[test]
fn tags_of_cut_and_mutated_files_never_panic() {
    for (name, bytes) in samples_of_every_format() {
        for step in 1..200 {
            let cut = &bytes[..bytes.len() * step / 200];
            let _ = tags::read(&mut Cursor::new(cut), None);
            let mut mutated = bytes.clone();
            let offset = step * 7 % bytes.len().min(1000);
            mutated[offset] ^= 0xff;
            // A file that is still recognized keeps its audio's fate apart from its tags'.
            if let Ok(reading) = tags::read(&mut Cursor::new(&mutated), None) {
                assert!(reading.warnings.iter().all(|it| !it.contains('\n')), "{name} at {offset}");
            }
        }
    }
}

/// An MP3 file behind an ID3v2.4 tag of these frames.
fn mp3_with_frames(frames: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let frame = |(id, body): &(&[u8; 4], &[u8])| {
        [&id[..], &[0, 0, 0, body.len() as u8, 0, 0], body].concat()
    };
    let frames = frames.iter().flat_map(frame).collect::<Vec<u8>>();
    assert!(frames.len() < 128, "sizes have seven bits to a byte");
    let head = [b'I', b'D', b'3', 4, 0, 0, 0, 0, 0, frames.len() as u8];
    [&head[..], &frames, &fixture("tone-mono-noxing.mp3")].concat()
}

#[test]
fn date_in_words_costs_no_other_tag() {
    let frames: [(&[u8; 4], &[u8]); 2] = [(b"TDRC", b"\x03(17)"), (b"TIT2", b"\x03Name")];
    let reading = read(&mp3_with_frames(&frames));
    assert_eq!(reading.tags.title.as_deref(), Some("Name"));
    assert_eq!(reading.warnings, [""; 0]);
}

#[test]
fn media_type_beyond_ascii_is_left_out() {
    let mp3 = mp3_with_frames(&[(b"APIC", b"\x03ima\xffe/png\0\x03\0picture")]);
    assert_eq!(read(&mp3).tags.pictures[0].media_type, "");
}

#[test]
fn text_is_no_file_with_tags() {
    assert!(tags::read(&mut Cursor::new(b"just text here"), None).is_err());
}
