//! WAV files that models are trained on, for tests that write what is learned from.

use std::path::{Path, PathBuf};

/// The WAV files of the folder that `WAVEMILL_FEATURES` names, by name; says so where it names none.
pub(crate) fn files() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("WAVEMILL_FEATURES") else {
        println!("skipped: WAVEMILL_FEATURES names no folder to train on");
        return Vec::new();
    };
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wav"));
    files.sort();
    files
}

/// The samples of a WAV file by channel, and its rate.
pub(crate) fn read(path: &Path) -> (u32, Vec<Vec<f32>>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    let (spec, scale) = (reader.spec(), 1.0 / (1u64 << (reader.spec().bits_per_sample - 1)) as f32);
    let all: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().map(Result::unwrap).collect(),
        hound::SampleFormat::Int => {
            reader.samples::<i32>().map(|sample| sample.unwrap() as f32 * scale).collect()
        }
    };
    let count = usize::from(spec.channels);
    let plane = |channel| all.iter().skip(channel).step_by(count).copied().collect();
    (spec.sample_rate, (0..count).map(plane).collect())
}
