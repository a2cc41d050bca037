//! The full report of five minutes of stereo against librosa and pyloudnorm computing what they can of
//! it.

use crate::record::{Record, median};
use crate::usage;
use std::path::{Path, PathBuf};
use std::process::Command;
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

const ROUNDS: usize = 5;
const DURATION_S: usize = 300;
const RATE_HZ: u32 = 44_100;

/// What librosa and pyloudnorm have of our report, each from one shared transform; user CPU of the
/// imports, of everything but the separation into harmonic and percussive parts, and of that; then
/// the minutes of audio.
const PEERS: &str = r"
import resource, sys
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_utime
start = used()
import warnings; warnings.simplefilter('ignore')
import numpy, librosa, pyloudnorm
tiny = numpy.zeros(4096, dtype='float32') + 0.1
librosa.feature.zero_crossing_rate(tiny)
librosa.decompose.hpss(librosa.stft(tiny))
imported = used()
stereo, rate = librosa.load(sys.argv[1], sr=None, mono=False)
y = librosa.to_mono(stereo)
transform = librosa.stft(y)
S = numpy.abs(transform)
numbers = [numpy.mean(values) for values in (
    librosa.feature.spectral_centroid(S=S, sr=rate), librosa.feature.spectral_bandwidth(S=S, sr=rate),
    librosa.feature.spectral_rolloff(S=S, sr=rate), librosa.feature.spectral_flatness(S=S),
    librosa.feature.zero_crossing_rate(y), librosa.feature.rms(y=y))]
numbers.append(pyloudnorm.Meter(rate).integrated_loudness(stereo.T))
measured = used()
harmonic, percussive = librosa.decompose.hpss(S)
numbers.append(numpy.sum(harmonic ** 2) / (numpy.sum(harmonic ** 2) + numpy.sum(percussive ** 2)))
separated = used()
print(imported - start, measured - imported, separated - measured, len(y) / rate / 60)
";

/// Seconds of user CPU of the peers, for a minute of audio but for the imports.
#[derive(Clone, Copy)]
struct Peers {
    imports: f64,
    measures: f64,
    separation: f64,
}

pub(crate) fn run(arguments: &[String]) -> Record {
    let lab = Lab::new();
    let python = arguments.first().map_or("python3", String::as_str);
    let (input, minutes) = input(&lab, arguments.get(1));
    let script = lab.aside("peers.py");
    lab::put(&script, PEERS.as_bytes());
    let ours = |only: &[&str]| {
        let mut words = vec!["analyze", "--json", "--no-cache"];
        words.extend(only);
        usage::of(lab.command(words).arg(&input)).user_s / minutes
    };
    let mut columns: [Vec<f64>; 5] = Default::default();
    for round in 0..=ROUNDS {
        let (all, file) = (ours(&[]), ours(&["--only", "file"]));
        let missing = Peers { imports: f64::NAN, measures: f64::NAN, separation: f64::NAN };
        let peers = peers(python, &script, &input).unwrap_or(missing);
        // The first round warms the caches.
        if round > 0 {
            let row = [all, file, peers.imports, peers.measures, peers.separation];
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
    }
    record(&columns)
}

/// A file named by whoever asks, or one made here; and how many minutes it lasts.
fn input(lab: &Lab, named: Option<&String>) -> (PathBuf, f64) {
    if let Some(path) = named {
        let path = std::fs::canonicalize(path).expect("the named file is there");
        let facts =
            lab.run([Path::new("analyze"), "--json".as_ref(), "--only=file".as_ref(), &path]);
        let duration = facts.json()["files"][0]["file"]["duration_s"].as_f64();
        return (path, duration.expect("it has a duration") / 60.0);
    }
    let music = signal::music(RATE_HZ, 2, DURATION_S * RATE_HZ as usize, 0.5, 7);
    let path = lab.aside("music.wav");
    wav::write(&path, &music, Stored::Int(16));
    (path, DURATION_S as f64 / 60.0)
}

fn record(columns: &[Vec<f64>; 5]) -> Record {
    let [all, file, imports, measures, separation] =
        columns.each_ref().map(|column| median(column));
    let mut findings = vec![format!(
        "`analyze --json`, every group, reading, hashing and starting the program included: {all:.4} s of user CPU for a minute of \
         stereo; {file:.4} s of it for reading and hashing (medians of {ROUNDS} alternating rounds)"
    )];
    findings.push(if measures.is_nan() {
        "librosa and pyloudnorm: skipped, because no python with them was named".to_owned()
    } else {
        format!(
            "librosa (load, one shared transform, centroid, bandwidth, rolloff, flatness, zero crossings, RMS) and pyloudnorm (integrated \
             loudness): {measures:.4} s, their import of {imports:.2} s not counted; ratio {:.1} (promised: at least 20). With librosa's \
             harmonic separation, which our report needs too: {:.4} s, ratio {:.1}. They have nothing counted here for true peaks, \
             bands, stereo image and transients",
            measures / all,
            measures + separation,
            (measures + separation) / all
        )
    });
    let rows = (0..columns[0].len())
        .map(|round| {
            let numbers = columns.iter().map(|column| format!("{:.4}", column[round]));
            std::iter::once((round + 1).to_string()).chain(numbers).collect()
        })
        .collect();
    let columns = vec![
        "round",
        "wavemill_user_s_per_minute",
        "reading_and_hashing_user_s_per_minute",
        "python_imports_user_s",
        "librosa_pyloudnorm_user_s_per_minute",
        "librosa_hpss_user_s_per_minute",
    ];
    Record { findings, columns, rows }
}

/// What the peers took; `None` where there are none.
fn peers(python: &str, script: &Path, input: &Path) -> Option<Peers> {
    let said = Command::new(python).arg(script).arg(input).output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [imports, measures, separation, minutes] = numbers[..] else { return None };
    Some(Peers { imports, measures: measures / minutes, separation: separation / minutes })
}
