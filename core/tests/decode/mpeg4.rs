//! MPEG-4 with AAC and Apple Lossless against ffmpeg, and atoms that lie.
#![cfg(feature = "mpeg4")]

use crate::support::{
    Scratch, decode_bytes, ffmpeg_floats, ffmpeg_ints, fixture, fmt, has_tools, hound_wav,
    interleave, patch, read_all, read_file, run, signal, wav, write_file,
};
use std::path::Path;
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::decode::{self, Damaged, DecodeError, RepairKind};
use wavemill_core::units::{SampleRate, Seconds};

/// Largest difference of two decoders' samples: both compute in 32-bit floats.
const TOLERANCE: f32 = 1e-5;

/// What ffmpeg's decoder of Opus may differ by.
const OPUS_TOLERANCE: f32 = 5e-4;

/// Encodes with ffmpeg, with further arguments before the output.
fn encode(source: &Path, path: &Path, arguments: &[&str]) {
    let mut all = vec!["-v", "error", "-y", "-i", source.to_str().unwrap()];
    all.extend(arguments);
    all.push(path.to_str().unwrap());
    run("ffmpeg", &all);
}

#[test]
fn aac_of_ffmpeg_decodes_like_ffmpeg_in_its_source_s_length() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mpeg4-aac");
    for (rate, channels, args) in [
        (44_100, 2, vec![]),
        (44_100, 1, vec![]),
        (48_000, 2, vec!["-movflags", "+faststart"]),
        (96_000, 2, vec![]),
        (22_050, 1, vec!["-b:a", "32k"]),
        (8_000, 1, vec!["-b:a", "16k"]),
        (44_100, 3, vec![]),
        (48_000, 4, vec![]),
        (48_000, 6, vec![]),
        // Two more in front, for which there is no channel configuration.
        (48_000, 8, vec![]),
        (44_100, 2, vec!["-f", "mov"]),
        (44_100, 2, vec!["-f", "mp4", "-movie_timescale", "44100"]),
    ] {
        for frame_count in [1, 1023, 1024, 1025, 50_021] {
            let source = scratch.path("source.wav");
            let path = scratch.path("out.m4a");
            write_file(&source, &hound_wav(&signal(channels, frame_count, 16), rate, 16));
            // What stands for noise is random: decoders agree on its level only.
            encode(&source, &path, &[&["-c:a", "aac", "-aac_pns", "0"], &args[..]].concat());
            let what = format!("{rate} Hz, {channels} channels, {frame_count} frames, {args:?}");
            let decoded = decode_bytes(&read_file(&path)).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(decoded.samples.frame_count(), frame_count, "{what}");
            assert_eq!((decoded.info.container, decoded.info.codec), ("mp4", "aac"));
            // Of files shorter than a few packets ffmpeg drops more.
            if frame_count < 2000 {
                continue;
            }
            let ours = interleave(decoded.floats());
            // ffmpeg 5 cuts the delay only, later ones the padding too.
            let theirs = ffmpeg_floats(&path);
            assert!(theirs.len() >= ours.len(), "{what}: {} samples of ffmpeg", theirs.len());
            let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= TOLERANCE, "{what}: differs by {worst}");
        }
    }
}

/// Arguments for fragments of a fifth of a second.
const FRAGMENTS: [&str; 2] = ["-frag_duration", "200000"];

