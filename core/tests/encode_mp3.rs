//! The MP3 writer against our decoder, ffmpeg and mpg123.
#![cfg(feature = "mp3")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::{SharedFile, encode, encode_into, music, run_tool, settings};
use proptest::prelude::{ProptestConfig, any, prop, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};
use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples, StreamSpec};
use wavemill_core::decode;
use wavemill_core::encode::{EncodeError, EncodeSettings, LossyQuality};
use wavemill_core::tags::{self, Picture, Tags};
use wavemill_core::units::Dbfs;

const RATES_HZ: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// How far a tone may be off: a tenth of what a loudness meter may.
const LEVEL_DB: f64 = 0.01;

fn at(samples: &Samples, rate_hz: u32, quality: Option<LossyQuality>) -> EncodeSettings {
    EncodeSettings {
        spec: StreamSpec::new(rate_hz, samples.channel_count()),
        quality,
        ..settings(samples)
    }
}

fn decoded(bytes: &[u8]) -> Vec<Vec<f32>> {
    let mut decoder = decode::open(Box::new(Cursor::new(bytes.to_vec())), Some("mp3")).unwrap();
    let info = decoder.info().clone();
    let mut all = vec![Vec::new(); info.spec.channel_count()];
    let mut block = Samples::empty(info.format, info.spec.channel_count());
    while decoder.read(&mut block, 4096).unwrap() > 0 {
        let Samples::Float { planes } = &block else { panic!("floats") };
        all.iter_mut().zip(planes).for_each(|(all, plane)| all.extend(plane));
    }
    assert_eq!(info.frame_count.map(|frames| frames.0), Some(all[0].len() as u64));
    all
}

fn planes(samples: &Samples) -> &[Vec<f32>] {
    let Samples::Float { planes } = samples else { panic!("floats") };
    planes
}

/// Frames that ffmpeg decodes; `None` where it is not installed. Of a pipe, where it cannot seek, it
/// keeps the padding.
fn frames_of_ffmpeg(bytes: &[u8], channel_count: usize) -> Option<usize> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("for-ffmpeg.mp3");
    File::create(&path).unwrap().write_all(bytes).unwrap();
    let arguments = ["-v", "error", "-i", path.to_str().unwrap(), "-f", "f32le", "pipe:1"];
    let output = run_tool("ffmpeg", &arguments, &[])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout.len() / (4 * channel_count))
}

/// Frames that mpg123 decodes without a complaint; `None` where it is not installed.
fn frames_of_mpg123(bytes: &[u8], channel_count: usize) -> Option<usize> {
    let output = run_tool("mpg123", &["--quiet", "--stdout", "-e", "f32", "-"], bytes)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout.len() / (4 * channel_count))
}

/// Signal to noise of `coded` in dB.
fn snr_db(original: &[f32], coded: &[f32]) -> f64 {
    let energy = |values: &mut dyn Iterator<Item = f32>| -> f64 {
        values.map(|value| f64::from(value).powi(2)).sum()
    };
    let signal = energy(&mut original.iter().copied());
    let noise = energy(&mut original.iter().zip(coded).map(|(a, b)| a - b));
    Dbfs::from_amplitude((signal / noise).sqrt()).unwrap().0
}

#[test]
fn mp3_of_any_length_rate_and_channels_is_as_long_as_what_went_in() {
    for rate_hz in RATES_HZ {
        for channel_count in [1, 2] {
            for frame_count in [1, 575, 576, 577, 1105, 1151, 1152, 1153, 2304, 7919, 44_100] {
                let samples = music(PcmFormat::FLOAT, channel_count, frame_count);
                let bytes = encode("mp3", &samples, at(&samples, rate_hz, None), 4096).unwrap();
                let what = format!("{rate_hz} Hz, {channel_count} channels");
                assert_eq!(decoded(&bytes)[0].len(), frame_count, "{what}");
            }
        }
    }
}

#[test]
fn mp3_of_nothing_holds_nothing() {
    let samples = Samples::empty(PcmFormat::FLOAT, 2);
    let bytes = encode("mp3", &samples, settings(&samples), 1).unwrap();
    assert_eq!(decoded(&bytes), [[], []] as [[f32; 0]; 2]);
}

