//! Measurements against peers and against promises, run on demand: `cargo xtask bench NAME`.
//!
//! Each prints its table and writes it to `tests/bench/runs/<date>-<machine>/`. Ratios are of runs that
//! alternated; single times on a shared machine mean little.

#![expect(clippy::print_stdout, reason = "a program that prints measurements")]
#![expect(clippy::print_stderr, reason = "a program that prints measurements")]

mod analyze;
mod burst;
mod effects;
mod effects_chain;
mod exports;
mod formats;
mod history;
mod jobs;
mod large;
mod latency;
mod loudness;
mod master;
mod memory;
mod music;
mod plugin;
mod rack;
mod sandbox;
mod similar;
mod streams;

use std::process::ExitCode;
use wavemill_tests::{record, usage};

type Bench = fn(&[String]) -> record::Record;

type Part = fn(&[String]);

#[rustfmt::skip]
const BENCHES: &[(&str, &str, Bench)] = &[
    ("analyze", "the full report of 5 min of stereo against librosa and pyloudnorm [PYTHON [FILE.wav]]", analyze::run),
    ("burst",   "10,000 files dropped at once, three levels deep in new folders", burst::run),
    ("effects", "modules in the sandbox against the same effects linked natively [FOLDER of .wasm]", effects::run),
    ("effects-chain", "reverb, equalizer, compressor and loudness in the sandbox, natively, and pedalboard's [PYTHON]", effects_chain::run),
    ("exports", "four exports of one run against what each takes by itself [FILE.wav]", exports::run),
    ("formats", "decoding against ffmpeg and libsndfile, encoding against reference programs [FILE.wav [PYTHON]]", formats::run),
    ("history", "300,000 jobs through a store that forgets all but the last 50,000", history::run),
    ("jobs",    "what a job costs besides its sound; two jobs on two cores", jobs::run),
    ("large",   "5 GB of samples through export and analyze", large::run),
    ("latency", "last byte written to job start, with 100,000 files in the tree", latency::run),
    ("loudness", "the meter against ebur128; analyze against ffmpeg, loudgain, pyloudnorm [FILE.wav [PYTHON]]", loudness::run),
    ("master",  "WAV 5 min to FLAC 24 at -16 LUFS against ffmpeg loudnorm [FILE.wav [FFMPEG_NORMALIZE]]", master::run),
    ("memory",  "two hours of 48 kHz stereo through the podcast pipeline", memory::run),
    ("music",   "tempo, beats, keys and chords of rendered music against librosa, essentia and aubio [PYTHON [FOLDER]]", music::run),
    ("plugin",  "size, load and CPU of the plugin against x42's and LSP's meters; 32 instances [FILE.clap]", plugin::run),
    ("plugin-stall", "an hour through the plugin's capture while the disk stalls [FILE.clap [MINUTES]]", plugin::capture::run),
    ("rack",    "eight effects in the rack against the same effects linked natively, and 32 such chains", rack::run),
    ("sandbox", "what an effect costs besides its arithmetic: calls, starts, compiling", sandbox::run),
    ("similar", "a file against 100,000 references in a store, end to end and through a daemon", similar::run),
    ("streams", "up to 64 live streams of stereo reverb through a daemon, at the pace of a sound card", streams::run),
];

/// What a measurement lets this program do in a process of its own.
#[rustfmt::skip]
const PARTS: &[(&str, Part)] = &[
    (formats::DECODE, formats::decode_once),
    (formats::ENCODE, formats::encode_once),
    (plugin::LOAD_ONCE, plugin::load_once),
    (plugin::capture::CAPTURE, plugin::capture::capture),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = arguments.first().map(String::as_str);
    if let Some((_, part)) = PARTS.iter().find(|(name, _)| Some(*name) == wanted) {
        part(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    let Some((name, about, run)) = BENCHES.iter().find(|(name, ..)| Some(*name) == wanted) else {
        for (name, about, _) in BENCHES {
            eprintln!("  {name:<13} {about}");
        }
        return ExitCode::from(2);
    };
    let record = run(&arguments[1..]);
    println!("{}", record.text(name, about));
    record.write(name, about);
    ExitCode::SUCCESS
}
