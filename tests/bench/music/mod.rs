//! Tempo, beats, keys and chords of rendered music, with librosa, essentia and aubio on the same clips.
//!
//! The clips, the peers and the scores are the Python programs of this folder; the numbers are from one run.

use crate::record::Record;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use wavemill_tests::lab::{self, Lab};
use wavemill_tests::usage;

/// What the Python programs import.
const MODULES: &[&str] =
    &["numpy", "scipy", "soundfile", "mido", "mir_eval", "librosa", "essentia", "aubio"];

/// What they call, and how it is asked for its version.
const PROGRAMS: &[(&str, &str)] = &[
    ("fluidsynth", "--version"),
    ("sox", "--version"),
    ("espeak-ng", "--version"),
    ("lame", "--version"),
];

const FONTS: &[&str] =
    &["/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf2/TimGM6mb.sf2"];

/// The halves of the bed: what the models were trained on, and what nothing was.
const HALVES: &[&str] = &["train", "heldout"];

const GROUPS: &[&str] = &["rhythm", "tonality", "chords"];

const COLUMNS: &[&str] = &[
    "half",
    "set",
    "group",
    "entrant",
    "clips",
    "tempo_exact",
    "tempo_octaves_allowed",
    "tempo_median_error_percent",
    "beats_f_measure",
    "downbeats_f_measure",
    "key_exact",
    "key_mirex",
    "chords_majmin",
    "chords_sevenths",
];

/// `[PYTHON [FOLDER]]`: clips that are in the folder already are not rendered again.
pub(crate) fn run(arguments: &[String]) -> Record {
    let python = arguments.first().map_or("python3", String::as_str);
    let missing = missing(python);
    if !missing.is_empty() {
        let finding = format!("skipped, because of what is missing: {}", missing.join(", "));
        return Record { findings: vec![finding], ..Record::default() };
    }
    let lab = Lab::new();
    let bed = arguments.get(1).map_or_else(|| lab.aside("bed"), PathBuf::from);
    let mut record = Record { columns: COLUMNS.to_vec(), ..Record::default() };
    for half in HALVES {
        let folder = bed.join(half);
        script(python, "bed.py", &[half, &text(&folder), "--resume"]);
        script(python, "peers.py", &[&text(&folder), "--resume"]);
        record.findings.push(costs(&lab, half, &folder));
        let rows = scores(&lab, python, &folder);
        record.findings.extend(findings(half, &rows));
        record.rows.extend(rows);
        record.findings.extend(variants(&lab, python, &folder));
    }
    record
}

/// Modules, programs and sound fonts that are not there.
fn missing(python: &str) -> Vec<String> {
    let runs = |program: &str, words: &[&str]| {
        Command::new(program).args(words).output().is_ok_and(|output| output.status.success())
    };
    if !runs(python, &["--version"]) {
        return vec![format!("Python ({python})")];
    }
    let modules =
        MODULES.iter().filter(|module| !runs(python, &["-c", &format!("import {module}")]));
    let programs = PROGRAMS.iter().filter(|(program, word)| !runs(program, &[word]));
    let fonts = FONTS.iter().filter(|font| !Path::new(font).is_file());
    let modules = modules.map(|module| format!("the Python module {module}"));
    let programs = programs.map(|(program, _)| (*program).to_owned());
    modules.chain(programs).chain(fonts.map(|font| (*font).to_owned())).collect()
}

