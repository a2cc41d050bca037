//! The AAC writer against our decoder and ffmpeg.
#![cfg(feature = "fdk-aac")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::readers::OnDisk;
use common::{encode, music, settings};
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples};
use wavemill_core::decode;
use wavemill_core::encode::{self as formats, EncodeSettings, LossyQuality};
use wavemill_core::tags::{GainBasis, ReplayGain, Tags};
use wavemill_core::units::{Dbtp, Lufs, SampleRate};

fn file(samples: &Samples, rate_hz: u32, quality: Option<LossyQuality>) -> Vec<u8> {
    let mut settings = EncodeSettings { quality, ..settings(samples) };
    settings.spec.sample_rate = SampleRate(rate_hz);
    encode("aac", samples, settings, 1_000).unwrap()
}

/// What our decoder makes of a file.
fn decoded(bytes: &[u8]) -> Vec<Vec<f32>> {
    let source = Cursor::new(bytes.to_vec());
    let mut decoder = decode::open(Box::new(source), Some("m4a")).unwrap();
    let info = decoder.info().clone();
    let mut planes = vec![Vec::new(); info.spec.channel_count()];
    let mut samples = Samples::empty(info.format, planes.len());
    while decoder.read(&mut samples, 4_096).unwrap() > 0 {
        let Samples::Float { planes: read } = &samples else { panic!("floats") };
        planes.iter_mut().zip(read).for_each(|(plane, read)| plane.extend(read));
    }
    assert_eq!(info.frame_count.unwrap().0, planes[0].len() as u64);
    planes
}

/// Energy of the difference against that of the signal, in a middle part.
fn error_share(samples: &Samples, found: &[Vec<f32>], shift: usize) -> f64 {
    let Samples::Int { planes, .. } = samples else { panic!("integers") };
    let range = 4_000..planes[0].len() - 4_000;
    let (mut error, mut signal) = (0.0, 0.0);
    for (plane, found) in planes.iter().zip(found) {
        for frame in range.clone() {
            let sample = f64::from(plane[frame]) / 32_768.0;
            error += (sample - f64::from(found[frame + shift])).powi(2);
            signal += sample.powi(2);
        }
    }
    error / signal
}

#[test]
fn aac_is_as_long_as_what_went_in_and_in_its_place() {
    for rate_hz in [8_000, 22_050, 44_100, 48_000, 96_000] {
        for (channel_count, frame_count) in [
            (1, 20_000),
            (2, 20_481),
            (2, 0),
            (1, 1),
            (2, 1_023),
            (3, 5_000),
            (5, 9_999),
            (6, 20_000),
        ] {
            let samples = music(PcmFormat::int(16), channel_count, frame_count);
            let found = decoded(&file(&samples, rate_hz, None));
            let what = format!("{frame_count} frames of {channel_count} channels at {rate_hz} Hz");
            assert_eq!(found.len(), channel_count, "{what}");
            assert_eq!(found[0].len(), frame_count, "{what}");
            if frame_count > 10_000 {
                let in_place = error_share(&samples, &found, 0);
                assert!(in_place < 0.1, "{what}: {in_place}");
                assert!(error_share(&samples, &found, 1) > in_place, "{what}: late");
            }
        }
    }
}

#[test]
fn ffmpeg_decodes_as_many_frames_without_a_warning() {
    for (rate_hz, channel_count, frame_count) in
        [(44_100, 2, 30_011), (48_000, 1, 4_096), (48_000, 6, 30_011)]
    {
        let samples = music(PcmFormat::int(16), channel_count, frame_count);
        let file = OnDisk::new(&file(&samples, rate_hz, None), "m4a");
        let Some(raw) = file.by_ffmpeg("f32le") else { return };
        assert_eq!(raw.len(), frame_count * channel_count * 4, "{rate_hz} Hz");
        let printed = file.by_ffprobe().unwrap();
        let duration = format!("duration_ts={frame_count}");
        assert!(printed.contains("profile=LC") && printed.contains(&duration), "{printed}");
    }
}

