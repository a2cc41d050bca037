//! Decoding against ffmpeg and libsndfile, encoding against the programs that each format is known by.
//!
//! User CPU of whole processes that do their work ten times (decoding) or once (encoding), alternating.

use crate::master::five_minutes;
use crate::record::{Record, median};
use crate::usage;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use wavemill_core::audio::{Block, PcmFormat, Samples, convert};
use wavemill_core::encode::{self, EncodeSettings};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::{decode, denormals::FlushDenormals};
use wavemill_tests::lab::Lab;

const ROUNDS: usize = 5;
const LOOPS: usize = 10;

/// What a child process is asked for.
pub(crate) const DECODE: &str = "formats-decode";
pub(crate) const ENCODE: &str = "formats-encode";

/// Files to decode: name, and how ffmpeg makes them.
#[rustfmt::skip]
const DECODED: &[(&str, &[&str])] = &[
    ("wav-16.wav",  &["-c:a", "pcm_s16le"]),
    ("wav-24.wav",  &["-c:a", "pcm_s24le"]),
    ("wav-f32.wav", &["-c:a", "pcm_f32le"]),
    ("aiff-16.aiff", &["-c:a", "pcm_s16be"]),
    ("caf-16.caf",  &["-c:a", "pcm_s16le"]),
    ("wave64-16.w64", &["-c:a", "pcm_s16le"]),
    ("flac-16.flac", &["-c:a", "flac"]),
    ("alac-16.m4a", &["-c:a", "alac"]),
    ("aac-192.m4a", &["-c:a", "aac", "-b:a", "192k"]),
    ("mp3-256.mp3", &["-c:a", "libmp3lame", "-b:a", "256k"]),
    ("vorbis-q6.ogg", &["-c:a", "libvorbis", "-q:a", "6"]),
    ("opus-128.opus", &["-c:a", "libopus", "-b:a", "128k"]),
    ("vorbis-q6.mka", &["-c:a", "libvorbis", "-q:a", "6"]),
];

/// A format to encode: what it is asked for, and its reference program.
struct Reference {
    format: &'static str,
    bit_depth: u16,
    level: Option<u8>,
    quality: Option<encode::LossyQuality>,
    program: &'static str,
    /// `IN` and `OUT` stand for the files.
    arguments: &'static [&'static str],
}

impl Reference {
    const fn of(
        format: &'static str,
        program: &'static str,
        arguments: &'static [&'static str],
    ) -> Self {
        Self { format, bit_depth: 16, level: None, quality: None, program, arguments }
    }
}

#[rustfmt::skip]
const ENCODED: &[Reference] = &[
    Reference::of("wav", "sox", &["-D", "IN", "-b", "16", "OUT.wav"]),
    Reference::of("aiff", "sox", &["-D", "IN", "-b", "16", "OUT.aiff"]),
    Reference { level: Some(5), ..Reference::of("flac", "flac", &["-s", "-f", "-5", "IN", "-o", "OUT"]) },
    Reference { level: Some(8), ..Reference::of("flac", "flac", &["-s", "-f", "-8", "IN", "-o", "OUT"]) },
    Reference {
        quality: Some(encode::LossyQuality::BitRateKbps(256)),
        ..Reference::of("mp3", "lame", &["--quiet", "-q", "2", "-b", "256", "IN", "OUT"])
    },
    Reference {
        quality: Some(encode::LossyQuality::Vbr(5)),
        ..Reference::of("vorbis", "oggenc", &["-Q", "-q", "5", "IN", "-o", "OUT"])
    },
    Reference {
        quality: Some(encode::LossyQuality::BitRateKbps(128)),
        ..Reference::of("opus", "opusenc", &["--quiet", "--bitrate", "128", "IN", "OUT"])
    },
    Reference {
        quality: Some(encode::LossyQuality::BitRateKbps(192)),
        ..Reference::of("aac", "ffmpeg", &["-nostdin", "-v", "error", "-y", "-i", "IN", "-c:a", "aac", "-b:a", "192k", "-f", "mp4", "OUT"])
    },
];

