//! The watcher on real folders. Nothing sleeps: tests wait for changes until a deadline.

mod odd;
mod poll;
mod root;
mod settle;
mod tree;

use super::events::OpenEvents;
use super::{Change, KnownFile, Refusal, WatchHandle, WatchSpec, WatchStart};
use crossbeam_channel::{Receiver, unbounded};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wavemill_pipelines::model::WatchMode;

/// Far beyond what anything here takes, so that a busy machine fails no test.
const DEADLINE: Duration = Duration::from_mins(1);

/// Short, so that tests are quick.
const STABLE_FOR: Duration = Duration::from_millis(150);

/// A watched folder and what is reported of it.
struct Bench {
    folder: TempDir,
    spec: WatchSpec,
    known: Vec<KnownFile>,
    handle: Option<WatchHandle>,
    changes: Option<Receiver<(usize, Vec<Change>)>>,
    pending: VecDeque<Change>,
}

impl Bench {
    /// An empty folder, not watched yet.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("in");
        std::fs::create_dir(&root).unwrap();
        let spec = WatchSpec {
            pipeline: "test".into(),
            root,
            include: Vec::new(),
            ignore: Vec::new(),
            mode: WatchMode::Events,
            rescan: None,
            stable_for: Some(STABLE_FOR),
            marker: None,
            takes_incomplete: false,
            excluded: Vec::new(),
        };
        let known = Vec::new();
        Self { folder, spec, known, handle: None, changes: None, pending: VecDeque::new() }
    }

    /// An empty folder, watched and walked once.
    fn watched() -> Self {
        let mut bench = Self::new();
        bench.watch();
        bench
    }

    /// Starts to watch, and waits for the end of the first walk.
    fn watch(&mut self) -> Vec<Change> {
        self.start();
        self.until_scan_done()
    }

    fn start(&mut self) {
        let (sender, receiver) = unbounded();
        self.handle = Some(self.remembering().spawn(7, sender).unwrap());
        self.changes = Some(receiver);
    }

    fn remembering(&mut self) -> WatchStart {
        let mut start = WatchStart::new(self.spec.clone()).unwrap();
        self.known.drain(..).for_each(|file| start.remember(&file));
        start
    }

    /// As `watch`, with events from a test's own source.
    fn watch_with(&mut self, open_events: OpenEvents) {
        let (sender, receiver) = unbounded();
        self.handle = Some(self.remembering().spawn_with(7, sender, open_events).unwrap());
        self.changes = Some(receiver);
        self.until_scan_done();
    }

    /// Stops, and keeps what was settled for the next start.
    fn stop(&mut self, known: Vec<KnownFile>) {
        self.handle.take().unwrap().stop();
        self.changes = None;
        self.pending.clear();
        self.known = known;
    }

    fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.spec.root.join(relative)
    }

    fn write(&self, relative: impl AsRef<Path>, content: &[u8]) {
        write(&self.path(relative), content);
    }

    fn make_folder(&self, relative: &str) {
        std::fs::create_dir_all(self.path(relative)).unwrap();
    }

    /// The next change, whatever it is.
    fn next(&mut self) -> Change {
        let deadline = Instant::now() + DEADLINE;
        while self.pending.is_empty() {
            let changes = self.changes.as_ref().unwrap();
            let (index, batch) = changes.recv_deadline(deadline).expect("a change was due");
            assert_eq!(index, 7);
            assert!(!batch.is_empty());
            self.pending.extend(batch);
        }
        self.pending.pop_front().unwrap()
    }

    /// The next change that is about a file or the root.
    fn next_change(&mut self) -> Change {
        loop {
            match self.next() {
                Change::ScanDone { .. } | Change::Idle { .. } | Change::Busy => {}
                change => return change,
            }
        }
    }

    fn settled(&mut self) -> KnownFile {
        match self.next_change() {
            Change::Settled(file) => file,
            other => panic!("not settled: {other:?}"),
        }
    }

    /// What is reported until a full walk ends.
    fn until_scan_done(&mut self) -> Vec<Change> {
        self.until(|change| matches!(change, Change::ScanDone { .. }))
    }

    /// What is reported until nothing is settling.
    fn until_idle(&mut self) -> Vec<Change> {
        self.until(|change| matches!(change, Change::Idle { .. }))
    }

    /// What a full walk from now on reports until nothing is settling any more; without the news
    /// about walks themselves.
    fn after_rescan(&mut self) -> Vec<Change> {
        self.handle.as_ref().unwrap().rescan();
        let mut changes = Vec::new();
        loop {
            match self.next() {
                Change::ScanDone { settling: 0, .. } => return changes,
                Change::ScanDone { .. } => self.handle.as_ref().unwrap().rescan(),
                Change::Idle { .. } | Change::Busy => {}
                change => changes.push(change),
            }
        }
    }

    fn until(&mut self, mut is_last: impl FnMut(&Change) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        loop {
            let change = self.next();
            let is_done = is_last(&change);
            changes.push(change);
            if is_done {
                return changes;
            }
        }
    }
}

fn write(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

/// The hash that is reported of a file.
#[expect(
    clippy::unnecessary_wraps,
    reason = "compared with a field that has none for incomplete files"
)]
fn hash(content: &[u8]) -> Option<blake3::Hash> {
    Some(blake3::hash(content))
}

fn vanished(relative: &str) -> Change {
    Change::Vanished { relative: relative.into() }
}

/// A WAV header for 16-bit mono at 48 kHz with `data_bytes` bytes of samples to follow.
fn wav_header(data_bytes: u32) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(b"RIFF");
    header.extend((36 + data_bytes).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16_u32.to_le_bytes());
    header.extend([1, 0, 1, 0]);
    header.extend(48_000_u32.to_le_bytes());
    header.extend(96_000_u32.to_le_bytes());
    header.extend([2, 0, 16, 0]);
    header.extend(b"data");
    header.extend(data_bytes.to_le_bytes());
    header
}

/// A whole WAV file.
fn wav(data_bytes: u32) -> Vec<u8> {
    let mut file = wav_header(data_bytes);
    file.resize(file.len() + usize::try_from(data_bytes).unwrap(), 1);
    file
}
