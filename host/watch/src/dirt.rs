//! Paths that hints named, until they are looked at.

use super::events::Trace;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long no hint must come before what they name is looked at.
const QUIET: Duration = Duration::from_millis(50);

/// Bounds of the longest wait for quiet.
const DELAY_MIN: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(1);

/// Paths to look at.
#[derive(Default)]
pub(super) struct Dirt {
    pub(super) paths: BTreeMap<PathBuf, Evidence>,
    first: Option<Instant>,
    last: Option<Instant>,
}

/// What hints said of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// When the last one came.
    pub(super) instant: Instant,
    /// Whether a writer wrote (`true`) or closed (`false`) last.
    pub(super) is_open: Option<bool>,
    /// Whether it appeared, vanished or was renamed.
    pub(super) is_moved: bool,
}

impl Dirt {
    /// Whether there is nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// When the paths are to be looked at: after a quiet moment, and under a stream of hints soon
    /// enough for files that must stay unchanged for `stable_for`.
    pub(super) fn due(&self, stable_for: Duration) -> Option<Instant> {
        let delay = (stable_for / 2).clamp(DELAY_MIN, DELAY_MAX);
        Some((self.last? + QUIET).min(self.first? + delay))
    }

    /// Notes what a hint says of a path.
    pub(super) fn add(&mut self, relative: PathBuf, trace: Trace, instant: Instant) {
        self.first.get_or_insert(instant);
        self.last = Some(instant);
        let fresh = Evidence { instant, is_open: None, is_moved: false };
        let evidence = self.paths.entry(relative).or_insert(fresh);
        evidence.instant = instant;
        match trace {
            Trace::Moved => evidence.is_moved = true,
            Trace::Written => evidence.is_open = Some(true),
            Trace::Closed => evidence.is_open = Some(false),
            Trace::Other => {}
        }
    }
}
