//! Walking: listing folders and comparing them with the index, a slice at a time.

use super::events::WatchError;
use super::file::{File, Phase};
use super::hash::describe;
use super::index::parent_of;
use super::marker::MarkedFiles;
use super::stat::{Identity, Kind, is_absence, look};
use super::thread::Watcher;
use super::walks::{Lane, Listing, Task};
use super::{Change, Refusal};
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tracing::{debug, info};

/// Entries looked at between two looks at the clock.
const ENTRIES_A_STEP: usize = 64;

impl Watcher {
    /// Walks until there is nothing left or the time is over.
    pub(super) fn walk(&mut self, end: Instant) {
        self.walks.wake(Instant::now());
        while self.is_online && !self.walks.is_done() && Instant::now() < end {
            let is_hinted = !self.walks.hinted.is_done();
            self.step(if is_hinted { Lane::Hinted } else { Lane::Full });
        }
        if self.walks.full.is_done()
            && let Some(scan) = self.walks.scan.take()
        {
            self.end_scan(scan.file_count, scan.start.elapsed());
        }
    }

    /// Looks at some entries of one folder.
    fn step(&mut self, lane: Lane) {
        let walk = self.walks.lane(lane);
        let listing = match walk.open.take() {
            Some(listing) => Some(listing),
            None => walk.tasks.pop().and_then(|task| self.open_listing(task)),
        };
        let Some(mut listing) = listing else { return };
        for _ in 0..ENTRIES_A_STEP {
            match listing.entries.next() {
                Some(Ok(entry)) => {
                    listing.is_empty = false;
                    self.take_entry(lane, &listing, &entry);
                }
                // What was not listed is not gone.
                Some(Err(error)) => return self.fail_listing(&listing.relative, &error),
                None => return self.end_listing(&listing),
            }
        }
        self.walks.lane(lane).open = Some(listing);
    }

    /// Watches the folder, then opens it: what appears in between is in an event or listed, or both.
    fn open_listing(&mut self, task: Task) -> Option<Listing> {
        let Task { relative, is_recursive } = task;
        let path = self.spec.root.join(&relative);
        self.watch_folder(&relative, &path);
        let opened = identify(&path, relative.as_os_str().is_empty())
            .and_then(|identity| Ok((identity, std::fs::read_dir(&path)?)));
        match opened {
            Ok((identity, entries)) => {
                self.walks.listing += 1;
                let number = self.walks.listing;
                Some(Listing { relative, entries, number, is_recursive, identity, is_empty: true })
            }
            Err(error) => {
                self.fail_listing(&relative, &error);
                None
            }
        }
    }

    fn watch_folder(&mut self, relative: &Path, path: &Path) {
        let Some(source) = &mut self.source else { return };
        if self.watched.contains(relative) {
            return;
        }
        match source.watch(path) {
            Ok(()) => drop(self.watched.insert(relative.to_owned())),
            Err(WatchError::LimitReached) => self.fall_back_to_polling(),
            Err(WatchError::Gone) => {}
            Err(WatchError::Other(reason)) => {
                debug!(path = %path.display(), reason, "Folder emits no events.");
            }
        }
    }

    fn take_entry(&mut self, lane: Lane, listing: &Listing, entry: &DirEntry) {
        let relative = listing.relative.join(entry.file_name());
        let Ok(file_type) = entry.file_type() else { return };
        if file_type.is_dir() {
            self.take_folder(lane, listing, relative);
        } else if self.filter.takes_file(&relative) {
            self.take_file(lane, listing, entry, &relative);
        } else {
            self.release(&relative);
        }
    }

    fn take_folder(&mut self, lane: Lane, listing: &Listing, relative: PathBuf) {
        if !self.filter.enters_folder(&relative) {
            return;
        }
        if self.index.has_file(&relative) {
            self.vanish_unless_offline(&relative);
        }
        if let Some(name) = relative.file_name() {
            let folders = &mut self.index.folder_mut(&listing.relative).folders;
            let seen = folders.entry(name.to_owned()).or_insert(0);
            *seen = listing.number.max(*seen);
        }
        let is_new = self.index.folder(&relative).is_none_or(|folder| folder.identity.is_none());
        if listing.is_recursive || is_new {
            self.walks.lane(lane).tasks.push(Task { relative, is_recursive: true });
        }
    }

    fn take_file(&mut self, lane: Lane, listing: &Listing, entry: &DirEntry, relative: &Path) {
        match entry.metadata().map(|metadata| Kind::of(&metadata)) {
            Ok(Kind::File(stat)) => {
                if lane == Lane::Full
                    && let Some(scan) = &mut self.walks.scan
                {
                    scan.file_count += 1;
                }
                self.observe(relative, stat, listing.number, None);
            }
            Ok(Kind::Other(reason)) => self.refuse(relative, reason.to_owned(), listing.number),
            // It became a folder since: the next listing sees it.
            Ok(Kind::Folder(_)) => {}
            Err(error) if is_absence(&error) => {}
            Err(error) => {
                let reason = format!("cannot be read: {}", describe(&error));
                self.index.update(relative, |file| file.seen = file.seen.max(listing.number));
                self.put_off(relative, reason);
            }
        }
    }

