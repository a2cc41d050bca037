//! One render as the editor sees it.

use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Shared by the thread that works and the editor.
#[derive(Debug)]
pub(crate) struct Render {
    /// What runs, in a word or two.
    pub(crate) name: String,
    /// The files of its capture.
    pub(crate) parts: Vec<PathBuf>,
    /// Bits of an `f32` from 0 to 1.
    progress: AtomicU32,
    is_canceled: AtomicBool,
    report: Mutex<Report>,
}

/// How far a render is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Others come first.
    #[default]
    Waiting,
    /// It runs.
    Working,
    /// Everything was made.
    Done,
    /// Something was refused or went wrong; an [`Line::Error`] says what.
    Failed,
    /// It was asked to stop; what was not complete is gone.
    Canceled,
}

/// A line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A complete file.
    Made(PathBuf),
    /// Good to know.
    Note(String),
    /// Why something was not made.
    Error(String),
}

#[derive(Clone, Debug, Default)]
struct Report {
    stage: Stage,
    lines: Vec<Line>,
}

impl Render {
    pub(super) fn new(name: String, parts: Vec<PathBuf>) -> Self {
        let (progress, is_canceled) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { name, parts, progress, is_canceled, report: Mutex::default() }
    }

    /// From 0 to 1; 1 only when everything was made.
    pub(crate) fn progress(&self) -> f32 {
        f32::from_bits(self.progress.load(Ordering::Relaxed))
    }

    pub(crate) fn stage(&self) -> Stage {
        self.report.lock().stage
    }

    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.stage(), Stage::Waiting | Stage::Working)
    }

    /// What was made and what was not, in the order it happened.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.report.lock().lines.clone()
    }

    /// Ends it soon; what is not complete by then leaves nothing.
    pub(crate) fn cancel(&self) {
        self.is_canceled.store(true, Ordering::Relaxed);
    }

    pub(super) fn canceled(&self) -> &AtomicBool {
        &self.is_canceled
    }

    #[expect(clippy::cast_possible_truncation, reason = "a display")]
    pub(super) fn set_progress(&self, share: f64) {
        self.progress.store((share.clamp(0.0, 1.0) as f32).to_bits(), Ordering::Relaxed);
    }

    pub(super) fn set_stage(&self, stage: Stage) {
        self.report.lock().stage = stage;
    }

    pub(super) fn push(&self, line: Line) {
        self.report.lock().lines.push(line);
    }
}
