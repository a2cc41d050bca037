//! MP3 and Vorbis against ffmpeg.

use crate::support::{
    Scratch, decode_bytes, ffmpeg_floats, fixture, has_tools, hound_wav, interleave, read_file,
    run, signal, write_file,
};
use std::path::Path;

/// Largest difference of two decoders' samples: both compute in 32-bit floats.
const TOLERANCE: f32 = 1e-5;

fn assert_like_ffmpeg(path: &Path, what: &str) {
    let decoded = decode_bytes(&read_file(path)).unwrap();
    let ours = interleave(decoded.floats());
    let theirs = ffmpeg_floats(path);
    assert_eq!(ours.len(), theirs.len(), "{what}: as many samples as ffmpeg");
    let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "{what}: differs by {worst}");
}

#[test]
fn mp3_of_lame_decodes_like_ffmpeg() {
    if !has_tools(&["lame", "ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mp3");
    for (rate, channels, args) in [
        (44_100, 2, vec!["-b", "128"]),
        (44_100, 2, vec!["-V", "2"]),
        (44_100, 2, vec!["-b", "128", "-t"]),
        (48_000, 1, vec!["-b", "64", "-p"]),
        (22_050, 2, vec!["-b", "64"]),
        (8_000, 1, vec!["-b", "32"]),
        (44_100, 2, vec!["--abr", "160", "--id3v2-only", "--tt", "title", "--pad-id3v2"]),
        (44_100, 2, vec!["--id3v1-only", "--tt", "title"]),
    ] {
        for frame_count in [1, 1105, 1152, 50_021] {
            let source = scratch.path("source.wav");
            let path = scratch.path("out.mp3");
            write_file(&source, &hound_wav(&signal(channels, frame_count, 16), rate, 16));
            let mut all = vec!["--quiet"];
            all.extend(&args);
            all.extend([source.to_str().unwrap(), path.to_str().unwrap()]);
            run("lame", &all);
            // Of files shorter than a packet ffmpeg keeps some of the padding.
            if frame_count > 2000 {
                assert_like_ffmpeg(&path, &format!("{rate} Hz, {frame_count} frames, {args:?}"));
            }
            if !args.contains(&"-t") {
                let decoded = decode_bytes(&read_file(&path)).unwrap();
                assert_eq!(decoded.samples.frame_count(), frame_count, "gapless: {args:?}");
            }
        }
    }
}

#[test]
fn mp3_of_ffmpeg_decodes_like_ffmpeg() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mp3-ffmpeg");
    let source = scratch.path("source.wav");
    let path = scratch.path("out.mp3");
    write_file(&source, &hound_wav(&signal(2, 50_021, 16), 44_100, 16));
    for args in [vec![], vec!["-write_xing", "0"], vec!["-id3v2_version", "4", "-write_id3v1", "1"]]
    {
        let mut all = vec!["-v", "error", "-y", "-i", source.to_str().unwrap()];
        all.extend(&args);
        all.push(path.to_str().unwrap());
        run("ffmpeg", &all);
        assert_like_ffmpeg(&path, &format!("{args:?}"));
    }
}

/// Taggers write padding behind the setup header, where no audio may stand ("Vorbis I specification",
/// A.2). It was decoded, and the file called damaged.
#[test]
fn vorbis_with_padding_behind_its_headers_decodes() {
    let bytes = fixture("tone.ogg");
    let mut pages = ogg_pages(&bytes);
    let body = 27 + usize::from(pages[1][26]);
    assert!(pages[1][body..].starts_with(b"\x03vorbis"), "the second page holds the headers");
    pages[1][26] += 1;
    pages[1].insert(body, 50);
    pages[1].extend([0; 50]);
    let samples = |bytes: &[u8]| decode_bytes(bytes).unwrap().samples;
    assert_eq!(samples(&joined(pages)), samples(&bytes));
}

