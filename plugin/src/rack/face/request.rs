//! What the user asked for that needs the disk: the window goes on meanwhile.

use super::Face;
use crate::lookup::Answer;
use crate::rack::folders;
use crate::rack::source::{Source, effects};
use crate::window::new_file;
use nice_plug::context::gui::GuiContext;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_core::audio::StreamSpec;
use wavemill_pipelines::Diagnostic;
use wavemill_rack::{Loaded, Part};

/// One thing at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    /// Fills a slot with an effect or a step of this name or path.
    Choose { slot: usize, name: String },
    /// Loads a pipeline's steps.
    Load { path: PathBuf, spec: StreamSpec },
    /// Writes a new file.
    Save { path: PathBuf, text: String, is_preset: bool },
    /// Reads a preset for what a slot holds.
    Preset { slot: usize, part: Part, path: PathBuf },
    /// Allows the module of a slot.
    Trust { slot: usize, source: Source },
}

/// What became of it; an error is one line or more for the user.
#[derive(Clone)]
pub(super) enum Outcome {
    Chosen(Result<(Source, Part), String>),
    Loaded(Result<Box<Loaded>, Vec<String>>),
    Saved(Result<(), String>),
    Preset(Result<Part, String>),
    Trusted,
}

pub(super) const LATE: &str = "The disk does not answer.";

/// On a thread of its own.
fn work(request: &Request) -> Outcome {
    match request {
        Request::Choose { name, .. } => Outcome::Chosen(Source::choose(name)),
        Request::Load { path, spec } => Outcome::Loaded(load(path, spec)),
        Request::Save { path, text, .. } => Outcome::Saved(save(path, text)),
        Request::Preset { part, path, .. } => Outcome::Preset(preset(part, path)),
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
    let loaded = wavemill_rack::parts(&text, &effects().in_folder(folder), spec);
    loaded.map(Box::new).map_err(|mistakes| mistakes.iter().map(line).collect())
}

/// A mistake as `wavemill check` says it, in one line.
fn line(mistake: &Diagnostic) -> String {
    let Diagnostic { line, message, .. } = mistake;
    match &mistake.help {
        Some(help) => format!("line {line}: {message}; {help}"),
        None => format!("line {line}: {message}"),
    }
}

/// Never over a file that is there. Folders of Wavemill's own are made.
fn save(path: &Path, text: &str) -> Result<(), String> {
    let own = folders::data().filter(|data| path.starts_with(data));
    let folder = own.and(path.parent()).map_or(Ok(()), fs::create_dir_all);
    folder.map_err(|error| format!("{}: {error}", path.display()))?;
    new_file::write(path, text)
}

/// The part with the values of a preset file.
fn preset(part: &Part, path: &Path) -> Result<Part, String> {
    let module = part.module().ok_or("Steps have no presets.")?.clone();
    let path = path.to_str().ok_or("The path is no Unicode text.")?;
    Part::effect(part.name(), module, Some(path)).map_err(|error| error.reason)
}

impl Face {
    /// Asks the disk, or looks for its answer; whether it is still waited for.
    pub(super) fn settle_request(&mut self, context: &GuiContext) -> bool {
        let Some(request) = self.request.clone() else { return false };
        let outcome = match self.disk.ask(&request, Duration::MAX, work) {
            Answer::Waiting => return true,
            Answer::Late => None,
            Answer::Known(outcome) => Some(outcome.clone()),
        };
        self.request = None;
        self.disk.forget();
        self.take(&request, outcome, context);
        false
    }

    fn take(&mut self, request: &Request, outcome: Option<Outcome>, context: &GuiContext) {
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
            (Request::Save { is_preset: true, .. }, Some(Outcome::Saved(result))) => {
                self.lists.forget();
                self.presets.problem = result.err();
            }
            (Request::Preset { slot, part, .. }, Some(Outcome::Preset(Ok(taken)))) => {
                self.presets.problem = None;
                let slots = self.desk.model().slots();
                // Something else may be there meanwhile.
                if slots[*slot].part.as_ref().is_some_and(|own| own.name() == part.name()) {
                    self.shown = *slot;
                    self.take_values(&taken, context);
                }
            }
            (_, Some(Outcome::Preset(Err(problem)))) => self.presets.problem = Some(problem),
            (Request::Preset { .. }, None) => self.presets.problem = Some(LATE.to_owned()),
            (_, Some(Outcome::Saved(Ok(())))) => self.header.note(Ok(self.saved_notes())),
            (_, Some(Outcome::Saved(Err(problem)))) => self.header.note(Err(vec![problem])),
            (
                _,
                None | Some(Outcome::Chosen(Ok(_)) | Outcome::Preset(Ok(_)) | Outcome::Trusted),
            ) => {
                self.header.note(Err(vec![LATE.to_owned()]));
            }
        }
    }
}