fn script(python: &str, name: &str, words: &[&str]) {
    let script = lab::repository().join("tests/bench/music/bed").join(name);
    let status = Command::new(python).arg(script).args(words).status();
    assert!(status.is_ok_and(|status| status.success()), "{name} {words:?} failed");
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

/// What each group takes of user CPU for a minute of audio, beyond reading and hashing; and what the peers took.
fn costs(lab: &Lab, half: &str, folder: &Path) -> String {
    let user_s = |only: &str| {
        let words = ["analyze", "--json", "--no-cache", "--only", only];
        usage::of(lab.command(words).arg(folder)).user_s
    };
    let peers: serde_json::Value =
        serde_json::from_str(&read(&folder.join("peers.json"))).expect("peers.py writes JSON");
    let file_s = user_s("file");
    let minutes = minutes(folder);
    let ours =
        GROUPS.iter().map(|group| format!("{group} {:.3}", (user_s(group) - file_s) / minutes));
    let ours: Vec<String> = ours.collect();
    let theirs = peers["cpu_s_per_min"].as_object().into_iter().flatten();
    let theirs: Vec<String> = theirs.map(|(name, cost)| format!("{name} {cost:.2}")).collect();
    format!(
        "{half}: user CPU for a minute of audio, reading and hashing not counted: {} s; processor time of the peers on \
         samples in memory: {} s",
        ours.join(", "),
        theirs.join(", ")
    )
}

fn minutes(folder: &Path) -> f64 {
    let truth: serde_json::Value =
        serde_json::from_str(&read(&folder.join("truth.json"))).expect("bed.py writes JSON");
    let clips = truth.as_array().into_iter().flatten();
    clips.filter_map(|clip| clip["seconds"].as_f64()).sum::<f64>() / 60.0
}

/// The tables of one half, a line for each group of clips and entrant.
fn scores(lab: &Lab, python: &str, folder: &Path) -> Vec<Vec<String>> {
    let results = lab.aside("results.json");
    analyze(lab, folder, &results);
    let table = lab.aside("scores.csv");
    let [folder, results, csv] = [folder, &results, &table].map(text);
    let words = [&folder, &results, "--peers", "--name", "wavemill", "--csv", &csv];
    script(python, "score.py", &words);
    read(&table).lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Writes what is found in the files of a folder.
fn analyze(lab: &Lab, folder: &Path, results: &Path) {
    let only = GROUPS.join(",");
    let words = ["analyze", "--json", "--no-cache", "--only", &only];
    let output = lab.command(words).arg(folder).output().expect("the program runs");
    lab::put(results, &output.stdout);
}

/// How many clips have the same tempo and key at another gain, rate and number of channels, and as MP3.
fn variants(lab: &Lab, python: &str, folder: &Path) -> Vec<String> {
    let out = lab.aside("variants");
    script(python, "variants.py", &[&text(folder), &text(&out)]);
    let kinds = std::fs::read_dir(&out).expect("variants.py writes folders");
    for kind in kinds.filter_map(Result::ok).map(|kind| kind.path()) {
        analyze(lab, &kind, &kind.with_extension("json"));
    }
    let script = lab::repository().join("tests/bench/music/bed/variants.py");
    let said = Command::new(python).arg(script).arg("--compare").arg(&out).output();
    let said = said.expect("python ran before");
    String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the sentences' numbers are in a row of [`COLUMNS`], and whether the best peer's is beside ours.
const MAIN: &[(&str, &str, usize)] = &[
    ("tempo", "tempo exact", 5),
    ("tempo", "octaves allowed", 6),
    ("tempo", "beats F", 8),
    ("key", "key exact", 10),
    ("key", "MIREX", 11),
];

fn findings(half: &str, rows: &[Vec<String>]) -> Vec<String> {
    let all: Vec<&Vec<String>> = rows.iter().filter(|row| row[2] == "all").collect();
    let sentence = |&(set, name, column): &(&str, &str, usize)| {
        let of_set = all.iter().filter(|row| row[1] == set);
        let values: HashMap<&str, f64> =
            of_set.filter_map(|row| Some((row[3].as_str(), row[column].parse().ok()?))).collect();
        let peers = values.iter().filter(|(entrant, _)| **entrant != "wavemill");
        let best = peers.max_by(|a, b| a.1.total_cmp(b.1));
        let ours = values.get("wavemill").copied().unwrap_or(f64::NAN);
        let best = best.map_or_else(String::new, |(peer, value)| format!("; {peer} {value:.3}"));
        format!("{half}, {name}: {ours:.3}{best}")
    };
    MAIN.iter().map(sentence).collect()
}
