//! Measures store and watcher with many files: `cargo run --release -p wavemill --example million_files -- [COUNT] [FOLDER]`.
//!
//! In a fresh folder below FOLDER (default: the system's folder for temporary files): COUNT empty files (default
//! 1,000,000) that the store knows, with a job each and an entry of the catalog. How long insertions and point
//! look-ups take as the store grows, how long a walk takes in which nothing changed, and how much memory is
//! resident. Prints CSV to stdout.

use crossbeam_channel::unbounded;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_pipelines::model::{Duplicates, WatchMode};
use wavemill_pipelines::publishing::identity;
use wavemill_platform::{resident_bytes, share_heap};
use wavemill_store::{CatalogRecord, CurrentPlan, IntakeContext, OutputFacts, Store};
use wavemill_watch::{Change, KnownFile, WatchSpec, WatchStart};

/// Files in one folder.
const FOLDER_FILES: usize = 1000;

/// Changes that a watcher sends at once.
const BATCH: usize = 4096;

/// Look-ups and single insertions that are averaged.
const SAMPLES: usize = 2000;

/// Nothing here takes longer unless it is broken.
const DEADLINE: Duration = Duration::from_mins(10);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // As a daemon does.
    share_heap();
    let mut arguments = std::env::args_os().skip(1);
    let count = arguments.next().and_then(|count| count.to_str()?.parse().ok());
    let count: usize = count.unwrap_or(1_000_000);
    let base = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::Builder::new().prefix("million-files").tempdir_in(base)?;
    let root = folder.path().join("in");
    make_tree(&root, count)?;
    let store = Arc::new(Store::open(&folder.path().join("state"))?);
    let mut out = io::stdout().lock();
    writeln!(out, "files,measure,unit,value")?;
    let mut known = 0;
    for step in [count / 100, count / 10, count] {
        let started = Instant::now();
        fill(&store, &root, known, step)?;
        let each_us = started.elapsed().as_secs_f64() * 1e6 / (step - known) as f64;
        writeln!(out, "{step},insertion among others,us,{each_us:.1}")?;
        known = step;
        point(&store, &root, step, &mut out)?;
    }
    writeln!(
        out,
        "{count},store file,MB,{}",
        fs::metadata(Store::file_in(&folder.path().join("state")))?.len() / 1_000_000
    )?;
    let before_bytes = memory("resident with the store", count, &mut out)?;
    walk(&store, &root, count, before_bytes, &mut out)
}

fn path_of(number: usize) -> PathBuf {
    format!("{}/{}.wav", number / FOLDER_FILES, number % FOLDER_FILES).into()
}

fn make_tree(root: &Path, count: usize) -> io::Result<()> {
    for number in 0..count {
        if number % FOLDER_FILES == 0 {
            fs::create_dir_all(root.join((number / FOLDER_FILES).to_string()))?;
        }
        File::create(root.join(path_of(number)))?;
    }
    Ok(())
}

fn context(root: &Path) -> Arc<IntakeContext> {
    let plan = CurrentPlan { plan: "p".to_owned(), output_root: root.to_owned(), priority: 0 };
    let (pipeline, duplicates) = ("archive".to_owned(), Duplicates::Process);
    Arc::new(IntakeContext { pipeline, root: root.to_owned(), plan, duplicates })
}

/// A hash as long and as different as real ones.
fn hash(number: usize) -> blake3::Hash {
    blake3::hash(&number.to_le_bytes())
}

/// Enters files into index, queue and catalog.
fn fill(
    store: &Store,
    root: &Path,
    from: usize,
    to: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let context = context(root);
    let numbers: Vec<usize> = (from..to).collect();
    for batch in numbers.chunks(BATCH) {
        let mut changes = Vec::new();
        let mut records = Vec::new();
        for &number in batch {
            let relative = path_of(number);
            let path = root.join(&relative);
            let metadata = fs::metadata(&path)?;
            changes.push(Change::Settled(KnownFile {
                relative,
                size_bytes: metadata.len(),
                modified_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
                inode: metadata.ino(),
                hash: Some(hash(number)),
            }));
            let identity = identity(&path)?.ok_or("the file is gone")?;
            records.push((path, record(number, identity)));
        }
        store.intake(&context, changes)?;
        store.adopt(records)?;
    }
    Ok(())
}

