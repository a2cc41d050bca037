//! The Ogg Vorbis writer against our decoder, ffmpeg and vorbis-tools.
#![cfg(feature = "vorbis")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::readers::OnDisk;
use common::{SharedFile, encode, encode_into, music, settings};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{ChannelLayout, PcmFormat, Samples, StreamSpec};
use wavemill_core::decode;
use wavemill_core::encode::{self, EncodeError, EncodeSettings, LossyQuality};
use wavemill_core::tags::{self, GainBasis, Picture, ReplayGain, Tags};
use wavemill_core::units::{Dbtp, Frames, Lufs};

/// Frames around the halves of short and long blocks.
const FRAME_COUNTS: [usize; 15] =
    [0, 1, 7, 127, 128, 129, 511, 512, 513, 1023, 1024, 1025, 2047, 2049, 441_000];

/// What decoders may differ by: the bound.
const DECODERS_DIFFER: f32 = 1e-5;

fn at(samples: &Samples, rate_hz: u32, quality: Option<LossyQuality>) -> EncodeSettings {
    EncodeSettings {
        spec: StreamSpec::new(rate_hz, samples.channel_count()),
        quality,
        ..settings(samples)
    }
}

fn coded(samples: &Samples, quality: Option<LossyQuality>) -> Vec<u8> {
    encode("vorbis", samples, at(samples, 44_100, quality), 4096).unwrap()
}

fn decoded(bytes: &[u8]) -> Vec<Vec<f32>> {
    let mut decoder = decode::open(Box::new(Cursor::new(bytes.to_vec())), Some("ogg")).unwrap();
    let info = decoder.info().clone();
    assert_eq!((info.container, info.codec), ("ogg", "vorbis"));
    let mut all = vec![Vec::new(); info.spec.channel_count()];
    let mut block = Samples::empty(info.format, info.spec.channel_count());
    while decoder.read(&mut block, 1000).unwrap() > 0 {
        let Samples::Float { planes } = &block else { panic!("floats") };
        all.iter_mut().zip(planes).for_each(|(all, plane)| all.extend(plane));
    }
    assert_eq!(info.frame_count, Some(Frames(all[0].len() as u64)));
    all
}

fn by_ffmpeg(bytes: &[u8], channel_count: usize) -> Option<Vec<Vec<f32>>> {
    let raw = OnDisk::new(bytes, "ogg").by_ffmpeg("f32le")?;
    let samples = raw.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    let mut planes = vec![Vec::new(); channel_count];
    for (index, sample) in samples.enumerate() {
        planes[index % channel_count].push(sample);
    }
    Some(planes)
}

/// Frames that the reference decoder makes.
fn by_oggdec(bytes: &[u8], channel_count: usize) -> Option<usize> {
    let file = OnDisk::new(bytes, "ogg");
    let output = common::run_tool("oggdec", &["-Q", "-R", "-o", "-", file.path()], &[])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout.len() / (2 * channel_count))
}

fn largest_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn tone(hz: f64, frame_count: usize) -> Vec<f32> {
    let step = hz / 44_100.0 * std::f64::consts::TAU;
    (0..frame_count).map(|frame| (0.3 * (step * frame as f64).sin()) as f32).collect()
}

/// Share of a plane's energy at a frequency: 1 for a tone of it.
fn share_at(plane: &[f32], hz: f64) -> f64 {
    let step = hz / 44_100.0 * std::f64::consts::TAU;
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
fn vorbis_of_any_length_is_as_long_as_what_went_in_for_every_reader() {
    for channel_count in [1, 2, 6] {
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
            // Of a stream without a frame ogginfo says that only buggy encoders write it.
            if frame_count > 0
                && let Some(printed) = OnDisk::new(&bytes, "ogg").output_of("ogginfo", &[])
            {
                assert!(!printed.to_lowercase().contains("warning"), "{what}: {printed}");
            }
            if let Some(found) = by_oggdec(&bytes, channel_count) {
                assert_eq!(found, frame_count, "oggdec, {what}");
            }
            // ffmpeg keeps the padding of a file of one page: then the first is the last one, too.
            if frame_count > 10_000
                && let Some(theirs) = by_ffmpeg(&bytes, channel_count)
            {
                assert_eq!(theirs[0].len(), frame_count, "ffmpeg, {what}");
                let off = largest_difference(&ours, &theirs);
                assert!(off < DECODERS_DIFFER, "{off}, {what}");
            }
        }
    }
}

#[test]
fn vorbis_of_every_rate_is_as_long_as_what_went_in() {
    for rate_hz in [8_000, 11_025, 22_050, 32_000, 48_000, 96_000, 192_000] {
        let samples = music(PcmFormat::FLOAT, 2, 30_001);
        let bytes = encode("vorbis", &samples, at(&samples, rate_hz, None), 777).unwrap();
        assert_eq!(decoded(&bytes)[0].len(), 30_001, "{rate_hz}");
    }
}

#[test]
fn vorbis_keeps_every_channel_in_its_place() {
    for channel_count in 1..=8 {
        let hz = |channel: usize| 60.0 + 20.0 * channel as f64;
        let planes = (0..channel_count).map(|channel| tone(hz(channel), 44_100)).collect();
        let bytes = coded(&Samples::Float { planes }, Some(LossyQuality::Vbr(9)));
        let check = |found: &[Vec<f32>], who: &str| {
            for (channel, plane) in found.iter().enumerate() {
                let share = share_at(&plane[4_410..39_690], hz(channel));
                assert!(share > 0.9, "{who}, {channel} of {channel_count}: {share}");
            }
        };
        check(&decoded(&bytes), "ours");
        if let Some(theirs) = by_ffmpeg(&bytes, channel_count) {
            check(&theirs, "ffmpeg");
        }
    }
}