pub(crate) fn run(arguments: &[String]) -> Record {
    let lab = Lab::new();
    let music = arguments.first().map_or_else(|| five_minutes(&lab), PathBuf::from);
    let python = arguments.get(1).map(PathBuf::from);
    let mut record = Record {
        columns: vec!["what", "wavemill_user_s", "peer", "peer_user_s", "ratio"],
        ..Record::default()
    };
    for (name, codec) in DECODED {
        decoding(&lab, &music, python.as_deref(), (name, codec), &mut record);
    }
    for reference in ENCODED {
        encoding(&lab, &music, reference, &mut record);
    }
    record
}

fn decoding(
    lab: &Lab,
    music: &Path,
    python: Option<&Path>,
    (name, codec): (&str, &[&str]),
    record: &mut Record,
) {
    let file = lab.aside(name);
    let mut make = Command::new("ffmpeg");
    make.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(music);
    if !make
        .args(["-ar", rate_of(name), "-map", "0:a"])
        .args(codec)
        .arg(&file)
        .status()
        .is_ok_and(|it| it.success())
    {
        return record.findings.push(format!("decoding {name}: ffmpeg cannot make it"));
    }
    let is_read = File::open(&file)
        .is_ok_and(|file| decode::open(Box::new(BufReader::new(file)), None).is_ok());
    if !is_read {
        return record.findings.push(format!("decoding {name}: not read by this build"));
    }
    let mut peers: Vec<(&str, Command)> = vec![("ffmpeg", ffmpeg_decode(&file))];
    peers.extend(python.map(|python| ("libsndfile", sndfile_decode(python, &file))));
    compare(&format!("decoding {name} {LOOPS} times"), &mut part(DECODE, &[&file]), peers, record);
}

/// Opus has one rate.
fn rate_of(name: &str) -> &'static str {
    if name.contains("opus") { "48000" } else { "44100" }
}

fn ffmpeg_decode(file: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-threads", "1", "-stream_loop"]);
    command
        .arg((LOOPS - 1).to_string())
        .arg("-i")
        .arg(file)
        .args(["-map", "0:a", "-f", "null", "-"]);
    command
}

/// libsndfile through its Python binding, in blocks; starting Python is part of it.
fn sndfile_decode(python: &Path, file: &Path) -> Command {
    let script = "import sys, soundfile\n\
                  for _ in range(int(sys.argv[2])):\n\
                  \x20 f = soundfile.SoundFile(sys.argv[1])\n\
                  \x20 while len(f.read(65536, dtype='float32')): pass\n";
    let mut command = Command::new(python);
    command.args(["-c", script]).arg(file).arg(LOOPS.to_string());
    command
}

fn encoding(lab: &Lab, music: &Path, reference: &Reference, record: &mut Record) {
    let what = match reference.level {
        Some(level) => format!("encoding {} at level {level}", reference.format),
        None => format!("encoding {}", reference.format),
    };
    if encode::format(reference.format).is_none() {
        return record.findings.push(format!("{what}: not written by this build"));
    }
    let input = lab.aside("input.wav");
    let rate = if reference.format == "opus" { "48000" } else { "44100" };
    let mut convert = Command::new("ffmpeg");
    convert.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(music);
    convert.args(["-ar", rate, "-c:a", "pcm_s16le"]).arg(&input);
    assert!(convert.status().is_ok_and(|it| it.success()), "ffmpeg makes WAV");
    let index = ENCODED.iter().position(|one| std::ptr::eq(one, reference)).unwrap_or_default();
    let ours = lab.aside(&format!("ours.{}", reference.format));
    let theirs = lab.aside("theirs");
    let mut command = Command::new(reference.program);
    for argument in reference.arguments {
        let text = argument.replace("IN", &input.display().to_string());
        command.arg(text.replace("OUT", &theirs.display().to_string()));
    }
    let index = PathBuf::from(index.to_string());
    let mut our = part(ENCODE, &[&index, &input, &ours]);
    compare(&what, &mut our, vec![(reference.program, command)], record);
}

