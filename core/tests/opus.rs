//! Opus both ways: the writer against our reader, ffmpeg and opus-tools, the reader against theirs.
#![cfg(feature = "opus")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::readers::OnDisk;
use common::{SharedFile, encode, encode_into, music, run_tool, settings};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{ChannelLayout, PcmFormat, Samples, StreamSpec};
use wavemill_core::decode::{self, DecodeError};
use wavemill_core::encode::{self, EncodeError, EncodeSettings, LossyQuality};
use wavemill_core::tags::{self, GainBasis, Picture, ReplayGain, Tags};
use wavemill_core::units::{Dbtp, Frames, Lufs};

/// Frames around the ends of the first two packets, whose first 312 frames are the encoder's delay.
const FRAME_COUNTS: [usize; 12] = [0, 1, 7, 647, 648, 649, 959, 960, 961, 1607, 1609, 480_000];

/// What decoders may differ by: the bound.
const DECODERS_DIFFER: f32 = 5e-4;

/// What another build of the same library may differ by: its order of summation.
const SAME_LIBRARY: f32 = 2e-5;

fn at(samples: &Samples, rate_hz: u32, quality: Option<LossyQuality>) -> EncodeSettings {
    EncodeSettings {
        spec: StreamSpec::new(rate_hz, samples.channel_count()),
        quality,
        ..settings(samples)
    }
}

fn coded(samples: &Samples, quality: Option<LossyQuality>) -> Vec<u8> {
    encode("opus", samples, at(samples, 48_000, quality), 4096).unwrap()
}

fn read(bytes: &[u8]) -> Result<(decode::StreamInfo, Vec<Vec<f32>>), DecodeError> {
    let mut decoder = decode::open(Box::new(Cursor::new(bytes.to_vec())), Some("opus"))?;
    let info = decoder.info().clone();
    let mut all = vec![Vec::new(); info.spec.channel_count()];
    let mut block = Samples::empty(info.format, info.spec.channel_count());
    while decoder.read(&mut block, 1000)? > 0 {
        let Samples::Float { planes } = &block else { panic!("floats") };
        all.iter_mut().zip(planes).for_each(|(all, plane)| all.extend(plane));
    }
    Ok((info, all))
}

fn decoded(bytes: &[u8]) -> Vec<Vec<f32>> {
    let (info, planes) = read(bytes).unwrap();
    assert_eq!((info.container, info.codec), ("ogg", "opus"));
    assert_eq!(info.spec.sample_rate.0, 48_000);
    assert_eq!(info.frame_count, Some(Frames(planes[0].len() as u64)));
    planes
}

/// As ffmpeg decodes it.
fn by_ffmpeg(bytes: &[u8], channel_count: usize) -> Option<Vec<Vec<f32>>> {
    Some(apart(&OnDisk::new(bytes, "opus").by_ffmpeg("f32le")?, channel_count))
}

/// As the reference decoder decodes it.
fn by_opusdec(bytes: &[u8], channel_count: usize) -> Option<Vec<Vec<f32>>> {
    let file = OnDisk::new(bytes, "opus");
    let output = run_tool("opusdec", &["--quiet", "--float", file.path(), "-"], &[])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(apart(&output.stdout, channel_count))
}

fn apart(raw: &[u8], channel_count: usize) -> Vec<Vec<f32>> {
    let samples = raw.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    let mut planes = vec![Vec::new(); channel_count];
    for (index, sample) in samples.enumerate() {
        planes[index % channel_count].push(sample);
    }
    planes
}

fn planes(samples: &Samples) -> &[Vec<f32>] {
    let Samples::Float { planes } = samples else { panic!("floats") };
    planes
}

fn largest_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn tone(hz: f64, amplitude: f64, frame_count: usize) -> Vec<f32> {
    let step = hz / 48_000.0 * std::f64::consts::TAU;
    (0..frame_count).map(|frame| (amplitude * (step * frame as f64).sin()) as f32).collect()
}

