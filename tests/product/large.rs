//! Files that are large, wide and fast: more than 4 GB, 24 channels, 655,350 Hz.
//!
//! The program itself with 5 GB on disk is measured by `cargo xtask bench large`; here the bytes between are
//! made up as they are read and dropped as they are written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use parking_lot::Mutex;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples, StreamSpec};
use wavemill_core::decode;
use wavemill_core::encode::{self, EncodeSettings};
use wavemill_core::units::Frames;
use wavemill_tests::external::Tool;
use wavemill_tests::lab::Lab;
use wavemill_tests::oracle;
use wavemill_tests::signal::{self, Signal};
use wavemill_tests::wav::{self, Stored};

const CHANNELS: usize = 24;

/// Frames of 24 channels of 32 bits: 4.4 GB.
const FRAMES: u64 = 46_000_000;

const FRAME_BYTES: u64 = CHANNELS as u64 * 4;

/// Frames handed over at once.
const BLOCK: usize = 65_536;

/// A file whose bytes are zeros but for its first and last ones.
#[derive(Clone, Debug, Default)]
struct Sparse(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    head: Vec<u8>,
    /// What was written at the end.
    tail: Vec<u8>,
    length: u64,
    position: u64,
}

/// Bytes kept of both ends.
const KEPT: usize = 4096;

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.0.lock();
        let left = file.length.saturating_sub(file.position);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..count];
        buffer.fill(0);
        let (start, head) = (file.position, file.head.len() as u64);
        if start < head {
            let from = usize::try_from(start).unwrap();
            let shared = count.min(file.head.len() - from);
            buffer[..shared].copy_from_slice(&file.head[from..from + shared]);
        }
        // The last byte says whether a reader came to the end.
        if count > 0 && start + count as u64 == file.length {
            let kept = file.tail.len().min(count);
            buffer[count - kept..].copy_from_slice(&file.tail[file.tail.len() - kept..]);
        }
        file.position += count as u64;
        Ok(count)
    }
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock();
        if file.position < KEPT as u64 {
            let at = usize::try_from(file.position).unwrap();
            let count = bytes.len().min(KEPT - at);
            let end = file.head.len().max(at + count);
            file.head.resize(end, 0);
            file.head[at..at + count].copy_from_slice(&bytes[..count]);
        }
        file.position += bytes.len() as u64;
        if file.position > file.length {
            file.length = file.position;
            file.tail = bytes[bytes.len().saturating_sub(KEPT)..].to_vec();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut file = self.0.lock();
        file.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(offset) => file.length.saturating_add_signed(offset),
            SeekFrom::Current(offset) => file.position.saturating_add_signed(offset),
        };
        Ok(file.position)
    }
}

/// Silence that ends in a frame of ones.
fn silence_with_an_end(frame_count: usize, is_last: bool) -> Samples {
    let mut plane = vec![0; frame_count];
    if let (true, Some(last)) = (is_last, plane.last_mut()) {
        *last = 1;
    }
    Samples::Int { bit_depth: 32, planes: vec![plane; CHANNELS] }
}

#[test]
fn wav_beyond_4_gb_becomes_rf64_and_is_read_to_its_last_frame() {
    let file = Sparse::default();
    let settings = EncodeSettings {
        spec: StreamSpec::new(192_000, CHANNELS),
        format: PcmFormat::int(32),
        frame_count: None,
        compression_level: None,
        quality: None,
        tags: Arc::default(),
    };
    let create = encode::format("wav").unwrap().create;
    let mut encoder = create(Box::new(file.clone()), settings).unwrap();
    let block = silence_with_an_end(BLOCK, false);
    for _ in 0..FRAMES / BLOCK as u64 {
        encoder.write(&block).unwrap();
    }
    let rest = usize::try_from(FRAMES % BLOCK as u64).unwrap();
    encoder.write(&silence_with_an_end(rest, true)).unwrap();
    encoder.finish().unwrap();
    let length = file.0.lock().length;
    assert!(length > FRAMES * FRAME_BYTES && length > u64::from(u32::MAX));
    assert_eq!(file.0.lock().head[..4], *b"RF64");

    let mut decoder = decode::open(Box::new(file), None).unwrap();
    assert_eq!(decoder.info().frame_count, Some(Frames(FRAMES)));
    let mut samples = Samples::empty(PcmFormat::int(32), CHANNELS);
    let (mut frames, mut last) = (0, Vec::new());
    loop {
        let count = decoder.read(&mut samples, BLOCK).unwrap();
        if count == 0 {
            break;
        }
        frames += count as u64;
        let Samples::Int { planes, .. } = &samples else { panic!("integers") };
        last = planes.iter().map(|plane| plane[count - 1]).collect();
    }
    assert_eq!((frames, last), (FRAMES, vec![1; CHANNELS]));
}

