//! User CPU of mastering five minutes of stereo to FLAC, 24 bit, -16 LUFS, with the limiter, against
//! ffmpeg's two-pass `loudnorm` in linear mode and ffmpeg-normalize, which calls it.

use crate::record::{Record, median};
use crate::usage;
use std::path::{Path, PathBuf};
use std::process::Command;
use wavemill_tests::lab::Lab;
use wavemill_tests::wav::{self, Stored};
use wavemill_tests::{oracle, signal};

const ROUNDS: usize = 7;
const DURATION_S: usize = 300;

const PIPELINE: &str = r#"
version = 1
[pipeline]
name = "master"
[[step]]
use = "loudness"
with = { target_lufs = -16.0, ceiling_dbtp = -1.0, mode = "limit" }
[[export]]
format = "flac"
bit_depth = 24
path = "out/{stem}.flac"
on_conflict = "replace"
"#;

pub(crate) fn run(arguments: &[String]) -> Record {
    let lab = Lab::new();
    let input = arguments.first().map_or_else(|| five_minutes(&lab), PathBuf::from);
    let pipeline = lab.pipeline("master", PIPELINE);
    let normalize = arguments.get(1).map(PathBuf::from);
    let columns = vec!["round", "wavemill_user_s", "ffmpeg_user_s", "ffmpeg_normalize_user_s"];
    let mut record = Record { columns, ..Record::default() };
    let (mut ours, mut theirs, mut normalized) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut command = lab.command([Path::new("run"), &pipeline, &input]);
        let our = usage::of(&mut command).user_s;
        let their = loudnorm(&input, &lab.aside("loudnorm.flac"));
        let other = normalize.as_deref().map(|program| {
            let output = lab.aside("normalized.flac");
            usage::of(&mut normalize_command(program, &input, &output)).user_s
        });
        // The first round warms the caches.
        if round > 0 {
            let cells = [Some(our), Some(their), other];
            let cells = cells.map(|cell| cell.map_or_else(String::new, |value| value.to_string()));
            record.rows.push([vec![round.to_string()], cells.to_vec()].concat());
            ours.push(our);
            theirs.push(their);
            normalized.extend(other);
        }
    }
    record.findings = vec![compared("ffmpeg (two passes)", &ours, &theirs)];
    if !normalized.is_empty() {
        record.findings.push(compared("ffmpeg-normalize", &ours, &normalized));
    }
    record.findings.push(loudness_of(&lab, &input));
    record
}

fn compared(peer: &str, ours: &[f64], theirs: &[f64]) -> String {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(our, their)| our / their).collect();
    format!(
        "user CPU: {:.2} s against {:.2} s of {peer}, ratio {:.3} (medians of {ROUNDS} alternating rounds; promised against ffmpeg: at most 0.2)",
        median(ours),
        median(theirs),
        median(&ratios)
    )
}

/// The same task for ffmpeg-normalize.
fn normalize_command(program: &Path, input: &Path, output: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(input).args(["-t", "-16", "-tp", "-1", "-f", "-ar", "44100", "-c:a", "flac"]);
    command.args(["-e=-sample_fmt s32", "-o"]).arg(output);
    command
}

/// Music of five minutes.
pub(crate) fn five_minutes(lab: &Lab) -> PathBuf {
    let path = lab.aside("music.wav");
    let music = signal::music(44100, 2, DURATION_S * 44100, 0.5, 7);
    wav::write(&path, &music, Stored::Int(16));
    path
}

/// What an independent decoder and meter say of the result.
fn loudness_of(lab: &Lab, input: &Path) -> String {
    let stem = input.file_stem().expect("the input has a name").to_string_lossy().into_owned();
    let Some(ffmpeg) = wavemill_tests::external::Ffmpeg::find() else { return String::new() };
    let finished = ffmpeg.decode(&lab.root().join(format!("out/{stem}.flac")));
    format!("the result, by an independent decoder and meter: {:?}", oracle::measure(&finished))
}

/// Both passes; the sum of their user times.
fn loudnorm(input: &Path, output: &Path) -> f64 {
    let filter = "loudnorm=I=-16:TP=-1:LRA=20:print_format=json";
    let mut first = ffmpeg(input);
    let said = first.args(["-af", filter, "-f", "null", "-"]).output().expect("ffmpeg runs");
    let log = String::from_utf8_lossy(&said.stderr).into_owned();
    let mut again = ffmpeg(input);
    let measuring = usage::of(again.args(["-af", filter, "-f", "null", "-"])).user_s;
    let value = |key: &str| {
        let at = log.find(&format!("\"{key}\"")).unwrap_or_else(|| panic!("no {key} in {log}"));
        log[at..].split('"').nth(3).expect("a quoted value follows").to_owned()
    };
    let second = format!(
        "loudnorm=I=-16:TP=-1:LRA=20:linear=true:measured_I={}:measured_TP={}:measured_LRA={}:measured_thresh={}:offset={}",
        value("input_i"),
        value("input_tp"),
        value("input_lra"),
        value("input_thresh"),
        value("target_offset")
    );
    let mut command = ffmpeg(input);
    command.args(["-y", "-af", &second, "-ar", "44100", "-sample_fmt", "s32", "-c:a", "flac"]);
    measuring + usage::of(command.arg(output)).user_s
}

fn ffmpeg(input: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-threads", "1", "-i"]).arg(input);
    command
}