#[test]
fn mp3_is_as_long_for_ffmpeg_and_mpg123() {
    for (rate_hz, channel_count) in [(48_000, 2), (44_100, 2), (44_100, 1), (22_050, 1), (8_000, 2)]
    {
        for quality in [None, Some(LossyQuality::Vbr(2)), Some(LossyQuality::AverageKbps(64))] {
            // Of files shorter than a packet ffmpeg keeps some of the padding.
            for frame_count in [2305, 20_011, 44_100] {
                let samples = music(PcmFormat::FLOAT, channel_count, frame_count);
                let bytes = encode("mp3", &samples, at(&samples, rate_hz, quality), 4096).unwrap();
                let what = format!("{rate_hz} Hz, {channel_count} channels, {quality:?}");
                if let Some(frames) = frames_of_ffmpeg(&bytes, channel_count) {
                    assert_eq!(frames, frame_count, "ffmpeg, {what}");
                }
                if let Some(frames) = frames_of_mpg123(&bytes, channel_count) {
                    assert_eq!(frames, frame_count, "mpg123, {what}");
                }
            }
        }
    }
}

#[test]
fn mp3_is_in_time_and_at_level() {
    let samples = music(PcmFormat::FLOAT, 2, 100_000);
    for (quality, snr_min_db) in [
        (LossyQuality::BitRateKbps(320), 25.0),
        (LossyQuality::BitRateKbps(128), 15.0),
        (LossyQuality::AverageKbps(128), 15.0),
        (LossyQuality::Vbr(0), 20.0),
    ] {
        let bytes = encode("mp3", &samples, at(&samples, 44_100, Some(quality)), 4096).unwrap();
        let coded = decoded(&bytes);
        for (original, coded) in planes(&samples).iter().zip(&coded) {
            let snr = snr_db(original, coded);
            // Steady partials let a frame more or less cost little in correlation, but much here.
            assert!(snr > snr_min_db, "{quality}: {snr:.1} dB");
            for lag in [1, 528, 529, 576, 1105, 1152] {
                let late = snr_db(original, &coded[lag..]);
                let early = snr_db(&original[lag..], coded);
                assert!(late < snr && early < snr, "{quality}: better when {lag} frames off");
            }
        }
    }
}

#[test]
fn mp3_of_any_quality_is_as_loud_as_what_went_in() {
    // Half a second in from both ends, where no transient is.
    let inside = 22_050..66_150;
    let tone: Vec<f32> = (0..88_200_i32)
        .map(|frame| 0.25 * (f64::from(frame) * std::f64::consts::TAU / 44.1).sin() as f32)
        .collect();
    let samples = Samples::Float { planes: vec![tone; 2] };
    let level_db = |planes: &[Vec<f32>]| {
        let energy: f64 = planes[0][inside.clone()].iter().map(|s| f64::from(*s).powi(2)).sum();
        Dbfs::from_amplitude((energy / inside.len() as f64).sqrt()).unwrap().0
    };
    let wanted = level_db(planes(&samples));
    let rates = [64, 128, 160, 192, 224, 256, 320]
        .map(|kbps| [LossyQuality::BitRateKbps(kbps), LossyQuality::AverageKbps(kbps)]);
    for quality in rates.into_iter().flatten().chain([0, 4, 9].map(LossyQuality::Vbr)) {
        let bytes = encode("mp3", &samples, at(&samples, 44_100, Some(quality)), 4096).unwrap();
        let off = level_db(&decoded(&bytes)) - wanted;
        assert!(off.abs() < LEVEL_DB, "{quality}: {off:.3} dB");
    }
}

#[test]
fn mp3_does_not_depend_on_blocks_or_on_knowing_the_length() {
    let samples = music(PcmFormat::FLOAT, 2, 20_000);
    for quality in
        [LossyQuality::BitRateKbps(128), LossyQuality::AverageKbps(128), LossyQuality::Vbr(4)]
    {
        let settings = at(&samples, 44_100, Some(quality));
        let whole = encode("mp3", &samples, settings.clone(), 20_000).unwrap();
        for block in [1, 7, 1152, 4096, 20_000] {
            assert!(encode("mp3", &samples, settings.clone(), block).unwrap() == whole, "{block}");
        }
        let unknown = EncodeSettings { frame_count: None, ..settings };
        assert!(encode("mp3", &samples, unknown, 4096).unwrap() == whole);
    }
}

