//! The WAV writer against `hound`, and its header byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{SharedFile, encode, encode_into, music, settings};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{ChannelLayout, PcmFormat, Samples};
use wavemill_core::encode::EncodeError;
use wavemill_core::tags::{Broadcast, Tags};
use wavemill_core::units::Frames;

/// What hound reads back.
fn read_with_hound(bytes: Vec<u8>) -> Samples {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).unwrap();
    let spec = reader.spec();
    let channel_count = usize::from(spec.channels);
    let format = match spec.sample_format {
        hound::SampleFormat::Int => PcmFormat::int(spec.bits_per_sample),
        hound::SampleFormat::Float => PcmFormat::FLOAT,
    };
    let mut samples = Samples::empty(format, channel_count);
    match &mut samples {
        Samples::Int { planes, .. } => {
            for (index, sample) in reader.samples::<i32>().enumerate() {
                planes[index % channel_count].push(sample.unwrap());
            }
        }
        Samples::Float { planes } => {
            for (index, sample) in reader.samples::<f32>().enumerate() {
                planes[index % channel_count].push(sample.unwrap());
            }
        }
    }
    samples
}

#[test]
fn wav_of_every_format_reads_back_equal() {
    for format in [PcmFormat::int(16), PcmFormat::int(24), PcmFormat::int(32), PcmFormat::FLOAT] {
        for channel_count in [1, 2, 6] {
            let samples = music(format, channel_count, 100_001);
            let bytes = encode("wav", &samples, settings(&samples), 4096).unwrap();
            assert!(read_with_hound(bytes) == samples, "{format}, {channel_count} channels");
        }
    }
}

#[test]
fn wav_does_not_depend_on_blocks() {
    let samples = music(PcmFormat::int(24), 3, 20_000);
    let whole = encode("wav", &samples, settings(&samples), 20_000).unwrap();
    for block in [1, 7, 4096] {
        assert!(encode("wav", &samples, settings(&samples), block).unwrap() == whole);
    }
}

#[test]
fn wav_16_bit_stereo_of_known_length_has_the_classic_44_byte_header() {
    let samples = Samples::Int { bit_depth: 16, planes: vec![vec![1, 2], vec![-1, -2]] };
    let bytes = encode("wav", &samples, settings(&samples), 1).unwrap();
    let mut expected = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
    expected.extend(44_100u32.to_le_bytes());
    expected.extend(176_400u32.to_le_bytes());
    expected.extend(b"\x04\0\x10\0data\x08\0\0\0\x01\0\xff\xff\x02\0\xfe\xff");
    assert_eq!(bytes, expected);
}

#[test]
fn wav_of_unknown_length_keeps_room_for_64_bit_sizes() {
    let samples = music(PcmFormat::int(16), 2, 10);
    let mut unknown = settings(&samples);
    unknown.frame_count = None;
    let bytes = encode("wav", &samples, unknown, 4).unwrap();
    assert_eq!(&bytes[..4], b"RIFF");
    assert_eq!(&bytes[12..20], b"JUNK\x1c\0\0\0");
    assert!(read_with_hound(bytes) == samples);
}

#[test]
fn wav_with_more_frames_than_announced_only_matters_beyond_4_gb() {
    let samples = music(PcmFormat::int(16), 2, 10);
    let mut short = settings(&samples);
    short.frame_count = Some(Frames(3));
    let bytes = encode("wav", &samples, short, 4).unwrap();
    assert!(read_with_hound(bytes) == samples);
}

#[test]
fn wav_24_bit_mono_with_odd_bytes_is_padded() {
    let samples = Samples::Int { bit_depth: 24, planes: vec![vec![5]] };
    let bytes = encode("wav", &samples, settings(&samples), 1).unwrap();
    assert_eq!(bytes.len() % 2, 0);
    assert_eq!(&bytes[bytes.len() - 8..], [3, 0, 0, 0, 5, 0, 0, 0]);
    assert_eq!(&bytes[4..8], u32::try_from(bytes.len() - 8).unwrap().to_le_bytes());
}

