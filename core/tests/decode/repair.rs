//! Damaged files that are to be repaired, against the sound ones they were made of.

use crate::support::{
    Decoded, Scratch, decode_bytes, ffmpeg_floats, fixture, has_tools, hound_wav, patch, read_all,
    read_file, run, samples_of_every_format, signal, write_file,
};
use std::io::Cursor;
use wavemill_core::audio::Samples;
use wavemill_core::decode::{self, Damaged, DecodeError, Repair, RepairKind};

/// Seconds of the files that ffmpeg makes.
const SECONDS: usize = 4;

/// Frames a second of them.
const RATE: usize = 48_000;

/// Decodes a file to be repaired, twice.
pub(crate) fn repair(bytes: &[u8]) -> Result<(Decoded, Vec<Repair>), DecodeError> {
    let source = Box::new(Cursor::new(bytes.to_vec()));
    let mut decoder = decode::open_as(source, None, Damaged::Repair)?;
    let first = read_all(decoder.as_mut())?;
    let repairs = decoder.repairs();
    decoder.rewind()?;
    assert_eq!(decoder.repairs(), repairs, "what was repaired is not forgotten");
    let again = read_all(decoder.as_mut())?;
    assert!(again.samples == first.samples, "the same again");
    assert_eq!(decoder.repairs(), repairs);
    Ok((first, repairs))
}

/// Files of some seconds that other programs make: name, bytes.
fn made_by_ffmpeg(scratch: &Scratch) -> Vec<(&'static str, Vec<u8>)> {
    let planes = signal(2, SECONDS * RATE + 123, 16);
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&planes, RATE as u32, 16));
    let made: &[(&str, &[&str])] = &[
        ("a.wav", &["-c:a", "pcm_s16le"]),
        ("a.aiff", &["-c:a", "pcm_s16be"]),
        ("a.w64", &["-c:a", "pcm_s24le"]),
        ("mulaw.wav", &["-c:a", "pcm_mulaw"]),
        ("ima.wav", &["-c:a", "adpcm_ima_wav"]),
        ("ima.caf", &["-c:a", "adpcm_ima_qt"]),
        ("mp3.wav", &["-c:a", "libmp3lame"]),
        ("a.flac", &["-c:a", "flac"]),
        ("cbr.mp3", &["-c:a", "libmp3lame", "-b:a", "128k"]),
        ("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "4"]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("a.oga", &["-c:a", "flac", "-f", "ogg"]),
        #[cfg(feature = "opus")]
        ("a.opus", &["-c:a", "libopus"]),
        ("pcm.caf", &["-c:a", "pcm_s16be"]),
        #[cfg(feature = "mpeg4")]
        ("a.aac", &["-c:a", "aac", "-aac_pns", "0"]),
        #[cfg(feature = "mpeg4")]
        ("aac.m4a", &["-c:a", "aac", "-aac_pns", "0", "-movflags", "+faststart"]),
        #[cfg(feature = "mpeg4")]
        ("alac.m4a", &["-c:a", "alac", "-movflags", "+faststart"]),
        #[cfg(feature = "mpeg4")]
        ("alac.caf", &["-c:a", "alac"]),
        #[cfg(feature = "matroska")]
        ("flac.mka", &["-c:a", "flac", "-cluster_time_limit", "500"]),
        #[cfg(feature = "matroska")]
        ("pcm.mka", &["-c:a", "pcm_s16le", "-cluster_time_limit", "500"]),
        #[cfg(feature = "matroska")]
        ("mp3.mka", &["-c:a", "libmp3lame"]),
        #[cfg(feature = "matroska")]
        ("vorbis.webm", &["-c:a", "libvorbis"]),
        #[cfg(all(feature = "matroska", feature = "opus"))]
        ("opus.webm", &["-c:a", "libopus"]),
    ];
    made.iter()
        .map(|(name, args)| {
            let path = scratch.path(name);
            let mut all = vec!["-v", "error", "-y", "-i", source.to_str().unwrap()];
            all.extend(*args);
            all.push(path.to_str().unwrap());
            run("ffmpeg", &all);
            (*name, read_file(&path))
        })
        .collect()
}

