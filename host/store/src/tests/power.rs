//! Power cuts: a disk that forgets what was not synced, in parts and in any order.

use super::calls::{Answer, Call, known_of};
use super::memory::{Known, MemoryQueue};
use crate::{History, Store};
use fastrand::Rng;
use parking_lot::Mutex;
use redb::{Database, StorageBackend};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a disk writes at once.
const SECTOR_BYTES: usize = 512;

/// A change that was not synced.
#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

#[derive(Debug, Default)]
struct Content {
    /// What survives a power cut for sure.
    durable: Vec<u8>,
    /// What reading gives.
    current: Vec<u8>,
    unsynced: Vec<Change>,
    /// Operations until the power is cut.
    left: usize,
    /// Whether syncing does nothing, as on disks that lie.
    lies: bool,
}

/// The disk. Clones share it.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Content>>);

impl Content {
    fn live(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        Ok(())
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.current, &change);
        self.unsynced.push(change);
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => content.resize(*length, 0),
        Change::Bytes(offset, bytes) => {
            let end = offset + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(bytes);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let content = self.0.lock();
        let offset = usize::try_from(offset).unwrap();
        let bytes = content.current.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or_else(|| io::Error::other("beyond the end"))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut content = self.0.lock();
        content.live()?;
        content.change(Change::Length(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut content = self.0.lock();
        content.live()?;
        if !content.lies {
            content.durable = content.current.clone();
            content.unsynced.clear();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.0.lock();
        content.live()?;
        content.change(Change::Bytes(usize::try_from(offset).unwrap(), data.to_vec()));
        Ok(())
    }
}

impl Disk {
    /// Gives it power for so many operations.
    fn power(&self, operations: usize) {
        self.0.lock().left = operations;
    }

    /// The disk after a power cut: what was synced, and of the rest any sectors, sometimes in another
    /// order than they were written.
    fn after_cut(&self, random: &mut Rng, lies: bool) -> Self {
        let content = self.0.lock();
        let mut image = content.durable.clone();
        let mut sectors: Vec<Change> = Vec::new();
        for change in &content.unsynced {
            match change {
                Change::Length(_) => sectors.push(change.clone()),
                Change::Bytes(offset, bytes) => {
                    let pieces = bytes.chunks(SECTOR_BYTES).enumerate();
                    sectors.extend(pieces.map(|(index, piece)| {
                        Change::Bytes(offset + index * SECTOR_BYTES, piece.to_vec())
                    }));
                }
            }
        }
        // All, none, or about a share of them.
        let share = random.usize(..5);
        sectors.retain(|_| random.usize(..4) < share);
        if random.usize(..2) == 0 {
            for index in (1..sectors.len()).rev() {
                sectors.swap(index, random.usize(..=index));
            }
        }
        for sector in &sectors {
            apply(&mut image, sector);
        }
        let current = image.clone();
        Self(Arc::new(Mutex::new(Content { durable: image, current, lies, ..Content::default() })))
    }

    fn open(&self, folder: &Path) -> Result<Store, String> {
        let database = Database::builder()
            .create_with_backend(self.clone())
            .map_err(|error| error.to_string())?;
        Store::with_database(database, folder.join("pid")).map_err(|error| error.to_string())
    }
}

/// One life with three power cuts; an error when the store lost or invented something.
fn life(seed: u64, lies: bool) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Rng::with_seed(seed);
    let mut disk = Disk::default();
    disk.power(usize::MAX);
    drop(disk.open(folder.path())?);
    disk.0.lock().lies = lies;
    let (mut known, mut count, mut acknowledged) = (Known::default(), 0, 0);
    for _ in 0..3 {
        disk.power(usize::MAX);
        let store = disk.open(folder.path())?;
        let model = MemoryQueue::of(known.clone());
        disk.power(20 + random.usize(..400));
        // The call during which the power was cut may or may not have happened.
        let mut maybe = known.clone();
        for _ in 0..200 {
            let before = model.known();
            if random.usize(..12) == 0 {
                // In one change: there are fewer jobs than one takes.
                model.prune(&store);
                let history = History::default();
                if store.prune(&history, &|| false).is_err() {
                    (known, maybe) = (before, model.known());
                    break;
                }
                acknowledged += 1;
                (known, maybe) = (model.known(), model.known());
                continue;
            }
            let call = Call::next(&mut random, &model.known(), &mut count);
            let (expected, answered) = (call.on(&model), call.on(&store));
            if answered == Answer::Broken {
                (known, maybe) = (before, model.known());
                break;
            }
            if answered != expected {
                return Err(format!("{call:?}: {answered:?} instead of {expected:?}"));
            }
            acknowledged += 1;
            (known, maybe) = (model.known(), model.known());
        }
        drop(store);
        disk = disk.after_cut(&mut random, lies);
        // Sometimes the power fails again while the store is repaired.
        if random.usize(..3) == 0 {
            disk.power(random.usize(..60));
            drop(disk.open(folder.path()));
            disk = disk.after_cut(&mut random, lies);
        }
        disk.power(usize::MAX);
        let found = known_of(&disk.open(folder.path())?);
        if found != known && found != maybe {
            return Err("another state than before or after the last call".to_owned());
        }
        known = found;
    }
    Ok(acknowledged)
}

#[test]
fn store_that_lost_power_knows_what_it_acknowledged_and_nothing_else() {
    let mut acknowledged = 0;
    for seed in 1..=120 {
        acknowledged += life(seed, false).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(acknowledged > 1_000, "{acknowledged}");
}

#[test]
fn store_on_a_disk_that_lies_about_syncing_is_found_out() {
    let caught = |seed| {
        let life = std::panic::AssertUnwindSafe(|| life(seed, true));
        !matches!(std::panic::catch_unwind(life), Ok(Ok(_)))
    };
    let found = (1..=30).filter(|&seed| caught(seed)).count();
    assert!(found >= 25, "{found} of 30");
}