/// Share of a plane's energy at a frequency: 1 for a tone of it.
fn share_at(plane: &[f32], hz: f64) -> f64 {
    let step = hz / 48_000.0 * std::f64::consts::TAU;
    let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
    for (frame, sample) in plane.iter().enumerate() {
        let (sin, cos) = (step * frame as f64).sin_cos();
        re += f64::from(*sample) * cos;
        im += f64::from(*sample) * sin;
        energy += f64::from(*sample).powi(2);
    }
    (re * re + im * im) / (energy * plane.len() as f64 / 2.0).max(1e-9)
}

#[test]
fn opus_of_any_length_is_as_long_as_what_went_in_for_every_reader() {
    for channel_count in [1, 2, 3, 6, 8] {
        for frame_count in FRAME_COUNTS {
            if channel_count > 2 && frame_count > 10_000 {
                continue;
            }
            let samples = music(PcmFormat::FLOAT, channel_count, frame_count);
            let bytes = coded(&samples, None);
            let what = format!("{channel_count} channels, {frame_count} frames");
            let ours = decoded(&bytes);
            assert_eq!(ours[0].len(), frame_count, "{what}");
            assert!(coded(&samples, None) == bytes, "twice the same, {what}");
            let file = OnDisk::new(&bytes, "opus");
            if let Some(printed) = file.output_of("opusinfo", &[]) {
                assert!(!printed.to_lowercase().contains("warning"), "{what}: {printed}");
            }
            if let Some(theirs) = by_opusdec(&bytes, channel_count) {
                assert_eq!(theirs[0].len(), frame_count, "opusdec, {what}");
                // Raw samples it leaves in the stream's order of channels.
                let off = largest_difference(&ours, &theirs);
                assert!(channel_count > 2 || off < SAME_LIBRARY, "{off}, {what}");
            }
            // ffmpeg keeps the padding of a file of one page: then the first is the last one, too.
            if frame_count >= 48_000
                && let Some(theirs) = by_ffmpeg(&bytes, channel_count)
            {
                assert_eq!(theirs[0].len(), frame_count, "ffmpeg, {what}");
                assert!(largest_difference(&ours, &theirs) < DECODERS_DIFFER, "{what}");
            }
        }
    }
}

#[test]
fn opus_of_every_rate_it_takes_is_as_long_at_48_khz() {
    for rate_hz in [8_000, 12_000, 16_000, 24_000, 48_000] {
        for frame_count in [1, 1001, 50_001] {
            let samples = music(PcmFormat::FLOAT, 1, frame_count);
            let bytes = encode("opus", &samples, at(&samples, rate_hz, None), 77).unwrap();
            let scale = 48_000 / rate_hz as usize;
            assert_eq!(decoded(&bytes)[0].len(), frame_count * scale, "{rate_hz}");
            if let Some(printed) = OnDisk::new(&bytes, "opus").output_of("opusinfo", &[]) {
                assert!(printed.contains(&format!("{rate_hz} Hz")), "{printed}");
            }
        }
    }
}

