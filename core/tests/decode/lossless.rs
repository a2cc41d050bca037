//! Apple Lossless in MPEG-4 and CAF, in packets written here, and AAC in ADTS.
#![cfg(feature = "mpeg4")]

use crate::containers::{caf, description};
use crate::support::{
    Scratch, completeness, decode_bytes, ffmpeg_floats, ffmpeg_ints, fixture, has_tools, hound_wav,
    interleave, patch, read_file, run, signal, write_file,
};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::decode::Completeness;

/// Frames of a packet.
const PACKET_FRAMES: usize = 512;

/// Bits, highest first.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Writer {
    fn put(&mut self, value: u32, count: usize) {
        for bit in (0..count).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (7 - self.count % 8);
            self.count += 1;
        }
    }
}

/// A packet of one or two channels whose samples are not compressed.
fn packet(planes: &[&[i32]], bit_depth: u32) -> Vec<u8> {
    let mut bits = Writer::default();
    let frame_count = planes[0].len();
    let is_partial = frame_count < PACKET_FRAMES;
    bits.put(planes.len() as u32 - 1, 3);
    bits.put(0, 16);
    bits.put(is_partial.into(), 1);
    bits.put(0, 2);
    bits.put(1, 1);
    if is_partial {
        bits.put(frame_count as u32, 32);
    }
    for frame in 0..frame_count {
        for plane in planes {
            bits.put(plane[frame] as u32, bit_depth as usize);
        }
    }
    bits.put(7, 3);
    bits.bytes
}

fn packets(planes: &[Vec<i32>], bit_depth: u32) -> Vec<Vec<u8>> {
    let count = planes[0].len();
    let starts = (0..count).step_by(PACKET_FRAMES);
    starts
        .map(|start| {
            let end = (start + PACKET_FRAMES).min(count);
            let part: Vec<_> = planes.iter().map(|plane| &plane[start..end]).collect();
            packet(&part, bit_depth)
        })
        .collect()
}

fn cookie(bit_depth: u32, channel_count: usize, rate: u32) -> Vec<u8> {
    let head = [0, bit_depth as u8, 40, 10, 14, channel_count as u8, 0, 255];
    let frames = (PACKET_FRAMES as u32).to_be_bytes();
    [&frames[..], &head, &[0; 8], &rate.to_be_bytes()].concat()
}

/// A CAF file of these packets, of which `valid` frames after `priming` ones are audio.
fn caf_of(
    packets: &[Vec<u8>],
    cookie: Vec<u8>,
    rate: u32,
    priming: usize,
    valid: usize,
) -> Vec<u8> {
    let numbers = [packets.len() as u64, valid as u64].map(u64::to_be_bytes).concat();
    let frames = packets.len() * PACKET_FRAMES;
    let gaps = [priming as u32, (frames - priming - valid) as u32].map(u32::to_be_bytes).concat();
    let mut table = [numbers, gaps].concat();
    for packet in packets {
        let length = packet.len();
        let bytes = [length >> 21, length >> 14, length >> 7].map(|part| part as u8 & 0x7f | 0x80);
        let first = bytes.iter().position(|&byte| byte != 0x80).unwrap_or(3);
        table.extend(&bytes[first..]);
        table.push(length as u8 & 0x7f);
    }
    let channels = u32::from(cookie[9]);
    let desc = description(rate.into(), "alac", 0, [0, PACKET_FRAMES as u32, channels, 0]);
    let data = [vec![0; 4], packets.concat()].concat();
    caf(&[(b"desc", desc), (b"kuki", cookie), (b"pakt", table), (b"data", data)])
}

#[test]
fn alac_of_every_depth_in_caf_decodes_to_its_samples() {
    for bit_depth in [16, 20, 24, 32] {
        for channels in [1, 2] {
            for frames in [1, PACKET_FRAMES, 3 * PACKET_FRAMES + 77] {
                let planes = signal(channels, frames, bit_depth);
                let cookie = cookie(bit_depth, channels, 48_000);
                let file = caf_of(&packets(&planes, bit_depth), cookie, 48_000, 0, frames);
                let decoded = decode_bytes(&file).unwrap();
                assert_eq!(decoded.info.format, PcmFormat::int(bit_depth as u16));
                assert!(
                    decoded.ints() == planes,
                    "{bit_depth} bits, {channels} channels, {frames}"
                );
                assert_eq!(completeness(&file), Completeness::Complete);
            }
        }
    }
}

