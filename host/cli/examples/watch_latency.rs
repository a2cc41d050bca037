//! Measures the watcher: `cargo run --release -p wavemill --example watch_latency -- [FOLDER]`.
//!
//! In a fresh folder below FOLDER (default: the system's folder for temporary files): the first walk
//! of a large tree; how long after the last byte a file dropped into that tree is reported as settled,
//! also while a full walk goes on; and whether many files dropped at once into new nested folders
//! are all found, none twice. Prints CSV to stdout.

use crossbeam_channel::{Receiver, unbounded};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wavemill_pipelines::model::WatchMode;
use wavemill_watch::{Change, WatchHandle, WatchSpec, WatchStart};

/// Files that lie in the tree before anything is measured.
const TREE_FILES: usize = 100_000;

/// Files in one folder of the tree.
const FOLDER_FILES: usize = 1000;

/// Files dropped at once.
const BURST_FILES: usize = 10_000;

/// Files dropped one after the other.
const DROPS: usize = 20;

/// The default that pipelines get.
const STABLE_FOR: Duration = Duration::from_secs(2);

/// Nothing here takes longer unless it is broken.
const DEADLINE: Duration = Duration::from_mins(5);

fn main() -> io::Result<()> {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::Builder::new().prefix("watch-latency").tempdir_in(base)?;
    let root = folder.path().join("in");
    make_tree(&root)?;
    let mut out = io::stdout().lock();
    writeln!(out, "measure,unit,value")?;
    let (handle, changes) = watch(&root)?;
    measure_start(&changes, &mut out)?;
    measure_drops(&root, &changes, None, &mut out)?;
    measure_drops(&root, &changes, Some(&handle), &mut out)?;
    measure_burst(&root, &changes, &handle, &mut out)?;
    handle.stop();
    Ok(())
}

/// Half of the files in folders of their own, half in one flat folder.
fn make_tree(root: &Path) -> io::Result<()> {
    for index in 0..TREE_FILES {
        let folder = if index % 2 == 0 {
            root.join(format!("f{}/x/y", index / FOLDER_FILES))
        } else {
            root.join("flat")
        };
        if index < 2 || index % FOLDER_FILES == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        File::create(folder.join(format!("{index}.mp3")))?.write_all(b"old")?;
    }
    Ok(())
}

type Changes = Receiver<(usize, Vec<Change>)>;

fn watch(root: &Path) -> io::Result<(WatchHandle, Changes)> {
    let spec = WatchSpec {
        pipeline: "latency".into(),
        root: root.to_owned(),
        include: Vec::new(),
        ignore: Vec::new(),
        mode: WatchMode::Auto,
        rescan: None,
        stable_for: Some(STABLE_FOR),
        marker: None,
        takes_incomplete: false,
        excluded: Vec::new(),
    };
    let (sender, receiver) = unbounded();
    Ok((WatchStart::new(spec)?.spawn(0, sender)?, receiver))
}

fn next(changes: &Changes) -> io::Result<Vec<Change>> {
    let batch = changes.recv_timeout(DEADLINE).map_err(io::Error::other)?;
    Ok(batch.1)
}

fn measure_start(changes: &Changes, out: &mut impl io::Write) -> io::Result<()> {
    let start = Instant::now();
    let (mut settled, mut batches) = (0, 0);
    while settled < TREE_FILES {
        batches += 1;
        for change in next(changes)? {
            match change {
                Change::Settled(_) => settled += 1,
                Change::ScanDone { files, elapsed, .. } => {
                    writeln!(out, "first walk of {files} files,s,{:.3}", elapsed.as_secs_f64())?;
                }
                _ => {}
            }
        }
    }
    let all = start.elapsed().as_secs_f64();
    writeln!(out, "first start: all of them settled,s,{all:.3}")?;
    writeln!(out, "first start: batches,1,{batches}")
}

/// Drops files one by one into the flat folder and deep folders; with a handle, while everything
/// is walked again and again.
fn measure_drops(
    root: &Path,
    changes: &Changes,
    walks: Option<&WatchHandle>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut excess_ms = Vec::new();
    for index in 0..DROPS {
        let kind = if walks.is_some() { "busy" } else { "quiet" };
        let folder =
            if index % 2 == 0 { root.join("flat") } else { root.join(format!("f{index}/x/y")) };
        let path = folder.join(format!("drop-{kind}-{index}.mp3"));
        File::create(&path)?.write_all(b"new file")?;
        let last_byte = Instant::now();
        let relative = path.strip_prefix(root).map_err(io::Error::other)?;
        let mut is_settled = false;
        while !is_settled {
            if let Some(handle) = walks {
                handle.rescan();
            }
            is_settled = next(changes)?.iter().any(|change| match change {
                Change::Settled(file) => file.relative == relative,
                _ => false,
            });
        }
        excess_ms.push((last_byte.elapsed().as_secs_f64() - STABLE_FOR.as_secs_f64()) * 1e3);
    }
    excess_ms.sort_by(f64::total_cmp);
    let what = if walks.is_some() { "while walking" } else { "at rest" };
    let (median, max) = (excess_ms[DROPS / 2], excess_ms[DROPS - 1]);
    writeln!(out, "last byte to settled beyond stable_for {what} (median),ms,{median:.1}")?;
    writeln!(out, "last byte to settled beyond stable_for {what} (max),ms,{max:.1}")
}

fn measure_burst(
    root: &Path,
    changes: &Changes,
    handle: &WatchHandle,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let start = Instant::now();
    for index in 0..BURST_FILES {
        let folder = root.join(format!("burst/{}/{}", index / 100, index / 5));
        if index % 5 == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        File::create(folder.join(format!("{index}.mp3")))?.write_all(b"burst")?;
    }
    let dropped = start.elapsed().as_secs_f64();
    let (mut found, mut twice, mut walks) = (HashSet::new(), 0, 0);
    let mut complete = None;
    // One whole walk after the last file was reported shows what would be reported twice.
    while walks < 2 {
        for change in next(changes)? {
            match change {
                Change::Settled(file) => twice += usize::from(!found.insert(file.relative)),
                Change::ScanDone { .. } if complete.is_some() => {
                    handle.rescan();
                    walks += 1;
                }
                _ => {}
            }
        }
        if found.len() == BURST_FILES && complete.is_none() {
            complete = Some(start.elapsed().as_secs_f64());
            handle.rescan();
        }
    }
    writeln!(out, "burst of {BURST_FILES} files: writing them,s,{dropped:.3}")?;
    writeln!(out, "burst: all settled since the first byte,s,{:.3}", complete.unwrap_or(f64::NAN))?;
    writeln!(out, "burst: found,1,{}", found.len())?;
    writeln!(out, "burst: reported twice,1,{twice}")
}
