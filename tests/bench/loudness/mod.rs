//! Our loudness meter against the `ebur128` crate on the same blocks, and `wavemill analyze` against the
//! programs people use.

mod meters;
mod programs;

use crate::record::Record;
use std::path::{Path, PathBuf};
use wavemill_tests::lab::Lab;
use wavemill_tests::signal::{self, Signal};
use wavemill_tests::wav::{self, Stored};

const RATE_HZ: u32 = 44_100;
const DURATION_S: usize = 300;

/// Arguments: a WAV file of music (else some is synthesized), and a Python that has `pyloudnorm`.
pub(crate) fn run(arguments: &[String]) -> Record {
    let lab = Lab::new();
    // The programs run in another folder.
    let given = |path| std::fs::canonicalize(path).expect("the file of music is there");
    let path = arguments.first().map_or_else(|| synthesize(&lab), given);
    let music = wav::read(&path).signal;
    let frame_count = DURATION_S * RATE_HZ as usize;
    let noise = signal::pink(RATE_HZ, 2, frame_count, 0.3, 1);
    let mut record = Record {
        columns: vec!["what", "round", "ours_s", "theirs_s"],
        findings: vec![described(&path, &music)],
        ..Record::default()
    };
    meters::compare("music", &music, &mut record);
    meters::compare("pink noise", &noise, &mut record);
    programs::compare(&lab, &path, arguments.get(1).map_or("python3", String::as_str), &mut record);
    record
}

fn described(path: &Path, music: &Signal) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let duration_s = music.frame_count() as f64 / f64::from(music.sample_rate_hz);
    format!(
        "music: {name}, {duration_s:.0} s, {} channels, {} Hz; pink noise: {DURATION_S} s, 2 channels",
        music.channel_count(),
        music.sample_rate_hz
    )
}

fn synthesize(lab: &Lab) -> PathBuf {
    let path = lab.aside("music.wav");
    let music = signal::music(RATE_HZ, 2, DURATION_S * RATE_HZ as usize, 0.5, 7);
    wav::write(&path, &music, Stored::Int(16));
    path
}
