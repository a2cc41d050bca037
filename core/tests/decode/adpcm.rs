//! Mu-law, A-law, ADPCM and MP3 in containers of PCM, as other programs write and decode them.

use crate::repair::repair;
use crate::support::{
    Scratch, decode_bytes, ffmpeg_ints, fmt, has_tools, hound_wav, interleave, patch, read_file,
    riff, run, signal, write_file,
};
use std::path::{Path, PathBuf};
use wavemill_core::audio::PcmFormat;
use wavemill_core::decode::RepairKind;

/// Frames of the sources: they fill no block of any kind.
const FRAMES: usize = 9001;

/// A source of so many channels, in a scratch folder.
fn source(scratch: &Scratch, channel_count: usize) -> PathBuf {
    let path = scratch.path(&format!("source-{channel_count}.wav"));
    write_file(&path, &hound_wav(&signal(channel_count, FRAMES, 16), 22_050, 16));
    path
}

fn by_ffmpeg(scratch: &Scratch, channel_count: usize, codec: &str, extension: &str) -> PathBuf {
    let path = scratch.path(&format!("{codec}-{channel_count}.{extension}"));
    let source = source(scratch, channel_count);
    let args = ["-v", "error", "-y", "-i", source.to_str().unwrap(), "-c:a", codec];
    run("ffmpeg", &[&args[..], &[path.to_str().unwrap()]].concat());
    path
}

fn by_sox(scratch: &Scratch, channel_count: usize, encoding: &str) -> PathBuf {
    let path = scratch.path(&format!("{encoding}-{channel_count}.wav"));
    let source = source(scratch, channel_count);
    run("sox", &[source.to_str().unwrap(), "-e", encoding, path.to_str().unwrap()]);
    path
}

/// What sox decodes a file to, interleaved.
fn sox_ints(path: &Path) -> Vec<i32> {
    let raw = ["-t", "raw", "-e", "signed", "-b", "16", "-L", "-"];
    let raw = run("sox", &[&[path.to_str().unwrap()], &raw[..]].concat());
    raw.as_chunks().0.iter().map(|bytes| i16::from_le_bytes(*bytes).into()).collect()
}

/// What ffmpeg decodes a file to, interleaved, at 16 bits.
fn ffmpeg_16(path: &Path) -> Vec<i32> {
    ffmpeg_ints(path).into_iter().map(|sample| sample >> 16).collect()
}

/// Fails unless a file decodes to the first of `expected` samples: other programs deliver the last block as a
/// whole. `frame_count` is the exact length.
fn assert_decodes_to(path: &Path, codec: &str, expected: &[i32], frame_count: usize) {
    let decoded = decode_bytes(&read_file(path)).unwrap();
    let name = path.display();
    assert_eq!((decoded.info.codec, decoded.info.lossless), (codec, false), "{name}");
    assert_eq!(decoded.info.format, PcmFormat::int(16), "{name}");
    assert_eq!(decoded.samples.frame_count(), frame_count, "{name}");
    let samples = interleave(decoded.ints());
    assert!(expected.len() >= samples.len(), "{name}: {} samples", expected.len());
    let difference = samples.iter().zip(expected).position(|(ours, theirs)| ours != theirs);
    assert_eq!(difference, None, "{name}");
}

#[test]
fn logarithmic_samples_are_those_of_ffmpeg_in_every_container() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("logarithmic");
    for (codec, name) in [("pcm_mulaw", "mulaw"), ("pcm_alaw", "alaw")] {
        for extension in ["wav", "w64", "caf", "aifc", "rf64"] {
            let path = match extension {
                "rf64" => {
                    let path = by_ffmpeg(&scratch, 2, codec, "wav");
                    let rf64 = scratch.path("long.wav");
                    let args = ["-v", "error", "-y", "-i", path.to_str().unwrap(), "-c", "copy"];
                    let rest = ["-rf64", "always", rf64.to_str().unwrap()];
                    run("ffmpeg", &[&args[..], &rest].concat());
                    rf64
                }
                _ => by_ffmpeg(&scratch, 2, codec, extension),
            };
            assert_decodes_to(&path, name, &ffmpeg_16(&path), FRAMES);
        }
    }
}

#[test]
fn files_of_sox_decode_to_what_sox_decodes_and_are_as_long_as_their_source() {
    if !has_tools(&["sox"]) {
        return;
    }
    let scratch = Scratch::new("sox");
    for channel_count in [1, 2] {
        for (encoding, codec) in [
            ("u-law", "mulaw"),
            ("a-law", "alaw"),
            ("ima-adpcm", "ima-adpcm"),
            ("ms-adpcm", "ms-adpcm"),
        ] {
            let path = by_sox(&scratch, channel_count, encoding);
            assert_decodes_to(&path, codec, &sox_ints(&path), FRAMES);
        }
    }
}

