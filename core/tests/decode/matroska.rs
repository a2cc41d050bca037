//! Matroska and `WebM` against ffmpeg, and elements that lie.
#![cfg(feature = "matroska")]

use crate::support::{
    Scratch, completeness, decode_bytes, ffmpeg_floats, ffmpeg_ints, fixture, has_tools, hound_wav,
    interleave, patch, read_all, read_file, run, signal, write_file,
};
use std::path::Path;
use wavemill_core::decode::{self, Completeness, Damaged, RepairKind};

/// Largest difference of two decoders' samples: both compute in 32-bit floats.
const TOLERANCE: f32 = 1e-5;

/// Makes a file of these planes with ffmpeg.
fn encode(path: &Path, planes: &[Vec<i32>], rate: u32, bits: u16, arguments: &[&str]) {
    let source = path.with_extension("source.wav");
    write_file(&source, &hound_wav(planes, rate, bits));
    let mut all = vec!["-v", "error", "-y", "-i", source.to_str().unwrap()];
    all.extend(arguments);
    all.push(path.to_str().unwrap());
    run("ffmpeg", &all);
}

#[test]
fn lossless_codecs_of_ffmpeg_decode_to_the_samples() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-lossless");
    for (bits, channels, args) in [
        (16, 2, vec!["-c:a", "flac"]),
        (24, 2, vec!["-c:a", "flac", "-sample_fmt", "s32"]),
        (16, 2, vec!["-c:a", "flac", "-ac", "6"]),
        (16, 2, vec!["-c:a", "pcm_s16le"]),
        (24, 2, vec!["-c:a", "pcm_s24le", "-ac", "6"]),
        (16, 1, vec!["-c:a", "pcm_s16be"]),
        (32, 2, vec!["-c:a", "pcm_s32le", "-ar", "192000"]),
        (8, 1, vec!["-c:a", "pcm_u8"]),
        #[cfg(feature = "mpeg4")]
        (16, 2, vec!["-c:a", "alac"]),
        #[cfg(feature = "mpeg4")]
        (24, 2, vec!["-c:a", "alac", "-sample_fmt", "s32p"]),
    ] {
        for frame_count in [300, 4097, 50_021] {
            let path = scratch.path("out.mka");
            let planes = signal(channels, frame_count, bits);
            encode(&path, &planes, 48_000, bits as u16, &args);
            let file = read_file(&path);
            let what = format!("{bits} bits, {channels} channels, {frame_count} frames, {args:?}");
            let decoded = decode_bytes(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(completeness(&file), Completeness::Complete, "{what}");
            let shift = 32 - decoded.info.format.bit_depth;
            let ours: Vec<i32> =
                interleave(decoded.ints()).into_iter().map(|sample| sample << shift).collect();
            assert!(ours == ffmpeg_ints(&path), "{what}: differs from ffmpeg");
            if args.len() == 2 {
                assert!(decoded.ints() == planes, "{what}: differs from its source");
            }
        }
    }
}

#[test]
fn floats_in_matroska_decode_exactly() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-float");
    let path = scratch.path("out.mka");
    for codec in ["pcm_f32le", "pcm_f64le"] {
        encode(&path, &signal(2, 5003, 24), 48_000, 24, &["-c:a", codec]);
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        assert!(interleave(decoded.floats()) == ffmpeg_floats(&path), "{codec}");
    }
}

#[test]
fn lossy_codecs_of_ffmpeg_decode_like_ffmpeg() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-lossy");
    for (name, channels, args) in [
        ("out.webm", 2, vec!["-c:a", "libvorbis"]),
        ("out.mka", 1, vec!["-c:a", "libvorbis", "-q:a", "1"]),
        ("out.mka", 2, vec!["-c:a", "libvorbis", "-ac", "6"]),
        ("out.mka", 2, vec!["-c:a", "libmp3lame"]),
        #[cfg(feature = "mpeg4")]
        ("out.mka", 2, vec!["-c:a", "aac", "-aac_pns", "0"]),
    ] {
        for frame_count in [20_000, 50_021] {
            let path = scratch.path(name);
            encode(&path, &signal(channels, frame_count, 16), 44_100, 16, &args);
            let what = format!("{frame_count} frames, {args:?}");
            let decoded = decode_bytes(&read_file(&path)).unwrap_or_else(|e| panic!("{what}: {e}"));
            let ours = interleave(decoded.floats());
            let theirs = ffmpeg_floats(&path);
            assert_eq!(ours.len(), theirs.len(), "{what}: as many samples as ffmpeg");
            let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= TOLERANCE, "{what}: differs by {worst}");
        }
    }
}

