//! Reads settled files: are they whole, and what is their hash?

use super::promise;
use super::stat::{Kind, Stat, is_absence, look};
use crossbeam_channel::{Receiver, Sender, select_biased, unbounded};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;

/// Files from here on go to the one thread for slow work, so that small ones pass by.
const SLOW_BYTES: u64 = 64 << 20;

/// A file to read.
#[derive(Debug)]
pub(super) struct HashJob {
    /// Path below the root.
    pub(super) relative: PathBuf,
    /// Absolute path.
    pub(super) path: PathBuf,
    /// State in which it must still be.
    pub(super) stat: Stat,
    /// Distinguishes this job from an earlier one for the same file.
    pub(super) token: u64,
    /// Whether nobody waits for it: a file that is known already.
    pub(super) is_recheck: bool,
    /// Whether it is taken though its header promises more.
    pub(super) takes_incomplete: bool,
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct HashResult {
    pub(super) relative: PathBuf,
    pub(super) token: u64,
    pub(super) outcome: Outcome,
}

/// What reading a file said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The file was the same before and after, under the same name.
    Hashed(blake3::Hash),
    /// It is not in the expected state any more.
    Changed,
    /// There is nothing under the name.
    Gone,
    /// It is not whole; why.
    Incomplete(String),
    /// It cannot be read; why.
    Unreadable(String),
}

/// Two threads that read files.
pub(super) struct HashPool {
    quick: Option<Sender<HashJob>>,
    slow: Option<Sender<HashJob>>,
    results: Receiver<HashResult>,
    /// Keeps the channel open whatever becomes of the threads.
    _sender: Sender<HashResult>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl HashPool {
    /// Starts the threads; `name` is for debuggers.
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let (quick, quick_jobs) = unbounded();
        let (slow, slow_jobs) = unbounded();
        let (sender, results) = unbounded();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for slow_jobs in [slow_jobs, crossbeam_channel::never()] {
            let worker = Worker {
                quick: quick_jobs.clone(),
                slow: slow_jobs,
                results: sender.clone(),
                stop: Arc::clone(&stop),
            };
            let builder = std::thread::Builder::new().name(format!("hash {name}"));
            threads.push(builder.spawn(move || worker.run())?);
        }
        Ok(Self { quick: Some(quick), slow: Some(slow), results, _sender: sender, stop, threads })
    }

    /// Queues a file.
    pub(super) fn submit(&self, job: HashJob) {
        let is_slow = job.is_recheck || job.stat.size_bytes >= SLOW_BYTES;
        let queue = if is_slow { &self.slow } else { &self.quick };
        if let Some(queue) = queue {
            // Fails only after both threads died of a panic; the file then stays unsettled.
            let _ = queue.send(job);
        }
    }

    /// Where results come out, in any order.
    pub(super) fn results(&self) -> &Receiver<HashResult> {
        &self.results
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.quick = None;
        self.slow = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Worker {
    quick: Receiver<HashJob>,
    slow: Receiver<HashJob>,
    results: Sender<HashResult>,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn run(&self) {
        let mut buffer = vec![0; READ_BYTES];
        while let Some(job) = self.next() {
            let outcome = read(&job, &mut buffer, &self.stop);
            let result = HashResult { relative: job.relative, token: job.token, outcome };
            if self.results.send(result).is_err() {
                return;
            }
        }
    }

    /// Quick jobs first. `None` ends the thread.
    fn next(&self) -> Option<HashJob> {
        let job = select_biased! {
            recv(self.quick) -> job => job.ok(),
            recv(self.slow) -> job => job.ok(),
        };
        job.filter(|_| !self.stop.load(Ordering::Acquire))
    }
}

fn read(job: &HashJob, buffer: &mut [u8], stop: &AtomicBool) -> Outcome {
    match try_read(job, buffer, stop) {
        Ok(outcome) => outcome,
        Err(error) if is_absence(&error) => Outcome::Gone,
        // A name that became a symbolic link.
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Outcome::Changed,
        Err(error) => Outcome::Unreadable(format!("cannot be read: {}", describe(&error))),
    }
}

fn try_read(job: &HashJob, buffer: &mut [u8], stop: &AtomicBool) -> io::Result<Outcome> {
    let mut file = open(&job.path)?;
    if !is_still(&file, &job.stat)? {
        return Ok(Outcome::Changed);
    }
    let missing = promise::missing(&mut file, job.stat.size_bytes)?;
    if let Some(reason) = missing.filter(|_| !job.takes_incomplete) {
        let outcome = Outcome::Incomplete(reason);
        return Ok(if is_still(&file, &job.stat)? { outcome } else { Outcome::Changed });
    }
    file.rewind()?;
    let Some((hash, size_bytes)) = hash(&mut file, buffer, stop)? else {
        return Ok(Outcome::Changed);
    };
    let is_same = size_bytes == job.stat.size_bytes
        && is_still(&file, &job.stat)?
        && matches!(look(&job.path)?, Kind::File(stat) if stat == job.stat);
    Ok(if is_same { Outcome::Hashed(hash) } else { Outcome::Changed })
}

/// Opens without following a link and without waiting for a fifo's writer.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn is_still(file: &File, stat: &Stat) -> io::Result<bool> {
    Ok(matches!(Kind::of(&file.metadata()?), Kind::File(now) if now == *stat))
}

/// Hash and length of what is left of the file; `None` if it was asked to stop.
fn hash(
    file: &mut File,
    buffer: &mut [u8],
    stop: &AtomicBool,
) -> io::Result<Option<(blake3::Hash, u64)>> {
    let mut hasher = blake3::Hasher::new();
    while !stop.load(Ordering::Acquire) {
        match file.read(buffer) {
            Ok(0) => return Ok(Some((hasher.finalize(), hasher.count()))),
            Ok(length) => drop(hasher.update(&buffer[..length])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The system's words without the number: "permission denied".
pub(super) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    words.to_lowercase()
}