/// IMA's own arithmetic is that of sox; ffmpeg rounds otherwise in WAVE, and as the source says in `QuickTime`'s kind.
#[test]
fn adpcm_of_ffmpeg_decodes_to_what_independent_decoders_make_of_it() {
    if !has_tools(&["ffmpeg", "sox"]) {
        return;
    }
    let scratch = Scratch::new("ffmpeg-adpcm");
    for channel_count in [1, 2] {
        for extension in ["wav", "w64"] {
            let path = by_ffmpeg(&scratch, channel_count, "adpcm_ima_wav", extension);
            let there = decode_bytes(&read_file(&path)).unwrap().samples.frame_count();
            assert!((FRAMES..FRAMES + 2048).contains(&there), "{extension}: {there}");
            if extension == "wav" {
                assert_decodes_to(&path, "ima-adpcm", &sox_ints(&path), there);
            }
        }
        let path = by_ffmpeg(&scratch, channel_count, "adpcm_ms", "wav");
        let there = ffmpeg_16(&path).len() / channel_count;
        assert_decodes_to(&path, "ms-adpcm", &ffmpeg_16(&path), there);
        for extension in ["caf", "aifc"] {
            let path = by_ffmpeg(&scratch, channel_count, "adpcm_ima_qt", extension);
            let expected = ffmpeg_16(&path);
            let frame_count = decode_bytes(&read_file(&path)).unwrap().samples.frame_count();
            assert!((FRAMES..FRAMES + 64).contains(&frame_count), "{extension}: {frame_count}");
            assert_decodes_to(&path, "ima-adpcm", &expected, frame_count);
        }
    }
}

/// A mono file of two blocks of IMA ADPCM with 9 frames each, worked out by hand: the first difference of +4
/// adds 7 / 8 + 7 = 7 to 100, and the step's index goes from 0 to 2.
fn two_blocks(fact: u32) -> Vec<u8> {
    let fmt = [&fmt(0x11, 1, 8_000, 4)[..12], &[8, 0, 4, 0, 2, 0, 9, 0]].concat();
    let block = [100, 0, 0, 0, 0x04, 0, 0, 0];
    let fact = fact.to_le_bytes().to_vec();
    riff(&[(b"fmt ", fmt), (b"fact", fact), (b"data", [block, block].concat())])
}

#[test]
fn block_of_ima_adpcm_is_decoded_as_by_hand() {
    // Steps 9, 8, 7 and so on: of 0 and of the smaller ones an eighth is 1, 1, and 0.
    let expected = [100, 107, 108, 109, 109, 109, 109, 109, 109];
    let decoded = decode_bytes(&two_blocks(18)).unwrap();
    assert_eq!(decoded.ints()[0], expected.repeat(2));
}

#[test]
fn fact_cuts_the_last_block_and_is_not_believed_beyond_it() {
    for (fact, frame_count, warning_count) in [
        (18, 18, 0),
        (17, 17, 0),
        (10, 10, 0),
        (9, 18, 1),
        (0, 18, 1),
        (19, 18, 1),
        (u32::MAX, 18, 1),
    ] {
        let decoded = decode_bytes(&two_blocks(fact)).unwrap();
        assert_eq!(decoded.samples.frame_count(), frame_count, "fact {fact}");
        assert_eq!(decoded.info.warnings.len(), warning_count, "{:?}", decoded.info.warnings);
    }
}

#[test]
fn adpcm_that_is_cut_short_is_refused_and_its_start_repaired() {
    let file = two_blocks(18);
    let error = decode_bytes(&file[..file.len() - 2]).unwrap_err().to_string();
    assert_eq!(error, "is cut short: its header states 18 frames, but there are 10 frames");
    let (decoded, repairs) = repair(&file[..file.len() - 2]).unwrap();
    let whole = decode_bytes(&file).unwrap();
    assert_eq!(decoded.ints()[0], whole.ints()[0][..10]);
    assert_eq!(repairs.iter().map(|it| it.kind).collect::<Vec<_>>(), [RepairKind::CutShort]);
}

#[test]
fn block_that_begins_with_a_step_that_does_not_exist_is_refused_or_silent() {
    let file = two_blocks(18);
    let broken = patch(&file, file.len() - 6, &[89]);
    let error = decode_bytes(&broken).unwrap_err().to_string();
    assert!(error.contains("a step that does not exist near frame 9"), "{error}");
    let (decoded, repairs) = repair(&broken).unwrap();
    assert_eq!(decoded.ints()[0][9..], [0; 9]);
    assert_eq!(repairs[0].kind, RepairKind::Undecodable);
}

#[test]
fn mp3_in_wave_is_that_of_a_file_without_it() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mp3-in-wave");
    let file = read_file(&by_ffmpeg(&scratch, 2, "libmp3lame", "wav"));
    let decoded = decode_bytes(&file).unwrap();
    assert_eq!((decoded.info.container, decoded.info.codec), ("wav", "mp3"));
    let data = file.windows(4).position(|window| window == b"data").unwrap();
    let plain = decode_bytes(&file[data + 8..]).unwrap();
    assert!(plain.samples == decoded.samples);
    // MPEG-2 frames of 576, and no less than the source.
    assert!(
        decoded.samples.frame_count() >= FRAMES
            && decoded.samples.frame_count().is_multiple_of(576)
    );
    let error = decode_bytes(&file[..file.len() - 700]).unwrap_err().to_string();
    assert!(error.contains("is cut short"), "{error}");
}