/// What other codecs and fragments are made of: the file's name, channels, arguments for ffmpeg.
const OTHERS: &[(&str, usize, &[&str])] = &[
    ("flac.mp4", 2, &["-c:a", "flac", "-strict", "-2"]),
    (
        "flac-frag.mp4",
        2,
        &["-c:a", "flac", "-strict", "-2", "-movflags", "empty_moov+default_base_moof"],
    ),
    ("mp3.mp4", 2, &["-c:a", "libmp3lame"]),
    // ffmpeg 5 and mpg123 decode files of 24 kHz differently; ours is as mpg123 has it.
    ("mp3-half.mp4", 1, &["-c:a", "libmp3lame", "-ar", "22050"]),
    ("mp3.mov", 2, &["-c:a", "libmp3lame"]),
    #[cfg(feature = "opus")]
    ("opus.mp4", 2, &["-c:a", "libopus", "-strict", "-2"]),
    #[cfg(feature = "opus")]
    (
        "opus-frag.mp4",
        1,
        &["-c:a", "libopus", "-strict", "-2", "-movflags", "empty_moov+delay_moov"],
    ),
    (
        "aac-frag.mp4",
        2,
        &["-c:a", "aac", "-aac_pns", "0", "-movflags", "empty_moov+default_base_moof"],
    ),
    ("aac-late.mp4", 2, &["-c:a", "aac", "-aac_pns", "0", "-movflags", "frag_keyframe+delay_moov"]),
    ("aac-dash.mp4", 1, &["-c:a", "aac", "-aac_pns", "0", "-movflags", "dash+global_sidx"]),
    ("alac-frag.mp4", 2, &["-c:a", "alac", "-movflags", "empty_moov"]),
    ("sowt.mov", 2, &["-c:a", "pcm_s16le"]),
    ("twos.mov", 1, &["-c:a", "pcm_s16be"]),
    ("in24.mov", 2, &["-c:a", "pcm_s24be"]),
    ("in24-le.mov", 2, &["-c:a", "pcm_s24le"]),
    ("in32.mov", 2, &["-c:a", "pcm_s32be"]),
    ("fl32.mov", 2, &["-c:a", "pcm_f32le"]),
    ("fl64.mov", 1, &["-c:a", "pcm_f64be"]),
    ("bytes.mov", 1, &["-c:a", "pcm_u8"]),
    ("lpcm.mov", 2, &["-c:a", "pcm_s24le", "-ar", "96000"]),
    ("lpcm-float.mov", 2, &["-c:a", "pcm_f32be", "-ar", "96000"]),
    ("six.mov", 6, &["-c:a", "pcm_s16le"]),
    ("pcm-frag.mov", 2, &["-c:a", "pcm_s16le", "-movflags", "empty_moov+default_base_moof"]),
];

/// Makes one of [`OTHERS`].
fn make_other(scratch: &Scratch, name: &str, frame_count: usize) -> std::path::PathBuf {
    let (_, channels, args) = OTHERS.iter().find(|(other, ..)| *other == name).unwrap();
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(*channels, frame_count, 16), 48_000, 16));
    let path = scratch.path(name);
    let mut args = args.to_vec();
    if args.contains(&"-movflags") {
        args.extend(FRAGMENTS);
    }
    encode(&source, &path, &args);
    path
}

/// Samples between -1 and 1, interleaved.
fn as_floats(samples: &Samples) -> Vec<f32> {
    match samples {
        Samples::Float { planes } => interleave(planes),
        Samples::Int { bit_depth, planes } => {
            let scale = (1i64 << (bit_depth - 1)) as f32;
            interleave(planes).into_iter().map(|sample| sample as f32 / scale).collect()
        }
    }
}

#[test]
fn other_codecs_and_fragments_decode_like_ffmpeg_in_their_source_s_length() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mpeg4-others");
    for (name, ..) in OTHERS {
        for frame_count in [5003, 100_021] {
            let path = make_other(&scratch, name, frame_count);
            let what = format!("{name}, {frame_count} frames");
            let decoded =
                decode_bytes(&read_file(&path)).unwrap_or_else(|error| panic!("{what}: {error}"));
            let channel_count = decoded.info.spec.channel_count();
            let (ours, theirs) = (as_floats(&decoded.samples), ffmpeg_floats(&path));
            // Where fragments come before all is known, nothing says what is delay and padding.
            let is_mute = matches!(*name, "aac-frag.mp4" | "aac-dash.mp4");
            let rate = decoded.info.spec.sample_rate.0 as usize;
            let expected = if is_mute {
                theirs.len() / channel_count
            } else {
                (frame_count * rate).div_ceil(48_000)
            };
            assert_eq!(ours.len() / channel_count, expected, "{what}");
            // ffmpeg 5 cuts the delay only, and in fragments not even that.
            let delay = if *name == "aac-late.mp4" { 1024 * channel_count } else { 0 };
            let theirs = &theirs[delay..];
            assert!(theirs.len() >= ours.len(), "{what}");
            let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let tolerance = match decoded.info.codec {
                "opus" => OPUS_TOLERANCE,
                _ if decoded.info.lossless => 0.0,
                _ => TOLERANCE,
            };
            assert!(worst <= tolerance, "{what}: differs by {worst}");
        }
    }
}

