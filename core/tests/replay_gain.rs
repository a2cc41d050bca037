//! `ReplayGain` tags that are written after the samples, read by others.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{SharedFile, encode_into, music, settings};
use lofty::config::ParseOptions;
use lofty::file::{FileType, TaggedFileExt};
use lofty::probe::Probe;
use lofty::tag::ItemKey;
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, SampleFormat, Samples};
use wavemill_core::decode;
use wavemill_core::encode::{self, EncodeSettings};
use wavemill_core::tags::{GainBasis, Picture, ReplayGain, Tags};
use wavemill_core::units::{Dbtp, Frames, Lufs};

/// Every format with a way its samples come, and what lofty calls it.
fn formats() -> Vec<(&'static str, PcmFormat, FileType)> {
    [
        ("flac", PcmFormat::int(16), FileType::Flac),
        ("aiff", PcmFormat::int(16), FileType::Aiff),
        ("aiff", PcmFormat::FLOAT, FileType::Aiff),
        ("wav", PcmFormat::int(16), FileType::Wav),
        ("wav", PcmFormat::FLOAT, FileType::Wav),
        ("mp3", PcmFormat::FLOAT, FileType::Mpeg),
    ]
    .into_iter()
    .filter(|(name, ..)| encode::format(name).is_some())
    .collect()
}

fn gain_of(track: (f64, f64), album: (f64, f64)) -> ReplayGain {
    let leveled = |(loudness, peak)| GainBasis { loudness: Lufs(loudness), true_peak: Dbtp(peak) };
    ReplayGain { track: Some(leveled(track)), album: Some(leveled(album)) }
}

fn picture() -> Picture {
    Picture {
        kind: "front cover",
        media_type: "image/png".to_owned(),
        description: None,
        bytes: vec![7; 5000],
    }
}

fn tags(replay_gain: ReplayGain) -> Arc<Tags> {
    Arc::new(Tags {
        title: Some("Song".to_owned()),
        pictures: vec![picture()],
        replay_gain: Some(replay_gain),
        ..Tags::default()
    })
}

/// A file, before and after it gets its values.
fn written(
    name: &str,
    samples: &Samples,
    frame_count: Option<Frames>,
    gain: ReplayGain,
) -> (Vec<u8>, Vec<u8>) {
    let planned = ReplayGain { track: None, ..gain };
    let settings = EncodeSettings { tags: tags(planned), frame_count, ..settings(samples) };
    let mut file = SharedFile::default();
    encode_into(file.clone(), name, samples, settings.clone(), 1000).unwrap();
    let before = file.contents();
    let settings = EncodeSettings { tags: tags(gain), ..settings };
    (encode::format(name).unwrap().retag)(&mut file, &settings).unwrap();
    (before, file.contents())
}

fn silence(format: PcmFormat) -> Samples {
    match format.sample_format {
        SampleFormat::Int => {
            Samples::Int { bit_depth: format.bit_depth, planes: vec![vec![0; 5_000]; 2] }
        }
        SampleFormat::Float => Samples::Float { planes: vec![vec![0.0; 5_000]; 2] },
    }
}

/// What lofty reads of a file.
fn read(bytes: &[u8], kind: FileType) -> (Option<String>, [Option<String>; 4], usize) {
    let options = ParseOptions::new().read_properties(false);
    let file = Probe::with_file_type(Cursor::new(bytes), kind).options(options).read().unwrap();
    let text = |key| file.tags().iter().find_map(|tag| tag.get_string(key).map(str::to_owned));
    let gains = [
        ItemKey::ReplayGainTrackGain,
        ItemKey::ReplayGainTrackPeak,
        ItemKey::ReplayGainAlbumGain,
        ItemKey::ReplayGainAlbumPeak,
    ];
    let pictures = file.tags().iter().map(|tag| tag.pictures().len()).max().unwrap_or_default();
    (text(ItemKey::TrackTitle), gains.map(text), pictures)
}

/// All samples of a file, as bits.
fn samples_of(bytes: &[u8], name: &str) -> Vec<Vec<u32>> {
    let mut decoder = decode::open(Box::new(Cursor::new(bytes.to_vec())), Some(name)).unwrap();
    let info = decoder.info().clone();
    let mut all = vec![Vec::new(); info.spec.channel_count()];
    let mut block = Samples::empty(info.format, info.spec.channel_count());
    while decoder.read(&mut block, 4096).unwrap() > 0 {
        for (all, plane) in all.iter_mut().zip(bits(&block)) {
            all.extend(plane);
        }
    }
    all
}

fn bits(samples: &Samples) -> Vec<Vec<u32>> {
    match samples {
        Samples::Int { planes, .. } => planes
            .iter()
            .map(|plane| plane.iter().map(|sample| sample.cast_unsigned()).collect())
            .collect(),
        Samples::Float { planes } => planes
            .iter()
            .map(|plane| plane.iter().map(|sample| sample.to_bits()).collect())
            .collect(),
    }
}

#[test]
fn values_come_into_the_room_kept_for_them_and_nothing_else_changes() {
    let gain = gain_of((-10.97, -6.0206), (-20.5, 1.0));
    for (name, format, kind) in formats() {
        let samples = music(format, 2, 20_000);
        for frame_count in [Some(Frames(20_000)), None] {
            let (before, after) = written(name, &samples, frame_count, gain);
            assert_eq!(before.len(), after.len(), "{name}");
            let some = |text: &str| Some(text.to_owned());
            let (title, gains, pictures) = read(&after, kind);
            let expected = [some("-7.03 dB"), some("0.500000"), some("2.50 dB"), some("1.122018")];
            assert_eq!((title, gains, pictures), (some("Song"), expected, 1), "{name} {format}");
            let (_, gains, pictures) = read(&before, kind);
            assert_eq!((&gains[0], pictures), (&None, 1), "{name} {format}");
            assert!(samples_of(&before, name) == samples_of(&after, name), "{name} {format}");
            if encode::format(name).unwrap().is_lossless() {
                assert!(samples_of(&after, name) == bits(&samples), "{name} {format}");
            }
        }
    }
}

#[test]
fn file_without_loudness_gets_no_values_and_stays_whole() {
    for (name, format, kind) in formats() {
        let samples = silence(format);
        let (before, after) = written(name, &samples, None, ReplayGain::default());
        assert_eq!(before, after, "{name}");
        let (title, gains, _) = read(&after, kind);
        assert_eq!((title.as_deref(), gains), (Some("Song"), [None, None, None, None]), "{name}");
    }
}

#[test]
fn longest_title_and_values_keep_the_size_of_a_flac() {
    let samples = music(PcmFormat::int(24), 1, 9_000);
    let gain = gain_of((-99.0, 60.0), (-99.0, 60.0));
    let (before, after) = written("flac", &samples, Some(Frames(9_000)), gain);
    assert_eq!(before.len(), after.len());
    assert!(samples_of(&after, "flac") == bits(&samples));
}