/// The frames `[first, last]` between which two files differ, of as many as both have.
fn differing(a: &Samples, b: &Samples) -> Option<(usize, usize)> {
    fn of<T: PartialEq>(a: &[Vec<T>], b: &[Vec<T>]) -> Option<(usize, usize)> {
        let differs = |i: &usize| a.iter().zip(b).any(|(a, b)| a[*i] != b[*i]);
        let count = a[0].len().min(b[0].len());
        Some(((0..count).find(differs)?, (0..count).rev().find(differs)?))
    }
    match (a, b) {
        (Samples::Int { planes: a, .. }, Samples::Int { planes: b, .. }) => of(a, b),
        (Samples::Float { planes: a }, Samples::Float { planes: b }) => of(a, b),
        _ => panic!("the kind of the samples changed"),
    }
}

fn kinds(repairs: &[Repair]) -> Vec<RepairKind> {
    repairs.iter().map(|repair| repair.kind).collect()
}

#[test]
fn sound_files_come_out_as_they_are_and_nothing_is_reported() {
    for (name, bytes) in samples_of_every_format() {
        let sound = decode_bytes(&bytes).unwrap();
        let (repaired, repairs) = repair(&bytes).unwrap_or_else(|error| panic!("{name} {error}"));
        assert!(repaired.samples == sound.samples, "{name}");
        assert_eq!(repairs, [], "{name}");
    }
}

#[test]
fn files_cut_at_every_tenth_deliver_what_is_there_and_say_so() {
    let mut repaired_count = 0;
    for (name, bytes) in samples_of_every_format() {
        let sound = decode_bytes(&bytes).unwrap();
        for tenth in 1..10 {
            let cut = &bytes[..bytes.len() * tenth / 10 + 7];
            match repair(cut) {
                Ok((repaired, repairs)) => {
                    repaired_count += 1;
                    let what = format!("{name} at {tenth}/10: {repairs:?}");
                    assert_eq!(differing(&repaired.samples, &sound.samples), None, "{what}");
                    assert!(
                        repaired.samples.frame_count() <= sound.samples.frame_count(),
                        "{what}"
                    );
                    assert!(kinds(&repairs).contains(&RepairKind::CutShort), "{what}");
                }
                // What is missing is the header, the tables, or all of the sound.
                Err(error) => assert!(!matches!(error, DecodeError::Io(_)), "{name}: {error}"),
            }
        }
    }
    assert!(repaired_count >= 50, "{repaired_count} of them had something left");
}

#[test]
fn files_cut_short_are_as_long_as_ffmpeg_finds_them() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("repair-cut");
    for (name, bytes) in made_by_ffmpeg(&scratch) {
        let sound = decode_bytes(&bytes).unwrap();
        let cut = &bytes[..bytes.len() * 2 / 3];
        let error = decode_bytes(cut).unwrap_err();
        assert!(matches!(error, DecodeError::Truncated { .. }), "{name}: {error}");
        if name == "alac.caf" {
            // Its table of packets is what is missing.
            assert!(matches!(repair(cut), Err(DecodeError::Truncated { .. })), "{name}");
            continue;
        }
        let (repaired, repairs) = repair(cut).unwrap_or_else(|error| panic!("{name} {error}"));
        assert_eq!(kinds(&repairs), [RepairKind::CutShort], "{name}");
        assert_eq!(differing(&repaired.samples, &sound.samples), None, "{name}");
        let path = scratch.path(&format!("cut-{name}"));
        write_file(&path, cut);
        // Of a last MP3 frame that is cut ffmpeg makes sound of what is there.
        let is_framed = name.ends_with("mp3") || name == "mp3.wav";
        let more = if is_framed { 1152 } else { 0 };
        let expected = ffmpeg_floats(&path).len() / 2 - more;
        assert_eq!(repaired.samples.frame_count(), expected, "{name}");
    }
}

/// How a file is damaged in its middle.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// A bit of every byte of a few.
    Flipped,
    /// Zeros in the place of so many bytes.
    Zeros(usize),
    /// So many bytes that are none of it.
    Added(usize),
}

