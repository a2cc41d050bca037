//! Taking hints, and looking at what they name.

use super::dirt::Evidence;
use super::events::{Hint, Trace};
use super::stat::{Kind, is_absence, look};
use super::thread::Watcher;
use crossbeam_channel::TryRecvError;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tracing::debug;

/// Hints taken before other things get their turn.
const HINTS_A_ROUND: usize = 8192;

impl Watcher {
    /// Takes the hints that came.
    pub(super) fn take_hints(&mut self) {
        for _ in 0..HINTS_A_ROUND {
            let Some(hints) = &self.hints else { return };
            if hints.take_overflow() {
                self.take_overflow();
                continue;
            }
            match hints.receiver.try_recv() {
                Ok(Hint::At { path, trace, instant }) => self.take_hint(&path, trace, instant),
                Ok(Hint::Everything) => self.take_overflow(),
                Ok(Hint::LimitReached) => self.fall_back_to_polling(),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.hints = None,
            }
        }
    }

    fn take_overflow(&mut self) {
        debug!("Events were lost; scanning everything.");
        self.forget_watches(Path::new(""));
        self.scan_now();
    }

    fn take_hint(&mut self, path: &Path, trace: Trace, instant: Instant) {
        let Ok(relative) = path.strip_prefix(&self.spec.root) else { return };
        if trace == Trace::Moved {
            // Whatever is under the name now is not what was watched under it.
            self.forget_watches(relative);
        }
        let is_spared = relative.as_os_str().is_empty() || self.filter.enters_folder(relative);
        let is_marker = self.filter.released_by(relative).is_some();
        if (is_spared || is_marker) && self.filter.reaches(relative) {
            self.dirt.add(relative.to_owned(), trace, instant);
        }
    }

    /// Has the folder and those below it watched anew at their next listing.
    pub(super) fn forget_watches(&mut self, relative: &Path) {
        if self.watched.contains(relative) {
            let below = self.watched.range(relative.to_owned()..);
            let below: Vec<_> =
                below.take_while(|path| path.starts_with(relative)).cloned().collect();
            for path in below {
                self.watched.remove(&path);
            }
        }
    }

    /// Looks at what is dirty, if it is time.
    pub(super) fn flush_dirt(&mut self, now: Instant) {
        if self.dirt.due(self.stable_for()).is_none_or(|due| now < due) {
            return;
        }
        for (relative, evidence) in std::mem::take(&mut self.dirt).paths {
            if !self.is_online {
                return;
            }
            self.look_at(&relative, evidence);
        }
    }

    fn look_at(&mut self, relative: &Path, evidence: Evidence) {
        if relative.as_os_str().is_empty() {
            if self.root_is_there() {
                self.walks.add_hinted(PathBuf::new(), false);
            }
            return;
        }
        let looked = look(&self.spec.root.join(relative));
        self.forget_other_kind(relative, &looked);
        match looked {
            Ok(Kind::File(stat)) if self.filter.takes_file(relative) => {
                self.observe(relative, stat, 0, Some(evidence));
            }
            Ok(Kind::File(_)) => self.release(relative),
            Ok(Kind::Folder(_)) => {
                if self.filter.enters_folder(relative) {
                    self.walks.add_hinted(relative.to_owned(), evidence.is_moved);
                }
            }
            Ok(Kind::Other(reason)) => {
                if self.filter.takes_file(relative) {
                    self.refuse(relative, reason.to_owned(), 0);
                }
            }
            Err(error) if is_absence(&error) => self.vanish_unless_offline(relative),
            Err(error) => debug!(path = %relative.display(), %error, "Entry cannot be read."),
        }
    }
}
