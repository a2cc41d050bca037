//! Five minutes of stereo through reverb, equalizer, compressor and loudness: in the sandbox, the same effects linked natively, and
//! pedalboard's native ones.

use crate::record::{Record, median};
use crate::usage;
use effect_compressor::Compressor;
use effect_parametric_eq::ParametricEq;
use effect_reverb::Reverb;
use std::path::{Path, PathBuf};
use std::process::Command;
use wavemill_core::denormals::FlushDenormals;
use wavemill_effect::testing::Rig;
use wavemill_effect::{Block, Effect};
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::signal::{self, Signal};
use wavemill_tests::wav::{self, Stored};

const ROUNDS: usize = 5;
const DURATION_S: usize = 300;
const RATE_HZ: u32 = 48_000;

/// Frames of the executor's blocks.
const BLOCK_FRAMES: usize = 4096;

const HEAD: &str = "version = 1\n[pipeline]\nname = \"chain\"\n";
const EFFECTS: &str = r#"
[[step]]
effect = "reverb"
[[step]]
effect = "parametric-eq"
with = { band_1_gain_db = 3.0, band_5_gain_db = -2.0, band_8_gain_db = 2.0 }
[[step]]
effect = "compressor"
"#;
const LOUDNESS: &str = r#"
[[step]]
use = "loudness"
with = { target_lufs = -16.0, ceiling_dbtp = -1.0 }
"#;
const EXPORT: &str = r#"
[[export]]
format = "wav"
bit_depth = 24
path = "out/{stem}.wav"
on_conflict = "replace"
"#;

/// The same three bands as in [`EFFECTS`].
const BANDS: &[(&str, f64)] =
    &[("band_1_gain_db", 3.0), ("band_5_gain_db", -2.0), ("band_8_gain_db", 2.0)];

/// Times only what it does, not Python's start; the result is written as the pipelines' is.
const PEDALBOARD: &str = r"
import resource, sys
from pedalboard import Pedalboard, Reverb, LowShelfFilter, PeakFilter, HighShelfFilter, Compressor
from pedalboard.io import AudioFile
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_utime
start = used()
with AudioFile(sys.argv[1]) as file:
    audio, rate = file.read(file.frames), file.samplerate
board = Pedalboard([Reverb(), LowShelfFilter(100, 3, 0.71), PeakFilter(1600, -2, 1), HighShelfFilter(10000, 2, 0.71),
                    Compressor(-18, 3, 10, 100)])
audio = board(audio, rate)
with AudioFile(sys.argv[2], 'w', rate, audio.shape[0], bit_depth=24) as file:
    file.write(audio)
print(used() - start)
";

pub(crate) fn run(arguments: &[String]) -> Record {
    let lab = Lab::new();
    let music = signal::music(RATE_HZ, 2, DURATION_S * RATE_HZ as usize, 0.5, 7);
    let input = lab.aside("music.wav");
    wav::write(&input, &music, Stored::Int(16));
    let script = lab.aside("chain.py");
    lab::put(&script, PEDALBOARD.as_bytes());
    let pipeline = |name: &str, steps: &str| lab.pipeline(name, &format!("{HEAD}{steps}{EXPORT}"));
    let mastered = pipeline("mastered", &format!("{EFFECTS}{LOUDNESS}"));
    let plain = pipeline("plain", LOUDNESS);
    let effects = pipeline("effects", EFFECTS);
    let python = arguments.first().map_or("python3", String::as_str);
    let mut columns: [Vec<f64>; 5] = Default::default();
    for round in 0..=ROUNDS {
        let ours = |pipeline: &PathBuf| {
            usage::of(&mut lab.command([Path::new("run"), pipeline, &input])).user_s
        };
        let times = [
            ours(&mastered),
            ours(&plain),
            ours(&effects),
            natively(&music),
            pedalboard(python, &script, &input, &lab.aside("pedalboard.wav")).unwrap_or(f64::NAN),
        ];
        // The first round warms the caches, that of compiled modules too.
        if round > 0 {
            for (column, time) in columns.iter_mut().zip(times) {
                column.push(time);
            }
        }
    }
    record(&columns)
}

fn record(columns: &[Vec<f64>; 5]) -> Record {
    let [mastered, plain, effects, native, pedalboard] =
        columns.each_ref().map(|column| median(column));
    let mut findings = vec![
        format!(
            "reverb, equalizer (3 bands), compressor and loudness, {DURATION_S} s of stereo to WAV: {mastered:.2} s of user CPU; the same without \
             the effects {plain:.2} s, and the effects alone, linked natively, {native:.2} s: ratio {:.2} (medians of {ROUNDS} \
             alternating rounds; promised: at most 1.3)",
            mastered / (plain + native)
        ),
        format!("the effects without loudness: {effects:.2} s of user CPU"),
    ];
    findings.push(if pedalboard.is_nan() {
        "pedalboard: skipped, because no python with it was named".to_owned()
    } else {
        format!(
            "pedalboard's Reverb, LowShelfFilter, PeakFilter, HighShelfFilter and Compressor, reading and writing the same, Python's start not \
             counted: {pedalboard:.2} s; ratio of ours with loudness {:.2}, without {:.2} (promised: at most 1)",
            mastered / pedalboard,
            effects / pedalboard
        )
    });
    let rows = (0..columns[0].len())
        .map(|round| {
            let numbers = columns.iter().map(|column| format!("{:.2}", column[round]));
            std::iter::once((round + 1).to_string()).chain(numbers).collect()
        })
        .collect();
    let columns = vec![
        "round",
        "mastered_user_s",
        "without_effects_user_s",
        "without_loudness_user_s",
        "native_effects_user_s",
        "pedalboard_user_s",
    ];
    Record { findings, columns, rows }
}

/// User CPU of pedalboard's chain; `None` where there is none.
fn pedalboard(python: &str, script: &Path, input: &Path, output: &Path) -> Option<f64> {
    let said = Command::new(python).arg(script).arg(input).arg(output).output().ok()?;
    String::from_utf8_lossy(&said.stdout).trim().parse().ok()
}

/// User CPU of the effects alone.
fn natively(music: &Signal) -> f64 {
    let _flush = FlushDenormals::on();
    let mut reverb = started::<Reverb>(&[]);
    let mut eq = started::<ParametricEq>(BANDS);
    let mut compressor = started::<Compressor>(&[]);
    let stride = BLOCK_FRAMES + 16;
    let mut samples = vec![0.0; 2 * stride];
    let start = own_user_s();
    for at in (0..music.frame_count()).step_by(BLOCK_FRAMES) {
        let count = BLOCK_FRAMES.min(music.frame_count() - at);
        for (plane, channel) in samples.chunks_exact_mut(stride).zip(&music.planes) {
            plane[..count].copy_from_slice(&channel[at..at + count]);
        }
        let mut block = Block::new(&mut samples, stride, count);
        let _ = std::hint::black_box(reverb.process(&mut block));
        let _ = std::hint::black_box(eq.process(&mut block));
        let _ = std::hint::black_box(compressor.process(&mut block));
    }
    own_user_s() - start
}

fn own_user_s() -> f64 {
    usage::user_s(std::process::id()).expect("this process runs")
}

fn started<E: Effect>(params: &[(&str, f64)]) -> E {
    let mut rig = Rig::<E>::new(f64::from(RATE_HZ), 2, BLOCK_FRAMES).with_all(params);
    rig.start().expect("the effect can be created");
    rig.into_effect()
}