fn record(number: usize, identity: wavemill_pipelines::publishing::FileIdentity) -> CatalogRecord {
    CatalogRecord {
        job: None,
        pipeline: Some("archive".to_owned()),
        made_ms: 1_700_000_000_000 + number as u64,
        identity,
        blake3: hash(number).to_string(),
        facts: OutputFacts {
            duration_s: Some(180.0),
            integrated_lufs: Some(-16.0),
            true_peak_dbtp: Some(-1.0),
            tags: BTreeMap::from([("title".to_owned(), format!("Take {number}"))]),
        },
    }
}

/// Single look-ups at places spread over the store, and single insertions, each its own commit.
fn point(
    store: &Store,
    root: &Path,
    count: usize,
    out: &mut impl io::Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let places: Vec<usize> = (0..SAMPLES).map(|sample| sample * 7_919 * 104_729 % count).collect();
    let mut times_us = Vec::with_capacity(SAMPLES);
    for place in &places {
        let started = Instant::now();
        store.cataloged(&root.join(path_of(*place)))?.ok_or("a file is not known")?;
        times_us.push(started.elapsed().as_secs_f64() * 1e6);
    }
    times_us.sort_by(f64::total_cmp);
    let mean_us = times_us.iter().sum::<f64>() / SAMPLES as f64;
    writeln!(out, "{count},point look-up (mean),us,{mean_us:.1}")?;
    writeln!(out, "{count},point look-up (median),us,{:.1}", times_us[SAMPLES / 2])?;
    let known = identity(&root.join(path_of(0)))?.ok_or("the file is gone")?;
    let started = Instant::now();
    for sample in 0..SAMPLES / 20 {
        store.adopt(vec![(root.join(format!("extra/{count}-{sample}")), record(sample, known))])?;
    }
    let each_ms = started.elapsed().as_secs_f64() * 1e3 / (SAMPLES / 20) as f64;
    writeln!(out, "{count},insertion by itself (durable),ms,{each_ms:.2}")?;
    Ok(())
}

fn memory(what: &str, count: usize, out: &mut impl io::Write) -> io::Result<u64> {
    let bytes = resident_bytes(std::process::id()).unwrap_or(0);
    writeln!(out, "{count},{what},MB,{}", bytes / 1_000_000)?;
    Ok(bytes)
}

/// The most that was resident since the start, or since the file below was written to (`proc(5)`).
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Watches the tree, of which everything is known.
fn walk(
    store: &Store,
    root: &Path,
    count: usize,
    before_bytes: u64,
    out: &mut impl io::Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let spec = WatchSpec {
        pipeline: "archive".to_owned(),
        root: root.to_owned(),
        include: Vec::new(),
        ignore: Vec::new(),
        mode: WatchMode::Poll,
        rescan: Some(DEADLINE),
        stable_for: None,
        marker: None,
        takes_incomplete: false,
        excluded: Vec::new(),
    };
    // Best effort: where it cannot be reset, the peak is that of all before.
    let _ = File::create("/proc/self/clear_refs").and_then(|mut file| file.write_all(b"5"));
    let started = Instant::now();
    let mut start = WatchStart::new(spec)?;
    store.visit_known_files("archive", root, &mut |file| start.remember(&file))?;
    writeln!(out, "{count},reading what is known,s,{:.2}", started.elapsed().as_secs_f64())?;
    let (sender, changes) = unbounded();
    let handle = start.spawn(0, sender)?;
    let mut others = 0;
    for round in 0..4 {
        loop {
            let (_, batch) = changes.recv_timeout(DEADLINE)?;
            let mut took = None;
            for change in batch {
                match change {
                    Change::ScanDone { elapsed, .. } => took = Some(elapsed),
                    Change::Settled(_) | Change::Vanished { .. } | Change::Touched(_) => {
                        others += 1;
                    }
                    _ => {}
                }
            }
            if let Some(took) = took {
                let took_s = took.as_secs_f64();
                writeln!(out, "{count},walk {round} in which nothing changed,s,{took_s:.2}")?;
                break;
            }
        }
        handle.rescan();
    }
    let after_bytes = memory("resident with store and watcher", count, out)?;
    let a_file = after_bytes.saturating_sub(before_bytes) / count.max(1) as u64;
    writeln!(out, "{count},a file in the watcher's memory,B,{a_file}")?;
    let peak_mb = peak_bytes().unwrap_or(0) / 1_000_000;
    writeln!(out, "{count},most resident since what is known was read,MB,{peak_mb}")?;
    writeln!(out, "{count},changes reported though there were none,files,{others}")?;
    handle.stop();
    Ok(())
}
