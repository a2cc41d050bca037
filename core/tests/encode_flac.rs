//! The FLAC writer against the reference decoder and `flac-codec`'s own reader.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{SharedFile, encode, encode_into, music, run_tool, settings};
use flac_codec::metadata::{PictureType, VorbisComment};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::encode::EncodeError;
use wavemill_core::tags::{Picture, Tags};
use wavemill_core::units::Frames;

/// Decodes with the `flac` tool, which also checks the MD5 and the frame count; interleaved
/// little-endian bytes.
fn decode_with_flac(bytes: &[u8]) -> Option<Vec<u8>> {
    let arguments = [
        "--silent",
        "--decode",
        "--stdout",
        "--force-raw-format",
        "--endian=little",
        "--sign=signed",
        "-",
    ];
    let output = run_tool("flac", &arguments, bytes)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

fn interleaved(samples: &Samples) -> Vec<u8> {
    let Samples::Int { bit_depth, planes } = samples else { panic!("integers") };
    let width = usize::from(*bit_depth) / 8;
    let mut bytes = Vec::new();
    for frame in 0..samples.frame_count() {
        for plane in planes {
            bytes.extend(&plane[frame].to_le_bytes()[..width]);
        }
    }
    bytes
}

#[test]
fn flac_of_every_level_decodes_equal_with_the_reference_decoder() {
    for bit_depth in
        wavemill_core::encode::format("flac").unwrap().formats.iter().map(|it| it.bit_depth)
    {
        let samples = music(PcmFormat::int(bit_depth), 2, 30_001);
        for level in 0..=8 {
            let mut settings = settings(&samples);
            settings.compression_level = Some(level);
            let bytes = encode("flac", &samples, settings, 4096).unwrap();
            let Some(decoded) = decode_with_flac(&bytes) else { return };
            assert!(decoded == interleaved(&samples), "{bit_depth} bit, level {level}");
        }
    }
}

#[test]
fn flac_of_one_to_eight_channels_decodes_equal() {
    for channel_count in 1..=8 {
        let samples = music(PcmFormat::int(24), channel_count, 5000);
        let bytes = encode("flac", &samples, settings(&samples), 999).unwrap();
        let Some(decoded) = decode_with_flac(&bytes) else { return };
        assert!(decoded == interleaved(&samples), "{channel_count} channels");
    }
}

#[test]
fn flac_of_hard_signals_decodes_equal() {
    let alternating: Vec<i32> =
        (0..9000).map(|i| if i % 2 == 0 { 8_388_607 } else { -8_388_608 }).collect();
    let mut state = 1u32;
    let noise: Vec<i32> = (0..9000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.cast_signed() >> 8
        })
        .collect();
    let wasted: Vec<i32> = noise.iter().map(|sample| sample >> 12 << 8).collect();
    let silence = vec![0; 9000];
    let constant = vec![-77; 9000];
    for planes in [
        vec![alternating.clone(), alternating.iter().map(|s| -1 - s).collect()],
        vec![noise.clone(), noise],
        vec![wasted.clone(), wasted],
        vec![silence, constant],
    ] {
        let samples = Samples::Int { bit_depth: 24, planes };
        for level in [0, 2, 5, 8] {
            let mut settings = settings(&samples);
            settings.compression_level = Some(level);
            let bytes = encode("flac", &samples, settings, 4096).unwrap();
            let Some(decoded) = decode_with_flac(&bytes) else { return };
            assert!(decoded == interleaved(&samples), "level {level}");
        }
    }
}

/// 32 bits reach the ends of what a sample can be, and differences that it cannot.
#[cfg(feature = "flac-32")]
#[test]
fn flac_of_hard_signals_of_32_bits_decodes_equal() {
    let alternating: Vec<i32> =
        (0..9000).map(|i| if i % 2 == 0 { i32::MAX } else { i32::MIN }).collect();
    let mut state = 1u32;
    let noise: Vec<i32> = (0..9000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.cast_signed()
        })
        .collect();
    let wasted: Vec<i32> = noise.iter().map(|sample| sample >> 12 << 8).collect();
    let soft: Vec<i32> = noise.iter().map(|sample| sample >> 3).collect();
    for planes in [
        vec![alternating.clone(), noise.clone()],
        vec![alternating; 3],
        vec![noise.clone()],
        vec![noise; 2],
        vec![wasted.clone(), wasted],
        vec![soft.clone(), soft],
        vec![vec![i32::MIN; 9000], vec![0; 9000]],
    ] {
        let samples = Samples::Int { bit_depth: 32, planes };
        for level in [0, 2, 5, 8] {
            let mut settings = settings(&samples);
            settings.compression_level = Some(level);
            let bytes = encode("flac", &samples, settings, 4096).unwrap();
            let mut decoder =
                wavemill_core::decode::open(Box::new(Cursor::new(bytes.clone())), None).unwrap();
            let mut block = Samples::empty(samples.format(), samples.channel_count());
            let (mut at, mut found) = (0, Vec::new());
            while decoder.read(&mut block, 4096).unwrap() > 0 {
                found.extend(interleaved(&block));
                at += block.frame_count();
            }
            assert!(at == 9000 && found == interleaved(&samples), "level {level}");
            let Some(decoded) = decode_with_flac(&bytes) else { continue };
            assert!(decoded == found, "level {level}");
        }
    }
}

