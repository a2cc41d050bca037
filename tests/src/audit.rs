//! What must hold of a lab after whatever happened: exactly one whole set of outputs for each input, nothing
//! left behind, and a store that says what the disk says.
//!
//! Violations are returned, not panicked over, so that a long run counts them, and a test can show that
//! each kind is seen.

use crate::lab::Lab;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use wavemill_core::audio::Samples;
use wavemill_core::decode;

/// Frames asked of a decoder at once.
const FRAMES_AT_ONCE: usize = 4096;

/// An input and what must have become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The dropped file.
    pub input: PathBuf,
    /// How its job ends: `done`, `failed`, `rejected`.
    pub state: &'static str,
    /// Frames that each export has.
    pub frames: u64,
    /// Names of all outputs; those that end in `.json` are reports.
    pub outputs: Vec<PathBuf>,
    /// Where the source is at the end; `None` where it is deleted.
    pub source: Option<PathBuf>,
    /// The file that says why it failed.
    pub reason: Option<PathBuf>,
}

impl Expected {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.outputs.iter().chain(&self.source).chain(&self.reason)
    }
}

/// What is wrong at any moment, finished or not: files under final names that are not whole. Those that are
/// `whole` are not looked at again; what is found to be so is added.
pub fn torn(
    folders: &[&Path],
    expected: &[Expected],
    whole: &mut BTreeSet<PathBuf>,
) -> Vec<String> {
    let known: BTreeMap<&PathBuf, &Expected> = expected
        .iter()
        .flat_map(|input| input.outputs.iter().map(move |path| (path, input)))
        .collect();
    let others: BTreeSet<&PathBuf> = expected
        .iter()
        .flat_map(|input| std::iter::once(&input.input).chain(&input.source).chain(&input.reason))
        .collect();
    let mut wrong = Vec::new();
    for path in folders.iter().flat_map(|folder| files_below(folder)) {
        match known.get(&path) {
            Some(_) if whole.contains(&path) => {}
            Some(input) => match not_whole(&path, input.frames) {
                found if found.is_empty() => drop(whole.insert(path)),
                mut found => wrong.append(&mut found),
            },
            None if others.contains(&path) || is_unfinished(&path) => {}
            None => wrong.push(format!("{} is neither an output nor marked", path.display())),
        }
    }
    wrong
}

/// What is wrong once nothing is left to do. All files below the folders are looked at.
pub fn settled(lab: &Lab, folders: &[&Path], expected: &[Expected]) -> Vec<String> {
    let mut wrong = Vec::new();
    let wanted: BTreeSet<PathBuf> = expected.iter().flat_map(Expected::files).cloned().collect();
    let found: BTreeSet<PathBuf> = folders.iter().flat_map(|folder| files_below(folder)).collect();
    wrong.extend(wanted.difference(&found).map(|path| format!("{} is missing", path.display())));
    wrong.extend(found.difference(&wanted).map(|path| format!("{} is left over", path.display())));
    for input in expected {
        let there = input.outputs.iter().filter(|path| found.contains(*path));
        wrong.extend(there.flat_map(|path| not_whole(path, input.frames)));
        wrong.extend(
            input
                .reason
                .iter()
                .filter(|path| is_empty(path))
                .map(|path| format!("{} gives no reason", path.display())),
        );
    }
    wrong.extend(left_in_state(&lab.state()));
    wrong.extend(jobs_at_odds(&lab.jobs(), expected));
    wrong.extend(catalog_at_odds(lab, expected));
    wrong
}

fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "part")
}

fn is_empty(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.trim().is_empty())
}

/// Every file below a folder, hidden ones too.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// What is wrong with an output itself.
fn not_whole(path: &Path, frames: u64) -> Vec<String> {
    let wrong = |what: String| vec![format!("{}: {what}", path.display())];
    if path.extension().is_some_and(|extension| extension == "json") {
        return match report_of(path) {
            Ok(report) => hashes_at_odds(path, &report["outputs"]),
            Err(error) => wrong(error),
        };
    }
    match count_frames(path) {
        Err(error) => wrong(error),
        Ok(found) if found != frames => wrong(format!("{found} frames, not {frames}")),
        Ok(_) => Vec::new(),
    }
}

