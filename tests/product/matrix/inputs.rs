//! Files of independent programs: we decode what ffmpeg decodes, in the exact length.

use crate::table::{Equal, Length, ROWS, Row};
use crate::{Decoded, Raw, Tally, decoded};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use wavemill_tests::external::Tool;
use wavemill_tests::lab::Lab;
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// Length of what files are made from: several packets of every codec, and not a whole number of any.
const SECONDS: f64 = 0.15;

/// Combinations there must be where every program is there.
const COUNT: usize = 600;

/// A file of the matrix.
struct Case {
    row: &'static Row,
    path: PathBuf,
    raw: PathBuf,
    frames: usize,
}

impl Case {
    fn name(&self) -> String {
        let source = self.path.parent().unwrap().file_name().unwrap().to_string_lossy();
        format!("{} of {} at {source}", self.row.extension, self.row.tool)
    }

    fn raw_format(&self) -> &'static str {
        let is_float =
            matches!(self.row.equal, Equal::Within(_)) || self.row.extension.contains("f32");
        if is_float { "f32le" } else { "s32le" }
    }
}

#[test]
fn files_of_other_programs_decode_as_ffmpeg_decodes_them() {
    let Some(ffmpeg) = Tool::find("ffmpeg") else { return };
    let others: BTreeSet<&str> =
        ROWS.iter().map(|row| row.tool).filter(|it| *it != "ffmpeg").collect();
    let others: Vec<(&str, Option<Tool>)> =
        others.into_iter().map(|name| (name, Tool::find(name))).collect();
    let lab = Lab::new();
    let mut tally = Tally::default();
    let rates: BTreeSet<u32> = ROWS.iter().flat_map(|row| row.rates_hz).copied().collect();
    for rate_hz in rates {
        for channels in [1, 2, 6, 8] {
            let rows = ROWS.iter().filter(|row| row.rates_hz.contains(&rate_hz));
            let rows: Vec<_> = rows.filter(|row| row.channels.contains(&channels)).collect();
            for case in made(&lab, &ffmpeg, &others, (rate_hz, channels), &rows) {
                tally.add(&case.name(), check(&case, channels));
            }
        }
    }
    let has_all = others.iter().all(|(_, tool)| tool.is_some());
    tally.finish("files that we read", if has_all { COUNT } else { 0 });
}

/// The files of one rate and channel count, and what ffmpeg decodes them to.
fn made(
    lab: &Lab,
    ffmpeg: &Tool,
    others: &[(&str, Option<Tool>)],
    (rate_hz, channels): (u32, usize),
    rows: &[&'static Row],
) -> Vec<Case> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short time")]
    let frames = (SECONDS * f64::from(rate_hz)) as usize + 1;
    let source = signal::pink(rate_hz, channels, frames, 0.5, 7);
    let folder = format!("{rate_hz} Hz {channels} ch");
    let floats = lab.aside(&format!("{folder}/source-f32.wav"));
    let ints = lab.aside(&format!("{folder}/source-s16.wav"));
    wav::write(&floats, &source, Stored::Float);
    let mut arguments = words(&["-nostdin", "-v", "error", "-y", "-i"]);
    arguments.push(floats.into());
    // What hound writes into its headers is not what every encoder takes.
    let names = [(1, "mono"), (2, "stereo"), (6, "5.1"), (8, "7.1")];
    let name = names.iter().find(|(count, _)| *count == channels).unwrap().1;
    let layout = format!("aformat=channel_layouts={name}");
    arguments.extend(words(&["-map", "0:a", "-af", &layout, "-c:a", "pcm_s16le"]));
    arguments.push(ints.clone().into());
    let mut cases = Vec::new();
    let mut calls = Vec::new();
    for &row in rows {
        let path = lab.aside(&format!("{folder}/{}", row.extension));
        let raw = path.with_added_extension("raw");
        if row.tool == "ffmpeg" {
            arguments.extend(words(&["-map", "0:a", "-af", &layout]));
            arguments.extend(words(row.options));
            arguments.push(path.clone().into());
        } else {
            let tool = others.iter().find(|(name, _)| *name == row.tool);
            let Some((_, Some(tool))) = tool else { continue };
            calls.push((tool, filled(row.options, &ints, &path)));
        }
        cases.push(Case { row, path, raw, frames });
    }
    if cases.is_empty() {
        return cases;
    }
    ffmpeg.output(&arguments);
    for (tool, arguments) in calls {
        tool.output(&arguments);
    }
    decode_all(ffmpeg, &cases);
    cases
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn filled(options: &[&str], input: &Path, output: &Path) -> Vec<OsString> {
    let fill = |word: &&str| match *word {
        "IN" => input.into(),
        "OUT" => output.into(),
        other => other.into(),
    };
    options.iter().map(fill).collect()
}

/// One call for all of them.
fn decode_all(ffmpeg: &Tool, cases: &[Case]) {
    let mut arguments = words(&["-nostdin", "-v", "error", "-y"]);
    for case in cases {
        if case.row.extension.contains("opus") {
            arguments.extend(words(&["-c:a", "libopus", "-request_sample_fmt", "flt"]));
        }
        arguments.push("-i".into());
        arguments.push(case.path.clone().into());
    }
    for (index, case) in cases.iter().enumerate() {
        arguments.extend(words(&["-map", &format!("{index}:a"), "-f", case.raw_format()]));
        arguments.push(case.raw.clone().into());
    }
    ffmpeg.output(&arguments);
}

fn check(case: &Case, channels: usize) -> Result<(), String> {
    let ours = decoded(&case.path)?;
    let count = ours.info.spec.channel_count();
    if count != channels {
        return Err(format!("{count} channels"));
    }
    let raw = std::fs::read(&case.raw).map_err(|error| error.to_string())?;
    let theirs = raw.len() / 4 / channels;
    let expected = match case.row.length {
        Length::Source => case.frames,
        Length::Decoded => theirs,
    };
    if ours.frames != expected {
        return Err(format!("{} frames, {expected} expected, ffmpeg has {theirs}", ours.frames));
    }
    if ours.info.frame_count.is_some_and(|count| count.0 != expected as u64) {
        return Err(format!("its header gives {:?}", ours.info.frame_count));
    }
    is_equal(case.row.equal, &ours, raw.as_chunks().0)
}

/// Compares as far as both go: ffmpeg leaves some padding in place.
fn is_equal(equal: Equal, ours: &Decoded, theirs: &[[u8; 4]]) -> Result<(), String> {
    match (&ours.samples, equal) {
        (Raw::Ints(ours), Equal::Bits) => {
            let theirs: Vec<i32> = theirs.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect();
            if *ours == theirs { Ok(()) } else { Err("other samples".to_owned()) }
        }
        (Raw::Floats(ours), _) => {
            let tolerance = if let Equal::Within(tolerance) = equal { tolerance } else { 0.0 };
            let theirs = theirs.iter().map(|bytes| f32::from_le_bytes(*bytes));
            let largest = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            if largest <= tolerance { Ok(()) } else { Err(format!("differs by {largest}")) }
        }
        _ => Err("samples of another kind".to_owned()),
    }
}