#[test]
fn flac_of_16_bits_stored_as_24_costs_little_more_than_16() {
    let samples = music(PcmFormat::int(16), 2, 30_000);
    let Samples::Int { planes, .. } = &samples else { panic!("integers") };
    let planes = planes.iter().map(|plane| plane.iter().map(|sample| sample << 8).collect());
    let padded = Samples::Int { bit_depth: 24, planes: planes.collect() };
    let plain = encode("flac", &samples, settings(&samples), 4096).unwrap();
    let bytes = encode("flac", &padded, settings(&padded), 4096).unwrap();
    // The mid channel keeps the bit that 16-bit arithmetic rounds away; eight more would double it.
    let bound = plain.len() * 11 / 10;
    assert!(bytes.len() < bound, "{} bytes, {} for 16 bits", bytes.len(), plain.len());
    if let Some(decoded) = decode_with_flac(&bytes) {
        assert!(decoded == interleaved(&padded));
    }
}

#[test]
fn flac_does_not_depend_on_blocks_or_on_knowing_the_length() {
    let samples = music(PcmFormat::int(16), 2, 20_000);
    let whole = encode("flac", &samples, settings(&samples), 20_000).unwrap();
    for block in [1, 7, 64, 4096] {
        assert!(encode("flac", &samples, settings(&samples), block).unwrap() == whole);
    }
    let mut unknown = settings(&samples);
    unknown.frame_count = None;
    let bytes = encode("flac", &samples, unknown, 4096).unwrap();
    if let Some(decoded) = decode_with_flac(&bytes) {
        assert!(decoded == interleaved(&samples));
    }
}

#[test]
fn flac_states_length_and_md5() {
    let samples = music(PcmFormat::int(16), 2, 20_000);
    let bytes = encode("flac", &samples, settings(&samples), 4096).unwrap();
    let blocks = flac_codec::metadata::BlockList::read(Cursor::new(bytes)).unwrap();
    let info = blocks.streaminfo();
    assert_eq!(info.total_samples.map(std::num::NonZero::get), Some(20_000));
    assert!(info.md5.is_some_and(|md5| md5 != [0; 16]));
}

#[test]
fn flac_shorter_than_announced_fails() {
    let samples = music(PcmFormat::int(16), 2, 5000);
    let mut wrong = settings(&samples);
    wrong.frame_count = Some(Frames(5001));
    assert!(matches!(
        encode("flac", &samples, wrong, 4096).unwrap_err(),
        EncodeError::Failed { .. }
    ));
}

#[test]
fn flac_without_frames_is_accepted_by_the_reference_decoder() {
    let samples = Samples::empty(PcmFormat::int(16), 2);
    let bytes = encode("flac", &samples, settings(&samples), 1).unwrap();
    // It warns that there is no MD5 to check, so only the verdict counts.
    if let Some(output) = run_tool("flac", &["--test", "-"], &bytes) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn flac_carries_tags_and_pictures() {
    let samples = music(PcmFormat::int(16), 1, 100);
    let mut tagged = settings(&samples);
    tagged.tags = Arc::new(Tags {
        title: Some("Grüße 🎧".to_owned()),
        isrc: Some("DEZZZ2600001".to_owned()),
        year: Some(2026),
        pictures: vec![Picture {
            kind: "front cover",
            media_type: "image/x-unknown".to_owned(),
            description: Some("cover".to_owned()),
            bytes: vec![1, 2, 3],
        }],
        ..Tags::default()
    });
    let bytes = encode("flac", &samples, tagged, 100).unwrap();
    let blocks = flac_codec::metadata::BlockList::read(Cursor::new(bytes)).unwrap();
    let comment = blocks.get::<VorbisComment>().unwrap();
    assert_eq!(comment.get("TITLE"), Some("Grüße 🎧"));
    assert_eq!(comment.get("ISRC"), Some("DEZZZ2600001"));
    assert_eq!(comment.get("DATE"), Some("2026"));
    let picture = blocks.get::<flac_codec::metadata::Picture>().unwrap();
    assert_eq!(picture.picture_type, PictureType::FrontCover);
    assert_eq!(picture.media_type, "image/x-unknown");
    assert_eq!(picture.data, [1, 2, 3]);
}

#[test]
fn flac_on_a_full_disk_is_an_io_error_wherever_the_room_ends() {
    let samples = music(PcmFormat::int(16), 2, 200_000);
    let size = encode("flac", &samples, settings(&samples), 4096).unwrap().len() as u64;
    for capacity in [0, 100, size / 2, size - 1] {
        let file = SharedFile::with_capacity(capacity);
        let error = encode_into(file, "flac", &samples, settings(&samples), 4096).unwrap_err();
        let is_full = matches!(
            &error,
            EncodeError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull
        );
        assert!(is_full, "{capacity} of {size}: {error}");
    }
}

#[test]
fn flac_of_nine_channels_is_refused_with_what_would_work() {
    let samples = music(PcmFormat::int(16), 9, 10);
    let error = encode("flac", &samples, settings(&samples), 10).unwrap_err();
    assert_eq!(error.to_string(), "flac cannot store 9 channels; it stores 1 to 8");
}