impl Damage {
    fn apply(self, bytes: &[u8]) -> Vec<u8> {
        let at = bytes.len() / 2;
        match self {
            Self::Flipped => {
                let flipped: Vec<u8> = bytes[at..at + 4].iter().map(|byte| byte ^ 0x55).collect();
                patch(bytes, at, &flipped)
            }
            Self::Zeros(count) => patch(bytes, at, &vec![0; count]),
            Self::Added(count) => [&bytes[..at], &vec![0x11; count], &bytes[at..]].concat(),
        }
    }
}

/// Files, damage, and how many frames may differ from the sound file at most: those of the pages, frames
/// or packets that are hit, and what the codec needs to be the same again.
#[rustfmt::skip]
const HOLES: &[(&str, Damage, usize)] = &[
    ("a.flac", Damage::Flipped, 4608),
    ("a.flac", Damage::Zeros(3000), 4608),
    ("a.flac", Damage::Added(3000), 4608),
    ("cbr.mp3", Damage::Zeros(3000), 12_000),
    ("cbr.mp3", Damage::Added(3000), 3 * 1152),
    ("vbr.mp3", Damage::Zeros(3000), 12_000),
    ("vbr.mp3", Damage::Added(3000), 3 * 1152),
    ("a.ogg", Damage::Flipped, 50_000),
    ("a.ogg", Damage::Added(3000), 50_000),
    ("a.oga", Damage::Flipped, 18_432),
    ("a.oga", Damage::Zeros(3000), 18_432),
    ("a.oga", Damage::Added(3000), 18_432),
    ("a.opus", Damage::Flipped, 48_000 + 48_000),
    ("a.aac", Damage::Zeros(3000), 11 * 1024),
    ("aac.m4a", Damage::Zeros(3000), 11 * 1024),
    ("flac.mka", Damage::Flipped, 4608),
    ("flac.mka", Damage::Zeros(3000), 2 * 4608),
    ("flac.mka", Damage::Added(3000), 2 * 4608),
    ("pcm.mka", Damage::Zeros(3000), 3 * 1024),
    ("pcm.mka", Damage::Added(3000), 3 * 1024),
    ("mp3.mka", Damage::Zeros(3000), 12 * 1152),
    ("mp3.mka", Damage::Added(3000), 4 * 1152),
    ("opus.webm", Damage::Zeros(3000), 48_000),
];

#[test]
fn what_follows_a_hole_stays_in_its_place_and_is_untouched() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("repair-holes");
    let files = made_by_ffmpeg(&scratch);
    for (name, damage, most) in HOLES {
        let Some((_, bytes)) = files.iter().find(|(made, _)| made == name) else { continue };
        let sound = decode_bytes(bytes).unwrap();
        let holed = damage.apply(bytes);
        let what = format!("{name}, {damage:?}");
        let error = decode_bytes(&holed).expect_err(&what);
        let is_reported =
            matches!(error, DecodeError::Damaged { .. } | DecodeError::Truncated { .. });
        assert!(is_reported, "{what}: {error}");
        let (repaired, repairs) = repair(&holed).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_ne!(repairs, [], "{what}");
        let (found, expected) = (repaired.samples.frame_count(), sound.samples.frame_count());
        assert_eq!(found, expected, "{what}: {repairs:?}");
        let (first, last) = differing(&repaired.samples, &sound.samples).unwrap_or((0, 0));
        assert!(last - first < *most, "{what}: frames {first} to {last} differ, {repairs:?}");
        for repair in &repairs {
            let (at, end) = (repair.at_s[0].0, last as f64 / RATE as f64);
            assert!(at <= end + 0.1, "{what}: {repair:?} beyond {end}");
        }
    }
}

#[test]
fn more_missing_sound_than_a_minute_is_refused() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("repair-long");
    let path = scratch.path("long.flac");
    let source = "sine=frequency=200:sample_rate=8000:duration=90";
    run("ffmpeg", &["-v", "error", "-y", "-f", "lavfi", "-i", source, path.to_str().unwrap()]);
    let bytes = read_file(&path);
    let (head, tail) = (bytes.len() / 8, bytes.len() * 7 / 8);
    let error = repair(&[&bytes[..head], &bytes[tail..]].concat()).unwrap_err().to_string();
    assert!(error.contains("s of it are missing") && error.contains("at most 60 s"), "{error}");
    let tail = bytes.len() / 2;
    let (repaired, repairs) = repair(&[&bytes[..head], &bytes[tail..]].concat()).unwrap();
    assert_eq!(repaired.samples.frame_count(), 90 * 8000);
    assert!(repairs[0].silence_s.0 > 30.0, "{repairs:?}");
}

