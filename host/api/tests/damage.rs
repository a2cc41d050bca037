//! Damaged records: they are refused as such, or read as what they say; nothing panics and nothing else is lost.
//! `cargo xtask fuzz store --seconds N` damages for longer.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do, and print the seed"
)]

use fastrand::Rng;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_api::types::{BatchFilter, FileFilter, JobFilter};
use wavemill_api::{Service, Terms};
use wavemill_pipelines::model::{Defaults, Duplicates};
use wavemill_pipelines::publishing::FileIdentity;
use wavemill_store::{
    Capacity, CatalogRecord, Claim, CurrentPlan, IntakeContext, IntakeResult, JobQueue, Store,
    StoreError,
};
use wavemill_watch::{Change, KnownFile, Refusal};

/// A store that version 1 wrote, with something in most tables.
const V1: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/store/v1.redb"));

/// Stores that are damaged in the gate.
const COUNT: u64 = 150;

fn v1(folder: &Path) -> Store {
    fs::File::create(Store::file_in(folder)).unwrap().write_all(V1).unwrap();
    Store::open(folder).unwrap()
}

type Record = (String, Vec<u8>, Vec<u8>);

fn table(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// Every record of a closed store, as its table, key and bytes.
fn records(folder: &Path) -> Vec<Record> {
    let database = Database::open(Store::file_in(folder)).unwrap();
    let look = database.begin_read().unwrap();
    let mut found = Vec::new();
    for handle in look.list_tables().unwrap() {
        let name = handle.name();
        for record in look.open_table(table(name)).unwrap().iter().unwrap() {
            let (key, bytes) = record.unwrap();
            found.push((name.to_owned(), key.value().to_vec(), bytes.value().to_vec()));
        }
    }
    found
}

fn replace(folder: &Path, records: &[Record]) {
    let database = Database::open(Store::file_in(folder)).unwrap();
    let change = database.begin_write().unwrap();
    for (name, key, bytes) in records {
        change.open_table(table(name)).unwrap().insert(key.as_slice(), bytes.as_slice()).unwrap();
    }
    change.commit().unwrap();
}

fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    let pieces: [&[u8]; 12] = [
        b"null",
        b"-1",
        b"1e99",
        b"\"\"",
        b"{}",
        b"[]",
        b"\xff",
        b"\0",
        b"18446744073709551615",
        b"\"x\"",
        b"true",
        b",",
    ];
    match random.usize(..6) {
        0 => bytes.truncate(at),
        1 if at < bytes.len() => bytes[at] ^= 1 << random.usize(..8),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 => {
            // A whole value becomes another.
            let is_inside = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | b':');
            let length = bytes[at..].iter().take_while(is_inside).count();
            bytes.splice(at..at + length, pieces[random.usize(..pieces.len())].iter().copied());
        }
        4 => bytes.clear(),
        _ => drop(bytes.splice(at..at, pieces[random.usize(..pieces.len())].iter().copied())),
    }
}

/// Prints which input it was when a test panics.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {}", self.0);
        }
    }
}

/// Reads whatever can be read, and changes something; errors are fine.
fn use_all(store: &Arc<Store>, folder: &Path) -> usize {
    let mut errors = 0;
    let mut count = |is_error: bool| errors += usize::from(is_error);
    let service = service_of(store, folder);
    count(service.status().is_err());
    count(service.jobs(&JobFilter::default()).is_err());
    count(service.files(&FileFilter::default()).is_err());
    count(service.file_stats().is_err());
    count(service.batches(&BatchFilter::default()).is_err());
    count(service.batch("one").is_err());
    count(service.batch("two").is_err());
    count(store.visit_known_files("archive", "/srv/audio/in".as_ref(), &mut drop).is_err());
    count(store.paused().is_err());
    count(store.waiting_counts().is_err());
    count(store.submitted_pipelines().is_err());
    count(store.held_by_others("boot").is_err());
    count(store.next_due_ms(0).is_err());
    count(store.hooks().is_err());
    count(store.clock().is_err());
    count(settle_at(store).is_err());
    let capacity = Capacity {
        free: 9,
        plan: "p".to_owned(),
        output_root: "/out".into(),
        submitted_only: false,
    };
    let names = ["archive", "later", "podcast"].map(|name| (name.to_owned(), capacity.clone()));
    let claim = Claim {
        boot_id: "boot".to_owned(),
        now_ms: u64::MAX,
        count_max: 9,
        pipelines: names.into(),
        busy: HashSet::new(),
        contents: HashSet::new(),
    };
    count(store.claim(claim).is_err());
    count(store.pause(None).is_err());
    count(store.take_batches_over().is_err());
    errors
}

