//! What several test binaries of this crate share.
#![allow(dead_code, reason = "each binary uses a part of it")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(unreachable_pub, reason = "a module of several binaries")]

pub mod readers;
pub mod synth;

use parking_lot::Mutex;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, Samples, StreamSpec};
use wavemill_core::encode::{self, Dither, EncodeError, EncodeSettings, Quantizer};
use wavemill_core::units::Frames;

/// A file in memory whose bytes stay readable after the encoder consumed it. It can play a full
/// disk.
#[derive(Clone, Debug, Default)]
pub struct SharedFile {
    cursor: Arc<Mutex<Cursor<Vec<u8>>>>,
    capacity: Option<u64>,
}

impl SharedFile {
    /// A disk with room for this many bytes.
    pub fn with_capacity(bytes: u64) -> Self {
        Self { capacity: Some(bytes), ..Self::default() }
    }

    /// A copy of everything written.
    pub fn contents(&self) -> Vec<u8> {
        self.cursor.lock().get_ref().clone()
    }
}

impl Read for SharedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.cursor.lock().read(bytes)
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut cursor = self.cursor.lock();
        if self.capacity.is_some_and(|capacity| cursor.position() + bytes.len() as u64 > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        cursor.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.cursor.lock().seek(position)
    }
}

/// Settings for `samples` at 44.1 kHz in the usual layout, without tags.
pub fn settings(samples: &Samples) -> EncodeSettings {
    EncodeSettings {
        spec: StreamSpec::new(44_100, samples.channel_count()),
        format: samples.format(),
        frame_count: Some(Frames(samples.frame_count() as u64)),
        compression_level: None,
        quality: None,
        tags: Arc::default(),
    }
}

/// The bytes of a file made of `samples`, handed over in blocks of `block` frames.
pub fn encode(
    format: &str,
    samples: &Samples,
    settings: EncodeSettings,
    block: usize,
) -> Result<Vec<u8>, EncodeError> {
    let file = SharedFile::default();
    encode_into(file.clone(), format, samples, settings, block)?;
    Ok(file.contents())
}

/// As [`encode`], into a given file.
pub fn encode_into(
    file: SharedFile,
    format: &str,
    samples: &Samples,
    settings: EncodeSettings,
    block: usize,
) -> Result<(), EncodeError> {
    let descriptor = encode::format(format).expect("a known format");
    let mut encoder = (descriptor.create)(Box::new(file), settings)?;
    let mut start = 0;
    while start < samples.frame_count() {
        let end = (start + block).min(samples.frame_count());
        encoder.write(&cut(samples, start, end))?;
        start = end;
    }
    encoder.finish()
}

/// Holds that 16-bit integers are the same however what comes is cut into blocks, and every time.
pub fn assert_same_in_every_block(from: PcmFormat, dither: Dither) {
    let samples = music(from, 2, 10_000);
    let run = |block: usize| {
        let mut quantizer = Quantizer::new(from, PcmFormat::int(16), dither, 2);
        let mut all: Vec<Vec<i32>> = vec![Vec::new(); 2];
        let mut out = Samples::empty(PcmFormat::int(16), 2);
        for start in (0..10_000).step_by(block) {
            quantizer.quantize(&cut(&samples, start, (start + block).min(10_000)), &mut out);
            let Samples::Int { planes, .. } = &out else { panic!("integers") };
            all.iter_mut().zip(planes).for_each(|(all, plane)| all.extend(plane));
        }
        all
    };
    let whole = run(10_000);
    for block in [1, 7, 64, 4096, 10_000] {
        assert!(run(block) == whole, "{from}, {}, blocks of {block}", dither.name());
    }
}

/// Frames `[start, end)`.
pub fn cut(samples: &Samples, start: usize, end: usize) -> Samples {
    match samples {
        Samples::Int { bit_depth, planes } => Samples::Int {
            bit_depth: *bit_depth,
            planes: planes.iter().map(|plane| plane[start..end].to_vec()).collect(),
        },
        Samples::Float { planes } => Samples::Float {
            planes: planes.iter().map(|plane| plane[start..end].to_vec()).collect(),
        },
    }
}

/// Something like music: decaying partials with a little noise, different in every channel, with
/// full-scale samples at the start.
pub fn music(format: PcmFormat, channel_count: usize, frame_count: usize) -> Samples {
    let planes = (0..channel_count).map(|channel| music_plane(channel, frame_count));
    match format.sample_format {
        wavemill_core::audio::SampleFormat::Float => Samples::Float { planes: planes.collect() },
        wavemill_core::audio::SampleFormat::Int => {
            let scale = f64::from(1u32 << (format.bit_depth - 1));
            #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, as is meant")]
            let to_int =
                |sample: f32| (f64::from(sample) * scale).round().clamp(-scale, scale - 1.0) as i32;
            let planes = planes.map(|plane| plane.into_iter().map(to_int).collect()).collect();
            Samples::Int { bit_depth: format.bit_depth, planes }
        }
    }
}

fn music_plane(channel: usize, frame_count: usize) -> Vec<f32> {
    let mut noise = 0x1234_5678_u32 ^ (channel as u32 + 1).wrapping_mul(0x9e37_79b9);
    (0..frame_count)
        .map(|frame| {
            if frame < 2 {
                return if (frame + channel).is_multiple_of(2) { 1.0 } else { -1.0 };
            }
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let time_s = frame as f64 / 44_100.0;
            let envelope = (-3.0 * (time_s % 0.5)).exp();
            let tones: f64 = (1..6)
                .map(|partial| {
                    let hz = 110.0 * f64::from(partial) * (1.0 + channel as f64 * 0.25);
                    (std::f64::consts::TAU * hz * time_s).sin() / f64::from(partial)
                })
                .sum();
            let noise = f64::from(noise >> 8) / f64::from(1 << 24) - 0.5;
            (0.3 * envelope * tones + 0.01 * noise) as f32
        })
        .collect()
}

/// Runs a tool with `input` on its standard input and returns its output, or `None`, after saying
/// so, where it is not installed.
pub fn run_tool(tool: &str, arguments: &[&str], input: &[u8]) -> Option<std::process::Output> {
    let child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("skipped: {tool} is not installed");
            return None;
        }
        Err(error) => panic!("{tool}: {error}"),
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Fed from a thread: the tool may fill its output before it has read everything.
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A tool that refuses its input closes the pipe; its exit code says the rest.
    let _ = feeder.join().unwrap();
    Some(output)
}