#[test]
fn aac_has_its_header_in_front_where_the_length_is_known() {
    let samples = music(PcmFormat::int(16), 2, 50_000);
    let place =
        |bytes: &[u8], name: &[u8; 4]| bytes.windows(4).position(|window| window == name).unwrap();
    let known = file(&samples, 44_100, None);
    assert!(place(&known, b"moov") < place(&known, b"mdat"));
    let settings = EncodeSettings { frame_count: None, ..settings(&samples) };
    let unknown = encode("aac", &samples, settings, 777).unwrap();
    assert!(place(&unknown, b"mdat") < place(&unknown, b"moov"));
    assert_eq!(decoded(&unknown)[0].len(), 50_000);
    let file = OnDisk::new(&unknown, "m4a");
    assert!(file.by_ffprobe().is_none_or(|printed| printed.contains("duration_ts=50000")));
}

#[test]
fn aac_spends_what_it_was_asked_for() {
    let samples = music(PcmFormat::int(16), 2, 10 * 44_100);
    let size = |quality| file(&samples, 44_100, Some(quality)).len() as f64;
    for kbps in [64, 128, 256] {
        let expected = f64::from(kbps) * 1000.0 / 8.0 * 10.0;
        let found = size(LossyQuality::BitRateKbps(kbps)) - 10_000.0;
        assert!(
            (found / expected - 1.0).abs() < 0.08,
            "{kbps} kbit/s: {found} of {expected} bytes"
        );
    }
    let sizes: Vec<f64> = (1..=5).map(|quality| size(LossyQuality::Vbr(quality))).collect();
    assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]), "{sizes:?}");
}

#[test]
fn aac_refuses_what_it_has_not_and_says_what_it_has() {
    let descriptor = formats::format("aac").unwrap();
    let refused = |rate_hz: u32, quality| {
        let samples = music(PcmFormat::int(16), 2, 10);
        let mut settings = EncodeSettings { quality: Some(quality), ..settings(&samples) };
        settings.spec.sample_rate = SampleRate(rate_hz);
        descriptor.check(&settings).unwrap_err().to_string()
    };
    let text = refused(8_000, LossyQuality::BitRateKbps(320));
    assert!(
        text.starts_with("aac cannot store 320 kbit/s at 8000 Hz stereo; it has about "),
        "{text}"
    );
    let text = refused(44_100, LossyQuality::Vbr(0));
    assert_eq!(text, "aac cannot store VBR quality 0 at 44100 Hz stereo; it has 5 (best) to 1");
    let text = refused(44_100, LossyQuality::AverageKbps(128));
    assert!(text.contains("use `vbr_quality`"), "{text}");
}

#[test]
fn gains_are_written_into_the_room_that_was_kept() {
    let samples = music(PcmFormat::int(16), 2, 20_000);
    let tagged = |replay_gain, frame_count| {
        let title = Some("iTunSMPB".to_owned());
        let tags = Tags { title, replay_gain: Some(replay_gain), ..Tags::default() };
        EncodeSettings { tags: Arc::new(tags), frame_count, ..settings(&samples) }
    };
    let leveled = Some(GainBasis { loudness: Lufs(-10.97), true_peak: Dbtp(-1.0) });
    // As long as any.
    let album = Some(GainBasis { loudness: Lufs(-99.0), true_peak: Dbtp(60.0) });
    let gain = ReplayGain { track: leveled, album };
    for frame_count in [settings(&samples).frame_count, None] {
        let before = tagged(ReplayGain::default(), frame_count);
        let bytes = encode("aac", &samples, before, 4_096).unwrap();
        let mut file = Cursor::new(bytes.clone());
        let descriptor = formats::format("aac").unwrap();
        (descriptor.retag)(&mut file, &tagged(gain, frame_count)).unwrap();
        let after = file.into_inner();
        assert_eq!((bytes.len(), decoded(&after)), (after.len(), decoded(&bytes)));
        let file = OnDisk::new(&after, "m4a");
        if let Some(printed) = file.by_ffprobe() {
            assert!(printed.contains("TAG:replaygain_track_gain=-7.03 dB"), "{printed}");
        }
    }
}