    /// Finds what is gone. Each name is looked at once more: a listing may miss an entry that is
    /// renamed meanwhile.
    fn end_listing(&mut self, listing: &Listing) {
        if self.lost_its_mount(listing) {
            return;
        }
        let folder = self.index.folder_mut(&listing.relative);
        folder.identity = Some(listing.identity);
        if folder.reported.take().is_some() {
            self.outbox.push(Change::Vanished { relative: listing.relative.clone() });
        }
        let mut gone = Vec::new();
        for relative in self.index.unseen(&listing.relative, listing.number) {
            match look(&self.spec.root.join(&relative)) {
                Ok(Kind::File(stat)) if self.filter.takes_file(&relative) => {
                    self.observe(&relative, stat, listing.number, None);
                }
                Ok(Kind::Folder(_)) => {}
                // A folder that became something else.
                Ok(_) if self.index.folder(&relative).is_some() => gone.push(relative),
                Err(error) if is_absence(&error) => gone.push(relative),
                _ => {}
            }
        }
        if gone.is_empty() || !self.root_is_there() {
            return;
        }
        for relative in gone {
            if self.is_absent(&relative) {
                self.vanish(&relative);
            } else {
                self.scan_now();
            }
        }
    }

    /// Whether nothing is there under the name of a file, or no folder under that of a folder. Asked
    /// once more after the root was found there: before, it may have been away.
    fn is_absent(&self, relative: &Path) -> bool {
        match look(&self.spec.root.join(relative)) {
            Ok(Kind::Folder(_)) => self.index.has_file(relative),
            Ok(_) => self.index.folder(relative).is_some(),
            Err(error) => is_absence(&error),
        }
    }

    /// Whether an empty folder is a mount point without its mount: what was in it is kept in mind.
    fn lost_its_mount(&mut self, listing: &Listing) -> bool {
        let Some(folder) = self.index.folder(&listing.relative) else { return false };
        let is_other_device =
            folder.identity.is_some_and(|former| former.device != listing.identity.device);
        let is_lost = listing.is_empty && is_other_device && !folder.is_empty();
        if is_lost {
            let reason =
                "is empty and on another file system than before; check that it is mounted"
                    .to_owned();
            self.refuse_folder(&listing.relative, reason);
        }
        is_lost
    }

    /// A folder that cannot be listed: gone, or left as it is known; or the root is away.
    pub(super) fn fail_listing(&mut self, relative: &Path, error: &io::Error) {
        let is_root = relative.as_os_str().is_empty();
        if is_absence(error) {
            // A root that is back already was away for a moment: none of its files is known to be gone.
            if self.root_is_there() {
                if is_root {
                    self.scan_now();
                } else if self.is_absent(relative) {
                    self.vanish(relative);
                }
            }
            return;
        }
        if is_root {
            let reason =
                format!("watched folder {}: {}", self.spec.root.display(), describe(error));
            self.go_offline(reason);
            return;
        }
        self.refuse_folder(relative, format!("cannot be listed: {}", describe(error)));
    }

    /// Reports once that a folder is left as it is known.
    fn refuse_folder(&mut self, relative: &Path, reason: String) {
        let folder = self.index.folder_mut(relative);
        if folder.reported.as_ref() != Some(&reason) {
            info!(path = %relative.display(), reason, "Folder skipped.");
            folder.reported = Some(reason.clone());
            let relative = relative.to_owned();
            self.outbox.push(Change::Refused { relative, refusal: Refusal::Unreadable, reason });
        }
    }

    /// Forgets a file under whose name there is a folder now, or the other way round.
    pub(super) fn forget_other_kind(&mut self, relative: &Path, now: &io::Result<Kind>) {
        let is_other = match now {
            Ok(Kind::Folder(_)) => self.index.has_file(relative),
            Ok(_) => self.index.folder(relative).is_some(),
            Err(_) => false,
        };
        if is_other {
            self.vanish_unless_offline(relative);
        }
    }

    /// Forgets a path and what is below it, unless the root itself is away.
    pub(super) fn vanish_unless_offline(&mut self, relative: &Path) {
        let is_known = self.index.has_file(relative) || self.index.folder(relative).is_some();
        if is_known && self.root_is_there() {
            self.vanish(relative);
        }
    }

    fn vanish(&mut self, relative: &Path) {
        self.forget_watches(relative);
        for relative in self.index.emitted_folders(relative) {
            self.outbox.push(Change::Vanished { relative });
        }
        let mut files = self.index.remove_folder(relative);
        let file = self.index.remove(relative).filter(File::was_emitted);
        files.extend(file.map(|_| relative.to_owned()));
        for relative in files {
            self.outbox.push(Change::Vanished { relative });
        }
    }

    /// Takes up the files for which this path is the marker, if it is one.
    pub(super) fn release(&mut self, relative: &Path) {
        let folder = parent_of(relative);
        let files = match self.filter.released_by(relative) {
            None => return,
            Some(MarkedFiles::One(name)) => vec![folder.join(name)],
            Some(MarkedFiles::All) => self.index.waiting_for_marker(folder),
        };
        for file in files {
            if self.index.file(&file).is_some_and(|file| file.phase == Phase::Marker) {
                self.decide(&file);
            }
        }
    }
}

/// Who a folder is; a link at its end is followed for the root only.
fn identify(path: &Path, is_root: bool) -> io::Result<Identity> {
    if is_root {
        return std::fs::metadata(path).map(|metadata| Identity::of(&metadata));
    }
    match look(path)? {
        Kind::Folder(identity) => Ok(identity),
        _ => Err(io::Error::from(io::ErrorKind::NotADirectory)),
    }
}
