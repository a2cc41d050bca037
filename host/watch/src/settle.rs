//! From "seen" to "settled": the rules by which a file is taken.

use super::dirt::Evidence;
use super::file::{File, FileContent, Phase};
use super::hash::{HashJob, HashResult, Outcome, describe};
use super::stat::{Kind, Stat, is_absence, look};
use super::thread::{STABLE_POLLING, Watcher};
use super::{Change, KnownFile, Refusal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// When a file that could not be read is tried again without having changed.
const RETRY: Duration = Duration::from_secs(30);

/// Timers handled before other things get their turn.
const TIMERS_A_ROUND: usize = 1024;

impl File {
    /// Notes a state that was seen, unchanged since `since`. Returns whether it is another one than
    /// before, so that the file settles anew.
    fn see(&mut self, stat: Stat, since: Instant) -> bool {
        if self.stat == Some(stat) {
            return false;
        }
        let is_from_store = self.stat.is_none();
        self.stat = Some(stat);
        if is_from_store && self.known.is_some_and(|known| known.is(&stat)) {
            self.rest();
            self.reported = None;
            return false;
        }
        self.settle(since);
        true
    }

    fn settle(&mut self, since: Instant) {
        self.phase = Phase::Settling;
        self.since = Some(since);
        self.is_incomplete = false;
        self.reported = None;
    }

    fn heed(&mut self, evidence: &Evidence) {
        self.is_open = evidence.is_open.unwrap_or(self.is_open);
        self.is_redropped |= evidence.is_moved;
        if self.phase == Phase::Settling && evidence.is_open.is_some() {
            self.since = self.since.max(Some(evidence.instant));
        }
    }

    /// The change to report when its content is found to be `hash`, which is known from now on.
    fn conclude(&mut self, relative: &Path, hash: blake3::Hash) -> Option<Change> {
        let stat = self.stat?;
        let Stat { size_bytes, modified_ns, inode, .. } = stat;
        let is_same_content = self.known.is_some_and(|known| known.hash == hash);
        let is_untouched = is_same_content && self.seems_untouched(&stat);
        let file = KnownFile {
            relative: relative.to_owned(),
            size_bytes,
            modified_ns,
            inode,
            hash: Some(hash),
        };
        self.known = Some(FileContent { size_bytes, modified_ns, inode, hash });
        self.rest();
        self.reported = None;
        Some(if is_untouched { Change::Touched(file) } else { Change::Settled(file) })
    }

    /// Whether nothing but the hash can tell that it was rewritten or replaced since it was reported.
    fn seems_untouched(&self, stat: &Stat) -> bool {
        let is_as_old = self.known.is_some_and(|known| known.modified_ns == stat.modified_ns);
        is_as_old && !self.is_redropped
    }

    fn rest(&mut self) {
        self.phase = Phase::Rest;
        self.due = None;
        self.is_redropped = false;
        self.is_open = false;
    }
}

impl Watcher {
    /// Notes that a file was seen, in a listing or where a hint pointed.
    pub(super) fn observe(
        &mut self,
        relative: &Path,
        stat: Stat,
        listing: u64,
        evidence: Option<Evidence>,
    ) {
        let since = evidence.map_or_else(Instant::now, |evidence| evidence.instant);
        let is_settling = self.index.update(relative, |file| {
            file.seen = file.seen.max(listing);
            let is_changed = file.see(stat, since);
            // Events about a state that was reported already came late.
            if let Some(evidence) = &evidence
                && file.phase != Phase::Rest
            {
                file.heed(evidence);
            }
            file.phase == Phase::Settling && (is_changed || evidence.is_some())
        });
        if is_settling {
            self.schedule(relative);
        }
    }

    /// Sets the time at which a settling file is decided.
    fn schedule(&mut self, relative: &Path) {
        let stable_for = self.stable_for();
        let file_due = self.index.file(relative).and_then(|file| {
            // A writer without an event of closing may only have paused.
            let pause = if file.is_open { stable_for.max(STABLE_POLLING) } else { stable_for };
            Some(file.since? + pause)
        });
        if let Some(due) = file_due {
            self.schedule_at(relative, due);
        }
    }

    fn schedule_at(&mut self, relative: &Path, due: Instant) {
        let needs_timer = self.index.update(relative, |file| {
            file.due = Some(due);
            let is_earlier = file.timer.is_none_or(|timer| due < timer);
            if is_earlier {
                file.timer = Some(due);
            }
            is_earlier
        });
        if needs_timer {
            self.timers.add(due, relative.to_owned());
        }
    }

    /// Decides the files whose time has come.
    pub(super) fn fire_timers(&mut self) {
        let now = Instant::now();
        for _ in 0..TIMERS_A_ROUND {
            let Some((instant, relative)) = self.timers.pop(now) else { return };
            // A file that was forgotten, or has an earlier timer.
            if self.index.file(&relative).is_none_or(|file| file.timer != Some(instant)) {
                continue;
            }
            let due = self.index.update(&relative, |file| {
                file.timer = None;
                file.due
            });
            match due {
                Some(due) if due > now => self.schedule_at(&relative, due),
                Some(_) => self.decide(&relative),
                None => {}
            }
        }
    }

    /// Has a file read that was left alone for long enough, if it still is as it was.
    pub(super) fn decide(&mut self, relative: &Path) {
        let path = self.spec.root.join(relative);
        match look(&path) {
            Ok(Kind::File(stat)) => {
                let is_same = self.index.file(relative).is_some_and(|file| file.stat == Some(stat));
                if is_same {
                    self.submit(relative, path, stat);
                } else {
                    self.observe(relative, stat, 0, None);
                }
            }
            Ok(Kind::Other(reason)) => self.refuse(relative, reason.to_owned(), 0),
            Ok(Kind::Folder(_)) => {
                self.lose(relative);
                self.walks.add_hinted(relative.to_owned(), true);
            }
            Err(error) if is_absence(&error) => self.lose(relative),
            Err(error) => {
                self.put_off(relative, format!("cannot be read: {}", describe(&error)));
            }
        }
    }

    fn submit(&mut self, relative: &Path, path: PathBuf, stat: Stat) {
        if self.filter.marker().is_some_and(|marker| !is_there(&marker.path_for(&path))) {
            self.index.update(relative, |file| {
                file.phase = Phase::Marker;
                file.due = None;
            });
            return;
        }
        self.timers.token += 1;
        let token = self.timers.token;
        // Whose rest did not come while it settled a second time is taken as it is.
        let takes_incomplete = self.spec.takes_incomplete && stat.size_bytes > 0;
        let (is_recheck, takes_incomplete) = self.index.update(relative, |file| {
            file.phase = Phase::Hashing;
            file.due = None;
            file.token = token;
            (file.seems_untouched(&stat), takes_incomplete && file.is_incomplete)
        });
        self.hashing += 1;
        let relative = relative.to_owned();
        self.pool.submit(HashJob { relative, path, stat, token, is_recheck, takes_incomplete });
    }

    /// Takes what the hash threads found.
    pub(super) fn take_results(&mut self) {
        while let Ok(result) = self.pool.results().try_recv() {
            self.hashing -= 1;
            let file = self.index.file(&result.relative);
            let counts =
                file.is_some_and(|file| file.phase == Phase::Hashing && file.token == result.token);
            if counts {
                self.take_result(result);
            }
        }
    }

    fn take_result(&mut self, result: HashResult) {
        let relative = result.relative;
        match result.outcome {
            Outcome::Hashed(hash) => {
                let change = self.index.update(&relative, |file| file.conclude(&relative, hash));
                if let Some(change) = change {
                    self.outbox.push(change);
                }
            }
            Outcome::Incomplete(reason) => self.wait_for_rest(&relative, reason),
            Outcome::Unreadable(reason) => self.put_off(&relative, reason),
            Outcome::Changed | Outcome::Gone => self.resettle(&relative),
        }
    }

    /// The file changed or was deleted while it was being read: it is looked at anew.
    fn resettle(&mut self, relative: &Path) {
        self.index.update(relative, |file| file.settle(Instant::now()));
        match look(&self.spec.root.join(relative)) {
            Ok(Kind::File(stat)) => {
                self.index.update(relative, |file| file.stat = Some(stat));
                self.schedule(relative);
            }
            _ => self.decide(relative),
        }
    }

    /// A file with fewer bytes than its header promises: reported when a second look says the same.
    fn wait_for_rest(&mut self, relative: &Path, reason: String) {
        let is_emitted = self.index.update(relative, |file| {
            if !file.is_incomplete {
                file.settle(Instant::now());
                file.is_incomplete = true;
                return false;
            }
            file.rest();
            file.reported = Some(reason.clone());
            true
        });
        if is_emitted {
            self.outbox.push(Change::Incomplete { relative: relative.to_owned(), reason });
        } else {
            self.schedule(relative);
        }
    }

    /// A file that cannot be read: reported once, tried again now and then.
    pub(super) fn put_off(&mut self, relative: &Path, reason: String) {
        let is_news = self.index.update(relative, |file| {
            file.phase = Phase::Settling;
            file.since.get_or_insert_with(Instant::now);
            let is_news = file.reported.as_ref() != Some(&reason);
            file.reported = Some(reason.clone());
            is_news
        });
        self.schedule_at(relative, Instant::now() + RETRY);
        if is_news {
            let relative = relative.to_owned();
            self.outbox.push(Change::Refused { relative, refusal: Refusal::Unreadable, reason });
        }
    }

    /// A path with a file's name that is none: reported once, left alone until it changes.
    pub(super) fn refuse(&mut self, relative: &Path, reason: String, listing: u64) {
        let (is_news, was_known) = self.index.update(relative, |file| {
            file.seen = file.seen.max(listing);
            let is_news = file.reported.as_ref() != Some(&reason);
            file.rest();
            file.stat = None;
            file.reported = Some(reason.clone());
            (is_news, file.known.take().is_some())
        });
        let relative = relative.to_owned();
        if was_known {
            self.outbox.push(Change::Vanished { relative: relative.clone() });
        }
        if is_news {
            self.outbox.push(Change::Refused { relative, refusal: Refusal::NoFile, reason });
        }
    }

    /// A settling file that is not there: gone, or away with the root.
    fn lose(&mut self, relative: &Path) {
        self.vanish_unless_offline(relative);
        if self.index.has_file(relative) {
            let due = Instant::now() + self.stable_for();
            self.schedule_at(relative, due);
        }
    }
}

fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