fn report_of(path: &Path) -> Result<Value, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Frames that a file decodes to.
pub fn count_frames(path: &Path) -> Result<u64, String> {
    let said = |error: decode::DecodeError| error.to_string();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut decoder = decode::open(Box::new(file), None).map_err(said)?;
    let info = decoder.info().clone();
    let mut samples = Samples::empty(info.format, info.spec.channel_count());
    let mut frames = 0;
    loop {
        match decoder.read(&mut samples, FRAMES_AT_ONCE).map_err(said)? {
            0 => return Ok(frames),
            count => frames += count as u64,
        }
    }
}

/// Outputs whose hash on disk is not the one that a list of outputs names.
fn hashes_at_odds(of: &Path, outputs: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for output in outputs.as_array().into_iter().flatten() {
        let path = Path::new(output["path"].as_str().unwrap_or_default());
        let bytes = std::fs::read(path).unwrap_or_default();
        if output["blake3"] != blake3::hash(&bytes).to_hex().as_str() {
            wrong.push(format!("{}: {} has another hash", of.display(), path.display()));
        }
    }
    wrong
}

/// What a state folder holds that is of no use any more.
fn left_in_state(state: &Path) -> Vec<String> {
    let spool = state.join("spool");
    let is_left = |path: &PathBuf| {
        path.starts_with(&spool)
            || is_unfinished(path)
            || path.extension().is_some_and(|extension| extension == "new" || extension == "tmp")
    };
    let left = files_below(state).into_iter().filter(is_left);
    left.map(|path| format!("{} is left over", path.display())).collect()
}

fn paths(outputs: &Value) -> BTreeSet<PathBuf> {
    let outputs = outputs.as_array().into_iter().flatten();
    outputs.filter_map(|output| output["path"].as_str().map(PathBuf::from)).collect()
}

/// What the store says of jobs, against what was expected and what is there.
fn jobs_at_odds(jobs: &[Value], expected: &[Expected]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut by_input: BTreeMap<PathBuf, Vec<&Value>> = BTreeMap::new();
    for job in jobs {
        let input = job["input"].as_str().unwrap_or_default();
        by_input.entry(PathBuf::from(input)).or_default().push(job);
    }
    for input in expected {
        let jobs = by_input.remove(&input.input).unwrap_or_default();
        let [job] = jobs[..] else {
            wrong.push(format!("{} has {} jobs: {jobs:?}", input.input.display(), jobs.len()));
            continue;
        };
        wrong.extend(job_at_odds(job, input));
    }
    wrong.extend(by_input.keys().map(|input| format!("{} has a job", input.display())));
    wrong
}

fn job_at_odds(job: &Value, expected: &Expected) -> Vec<String> {
    let input = expected.input.display();
    if job["state"] != expected.state {
        return vec![format!("job of {input} is {}: {}", job["state"], job["reason"])];
    }
    let mut wrong = Vec::new();
    if expected.state != "done" && job["reason"].as_str().is_none_or(str::is_empty) {
        wrong.push(format!("job of {input} ended without a reason"));
    }
    let wanted: BTreeSet<PathBuf> = expected.outputs.iter().cloned().collect();
    let published = job["outputs"].as_array().into_iter().flatten();
    let published: Value =
        published.filter(|output| output["is_published"] == true).cloned().collect();
    if paths(&published) != wanted {
        wrong.push(format!("job of {input} published {:?}", paths(&published)));
    }
    wrong.extend(hashes_at_odds(&expected.input, &published));
    let moved = job["source_moved_to"].as_str().map(PathBuf::from);
    let is_moved = expected.source.as_ref().is_some_and(|source| *source != expected.input);
    if is_moved && moved != expected.source {
        wrong.push(format!("job of {input} says its source is at {moved:?}"));
    }
    wrong
}

/// What the catalog of made files says, against the disk.
fn catalog_at_odds(lab: &Lab, expected: &[Expected]) -> Vec<String> {
    let ended = lab.run(["files", "list", "--json", "--limit", "100000"]);
    if ended.code != Some(0) {
        return vec![format!("`files list` failed: {ended:?}")];
    }
    let files = &ended.json()["files"];
    let wanted: BTreeSet<PathBuf> =
        expected.iter().flat_map(|input| input.outputs.clone()).collect();
    let found = paths(files);
    let mut wrong = Vec::new();
    if found != wanted {
        let differ: Vec<_> = found.symmetric_difference(&wanted).collect();
        wrong.push(format!("the catalog is at odds about {differ:?}"));
    }
    let absent = files.as_array().into_iter().flatten().filter(|file| file["state"] != "present");
    wrong.extend(absent.map(|file| format!("the catalog says: {file}")));
    wrong.extend(hashes_at_odds(Path::new("catalog"), files));
    wrong
}
