//! Signals, files and independent decoders for the tests of decoding.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wavemill_core::audio::Samples;
use wavemill_core::decode::{self, DecodeError, StreamInfo};

/// A decoded file.
pub(crate) struct Decoded {
    pub(crate) info: StreamInfo,
    pub(crate) samples: Samples,
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, {} frames", self.info, self.samples.frame_count())
    }
}

impl Decoded {
    pub(crate) fn ints(&self) -> &[Vec<i32>] {
        match &self.samples {
            Samples::Int { planes, .. } => planes,
            Samples::Float { .. } => panic!("expected integers"),
        }
    }

    pub(crate) fn floats(&self) -> &[Vec<f32>] {
        match &self.samples {
            Samples::Float { planes } => planes,
            Samples::Int { .. } => panic!("expected floats"),
        }
    }
}

/// Decodes everything, in reads of a size that divides nothing.
pub(crate) fn decode_bytes(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_named(bytes, None)
}

pub(crate) fn decode_named(bytes: &[u8], extension: Option<&str>) -> Result<Decoded, DecodeError> {
    let mut decoder = decode::open(Box::new(Cursor::new(bytes.to_vec())), extension)?;
    read_all(decoder.as_mut())
}

pub(crate) fn read_all(decoder: &mut dyn decode::Decoder) -> Result<Decoded, DecodeError> {
    let info = decoder.info().clone();
    let mut all = Samples::empty(info.format, info.spec.channel_count());
    let mut block = all.clone();
    loop {
        let count = decoder.read(&mut block, 1009)?;
        assert_eq!(block.frame_count(), count);
        assert_eq!(block.channel_count(), info.spec.channel_count());
        if count == 0 {
            break;
        }
        append(&mut all, &block);
    }
    if let Some(promised) = info.frame_count {
        assert_eq!(promised.0, all.frame_count() as u64, "the promised length is exact");
    }
    Ok(Decoded { info, samples: all })
}

fn append(all: &mut Samples, block: &Samples) {
    match (all, block) {
        (Samples::Int { planes, .. }, Samples::Int { planes: more, .. }) => {
            planes.iter_mut().zip(more).for_each(|(plane, more)| plane.extend(more));
        }
        (Samples::Float { planes }, Samples::Float { planes: more }) => {
            planes.iter_mut().zip(more).for_each(|(plane, more)| plane.extend(more));
        }
        _ => panic!("a decoder changed the kind of its samples"),
    }
}

