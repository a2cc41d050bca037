//! What the user asked for that needs the disk: the window goes on meanwhile.

use super::Face;
use crate::lookup::Answer;
use crate::rack::source::{Source, effects};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_core::audio::StreamSpec;
use wavemill_rack::{Loaded, Part};

/// One thing at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    /// Fills a slot with an effect or a step of this name or path.
    Choose { slot: usize, name: String },
    /// Loads a pipeline's steps.
    Load { path: PathBuf, spec: StreamSpec },
    /// Writes a new file.
    Save { path: PathBuf, text: String },
    /// Allows the module of a slot.
    Trust { slot: usize, source: Source },
}

/// What became of it; an error is one line or more for the user.
#[derive(Clone)]
pub(super) enum Outcome {
    Chosen(Result<(Source, Part), String>),
    Loaded(Result<Box<Loaded>, Vec<String>>),
    Saved(Result<(), String>),
    Trusted,
}

const LATE: &str = "The disk does not answer.";

/// On a thread of its own.
fn work(request: &Request) -> Outcome {
    match request {
        Request::Choose { name, .. } => Outcome::Chosen(Source::choose(name)),
        Request::Load { path, spec } => Outcome::Loaded(load(path, spec)),
        Request::Save { path, text } => Outcome::Saved(save(path, text)),
        Request::Trust { source, .. } => {
            source.trust();
            Outcome::Trusted
        }
    }
}

fn load(path: &Path, spec: &StreamSpec) -> Result<Box<Loaded>, Vec<String>> {
    let wrong = |error: std::io::Error| vec![format!("{}: {error}", path.display())];
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(wrong)?.is_file() {
        return Err(vec![format!("{}: is not a file", path.display())]);
    }
    let text = fs::read_to_string(path).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    wavemill_rack::parts(&text, &effects().in_folder(folder), spec).map(Box::new).map_err(|found| {
        found.iter().map(|one| format!("line {}: {}", one.line, one.message)).collect()
    })
}

/// Never over a file that is there.
fn save(path: &Path, text: &str) -> Result<(), String> {
    let file = fs::File::options().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

impl Face {
    /// Asks the disk, or looks for its answer; whether it is still waited for.
    pub(super) fn settle_request(&mut self) -> bool {
        let Some(request) = self.request.clone() else { return false };
        let outcome = match self.disk.ask(&request, Duration::MAX, work) {
            Answer::Waiting => return true,
            Answer::Late => None,
            Answer::Known(outcome) => Some(outcome.clone()),
        };
        self.request = None;
        self.disk.forget();
        self.take(&request, outcome);
        false
    }

    fn take(&mut self, request: &Request, outcome: Option<Outcome>) {
        match (request, outcome) {
            (Request::Choose { slot, .. }, Some(Outcome::Chosen(Ok(content)))) => {
                self.remember();
                self.desk.model().place(*slot, Some(content));
                (self.shown, self.path_problem) = (*slot, None);
                self.desk.changed();
            }
            (_, Some(Outcome::Chosen(Err(problem)))) => self.path_problem = Some(problem),
            (Request::Choose { .. }, None) => self.path_problem = Some(LATE.to_owned()),
            (Request::Trust { slot, .. }, _) => {
                self.desk.model().retry(*slot);
                self.desk.changed();
            }
            (_, Some(Outcome::Loaded(Ok(loaded)))) => {
                let (parts, notes) = *loaded;
                self.remember();
                for (slot, part) in parts.into_iter().enumerate() {
                    self.desk.model().place(slot, part.map(|part| (Source::of(&part), part)));
                }
                self.desk.changed();
                let loaded = || vec!["Loaded.".to_owned()];
                self.header.note(Ok(if notes.is_empty() { loaded() } else { notes }));
            }
            (_, Some(Outcome::Loaded(Err(problems)))) => self.header.note(Err(problems)),
            (_, Some(Outcome::Saved(Ok(())))) => self.header.note(Ok(self.saved_notes())),
            (_, Some(Outcome::Saved(Err(problem)))) => self.header.note(Err(vec![problem])),
            (_, None | Some(Outcome::Chosen(Ok(_)) | Outcome::Trusted)) => {
                self.header.note(Err(vec![LATE.to_owned()]));
            }
        }
    }
}