#[test]
fn alac_of_every_depth_in_mpeg4_decodes_like_ffmpeg() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("alac-muxers");
    for bit_depth in [16, 20, 24, 32] {
        let frames = 3 * PACKET_FRAMES + 77;
        let planes = signal(2, frames, bit_depth);
        let file =
            caf_of(&packets(&planes, bit_depth), cookie(bit_depth, 2, 48_000), 48_000, 0, frames);
        let source = scratch.path("source.caf");
        write_file(&source, &file);
        for name in ["out.m4a", "out.mov"] {
            let path = scratch.path(name);
            let paths = [&source, &path].map(|path| path.to_str().unwrap());
            run("ffmpeg", &["-v", "error", "-y", "-i", paths[0], "-c", "copy", paths[1]]);
            let decoded = decode_bytes(&read_file(&path)).unwrap();
            // ffmpeg copies packets without durations, and gives the last one none.
            let count = decoded.samples.frame_count();
            assert!(count >= frames - frames % PACKET_FRAMES, "{name}: {count} frames");
            for (ours, plane) in decoded.ints().iter().zip(&planes) {
                assert!(ours == &plane[..count], "{name} of {bit_depth} bits");
            }
            // Others ffmpeg does not decode.
            if !matches!(bit_depth, 16 | 24) {
                continue;
            }
            let theirs: Vec<i32> =
                ffmpeg_ints(&path).iter().map(|sample| sample >> (32 - bit_depth)).collect();
            assert!(interleave(decoded.ints()) == theirs, "{name} of {bit_depth} bits by ffmpeg");
        }
    }
}

#[test]
fn priming_and_remainder_of_caf_are_cut() {
    let planes = signal(2, 2 * PACKET_FRAMES, 16);
    let file = caf_of(&packets(&planes, 16), cookie(16, 2, 44_100), 44_100, 100, 700);
    let decoded = decode_bytes(&file).unwrap();
    for (ours, plane) in decoded.ints().iter().zip(&planes) {
        assert_eq!(ours, &plane[100..800]);
    }
}

#[test]
fn caf_whose_packet_table_lies_is_refused() {
    let planes = signal(2, 2 * PACKET_FRAMES, 16);
    let packets = packets(&planes, 16);
    let file = caf_of(&packets, cookie(16, 2, 44_100), 44_100, 0, 2 * PACKET_FRAMES);
    let table = file.windows(4).position(|window| window == b"pakt").unwrap() + 12;
    let one_more = [0xff, 0xff, 0xff, 0x7f];
    for (offset, bytes) in [
        (table, &[0, 0, 1, 0][..]),
        (table + 7, &[0]),
        (table + 7, &[1]),
        (table + 7, &[3]),
        (table + 8, &[1]),
        (table + 14, &[5]),
        (table + 24, &one_more),
        (table + 24, &[0]),
    ] {
        let error = decode_bytes(&patch(&file, offset, bytes));
        assert!(error.is_err(), "{bytes:?} at {offset}");
    }
}

#[test]
fn alac_of_ffmpeg_in_caf_decodes_to_its_samples() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("alac-caf");
    let (source, path) = (scratch.path("source.wav"), scratch.path("out.caf"));
    let planes = signal(2, 30_011, 24);
    write_file(&source, &hound_wav(&planes, 96_000, 24));
    let paths = [&source, &path].map(|path| path.to_str().unwrap());
    let arguments = ["-v", "error", "-y", "-i", paths[0], "-c:a", "alac", "-sample_fmt", "s32p"];
    run("ffmpeg", &[&arguments[..], &[paths[1]]].concat());
    assert!(decode_bytes(&read_file(&path)).unwrap().ints() == planes);
}