#[test]
fn first_audio_stream_beside_video_is_read_and_the_others_are_named() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-streams");
    let source = scratch.path("source.wav");
    let path = scratch.path("out.mkv");
    write_file(&source, &hound_wav(&signal(2, 50_021, 16), 44_100, 16));
    let source = source.to_str().unwrap();
    let maps = ["-map", "1", "-map", "0", "-map", "2", "-map", "2"];
    let codecs = ["-c:v", "mpeg4", "-c:a:0", "ac3", "-c:a:1", "flac", "-c:a:2", "libvorbis"];
    let video = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64"];
    let mut all = vec!["-v", "error", "-y", "-i", source];
    all.extend(video);
    all.extend(["-i", source]);
    all.extend(maps);
    all.extend(codecs);
    all.extend(["-metadata:s:a:0", "language=deu", path.to_str().unwrap()]);
    run("ffmpeg", &all);
    let decoded = decode_bytes(&read_file(&path)).unwrap();
    assert!(decoded.ints() == signal(2, 50_021, 16));
    assert_eq!(
        decoded.info.warnings,
        ["2 more audio streams were ignored: AC-3 stereo (deu), Vorbis stereo"]
    );
}

#[test]
fn what_is_not_decoded_is_named() {
    let file = fixture("tone-flac.mka");
    let at = file.windows(6).position(|window| window == b"A_FLAC").unwrap();
    for (codec, expected) in [
        #[cfg(not(feature = "opus"))]
        (b"A_OPUS", "uses Opus in Matroska, which is not supported"),
        (b"A_EAC3", "uses E-AC-3 in Matroska, which is not supported"),
        (b"A_\nBC\"", "uses codec `A_\\nBC\\\"` in Matroska, which is not supported"),
    ] {
        let message = decode_bytes(&patch(&file, at, codec)).unwrap_err().to_string();
        assert_eq!(message, expected);
    }
    let kind = file.windows(8).position(|window| window == b"matroska").unwrap();
    let other = patch(&file, kind, b"playlist");
    assert!(decode_bytes(&other).unwrap_err().to_string().contains("EBML of the kind `playlist`"));
}

/// The segment's length, made unknown.
fn open_ended(file: &[u8]) -> Vec<u8> {
    let at = file.windows(4).position(|window| window == [0x18, 0x53, 0x80, 0x67]).unwrap() + 4;
    let count = file[at].leading_zeros() as usize;
    patch(file, at, &[&[(0xffu16 >> count) as u8][..], &vec![0xff; count]].concat())
}

#[test]
fn segment_of_unknown_length_goes_on_to_the_end() {
    for name in ["tone-flac.mka", "tone-vorbis.webm", "tone-pcm.mkv"] {
        let file = fixture(name);
        let live = open_ended(&file);
        assert_eq!(decode_bytes(&live).unwrap().samples, decode_bytes(&file).unwrap().samples);
        assert_eq!(completeness(&live), Completeness::Unknown);
    }
}

#[test]
fn live_stream_cut_in_a_block_is_cut_short() {
    let file = open_ended(&fixture("tone-flac.mka"));
    let block = file.windows(4).rposition(|window| window == [0xff, 0xf8, 0xc9, 0x18]);
    let cut = block.unwrap_or(file.len() * 2 / 3);
    let message = decode_bytes(&file[..cut]).unwrap_err().to_string();
    assert!(message.contains("cut short"), "{message}");
}

/// A file of 12 s in clusters of half a second, and where they begin.
fn in_clusters(scratch: &Scratch, args: &[&str]) -> (Vec<u8>, Vec<usize>) {
    let path = scratch.path("out.mka");
    let args = [args, &["-cluster_time_limit", "500"]].concat();
    encode(&path, &signal(1, 44_100 * 14, 16), 44_100, 16, &args);
    let file = read_file(&path);
    let windows = file.windows(4).enumerate();
    let clusters: Vec<usize> =
        windows.filter(|(_, at)| **at == [0x1f, 0x43, 0xb6, 0x75]).map(|(at, _)| at).collect();
    assert!(clusters.len() > 25, "{} clusters", clusters.len());
    (file, clusters)
}

