//! The AIFF writer against our decoder, ffmpeg, sox and libsndfile.
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
use wavemill_core::encode::{self, EncodeError, EncodeSettings};
use wavemill_core::tags::{self, Picture, Tags};
use wavemill_core::units::Frames;

const FORMATS: [PcmFormat; 4] =
    [PcmFormat::int(16), PcmFormat::int(24), PcmFormat::int(32), PcmFormat::FLOAT];

/// Frames that change whether there is anything, whether it fills a chunk evenly, and a buffer.
const FRAME_COUNTS: [usize; 6] = [0, 1, 7, 21_845, 21_846, 44_100];

fn decoded(bytes: &[u8]) -> (decode::StreamInfo, Samples) {
    let mut decoder = decode::open(Box::new(Cursor::new(bytes.to_vec())), Some("aiff")).unwrap();
    let info = decoder.info().clone();
    let mut all = Samples::empty(info.format, info.spec.channel_count());
    let mut block = all.clone();
    while decoder.read(&mut block, 4096).unwrap() > 0 {
        match (&mut all, &block) {
            (Samples::Int { planes: all, .. }, Samples::Int { planes, .. }) => {
                all.iter_mut().zip(planes).for_each(|(all, plane)| all.extend(plane));
            }
            (Samples::Float { planes: all }, Samples::Float { planes }) => {
                all.iter_mut().zip(planes).for_each(|(all, plane)| all.extend(plane));
            }
            _ => panic!("another format"),
        }
    }
    assert_eq!(info.frame_count, Some(Frames(all.frame_count() as u64)));
    (info, all)
}

/// Interleaved little-endian, integers at the top of 32 bits.
fn raw(samples: &Samples) -> Vec<u8> {
    let frames = 0..samples.frame_count();
    match samples {
        Samples::Int { bit_depth, planes } => {
            let in_frame = |frame: usize| planes.iter().map(move |plane| plane[frame]);
            let top = frames.flat_map(in_frame).map(|sample| sample << (32 - bit_depth));
            top.flat_map(i32::to_le_bytes).collect()
        }
        Samples::Float { planes } => {
            let in_frame = |frame: usize| planes.iter().map(move |plane| plane[frame]);
            frames.flat_map(in_frame).flat_map(f32::to_le_bytes).collect()
        }
    }
}

#[test]
fn aiff_of_every_format_and_length_reads_back_equal() {
    for format in FORMATS {
        for channel_count in [1, 2, 6] {
            for frame_count in FRAME_COUNTS {
                let samples = music(format, channel_count, frame_count);
                let bytes = encode("aiff", &samples, settings(&samples), 4096).unwrap();
                assert_eq!(bytes.len() % 2, 0);
                let (info, found) = decoded(&bytes);
                assert_eq!(info.spec, StreamSpec::new(44_100, channel_count));
                assert!(found == samples, "{format}, {channel_count}, {frame_count} frames");
            }
        }
    }
}

#[test]
fn aiff_is_read_bit_for_bit_by_ffmpeg_and_sox() {
    for format in FORMATS {
        for (channel_count, frame_count) in [(1, 0), (1, 1), (1, 10_001), (2, 441_000), (6, 999)] {
            let samples = music(format, channel_count, frame_count);
            let bytes = encode("aiff", &samples, settings(&samples), 4096).unwrap();
            let file = OnDisk::new(&bytes, "aiff");
            let is_float = format == PcmFormat::FLOAT;
            let what = format!("{format}, {channel_count} channels, {frame_count} frames");
            // Of a file without a sample ffmpeg says that it wrote none, and sox that its chunk is missing.
            if frame_count == 0 {
                continue;
            }
            if let Some(found) = file.by_ffmpeg(if is_float { "f32le" } else { "s32le" }) {
                assert!(found == raw(&samples), "ffmpeg, {what}");
            }
            // sox works with integers: it would cut floats at full scale, and say so.
            if !is_float && let Some(found) = file.by_sox(&["-e", "signed", "-b", "32"]) {
                assert!(found == raw(&samples), "sox, {what}");
            }
            if is_float && let Some(printed) = file.output_of("soxi", &["-s"]) {
                assert_eq!(printed.trim(), frame_count.to_string(), "sox, {what}");
            }
        }
    }
}

#[test]
fn aiff_is_whole_for_libsndfile() {
    for (format, name) in [(PcmFormat::int(24), "AIFF"), (PcmFormat::FLOAT, "AIFC")] {
        let samples = music(format, 2, 10_001);
        let bytes = encode("aiff", &samples, settings(&samples), 4096).unwrap();
        let Some(printed) = OnDisk::new(&bytes, "aiff").output_of("sndfile-info", &[]) else {
            return;
        };
        assert!(printed.contains("Frames      : 10001"), "{printed}");
        assert!(printed.contains(name), "{printed}");
        assert!(
            !printed.contains("***") && !printed.to_lowercase().contains("should be"),
            "{printed}"
        );
    }
}

#[test]
fn aiff_of_odd_rates_states_them_exactly() {
    let samples = music(PcmFormat::int(16), 1, 100);
    for rate_hz in [1_000, 11_025, 44_101, 48_000, 192_000, 655_350] {
        let spec = StreamSpec::new(rate_hz, 1);
        let bytes = encode("aiff", &samples, EncodeSettings { spec, ..settings(&samples) }, 10);
        let bytes = bytes.unwrap();
        assert_eq!(decoded(&bytes).0.spec.sample_rate.0, rate_hz);
        let Some(printed) = OnDisk::new(&bytes, "aiff").by_ffprobe() else { return };
        assert!(printed.contains(&format!("sample_rate={rate_hz}\n")), "{printed}");
    }
}

