//! The walks that go on, and what is left of them.

use super::stat::Identity;
use std::collections::VecDeque;
use std::fs::ReadDir;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// When a folder that appeared is walked once more: events of its first moments may be missing.
const AGAIN: Duration = Duration::from_millis(300);

/// The walks that go on: one where hints point, which goes first, and the full one.
#[derive(Default)]
pub(super) struct Walks {
    pub(super) hinted: Walk,
    pub(super) full: Walk,
    pub(super) scan: Option<Scan>,
    pub(super) again: VecDeque<(Instant, PathBuf)>,
    /// Number of the last listing.
    pub(super) listing: u64,
}

#[derive(Default)]
pub(super) struct Walk {
    pub(super) tasks: Vec<Task>,
    pub(super) open: Option<Listing>,
}

/// A folder to list.
pub(super) struct Task {
    pub(super) relative: PathBuf,
    /// Whether the folders in it are walked too; those never walked before always are.
    pub(super) is_recursive: bool,
}

/// A folder being listed.
pub(super) struct Listing {
    pub(super) relative: PathBuf,
    pub(super) entries: ReadDir,
    pub(super) number: u64,
    pub(super) is_recursive: bool,
    pub(super) identity: Identity,
    pub(super) is_empty: bool,
}

/// A full walk that goes on.
pub(super) struct Scan {
    pub(super) start: Instant,
    pub(super) file_count: usize,
}

/// Which walk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Hinted,
    Full,
}

impl Walks {
    /// Has a folder walked soon; a folder that appeared (`is_recursive`) once more a moment later.
    pub(super) fn add_hinted(&mut self, relative: PathBuf, is_recursive: bool) {
        if is_recursive {
            self.again.push_back((Instant::now() + AGAIN, relative.clone()));
        }
        self.hinted.tasks.push(Task { relative, is_recursive });
    }

    /// Begins a full walk.
    pub(super) fn start_scan(&mut self) {
        self.scan = Some(Scan { start: Instant::now(), file_count: 0 });
        self.full.tasks.push(Task { relative: PathBuf::new(), is_recursive: true });
    }

    /// Whether a full walk goes on.
    pub(super) fn is_scanning(&self) -> bool {
        self.scan.is_some()
    }

    /// Whether there is nothing to do right now.
    pub(super) fn is_done(&self) -> bool {
        self.hinted.is_done() && self.full.is_done()
    }

    /// When the next folder is walked once more.
    pub(super) fn next_again(&self) -> Option<Instant> {
        self.again.front().map(|(instant, _)| *instant)
    }

    /// Drops everything: the root is away.
    pub(super) fn clear(&mut self) {
        *self = Self { listing: self.listing, ..Self::default() };
    }

    pub(super) fn wake(&mut self, now: Instant) {
        while self.again.front().is_some_and(|(instant, _)| *instant <= now) {
            if let Some((_, relative)) = self.again.pop_front() {
                self.hinted.tasks.push(Task { relative, is_recursive: true });
            }
        }
    }

    pub(super) fn lane(&mut self, lane: Lane) -> &mut Walk {
        match lane {
            Lane::Hinted => &mut self.hinted,
            Lane::Full => &mut self.full,
        }
    }
}

impl Walk {
    pub(super) fn is_done(&self) -> bool {
        self.open.is_none() && self.tasks.is_empty()
    }
}
