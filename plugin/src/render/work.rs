//! One render: every file of a capture through the pipeline, and a copy to the watched folder.

use super::chosen::load;
use super::journal::{Journal, sweep};
use super::sending::send;
use super::state::{Line, Render, Stage};
use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{self, Decision, Hooks, Job, Places, Proposal, RunError};
use wavemill_pipelines::publishing::{LocalHooks, hash_reader, publish_outcome};

/// What is to be done with a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// Its files, in order.
    pub(crate) parts: Vec<PathBuf>,
    /// What is wrong with the capture itself, one line.
    pub(crate) doubts: Vec<String>,
    /// Name of a shipped pipeline or path of a file.
    pub(crate) pipeline: Option<String>,
    /// A folder that gets a copy.
    pub(crate) watch_folder: Option<PathBuf>,
}

impl Request {
    /// Whether there is anything to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty() || (self.pipeline.is_none() && self.watch_folder.is_none())
    }

    /// What it is, in a word or two.
    pub(super) fn name(&self) -> String {
        let pipeline = self.pipeline.as_ref().map(|pipeline| {
            let name = Path::new(pipeline).file_stem().unwrap_or_default();
            name.to_string_lossy().into_owned()
        });
        pipeline.unwrap_or_else(|| "send".to_owned())
    }
}

/// Why something was not made.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was asked to stop.
    Canceled,
    /// One line.
    Reason(String),
}

impl Failure {
    pub(super) fn about(path: &Path, error: &io::Error) -> Self {
        Self::Reason(format!("{}: {error}", path.display()))
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Canceled => Self::Canceled,
            other => Self::Reason(other.to_string()),
        }
    }
}

pub(super) fn is_canceled(cancel: &AtomicBool) -> bool {
    cancel.load(Ordering::Relaxed)
}

/// Does what is asked, and reports how it went.
pub(super) fn carry_out(request: &Request, render: &Render) {
    render.set_stage(Stage::Working);
    for doubt in &request.doubts {
        render.push(Line::Note(doubt.clone()));
    }
    let mut work = Work { request, render, done: 0, has_failed: false };
    match work.all() {
        Ok(()) if work.has_failed => render.set_stage(Stage::Failed),
        Ok(()) => {
            render.set_progress(1.0);
            render.set_stage(Stage::Done);
        }
        Err(()) => render.set_stage(Stage::Canceled),
    }
}

struct Work<'a> {
    request: &'a Request,
    render: &'a Render,
    /// Files rendered or sent.
    done: usize,
    has_failed: bool,
}

impl Work<'_> {
    /// Everything, one after the other; an error when it was asked to stop.
    fn all(&mut self) -> Result<(), ()> {
        let request = self.request;
        let folders: BTreeSet<_> = request.parts.iter().filter_map(|part| part.parent()).collect();
        folders.into_iter().for_each(sweep);
        if let Some(choice) = &request.pipeline {
            match load(choice) {
                Ok(pipeline) => {
                    for part in &request.parts {
                        let rendered = self.render(&pipeline, part);
                        self.note(part, rendered)?;
                    }
                }
                Err(reason) => self.fail(reason),
            }
        }
        // Also when the pipeline was refused: the host may have what the plugin lacks.
        if let Some(folder) = &request.watch_folder {
            for part in &request.parts {
                let (render, done, total) = (self.render, self.done, self.total());
                let mut progress = |share: f64| render.set_progress((done as f64 + share) / total);
                let sent = send(part, folder, render.canceled(), &mut progress);
                let sent = sent.map(|path| render.push(Line::Made(path)));
                self.note(part, sent)?;
            }
        }
        Ok(())
    }

    /// Files to render and to send.
    fn total(&self) -> f64 {
        let Request { parts, pipeline, watch_folder, .. } = self.request;
        let times = usize::from(pipeline.is_some()) + usize::from(watch_folder.is_some());
        (parts.len() * times) as f64
    }

    fn note(&mut self, part: &Path, result: Result<(), Failure>) -> Result<(), ()> {
        self.done += 1;
        match result {
            Ok(()) => {}
            Err(Failure::Canceled) => return Err(()),
            Err(Failure::Reason(reason)) if self.request.parts.len() > 1 => {
                let name = part.file_name().unwrap_or_default().to_string_lossy();
                self.fail(format!("{name}: {reason}"));
            }
            Err(Failure::Reason(reason)) => self.fail(reason),
        }
        Ok(())
    }

    fn fail(&mut self, reason: String) {
        self.has_failed = true;
        self.render.push(Line::Error(reason));
    }

    /// Runs one file through the pipeline and gives what it makes its names.
    fn render(&self, pipeline: &Pipeline, part: &Path) -> Result<(), Failure> {
        let (done, total, cancel) = (self.done as f64, self.total(), self.render.canceled());
        let part = &std::path::absolute(part).map_err(|error| Failure::about(part, &error))?;
        let folder = part.parent().unwrap_or(Path::new("/"));
        let job = Job {
            id: job_id(),
            attempt: 1,
            input: part.clone(),
            name: PathBuf::new(),
            reldir: PathBuf::new(),
            created: jiff::Zoned::now().to_string(),
            hash: hash(part, cancel)?,
            group: None,
        };
        let mut journal = Journal::begin(folder, &job.id);
        let progress = |share: f64| self.render.set_progress((done + share) / total);
        let spool = journal.folder().to_owned();
        let mut hooks =
            JournalHooks { hooks: LocalHooks::new(&job, progress), journal: &mut journal };
        let places =
            Places { output_root: folder, spool: &spool, cancel, access: Places::direct() };
        let outcome = execution::run(pipeline, &job, &places, &mut hooks)?;
        publish_outcome(&hooks.hooks, &outcome)
            .map_err(|error| Failure::Reason(error.to_string()))?;
        for output in &outcome.outputs {
            self.render.push(Line::Made(output.path.clone()));
        }
        for note in outcome.report.notes() {
            self.render.push(Line::Note(note));
        }
        match outcome.rejected {
            Some(reason) => Err(Failure::Reason(format!("rejected: {reason}"))),
            None => Ok(()),
        }
    }
}

/// Answers a run's questions, and writes its temporary files down.
struct JournalHooks<'a> {
    hooks: LocalHooks<'a>,
    journal: &'a mut Journal,
}

impl Hooks for JournalHooks<'_> {
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        let decisions = self.hooks.decide(proposals)?;
        for decision in &decisions {
            if let Decision::Write { temporary, .. } = decision {
                self.journal.note(temporary);
            }
        }
        Ok(decisions)
    }

    fn progress(&mut self, share: f64) {
        self.hooks.progress(share);
    }
}

/// The hash of a file of any size, unless it is asked to stop.
fn hash(path: &Path, cancel: &AtomicBool) -> Result<String, Failure> {
    struct Cancelable<'a>(File, &'a AtomicBool);
    impl Read for Cancelable<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            if is_canceled(self.1) {
                return Err(io::Error::other("canceled"));
            }
            self.0.read(bytes)
        }
    }
    let hashed = File::open(path).and_then(|file| hash_reader(Cancelable(file, cancel)));
    hashed.map_err(|error| {
        if is_canceled(cancel) { Failure::Canceled } else { Failure::about(path, &error) }
    })
}

/// A name that no other job has: 16 hexadecimal digits by chance.
pub(super) fn job_id() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
