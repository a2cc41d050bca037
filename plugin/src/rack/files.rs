//! Modules' files: found when a project is loaded, watched while they are in a slot. Nothing here waits for a disk: what
//! reads is a thread of its own.

use super::source::{Found, Source};
use crate::lookup::{Answer, Lookup};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use wavemill_rack::Part;

/// How often files are looked at.
pub(crate) const LOOK_TIME: Duration = Duration::from_millis(250);

/// An answer about a project's module does not grow old.
const FOR_EVER: Duration = Duration::MAX;

const LATE: &str = "the disk does not answer";

/// Time and length of a file; `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

/// A file, and what it was when it was last looked at.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    path: PathBuf,
    /// `None` where nobody has looked yet.
    stamp: Option<Stamp>,
}

/// What became of a file.
struct Looked {
    seen: Seen,
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
    watching: Lookup<Vec<Seen>, Vec<Looked>>,
    seen: Vec<Seen>,
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
        self.seen.retain(|seen| paths.contains(&seen.path));
        for path in paths {
            if !self.seen.iter().any(|seen| seen.path == path) {
                self.seen.push(Seen { path, stamp: None });
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
                path: one.seen.path.clone(),
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
fn look(files: &Vec<Seen>) -> Vec<Looked> {
    let look = |file: &Seen| {
        let metadata = fs::metadata(&file.path).ok();
        let now = metadata.and_then(|file| Some((file.modified().ok()?, file.len())));
        let is_changed = now.is_some() && file.stamp != Some(now);
        let change = is_changed.then(|| Source::load(&file.path.to_string_lossy()));
        let seen = Seen { path: file.path.clone(), stamp: Some(now) };
        Looked { seen, is_first: file.stamp.is_none(), change }
    };
    files.iter().map(look).collect()
}