fn settle_at(store: &Store) -> Result<Vec<IntakeResult>, StoreError> {
    let context = IntakeContext {
        pipeline: "podcast".to_owned(),
        root: "/in".into(),
        plan: CurrentPlan { plan: "plan 1".to_owned(), output_root: "/".into(), priority: 0 },
        duplicates: Duplicates::Process,
    };
    let refused = Change::Refused {
        relative: "x".into(),
        refusal: Refusal::NoFile,
        reason: "is a link".to_owned(),
    };
    let settled = KnownFile {
        relative: "n.wav".into(),
        size_bytes: 10,
        modified_ns: 1,
        inode: 7,
        hash: Some(blake3::hash(b"h")),
    };
    store.intake(&Arc::new(context), vec![Change::Settled(settled), refused])
}

fn service_of(store: &Arc<Store>, folder: &Path) -> Service {
    let terms = Terms {
        state_dir: folder.to_path_buf(),
        output_root: folder.to_path_buf(),
        defaults: Defaults::default(),
    };
    Service::over_store(Arc::clone(store), terms)
}

/// Seen by the test below once: sizes of a damaged record add up to more than a number holds.
#[test]
fn statistics_of_files_larger_than_any_disk_do_not_overflow() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(v1(folder.path()));
    let mut files = Vec::new();
    store
        .visit_catalog(0, u64::MAX, &mut |path, record| {
            let identity = FileIdentity { size_bytes: u64::MAX - 1, ..record.identity };
            let copies = ["x.wav", "y.wav"].map(|name| (path.with_file_name(name), identity));
            files.extend(
                copies.map(|(path, identity)| (path, CatalogRecord { identity, ..record.clone() })),
            );
            Ok(true)
        })
        .unwrap();
    assert!(files.len() >= 2);
    store.adopt(files).unwrap();
    let stats = service_of(&store, folder.path()).file_stats().unwrap();
    assert_eq!((stats.bytes, stats.by_extension["wav"].bytes), (u64::MAX, u64::MAX));
}

#[test]
fn damaged_record_is_an_error_and_never_a_panic() {
    let seconds = std::env::var("WAVEMILL_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let first = std::env::var("WAVEMILL_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let (mut stores, mut refused) = (0, 0);
    for seed in first.unwrap_or(1).. {
        let is_over = until.map_or(stores >= COUNT, |until| Instant::now() >= until);
        if is_over {
            break;
        }
        let _seed = Seed(seed);
        let folder = tempfile::tempdir().unwrap();
        drop(v1(folder.path()));
        let all = records(folder.path());
        let mut random = Rng::with_seed(seed);
        let mut damaged = Vec::new();
        for _ in 0..=random.usize(..3) {
            let (table, key, mut bytes) = all[random.usize(..all.len())].clone();
            damage(&mut bytes, &mut random);
            damaged.push((table, key, bytes));
        }
        replace(folder.path(), &damaged);
        refused += match Store::open(folder.path()) {
            Ok(store) => usize::from(use_all(&Arc::new(store), folder.path()) > 0),
            Err(error) => usize::from(!error.to_string().is_empty()),
        };
        // Whatever was said: what was not damaged is still there, unless something was done with it.
        let left = records(folder.path());
        for (table, key, bytes) in &all {
            let is_fixed =
                ["jobs", "contents", "ledger", "plans", "catalog"].contains(&table.as_str());
            let is_same = |(other, at, _): &Record| other == table && at == key;
            if is_fixed && !damaged.iter().any(is_same) {
                let found = left.iter().find(|record| is_same(record));
                let found = found.unwrap_or_else(|| panic!("seed {seed}: {table} {key:?}"));
                assert!(table == "jobs" || found.2 == *bytes, "seed {seed}: {table} {key:?}");
            }
        }
        stores += 1;
    }
    println!("store: {stores} damaged stores, {refused} with something refused");
    assert!(stores < COUNT || refused * 4 > usize::try_from(stores).unwrap());
}