#[test]
fn vorbis_spends_what_was_asked_for() {
    let samples = music(PcmFormat::FLOAT, 2, 441_000);
    let size = |quality| coded(&samples, quality).len();
    let sizes = [0, 5, 10].map(|quality| size(Some(LossyQuality::Vbr(quality))));
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
    assert_eq!(size(None), sizes[1], "the default");
    let rates = [80, 160, 320].map(|kbps| size(Some(LossyQuality::AverageKbps(kbps))));
    assert!(rates[0] < rates[1] && rates[1] < rates[2], "{rates:?}");
    // The nominal bit rate is what typical music takes: the header states it.
    let bytes = coded(&samples, Some(LossyQuality::AverageKbps(160)));
    let Some(printed) = OnDisk::new(&bytes, "ogg").output_of("ogginfo", &[]) else { return };
    assert!(printed.contains("Nominal bitrate: 160"), "{printed}");
}

#[test]
fn vorbis_does_not_depend_on_blocks_or_on_knowing_the_length() {
    let samples = music(PcmFormat::FLOAT, 2, 20_000);
    let whole = coded(&samples, None);
    for block in [7, 1024, 20_000] {
        let again = encode("vorbis", &samples, at(&samples, 44_100, None), block).unwrap();
        assert!(again == whole, "{block}");
    }
    let unknown = EncodeSettings { frame_count: None, ..at(&samples, 44_100, None) };
    assert!(encode("vorbis", &samples, unknown, 4096).unwrap() == whole);
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
fn vorbis_carries_tags_pictures_and_gains_known_later() {
    let samples = music(PcmFormat::FLOAT, 2, 44_100);
    let leveled =
        |loudness, peak| Some(GainBasis { loudness: Lufs(loudness), true_peak: Dbtp(peak) });
    let with = |replay_gain| EncodeSettings {
        tags: Arc::new(Tags { replay_gain, ..tagged() }),
        ..at(&samples, 44_100, None)
    };
    let mut file = SharedFile::default();
    let planned = with(Some(ReplayGain::default()));
    encode_into(file.clone(), "vorbis", &samples, planned, 4096).unwrap();
    let before = file.contents();
    let gains = ReplayGain { track: leveled(-10.97, -6.0206), album: leveled(-20.5, 1.0) };
    (encode::format("vorbis").unwrap().retag)(&mut file, &with(Some(gains))).unwrap();
    let after = file.contents();
    assert_eq!(before.len(), after.len());
    for bytes in [&before, &after] {
        let reading = tags::read(&mut Cursor::new(bytes.clone()), Some("ogg")).unwrap();
        assert_eq!((reading.tags, reading.warnings), (tagged(), Vec::new()));
    }
    assert!(decoded(&before) == decoded(&after));
    let Some(printed) = OnDisk::new(&after, "ogg").output_of("ogginfo", &[]) else { return };
    assert!(!printed.to_lowercase().contains("warning"), "{printed}");
    for line in ["REPLAYGAIN_TRACK_GAIN=-7.03 dB", "REPLAYGAIN_ALBUM_PEAK=1.122018"] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    let Some(printed) =
        OnDisk::new(&after, "ogg").output_of("ffprobe", &["-v", "warning", "-show_streams"])
    else {
        return;
    };
    assert!(
        printed.contains("TAG:TITLE=Grüße 🎧") || printed.contains("TAG:title=Grüße 🎧"),
        "{printed}"
    );
}

#[test]
fn vorbis_that_cannot_be_is_refused_with_what_would_work() {
    let refused = |samples: &Samples, settings: EncodeSettings| {
        let error = encode("vorbis", samples, settings, 10).unwrap_err();
        assert!(matches!(error, EncodeError::Unsupported { .. }), "{error}");
        error.to_string()
    };
    let stereo = music(PcmFormat::FLOAT, 2, 10);
    assert_eq!(
        refused(&stereo, at(&stereo, 4_000, None)),
        "vorbis cannot store 4000 Hz; it stores 8000 to 192000 Hz"
    );
    assert_eq!(
        refused(&stereo, at(&stereo, 44_100, Some(LossyQuality::BitRateKbps(160)))),
        "vorbis cannot store 160 kbit/s; its bit rates are averages; use those or `vbr_quality`"
    );
    assert_eq!(
        refused(&stereo, at(&stereo, 44_100, Some(LossyQuality::Vbr(11)))),
        "vorbis cannot store VBR quality 11; it has 10 (best) to 0"
    );
    let mut strange = at(&stereo, 44_100, None);
    strange.spec.layout = ChannelLayout::from_mask(5, 2);
    assert!(refused(&stereo, strange).contains("this channel layout"));
}

#[test]
fn vorbis_of_nan_samples_fails_and_a_full_disk_is_reported() {
    let bad = Samples::Float { planes: vec![vec![0.0, f32::NAN]] };
    let error = encode("vorbis", &bad, settings(&bad), 3).unwrap_err();
    assert!(matches!(error, EncodeError::Failed { .. }), "{error}");
    let samples = music(PcmFormat::FLOAT, 2, 200_000);
    let size = coded(&samples, None).len() as u64;
    for capacity in [0, 100, size / 2, size - 1] {
        let file = SharedFile::with_capacity(capacity);
        let error = encode_into(file, "vorbis", &samples, settings(&samples), 4096);
        assert!(matches!(error, Err(EncodeError::Io(_))), "{capacity} of {size}");
    }
}