#[test]
fn pause_is_filled_with_silence_up_to_a_bound_and_reported() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-pause");
    for args in [["-c:a", "flac"], ["-c:a", "pcm_s16le"]] {
        let (file, clusters) = in_clusters(&scratch, &args);
        let sound = decode_bytes(&file).unwrap();
        let holed = |count: usize| {
            open_ended(&[&file[..clusters[1]], &file[clusters[1 + count]..]].concat())
        };
        let source = Box::new(std::io::Cursor::new(holed(2)));
        let mut decoder = decode::open(source, None).unwrap();
        let paused = read_all(decoder.as_mut()).unwrap();
        assert_eq!(paused.samples.frame_count(), sound.samples.frame_count(), "{args:?}");
        let repairs = decoder.repairs();
        assert_eq!((repairs.len(), repairs[0].kind), (1, RepairKind::Pause), "{args:?}");
        assert!(repairs[0].line().starts_with("it has a gap, filled with silence"));
        let silent = (repairs[0].silence_s.0 * 44_100.0).round() as usize;
        let (ours, theirs) = (&paused.ints()[0], &sound.ints()[0]);
        let first = (0..ours.len()).find(|&index| ours[index] != theirs[index]).unwrap();
        let last = (0..ours.len()).rfind(|&index| ours[index] != theirs[index]).unwrap();
        assert!(last - first < silent && silent < 2 * 44_100, "{args:?}: {first} to {last}");
        assert!(ours[first..=last].iter().all(|sample| *sample == 0), "{args:?}");
        let message = decode_bytes(&holed(clusters.len() - 3)).unwrap_err().to_string();
        assert!(message.contains("part of it is missing: a gap of"), "{message}");
        let source = Box::new(std::io::Cursor::new(holed(clusters.len() - 3)));
        let mut decoder = decode::open_as(source, None, Damaged::Repair).unwrap();
        let repaired = read_all(decoder.as_mut()).unwrap();
        assert_eq!(repaired.samples.frame_count(), sound.samples.frame_count(), "{args:?}");
        assert_eq!(decoder.repairs()[0].kind, RepairKind::Missing, "{args:?}");
    }
}

/// Largest difference of two decoders of Opus: libopus in Rust and in C.
#[cfg(feature = "opus")]
const OPUS_TOLERANCE: f32 = 5e-4;

#[cfg(feature = "opus")]
#[test]
fn opus_of_ffmpeg_decodes_like_ffmpeg_in_its_source_s_length() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-opus");
    for (name, channels, args) in [
        ("out.webm", 2, vec!["-c:a", "libopus"]),
        ("out.mka", 1, vec!["-c:a", "libopus", "-b:a", "48k"]),
        ("out.mka", 2, vec!["-c:a", "libopus", "-frame_duration", "60"]),
    ] {
        for frame_count in [20_000, 50_021] {
            let path = scratch.path(name);
            encode(&path, &signal(channels, frame_count, 16), 48_000, 16, &args);
            let what = format!("{frame_count} frames, {args:?}");
            let decoded = decode_bytes(&read_file(&path)).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(decoded.samples.frame_count(), frame_count, "{what}");
            let ours = interleave(decoded.floats());
            // The decoder that is ffmpeg's own differs by 0.17 in the second of these streams.
            let path = path.to_str().unwrap();
            let raw = ["-v", "error", "-c:a", "libopus", "-i", path, "-f", "f32le", "-"];
            let theirs = run("ffmpeg", &raw);
            let theirs: Vec<f32> =
                theirs.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            assert_eq!(ours.len(), theirs.len(), "{what}: as many samples as ffmpeg");
            let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= OPUS_TOLERANCE, "{what}: differs by {worst}");
        }
    }
}

#[test]
fn floats_that_are_no_numbers_are_refused_unless_repaired() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("matroska-nan");
    let path = scratch.path("out.mka");
    encode(&path, &signal(1, 5000, 16), 44_100, 16, &["-c:a", "pcm_f32le"]);
    let bytes = read_file(&path);
    let whole = decode_bytes(&bytes).unwrap();
    let loud = whole.floats()[0].iter().copied().fold(0.0, f32::max).to_le_bytes();
    let place = bytes.windows(4).position(|it| it == loud).unwrap();
    let broken = patch(&bytes, place, &f32::NAN.to_le_bytes());
    assert!(matches!(decode_bytes(&broken), Err(decode::DecodeError::NonFinite { .. })));
    let (repaired, repairs) = crate::repair::repair(&broken).unwrap();
    assert_eq!(repaired.samples.frame_count(), 5000);
    assert_eq!(repairs.iter().map(|it| it.kind).collect::<Vec<_>>(), [RepairKind::NonFinite]);
}