#[test]
fn aiff_states_its_layout_beyond_stereo() {
    for (layout, name) in [
        (ChannelLayout::usual(6), "5.1"),
        (ChannelLayout::from_mask(0x60f, 6), "5.1(side)"),
        (ChannelLayout::usual(8), "7.1"),
        (ChannelLayout::from_mask(0x33, 4), "quad"),
        (ChannelLayout::from_mask(5, 2), "2 channels (FL+FC)"),
    ] {
        let samples = music(PcmFormat::int(16), layout.channel_count(), 100);
        let mut settings = settings(&samples);
        settings.spec.layout = layout.clone();
        let bytes = encode("aiff", &samples, settings, 10).unwrap();
        assert_eq!(decoded(&bytes).0.spec.layout, layout);
        let Some(printed) = OnDisk::new(&bytes, "aiff").by_ffprobe() else { return };
        assert!(
            printed.contains(&format!("channel_layout={name}\n")) || name.contains('+'),
            "{printed}"
        );
    }
}

#[test]
fn aiff_does_not_depend_on_blocks_or_on_knowing_the_length() {
    let samples = music(PcmFormat::int(24), 3, 20_000);
    let whole = encode("aiff", &samples, settings(&samples), 20_000).unwrap();
    for block in [1, 7, 4096] {
        assert!(encode("aiff", &samples, settings(&samples), block).unwrap() == whole);
    }
    let unknown = EncodeSettings { frame_count: None, ..settings(&samples) };
    assert!(encode("aiff", &samples, unknown, 4096).unwrap() == whole);
}

#[test]
fn aiff_carries_tags_and_pictures_as_others_read_them() {
    let samples = music(PcmFormat::int(16), 2, 1000);
    let text = |text: &str| Some(text.to_owned());
    let written = Tags {
        title: text("Grüße 🎧"),
        artist: text("Ann"),
        album: text("Nights"),
        track: Some(3),
        track_total: Some(9),
        isrc: text("DEZZZ2600001"),
        pictures: vec![Picture {
            kind: "front cover",
            media_type: "image/png".to_owned(),
            description: text("cover"),
            bytes: vec![7; 1001],
        }],
        ..Tags::default()
    };
    let tagged = EncodeSettings { tags: Arc::new(written.clone()), ..settings(&samples) };
    let bytes = encode("aiff", &samples, tagged, 100).unwrap();
    let reading = tags::read(&mut Cursor::new(bytes.clone()), Some("aiff")).unwrap();
    assert_eq!(reading.warnings, [""; 0]);
    assert_eq!(reading.tags, written);
    assert!(decoded(&bytes).1 == samples);
    // The picture is none that ffprobe could look into: what it says of that is not about the file.
    let plain = Tags { pictures: Vec::new(), ..written };
    let plain = EncodeSettings { tags: Arc::new(plain), ..settings(&samples) };
    let bytes = encode("aiff", &samples, plain, 100).unwrap();
    let Some(printed) = OnDisk::new(&bytes, "aiff").by_ffprobe() else { return };
    for line in ["TAG:title=Grüße 🎧\n", "TAG:artist=Ann\n", "TAG:track=3/9\n"] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}

#[test]
fn aiff_beyond_4_gb_is_refused_before_anything_is_written() {
    let samples = music(PcmFormat::int(24), 2, 1);
    let announced =
        |frames| EncodeSettings { frame_count: Some(Frames(frames)), ..settings(&samples) };
    let file = SharedFile::default();
    let error = encode_into(file.clone(), "aiff", &samples, announced(715_827_883), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "aiff cannot store 4294967298 bytes of samples; it stores up to 4294966272; wav stores more"
    );
    assert_eq!(file.contents(), [0; 0]);
    // A picture takes the room that the samples would have had.
    let picture = Picture {
        kind: "front cover",
        media_type: "image/png".to_owned(),
        description: None,
        bytes: vec![7; 5000],
    };
    let tags = Arc::new(Tags { pictures: vec![picture], ..Tags::default() });
    let settings = EncodeSettings { tags, ..announced(715_827_700) };
    let error = encode_into(file.clone(), "aiff", &samples, settings, 1).unwrap_err();
    assert_eq!(error.to_string(), "aiff cannot store more than 4 GB; wav stores more");
    assert_eq!(file.contents(), [0; 0]);
}

/// A file that is only as long as what was written to it: what comes is counted, not kept.
#[derive(Clone, Copy, Debug, Default)]
struct Counted(u64);

impl std::io::Read for Counted {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }
}

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Counted {
    fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
        Ok(self.0)
    }
}

#[test]
fn aiff_of_unknown_length_ends_where_its_sizes_do() {
    // 24 channels of 32 bits reach 4 GB soonest.
    let block = Samples::Int { bit_depth: 32, planes: vec![vec![1; 1 << 18]; 24] };
    let unknown = EncodeSettings { frame_count: None, ..settings(&block) };
    let create = encode::format("aiff").unwrap().create;
    let mut encoder = create(Box::<Counted>::default(), unknown).unwrap();
    let error = (0u64..).find_map(|index| encoder.write(&block).err().map(|error| (index, error)));
    let (blocks, error) = error.unwrap();
    assert_eq!(blocks, (1u64 << 32) / (24 << 20));
    assert!(matches!(error, EncodeError::Unsupported { .. }), "{error}");
    assert_eq!(error.to_string(), "aiff cannot store more than 4 GB; wav stores more");
}

#[test]
fn aiff_on_a_full_disk_is_an_io_error() {
    let samples = music(PcmFormat::int(16), 2, 100_000);
    for capacity in [10, 200_000] {
        let file = SharedFile::with_capacity(capacity);
        let error = encode_into(file, "aiff", &samples, settings(&samples), 4096).unwrap_err();
        assert!(matches!(&error, EncodeError::Io(_)), "{error}");
    }
}