#[test]
fn opus_is_in_time_and_at_level() {
    let samples = Samples::Float { planes: vec![tone(997.0, 0.25, 96_000); 2] };
    for quality in [LossyQuality::AverageKbps(256), LossyQuality::BitRateKbps(128)] {
        let found = decoded(&coded(&samples, Some(quality)));
        let inside = 24_000..72_000;
        let error = |lag: usize| -> f64 {
            let pairs = inside.clone().map(|at| (planes(&samples)[0][at], found[0][at + lag - 10]));
            pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        let best = (0..=20).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap();
        assert_eq!(best, 10, "frames off, {quality}");
        let energy: f64 = inside.clone().map(|at| f64::from(found[0][at]).powi(2)).sum();
        let level = (energy / inside.len() as f64).sqrt() / (0.25 / 2f64.sqrt());
        assert!((level - 1.0).abs() < 0.01, "{level}, {quality}");
    }
}

#[test]
fn opus_keeps_every_channel_in_its_place() {
    for channel_count in 1..=8 {
        // Low for the channel that only carries low sound; apart enough for a long look.
        let hz = |channel: usize| 40.0 + 20.0 * channel as f64;
        let planes = (0..channel_count).map(|channel| tone(hz(channel), 0.3, 48_000)).collect();
        let samples = Samples::Float { planes };
        let bytes = coded(&samples, Some(LossyQuality::AverageKbps(96 * channel_count as u16)));
        let check = |found: &[Vec<f32>], who: &str| {
            for (channel, plane) in found.iter().enumerate() {
                let share = share_at(&plane[4_800..43_200], hz(channel));
                assert!(share > 0.9, "{who}, {channel} of {channel_count}: {share}");
            }
        };
        check(&decoded(&bytes), "ours");
        // ffmpeg too hands out the order of the mask.
        if let Some(theirs) = by_ffmpeg(&bytes, channel_count) {
            check(&theirs, "ffmpeg");
        }
    }
}

#[test]
fn opus_spends_what_was_asked_for() {
    let samples = music(PcmFormat::FLOAT, 2, 480_000);
    let kbps = |quality| coded(&samples, quality).len() as f64 * 8.0 / 10_000.0;
    for asked in [24, 64, 128, 256, 512] {
        let constant = kbps(Some(LossyQuality::BitRateKbps(asked)));
        // The headers and what pages take: at most 4 kbit/s here.
        let off = constant - f64::from(asked);
        assert!((-0.5..4.0).contains(&off), "{asked}: {constant}");
    }
    let average = kbps(None);
    assert!((average / 128.0 - 1.0).abs() < 0.15, "{average}");
}

#[test]
fn opus_does_not_depend_on_blocks_or_on_knowing_the_length() {
    let samples = music(PcmFormat::FLOAT, 2, 20_000);
    let whole = coded(&samples, None);
    for block in [1, 7, 960, 20_000] {
        let again = encode("opus", &samples, at(&samples, 48_000, None), block).unwrap();
        assert!(again == whole, "{block}");
    }
    let unknown = EncodeSettings { frame_count: None, ..at(&samples, 48_000, None) };
    assert!(encode("opus", &samples, unknown, 4096).unwrap() == whole);
}

/// The start of a PNG, as far as readers look; more than a page of 64 KiB.
fn png(byte_count: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0".to_vec();
    bytes.extend(b"\x90wS\xde");
    bytes.resize(byte_count, 7);
    bytes
}

fn tagged() -> Tags {
    let text = |text: &str| Some(text.to_owned());
    Tags {
        title: text("Grüße 🎧"),
        artist: text("Ann"),
        album: text("Nights"),
        date: text("2026-11-21"),
        year: Some(2026),
        track: Some(3),
        track_total: Some(9),
        isrc: text("DEZZZ2600001"),
        lyrics: text("la\nla"),
        pictures: vec![Picture {
            kind: "front cover",
            media_type: "image/png".to_owned(),
            description: text("cover"),
            bytes: png(100_001),
        }],
        ..Tags::default()
    }
}

#[test]
fn opus_carries_tags_and_pictures_and_room_for_gains() {
    let samples = music(PcmFormat::FLOAT, 2, 96_000);
    let leveled = |loudness| Some(GainBasis { loudness: Lufs(loudness), true_peak: Dbtp(-1.0) });
    let with = |replay_gain| EncodeSettings {
        tags: Arc::new(Tags { replay_gain, ..tagged() }),
        ..at(&samples, 48_000, None)
    };
    let mut file = SharedFile::default();
    let planned = with(Some(ReplayGain::default()));
    encode_into(file.clone(), "opus", &samples, planned, 4096).unwrap();
    let before = file.contents();
    let gains = ReplayGain { track: leveled(-14.0), album: leveled(-30.5) };
    (encode::format("opus").unwrap().retag)(&mut file, &with(Some(gains))).unwrap();
    let after = file.contents();
    assert_eq!(before.len(), after.len());
    for bytes in [&before, &after] {
        let reading = tags::read(&mut Cursor::new(bytes.clone()), Some("opus")).unwrap();
        assert_eq!((reading.tags, reading.warnings), (tagged(), Vec::new()));
    }
    assert!(decoded(&before) == decoded(&after));
    let Some(printed) = OnDisk::new(&after, "opus").output_of("opusinfo", &[]) else { return };
    assert!(!printed.to_lowercase().contains("warning"), "{printed}");
    for line in ["R128_TRACK_GAIN=-2304", "R128_ALBUM_GAIN=1920", "TITLE=Grüße 🎧"] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    assert!(!printed.contains("REPLAYGAIN"), "{printed}");
}

#[test]
fn opus_that_cannot_be_is_refused_with_what_would_work() {
    let refused = |samples: &Samples, settings: EncodeSettings| {
        let error = encode("opus", samples, settings, 10).unwrap_err();
        assert!(matches!(error, EncodeError::Unsupported { .. }), "{error}");
        error.to_string()
    };
    let stereo = music(PcmFormat::FLOAT, 2, 10);
    assert_eq!(
        refused(&stereo, at(&stereo, 44_100, None)),
        "opus cannot store 44100 Hz; it stores 8000, 12000, 16000, 24000, 48000 Hz"
    );
    assert_eq!(
        refused(&stereo, at(&stereo, 48_000, Some(LossyQuality::BitRateKbps(600)))),
        "opus cannot store 600 kbit/s of 2 channels; it has 12 to 512 there"
    );
    assert_eq!(
        refused(&stereo, at(&stereo, 48_000, Some(LossyQuality::Vbr(3)))),
        "opus cannot store VBR quality 3; it has no such setting; use a bit rate"
    );
    let nine = music(PcmFormat::FLOAT, 9, 10);
    assert_eq!(
        refused(&nine, at(&nine, 48_000, None)),
        "opus cannot store 9 channels; it stores 1 to 8"
    );
    let mut strange = at(&stereo, 48_000, None);
    strange.spec.layout = ChannelLayout::from_mask(5, 2);
    assert_eq!(
        refused(&stereo, strange),
        "opus cannot store this channel layout; it stores mono, stereo and the usual layouts up to \
        7.1"
    );
}

#[test]
fn opus_of_nan_samples_fails_and_a_full_disk_is_reported() {
    let bad = Samples::Float { planes: vec![vec![0.0, f32::NAN]] };
    let error = encode("opus", &bad, at(&bad, 48_000, None), 3).unwrap_err();
    assert!(matches!(error, EncodeError::Failed { .. }), "{error}");
    let samples = music(PcmFormat::FLOAT, 2, 200_000);
    let size = coded(&samples, None).len() as u64;
    for capacity in [0, 100, size / 2, size - 1] {
        let file = SharedFile::with_capacity(capacity);
        let error = encode_into(file, "opus", &samples, at(&samples, 48_000, None), 4096);
        assert!(matches!(error, Err(EncodeError::Io(_))), "{capacity} of {size}");
    }
}

/// A WAV of something like music, for other encoders.
fn wav(channel_count: usize, frame_count: usize, rate_hz: u32) -> Vec<u8> {
    let samples = music(PcmFormat::int(16), channel_count, frame_count);
    encode("wav", &samples, at(&samples, rate_hz, None), 4096).unwrap()
}

#[test]
fn opus_of_other_encoders_is_read_as_by_opusdec_and_as_long_as_by_ffmpeg() {
    for channel_count in [1, 2, 6] {
        for options in [&["--framesize", "60"][..], &["--hard-cbr"], &["--bitrate", "12"], &[]] {
            let input = OnDisk::new(&wav(channel_count, 100_003, 48_000), "wav");
            let arguments = [&["--quiet"], options, &[input.path(), "-"]].concat();
            let Some(output) = run_tool("opusenc", &arguments, &[]) else { return };
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let ours = decoded(&output.stdout);
            // For very few bits opusenc mixes down.
            let channel_count = ours.len();
            let what = format!("{channel_count} channels, {options:?}");
            assert_eq!(ours[0].len(), 100_003, "{what}");
            let Some(theirs) = by_opusdec(&output.stdout, channel_count) else { return };
            let off = largest_difference(&ours, &theirs);
            assert!(channel_count > 2 || off < SAME_LIBRARY, "{off}, {what}");
            let Some(theirs) = by_ffmpeg(&output.stdout, channel_count) else { return };
            assert_eq!(theirs[0].len(), 100_003, "{what}");
        }
    }
}

#[test]
fn gain_of_the_header_is_applied() {
    let samples = music(PcmFormat::FLOAT, 2, 50_000);
    let bytes = coded(&samples, None);
    let mut louder = bytes.clone();
    let at = bytes.windows(8).position(|eight| eight == b"OpusHead").unwrap();
    // 6.0 dB in 1/256 dB; the page's checksum is that of libogg's arithmetic, made anew.
    louder[at + 16..at + 18].copy_from_slice(&1536i16.to_le_bytes());
    repair(&mut louder, 0);
    let (plain, gained) = (decoded(&bytes), decoded(&louder));
    let factor = 10f32.powf(6.0 / 20.0);
    let expected: Vec<Vec<f32>> =
        plain.iter().map(|plane| plane.iter().map(|sample| sample * factor).collect()).collect();
    assert!(largest_difference(&expected, &gained) < 1e-6);
    if let Some(theirs) = by_ffmpeg(&louder, 2) {
        assert!(largest_difference(&theirs, &gained) < 2.0 * DECODERS_DIFFER);
    }
}

/// Puts the right checksum into the page that begins at a byte.
fn repair(bytes: &mut [u8], start: usize) {
    let segments = usize::from(bytes[start + 26]);
    let lengths = &bytes[start + 27..start + 27 + segments];
    let body: usize = lengths.iter().map(|length| usize::from(*length)).sum();
    let page = &mut bytes[start..start + 27 + segments + body];
    page[22..26].fill(0);
    let crc = page.iter().fold(0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 }
        })
    });
    page[22..26].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn damaged_cut_and_chained_streams_are_refused() {
    let samples = music(PcmFormat::FLOAT, 2, 200_000);
    let bytes = coded(&samples, None);
    let starts: Vec<usize> =
        bytes.windows(5).enumerate().filter(|(_, w)| *w == b"OggS\0").map(|(at, _)| at).collect();
    let mut flipped = bytes.clone();
    flipped[starts[3] + 500] ^= 1;
    assert!(matches!(read(&flipped), Err(DecodeError::Damaged { .. })));
    let last = *starts.last().unwrap();
    let error = read(&bytes[..last]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "is cut short: its header states a last page, but there are none"
    );
    assert!(matches!(read(&bytes[..last + 100]), Err(DecodeError::Truncated { .. })));
    let without_one = [&bytes[..starts[3]], &bytes[starts[4]..]].concat();
    assert!(matches!(read(&without_one), Err(DecodeError::Damaged { .. })));
    let tags = Arc::new(Tags { title: Some("b".to_owned()), ..Tags::default() });
    let other = EncodeSettings { tags, ..at(&samples, 48_000, None) };
    let other = encode("opus", &samples, other, 4096).unwrap();
    let error = read(&[bytes, other].concat()).unwrap_err();
    let chained = "uses several streams one after another, which is not supported";
    assert_eq!(error.to_string(), chained);
}