#[test]
fn fragment_that_is_missing_is_refused_or_silent() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mpeg4-lost-fragment");
    for name in ["flac-frag.mp4", "aac-frag.mp4", "pcm-frag.mov"] {
        let file = read_file(&make_other(&scratch, name, 100_021));
        let sound = decode_bytes(&file).unwrap();
        let starts: Vec<usize> = (0..file.len() - 4)
            .filter(|&at| &file[at..at + 4] == b"moof")
            .map(|at| at - 4)
            .collect();
        let holed = [&file[..starts[3]], &file[starts[4]..]].concat();
        let error = decode_bytes(&holed).unwrap_err().to_string();
        assert!(error.contains("missing"), "{name}: {error}");
        let source = Box::new(std::io::Cursor::new(holed));
        let mut decoder = decode::open_as(source, None, Damaged::Repair).unwrap();
        let repaired = read_all(decoder.as_mut()).unwrap();
        assert_eq!(repaired.samples.frame_count(), sound.samples.frame_count(), "{name}");
        let repairs = decoder.repairs();
        assert_eq!(
            (repairs.len(), repairs[0].kind),
            (1, RepairKind::Missing),
            "{name}: {repairs:?}"
        );
        // Nothing else differs but what the codec needs to be the same again.
        let (ours, theirs) = (as_floats(&repaired.samples), as_floats(&sound.samples));
        let differing =
            (0..ours.len()).filter(|&index| ours[index].to_bits() != theirs[index].to_bits());
        let frames = differing.clone().max().unwrap() - differing.min().unwrap();
        let lost = Seconds(repairs[0].silence_s.0).to_frames(SampleRate(48_000)).as_usize();
        assert!(frames / 2 <= lost + 2048, "{name}: {frames} of {lost}");
        // One that is cut in a fragment, and in its sound.
        let cut = &file[..starts[4] + 20];
        assert!(matches!(decode_bytes(cut), Err(DecodeError::Truncated { .. })), "{name}");
        let source = Box::new(std::io::Cursor::new(cut.to_vec()));
        let mut decoder = decode::open_as(source, None, Damaged::Repair).unwrap();
        let repaired = as_floats(&read_all(decoder.as_mut()).unwrap().samples);
        assert!(repaired == theirs[..repaired.len()], "{name}");
        assert_eq!(decoder.repairs()[0].kind, RepairKind::CutShort, "{name}");
    }
}