#[test]
fn mp3_spends_what_was_asked_for() {
    let samples = music(PcmFormat::FLOAT, 2, 441_000);
    let kbps = |quality| {
        let bytes = encode("mp3", &samples, at(&samples, 44_100, quality), 4096).unwrap();
        bytes.len() as f64 * 8.0 / 10.0 / 1000.0
    };
    for asked in [64, 128, 192, 320] {
        let found = kbps(Some(LossyQuality::BitRateKbps(asked)));
        assert!((found / f64::from(asked) - 1.0).abs() < 0.02, "{asked}: {found}");
    }
    assert!((kbps(None) / 192.0 - 1.0).abs() < 0.02, "the default");
    let [best, usual, smallest] = [0, 4, 9].map(|quality| kbps(Some(LossyQuality::Vbr(quality))));
    assert!(best > usual && usual > smallest, "{best} {usual} {smallest}");
}

/// Bit rates of layer III in kbit/s, of MPEG-1, by the index in the header.
///
/// Source: ISO/IEC 11172-3, 2.4.2.3.
const RATES_OF_MPEG_1_KBPS: [usize; 15] =
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

/// The bit rate in kbit/s of every frame at 44.1 kHz, as a player finds them: by the lengths that the headers
/// state. The first frame, which holds no sound, is left out.
fn frame_rates_kbps(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut rates) = (0, Vec::new());
    while at < bytes.len() {
        assert_eq!((bytes[at], bytes[at + 1] & 0xfe), (0xff, 0xfa), "a header at byte {at}");
        let kbps = RATES_OF_MPEG_1_KBPS[usize::from(bytes[at + 2] >> 4)];
        let padding = usize::from(bytes[at + 2] >> 1 & 1);
        rates.push(kbps);
        at += 144_000 * kbps / 44_100 + padding;
    }
    assert_eq!(at, bytes.len(), "the last frame is whole");
    rates.split_off(1)
}

fn mean(rates: &[usize]) -> f64 {
    rates.iter().sum::<usize>() as f64 / rates.len() as f64
}

#[test]
fn mp3_of_an_average_varies_around_it_and_says_so() {
    let samples = changing_music();
    for kbps in [64, 96, 128, 192, 256] {
        let quality = LossyQuality::AverageKbps(kbps);
        let bytes = encode("mp3", &samples, at(&samples, 44_100, Some(quality)), 4096).unwrap();
        let rates = frame_rates_kbps(&bytes);
        let average = mean(&rates);
        // LAME's own program spends up to 8 % less than asked on this signal too.
        let index =
            RATES_OF_MPEG_1_KBPS.iter().position(|&rate| rate == usize::from(kbps)).unwrap();
        let [below, above] = [index - 1, index + 1].map(|index| RATES_OF_MPEG_1_KBPS[index] as f64);
        assert!(below < average && average < above, "{kbps}: {average:.1} kbit/s");
        let kinds: std::collections::BTreeSet<_> = rates.iter().collect();
        assert!(kinds.len() > 2, "{kbps}: only {kinds:?}");
        // Source: G. Gandhi, "MP3 Info Tag revision 1": the method in the low bits, 2 is an
        // average, and that average.
        let tag = bytes.windows(4).position(|window| window == b"LAME").unwrap();
        assert_eq!((bytes[tag + 9] & 15, bytes[tag + 20]), (2, kbps.min(255) as u8), "{kbps}");
        assert_eq!(decoded(&bytes)[0].len(), samples.frame_count());
    }
}

/// How far what is spent may be off: its program rounds what it reads, ours what it scales, which lets some frames
/// take another step of the table.
const SPENT_WITHIN: f64 = 0.002;