const TWO_EXPORTS: &str = r#"
version = 1

[pipeline]
name = "wide"

[[step]]
use = "loudness"
with = { target_lufs = -20.0, ceiling_dbtp = -1.0 }

[[export]]
format = "FORMAT"
path = "{stem}-out.{ext}"
"#;

/// Runs a file through loudness into a format; the output.
fn mastered(lab: &Lab, format: &str, input: &Path) -> std::path::PathBuf {
    let pipeline = lab.pipeline(format, &TWO_EXPORTS.replace("FORMAT", format));
    let ended = lab.run([Path::new("run"), &pipeline, input]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let stem = input.file_stem().unwrap().to_string_lossy();
    lab.path(&format!("{stem}-out.{format}"))
}

fn analyzed(lab: &Lab, path: &Path) -> serde_json::Value {
    let ended = lab.run([Path::new("analyze"), Path::new("--json"), path]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.json()["files"][0].clone()
}

/// Loudness may be so far from that of the independent meter.
const TOLERANCE_LU: f64 = 0.1;

fn assert_loudness(found: &serde_json::Value, expected: f64) {
    let found = found["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((found - expected).abs() <= TOLERANCE_LU, "{found} LUFS, {expected} expected");
}

#[test]
fn file_of_24_channels_is_measured_and_mastered() {
    let lab = Lab::new();
    let input = lab.aside("wide.wav");
    let wide = signal::pink(48_000, CHANNELS, 96_000, 0.1, 5);
    wav::write(&input, &wide, Stored::Int(24));
    let before = analyzed(&lab, &input);
    assert_eq!(before["file"]["channels"], CHANNELS);
    assert_loudness(&before, loudness_of_equal_channels(&wide));
    let output = mastered(&lab, "wav", &input);
    assert_loudness(&analyzed(&lab, &output), -20.0);
    let output = wav::read(&output).signal;
    assert_eq!((output.channel_count(), output.frame_count()), (CHANNELS, 96_000));
    // Every channel stays in its place.
    for (before, after) in wide.planes.iter().zip(&output.planes) {
        let gain = after[1000] / before[1000];
        let difference = before.iter().zip(after).map(|(a, b)| (a * gain - b).abs());
        assert!(difference.fold(0.0, f32::max) < 0.001);
    }
}

/// What the oracle says where every channel counts once, as of channels without places.
fn loudness_of_equal_channels(signal: &Signal) -> f64 {
    let single = |plane: &Vec<f32>| {
        let signal = Signal { planes: vec![plane.clone()], ..*signal };
        let lufs = oracle::measure(&signal).integrated_lufs.unwrap();
        10f64.powf(lufs / 10.0)
    };
    let energy: f64 = signal.planes.iter().map(single).sum();
    wavemill_core::units::Decibels::from_power(energy).unwrap().0
}

#[test]
fn file_of_655_350_hz_is_measured_and_mastered_as_wav_and_flac() {
    const RATE_HZ: u32 = 655_350;
    let lab = Lab::new();
    let input = lab.aside("fast.wav");
    let fast = signal::sine(RATE_HZ, 2, 700_001, 1000.0, 0.25);
    wav::write(&input, &fast, Stored::Int(24));
    let expected = oracle::measure(&fast).integrated_lufs.unwrap();
    assert_loudness(&analyzed(&lab, &input), expected);
    for format in ["wav", "flac"] {
        let output = mastered(&lab, format, &input);
        let after = analyzed(&lab, &output);
        assert_eq!(after["file"]["sample_rate_hz"], RATE_HZ, "{format}");
        assert_loudness(&after, -20.0);
        let rows = after["file"]["duration_s"].as_f64().unwrap() * f64::from(RATE_HZ);
        assert!((rows - 700_001.0).abs() < 0.5, "{rows} frames");
    }
    if let Some(flac) = Tool::find("flac") {
        flac.output(&["-t".as_ref(), "-s".as_ref(), lab.path("fast-out.flac").as_os_str()]);
    }
}
