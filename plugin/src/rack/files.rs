//! Modules' files: found when a project is loaded, watched while they are in a slot. Nothing here waits for a disk: what
//! reads is a thread of its own.

use super::source::{Found, Source};
use crate::lookup::{Answer, Lookup};
use std::path::PathBuf;
use std::time::Duration;
use wavemill_rack::{LOOK_TIME, Part, WatchedFile};

/// An answer about a project's module does not grow old.
const FOR_EVER: Duration = Duration::MAX;

const LATE: &str = "the disk does not answer";

/// What became of a file.
struct Looked {
    seen: WatchedFile,
    is_first: bool,
    change: Option<Result<(Source, Part), String>>,
}

/// A module whose file changed, or is looked at for the first time.
pub(crate) struct Change {
    pub(crate) path: PathBuf,
    pub(crate) is_first: bool,
    pub(crate) result: Result<(Source, Part), String>,
}

/// What reads files for the slots of a rack.
#[derive(Default)]
pub(crate) struct Files {
    finding: Lookup<Source, Result<Found, String>>,
    watching: Lookup<Vec<WatchedFile>, Vec<Looked>>,
    seen: Vec<WatchedFile>,
}

impl Files {
    /// Finds what a saved project names; `None` as long as the disk is asked.
    pub(crate) fn find(&mut self, source: &Source) -> Option<Result<Found, String>> {
        if source.file().is_none() {
            return Some(source.find());
        }
        match self.finding.ask(source, FOR_EVER, Source::find) {
            Answer::Known(found) => {
                let found = found.clone();
                self.finding.forget();
                Some(found)
            }
            Answer::Waiting => None,
            Answer::Late => Some(Err(format!("{}: {LATE}", source.name))),
        }
    }

    /// The files in the slots that changed since this was last called, and those that are new here.
    pub(crate) fn changes(&mut self, paths: Vec<PathBuf>) -> Vec<Change> {
        self.seen.retain(|seen| paths.iter().any(|path| path == seen.path()));
        for path in paths {
            if !self.seen.iter().any(|seen| seen.path() == path) {
                self.seen.push(WatchedFile::new(path));
            }
        }
        if self.seen.is_empty() {
            return Vec::new();
        }
        let question = self.seen.clone();
        let Answer::Known(looked) = self.watching.ask(&question, LOOK_TIME, look) else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        let mut seen = Vec::new();
        for one in looked {
            seen.push(one.seen.clone());
            changes.extend(one.change.clone().map(|result| Change {
                path: one.seen.path().to_owned(),
                is_first: one.is_first,
                result,
            }));
        }
        if seen != self.seen {
            self.seen = seen;
            self.watching.forget();
        }
        changes
    }
}

/// Looks at files, and loads those that changed. Between a project's load and the first look one may have changed.
#[expect(clippy::ptr_arg, reason = "the type of a question")]
fn look(files: &Vec<WatchedFile>) -> Vec<Looked> {
    let look = |file: &WatchedFile| {
        let (mut seen, is_first) = (file.clone(), file.is_new());
        let change = seen.look().then(|| Source::load(&seen.path().to_string_lossy()));
        Looked { seen, is_first, change }
    };
    files.iter().map(look).collect()
}
