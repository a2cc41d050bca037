//! Sony Wave64, Core Audio Format and ADTS.

use crate::support::{
    Scratch, completeness, decode_bytes, ffmpeg_floats, ffmpeg_ints, fmt, fmt_extensible,
    has_tools, hound_wav, interleave, patch, read_file, run, signal, write_file,
};
use std::io::Cursor;
use wavemill_core::audio::{ChannelPosition, PcmFormat};
use wavemill_core::decode::Completeness;
use wavemill_core::tags;

/// A Wave64 file of these chunks, with the lengths it should have.
pub(crate) fn wave64(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let tail = *b"\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a";
    let mut body = [&b"wave"[..], &tail].concat();
    for (name, data) in chunks {
        body.extend([&name[..], &tail, &(24 + data.len() as u64).to_le_bytes(), data].concat());
        body.resize(body.len().next_multiple_of(8), 0);
    }
    let riff = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0";
    [&riff[..], &(24 + body.len() as u64).to_le_bytes(), &body].concat()
}

/// A `desc` chunk's data.
pub(crate) fn description(
    rate: f64,
    format: &str,
    flags: u32,
    [packet_bytes, packet_frames, channels, bits]: [u32; 4],
) -> Vec<u8> {
    let numbers = [flags, packet_bytes, packet_frames, channels, bits].map(u32::to_be_bytes);
    [&rate.to_be_bytes()[..], format.as_bytes(), &numbers.concat()].concat()
}

/// A CAF file of these chunks, with the lengths it should have.
pub(crate) fn caf(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = b"caff\0\x01\0\0".to_vec();
    for (name, data) in chunks {
        file.extend([&name[..], &(data.len() as u64).to_be_bytes(), data].concat());
    }
    file
}

/// Samples of 16 bits, little-endian, frame by frame.
fn bytes_16(planes: &[Vec<i32>]) -> Vec<u8> {
    let sample = |sample: i32| (sample as i16).to_le_bytes();
    interleave(planes).into_iter().flat_map(sample).collect()
}

/// A small CAF file with 16-bit samples, little-endian, of two channels.
pub(crate) fn small_caf() -> Vec<u8> {
    let samples = [vec![0; 4], bytes_16(&signal(2, 2000, 16))].concat();
    let info = b"\0\0\0\x02title\0Tone\0track number\x003/12\0".to_vec();
    caf(&[
        (b"desc", description(44_100.0, "lpcm", 2, [4, 1, 2, 16])),
        (b"info", info),
        (b"data", samples),
    ])
}

/// A small Wave64 file with 16-bit samples of two channels.
pub(crate) fn small_wave64() -> Vec<u8> {
    wave64(&[(b"fmt ", fmt(1, 2, 44_100, 16)), (b"data", bytes_16(&signal(2, 2000, 16)))])
}

#[test]
fn wave64_decodes_to_its_samples() {
    let decoded = decode_bytes(&small_wave64()).unwrap();
    assert_eq!(decoded.ints(), signal(2, 2000, 16));
    assert_eq!((decoded.info.container, decoded.info.codec), ("w64", "pcm"));
    // 3 bytes a frame, so that the chunk ends between multiples of eight, and a chunk before it.
    let odd = wave64(&[
        (b"list", vec![7; 13]),
        (b"fmt ", fmt_extensible(1, 1, 24, 20, 4)),
        (b"data", vec![0, 0, 0x40, 0x10, 0, 0xc0, 0xf0, 0xff, 0x7f]),
    ]);
    let decoded = decode_bytes(&odd).unwrap();
    assert_eq!(decoded.info.format, PcmFormat::int(20));
    assert_eq!(decoded.ints(), [[0x40000, -0x3ffff, 0x7ffff]]);
}

#[test]
fn wave64_of_unknown_length_goes_on_to_the_end() {
    let file = small_wave64();
    let data = file.windows(4).position(|window| window == b"data").unwrap();
    for unknown in [i64::MAX as u64, u64::MAX] {
        let open_ended = patch(&file, data + 16, &unknown.to_le_bytes());
        let open_ended = patch(&open_ended, 16, &u64::MAX.to_le_bytes());
        assert_eq!(decode_bytes(&open_ended).unwrap().ints(), signal(2, 2000, 16));
        assert_eq!(completeness(&open_ended), Completeness::Unknown);
    }
}

#[test]
fn wave64_with_chunks_that_lie_is_refused() {
    let file = small_wave64();
    for (offset, value) in [(56, 1u64 << 40), (56, 30), (40 + 24 + 16 + 8, 3), (16, 1 << 40)] {
        let lie = patch(&file, offset, &value.to_le_bytes());
        let is_refused = decode_bytes(&lie).is_err();
        let is_incomplete = matches!(completeness(&lie), Completeness::Incomplete { .. });
        assert!(is_refused || is_incomplete, "{value} at {offset}");
    }
    assert!(decode_bytes(&file[..30]).unwrap_err().to_string().contains("cut short"));
}

#[test]
fn caf_decodes_to_its_samples_with_tags() {
    let file = small_caf();
    let decoded = decode_bytes(&file).unwrap();
    assert_eq!(decoded.ints(), signal(2, 2000, 16));
    assert_eq!((decoded.info.container, decoded.info.codec), ("caf", "pcm"));
    let tags = tags::read(&mut Cursor::new(&file), None).unwrap().tags;
    assert_eq!(tags.title.as_deref(), Some("Tone"));
    assert_eq!((tags.track, tags.track_total), (Some(3), Some(12)));
}