#[test]
fn adts_of_ffmpeg_decodes_like_ffmpeg() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("adts");
    for (rate, channels, args) in [
        (44_100, 2, vec![]),
        (48_000, 1, vec!["-b:a", "48k"]),
        (16_000, 1, vec!["-b:a", "24k"]),
        (48_000, 6, vec![]),
        // No channel configuration has these: the first packet says what they are.
        (48_000, 8, vec![]),
        (44_100, 2, vec!["-write_id3v2", "1", "-metadata", "title=Tone"]),
    ] {
        let (source, path) = (scratch.path("source.wav"), scratch.path("out.aac"));
        write_file(&source, &hound_wav(&signal(channels, 50_021, 16), rate, 16));
        let paths = [&source, &path].map(|path| path.to_str().unwrap());
        let mut all = vec!["-v", "error", "-y", "-i", paths[0], "-c:a", "aac", "-aac_pns", "0"];
        all.extend(&args);
        run("ffmpeg", &[&all[..], &[paths[1]]].concat());
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        let (ours, theirs) = (interleave(decoded.floats()), ffmpeg_floats(&path));
        assert_eq!(ours.len(), theirs.len(), "{rate} Hz, {args:?}: as many samples as ffmpeg");
        let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-5, "{rate} Hz, {args:?}: differs by {worst}");
        assert_eq!((decoded.info.container, decoded.info.codec), ("aac", "aac"));
    }
}

#[test]
fn adts_with_a_hole_is_damaged_and_with_tags_behind_whole() {
    let file = fixture("tone.aac");
    let whole = decode_bytes(&file).unwrap();
    let second = 7 + file[7..].windows(2).position(|pair| pair == [0xff, 0xf1]).unwrap();
    let holed = [&file[..second], &[0x55; 20], &file[second..]].concat();
    // Four frames in a row make it ADTS: with the hole in front it is not even that.
    let third = second + 7 + file[second + 7..].windows(2).position(|p| p == [0xff, 0xf1]).unwrap();
    assert!(decode_bytes(&holed).is_err());
    let mut late = file.clone();
    let last = file.windows(2).rposition(|pair| pair == [0xff, 0xf1]).unwrap();
    late[last] = 0;
    assert!(third < last);
    let message = decode_bytes(&late).unwrap_err().to_string();
    assert!(message.contains("no ADTS frame of its stream"), "{message}");
    let tag = [b"TAG".to_vec(), vec![b' '; 125]].concat();
    let tagged = decode_bytes(&[&file[..], &tag].concat()).unwrap();
    assert_eq!(tagged.samples, whole.samples);
}

/// What two decoders may differ by at most.
///
/// Source: ISO/IEC 14496-26 (audio conformance), full accuracy: 2 to the power of -14 of full scale at most.
const CONFORMANT: f32 = 1.0 / 16_384.0;

#[test]
fn he_aac_decodes_like_ffmpeg_announced_or_not() {
    let not_announced = decode_bytes(&fixture("tone-he.aac")).unwrap();
    assert_eq!(not_announced.info.spec, StreamSpec::new(44_100, 2));
    assert_eq!(not_announced.samples.frame_count(), 10 * 2048);
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("he-aac");
    // As it is, and in a container whose configuration does not announce it either.
    for (name, copied, frames_cut) in [
        ("tone-he.aac", "out.aac", 0),
        ("tone-he.aac", "out.m4a", 0),
        ("tone-he.aac", "out.mka", 0),
        // ffmpeg 5 cuts the delay that the edit list states twice.
        ("tone-he.m4a", "out.mp4", 3018),
        ("tone-he-v2.m4a", "out.mp4", 3018),
    ] {
        let (source, path) = (scratch.path(name), scratch.path(copied));
        write_file(&source, &fixture(name));
        let paths = [&source, &path].map(|path| path.to_str().unwrap());
        run("ffmpeg", &["-v", "error", "-y", "-i", paths[0], "-c", "copy", paths[1]]);
        let decoded = decode_bytes(&read_file(&path)).unwrap();
        assert_eq!(decoded.info.spec, StreamSpec::new(44_100, 2), "{name} in {copied}");
        let (ours, theirs) = (interleave(decoded.floats()), ffmpeg_floats(&path));
        let ours = &ours[2 * frames_cut..];
        let count = ours.len().min(theirs.len());
        assert!(count > 2 * 15_000, "{name} in {copied}: {} and {}", ours.len(), theirs.len());
        let pairs = ours.iter().zip(&theirs);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= CONFORMANT, "{name} in {copied}: differs by {worst}");
    }
}