pub(crate) fn read_file(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// A directory of its own that goes away with the value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("wavemill-decode-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether a command line tool is here; prints why a test is skipped when not.
pub(crate) fn has_tools(tools: &[&str]) -> bool {
    tools.iter().all(|tool| {
        let found = Command::new(tool)
            .arg(if *tool == "ffmpeg" { "-version" } else { "--version" })
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok();
        if !found {
            eprintln!("skipped: {tool} is not installed");
        }
        found
    })
}

/// Runs a tool and fails with its output when it fails.
pub(crate) fn run(tool: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(tool).args(args).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {args:?}: {stderr}");
    output.stdout
}

/// What ffmpeg decodes a file to, interleaved.
pub(crate) fn ffmpeg_floats(path: &Path) -> Vec<f32> {
    let raw = ffmpeg_raw(path, "f32le");
    raw.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// What ffmpeg decodes a file to, interleaved and widened to the top of 32 bits.
pub(crate) fn ffmpeg_ints(path: &Path) -> Vec<i32> {
    let raw = ffmpeg_raw(path, "s32le");
    raw.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect()
}

fn ffmpeg_raw(path: &Path, format: &str) -> Vec<u8> {
    let path = path.to_str().unwrap();
    run("ffmpeg", &["-v", "error", "-i", path, "-map", "0:a:0", "-f", format, "-"])
}

pub(crate) fn interleave<T: Copy>(planes: &[Vec<T>]) -> Vec<T> {
    let frame_count = planes.first().map_or(0, Vec::len);
    (0..frame_count).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect()
}

/// Noise and a tone, different in each channel, deterministic, with peaks at full scale.
pub(crate) fn signal(channel_count: usize, frame_count: usize, bit_depth: u32) -> Vec<Vec<i32>> {
    let max = (1i64 << (bit_depth - 1)) - 1;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut plane = |channel: usize| {
        (0..frame_count)
            .map(|frame| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let noise = (seed >> 40) as f64 / f64::from(1 << 24) - 0.5;
                let tone = (frame as f64 * 0.05 * (channel + 1) as f64).sin();
                let value = match frame {
                    7 => 1.0,
                    8 => -1.0,
                    _ => 0.6 * tone + 0.3 * noise,
                };
                let scaled = (value * max as f64).round() as i64;
                i32::try_from(if frame == 8 { -max - 1 } else { scaled }).unwrap()
            })
            .collect()
    };
    (0..channel_count).map(&mut plane).collect()
}

/// A WAVE file by hound, the independent writer.
pub(crate) fn hound_wav(planes: &[Vec<i32>], sample_rate: u32, bits_per_sample: u16) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: u16::try_from(planes.len()).unwrap(),
        sample_rate,
        bits_per_sample,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for sample in interleave(planes) {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

/// Chunks of a RIFF file, in order; lengths are filled in as they should be.
pub(crate) fn riff(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, data) in chunks {
        body.extend_from_slice(*id);
        body.extend_from_slice(&(data.len() as u32).to_le_bytes());
        body.extend_from_slice(data);
        body.extend_from_slice(&vec![0; data.len() % 2]);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// A `fmt ` chunk of `WAVEFORMAT`.
pub(crate) fn fmt(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block_align = channels.wrapping_mul(bits.div_ceil(8));
    [
        &tag.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &rate.wrapping_mul(u32::from(block_align)).to_le_bytes(),
        &block_align.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

/// A `fmt ` chunk of `WAVEFORMATEXTENSIBLE`.
pub(crate) fn fmt_extensible(tag: u16, channels: u16, bits: u16, valid: u16, mask: u32) -> Vec<u8> {
    let guid_tail = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    [
        &fmt(0xfffe, channels, 48_000, bits)[..],
        &22u16.to_le_bytes(),
        &valid.to_le_bytes(),
        &mask.to_le_bytes(),
        &tag.to_le_bytes(),
        &guid_tail,
    ]
    .concat()
}

/// A RIFF file of these two chunks.
pub(crate) fn wav(fmt: Vec<u8>, data: Vec<u8>) -> Vec<u8> {
    riff(&[(b"fmt ", fmt), (b"data", data)])
}

/// Overwrites bytes in place.
pub(crate) fn patch(file: &[u8], offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    file
}

/// Whether a file is complete by its own account.
pub(crate) fn completeness(bytes: &[u8]) -> decode::Completeness {
    decode::completeness(&mut Cursor::new(bytes)).unwrap()
}

/// A committed file made by another program.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    read_file(&folder.join(name))
}

/// Small files of every format that this build reads, each complete: those of the fixtures and some
/// written here.
pub(crate) fn samples_of_every_format() -> Vec<(&'static str, Vec<u8>)> {
    let planes = signal(2, 2000, 16);
    let mut files: Vec<_> = FIXTURES.iter().map(|name| (*name, fixture(name))).collect();
    files.push(("small.w64", crate::containers::small_wave64()));
    files.push(("small.caf", crate::containers::small_caf()));
    files.push(("hound.wav", hound_wav(&planes, 44_100, 16)));
    files
}

/// The committed files that decode.
pub(crate) const FIXTURES: &[&str] = &[
    "tone-16.flac",
    "tone-24-6ch.flac",
    "tone-lame.mp3",
    "tone-mono-noxing.mp3",
    "tone.ogg",
    "tone-flac.oga",
    "tone.aiff",
    "tone-sowt.aifc",
    "tone-rf64.wav",
    #[cfg(feature = "matroska")]
    "tone-flac.mka",
    #[cfg(feature = "matroska")]
    "tone-pcm.mkv",
    #[cfg(feature = "matroska")]
    "tone-vorbis.webm",
    #[cfg(feature = "mpeg4")]
    "tone.aac",
    #[cfg(feature = "mpeg4")]
    "tone-alac.caf",
    #[cfg(feature = "mpeg4")]
    "tone-6.1.m4a",
    #[cfg(feature = "mpeg4")]
    "tone-he.m4a",
    #[cfg(feature = "mpeg4")]
    "tone-he-v2.m4a",
    #[cfg(feature = "mpeg4")]
    "tone-aac.m4a",
    #[cfg(feature = "mpeg4")]
    "tone-alac.m4a",
];