#[test]
fn caf_of_unknown_length_goes_on_to_the_end() {
    let file = small_caf();
    let data = file.windows(4).position(|window| window == b"data").unwrap();
    let open_ended = patch(&file, data + 4, &[0xff; 8]);
    assert_eq!(decode_bytes(&open_ended).unwrap().ints(), signal(2, 2000, 16));
    assert_eq!(completeness(&open_ended), Completeness::Unknown);
}

#[test]
fn caf_layout_comes_in_the_order_of_the_mask() {
    use ChannelPosition::{BackLeft, BackRight, FrontCenter, FrontLeft, FrontRight};
    // MPEG_5_0_B: L R Ls Rs C.
    let chan = [118u32 << 16 | 5, 0, 0].map(u32::to_be_bytes).concat();
    let samples = [vec![0; 4], vec![1, 2, 4, 5, 3]].concat();
    let file = caf(&[
        (b"desc", description(48_000.0, "lpcm", 0, [5, 1, 5, 8])),
        (b"chan", chan),
        (b"data", samples),
    ]);
    let decoded = decode_bytes(&file).unwrap();
    assert_eq!(decoded.ints(), [[1], [2], [3], [4], [5]]);
    let positions = [FrontLeft, FrontRight, FrontCenter, BackLeft, BackRight];
    assert_eq!(decoded.info.spec.layout.positions(), positions);
}

#[test]
fn caf_that_contradicts_itself_or_uses_another_codec_is_refused() {
    let data = || (b"data", vec![0; 104]);
    for (description, expected) in [
        (description(48_000.0, "lpcm", 0, [5, 1, 2, 16]), "cannot hold 2 channels"),
        (description(48_000.0, "lpcm", 0, [4, 1, 2, 17]), "cannot hold 2 channels"),
        (description(48_000.0, "lpcm", 1, [4, 1, 2, 16]), "16-bit floats in CAF"),
        (description(48_000.0, "lpcm", 0, [4, 1, 0, 16]), "0 channels"),
        (description(48_000.0, "lpcm", 0, [200, 1, 100, 16]), "100 channels"),
        (description(f64::NAN, "lpcm", 0, [4, 1, 2, 16]), "0 Hz"),
        (description(1e300, "lpcm", 0, [4, 1, 2, 16]), "Hz of sample rate"),
        (description(48_000.0, "MAC3", 0, [4, 6, 2, 0]), "MACE in CAF"),
        (description(48_000.0, "aac ", 2, [0, 1024, 2, 0]), "AAC in CAF"),
        (description(48_000.0, "lpcm", 0, [4, 1, 2, 16])[..20].to_vec(), "cut short"),
    ] {
        let message =
            decode_bytes(&caf(&[(b"desc", description), data()])).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} / {expected}");
    }
    let file = small_caf();
    assert!(decode_bytes(&patch(&file, 5, &[2])).unwrap_err().to_string().contains("version 2"));
    let negative = patch(&file, 12, &[0x80, 0, 0, 0, 0, 0, 0, 1]);
    assert!(decode_bytes(&negative).unwrap_err().to_string().contains("negative length"));
}

#[test]
fn pcm_of_ffmpeg_in_wave64_and_caf_decodes_to_its_samples() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("containers-ffmpeg");
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(2, 5003, 32), 48_000, 32));
    for (name, codec, args) in [
        ("u8.w64", "pcm_u8", vec![]),
        ("16.w64", "pcm_s16le", vec![]),
        ("24.w64", "pcm_s24le", vec!["-ac", "6"]),
        ("32.w64", "pcm_s32le", vec!["-ar", "655350"]),
        ("f32.w64", "pcm_f32le", vec![]),
        ("8.caf", "pcm_s8", vec![]),
        ("16.caf", "pcm_s16be", vec![]),
        ("16le.caf", "pcm_s16le", vec!["-ac", "6"]),
        ("24.caf", "pcm_s24be", vec![]),
        ("24le.caf", "pcm_s24le", vec!["-ac", "8"]),
        ("32.caf", "pcm_s32be", vec![]),
        ("32le.caf", "pcm_s32le", vec!["-ar", "655350"]),
        ("f32.caf", "pcm_f32le", vec![]),
        ("f64.caf", "pcm_f64be", vec![]),
    ] {
        let path = scratch.path(name);
        let mut all = vec!["-v", "error", "-y", "-i", source.to_str().unwrap(), "-c:a", codec];
        all.extend(args);
        all.push(path.to_str().unwrap());
        run("ffmpeg", &all);
        let file = read_file(&path);
        let decoded = decode_bytes(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(completeness(&file), Completeness::Complete, "{name}");
        if name.starts_with('f') {
            assert!(interleave(decoded.floats()) == ffmpeg_floats(&path), "{name}");
            continue;
        }
        let shift = 32 - decoded.info.format.bit_depth;
        let ours: Vec<i32> =
            interleave(decoded.ints()).into_iter().map(|sample| sample << shift).collect();
        assert!(ours == ffmpeg_ints(&path), "{name} differs from ffmpeg's samples");
    }
}

#[test]
fn wave64_and_caf_of_24_channels_decode_to_their_samples() {
    let planes = signal(24, 500, 16);
    let samples = bytes_16(&planes);
    let data = [vec![0; 4], samples.clone()].concat();
    for file in [
        wave64(&[(b"fmt ", fmt(1, 24, 655_350, 16)), (b"data", samples)]),
        caf(&[(b"desc", description(655_350.0, "lpcm", 2, [48, 1, 24, 16])), (b"data", data)]),
    ] {
        let decoded = decode_bytes(&file).unwrap();
        assert_eq!(decoded.ints(), planes);
        assert_eq!(decoded.info.spec.sample_rate.0, 655_350);
    }
}