#[test]
fn alac_of_ffmpeg_decodes_to_the_samples_in_our_order_of_channels() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mpeg4-alac");
    for (rate, bits, layout, args) in [
        (44_100, 16, "stereo", vec![]),
        (48_000, 24, "mono", vec![]),
        (192_000, 24, "stereo", vec!["-movflags", "+faststart"]),
        (655_350, 16, "mono", vec![]),
        (44_100, 16, "stereo", vec!["-f", "mov"]),
        (48_000, 16, "3.0", vec![]),
        (48_000, 16, "4.0", vec![]),
        (48_000, 24, "5.0", vec![]),
        (48_000, 24, "5.1", vec![]),
        (48_000, 16, "6.1(back)", vec![]),
        (48_000, 16, "7.1(wide)", vec![]),
    ] {
        let channels = channel_count(layout);
        for frame_count in [1, 4096, 4097, 20_011] {
            let source = scratch.path("source.wav");
            let path = scratch.path("out.m4a");
            // At a packet of one frame of several channels ffmpeg's encoder gives up.
            if channels > 2 && frame_count % 4096 == 1 {
                continue;
            }
            let planes = signal(channels, frame_count, bits);
            // Channels without places, which are given to them by their index.
            let bytes = interleave(&planes).into_iter().map(i32::to_le_bytes);
            let bytes = bytes.flat_map(|bytes| bytes.into_iter().take(bits as usize / 8));
            let header = fmt(1, channels as u16, rate, bits as u16);
            write_file(&source, &wav(header, bytes.collect()));
            let format = if bits == 16 { "s16p" } else { "s32p" };
            let paths = [&source, &path].map(|path| path.to_str().unwrap());
            let map: Vec<_> = (0..channels).map(|index| index.to_string()).collect();
            let map = format!("channelmap=map={}:channel_layout={layout}", map.join("|"));
            let mut all = vec!["-v", "error", "-y", "-i", paths[0], "-af", &map];
            all.extend(["-c:a", "alac", "-sample_fmt", format]);
            all.extend(&args);
            run("ffmpeg", &[&all[..], &[paths[1]]].concat());
            let what = format!("{rate} Hz, {bits} bits, {layout}, {frame_count} frames");
            let decoded = decode_bytes(&read_file(&path)).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(decoded.info.format, PcmFormat::int(bits as u16), "{what}");
            assert_eq!(decoded.info.spec.sample_rate.0, rate, "{what}");
            // The pair that stands at the back with ffmpeg stands at the sides here.
            let order: Vec<usize> = match channels {
                7 => vec![0, 1, 2, 3, 6, 4, 5],
                8 => vec![0, 1, 2, 3, 6, 7, 4, 5],
                _ => (0..channels).collect(),
            };
            let in_order = |planes: Vec<Vec<i32>>| -> Vec<Vec<i32>> {
                order.iter().map(|&index| planes[index].clone()).collect()
            };
            assert!(decoded.ints() == in_order(planes), "{what}");
            let layout = &decoded.info.spec.layout;
            assert!(layout.mask().is_some_and(|mask| mask.count_ones() as usize == channels));
            // Of a file of one packet ffmpeg drops more.
            if frame_count > 2000 {
                assert!(decoded.ints() == in_order(ffmpeg_planes(&path, channels, bits)), "{what}");
            }
        }
    }
}

/// Channels of a layout by ffmpeg's name of it.
fn channel_count(layout: &str) -> usize {
    let digits =
        |layout: &str| layout.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').sum::<u8>();
    match layout {
        "mono" => 1,
        "stereo" => 2,
        counted => digits(counted).into(),
    }
}

/// What ffmpeg decodes, as planes of `bits` bits.
fn ffmpeg_planes(path: &Path, channel_count: usize, bits: u32) -> Vec<Vec<i32>> {
    let samples = ffmpeg_ints(path);
    let plane = |channel| {
        let plane = samples.iter().skip(channel).step_by(channel_count);
        plane.map(|sample| sample >> (32 - bits)).collect()
    };
    (0..channel_count).map(plane).collect()
}

#[test]
fn first_audio_stream_beside_video_is_read_and_the_others_are_named() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mpeg4-streams");
    let source = scratch.path("source.wav");
    let path = scratch.path("out.mp4");
    write_file(&source, &hound_wav(&signal(2, 50_021, 16), 44_100, 16));
    let source = source.to_str().unwrap();
    run(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-y",
            "-i",
            source,
            "-f",
            "lavfi",
            "-i",
            "testsrc=d=1:s=64x64",
            "-i",
            source,
            "-map",
            "1",
            "-map",
            "0",
            "-map",
            "2",
            "-map",
            "2",
            "-c:v",
            "mpeg4",
            "-c:a:0",
            "alac",
            "-c:a:1",
            "aac",
            "-c:a:2",
            "ac3",
            "-metadata:s:a:1",
            "language=deu",
            path.to_str().unwrap(),
        ],
    );
    let decoded = decode_bytes(&read_file(&path)).unwrap();
    assert!(decoded.ints() == signal(2, 50_021, 16));
    assert_eq!(
        decoded.info.warnings,
        ["2 more audio streams were ignored: AAC stereo (deu), AC-3 stereo"]
    );
}