#[test]
fn floats_that_are_no_numbers_become_zero_and_are_counted() {
    let samples = [0.5f32, f32::NAN, -0.5, f32::INFINITY, 0.25, 0.125];
    let data = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let bytes = crate::support::wav(crate::support::fmt(3, 2, 48_000, 32), data);
    assert!(matches!(decode_bytes(&bytes), Err(DecodeError::NonFinite { .. })));
    let (repaired, repairs) = repair(&bytes).unwrap();
    assert_eq!(repaired.floats(), [[0.5, -0.5, 0.25], [0.0, 0.0, 0.125]]);
    assert_eq!((kinds(&repairs), repairs[0].count), (vec![RepairKind::NonFinite], 2));
    assert_eq!(
        repairs[0].line(),
        "repaired: 2 invalid samples (NaN or infinite) were set to 0, at 0.000 s"
    );
}

#[test]
fn header_that_is_missing_cannot_be_repaired() {
    for (name, bytes) in samples_of_every_format() {
        assert!(repair(&bytes[..bytes.len().min(24)]).is_err(), "{name}");
    }
}

#[test]
fn damaged_ogg_comments_are_reported_and_cost_no_sound() {
    let names = [
        "tone-flac.oga",
        #[cfg(feature = "opus")]
        "fuzz/tone.opus",
    ];
    for name in names {
        let bytes = fixture(name);
        let page = 4 + bytes[4..].windows(4).position(|window| window == b"OggS").unwrap();
        let broken = patch(&bytes, page + 40, &[bytes[page + 40] ^ 0x55]);
        assert!(decode_bytes(&broken).is_err(), "{name}");
        let (repaired, repairs) = repair(&broken).unwrap();
        assert!(repaired.samples == decode_bytes(&bytes).unwrap().samples, "{name}");
        assert_eq!(kinds(&repairs), [RepairKind::LeftOut], "{name}: {repairs:?}");
    }
}

/// Found by the fuzzer of containers: it was counted once a block.
#[test]
fn unexpected_bits_are_reported_once_at_the_first_sample_that_has_them() {
    let mut planes = signal(1, 5_000, 13);
    let at = 3_000;
    let shifted = planes[0].iter().map(|sample| sample << 3).collect::<Vec<_>>();
    planes[0] = shifted;
    planes[0][at] |= 1;
    planes[0][at + 900] |= 1;
    let bytes: Vec<u8> =
        planes[0].iter().flat_map(|sample| (*sample as i16).to_be_bytes()).collect();
    let common =
        [&[0, 1][..], &5_000u32.to_be_bytes(), &[0, 13], b"\x40\x0e\xbb\x80\0\0\0\0\0\0"].concat();
    let chunk = |name: &[u8; 4], data: &[u8]| {
        [&name[..], &u32::try_from(data.len()).unwrap().to_be_bytes(), data].concat()
    };
    let sound = [&[0; 8][..], &bytes].concat();
    let body = [&b"AIFF"[..], &chunk(b"COMM", &common), &chunk(b"SSND", &sound)].concat();
    let file = chunk(b"FORM", &body);
    assert!(decode_bytes(&file).is_err());
    for block in [1, 7, 4_096] {
        let source = Box::new(Cursor::new(file.clone()));
        let mut decoder = decode::open_as(source, None, Damaged::Repair).unwrap();
        let mut samples = Samples::empty(decoder.info().format, 1);
        while decoder.read(&mut samples, block).unwrap() > 0 {}
        let repairs = decoder.repairs();
        assert_eq!((kinds(&repairs), repairs[0].count), (vec![RepairKind::ExtraBits], 1));
        let off = repairs[0].at_s[0].0 - at as f64 / RATE as f64;
        assert!(off.abs() < 1e-9, "{repairs:?}");
    }
}
