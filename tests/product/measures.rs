//! What `analyze` says of real files, against librosa and scipy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_tests::external::Tool;
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// Names a Python.
const PYTHON: &str = "WAVEMILL_PYTHON";

/// What it must have.
const MODULES: &str = "librosa, scipy, soundfile";

/// Names a folder with WAV files of music; they are measured beside those made here.
const MUSIC: &str = "WAVEMILL_MUSIC";

/// Spectral numbers equal librosa's within half a percent on real music.
const TOLERANCE: f64 = 0.005;

/// Levels are rounded to a thousandth; half of one, and what filters in other arithmetic differ by.
const TOLERANCE_DB: f64 = 0.001;

/// Two sides with nearly no correlation have no relative exactness.
const CORRELATION_TOLERANCE: f64 = 1e-6;

#[test]
fn spectrum_bands_and_stereo_image_are_those_of_librosa_and_scipy() {
    let Some(python) = Tool::named(PYTHON).filter(|python| python.imports(MODULES)) else { return };
    let lab = Lab::new();
    let mut files = music();
    for (rate_hz, channels, stored) in [
        (44_100, 2, Stored::Int(16)),
        (48_000, 1, Stored::Int(24)),
        (96_000, 2, Stored::Float),
        (22_050, 2, Stored::Int(16)),
        (8000, 1, Stored::Int(16)),
    ] {
        let music = signal::music(rate_hz, channels, 5 * rate_hz as usize, 0.5, 7);
        let path = lab.aside(&format!("{rate_hz}-{channels}.wav"));
        wav::write(&path, &music, stored);
        files.push(path);
    }
    let script = lab.aside("measures.py");
    lab::put(&script, include_bytes!("measures.py"));
    let mut arguments = vec![script];
    arguments.extend(files.iter().cloned());
    let theirs: Vec<Value> = serde_json::from_slice(&python.output(&arguments)).unwrap();
    let mut words: Vec<PathBuf> =
        ["analyze", "--json", "--only", "spectrum,bands,stereo"].map(PathBuf::from).into();
    words.extend(files.iter().cloned());
    let ours = lab.run(&words).json();
    assert_eq!(theirs.len(), files.len());
    for (index, (path, theirs)) in files.iter().zip(&theirs).enumerate() {
        compare(path, "", &ours["files"][index], theirs);
    }
}

/// Every number that they have.
fn compare(path: &Path, key: &str, ours: &Value, theirs: &Value) {
    match theirs {
        Value::Object(members) => {
            for (key, value) in members {
                compare(path, key, &ours[key], value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                compare(path, key, &ours[index], value);
            }
        }
        _ => {
            let what = format!("{} {key}: {ours}, theirs {theirs}", path.display());
            let (ours, theirs) = (ours.as_f64().expect(&what), theirs.as_f64().expect(&what));
            let tolerance = match key {
                "level_dbfs" | "crest_factor_db" | "balance_db" => TOLERANCE_DB,
                "correlation" => CORRELATION_TOLERANCE,
                _ => TOLERANCE * theirs,
            };
            assert!((ours - theirs).abs() <= tolerance, "{what}");
        }
    }
}

fn music() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os(MUSIC) else { return Vec::new() };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "wav")).collect()
}