#[test]
fn what_is_not_decoded_is_named() {
    if !has_tools(&["ffmpeg"]) {
        return;
    }
    let scratch = Scratch::new("mpeg4-refused");
    let source = scratch.path("source.wav");
    write_file(&source, &hound_wav(&signal(6, 5000, 16), 44_100, 16));
    let path = scratch.path("out.mp4");
    encode(&source, &path, &["-c:a", "ac3"]);
    let message = decode_bytes(&read_file(&path)).unwrap_err().to_string();
    assert!(message.contains("AC-3 in MPEG-4"), "{message}");
}

/// First byte of the data of the first atom of this name.
fn atom(bytes: &[u8], name: &str) -> usize {
    bytes.windows(4).position(|window| window == name.as_bytes()).unwrap() + 4
}

#[test]
fn edit_list_of_frames_is_exact() {
    let bytes = fixture("tone-alac.m4a");
    let timescale = atom(&bytes, "mvhd") + 12;
    let edit = atom(&bytes, "elst") + 8;
    let edited = patch(&bytes, timescale, &44_100u32.to_be_bytes());
    let edited = patch(&edited, edit, &1001u32.to_be_bytes());
    let edited = patch(&edited, edit + 4, &77u32.to_be_bytes());
    let (whole, part) = (decode_bytes(&bytes).unwrap(), decode_bytes(&edited).unwrap());
    for (whole, part) in whole.ints().iter().zip(part.ints()) {
        assert_eq!(part, &whole[77..77 + 1001]);
    }
    // Silence before the part it shows.
    let list = [&0u32.to_be_bytes()[..], &u32::MAX.to_be_bytes(), &[0, 1, 0, 0]].concat();
    let silence = patch(&edited, edit, &list);
    assert_eq!(decode_bytes(&silence).unwrap().ints(), whole.ints());
}

#[test]
fn tables_that_claim_too_much_are_refused() {
    let bytes = fixture("tone-alac.m4a");
    for (name, offset, value) in [
        ("stsz", 8, u32::MAX),
        ("stsz", 4, 0x00ff_ffff),
        ("stsz", 12, 0x7fff_ffff),
        ("stts", 4, u32::MAX),
        ("stco", 4, 0x7fff_ffff),
        ("stco", 8, 0x7fff_ffff),
        ("stsc", 4, u32::MAX),
        ("stsc", 8, 9),
        ("stsc", 12, 0),
        ("stsd", 8, 4),
    ] {
        let lie = patch(&bytes, atom(&bytes, name) + offset, &value.to_be_bytes());
        let error = decode_bytes(&lie).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{name} at {offset}: {error}");
    }
}

#[test]
fn atom_without_a_length_goes_on_to_the_end() {
    let bytes = fixture("tone-alac.m4a");
    let media = atom(&bytes, "mdat") - 8;
    let movie = atom(&bytes, "moov") - 8;
    assert!(media < movie, "the fixture has its header at the end");
    let moved = [&bytes[..media], &bytes[movie..], &bytes[media..movie]].concat();
    // The packets are further back by the header's length.
    let offsets = atom(&moved, "stco") + 8;
    let there = u32::from_be_bytes(moved[offsets..offsets + 4].try_into().unwrap());
    let moved = patch(&moved, offsets, &(there + (bytes.len() - movie) as u32).to_be_bytes());
    let media = atom(&moved, "mdat") - 8;
    let open_ended = patch(&moved, media, &[0; 4]);
    let expected = decode_bytes(&bytes).unwrap();
    assert_eq!(decode_bytes(&open_ended).unwrap().samples, expected.samples);
    let cut = &open_ended[..open_ended.len() - 1];
    assert!(decode_bytes(cut).unwrap_err().to_string().contains("cut short"));
}