#[test]
fn wav_extensible_carries_the_channel_mask() {
    let samples = music(PcmFormat::int(16), 4, 3);
    let mut quad = settings(&samples);
    quad.spec.layout = ChannelLayout::from_mask(0x603, 4);
    let bytes = encode("wav", &samples, quad, 3).unwrap();
    assert_eq!(&bytes[20..22], [0xfe, 0xff]);
    assert_eq!(&bytes[40..44], 0x603u32.to_le_bytes());
}

#[test]
fn wav_tags_are_chunks_before_the_samples() {
    let samples = music(PcmFormat::int(16), 1, 3);
    let mut tagged = settings(&samples);
    tagged.tags = Arc::new(Tags {
        title: Some("Grüße 🎧".to_owned()),
        track: Some(3),
        track_total: Some(9),
        broadcast: Some(Broadcast {
            description: Some("x".repeat(300)),
            time_reference: Some(0x1_0000_0002),
            ..Broadcast::default()
        }),
        ..Tags::default()
    });
    let bytes = encode("wav", &samples, tagged, 3).unwrap();
    let find = |needle: &[u8]| bytes.windows(needle.len()).position(|w| w == needle);
    let bext = find(b"bext").unwrap();
    let history = b"A=PCM,F=44100,W=16,M=mono,T=Wavemill\r\n";
    let size = u32::try_from(602 + history.len()).unwrap();
    assert_eq!(&bytes[bext + 4..bext + 8], size.to_le_bytes());
    assert_eq!(&bytes[bext + 8 + 602..][..history.len()], history);
    assert_eq!(&bytes[bext + 8 + 255..bext + 8 + 257], b"x\0");
    assert_eq!(&bytes[bext + 8 + 338..bext + 8 + 348], [2, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
    assert!(find("INAM\x0d\0\0\0Grüße 🎧\0\0".as_bytes()).is_some());
    assert!(find(b"ITRK\x04\0\0\x003/9\0").is_some());
    assert!(find(b"INAM").unwrap() < find(b"data").unwrap());
    assert!(read_with_hound(bytes) == samples);
}

#[test]
fn wav_tags_read_back_with_lofty() {
    use lofty::file::TaggedFileExt;
    use lofty::tag::{Accessor, ItemKey, TagType};
    let samples = music(PcmFormat::int(16), 1, 3);
    let mut tagged = settings(&samples);
    tagged.tags = Arc::new(Tags {
        title: Some("Grüße 🎧".to_owned()),
        genre: Some("Speech".to_owned()),
        isrc: Some("DEZZZ2600001".to_owned()),
        bpm: Some(120.0),
        pictures: vec![wavemill_core::tags::Picture {
            kind: "front cover",
            media_type: "image/png".to_owned(),
            description: Some("cover".to_owned()),
            bytes: vec![1, 2, 3],
        }],
        ..Tags::default()
    });
    let bytes = encode("wav", &samples, tagged, 3).unwrap();
    let file = lofty::probe::Probe::new(Cursor::new(bytes)).guess_file_type().unwrap().read();
    let file = file.unwrap();
    let info = file.tag(TagType::RiffInfo).unwrap();
    assert_eq!(info.title().as_deref(), Some("Grüße 🎧"));
    let id3 = file.tag(TagType::Id3v2).unwrap();
    assert_eq!(id3.title().as_deref(), Some("Grüße 🎧"));
    assert_eq!(id3.genre().as_deref(), Some("Speech"));
    assert_eq!(id3.get_string(ItemKey::Isrc), Some("DEZZZ2600001"));
    assert_eq!(id3.pictures()[0].data(), [1, 2, 3]);
}

/// A file of which only the start is kept; the rest is counted.
#[derive(Clone, Debug, Default)]
struct Start(Arc<parking_lot::Mutex<(Vec<u8>, u64)>>);

impl std::io::Read for Start {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }
}

impl std::io::Write for Start {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let (start, position) = &mut *self.0.lock();
        let kept = 4096usize.saturating_sub(usize::try_from(*position).unwrap()).min(bytes.len());
        let at = usize::try_from(*position).unwrap();
        if kept > 0 {
            start.resize(start.len().max(at + kept), 0);
            start[at..at + kept].copy_from_slice(&bytes[..kept]);
        }
        *position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Start {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        if let std::io::SeekFrom::Start(position) = to {
            self.0.lock().1 = position;
        }
        Ok(self.0.lock().1)
    }
}

#[test]
fn wav_that_grows_beyond_4_gb_has_become_rf64() {
    let block = Samples::Int { bit_depth: 32, planes: vec![vec![1; 1 << 18]; 24] };
    let unknown = wavemill_core::encode::EncodeSettings { frame_count: None, ..settings(&block) };
    let file = Start::default();
    let create = wavemill_core::encode::format("wav").unwrap().create;
    let mut encoder = create(Box::new(file.clone()), unknown).unwrap();
    let block_count = (1u64 << 32) / (24 << 20) + 1;
    for _ in 0..block_count {
        encoder.write(&block).unwrap();
    }
    encoder.finish().unwrap();
    let start = file.0.lock().0.clone();
    assert_eq!(&start[..20], b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0");
    let size = |at: usize| u64::from_le_bytes(start[at..at + 8].try_into().unwrap());
    assert_eq!(size(28), block_count * (24 << 20));
    assert_eq!(size(36), block_count << 18);
    let data = start.windows(4).position(|four| four == b"data").unwrap();
    assert_eq!(start[data + 4..data + 8], [0xff; 4]);
    assert_eq!(size(20), data as u64 + block_count * (24 << 20));
}

#[test]
fn wav_carries_cue_points_with_labels() {
    use wavemill_core::tags::{self, Cue, Place};
    let samples = music(PcmFormat::int(16), 1, 300);
    let cues = vec![
        Cue::point(Place::Frame(0), None),
        Cue::point(Place::Frame(100), Some("Grüße".to_owned())),
        Cue::point(Place::Frame(299), Some("end".to_owned())),
    ];
    let written = Tags { cues, title: Some("x".to_owned()), ..Tags::default() };
    let mut tagged = settings(&samples);
    tagged.tags = Arc::new(written.clone());
    let bytes = encode("wav", &samples, tagged, 300).unwrap();
    let reading = tags::read(&mut Cursor::new(bytes.clone()), Some("wav")).unwrap();
    assert_eq!((reading.tags, reading.warnings), (written, Vec::new()));
    let file = common::readers::OnDisk::new(&bytes, "wav");
    if let Some(printed) = file.output_of("sndfile-info", &[]) {
        assert!(printed.contains("cue  : 76") && printed.contains("Count : 3"), "{printed}");
    }
    assert!(read_with_hound(bytes) == samples);
}

#[test]
fn wav_without_frames_is_a_header() {
    let samples = Samples::empty(PcmFormat::int(16), 2);
    let bytes = encode("wav", &samples, settings(&samples), 1).unwrap();
    assert_eq!(bytes.len(), 44);
    assert!(read_with_hound(bytes) == samples);
}

#[test]
fn wav_on_a_full_disk_is_an_io_error() {
    let samples = music(PcmFormat::int(16), 2, 100_000);
    let file = SharedFile::with_capacity(200_000);
    let error = encode_into(file, "wav", &samples, settings(&samples), 4096).unwrap_err();
    assert!(
        matches!(&error, EncodeError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull),
        "{error}"
    );
}

#[test]
fn wav_of_samples_in_another_format_than_announced_is_refused() {
    let samples = music(PcmFormat::int(16), 2, 10);
    let mut wrong = settings(&samples);
    wrong.format = PcmFormat::int(24);
    let error = encode("wav", &samples, wrong, 4).unwrap_err();
    assert!(matches!(error, EncodeError::Failed { .. }), "{error}");
}

#[test]
fn wav_with_a_compression_level_is_refused() {
    let samples = music(PcmFormat::int(16), 2, 10);
    let mut wrong = settings(&samples);
    wrong.compression_level = Some(5);
    let error = encode("wav", &samples, wrong, 4).unwrap_err();
    assert_eq!(error.to_string(), "wav cannot store a compression level; remove the key");
}