#[test]
fn mp3_of_an_average_spends_what_lame_spends() {
    let samples = changing_music();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("for-lame-abr.wav");
    let wav = encode("wav", &samples, settings(&samples), 4096).unwrap();
    File::create(&path).unwrap().write_all(&wav).unwrap();
    for kbps in [128, 256] {
        let quality = LossyQuality::AverageKbps(kbps);
        let ours = encode("mp3", &samples, at(&samples, 44_100, Some(quality)), 4096).unwrap();
        let average = kbps.to_string();
        // The scale undoes its own, as we do.
        let scale = if kbps == 128 { "1.0526316" } else { "1" };
        let path = path.to_str().unwrap();
        let arguments = ["--quiet", "-q", "2", "--abr", &average, "--scale", scale, path, "-"];
        let Some(output) = run_tool("lame", &arguments, &[]) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (ours, theirs) = (frame_rates_kbps(&ours), frame_rates_kbps(&output.stdout));
        let (ours, theirs) = (mean(&ours), mean(&theirs));
        let off = (ours / theirs - 1.0).abs();
        assert!(off < SPENT_WITHIN, "{kbps}: {ours:.2} and {theirs:.2} kbit/s");
    }
}

/// Ten seconds, loud and soft in turn.
fn changing_music() -> Samples {
    let Samples::Float { mut planes } = music(PcmFormat::FLOAT, 2, 441_000) else {
        panic!("floats")
    };
    for plane in &mut planes {
        for (second, samples) in plane.chunks_mut(44_100).enumerate() {
            let gain = [1.0, 0.1, 0.5, 0.2, 0.8][second % 5];
            for sample in samples {
                *sample *= gain;
            }
        }
    }
    Samples::Float { planes }
}

#[test]
fn mp3_carries_tags_and_pictures() {
    let samples = music(PcmFormat::FLOAT, 2, 5000);
    let text = |text: &str| Some(text.to_owned());
    let written = Tags {
        title: text("Grüße 🎧"),
        artist: text("Ann"),
        album: text("Nights"),
        album_artist: text("Various"),
        composer: text("Bo"),
        genre: text("Ambient"),
        date: text("2026-11-21"),
        year: Some(2026),
        track: Some(3),
        track_total: Some(9),
        bpm: Some(128.0),
        key: text("Am"),
        isrc: text("DEZZZ2600001"),
        comment: text("a comment"),
        copyright: text("2026 Ann"),
        lyrics: text("la\nla"),
        pictures: vec![Picture {
            kind: "front cover",
            media_type: "image/jpeg".to_owned(),
            description: text("cover"),
            // Looks like the start of an MPEG frame, as pictures may.
            bytes: [0xff, 0xfb, 0x90, 0x64].repeat(1000),
        }],
        ..Tags::default()
    };
    let tagged = EncodeSettings { tags: Arc::new(written.clone()), ..at(&samples, 44_100, None) };
    let bytes = encode("mp3", &samples, tagged, 4096).unwrap();
    let reading = tags::read(&mut Cursor::new(bytes.clone()), Some("mp3")).unwrap();
    assert_eq!(reading.warnings, [""; 0]);
    assert_eq!(reading.tags, written);
    assert_eq!(decoded(&bytes)[0].len(), 5000);
    let plain = encode("mp3", &samples, at(&samples, 44_100, None), 4096).unwrap();
    assert!(bytes.ends_with(&plain), "tags change nothing of the sound");
}