#[test]
fn decoder_that_is_rewound_decodes_the_same_again() {
    let samples = music(PcmFormat::FLOAT, 2, 30_000);
    let bytes = coded(&samples, None);
    let whole = decoded(&bytes);
    let mut decoder = decode::open(Box::new(Cursor::new(bytes)), None).unwrap();
    let mut block = Samples::empty(PcmFormat::FLOAT, 2);
    for _ in 0..3 {
        decoder.rewind().unwrap();
        let count = decoder.read(&mut block, 500).unwrap();
        assert!(planes(&block)[0][..] == whole[0][..count]);
        decoder.read(&mut block, 5000).unwrap();
    }
}

#[test]
fn random_damage_is_reported_and_never_a_panic() {
    let samples = music(PcmFormat::FLOAT, 2, 60_000);
    let bytes = coded(&samples, Some(LossyQuality::AverageKbps(24)));
    let starts: Vec<usize> =
        bytes.windows(5).enumerate().filter(|(_, w)| *w == b"OggS\0").map(|(at, _)| at).collect();
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..300 {
        let mut broken = bytes.clone();
        for _ in 0..=random(4) {
            let at = random(broken.len());
            broken[at] = random(256) as u8;
        }
        // With right checksums, so that the damage reaches the codec.
        for start in starts.iter().filter(|start| **start != 0) {
            let is_page = broken[*start..].starts_with(b"OggS\0")
                && broken[*start + 26] == bytes[*start + 26]
                && broken[*start + 27..*start + 80] == bytes[*start + 27..*start + 80];
            if is_page {
                repair(&mut broken, *start);
            }
        }
        if let Ok((_, planes)) = read(&broken) {
            assert!(planes[0].len() <= 120_000);
        }
    }
}