/// This program, asked for one thing.
fn part(name: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg(name).args(arguments);
    command
}

fn compare(what: &str, ours: &mut Command, peers: Vec<(&str, Command)>, record: &mut Record) {
    for (peer, mut theirs) in peers {
        let is_there = theirs.output().is_ok_and(|output| output.status.success());
        if !is_there {
            record.findings.push(format!("{what}: {peer} cannot"));
            continue;
        }
        let rounds: Vec<(f64, f64)> = (0..=ROUNDS)
            .map(|_| (usage::of(ours).user_s, usage::of(&mut theirs).user_s))
            // The first round warms the caches.
            .skip(1)
            .collect();
        let column =
            |of: fn(&(f64, f64)) -> f64| median(&rounds.iter().map(of).collect::<Vec<_>>());
        let (our, their) = (column(|it| it.0), column(|it| it.1));
        let ratio = column(|it| it.0 / it.1);
        let cells =
            [what, &format!("{our:.2}"), peer, &format!("{their:.2}"), &format!("{ratio:.2}")];
        record.rows.push(cells.map(str::to_owned).to_vec());
        record
            .findings
            .push(format!("{what}: {our:.2} s against {their:.2} s of {peer}, ratio {ratio:.2}"));
    }
}

/// Decodes a file to floats, [`LOOPS`] times.
pub(crate) fn decode_once(arguments: &[String]) {
    let _flush = FlushDenormals::on();
    for _ in 0..LOOPS {
        let file = File::open(&arguments[0]).expect("the file is there");
        let source = BufReader::with_capacity(256 * 1024, file);
        let mut decoder = decode::open(Box::new(source), None).expect("it can be read");
        let channel_count = decoder.info().spec.channel_count();
        let mut samples = Samples::empty(decoder.info().format, channel_count);
        let mut block = Block::new(channel_count, BLOCK_FRAMES);
        while decoder.read(&mut samples, BLOCK_FRAMES).expect("it is sound") > 0 {
            convert::to_block(&samples, &mut block);
        }
    }
}

/// Encodes a WAVE file of 16 bits as one of [`ENCODED`] asks.
pub(crate) fn encode_once(arguments: &[String]) {
    let _flush = FlushDenormals::on();
    let index: usize = arguments[0].parse().expect("a number");
    let reference = &ENCODED[index];
    let format = encode::format(reference.format).expect("it was asked before");
    let source = BufReader::new(File::open(&arguments[1]).expect("the file is there"));
    let mut decoder = decode::open(Box::new(source), None).expect("it can be read");
    let info = decoder.info().clone();
    let takes_floats = !format.is_lossless() && format.formats.contains(&PcmFormat::FLOAT);
    let stored = if takes_floats { PcmFormat::FLOAT } else { PcmFormat::int(reference.bit_depth) };
    let settings = EncodeSettings {
        spec: info.spec.clone(),
        format: stored,
        frame_count: info.frame_count,
        compression_level: reference.level,
        quality: reference.quality,
        tags: Arc::default(),
    };
    let options = File::options().read(true).write(true).create(true).truncate(true).clone();
    let sink = options.open(&arguments[2]).expect("the file can be made");
    let mut encoder = (format.create)(Box::new(sink), settings).expect("it can be written");
    let channel_count = info.spec.channel_count();
    let mut samples = Samples::empty(info.format, channel_count);
    let mut block = Block::new(channel_count, BLOCK_FRAMES);
    while decoder.read(&mut samples, BLOCK_FRAMES).expect("it is sound") > 0 {
        if !takes_floats {
            encoder.write(&samples).expect("there is room");
            continue;
        }
        convert::to_block(&samples, &mut block);
        let planes = block.planes().map(<[f32]>::to_vec).collect();
        encoder.write(&Samples::Float { planes }).expect("there is room");
    }
    encoder.finish().expect("there is room");
}
