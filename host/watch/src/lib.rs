//! Finds the files that are ready in a watched folder.
//!
//! Events are hints: they say where to look and when a writer closed its file, never what is there.
//! What is there is decided by walking and comparing with an index seeded from the store, so that a
//! missed event costs time and nothing else. A file is reported as [`Change::Settled`] when it stopped
//! changing, its header promises no more bytes than it has, its marker exists where one is asked
//! for, and it was hashed without changing meanwhile.

mod dirt;
mod events;
mod file;
mod filter;
mod folder;
mod handle;
mod hash;
mod hints;
mod index;
mod marker;
mod outbox;
mod promise;
mod root;
mod settle;
mod stat;
mod thread;
mod timers;
mod walk;
mod walks;

#[cfg(test)]
mod tests;

pub use filter::{has_audio_name, share_files};
pub use handle::{WatchHandle, WatchStart};
pub use root::is_on_network;

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use wavemill_pipelines::model::WatchMode;

/// What to watch and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSpec {
    /// Name of the pipeline, for logs and thread names.
    pub pipeline: String,
    /// The watched folder; absolute.
    pub root: PathBuf,
    /// Globs of the files to take, case-insensitive; empty means every extension that is decoded.
    /// A glob without `/` is held against the file name, one with `/` against the path below `root`.
    pub include: Vec<String>,
    /// Globs of files and folders to leave alone, as `include`, in addition to the built-in ones.
    pub ignore: Vec<String>,
    /// Where changes are learned from.
    pub mode: WatchMode,
    /// Time between full walks; `None` chooses by file system.
    pub rescan: Option<Duration>,
    /// How long a file must stay unchanged; `None` chooses by where changes are learned from.
    pub stable_for: Option<Duration>,
    /// Name of the file that must exist beside a file before that is taken; `{name}` is its name.
    pub marker: Option<String>,
    /// Whether a file that stays incomplete is taken as it is: its pipeline repairs it.
    pub takes_incomplete: bool,
    /// Absolute folders whose content is never taken: the outputs.
    pub excluded: Vec<PathBuf>,
}

/// What the store remembers of a file, and what the watcher reports of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Path below the watched folder.
    pub relative: PathBuf,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Time of the last modification in nanoseconds since 1970, negative before; at most as far from it
    /// as the type reaches (the years 1677 to 2262).
    pub modified_ns: i64,
    /// Inode number.
    pub inode: u64,
    /// Hash of the content; `None` for a file that was only ever reported as incomplete and is looked
    /// at anew at every start. Files the watcher reports as settled have one.
    pub hash: Option<blake3::Hash>,
}

/// What happened to a file or a watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file is ready: it is new, came back, or was replaced or rewritten (perhaps with the same
    /// content).
    Settled(KnownFile),
    /// Only what surrounds the content changed (permissions, inode number after a remount); the
    /// hash is the one already known.
    Touched(KnownFile),
    /// The file is gone, or what was reported of a folder no longer holds.
    Vanished {
        /// Path below the watched folder.
        relative: PathBuf,
    },
    /// The file stopped changing, but is not whole. It stays in place and is taken when it is.
    Incomplete {
        /// Path below the watched folder.
        relative: PathBuf,
        /// One line, to be read after the file's name: "is empty (0 bytes)".
        reason: String,
    },
    /// The file or folder cannot be taken; it is tried again when it changes. When a folder can be
    /// listed again, it is reported as vanished: nothing is known of it any more.
    Refused {
        /// Path below the watched folder.
        relative: PathBuf,
        /// What stands against it.
        refusal: Refusal,
        /// One line, to be read after the file's name: "is a symbolic link; ...".
        reason: String,
    },
    /// The watched folder is not there or not readable. Nothing is reported about its files until
    /// [`Change::RootOnline`].
    RootOffline {
        /// One line that names the folder.
        reason: String,
    },
    /// The watched folder is back.
    RootOnline,
    /// A full walk has ended.
    ScanDone {
        /// Files that the include and ignore rules let through.
        files: usize,
        /// How many of them are not decided yet: they will be reported as settled, touched, incomplete,
        /// refused or vanished, unless they keep changing or wait for their marker.
        settling: usize,
        /// How long the walk took.
        elapsed: Duration,
    },
    /// After the first full walk: no file is settling any more. Files that wait for their marker,
    /// and files already reported as incomplete or refused, do not count.
    Idle {
        /// Files that the include and ignore rules let through.
        files: usize,
    },
    /// After [`Change::Idle`]: a file began to settle.
    Busy,
}

/// Why something with the name of a file to take, or a folder, is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// It is there and cannot be read: work that someone may miss.
    Unreadable,
    /// It is a link, fifo, socket or device: nothing that could ever be taken.
    NoFile,
}

/// Where a watcher sends what it found: its index and a batch to be stored in one transaction.
pub type ChangeSender = Sender<(usize, Vec<Change>)>;