/// ffmpeg 5.1 states positions that are off and goes back with the next page. No page is missing, and
/// libvorbis delivers all of it: so it is no damage.
#[test]
fn vorbis_with_positions_that_are_off_decodes_with_a_warning() {
    let right = decode_bytes(&fixture("tone.ogg")).unwrap();
    assert_eq!(right.info.warnings, [""; 0]);
    // The page before the last one shows how much of that is padding.
    for index in 2..7 {
        let mut pages = vorbis_page_by_page();
        let off = i64::from_le_bytes(*pages[index][6..14].first_chunk().unwrap()) + 448;
        pages[index][6..14].copy_from_slice(&off.to_le_bytes());
        let ours = decode_bytes(&joined(pages)).unwrap();
        assert!(ours.samples == right.samples, "page {index}");
        assert_eq!(ours.info.frame_count, right.info.frame_count, "page {index}");
        let warnings = &ours.info.warnings[..];
        assert!(matches!(warnings, [it] if it.contains("off by up to 0.010 s")), "{warnings:?}");
    }
}

/// Encoders flag several pages as the last one; libvorbis cuts what each states, and goes on.
#[test]
fn vorbis_that_goes_on_behind_an_end_decodes_to_the_last_one() {
    let right = decode_bytes(&fixture("tone.ogg")).unwrap();
    let mut pages = vorbis_page_by_page();
    pages[5][5] |= 4;
    let ours = decode_bytes(&joined(pages)).unwrap();
    assert!(ours.samples == right.samples);
}

/// The tone with a page for each of its packets.
fn vorbis_page_by_page() -> Vec<Vec<u8>> {
    /// Where the packets end by the lengths of their blocks, and the sound.
    const ENDS: [i64; 7] = [0, 576, 1600, 2624, 3648, 4672, 5292];
    let mut pages = ogg_pages(&fixture("tone.ogg"));
    let last = pages.pop().unwrap();
    let mut body = 27 + usize::from(last[26]);
    let mut lengths = last[27..body].iter();
    for (index, end) in ENDS.iter().enumerate() {
        let mut segments = Vec::new();
        while segments.last().is_none_or(|&length| length == 255) {
            segments.push(*lengths.next().unwrap());
        }
        let length: usize = segments.iter().map(|&length| usize::from(length)).sum();
        let mut page = last[..27].to_vec();
        page[5] = if index + 1 == ENDS.len() { 4 } else { 0 };
        page[6..14].copy_from_slice(&end.to_le_bytes());
        page[18] += index as u8;
        page[26] = segments.len() as u8;
        page.extend(segments);
        page.extend_from_slice(&last[body..body + length]);
        body += length;
        pages.push(page);
    }
    pages
}

/// The pages of a file.
fn ogg_pages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts = bytes.windows(4).enumerate().filter(|(_, four)| *four == b"OggS").map(|it| it.0);
    let mut starts: Vec<usize> = starts.collect();
    starts.push(bytes.len());
    starts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

/// Pages as a file, with their checksums.
fn joined(mut pages: Vec<Vec<u8>>) -> Vec<u8> {
    for page in &mut pages {
        page[22..26].fill(0);
        let crc = ogg_crc(page);
        page[22..26].copy_from_slice(&crc.to_le_bytes());
    }
    pages.concat()
}

/// Source: RFC 3533, 6, field 7: polynomial 0x04c11db7, from 0, nothing reflected or inverted.
fn ogg_crc(page: &[u8]) -> u32 {
    page.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            if crc >> 31 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 }
        })
    })
}

#[test]
fn vorbis_of_oggenc_decodes_like_ffmpeg() {
    if !has_tools(&["oggenc", "ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("vorbis");
    for (rate, channels, args) in
        [(44_100, 2, vec!["-q", "6"]), (44_100, 1, vec!["-q", "0"]), (8_000, 1, vec!["-q", "3"])]
    {
        for frame_count in [1, 128, 1024, 50_021] {
            let source = scratch.path("source.wav");
            let path = scratch.path("out.ogg");
            write_file(&source, &hound_wav(&signal(channels, frame_count, 16), rate, 16));
            let mut all = vec!["-Q"];
            all.extend(&args);
            all.extend(["-o", path.to_str().unwrap(), source.to_str().unwrap()]);
            run("oggenc", &all);
            let what = format!("{rate} Hz, {channels} channels, {frame_count} frames");
            // Of files of a single page ffmpeg keeps the padding.
            if frame_count > 2000 {
                assert_like_ffmpeg(&path, &what);
            }
            let decoded = decode_bytes(&read_file(&path)).unwrap();
            assert_eq!(decoded.samples.frame_count(), frame_count, "gapless: {what}");
        }
    }
}