#[test]
fn mp3_that_cannot_be_is_refused_with_what_would_work() {
    let stereo = music(PcmFormat::FLOAT, 2, 10);
    let refused = |settings: EncodeSettings| {
        let error = encode("mp3", &stereo, settings, 10).unwrap_err();
        assert!(matches!(error, EncodeError::Unsupported { .. }), "{error}");
        error.to_string()
    };
    let bits = |rate_hz, kbps| at(&stereo, rate_hz, Some(LossyQuality::BitRateKbps(kbps)));
    assert_eq!(
        refused(at(&stereo, 96_000, None)),
        "mp3 cannot store 96000 Hz; it stores 8000, 11025, 12000, 16000, 22050, 24000, 32000, \
         44100, 48000 Hz"
    );
    assert_eq!(
        refused(bits(44_100, 100)),
        "mp3 cannot store 100 kbit/s at 44100 Hz stereo; it has 64, 80, 96, 112, 128, 160, 192, \
         224, 256, 320 kbit/s there"
    );
    assert_eq!(
        refused(bits(44_100, 48)),
        "mp3 cannot store 48 kbit/s at 44100 Hz stereo; it has 64, 80, 96, 112, 128, 160, 192, \
         224, 256, 320 kbit/s there, and 48 kbit/s at 32000 Hz"
    );
    assert_eq!(
        refused(bits(11_025, 96)),
        "mp3 cannot store 96 kbit/s at 11025 Hz stereo; it has 32, 40, 48, 64 kbit/s there"
    );
    assert_eq!(
        refused(at(&stereo, 44_100, Some(LossyQuality::AverageKbps(150)))),
        "mp3 cannot store 150 kbit/s at 44100 Hz stereo; it has 64, 80, 96, 112, 128, \
         160, 192, 224, 256, 320 kbit/s there"
    );
    assert_eq!(
        refused(at(&stereo, 44_100, Some(LossyQuality::Vbr(10)))),
        "mp3 cannot store VBR quality 10; it has 0 (best) to 9"
    );
    let three = music(PcmFormat::FLOAT, 3, 10);
    let error = encode("mp3", &three, settings(&three), 10).unwrap_err();
    assert_eq!(error.to_string(), "mp3 cannot store 3 channels; it stores 1 to 2");
    let flac = music(PcmFormat::int(16), 2, 10);
    let error = encode("flac", &flac, at(&flac, 44_100, Some(LossyQuality::Vbr(2))), 10);
    assert_eq!(
        error.unwrap_err().to_string(),
        "flac cannot store VBR quality 2; it is lossless: remove the key"
    );
}

#[test]
fn mp3_of_samples_that_are_no_numbers_fails() {
    for bad in [f32::NAN, f32::INFINITY] {
        let samples = Samples::Float { planes: vec![vec![0.0, bad, 0.0]] };
        let error = encode("mp3", &samples, settings(&samples), 3).unwrap_err();
        assert!(matches!(error, EncodeError::Failed { .. }), "{error}");
    }
}

#[test]
fn mp3_on_a_full_disk_is_an_io_error_wherever_the_room_ends() {
    let samples = music(PcmFormat::FLOAT, 2, 200_000);
    let size = encode("mp3", &samples, settings(&samples), 4096).unwrap().len() as u64;
    for capacity in [0, 100, size / 2, size - 1] {
        let file = SharedFile::with_capacity(capacity);
        let error = encode_into(file, "mp3", &samples, settings(&samples), 4096).unwrap_err();
        assert!(matches!(&error, EncodeError::Io(_)), "{capacity} of {size}: {error}");
    }
}

/// Signals that encoders stumble over.
fn hard_plane(kind: u8, frame_count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed | 1;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let half = 1 + seed as usize % 500;
    (0..frame_count)
        .map(|frame| match kind {
            0 => 0.0,
            1 => f32::from_bits(1 + frame as u32 % 1000), // below the smallest normal number
            2 => {
                if (frame / half).is_multiple_of(2) {
                    1.0
                } else {
                    -1.0
                }
            }
            3 => noise(),
            4 => noise() * 8.0, // far beyond full scale
            5 => {
                if frame % (40 * half) == 0 {
                    1.0
                } else {
                    0.0
                }
            }
            6 => 1.0,
            _ => noise() * 1e-6,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn mp3_of_hard_signals_is_exact_in_length_and_the_same_twice(
        rate in 0..RATES_HZ.len(),
        kinds in prop::collection::vec(0u8..8, 1..=2),
        frame_count in 0usize..30_000,
        seed in any::<u32>(),
        quality in prop_oneof![
            Just(None),
            // What every sample rate has.
            Just(Some(LossyQuality::AverageKbps(64))),
            (0u8..=9).prop_map(|quality| Some(LossyQuality::Vbr(quality))),
        ],
        block in 1usize..5000,
    ) {
        let planes = kinds.iter().zip(seed..).map(|(&kind, seed)| {
            hard_plane(kind, frame_count, seed)
        });
        let samples = Samples::Float { planes: planes.collect() };
        let settings = at(&samples, RATES_HZ[rate], quality);
        let bytes = encode("mp3", &samples, settings.clone(), block).unwrap();
        let coded = decoded(&bytes);
        assert_eq!(coded.len(), kinds.len());
        assert_eq!(coded[0].len(), frame_count);
        assert!(coded.iter().flatten().all(|sample| sample.is_finite()));
        assert!(encode("mp3", &samples, settings, 4096).unwrap() == bytes);
    }
}
